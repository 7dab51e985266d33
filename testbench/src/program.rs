//! Writes the basis into a core's crossbars through its registers, and takes the cells that could not be written.

use basisn_arch::registers as reg;
use basisn_arch::{ChipConfig, Program, Verification};

use crate::axi_lite::Response;
use crate::{Core, Error};

/// A cell that the core could not write, as its registers say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FailedCell {
    /// Tile.
    pub tile: usize,
    /// Row.
    pub row: usize,
    /// Column.
    pub column: usize,
    /// Level wanted.
    pub level: i32,
    /// Code of the last verify read.
    pub code: i32,
}

impl FailedCell {
    /// As the model of the devices tells it.
    pub fn in_levels(&self, config: &ChipConfig) -> basisn_models::rram::program_report::FailedCell {
        let got = f64::from(self.code) * 0.5f64.powi(config.verify_digits());
        basisn_models::rram::program_report::FailedCell { row: self.row, column: self.column, level: self.level, got }
    }
}

/// What writing the basis took.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Programmed {
    /// Clock cycles from the first register write to the last cell's end.
    pub cycles: u64,
    /// Clock cycles of pulses and verify reads, by the core's counter.
    pub busy_cycles: u64,
    /// Pulses, by the core's counter.
    pub pulses: u64,
    /// Cells that could not be written.
    pub failed: Vec<FailedCell>,
}

impl Core {
    /// Writes the basis into the crossbars; without verification the macros write their cells by themselves.
    ///
    /// # Errors
    /// The simulation fails, the port hangs, or the counter of failed cells isn't the number of those that were reported.
    pub fn program(&mut self, program: &Program, verification: Option<&Verification>) -> Result<Programmed, Error> {
        let from = self.cycle();
        let mut written = Programmed::default();
        self.max_pulses = verification.map_or(1, |v| v.max_pulses.into());
        self.write(reg::PROGRAM_VERIFY, verification.map_or(0, Verification::register))?;
        for (tile, levels) in program.basis.iter().enumerate() {
            let select = if program.basis.len() == 1 { reg::PROGRAM_ALL_TILES } else { tile as u32 };
            self.write(reg::PROGRAM_TILE, select)?;
            self.write(reg::PROGRAM_CELL, 0)?;
            for &level in levels {
                self.write_cell(level, &mut written.failed)?;
            }
        }
        let mut polls = 0;
        while self.read(reg::STATUS)? & reg::STATUS_PROGRAMMING != 0 {
            self.take_failures(&mut written.failed)?;
            polls += 1;
            if polls > 1000 + self.max_pulses {
                return Err(self.broken("programming", "the last cell doesn't end".into()));
            }
        }
        written.cycles = self.cycle() - from;
        written.busy_cycles = self.read(reg::PROGRAM_CYCLES)?.into();
        written.pulses = self.read(reg::PROGRAM_PULSES)?.into();
        let failures = self.read(reg::PROGRAM_FAILURES)?;
        if failures as usize != written.failed.len() {
            let cause = format!("{failures} cells failed, and {} were reported", written.failed.len());
            return Err(self.broken("programming", cause));
        }
        Ok(written)
    }

    /// Writes the next cell. It is refused while a failed cell is to be taken.
    fn write_cell(&mut self, level: i8, failed: &mut Vec<FailedCell>) -> Result<(), Error> {
        loop {
            let answer = self.respond_to_write(reg::PROGRAM_LEVEL, i32::from(level).cast_unsigned(), 0xf)?;
            if answer == Response::Okay {
                return Ok(());
            }
            if self.take_failures(failed)? == 0 {
                return Err(self.broken("programming", format!("the level {level} is refused, and no cell failed")));
            }
        }
    }

    /// Takes the failed cells that are there.
    fn take_failures(&mut self, failed: &mut Vec<FailedCell>) -> Result<usize, Error> {
        let before = failed.len();
        loop {
            let what = self.read(reg::PROGRAM_FAILED)?;
            if what & reg::PROGRAM_FAILED_VALID == 0 {
                return Ok(failed.len() - before);
            }
            let place = self.read(reg::PROGRAM_FAILED_CELL)?;
            let signed = |lo: u32, bits: u32| (what << (32 - lo - bits)).cast_signed() >> (32 - bits);
            failed.push(FailedCell {
                tile: (what >> 20 & 0xff) as usize,
                row: (place & 0xffff) as usize,
                column: (place >> 16) as usize,
                level: signed(0, 8),
                code: signed(8, 12),
            });
            self.write(reg::PROGRAM_FAILED, reg::PROGRAM_FAILED_VALID)?;
        }
    }
}
