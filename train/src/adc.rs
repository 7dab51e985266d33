//! The ADC in the loop: partial sums as the chip computes them, bit plane by bit plane and subvector by subvector,
//! on levels that may be real numbers. On integer levels the result is that of the golden reference, exactly.

use basisn_arch::{ConvShape, Subvectors};
use basisn_compiler::csd::digits;
use basisn_compiler::fitted::Code;
use rand::rngs::StdRng;
use rayon::prelude::*;

use crate::reading::Reading;

/// Cell levels of one crossbar, which all crossbars share.
#[derive(Clone, Debug, PartialEq)]
pub struct Levels {
    /// Rows R.
    pub rows: usize,
    /// Columns C.
    pub columns: usize,
    /// `[row][column]`, in level steps.
    pub values: Vec<f32>,
}

impl Levels {
    /// The levels that cells can hold nearest to `latents`, which are of the same shape: whole ones, up to `level_max`, and never 0 where
    /// that is 1 and cells have one bit.
    #[must_use]
    pub fn nearest(&self, latents: &[f32], cell_bits: usize, level_max: i32) -> Self {
        let level = |&latent: &f32| {
            if cell_bits == 1 {
                1f32.copysign(latent)
            } else {
                latent.round().clamp(-level_max as f32, level_max as f32)
            }
        };
        Levels { values: latents.iter().map(level).collect(), ..*self }
    }

    /// The first `length` rows, transposed: `[column][row]`.
    pub fn transposed(&self, length: usize) -> Vec<f32> {
        (0..self.columns)
            .flat_map(|c| (0..length).map(move |r| (r, c)))
            .map(|(r, c)| self.values[r * self.columns + c])
            .collect()
    }
}

/// Signed codes of `bits` bits for lane sums divided by `2^gain`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Adc {
    /// Bits A.
    pub bits: usize,
    /// Gain g.
    pub gain: u32,
}

impl Adc {
    /// The code of a lane sum, rounded half up.
    pub fn code(self, sum: f32) -> f32 {
        let limit = (1i32 << (self.bits - 1)) as f32;
        floor(sum / (1u32 << self.gain) as f32 + 0.5).clamp(-limit, limit - 1.0)
    }
}

/// The largest integer that is not above `x`, |x| < 2^22: unlike `f32::floor`, without a call on processors that have no
/// instruction for it, so that loops over it become vector code.
fn floor(x: f32) -> f32 {
    // So large that its steps are integers: adding it rounds.
    const INTEGERS_ONLY: f32 = 1.5 * (1 << 23) as f32;
    let nearest = (x + INTEGERS_ONLY) - INTEGERS_ONLY;
    if nearest > x { nearest - 1.0 } else { nearest }
}

/// One layer on a crossbar: for every item (kernel and plane) its weight on every row, all items of a row side by side.
#[derive(Clone, Debug)]
pub struct LayerSums {
    shape: ConvShape,
    cut: Subvectors,
    planes: usize,
    /// `[subvector][row][kernel][plane]`.
    weights: Vec<f32>,
    /// Variance of reads in the same order; empty where there is none.
    variances: Vec<f32>,
}

impl LayerSums {
    /// For coefficients `[kernel][subvector][column]` of at most `planes` planes. `levels` are those of the one crossbar that stands
    /// for all, or of all tiles; `tiles` says on which one every kernel is.
    pub fn new(shape: ConvShape, coefficients: &[f32], planes: usize, levels: &[Levels], tiles: &[usize]) -> Self {
        let rows = levels.first().map_or(1, |levels| levels.rows);
        let cut = Subvectors::new(shape.depth(), rows);
        let of_kernel = |kernel: usize| &levels[if levels.len() == 1 { 0 } else { tiles[kernel] }];
        let weights = summed(cut, coefficients, planes, shape.kernels, of_kernel, f32::from);
        LayerSums { shape, cut, planes, weights, variances: Vec::new() }
    }

    /// The same with the noise of reads, for the same coefficients.
    #[must_use]
    pub fn noisy(mut self, coefficients: &[f32], reading: &Reading) -> Self {
        if !reading.is_quiet() {
            let variance = reading.variance();
            let size = |digit: i8| f32::from(digit.abs());
            self.variances = summed(self.cut, coefficients, self.planes, self.shape.kernels, |_| &variance, size);
        }
        self
    }

