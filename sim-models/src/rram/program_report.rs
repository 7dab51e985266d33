//! What programming a tile took, and what it could not write.

use serde::{Deserialize, Serialize};

/// A cell that could not be written.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct FailedCell {
    /// Row.
    pub row: usize,
    /// Column; C for the offset column.
    pub column: usize,
    /// Level wanted.
    pub level: i32,
    /// What is there, in levels.
    pub got: f64,
}

/// What programming a tile took.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ProgramReport {
    /// Cells by number of pulses: of each cell of a pair, or of the pair where the core verifies through its ADCs.
    pub cells_by_pulses: Vec<u64>,
    /// Cells that were given up.
    pub failed: Vec<FailedCell>,
}

impl ProgramReport {
    /// Counts a cell.
    pub fn count(&mut self, pulses: usize) {
        self.cells_by_pulses.resize(self.cells_by_pulses.len().max(pulses + 1), 0);
        self.cells_by_pulses[pulses] += 1;
    }

    /// All pulses.
    pub fn pulses(&self) -> u64 {
        self.cells_by_pulses.iter().zip(0..).map(|(cells, pulses)| cells * pulses).sum()
    }
}
