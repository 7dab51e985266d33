//! Crossbars with cells that could not be written: coefficients are fitted to what is there.

use basisn_arch::ChipConfig;
use basisn_models::rram::verify::FailedChipCell;

use crate::Error;
use crate::basis::Basis;

/// Cells of a chip that hold something else than their levels.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// Core, tile, row, column, and what is there in 2^-8 level.
    cells: Vec<([usize; 4], i32)>,
}

impl Written {
    /// From the list of failed cells that programming gives.
    pub fn new(failed: &[FailedChipCell]) -> Self {
        let cell =
            |f: &FailedChipCell| ([f.core, f.tile, f.cell.row, f.cell.column], (256.0 * f.cell.got).round() as i32);
        Written { cells: failed.iter().map(cell).collect() }
    }

    /// For every tile of a core: the basis that its cells should hold, and what they hold, in parts of a level; last, how many parts a level has.
    /// Cores have the same coefficients, so a tile counts as the mean of all cores.
    ///
    /// # Errors
    /// A cell that the chip does not have.
    pub(crate) fn of_tiles(
        &self,
        bases: &[Basis],
        config: &ChipConfig,
    ) -> Result<(Vec<Basis>, Vec<Basis>, f64), Error> {
        let wanted: Vec<Basis> = (0..config.tiles()).map(|tile| bases[tile % bases.len()].clone()).collect();
        let parts = 1 << (6 - config.level_max().ilog2());
        let parts_of = |levels: f64| (levels * f64::from(parts)).round().clamp(-127.0, 127.0);
        let cores = config.cores() as f64;
        let mut held: Vec<Vec<f64>> =
            wanted.iter().map(|basis| basis.levels.iter().map(|&level| level.into()).collect()).collect();
        for &([core, tile, row, column], got) in &self.cells {
            if core >= config.cores() || tile >= config.tiles() || row >= config.rows() || column >= config.columns() {
                return Err(Error::fit(
                    "the cells that were written",
                    format!("core {core} tile {tile} row {row} column {column} is not on this chip"),
                    "give the list of this chip, from basisn program",
                ));
            }
            let cell = row * config.columns() + column;
            held[tile][cell] += (f64::from(got) / 256.0 - f64::from(wanted[tile].levels[cell])) / cores;
        }
        let basis = |levels: Vec<f64>| Basis {
            rows: config.rows(),
            columns: config.columns(),
            levels: levels.into_iter().map(|level| parts_of(level) as i8).collect(),
        };
        Ok((wanted, held.into_iter().map(basis).collect(), parts.into()))
    }
}

#[cfg(test)]
mod tests {
    use basisn_models::rram::program_report::FailedCell;

    use super::*;

    #[test]
    fn failed_cells_are_in_their_tiles_and_all_others_as_wanted() {
        let config = ChipConfig::load("tiny").unwrap().with("core.tiles", 2).unwrap().with("chip.cores", 2).unwrap();
        let basis = Basis::hadamard(&config);
        let failed = |core, tile, row, column, got| FailedChipCell {
            core,
            tile,
            cell: FailedCell { row, column, level: basis.levels[row * 16 + column].into(), got },
        };
        let written = Written::new(&[failed(0, 1, 3, 5, 0.0), failed(1, 1, 3, 5, 0.0), failed(0, 0, 2, 2, 0.0)]);
        let (wanted, held, parts) = written.of_tiles(std::slice::from_ref(&basis), &config).unwrap();
        assert_eq!((wanted.len(), held.len(), parts), (2, 2, 64.0));
        assert_eq!(wanted[1], basis);
        for (tile, held) in held.iter().enumerate() {
            for (cell, &found) in held.levels.iter().enumerate() {
                let level = 64 * i32::from(basis.levels[cell]);
                // Stuck in both cores, and in one of two.
                let expected = match (tile, cell) {
                    (1, 53) => 0,
                    (0, 34) => level / 2,
                    _ => level,
                };
                assert_eq!(i32::from(found), expected, "tile {tile}, cell {cell}");
            }
        }
        let error =
            Written::new(&[failed(0, 2, 0, 0, 0.0)]).of_tiles(std::slice::from_ref(&basis), &config).unwrap_err();
        assert!(error.to_string().contains("core 0 tile 2 row 0 column 0 is not on this chip"), "{error}");
    }
}
