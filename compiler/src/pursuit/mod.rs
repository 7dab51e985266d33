//! Pursuit: coefficients chosen one at a time, each where it takes away most of what is left of the weights.
//!
//! [`grouped`] lets the kernels of a group compete for the columns of a subvector: again and again the kernel and the free column of largest
//! relative gain `(2 l h - l^2 |v|^2) (delta / |w|)^2` win each other, where h is the product of the column with what is left of
//! `w / delta`. The kernels of a group then own disjoint columns and share a slot. [`plain`] is the same without competition.
//! All work is done on products of columns, see `metric`.

mod group;
mod kernel;

use basisn_arch::Subvectors;
use rayon::prelude::*;

use crate::basis::Basis;
use crate::coefficient::CoefficientCode;
use crate::fit::LayerFit;
use crate::metric::Metric;
use group::Group;
use kernel::{KernelFit, KernelState};

/// A kernel owns at most this many times its fair share of the columns.
const SHARE_MAX: usize = 2;
/// Latents of coefficients that are zero stay below the rounding threshold of one half.
const LATENT_MAX: f32 = 0.45;

/// Weights of one layer.
#[derive(Clone, Copy, Debug)]
pub struct Target<'a> {
    /// `[kernel][depth]`.
    pub weight: &'a [f32],
    /// Weights of a kernel, D.
    pub depth: usize,
    /// For every subvector the second moments `[row][row]` of its inputs; none if all weights are of the same importance.
    pub moments: Option<&'a [Vec<f64>]>,
}

impl<'a> Target<'a> {
    /// Weights without calibration data.
    pub fn new(weight: &'a [f32], depth: usize) -> Self {
        Target { weight, depth, moments: None }
    }

    /// Kernels K.
    pub fn kernels(&self) -> usize {
        self.weight.len() / self.depth.max(1)
    }

    pub(crate) fn metrics(&self, basis: &Basis, cut: &Subvectors) -> Vec<Metric> {
        match self.moments {
            None => vec![Metric::plain(basis, cut.length)],
            Some(moments) => moments.par_iter().map(|m| Metric::weighted(basis, cut.length, m)).collect(),
        }
    }

    /// The kernel's weights, cut into subvectors of equal length.
    pub(crate) fn kernel(&self, kernel: usize, cut: &Subvectors) -> Vec<f64> {
        let weights = &self.weight[kernel * self.depth..(kernel + 1) * self.depth];
        let mut padded: Vec<f64> = weights.iter().map(|&w| f64::from(w)).collect();
        padded.resize(cut.count * cut.length, 0.0);
        padded
    }
}

/// What a pursuit found.
#[derive(Clone, Debug, PartialEq)]
pub struct Pursuit {
    /// Coefficients and scales.
    pub fit: LayerFit,
    /// `[kernel][subvector][column]`: by how much the coefficient would have to change for the column to take away
    /// all it can of what is left, in units of one coefficient step.
    pub correlation: Vec<f32>,
}

impl Pursuit {
    /// Where training starts: the coefficient where there is one, else the residual correlation, below the rounding threshold.
    pub fn latents(&self) -> Vec<f32> {
        let latent = |(&c, &r): (&i8, &f32)| if c == 0 { r.clamp(-LATENT_MAX, LATENT_MAX) } else { f32::from(c) };
        self.fit.coefficients.iter().zip(&self.correlation).map(latent).collect()
    }
}

/// Groups of at most `size` kernels; the kernels of a group have the same home on `tiles` tiles. With one tile they are neighbours.
pub fn groups(kernels: usize, size: usize, tiles: usize) -> Vec<Vec<usize>> {
    let of_tile = |tile| (tile..kernels).step_by(tiles.max(1)).collect::<Vec<_>>();
    (0..tiles.max(1)).flat_map(|t| of_tile(t).chunks(size.max(1)).map(<[usize]>::to_vec).collect::<Vec<_>>()).collect()
}

