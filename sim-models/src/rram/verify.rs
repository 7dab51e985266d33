//! Program-and-verify through the ADCs: what the program controller of the RTL does, with the same pulses and reads.

use basisn_arch::{ChipConfig, Geometry, Program, Verification};
use serde::{Deserialize, Serialize};

use super::crossbar::{Device, DeviceMacro};
use super::program_report::FailedCell;
use crate::arithmetic::adc_range;

/// Writes all cells of a crossbar from row-major levels.
pub(super) fn program_all(crossbar: &mut DeviceMacro, levels: &[i8], verification: &Verification) {
    let columns = crossbar.geometry().columns;
    for (cell, &level) in levels.iter().enumerate() {
        program(crossbar, cell / columns, cell % columns, level.into(), verification);
    }
}

/// Writes one cell: a verify read, then pulses and verify reads in turn until the code is near the level's or the pulses end.
fn program(crossbar: &mut DeviceMacro, row: usize, column: usize, level: i32, verification: &Verification) {
    let geometry = *crossbar.geometry();
    let (low, high) = adc_range(geometry.adc_bits);
    let mut pulses = 0;
    loop {
        let code = crossbar.verify(row, column).clamp(low, high);
        let Some(op) = geometry.correction(level, code, verification.tolerance_codes) else { break };
        if pulses >= verification.max_pulses {
            let got = f64::from(code) * 0.5f64.powi(geometry.verify_digits());
            crossbar.cells_mut().fail(row, column, level, got);
            break;
        }
        crossbar.pulse(row, column, level, op);
        pulses += 1;
    }
    crossbar.cells_mut().count(pulses.into());
}

/// A cell of a chip that could not be written.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct FailedChipCell {
    /// Core.
    pub core: usize,
    /// Tile.
    pub tile: usize,
    /// The cell.
    #[serde(flatten)]
    pub cell: FailedCell,
}

/// What writing the basis of a program into a chip takes.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Writing {
    /// Cells by number of pulses; see [`super::program_report::ProgramReport`].
    pub cells_by_pulses: Vec<u64>,
    /// Cells that could not be written.
    pub failed_cells: Vec<FailedChipCell>,
    /// Clock cycles of pulses and verify reads, of the slowest core, if the cores' program controllers write; crossbars of a core that hold the
    /// same basis are written together.
    pub cycles: Option<u64>,
    /// What is there, in 2^-8 level, `[core][tile][row * columns + column]`.
    #[serde(skip)]
    pub levels: Vec<Vec<Vec<i32>>>,
}

impl Writing {
    /// Writes the basis of a program into the devices of a chip.
    pub fn new(config: &ChipConfig, program: &Program, device: &Device) -> Self {
        let geometry = Geometry::from(config);
        let mut writing = Writing::default();
        for core in 0..config.cores() {
            let crossbars: Vec<_> = (0..config.tiles())
                .map(|tile| {
                    let mut crossbar = DeviceMacro::new(geometry, device, core, tile);
                    crossbar.program_all(program.basis_of(tile));
                    crossbar
                })
                .collect();
            for (tile, crossbar) in crossbars.iter().enumerate() {
                let report = crossbar.cells().report();
                let counts = &mut writing.cells_by_pulses;
                counts.resize(counts.len().max(report.cells_by_pulses.len()), 0);
                counts.iter_mut().zip(&report.cells_by_pulses).for_each(|(sum, cells)| *sum += cells);
                writing.failed_cells.extend(report.failed.iter().map(|&cell| FailedChipCell { core, tile, cell }));
            }
            if device.model.write_verify.through_adc {
                let cycles = cycles(config, &crossbars, program.basis.len() == 1);
                writing.cycles = Some(writing.cycles.map_or(cycles, |slowest| slowest.max(cycles)));
            }
            let by_row = |crossbar: &DeviceMacro| {
                let cells = (0..geometry.rows * geometry.columns)
                    .map(|cell| (cell / geometry.columns, cell % geometry.columns));
                cells.map(|(row, column)| crossbar.effective_levels()[column * geometry.rows + row]).collect()
            };
            writing.levels.push(crossbars.iter().map(by_row).collect());
        }
        writing
    }

    /// All pulses.
    pub fn pulses(&self) -> u64 {
        self.cells_by_pulses.iter().zip(0..).map(|(cells, pulses)| cells * pulses).sum()
    }

    /// Cells written.
    pub fn cells(&self) -> u64 {
        self.cells_by_pulses.iter().sum()
    }
}

/// Cycles of the program controller for the crossbars of a core: of the most pulses among those that are written together.
fn cycles(config: &ChipConfig, crossbars: &[DeviceMacro], together: bool) -> u64 {
    let cells = (0..config.rows()).flat_map(|row| (0..config.columns()).map(move |column| (row, column)));
    let of = |(row, column)| {
        let pulses = crossbars.iter().map(|crossbar| u64::from(crossbar.cells().pulses(row, column)));
        match together {
            true => config.program_verify_cycles(pulses.max().unwrap_or(0)),
            false => pulses.map(|pulses| config.program_verify_cycles(pulses)).sum(),
        }
    };
    cells.map(of).sum()
}
