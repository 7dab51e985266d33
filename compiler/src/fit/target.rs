//! What a fit approximates: the weights of a layer, and how much each of them matters.

use basisn_arch::Subvectors;
use rayon::prelude::*;

use super::metric::Metric;
use crate::basis::Basis;

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
    pub(crate) fn kernel(&self, kernel: usize, cut: &Subvectors) -> Vec<f32> {
        let weights = &self.weight[kernel * self.depth..(kernel + 1) * self.depth];
        let mut padded = weights.to_vec();
        padded.resize(cut.count * cut.length, 0.0);
        padded
    }
}
