//! Terms that discourage kernels from wanting the same columns, or many: added to the loss, each times a weight.
//!
//! `u = min(|latent|, 1)` says how much a kernel uses a column of a subvector; columns that the limit on nonzeros excludes count as 0. K and S
//! are the kernels and subvectors of a layer, and kernels compete in a group, or without groups with all of the same home.
//!
//! | term | formula, summed over the layers |
//! |---|---|
//! | contest | `1 / (S K) sum over groups, subvectors, columns of ((sum u)^2 - sum u^2) / 2`: products of pairs |
//! | column load | `(mean over groups, subvectors, columns of (sum u)^4)^(1/4)` |
//! | L1 | `1 / (S K) sum of abs(latent)` |

use burn::tensor::{Device, Tensor, TensorData};
use serde::{Deserialize, Serialize};

use crate::Error;
use crate::coefficients::{Limit, Rule};

/// Weights of the terms; 0 leaves one out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Penalties {
    /// Contests, softly counted.
    pub contest: f64,
    /// Load of the columns.
    pub load: f64,
    /// Absolute values of the latents.
    pub l1: f64,
}

impl Penalties {
    /// Whether all terms are left out.
    pub fn is_none(&self) -> bool {
        *self == Penalties::default()
    }

    /// Refuses negative weights.
    ///
    /// # Errors
    /// The first such weight.
    pub fn check(&self) -> Result<(), Error> {
        let weights = [("--contest-penalty", self.contest), ("--load-penalty", self.load), ("--l1-penalty", self.l1)];
        match weights.into_iter().find(|(_, weight)| !(*weight >= 0.0 && weight.is_finite())) {
            Some((at, weight)) => Err(Error::Options { at, cause: format!("{weight}; zero or a positive number") }),
            None => Ok(()),
        }
    }

    /// The terms of one layer: `latents` in the order of `rule`, which `owned` of them the limit allows, and the kernels that `compete`.
    pub fn of_layer(
        &self,
        latents: Tensor<1>,
        rule: &Rule,
        owned: &[bool],
        compete: &[Vec<usize>],
        device: &Device,
    ) -> Tensor<1> {
        let places = (rule.kernels * rule.subvectors) as f64;
        let l1 = latents.clone().abs().sum().mul_scalar(self.l1 / places);
        if self.contest == 0.0 && self.load == 0.0 {
            return l1;
        }
        let mut used = latents.abs().clamp_max(1.0);
        if matches!(rule.limit, Limit::Nonzeros(_)) {
            let mask: Vec<f32> = owned.iter().map(|&owned| if owned { 1.0 } else { 0.0 }).collect();
            used = used * Tensor::<1>::from_data(TensorData::new(mask, [owned.len()]), device);
        }
        let used = used.reshape([rule.kernels, rule.subvectors * rule.columns]);
        let mut members = vec![0.0f32; compete.len() * rule.kernels];
        for (group, kernels) in compete.iter().enumerate() {
            kernels.iter().for_each(|kernel| members[group * rule.kernels + kernel] = 1.0);
        }
        let members = Tensor::<2>::from_data(TensorData::new(members, [compete.len(), rule.kernels]), device);
        let load = members.matmul(used.clone());
        let pairs = (load.clone().square().sum() - used.square().sum()).mul_scalar(0.5 * self.contest / places);
        // Not quite zero: the gradient of a root of zero is infinite.
        let power = load.square().square().mean().add_scalar(1e-12).powf_scalar(0.25).mul_scalar(self.load);
        l1 + pairs + power
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use basisn_compiler::coefficient::CoefficientCode;

    /// Two kernels, one subvector, three columns.
    fn term(penalties: Penalties, limit: Limit, owned: [bool; 6], compete: &[Vec<usize>]) -> f64 {
        let device = Device::flex();
        let rule = Rule { kernels: 2, subvectors: 1, columns: 3, code: CoefficientCode::TERNARY, limit };
        let latents = Tensor::from_data([0.5, -2.0, 0.0, -0.25, 0.5, 1.0], &device);
        f64::from(penalties.of_layer(latents, &rule, &owned, compete, &device).into_scalar::<f32>())
    }

    #[test]
    fn terms_are_those_of_the_formulas() {
        let together = [vec![0, 1]];
        let near = |found: f64, wanted: f64| assert!((found - wanted).abs() < 1e-5, "{found}, not {wanted}");
        let contest = Penalties { contest: 2.0, ..Penalties::default() };
        near(term(contest, Limit::Dense, [true; 6], &together), 2.0 / 2.0 * (0.5 * 0.25 + 1.0 * 0.5));
        near(term(contest, Limit::Dense, [true; 6], &[vec![0], vec![1]]), 0.0);
        let owned = [true, true, false, false, true, true];
        near(term(contest, Limit::Nonzeros(2), owned, &together), 2.0 / 2.0 * (1.0 * 0.5));
        let load = Penalties { load: 3.0, ..Penalties::default() };
        let fourth = [0.75f64, 1.5, 1.0].iter().map(|load| load.powi(4)).sum::<f64>() / 3.0;
        near(term(load, Limit::Dense, [true; 6], &together), 3.0 * fourth.powf(0.25));
        near(term(Penalties { l1: 1.0, ..Penalties::default() }, Limit::Dense, [true; 6], &together), 4.25 / 2.0);
        assert!(Penalties::default().is_none() && !load.is_none());
    }
}
