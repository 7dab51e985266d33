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

impl GainProblem<'_> {
    /// The gain with the smallest mean squared error of the scaled psums; the smallest of equals.
    pub(crate) fn choose(&self, patches: &Patches) -> Gain {
        let columns: usize = self.items.iter().flatten().map(|item| item.columns.len()).sum();
        let affordable = GAIN_WORK / (columns * self.input.bits).max(1);
        let patches = patches.some(affordable.clamp(*GAIN_PATCHES.start(), *GAIN_PATCHES.end()), self.cut);
        let costs: Vec<Cost> = patches.par_iter().map(|patch| self.patch_cost(patch)).collect();
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

    fn patch_cost(&self, patch: &[i32]) -> Cost {
        let limit = 1i64 << (self.adc_bits - 1);
        let mut cost = Cost::default();
        let mut errors = vec![[0i64; GAINS]; self.scale.len()];
        let mut sums = vec![vec![0i32; self.bases[0].columns]; self.bases.len()];
        for (x, items) in patch.chunks_exact(self.cut.length).zip(self.items) {
            for plane in 0..self.input.bits {
                for (sums, basis) in sums.iter_mut().zip(self.bases) {
                    sums.fill(0);
                    for (row, _) in x.iter().enumerate().filter(|(_, x)| *x >> plane & 1 == 1) {
                        sums.iter_mut().zip(basis.row(row)).for_each(|(sum, level)| *sum += i32::from(*level));
                    }
                }
                for item in items {
                    let sums = &sums[item.kernel % self.bases.len()];
                    let z: i64 = item.columns.iter().map(|&(c, n)| i64::from(if n { -sums[c] } else { sums[c] })).sum();
                    for (g, error) in errors[item.kernel].iter_mut().enumerate() {
                        let rounded = (z + ((1 << g) >> 1)) >> g;
                        let code = rounded.clamp(-limit, limit - 1);
                        cost.clipped[g] += u64::from(code != rounded);
                        let weight = if self.input.signed && plane + 1 == self.input.bits { -1i64 } else { 1 };
                        *error += (weight * ((code << g) - z)) << (plane + item.plane);
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
