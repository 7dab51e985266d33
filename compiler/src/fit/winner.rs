//! Winner takes all: what the joint pursuit is compared with.

use basisn_arch::Subvectors;
use rayon::prelude::*;

use super::group::Group;
use super::kernel::KernelState;
use super::pursuit::{Pursuit, collect};
use super::target::Target;
use crate::basis::Basis;
use crate::coefficient::CoefficientCode;

/// Winner takes all: a column that several kernels of a group use stays with the one it serves best; the others lose it.
/// Scales and correlations are set again. This is what [`grouped`](super::pursuit::grouped) is compared with.
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
                state.kernels[i].coefficients = coefficients.iter().map(|&c| f32::from(c)).collect();
            }
            for place in 0..width {
                let worth = |k: &KernelState| {
                    let [c, p, norm] = [k.coefficients[place], k.products[place], state.norm(place)].map(f64::from);
                    (k.weight() * (2.0 * c * p / k.scale - c * c * norm)).max(0.0)
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
            state.result()
        })
        .collect();
    collect(target, width, groups, found)
}
