//! The cells of one tile: from levels to conductances, and what time and temperature do to them.
//!
//! In the order of physics: target, write-verify, programming error, stuck cells, relaxation, drift, temperature. Each step is a
//! function of (conductance, model, draw).

use basisn_arch::Geometry;
use serde::Serialize;

use super::config::{Encoding, MacroModel, Programming};
use super::faults::{self, Stuck};
use super::noise::{Kind, Stream};

/// Fractional bits of an effective level: 1 is 2^-8 of a level.
pub const FRACTION_BITS: u32 = 8;

/// The conductances, in uS, that a level asks of a cell pair; with an offset column, of the cell and of its row's offset cell.
pub fn target_us(level: i32, level_max: i32, model: &MacroModel) -> [f64; 2] {
    let low = model.cell.g_min_us;
    let at = |share: f64| low + share * model.range_us();
    let share = f64::from(level) / f64::from(level_max);
    match model.cell.encoding {
        Encoding::Differential => [at(share.max(0.0)), at((-share).max(0.0))],
        Encoding::OffsetColumn => [at(0.5 + share / 2.0), at(0.5)],
    }
}

/// The difference of conductances, in uS, that counts as one level.
pub fn level_us(level_max: i32, model: &MacroModel) -> f64 {
    match model.cell.encoding {
        Encoding::Differential => model.range_us() / f64::from(level_max),
        Encoding::OffsetColumn => model.range_us() / f64::from(2 * level_max),
    }
}

/// Standard deviation of a cell after programming, in uS: the root of the summed squares of the constant share, the polynomial
/// (NeuRRAM: 1.536e-4 G^3 - 1.167e-2 G^2 + 0.2374 G + 1.053, as in CrossSim's RRAM_Wan) and the table.
pub fn programming_sigma_us(g_us: f64, programming: &Programming, range_us: f64) -> f64 {
    let polynomial = programming.polynomial_us.iter().rev().fold(0.0, |sum, c| sum * g_us + c).max(0.0);
    let table = interpolate(&programming.table_us, g_us);
    let share = programming.sigma * range_us;
    (share * share + polynomial * polynomial + table * table).sqrt()
}

/// Linear between the points, constant beyond; 0 without points.
fn interpolate(points: &[[f64; 2]], x: f64) -> f64 {
    match points.iter().position(|p| p[0] >= x) {
        None => points.last().map_or(0.0, |p| p[1]),
        Some(0) => points[0][1],
        Some(i) => {
            let ([x0, y0], [x1, y1]) = (points[i - 1], points[i]);
            y0 + (y1 - y0) * (x - x0) / (x1 - x0)
        }
    }
}

/// What the write-verify loop did to one cell.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Written {
    /// Conductance, in uS.
    pub g_us: f64,
    /// Pulses.
    pub pulses: u32,
    /// Whether the conductance was accepted.
    pub accepted: bool,
}

/// Write-verify: from g_min, pulses toward the target until the conductance is within the tolerance; each changes it by the step,
/// with spread. `normal(n)` is the draw of pulse n. Without pulses the target is met at once.
pub fn write_verify(target_us: f64, model: &MacroModel, normal: impl Fn(u32) -> f64) -> Written {
    let (loop_, range) = (&model.write_verify, model.range_us());
    let mut written = Written { g_us: model.cell.g_min_us, pulses: 0, accepted: true };
    if loop_.max_pulses == 0 {
        return Written { g_us: target_us, ..written };
    }
    while (written.g_us - target_us).abs() > loop_.tolerance * range {
        if written.pulses == loop_.max_pulses {
            written.accepted = false;
            break;
        }
        let change = loop_.step * range * (1.0 + loop_.spread * normal(written.pulses));
        written.g_us = (written.g_us + change * (target_us - written.g_us).signum()).max(0.0);
        written.pulses += 1;
    }
    written
}

/// Relaxation, drift and temperature: a cell `time_s` after programming.
///
/// Relaxation widens the distribution with the decades of time (aihwkit's ReRAM data after Wan et al.: about 1 % of the range in a
/// day); drift is the power law of the ageing of resistive cells, G(t) = G (t / 1 s)^-v; temperature scales.
pub fn aged_us(g_us: f64, model: &MacroModel, relaxation: f64, exponent: f64) -> f64 {
    let a = &model.aging;
    let decades = libm::log10(a.time_s);
    let relaxed = g_us + relaxation * a.relaxation_per_decade * decades * model.range_us();
    let drifted = relaxed * libm::pow(a.time_s, -(a.drift_exponent + a.drift_spread * exponent));
    (drifted * (1.0 + a.temperature_per_k * (a.temperature_k - 300.0))).max(0.0)
}

