//! A chip that was written: what `basisn program` reports, and `basisn inspect` and `basisn fit` read.

use std::path::Path;

use basisn_arch::{ChipConfig, Program};
use basisn_models::rram::verify::{FailedChipCell, Writing};
use serde::{Deserialize, Serialize};

use crate::Error;
use crate::output::say;

/// What writing the basis of a program into the devices of a chip took, and which cells failed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct WrittenChip {
    /// Name of the program.
    #[serde(default)]
    pub program: String,
    /// Model of the devices, as it was named.
    #[serde(default, rename = "macro")]
    pub model: String,
    /// Seed of the devices.
    #[serde(default)]
    pub seed: u64,
    /// Cells by number of pulses.
    #[serde(default)]
    pub cells_by_pulses: Vec<u64>,
    /// All pulses.
    #[serde(default)]
    pub pulses: u64,
    /// Clock cycles of pulses and verify reads, of the slowest core.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cycles: Option<u64>,
    /// The same with the register writes; RTL only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cycles_with_register_writes: Option<u64>,
    /// Cells that could not be written.
    pub failed_cells: Vec<FailedChipCell>,
}

impl WrittenChip {
    /// As the model of the devices says.
    pub fn of_model(program: &Program, name: &str, seed: u64, writing: Writing) -> Self {
        WrittenChip {
            program: program.name.clone(),
            model: name.into(),
            seed,
            pulses: writing.pulses(),
            cells_by_pulses: writing.cells_by_pulses,
            cycles: writing.cycles,
            cycles_with_register_writes: None,
            failed_cells: writing.failed_cells,
        }
    }

    /// Reads a report of `basisn program --out`.
    pub fn load(path: &Path) -> Result<Self, Error> {
        let wrong = |cause: String| Error::Input {
            at: path.display().to_string(),
            cause,
            fix: "give a report that basisn program --out has written".into(),
        };
        let text = std::fs::read_to_string(path).map_err(|e| wrong(e.to_string()))?;
        serde_json::from_str(&text).map_err(|e| wrong(e.to_string()))
    }

    /// Refuses cells that the chip does not have, or that hold another level in this program.
    pub fn check(&self, path: &Path, config: &ChipConfig, program: &Program) -> Result<(), Error> {
        let differs = |failed: &&FailedChipCell| {
            let (tile, cell) = (failed.tile, &failed.cell);
            let is_there = failed.core < config.cores() && tile < config.tiles() && cell.row < config.rows();
            let level = || program.basis_of(tile).get(cell.row * config.columns() + cell.column).copied();
            !is_there || cell.column >= config.columns() || level().map(i32::from) != Some(cell.level)
        };
        match self.failed_cells.iter().find(differs) {
            None => Ok(()),
            Some(failed) => Err(Error::Input {
                at: path.display().to_string(),
                cause: format!("{} is no cell of this program", place(failed)),
                fix: "give the report of the chip that this program was written into".into(),
            }),
        }
    }

    /// Prints the histogram and the failed cells.
    pub fn print(&self) {
        let cells: u64 = self.cells_by_pulses.iter().sum();
        let mean = self.pulses as f64 / cells.max(1) as f64;
        say!(
            "writing: {cells} cells, {} pulses, {mean:.2} a cell, {} cells failed",
            self.pulses,
            self.failed_cells.len()
        );
        let most = self.cells_by_pulses.iter().copied().max().unwrap_or(0).max(1);
        for (pulses, &cells) in self.cells_by_pulses.iter().enumerate().filter(|(_, cells)| **cells > 0) {
            say!("{pulses:>4} pulses {cells:>8} {}", "#".repeat((50 * cells).div_ceil(most) as usize));
        }
        for failed in self.failed_cells.iter().take(20) {
            say!("failed: {}, {:.3} got", place(failed), failed.cell.got);
        }
        if self.failed_cells.len() > 20 {
            say!("and {} more; --json has them all", self.failed_cells.len() - 20);
        }
    }
}

fn place(failed: &FailedChipCell) -> String {
    let (FailedChipCell { core, tile, .. }, c) = (failed, &failed.cell);
    format!("core {core} tile {tile} row {} column {}: level {} wanted", c.row, c.column, c.level)
}
