//! Coefficients for a layer's weights: `W[k, s] ~ scale[k] * sum_c coefficient[k, s, c] * V[:, c]`, the same basis for all.
//!
//! For every kernel: project, search the scale on a grid, round; then improve coefficients one at a time
//! against what is left (rounding errors cancel where the basis is not orthogonal) and set the scale to its optimum.

use basisn_arch::Subvectors;
use rayon::prelude::*;

use crate::basis::Basis;
use crate::csd::coefficient_max;
use crate::least_squares::{Projection, dot};

/// The fit of one layer.
#[derive(Clone, Debug, PartialEq)]
pub struct LayerFit {
    /// `[kernel][subvector][column]`, each within -[`coefficient_max`]..[`coefficient_max`].
    pub coefficients: Vec<i8>,
    /// Scale of every kernel; 0 for a kernel without coefficients.
    pub scale: Vec<f64>,
    /// Sum of squares of the weights.
    pub signal: f64,
    /// Sum of squares of what the fit leaves.
    pub error: f64,
}

/// Scales to try, relative to the one that represents the largest coefficient exactly.
const GRID_SIZE: usize = 28;
/// Neighbours of the first choice, on both sides, that are tried in full.
const GRID_NEAR: usize = 2;
const GRID_LARGEST: f64 = 1.1;
const GRID_STEP: f64 = 0.94;
/// Rounds of coefficient and scale improvement; few are needed before nothing changes any more.
const ROUNDS: usize = 12;

/// Fits `weight` (`[kernel][depth]`) with `planes` coefficient planes.
pub fn fit_layer(weight: &[f32], depth: usize, basis: &Basis, planes: usize) -> LayerFit {
    let cut = Subvectors::new(depth, basis.rows);
    let vectors = basis.vectors(cut.length);
    let fitter = Fitter {
        projection: Projection::new(&vectors),
        norms: vectors.iter().map(|v| v.iter().map(|x| x * x).sum()).collect(),
        vectors,
        length: cut.length,
        max: f64::from(coefficient_max(planes)),
    };
    let kernels: Vec<KernelFit> = weight
        .par_chunks(depth)
        .map(|kernel| {
            let mut target: Vec<f64> = kernel.iter().map(|&w| f64::from(w)).collect();
            target.resize(cut.count * cut.length, 0.0);
            fitter.kernel(&target)
        })
        .collect();
    LayerFit {
        coefficients: kernels.iter().flat_map(|k| k.coefficients.iter().map(|&c| c as i8)).collect(),
        scale: kernels.iter().map(|k| k.scale).collect(),
        signal: weight.iter().map(|&w| f64::from(w) * f64::from(w)).sum(),
        error: kernels.iter().map(|k| k.error).sum(),
    }
}

/// Signal to noise ratio in dB, at most 300: a perfect fit has no finite one. 0 if there is no signal.
pub fn snr_db(signal: f64, error: f64) -> f64 {
    if signal <= 0.0 { 0.0 } else { (10.0 * (signal / error.max(signal * 1e-30)).log10()).min(300.0) }
}

struct Fitter {
    projection: Projection,
    vectors: Vec<Vec<f64>>,
    norms: Vec<f64>,
    length: usize,
    max: f64,
}

struct KernelFit {
    coefficients: Vec<f64>,
    scale: f64,
    error: f64,
}

impl Fitter {
    fn kernel(&self, target: &[f64]) -> KernelFit {
        let real: Vec<f64> = target.chunks_exact(self.length).flat_map(|t| self.projection.coefficients(t)).collect();
        let largest = real.iter().fold(0.0f64, |m, c| m.max(c.abs()));
        if largest == 0.0 {
            return KernelFit { coefficients: real, scale: 0.0, error: 0.0 };
        }
        let mut grid = vec![largest / self.max * GRID_LARGEST; GRID_SIZE];
        for i in 1..GRID_SIZE {
            grid[i] = grid[i - 1] * GRID_STEP;
        }
        // Errors of the coefficients stand for those of the weights, exactly if the basis is orthogonal: a cheap first choice.
        let round = |c: &f64, scale: f64| (c / scale).round().clamp(-self.max, self.max);
        let rough = |scale: f64| real.iter().map(|c| c - scale * round(c, scale)).map(|e| e * e).sum::<f64>();
        let errors: Vec<f64> = grid.iter().map(|&scale| rough(scale)).collect();
        let first = (0..GRID_SIZE).min_by(|a, b| errors[*a].total_cmp(&errors[*b])).unwrap_or(0);
        let near = first.saturating_sub(GRID_NEAR)..(first + GRID_NEAR + 1).min(GRID_SIZE);
        let mut best: Option<KernelFit> = None;
        for &scale in &grid[near] {
            let coefficients = real.iter().map(|c| round(c, scale)).collect();
            let candidate = self.with_best_scale(coefficients, target);
            if best.as_ref().is_none_or(|b| candidate.error < b.error) {
                best = Some(candidate);
            }
        }
        let mut fit = best.unwrap_or(KernelFit { coefficients: real, scale: 0.0, error: f64::INFINITY });
        for _ in 0..ROUNDS {
            if fit.scale == 0.0 {
                break;
            }
            let improved = self.with_best_scale(self.improve(&fit, target), target);
            // Rounding errors of the last digit are no improvement.
            if improved.error >= fit.error * (1.0 - 1e-9) {
                break;
            }
            fit = improved;
        }
        fit
    }

