//! The gain of the ADC: what it divides by, against what it clips.

use basisn_arch::Subvectors;
use rayon::prelude::*;

use super::Patches;
use crate::basis::Basis;
use crate::fitted::{Code, PlaneItem};

/// Patches that the gain is measured on, spread evenly over images and positions: fewer for large layers.
const GAIN_PATCHES: std::ops::RangeInclusive<usize> = 64..=1024;
/// Column currents to add up for all patches together.
const GAIN_WORK: usize = 1 << 29;
/// Gains that the ADC has: 0..7.
const GAINS: usize = 8;

/// A layer whose gain is to be chosen.
pub(crate) struct GainProblem<'a> {
    pub cut: Subvectors,
    /// Kernel k has basis `k mod bases`.
    pub bases: &'a [Basis],
    pub items: &'a [Vec<PlaneItem>],
    pub scale: &'a [f64],
    pub input: Code,
    pub adc_bits: usize,
}

/// A gain, and what it costs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Gain {
    pub gain: u32,
    pub clipped_share: f64,
}

/// Error of the psums and number of clipped codes, for every gain.
#[derive(Clone, Copy, Default)]
struct Cost {
    error: [f64; GAINS],
    clipped: [u64; GAINS],
    codes: u64,
}

/// What one item adds up: the sum of its columns, row by row. A lane sum is then one product of bits and rows.
struct ItemRows {
    kernel: usize,
    plane: usize,
    rows: Vec<i16>,
}

impl GainProblem<'_> {
    /// The gain with the smallest mean squared error of the scaled psums; the smallest of equals.
    pub(crate) fn choose(&self, patches: &Patches) -> Gain {
        let columns: usize = self.items.iter().flatten().map(|item| item.columns.len()).sum();
        let affordable = GAIN_WORK / (columns * self.input.bits).max(1);
        let patches = patches.some(affordable.clamp(*GAIN_PATCHES.start(), *GAIN_PATCHES.end()), self.cut);
        let items: Vec<Vec<ItemRows>> =
            self.items.par_iter().map(|items| items.iter().map(|item| self.rows(item)).collect()).collect();
        let costs: Vec<Cost> = patches.par_iter().map(|patch| self.patch_cost(patch, &items)).collect();
        let mut sum = Cost::default();
        for cost in &costs {
            (0..GAINS).for_each(|g| {
                sum.error[g] += cost.error[g];
                sum.clipped[g] += cost.clipped[g];
            });
            sum.codes += cost.codes;
        }
        let gain = (0..GAINS).min_by(|a, b| sum.error[*a].total_cmp(&sum.error[*b])).unwrap_or(0);
        Gain { gain: gain as u32, clipped_share: sum.clipped[gain] as f64 / sum.codes.max(1) as f64 }
    }

    /// At most 512 columns of levels up to 15: 16 bits hold every sum.
    fn rows(&self, item: &PlaneItem) -> ItemRows {
        let basis = &self.bases[item.kernel % self.bases.len()];
        let mut rows = vec![0; self.cut.length];
        for (row, sum) in rows.iter_mut().enumerate() {
            let levels = basis.row(row);
            *sum = item.columns.iter().map(|&(c, n)| i16::from(levels[c]) * if n { -1 } else { 1 }).sum();
        }
        ItemRows { kernel: item.kernel, plane: item.plane, rows }
    }

    fn patch_cost(&self, patch: &[i32], items: &[Vec<ItemRows>]) -> Cost {
        let limit = 1i32 << (self.adc_bits - 1);
        let mut cost = Cost::default();
        let mut errors = vec![[0i64; GAINS]; self.scale.len()];
        for (x, items) in patch.chunks_exact(self.cut.length).zip(items) {
            for plane in 0..self.input.bits {
                let sign = if self.input.signed && plane + 1 == self.input.bits { -1 } else { 1 };
                let bits: Vec<i16> = x.iter().map(|x| (x >> plane & 1) as i16).collect();
                for item in items {
                    let z: i32 = item.rows.iter().zip(&bits).map(|(&w, &x)| i32::from(w) * i32::from(x)).sum();
                    let errors = &mut errors[item.kernel];
                    for (g, (error, clipped)) in errors.iter_mut().zip(&mut cost.clipped).enumerate() {
                        let rounded = (z + ((1 << g) >> 1)) >> g;
                        let code = rounded.clamp(-limit, limit - 1);
                        *clipped += u64::from(code != rounded);
                        *error += i64::from(sign * ((code << g) - z)) << (plane + item.plane);
                    }
                    cost.codes += 1;
                }
            }
        }
        for (errors, scale) in errors.iter().zip(self.scale) {
            for (sum, error) in cost.error.iter_mut().zip(errors) {
                let error = *error as f64 * scale;
                *sum += error * error;
            }
        }
        cost
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use basisn_arch::ChipConfig;

    fn gain(adc_bits: usize, columns: usize) -> Gain {
        let chip = ChipConfig::load("tiny").unwrap();
        let mut basis = Basis::hadamard(&chip);
        basis.levels.fill(1);
        let columns = (0..columns).map(|c| (c, false)).collect();
        let items = [vec![PlaneItem { kernel: 0, plane: 0, columns }]];
        let input = Code { scale: 1.0, bits: 8, signed: false };
        let values = [[255; 16], [254; 16]].as_flattened().to_vec();
        let cut = Subvectors::new(16, 16);
        GainProblem { cut, bases: &[basis], items: &items, scale: &[0.5], input, adc_bits }
            .choose(&Patches { depth: 16, values })
    }

    #[test]
    fn the_gain_is_the_smallest_that_does_not_clip() {
        assert_eq!(gain(8, 7), Gain { gain: 0, clipped_share: 0.0 });
        // 16 rows on 16 columns: lane sums up to 256.
        assert_eq!(gain(10, 16), Gain { gain: 0, clipped_share: 0.0 });
        assert_eq!(gain(8, 14), Gain { gain: 1, clipped_share: 0.0 });
        assert_eq!(gain(6, 15), Gain { gain: 3, clipped_share: 0.0 });
    }
}