/// Contest-aware pursuit: kernels of a group own disjoint columns in every subvector, each at most twice its fair share, and at most `nonzeros`.
/// `groups` name every kernel once.
pub fn grouped(
    target: &Target,
    basis: &Basis,
    groups: &[Vec<usize>],
    code: CoefficientCode,
    nonzeros: Option<usize>,
) -> Pursuit {
    let cut = Subvectors::new(target.depth, basis.rows);
    let metrics = target.metrics(basis, &cut);
    let found: Vec<Vec<KernelFit>> = groups
        .par_iter()
        .map(|group| {
            let quota = (SHARE_MAX * basis.columns / group.len().max(1)).max(1);
            let quota = nonzeros.map_or(quota, |most| quota.min(most));
            Group::new(target, &cut, &metrics, group, code, quota).fit()
        })
        .collect();
    collect(target, basis.columns * cut.count, groups, found)
}

/// Ordinary pursuit, every kernel on its own with at most `nonzeros` coefficients in a subvector.
pub fn plain(target: &Target, basis: &Basis, code: CoefficientCode, nonzeros: usize) -> Pursuit {
    let alone: Vec<Vec<usize>> = (0..target.kernels()).map(|k| vec![k]).collect();
    grouped(target, basis, &alone, code, Some(nonzeros))
}

/// Winner takes all: a column that several kernels of a group use stays with the one it serves best; the others lose it.
/// Scales and correlations are set again. This is what [`grouped`] is compared with.
pub fn winner_take_all(
    target: &Target,
    basis: &Basis,
    groups: &[Vec<usize>],
    code: CoefficientCode,
    before: &Pursuit,
) -> Pursuit {
    let cut = Subvectors::new(target.depth, basis.rows);
    let metrics = target.metrics(basis, &cut);
    let width = basis.columns * cut.count;
    let found = groups
        .par_iter()
        .map(|group| {
            let mut state = Group::new(target, &cut, &metrics, group, code, basis.columns);
            for (i, &kernel) in group.iter().enumerate() {
                let scale = before.fit.scale[kernel];
                state.kernels[i].scale = if scale == 0.0 { 1.0 } else { scale };
                let coefficients = &before.fit.coefficients[kernel * width..(kernel + 1) * width];
                state.kernels[i].coefficients = coefficients.iter().map(|&c| f64::from(c)).collect();
            }
            for place in 0..width {
                let worth = |k: &KernelState| {
                    let c = k.coefficients[place];
                    (k.weight() * (2.0 * c * k.products[place] / k.scale - c * c * state.norm(place))).max(0.0)
                };
                let winner = (0..group.len())
                    .filter(|&i| state.kernels[i].coefficients[place] != 0.0)
                    .max_by(|&a, &b| worth(&state.kernels[a]).total_cmp(&worth(&state.kernels[b])).then(b.cmp(&a)));
                for (i, kernel) in state.kernels.iter_mut().enumerate() {
                    if Some(i) != winner {
                        kernel.coefficients[place] = 0.0;
                    }
                }
            }
            state.restore_left();
            state.best_scales();
            state.finish()
        })
        .collect();
    collect(target, width, groups, found)
}

fn collect(target: &Target, width: usize, groups: &[Vec<usize>], found: Vec<Vec<KernelFit>>) -> Pursuit {
    let kernels = target.kernels();
    let mut all = Pursuit {
        fit: LayerFit { coefficients: vec![0; kernels * width], scale: vec![0.0; kernels], signal: 0.0, error: 0.0 },
        correlation: vec![0.0; kernels * width],
    };
    for (&kernel, found) in groups.iter().flatten().zip(found.iter().flatten()) {
        let place = kernel * width..(kernel + 1) * width;
        all.fit.coefficients[place.clone()].copy_from_slice(&found.coefficients);
        all.correlation[place].copy_from_slice(&found.correlation);
        all.fit.scale[kernel] = found.scale;
        all.fit.signal += found.signal;
        all.fit.error += found.error;
    }
    all
}

#[cfg(test)]
mod tests;