    /// One pass over all coefficients, each moved to the integer that leaves least.
    fn improve(&self, fit: &KernelFit, target: &[f64]) -> Vec<f64> {
        let mut coefficients = fit.coefficients.clone();
        let columns = self.vectors.len();
        for (t, coefficients) in target.chunks_exact(self.length).zip(coefficients.chunks_exact_mut(columns)) {
            let sum = self.combine(coefficients);
            let mut rest: Vec<f64> = t.iter().zip(sum).map(|(t, sum)| t / fit.scale - sum).collect();
            for ((c, v), norm) in coefficients.iter_mut().zip(&self.vectors).zip(&self.norms) {
                let change = (*c + dot(v, &rest) / norm).round().clamp(-self.max, self.max) - *c;
                if change != 0.0 {
                    *c += change;
                    rest.iter_mut().zip(v).for_each(|(r, v)| *r -= change * v);
                }
            }
        }
        coefficients
    }

    fn combine(&self, coefficients: &[f64]) -> Vec<f64> {
        let mut sum = vec![0.0; self.length];
        for (&c, v) in coefficients.iter().zip(&self.vectors).filter(|(c, _)| **c != 0.0) {
            sum.iter_mut().zip(v).for_each(|(s, v)| *s += c * v);
        }
        sum
    }

    fn with_best_scale(&self, coefficients: Vec<f64>, target: &[f64]) -> KernelFit {
        let (mut product, mut norm, mut signal) = (0.0, 0.0, 0.0);
        for (t, c) in target.chunks_exact(self.length).zip(coefficients.chunks_exact(self.vectors.len())) {
            for (t, sum) in t.iter().zip(self.combine(c)) {
                product += t * sum;
                norm += sum * sum;
                signal += t * t;
            }
        }
        let scale = if norm > 0.0 { product / norm } else { 0.0 };
        KernelFit { coefficients, scale, error: (signal - scale * product).max(0.0) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Random, test_seed};
    use basisn_arch::ChipConfig;

    fn basis(rows: usize, columns: usize) -> Basis {
        let chip = ChipConfig::load("digits").unwrap();
        Basis::hadamard(&chip.with("crossbar.rows", rows).unwrap().with("crossbar.columns", columns).unwrap())
    }

    /// Sum of uniform numbers: close to a normal distribution, as trained weights are.
    fn normal(random: &mut Random, count: usize) -> Vec<f32> {
        (0..count).map(|_| (0..6).map(|_| random.signed_unit()).sum::<f64>() as f32).collect()
    }

    fn snr(weight: &[f32], depth: usize, basis: &Basis, planes: usize) -> f64 {
        let fit = fit_layer(weight, depth, basis, planes);
        let max = coefficient_max(planes);
        assert!(fit.coefficients.iter().all(|c| i32::from(c.abs()) <= max));
        snr_db(fit.signal, fit.error)
    }

    #[test]
    fn more_planes_and_more_columns_leave_less() {
        let mut random = Random::new(test_seed(5));
        let weight = normal(&mut random, 8 * 128);
        let by_planes: Vec<f64> = (1..=6).map(|j| snr(&weight, 128, &basis(64, 64), j)).collect();
        // What a uniform quantizer of as many levels reaches for a normal distribution, less a margin for the sample.
        for (found, least) in by_planes.iter().zip([6.9, 10.4, 16.3, 21.3, 27.0, 32.5]) {
            assert!(*found > least, "{by_planes:?}");
        }
        let by_columns: Vec<f64> = [32, 64, 96, 128].map(|c| snr(&weight, 128, &basis(64, c), 4)).to_vec();
        assert!(by_columns.windows(2).all(|w| w[0] < w[1]), "{by_columns:?}");
        assert!(by_columns[0] > 2.0, "{by_columns:?}");
    }

    #[test]
    fn what_the_basis_represents_exactly_is_found_exactly() {
        let basis = basis(16, 16);
        let vectors = basis.vectors(16);
        let coefficients: Vec<i8> = (0..16).map(|c| [0, 10, -9, 3][c % 4]).collect();
        let weight: Vec<f32> = (0..16)
            .map(|i| 0.125 * coefficients.iter().zip(&vectors).map(|(&c, v)| f64::from(c) * v[i]).sum::<f64>() as f32)
            .collect();
        let fit = fit_layer(&weight, 16, &basis, 4);
        assert_eq!(fit.coefficients, coefficients);
        assert!((fit.scale[0] - 0.125).abs() < 1e-9 && snr_db(fit.signal, fit.error) > 100.0);
    }

    #[test]
    fn zero_kernels_get_no_coefficients() {
        let fit = fit_layer(&[0.0; 20], 10, &basis(16, 16), 4);
        assert_eq!((fit.coefficients, fit.scale, fit.error), (vec![0; 32], vec![0.0; 2], 0.0));
        assert_eq!(snr_db(0.0, 0.0), 0.0);
        assert_eq!(snr_db(1.0, 0.0), 300.0);
    }
}
