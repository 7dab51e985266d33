//! Which integers a coefficient can be: what its planes can represent.

use serde::{Deserialize, Serialize};

use crate::csd::coefficient_max;

/// Largest number of coefficient planes.
pub const PLANES_MAX: usize = 6;

/// The form of a coefficient; with one plane both forms are ternary.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CoefficientForm {
    /// Zero or one signed power of two: a column is in one plane only, so that all planes of a kernel can share a slot.
    PowerOfTwo,
    /// Canonical signed digits: every integer up to [`coefficient_max`].
    Csd,
}

/// Form and number of planes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CoefficientCode {
    /// Form.
    pub form: CoefficientForm,
    /// Coefficient planes J, 1..[`PLANES_MAX`].
    pub planes: usize,
}

impl CoefficientCode {
    /// -1, 0 or 1.
    pub const TERNARY: Self = CoefficientCode { form: CoefficientForm::Csd, planes: 1 };

    /// Canonical signed digits of `planes` planes.
    pub fn csd(planes: usize) -> Self {
        CoefficientCode { form: CoefficientForm::Csd, planes }
    }

    /// One signed power of two of `planes`.
    pub fn power_of_two(planes: usize) -> Self {
        CoefficientCode { form: CoefficientForm::PowerOfTwo, planes }
    }

    /// Largest coefficient.
    pub fn max(self) -> i32 {
        match self.form {
            CoefficientForm::Csd => coefficient_max(self.planes),
            CoefficientForm::PowerOfTwo => 1 << (self.planes - 1),
        }
    }

    /// The coefficient nearest to `value`; the smaller one of two equally near powers of two.
    pub fn nearest(self, value: f64) -> f64 {
        let max = f64::from(self.max());
        match self.form {
            // Clamped first, so that a conversion rounds: `round` is a call on processors without SSE 4.
            CoefficientForm::Csd => f64::from((value.clamp(-max, max) + 0.5f64.copysign(value)) as i32),
            CoefficientForm::PowerOfTwo => {
                let size = value.abs();
                if size <= 0.5 {
                    return 0.0;
                }
                let mut level = 1.0;
                while level < max && size > 1.5 * level {
                    level *= 2.0;
                }
                level.copysign(value)
            }
        }
    }

    /// Whether `coefficient` has this form.
    pub fn contains(self, coefficient: i8) -> bool {
        let size = i32::from(coefficient).abs();
        size <= self.max() && (self.form == CoefficientForm::Csd || size.count_ones() <= 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_is_a_coefficient_and_no_other_one_is_nearer() {
        for form in [CoefficientForm::Csd, CoefficientForm::PowerOfTwo] {
            for planes in 1..=PLANES_MAX {
                let code = CoefficientCode { form, planes };
                let all: Vec<i8> = (-64..=64).filter(|&c| code.contains(c)).collect();
                assert_eq!(all.iter().map(|&c| i32::from(c)).max(), Some(code.max()));
                for step in -1000..=1000 {
                    let value = f64::from(step) * 0.0931;
                    let found = code.nearest(value);
                    assert!(code.contains(found as i8) && found == f64::from(found as i8));
                    let least = all.iter().map(|&c| (f64::from(c) - value).abs()).fold(f64::INFINITY, f64::min);
                    assert!((found - value).abs() <= least + 1e-12, "{code:?}: {found} for {value}");
                }
            }
        }
        assert_eq!((CoefficientCode::power_of_two(3).max(), CoefficientCode::csd(3).max()), (4, 5));
    }
}
