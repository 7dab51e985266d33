//! The cells of one tile.
//!
//! In the order of physics: target, write-verify, programming error, stuck cells, relaxation, drift, temperature. Each step is a
//! function of (conductance, model, draw).

use basisn_arch::{Geometry, ProgramOp};

use super::conductance::{Written, aged_us, level_us, programming_sigma_us, target_us, write_verify};
use super::config::{Encoding, MacroModel};
use super::faults::{self, Stuck};
use super::noise::{Kind, Stream};
use super::program_report::{FailedCell, ProgramReport};

/// Fractional bits of an effective level: 1 is 2^-8 of a level.
pub const FRACTION_BITS: u32 = 8;

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
    /// Conductances in uS at the time of reading, `[column * rows + row][side]`; with an offset column that column is number C, and side 1
    /// is not used.
    g_us: Vec<[f64; 2]>,
    /// The same as they were written, before programming error and ageing.
    written_us: Vec<[f64; 2]>,
    /// Level and number of writes of every cell.
    levels: Vec<(i8, u32)>,
    /// Pulses and verify reads of every cell by the core.
    verified: Vec<(u32, u32)>,
    report: ProgramReport,
}

impl Cells {
    /// Unwritten cells: level 0 without error.
    pub fn new(geometry: &Geometry, model: &MacroModel, seed: u64, core: usize, tile: usize) -> Self {
        let level_max = geometry.level_max();
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
            written_us: vec![fresh; rows * columns],
            levels: vec![(0, 0); rows * columns],
            verified: vec![(0, 0); rows * columns],
            report: ProgramReport::default(),
        };
        if model.cell.encoding == Encoding::OffsetColumn {
            for row in 0..rows {
                cells.g_us.push([0.0; 2]);
                cells.written_us.push([0.0; 2]);
                if !cells.write(row, columns, 0, fresh[1], 0) {
                    let got = (cells.written_us[columns * rows + row][0] - fresh[1]) / cells.level_us();
                    cells.report.failed.push(FailedCell { row, column: columns, level: 0, got });
                }
            }
        }
        if model.write_verify.through_adc {
            // The core doesn't write the offset column.
            cells.report = ProgramReport::default();
        }
        // Unwritten, and stuck where it is stuck.
        for cell in 0..rows * columns {
            for side in 0..2 {
                if let Some(stuck_us) = cells.stuck_us(cell % rows, cell / rows, side) {
                    cells.written_us[cell][side] = stuck_us;
                }
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
        let sides = if self.model.cell.encoding == Encoding::Differential { 2 } else { 1 };
        let failed = (0..sides).filter(|&side| !self.write(row, column, side, target[side], write)).count();
        if failed > 0 {
            self.fail(row, column, level, self.written_level(row, column));
        }
    }

    /// One cell of a pair by write-verify of the macro itself; whether it was accepted.
    fn write(&mut self, row: usize, column: usize, side: usize, target_us: f64, write: u32) -> bool {
        let (model, cell) = (&self.model, column * self.rows + row);
        let stream = Stream::new(self.seed, Kind::Pulse, self.core, self.tile);
        let device = (cell * 2 + side) as u32;
        let mut written = write_verify(target_us, model, |pulse| stream.normal(device, write, pulse));
        if let Some(stuck_us) = self.stuck_us(row, column, side) {
            // It takes every pulse in vain, unless it is stuck where it should be.
            let accepted = (stuck_us - target_us).abs() <= model.write_verify.tolerance * model.range_us();
            let pulses = if accepted { written.pulses } else { model.write_verify.max_pulses };
            written = Written { g_us: stuck_us, pulses, accepted };
        }
        self.written_us[cell][side] = written.g_us;
        self.g_us[cell][side] = self.read_us(row, column, side, write);
        self.report.count(written.pulses as usize);
        written.accepted
    }

    /// Where a cell is stuck, in uS.
    fn stuck_us(&self, row: usize, column: usize, side: usize) -> Option<f64> {
        let model = &self.model;
        if model.faults.stuck_low + model.faults.stuck_high == 0.0 && model.fault_map.is_empty() {
            return None;
        }
        let device = ((column * self.rows + row) * 2 + side) as u32;
        let uniform = || Stream::new(self.seed, Kind::Fault, self.core, self.tile).uniform(device, 0, 0);
        let listed = model
            .fault_map
            .iter()
            .find(|f| (f.core, f.tile, f.row, f.column, f.side) == (self.core, self.tile, row, column, side));
        let stuck = listed.map(|f| f.state).or_else(|| faults::drawn(&model.faults, uniform()))?;
        Some(match stuck {
            Stuck::Low => model.cell.g_min_us,
            Stuck::High => model.cell.g_max_us,
        })
    }

    /// The conductance of a cell at the time of reading, in uS: as it was written by its `write`-th write, with programming error and age.
    fn read_us(&self, row: usize, column: usize, side: usize, write: u32) -> f64 {
        let (model, cell) = (&self.model, column * self.rows + row);
        let device = (cell * 2 + side) as u32;
        let normal = |kind, write| Stream::new(self.seed, kind, self.core, self.tile).normal(device, write, 0);
        let mut g_us = self.written_us[cell][side];
        if self.stuck_us(row, column, side).is_none() {
            let sigma = programming_sigma_us(g_us, &model.programming, model.range_us());
            if sigma > 0.0 {
                g_us = (g_us + sigma * normal(Kind::Programming, write)).max(0.0);
            }
        }
        aged_us(g_us, model, normal(Kind::Relaxation, write), normal(Kind::Drift, 0))
    }

    /// A pulse of the core on the way to `level`. Up and down change the cell of the pair that holds levels of this sign, by a step with spread;
    /// an erase takes both cells of a pair to g_min, or a cell with an offset column a step toward mid-range. Without a step, the level is
    /// there at once.
    pub fn pulse(&mut self, row: usize, column: usize, level: i32, op: ProgramOp) {
        if row >= self.rows || column >= self.columns {
            return;
        }
        let cell = column * self.rows + row;
        let (pulse, _) = self.verified[cell];
        self.verified[cell].0 += 1;
        let differential = self.model.cell.encoding == Encoding::Differential;
        let side = usize::from(differential && level < 0);
        let at_once = target_us(level.clamp(-self.level_max, self.level_max), self.level_max, &self.model);
        let step = self.model.write_verify.step * self.model.range_us();
        let device = (cell * 2 + side) as u32;
        // Apart from those of the macro's own loop.
        let normal = Stream::new(self.seed, Kind::Pulse, self.core, self.tile).normal(device, u32::MAX, pulse);
        let change = step * (1.0 + self.model.write_verify.spread * normal);
        let now = self.written_us[cell];
        let moved = |toward: f64| (now[side] + change * toward).max(0.0);
        let mut next = now;
        match op {
            ProgramOp::Erase if differential => next = [self.model.cell.g_min_us; 2],
            ProgramOp::Erase => next[0] = moved((target_us(0, self.level_max, &self.model)[0] - now[0]).signum()),
            _ if step == 0.0 => next = at_once,
            ProgramOp::Up => next[side] = moved(if side == 0 { 1.0 } else { -1.0 }),
            ProgramOp::Down => next[side] = moved(if side == 0 { -1.0 } else { 1.0 }),
            ProgramOp::Write | ProgramOp::Verify => {}
        }
        for (side, pulsed) in next.into_iter().enumerate().take(1 + usize::from(differential)) {
            self.written_us[cell][side] = self.stuck_us(row, column, side).unwrap_or(pulsed);
            self.g_us[cell][side] = self.read_us(row, column, side, 0);
        }
    }

    /// Pulses of the core on a cell.
    pub fn pulses(&self, row: usize, column: usize) -> u32 {
        self.verified[column * self.rows + row].0
    }

    /// Counts a verify read of a cell, and gives its number.
    pub fn count_verify(&mut self, row: usize, column: usize) -> u32 {
        let (_, reads) = &mut self.verified[column * self.rows + row];
        *reads += 1;
        *reads - 1
    }

    /// Notes a cell that could not be written.
    pub fn fail(&mut self, row: usize, column: usize, level: i32, got: f64) {
        self.report.failed.push(FailedCell { row, column, level, got });
    }

    /// Notes the pulses of a cell that is written.
    pub fn count(&mut self, pulses: usize) {
        self.report.count(pulses);
    }

    /// The conductances of a pair as they were written, in uS.
    pub fn written_pair_us(&self, row: usize, column: usize) -> [f64; 2] {
        self.pair(&self.written_us, row, column)
    }

    /// A cell as it was written, in levels.
    pub fn written_level(&self, row: usize, column: usize) -> f64 {
        let [plus, minus] = self.written_pair_us(row, column);
        (plus - minus) / self.level_us()
    }

    /// Both conductances that a column's current in a row is the difference of, in uS.
    pub fn pair_us(&self, row: usize, column: usize) -> [f64; 2] {
        self.pair(&self.g_us, row, column)
    }

    fn pair(&self, of: &[[f64; 2]], row: usize, column: usize) -> [f64; 2] {
        let pair = of[column * self.rows + row];
        match self.model.cell.encoding {
            Encoding::Differential => pair,
            Encoding::OffsetColumn => [pair[0], of[self.columns * self.rows + row][0]],
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
    pub(super) fn pair_variance(&self, pair_us: [f64; 2]) -> f64 {
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