/// A cell that write-verify gave up on.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct FailedCell {
    /// Row.
    pub row: usize,
    /// Column; C for the offset column.
    pub column: usize,
    /// 0 for the positive cell of a pair, 1 for the negative.
    pub side: usize,
    /// Conductance wanted, in uS.
    pub wanted_us: f64,
    /// Conductance left, in uS.
    pub got_us: f64,
}

/// What programming a tile took.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ProgramReport {
    /// Cells by number of pulses.
    pub cells_by_pulses: Vec<u64>,
    /// Cells that were given up.
    pub failed: Vec<FailedCell>,
}

impl ProgramReport {
    /// All pulses.
    pub fn pulses(&self) -> u64 {
        self.cells_by_pulses.iter().zip(0..).map(|(cells, pulses)| cells * pulses).sum()
    }
}

/// The cells of a tile.
#[derive(Clone, Debug)]
pub struct Cells {
    rows: usize,
    columns: usize,
    level_max: i32,
    core: usize,
    tile: usize,
    model: MacroModel,
    seed: u64,
    /// Conductances in uS, `[column * rows + row][side]`; with an offset column that column is number C, and side 1 is not used.
    g_us: Vec<[f64; 2]>,
    /// Level and number of writes of every cell.
    levels: Vec<(i8, u32)>,
    report: ProgramReport,
}

impl Cells {
    /// Unwritten cells: level 0 without error.
    pub fn new(geometry: &Geometry, model: &MacroModel, seed: u64, core: usize, tile: usize) -> Self {
        let level_max = if geometry.cell_bits == 1 { 1 } else { (1 << (geometry.cell_bits - 1)) - 1 };
        let (rows, columns) = (geometry.rows, geometry.columns);
        let fresh = target_us(0, level_max, model);
        let mut cells = Cells {
            rows,
            columns,
            level_max,
            core,
            tile,
            model: model.clone(),
            seed,
            g_us: vec![fresh; rows * columns],
            levels: vec![(0, 0); rows * columns],
            report: ProgramReport::default(),
        };
        if model.cell.encoding == Encoding::OffsetColumn {
            for row in 0..rows {
                let g = cells.write(row, columns, 0, fresh[1], 0);
                cells.g_us.push([g, 0.0]);
            }
        }
        cells
    }

    /// The same levels, written in the same order, on the devices of another core.
    pub fn on_core(&self, geometry: &Geometry, core: usize) -> Self {
        let mut other = Cells::new(geometry, &self.model, self.seed, core, self.tile);
        for (cell, &(level, writes)) in self.levels.iter().enumerate() {
            for _ in 0..writes {
                other.program(cell % self.rows, cell / self.rows, i32::from(level));
            }
        }
        other
    }

    /// Writes a level into a cell, clamped to what a cell can hold; a cell that isn't there stays so.
    pub fn program(&mut self, row: usize, column: usize, level: i32) {
        if row >= self.rows || column >= self.columns {
            return;
        }
        let level = level.clamp(-self.level_max, self.level_max);
        let cell = column * self.rows + row;
        let (_, write) = self.levels[cell];
        self.levels[cell] = (level as i8, write + 1);
        let target = target_us(level, self.level_max, &self.model);
        self.g_us[cell][0] = self.write(row, column, 0, target[0], write);
        if self.model.cell.encoding == Encoding::Differential {
            self.g_us[cell][1] = self.write(row, column, 1, target[1], write);
        }
    }

