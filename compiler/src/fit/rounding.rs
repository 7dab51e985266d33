//! Local fits: every kernel uses all columns of its crossbar. Real-valued coefficients are found by one projection and rounded.

use basisn_arch::Subvectors;
use rayon::prelude::*;

use super::group::Group;
use super::kernel::{KernelFit, KernelState};
use super::pursuit::{Pursuit, collect};
use super::target::Target;
use crate::basis::Basis;
use crate::coefficient::CoefficientCode;
use crate::least_squares::Projection;

/// Scales to try, relative to the one that represents the largest coefficient exactly.
const GRID_SIZE: usize = 28;
/// Neighbours of the first choice, on both sides, that are tried in full.
const GRID_NEAR: usize = 2;
const GRID_LARGEST: f64 = 1.1;
const GRID_STEP: f64 = 0.94;

/// Project, search the scale on a grid, round; then improve coefficients one at a time against what is left (rounding errors cancel
/// where the basis is not orthogonal) and set the scale to its optimum. Fits `kernels`; the others stay without coefficients.
pub fn rounded(target: &Target, basis: &Basis, kernels: &[usize], code: CoefficientCode) -> Pursuit {
    let cut = Subvectors::new(target.depth, basis.rows);
    let metrics = target.metrics(basis, &cut);
    let projection = Projection::new(&basis.vectors(cut.length));
    let alone: Vec<Vec<usize>> = kernels.iter().map(|&k| vec![k]).collect();
    let found: Vec<Vec<KernelFit>> = alone
        .par_iter()
        .map(|group| {
            let weights = target.kernel(group[0], &cut);
            let real: Vec<f32> = weights.chunks_exact(cut.length).flat_map(|w| projection.coefficients(w)).collect();
            let mut group = Group::new(target, &cut, &metrics, group, code, basis.columns);
            start(&mut group, &real, code);
            group.finish()
        })
        .collect();
    collect(target, basis.columns * cut.count, &alone, found)
}

/// Rounds `real` at the best of a few scales.
pub(super) fn start(group: &mut Group, real: &[f32], code: CoefficientCode) {
    let largest = real.iter().fold(0.0f32, |m, c| m.max(c.abs()));
    if largest == 0.0 {
        return;
    }
    let mut grid = vec![f64::from(largest) / f64::from(code.max()) * GRID_LARGEST; GRID_SIZE];
    for i in 1..GRID_SIZE {
        grid[i] = grid[i - 1] * GRID_STEP;
    }
    let steps = |scale: f64| move |c: &f32| (f64::from(*c) / scale) as f32;
    // Errors of the coefficients stand for those of the weights, exactly if the basis is orthogonal: a cheap first choice.
    let rough = |scale: f64| {
        let errors = real.iter().map(steps(scale)).map(|c| f64::from(c - code.nearest(c)));
        scale * scale * errors.map(|e| e * e).sum::<f64>()
    };
    let errors: Vec<f64> = grid.iter().map(|&scale| rough(scale)).collect();
    let first = (0..GRID_SIZE).min_by(|a, b| errors[*a].total_cmp(&errors[*b])).unwrap_or(0);
    let near = first.saturating_sub(GRID_NEAR)..(first + GRID_NEAR + 1).min(GRID_SIZE);
    let mut best: Option<(f64, KernelState)> = None;
    for &scale in &grid[near] {
        let kernel = &mut group.kernels[0];
        kernel.restart(scale);
        kernel.coefficients.iter_mut().zip(real.iter().map(steps(scale))).for_each(|(c, r)| *c = code.nearest(r));
        group.restore_left();
        let error = group.error();
        if best.as_ref().is_none_or(|(least, _)| error < *least) {
            best = Some((error, group.kernels[0].clone()));
        }
    }
    if let Some((_, kernel)) = best {
        group.kernels[0] = kernel;
    }
}