    /// Partial sums `[image][kernel][position]` of inputs `[image][channel][row][column]`, in units of lane sums: times `2^gain`.
    /// Inputs are integers of `input`; `reading` adds what a real chip does to lane sums.
    pub fn psums(&self, inputs: &[f32], input: &Code, adc: Adc, reading: Option<&Reading>) -> Vec<f32> {
        let positions = self.shape.positions();
        let mut psums = vec![0.0; inputs.len() / self.shape.inputs() * self.shape.kernels * positions];
        psums
            .par_chunks_mut(self.shape.kernels * positions)
            .zip(inputs.par_chunks(self.shape.inputs()))
            .enumerate()
            .for_each(|(image, (psums, inputs))| {
                let mut reading = reading.map(|reading| (reading, reading.draws(image)));
                let inputs: Vec<i32> = inputs.iter().map(|&x| x as i32).collect();
                let mut patch = vec![0; self.cut.count * self.cut.length];
                for position in 0..positions {
                    self.shape.fill_patch(&inputs, position, &mut patch[..self.shape.depth()]);
                    for (kernel, psum) in self.position(&patch, input, adc, &mut reading).into_iter().enumerate() {
                        psums[kernel * positions + position] = psum * (1u32 << adc.gain) as f32;
                    }
                }
            });
        psums
    }

    fn position(&self, patch: &[i32], input: &Code, adc: Adc, reading: &mut Option<(&Reading, StdRng)>) -> Vec<f32> {
        let items = self.shape.kernels * self.planes;
        let (mut sums, mut variances) = (vec![0.0f32; items], vec![0.0f32; items]);
        let mut total = vec![0.0f32; self.shape.kernels];
        let size = self.cut.length * items;
        for (subvector, values) in patch.chunks(self.cut.length).enumerate() {
            for plane in 0..input.bits {
                let add = |of: &[f32], sums: &mut [f32]| {
                    sums.fill(0.0);
                    let rows = of[subvector * size..(subvector + 1) * size].chunks_exact(items);
                    for (_, weights) in values.iter().zip(rows).filter(|(x, _)| **x >> plane & 1 == 1) {
                        sums.iter_mut().zip(weights).for_each(|(sum, weight)| *sum += weight);
                    }
                };
                add(&self.weights, &mut sums);
                if !self.variances.is_empty() {
                    add(&self.variances, &mut variances);
                }
                let sign = if input.signed && plane + 1 == input.bits { -1.0 } else { 1.0 };
                let weight = sign * (1u32 << plane) as f32;
                match reading {
                    None => sums.iter_mut().for_each(|sum| *sum = adc.code(*sum)),
                    Some((reading, draws)) => {
                        for (item, (sum, &variance)) in sums.iter_mut().zip(&variances).enumerate() {
                            *sum = reading.code(item / self.planes, *sum, variance, adc, draws);
                        }
                    }
                }
                for (total, codes) in total.iter_mut().zip(sums.chunks_exact(self.planes)) {
                    for (j, &code) in codes.iter().enumerate() {
                        *total += weight * (1u32 << j) as f32 * code;
                    }
                }
            }
        }
        total
    }
}

/// For every item of coefficients `[kernel][subvector][column]` the sum over its columns of digit times cell, `[subvector][row][kernel][plane]`;
/// `factor` is what a digit counts.
fn summed<'a>(
    cut: Subvectors,
    coefficients: &[f32],
    planes: usize,
    kernels: usize,
    cells: impl Fn(usize) -> &'a Levels,
    factor: impl Fn(i8) -> f32,
) -> Vec<f32> {
    let items = kernels * planes;
    let mut sums = vec![0.0; cut.count * cut.length * items];
    for (kernel, coefficients) in coefficients.chunks(coefficients.len() / kernels.max(1)).enumerate() {
        let cells = cells(kernel);
        for (place, &coefficient) in coefficients.iter().enumerate().filter(|(_, c)| **c != 0.0) {
            let (subvector, column) = (place / cells.columns, place % cells.columns);
            for (plane, digit) in digits(coefficient as i32, planes).enumerate().filter(|(_, digit)| *digit != 0) {
                for row in 0..cut.length {
                    let sum = &mut sums[(subvector * cut.length + row) * items + kernel * planes + plane];
                    *sum += factor(digit) * cells.values[row * cells.columns + column];
                }
            }
        }
    }
    sums
}