    /// The conductance that one cell has at the time of reading after its `write`-th write, in uS.
    fn write(&mut self, row: usize, column: usize, side: usize, target_us: f64, write: u32) -> f64 {
        let (model, range) = (&self.model, self.model.range_us());
        let stream = |kind| Stream::new(self.seed, kind, self.core, self.tile);
        let device = ((column * self.rows + row) * 2 + side) as u32;
        let written = write_verify(target_us, model, |pulse| stream(Kind::Pulse).normal(device, write, pulse));
        let sigma = programming_sigma_us(written.g_us, &model.programming, range);
        let mut g_us = written.g_us;
        if sigma > 0.0 {
            g_us = (g_us + sigma * stream(Kind::Programming).normal(device, write, 0)).max(0.0);
        }
        let drawn = || faults::drawn(&model.faults, stream(Kind::Fault).uniform(device, 0, 0));
        let listed = model
            .fault_map
            .iter()
            .find(|f| (f.core, f.tile, f.row, f.column, f.side) == (self.core, self.tile, row, column, side));
        let stuck = listed.map(|f| f.state).or_else(drawn);
        match stuck {
            Some(Stuck::Low) => g_us = model.cell.g_min_us,
            Some(Stuck::High) => g_us = model.cell.g_max_us,
            None => {}
        }
        let relaxation = stream(Kind::Relaxation).normal(device, write, 0);
        let exponent = stream(Kind::Drift).normal(device, 0, 0);
        let aged = aged_us(g_us, model, relaxation, exponent);
        // A stuck cell takes every pulse in vain, unless it is stuck where it should be.
        let out_of_tolerance = stuck.is_some() && (g_us - target_us).abs() > model.write_verify.tolerance * range;
        let pulses = if out_of_tolerance { model.write_verify.max_pulses } else { written.pulses } as usize;
        let counts = &mut self.report.cells_by_pulses;
        counts.resize(counts.len().max(pulses + 1), 0);
        counts[pulses] += 1;
        if out_of_tolerance || !written.accepted {
            let got_us = if stuck.is_some() { g_us } else { written.g_us };
            self.report.failed.push(FailedCell { row, column, side, wanted_us: target_us, got_us });
        }
        aged
    }

    /// Both conductances that a column's current in a row is the difference of, in uS.
    pub fn pair_us(&self, row: usize, column: usize) -> [f64; 2] {
        let pair = self.g_us[column * self.rows + row];
        match self.model.cell.encoding {
            Encoding::Differential => pair,
            Encoding::OffsetColumn => [pair[0], self.g_us[self.columns * self.rows + row][0]],
        }
    }

    /// The effective level of a cell pair in 2^-8 levels: `round((G+ - G-) / level * 2^8)`.
    pub fn effective_level(&self, row: usize, column: usize) -> i32 {
        let [plus, minus] = self.pair_us(row, column);
        fixed((plus - minus) / level_us(self.level_max, &self.model))
    }

    /// Variance of a cell pair in one read, in units of [`Cells::variance_unit`]: the thermal part of both cells, and that in proportion to
    /// each conductance.
    pub fn read_variance(&self, row: usize, column: usize) -> i32 {
        round(self.pair_variance(self.pair_us(row, column)) / self.variance_unit())
    }

    /// What a variance of 1 is, in (2^-8 level)^2: a 1024th of that of the highest level, so that sums of cells stay integers of 32 bits.
    pub fn variance_unit(&self) -> f64 {
        self.pair_variance(target_us(self.level_max, self.level_max, &self.model)) / 1024.0
    }

    /// Variance of a pair of conductances in one read, in (2^-8 level)^2.
    fn pair_variance(&self, pair_us: [f64; 2]) -> f64 {
        let (read, level) = (&self.model.read, self.level_us());
        let thermal = read.sigma * self.model.range_us();
        let variance_us: f64 = pair_us.iter().map(|g| thermal * thermal + (read.relative_sigma * g).powi(2)).sum();
        variance_us / (level * level) * f64::from(1u32 << (2 * FRACTION_BITS))
    }

    /// What writing all cells took.
    pub fn report(&self) -> &ProgramReport {
        &self.report
    }

    /// The model.
    pub fn model(&self) -> &MacroModel {
        &self.model
    }

    /// The uS of a level.
    pub fn level_us(&self) -> f64 {
        level_us(self.level_max, &self.model)
    }
}

/// Rounded to 2^-8, ties away from zero; within +-32 levels, which no error exceeds by physics, so that lane sums fit 32 bits.
pub fn fixed(levels: f64) -> i32 {
    round(levels * f64::from(1 << FRACTION_BITS)).clamp(-(32 << FRACTION_BITS) + 1, (32 << FRACTION_BITS) - 1)
}

/// As [`fixed`], for the sum of many cells.
pub fn fixed_sum(levels: f64) -> i32 {
    round(levels * f64::from(1 << FRACTION_BITS))
}

/// The nearest integer, ties away from zero.
pub fn round(value: f64) -> i32 {
    (value + 0.5f64.copysign(value)) as i32
}
