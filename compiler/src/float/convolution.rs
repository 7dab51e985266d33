//! Convolutions on panels of positions: the innermost loop of the float reference.

use basisn_arch::ConvShape;
use rayon::prelude::*;

/// Positions that are computed together.
const PANEL: usize = 64;
/// Positions and kernels of the innermost tile: its sums stay in registers.
const WIDTH: usize = 8;
const ROWS: usize = 4;

/// A convolution as a matrix product on panels of positions; each sum starts at the bias and takes the products in the order of the weights.
pub(super) fn convolve(shape: &ConvShape, weight: &[f32], bias: &[f32], input: &[f32]) -> Vec<f32> {
    let (positions, kernels, depth) = (shape.positions(), shape.kernels, shape.depth());
    let panels: Vec<Vec<f32>> = (0..positions.div_ceil(PANEL))
        .into_par_iter()
        .map(|panel| {
            let range = panel * PANEL..positions.min((panel + 1) * PANEL);
            let blocks = range.len().div_ceil(WIDTH);
            let patches = patches(shape, input, range.clone());
            let mut sums = vec![0.0; kernels * range.len()];
            for first in (0..kernels).step_by(ROWS) {
                // A short last tile computes its last kernel several times.
                let rows: [usize; ROWS] = std::array::from_fn(|i| (first + i).min(kernels - 1));
                let weights = rows.map(|row| &weight[row * depth..(row + 1) * depth]);
                let start = rows.map(|row| bias.get(row).copied().unwrap_or(0.0));
                for block in 0..blocks {
                    let tile = tile(weights, start, &patches[block * depth..(block + 1) * depth]);
                    for (row, values) in rows.into_iter().zip(&tile) {
                        let to = &mut sums[row * range.len()..(row + 1) * range.len()][block * WIDTH..];
                        to.iter_mut().zip(values).for_each(|(to, value)| *to = *value);
                    }
                }
            }
            sums
        })
        .collect();
    let mut output = vec![0.0; kernels * positions];
    for (panel, sums) in panels.iter().enumerate() {
        let width = sums.len() / kernels;
        for (row, values) in sums.chunks_exact(width).enumerate() {
            output[row * positions + panel * PANEL..][..width].copy_from_slice(values);
        }
    }
    output
}

fn tile(weights: [&[f32]; ROWS], start: [f32; ROWS], patches: &[[f32; WIDTH]]) -> [[f32; WIDTH]; ROWS] {
    let mut sums = start.map(|bias| [bias; WIDTH]);
    let [a, b, c, d] = weights;
    for ((((x, a), b), c), d) in patches.iter().zip(a).zip(b).zip(c).zip(d) {
        for (sum, w) in sums.iter_mut().zip([a, b, c, d]) {
            for (sum, x) in sum.iter_mut().zip(x) {
                *sum += w * x;
            }
        }
    }
    sums
}

/// Patches of some positions: for every block of `WIDTH` positions, for every weight, the value at each position.
fn patches(shape: &ConvShape, input: &[f32], range: std::ops::Range<usize>) -> Vec<[f32; WIDTH]> {
    let (depth, window) = (shape.depth(), &shape.window);
    let mut patches = vec![[0.0; WIDTH]; range.len().div_ceil(WIDTH) * depth];
    // All channels see the same places of their planes: those of a block, tap by tap, none where there is padding.
    let mut places = vec![[None; WIDTH]; window.kernel[0] * window.kernel[1]];
    for (block, first) in patches.chunks_exact_mut(depth).zip(range.clone().step_by(WIDTH)) {
        for i in 0..WIDTH.min(range.end - first) {
            let (row, column) = ((first + i) / shape.out_width(), (first + i) % shape.out_width());
            let columns = window.taps(1, column, shape.in_width);
            let rows = window.taps(0, row, shape.in_height);
            let taps = rows.flat_map(|y| columns.clone().map(move |x| Some(y? * shape.in_width + x?)));
            places.iter_mut().zip(taps).for_each(|(places, place)| places[i] = place);
        }
        let planes = input.chunks_exact(shape.in_height * shape.in_width);
        for (block, plane) in block.chunks_exact_mut(places.len()).zip(planes) {
            for (values, places) in block.iter_mut().zip(&places) {
                *values = places.map(|place| place.and_then(|place| plane.get(place).copied()).unwrap_or(0.0));
            }
        }
    }
    patches
}

#[cfg(test)]
mod tests {
    use basisn_arch::Window;

    use super::*;
    use crate::random::{Random, test_seed};

    fn random_values(random: &mut Random, count: usize) -> Vec<f32> {
        (0..count).map(|_| random.signed_unit() as f32).collect()
    }

    #[test]
    fn convolutions_are_sums_over_patches() {
        let mut random = Random::new(test_seed(11));
        for _ in 0..20 {
            let window = Window {
                kernel: [1 + random.below(3), 1 + random.below(3)],
                stride: [1 + random.below(2), 1 + random.below(2)],
                padding: [random.below(2), random.below(3), random.below(2), random.below(2)],
                dilation: [1 + random.below(2), 1 + random.below(2)],
            };
            let shape = ConvShape {
                in_channels: 1 + random.below(5),
                in_height: 5 + random.below(9),
                in_width: 5 + random.below(9),
                kernels: 1 + random.below(9),
                window,
            };
            let input = random_values(&mut random, shape.inputs());
            let weight = random_values(&mut random, shape.kernels * shape.depth());
            let bias = random_values(&mut random, shape.kernels);
            let found = convolve(&shape, &weight, &bias, &input);
            for (position, patch) in shape.im2col(&input).chunks_exact(shape.depth()).enumerate() {
                for (k, row) in weight.chunks_exact(shape.depth()).enumerate() {
                    let sum: f64 = row.iter().zip(patch).map(|(w, x)| f64::from(*w) * f64::from(*x)).sum();
                    let found = f64::from(found[k * shape.positions() + position]);
                    assert!((found - sum - f64::from(bias[k])).abs() < 1e-5, "{shape:?}");
                }
            }
        }
    }
}
