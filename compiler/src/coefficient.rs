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

    /// The coefficient nearest to `value`; the even one of two equally near integers, and the smaller one of two powers of two.
    pub fn nearest(self, value: f32) -> f32 {
        match self.form {
            CoefficientForm::Csd => nearest_integer(value, self.max() as f32),
            CoefficientForm::PowerOfTwo => nearest_power_of_two(value, self.max() as f32),
        }
    }

    /// Whether `coefficient` has this form.
    pub fn contains(self, coefficient: i8) -> bool {
        let size = i32::from(coefficient).abs();
        size <= self.max() && (self.form == CoefficientForm::Csd || size.count_ones() <= 1)
    }
}

/// The nearest integer of at most this size.
#[inline(always)]
pub(crate) fn nearest_integer(value: f32, max: f32) -> f32 {
    // Numbers of this size have no fraction: adding rounds. `round` would be a call on processors without SSE 4.
    const WHOLE: f32 = 1.5 * (1 << 23) as f32;
    (value.clamp(-max, max) + WHOLE) - WHOLE
}

/// Zero or the nearest signed power of two of at most this size.
#[inline(always)]
pub(crate) fn nearest_power_of_two(value: f32, max: f32) -> f32 {
    // Rounds the fraction: what is more than 1.5 times a power of two becomes the next one.
    const EXPONENT: u32 = 0xff << 23;
    const NEARLY_HALF: u32 = (1 << 22) - 1;
    let size = value.abs();
    let level = f32::from_bits((size.to_bits() + NEARLY_HALF) & EXPONENT).clamp(1.0, max);
    let level = if size > 0.5 { level } else { 0.0 };
    level.copysign(value)
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
                    let value = step as f32 * 0.0931;
                    let found = code.nearest(value);
                    assert!(code.contains(found as i8) && found == f32::from(found as i8));
                    let least = all.iter().map(|&c| (f32::from(c) - value).abs()).fold(f32::INFINITY, f32::min);
                    assert!((found - value).abs() <= least, "{code:?}: {found} for {value}");
                }
            }
        }
        assert_eq!((CoefficientCode::power_of_two(3).max(), CoefficientCode::csd(3).max()), (4, 5));
    }
}