#[cfg(test)]
mod tests {
    use super::*;
    use basisn_compiler::csd::coefficient_max;
    use basisn_models::arithmetic::{accumulate, adc_code, plane_weight, update_psum};
    use basisn_models::random::mvm_shape;
    use rand::rngs::StdRng;
    use rand::{Rng, SeedableRng};

    /// Partial sums by the arithmetic of the golden reference, one read at a time.
    fn reference(
        inputs: &[i32],
        coefficients: &[f32],
        planes: usize,
        levels: &Levels,
        input: &Code,
        adc: Adc,
    ) -> Vec<i32> {
        let cut = Subvectors::new(inputs.len(), levels.rows);
        let psum = |coefficients: &[f32]| {
            let mut psum = 0;
            for (s, coefficients) in coefficients.chunks(levels.columns).enumerate() {
                for j in 0..planes {
                    let digit = |c: f32| i32::from(digits(c as i32, planes).nth(j).unwrap_or(0));
                    let mut acc = 0;
                    for plane in (0..input.bits).rev() {
                        let x = |row: usize| inputs.get(s * cut.length + row).map_or(0, |x| x >> plane & 1);
                        let column = |c: usize| -> i32 {
                            (0..cut.length).map(|row| x(row) * levels.values[row * levels.columns + c] as i32).sum()
                        };
                        let sum = coefficients.iter().enumerate().map(|(c, &value)| digit(value) * column(c)).sum();
                        let code = adc_code(sum, adc.gain, adc.bits);
                        acc = accumulate(acc, plane_weight(plane, input.bits, input.signed), code);
                    }
                    psum = update_psum(psum, acc, j);
                }
            }
            psum << adc.gain
        };
        coefficients.chunks(cut.count * levels.columns).map(psum).collect()
    }

    #[test]
    fn floor_is_floor() {
        for step in -40_000..40_000 {
            let x = step as f32 / 64.0;
            assert_eq!(floor(x), x.floor());
        }
    }

    #[test]
    fn partial_sums_are_those_of_the_golden_reference() {
        let seed = std::env::var("BASISN_SEED").ok().and_then(|text| text.parse().ok()).unwrap_or(3);
        println!("BASISN_SEED={seed}");
        let mut rng = StdRng::seed_from_u64(seed);
        let mut saturated = 0;
        for (planes, gain, bits, signed) in [(1, 0, 8, false), (3, 1, 5, true), (2, 2, 4, false), (4, 0, 4, true)] {
            let (depth, kernels, columns) = (21, 5, 8);
            let values = (0..8 * columns).map(|_| if rng.random() { 1.0 } else { -1.0 }).collect();
            let levels = Levels { rows: 8, columns, values };
            let most = coefficient_max(planes);
            let coefficients: Vec<f32> =
                (0..kernels * 3 * columns).map(|_| rng.random_range(-most..=most) as f32).collect();
            let input = Code { scale: 1.0, bits: 6, signed };
            let (low, high) = input.range();
            let inputs: Vec<i32> = (0..depth).map(|_| rng.random_range(low..=high)).collect();
            let adc = Adc { bits, gain };
            let sums = LayerSums::new(
                mvm_shape(depth, 1, kernels),
                &coefficients,
                planes,
                std::slice::from_ref(&levels),
                &[0; 5],
            );
            let floats: Vec<f32> = inputs.iter().map(|&x| x as f32).collect();
            let found: Vec<i32> = sums.psums(&floats, &input, adc, None).into_iter().map(|sum| sum as i32).collect();
            assert_eq!(found, reference(&inputs, &coefficients, planes, &levels, &input, adc));
            let exact = sums.psums(&floats, &input, Adc { bits: 24, gain: 0 }, None);
            saturated += usize::from(exact.iter().zip(&found).any(|(e, f)| *e as i32 != *f));
        }
        assert!(saturated > 0, "no case in which the ADC matters");
    }
}
