//! What the cells hold: a Hadamard matrix with scrambled signs, random levels, or levels learned from the weights.
//!
//! The Hadamard basis is the default: it is the same for every crossbar and every network, so that a chip is written once in its life.

mod hadamard;

use basisn_arch::ChipConfig;
use serde::{Deserialize, Serialize};

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

/// Where levels come from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BasisKind {
    /// Rows and columns of a Hadamard matrix with scrambled signs; the same for every network.
    #[default]
    Hadamard,
    /// Every level drawn on its own; the same for every network.
    Random,
    /// Learned from the weights of all layers together.
    Learned,
}

/// Which basis the crossbars hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BasisOptions {
    /// Where levels come from.
    pub kind: BasisKind,
    /// Different bases B: 1 if all crossbars hold the same one, else tile t holds basis `t mod B`.
    pub count: usize,
    /// Of several bases, and of random and learned ones.
    pub seed: u64,
}

impl Default for BasisOptions {
    fn default() -> Self {
        BasisOptions { kind: BasisKind::Hadamard, count: 1, seed: 0 }
    }
}

impl BasisOptions {
    /// The bases that do not depend on weights; for learned ones, those that learning starts from.
    pub fn fixed(&self, config: &ChipConfig) -> Vec<Basis> {
        let of = |number: usize| {
            // Basis 0 of seed 0 is the chip's own one.
            let mut random = Random::new(SEED ^ self.seed ^ ((number as u64) << 32));
            match self.kind {
                BasisKind::Hadamard | BasisKind::Learned => Basis::scrambled(config, &mut random),
                BasisKind::Random => Basis::random(config, &mut random),
            }
        };
        (0..self.count).map(of).collect()
    }
}

impl Basis {
    /// The basis of a chip. Cells of more than one bit hold their largest levels: the full signal.
    pub fn hadamard(config: &ChipConfig) -> Self {
        Self::scrambled(config, &mut Random::new(SEED))
    }

    fn scrambled(config: &ChipConfig, random: &mut Random) -> Self {
        let (rows, columns, level) = (config.rows(), config.columns(), config.level_max());
        let negative = hadamard::negative(rows, columns, random);
        Basis { rows, columns, levels: negative.into_iter().map(|n| if n { -level } else { level }).collect() }
    }

    /// Every level of the cells with the same probability.
    fn random(config: &ChipConfig, random: &mut Random) -> Self {
        let (rows, columns, level) = (config.rows(), config.columns(), config.level_max());
        let draw = |random: &mut Random| match config.cell_bits() {
            1 => 2 * random.below(2) as i8 - 1,
            _ => random.below(2 * level as usize + 1) as i8 - level,
        };
        Basis { rows, columns, levels: (0..rows * columns).map(|_| draw(random)).collect() }
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
    fn sizes_that_are_no_power_of_two_are_orthogonal_or_nearly_so_and_balanced() {
        for (size, product_max) in
            [(12, 0.0), (20, 0.0), (48, 0.0), (60, 0.0), (108, 0.0), (100, 4.0), (30, 2.0), (33, 3.0)]
        {
            let vectors = basis(size, size, 1).vectors(size);
            let sum_max = 3.0 * (size as f64).sqrt();
            for (i, a) in vectors.iter().enumerate() {
                assert!(a.iter().sum::<f64>().abs() <= sum_max, "{size}");
                assert!(vectors[..i].iter().all(|b| product(a, b).abs() <= product_max), "{size}");
            }
        }
    }

    #[test]
    fn seeds_and_numbers_give_other_bases_and_the_first_is_the_chips() {
        let chip = ChipConfig::load("digits").unwrap();
        let fixed = |kind, count, seed| BasisOptions { kind, count, seed }.fixed(&chip);
        assert_eq!(fixed(BasisKind::Hadamard, 1, 0), [Basis::hadamard(&chip)]);
        for kind in [BasisKind::Hadamard, BasisKind::Random] {
            let three = fixed(kind, 3, 7);
            assert!(three[0] != three[1] && three[1] != three[2] && three[0] != fixed(kind, 1, 8)[0]);
            assert_eq!(three[..2], fixed(kind, 2, 7));
        }
        for cell_bits in 1..=5 {
            let chip = chip.with("crossbar.cell_bits", cell_bits).unwrap();
            let random = &BasisOptions { kind: BasisKind::Random, count: 1, seed: 0 }.fixed(&chip)[0];
            let max = chip.level_max();
            let mut found: Vec<i8> = random.levels.clone();
            found.sort_unstable();
            found.dedup();
            assert_eq!(found, (-max..=max).filter(|l| cell_bits > 1 || *l != 0).collect::<Vec<_>>());
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
