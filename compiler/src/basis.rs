//! The fixed basis: a sign-scrambled Hadamard matrix, the same for every crossbar and every network.
//!
//! `V[i][c] = d[i] * (-1)^popcount(i & c)` with rows in a fixed random order. The signs d are a bent function, so that
//! every column's sum is as small as it can be: inputs are not negative, and a column with a large sum would saturate the ADC.
//! Sizes that are no power of two are cut from the next larger matrix; the columns are then no longer orthogonal.

use basisn_arch::{ChipConfig, clog2};

use crate::random::Random;

/// Part of the format: another seed is another chip.
const SEED: u64 = 0x0062_6173_6973_6e01;

/// Cell levels of a crossbar.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Basis {
    /// Rows R.
    pub rows: usize,
    /// Columns C.
    pub columns: usize,
    /// Levels, row-major: `levels[row * columns + column]`.
    pub levels: Vec<i8>,
}

impl Basis {
    /// The basis of a chip. Cells of more than one bit hold their largest levels: the full signal.
    pub fn hadamard(config: &ChipConfig) -> Self {
        let (rows, columns, level) = (config.rows(), config.columns(), config.level_max());
        let bits = clog2(rows.max(columns));
        let mut random = Random::new(SEED);
        let mut pick = |count: usize| {
            let mut order: Vec<usize> = (0..1 << bits).collect();
            random.shuffle(&mut order);
            order.truncate(count);
            order
        };
        let (row_codes, column_codes) = (pick(rows), pick(columns));
        let parity = |n: usize| n.count_ones() & 1;
        let levels = row_codes
            .iter()
            .flat_map(|&row| {
                let sign = bent(row);
                column_codes.iter().map(move |&column| if sign ^ parity(row & column) == 1 { -level } else { level })
            })
            .collect();
        Basis { rows, columns, levels }
    }

    /// Levels of one row.
    pub fn row(&self, row: usize) -> &[i8] {
        &self.levels[row * self.columns..(row + 1) * self.columns]
    }

    /// The columns cut to the first `length` rows: `[column][row]`.
    pub(crate) fn vectors(&self, length: usize) -> Vec<Vec<f64>> {
        (0..self.columns)
            .map(|column| (0..length).map(|row| f64::from(self.levels[row * self.columns + column])).collect())
            .collect()
    }
}

/// x0 x1 + x2 x3 + ...: bent for an even number of bits, as near as can be for an odd one.
fn bent(n: usize) -> u32 {
    (n & (n >> 1) & 0x5555_5555).count_ones() & 1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn basis(rows: usize, columns: usize, cell_bits: usize) -> Basis {
        let chip = ChipConfig::load("digits").unwrap();
        let chip = chip.with("crossbar.rows", rows).unwrap().with("crossbar.columns", columns).unwrap();
        Basis::hadamard(&chip.with("crossbar.cell_bits", cell_bits).unwrap())
    }

    fn product(a: &[f64], b: &[f64]) -> f64 {
        a.iter().zip(b).map(|(a, b)| a * b).sum()
    }

    #[test]
    fn columns_of_a_square_power_of_two_are_orthogonal_and_nearly_balanced() {
        for (size, sum_max) in [(16, 4.0), (64, 8.0), (128, 16.0)] {
            let vectors = basis(size, size, 1).vectors(size);
            for (i, a) in vectors.iter().enumerate() {
                assert!(a.iter().all(|v| v.abs() == 1.0) && a.iter().sum::<f64>().abs() <= sum_max);
                for (j, b) in vectors.iter().enumerate() {
                    assert_eq!(product(a, b), if i == j { size as f64 } else { 0.0 });
                }
            }
        }
    }

    #[test]
    fn any_size_and_any_cell_works_and_columns_differ() {
        for (rows, columns, cell_bits, level) in [(24, 40, 1, 1), (100, 70, 3, 3), (8, 8, 2, 1), (256, 512, 5, 15)] {
            let basis = basis(rows, columns, cell_bits);
            assert_eq!(basis.levels.len(), rows * columns);
            assert!(basis.levels.iter().all(|l| l.abs() == level));
            let mut vectors: Vec<Vec<i8>> =
                (0..columns).map(|c| (0..rows).map(|r| basis.row(r)[c]).collect()).collect();
            vectors.sort();
            vectors.dedup();
            // 8 rows cut from a 512-column matrix cannot all differ; square and tall ones do.
            assert!(vectors.len() == columns || rows < columns, "{rows} x {columns}");
        }
    }
}
