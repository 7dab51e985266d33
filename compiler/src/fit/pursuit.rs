//! Pursuit: coefficients chosen one at a time, each where it takes away most of what is left of the weights.
//!
//! [`grouped`] lets the kernels of a group compete for the columns of a subvector: again and again the kernel and the free column of largest
//! relative gain `(2 l h - l^2 |v|^2) (delta / |w|)^2` win each other, where h is the product of the column with what is left of
//! `w / delta`. The kernels of a group then own disjoint columns and share a slot. [`plain`] is the same without competition.
//! All work is done on products of columns, see `metric`.

use basisn_arch::Subvectors;
use rayon::prelude::*;

use super::LayerFit;
use super::group::Group;
use super::kernel::KernelFit;
pub use super::target::Target;
pub use super::winner::winner_take_all;
use crate::basis::Basis;
use crate::coefficient::CoefficientCode;

/// A kernel owns at most this many times its fair share of the columns.
const SHARE_MAX: usize = 2;
/// Latents of coefficients that are zero stay below the rounding threshold of one half.
const LATENT_MAX: f32 = 0.45;

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
    /// Kernels with `width` coefficients each, all of them zero.
    pub(super) fn empty(kernels: usize, width: usize) -> Self {
        let coefficients = vec![0; kernels * width];
        let fit = LayerFit { coefficients, scale: vec![0.0; kernels], groups: None, signal: 0.0, error: 0.0 };
        Pursuit { fit, correlation: vec![0.0; kernels * width] }
    }

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
/// `groups` name a kernel at most once; kernels that they don't name stay without coefficients.
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
            let quota = quota(basis.columns, Some(group.len()), nonzeros);
            let mut group = Group::new(target, &cut, &metrics, group, code, quota);
            group.start_by_pursuit();
            group.finish()
        })
        .collect();
    collect(target, basis.columns * cut.count, groups, found)
}

/// Columns that a kernel owns at most in a subvector, in a group of `group` kernels or without one.
pub(super) fn quota(columns: usize, group: Option<usize>, nonzeros: Option<usize>) -> usize {
    let share = group.map_or(columns, |size| (SHARE_MAX * columns / size.max(1)).clamp(1, columns));
    nonzeros.map_or(share, |most| share.min(most))
}

/// Ordinary pursuit, every kernel on its own with at most `nonzeros` coefficients in a subvector.
pub fn plain(target: &Target, basis: &Basis, code: CoefficientCode, nonzeros: usize) -> Pursuit {
    let alone: Vec<Vec<usize>> = (0..target.kernels()).map(|k| vec![k]).collect();
    grouped(target, basis, &alone, code, Some(nonzeros))
}

pub(super) fn collect(target: &Target, width: usize, groups: &[Vec<usize>], found: Vec<Vec<KernelFit>>) -> Pursuit {
    let kernels = target.kernels();
    let mut all = Pursuit::empty(kernels, width);
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
