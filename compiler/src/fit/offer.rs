//! What a column is worth to a kernel: the coefficient that takes away most of what is left of the weights, and how much that is.
//!
//! Loops over all columns of a subvector are the fit's innermost ones. They have no branches, so that they run on the processor's vectors,
//! whatever their width, and give the same bits on all of them.

use crate::coefficient::{CoefficientCode, CoefficientForm, nearest_integer, nearest_power_of_two};

/// Low bits of a gain that make room for the column's number, which is below 512: the 14 bits of fraction that remain tell columns
/// apart well enough.
const COLUMN_BITS: u32 = 9;
const COLUMN_MASK: i32 = (1 << COLUMN_BITS) - 1;

/// A coefficient for a column.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Offer {
    pub(super) column: usize,
    pub(super) coefficient: f32,
    /// By how much it lessens the square of what is left, in squares of a coefficient step; 0 for no coefficient.
    pub(super) gain: f32,
}

impl Offer {
    /// Of one column: `left` is its product with what is left, without the column's own part; `norm` the square of its length and
    /// `reciprocal` that number's reciprocal, or 0 for a column that is not to be taken.
    pub(super) fn of(code: CoefficientCode, column: usize, left: f32, norm: f32, reciprocal: f32) -> Self {
        let coefficient = code.nearest(left * reciprocal);
        Offer { column, coefficient, gain: gain(coefficient, left, norm) }
    }

    /// The best of all columns; the first of several that are about equal.
    pub(super) fn best(code: CoefficientCode, left: &[f32], norms: &[f32], reciprocals: &[f32]) -> Self {
        let max = code.max() as f32;
        // One loop for each form: the choice does not belong into it.
        let key = match code.form {
            CoefficientForm::Csd => best_key(left, norms, reciprocals, |value| nearest_integer(value, max)),
            CoefficientForm::PowerOfTwo => best_key(left, norms, reciprocals, |value| nearest_power_of_two(value, max)),
        };
        if key <= COLUMN_MASK {
            return Offer::default();
        }
        let column = (COLUMN_MASK - (key & COLUMN_MASK)) as usize;
        Offer::of(code, column, left[column], norms[column], reciprocals[column])
    }
}

fn gain(coefficient: f32, left: f32, norm: f32) -> f32 {
    coefficient * (2.0 * left - coefficient * norm)
}

/// Largest gain, with the number of its column counted down in its low bits. Positive numbers are in the order of their bits.
#[inline(always)]
fn best_key(left: &[f32], norms: &[f32], reciprocals: &[f32], nearest: impl Fn(f32) -> f32) -> i32 {
    let mut best = 0;
    let mut column = COLUMN_MASK;
    for ((&left, &norm), &reciprocal) in left.iter().zip(norms).zip(reciprocals) {
        let gain = gain(nearest(left * reciprocal), left, norm);
        best = best.max((gain.to_bits() as i32 & !COLUMN_MASK) | column);
        column -= 1;
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Random, test_seed};

    #[test]
    fn the_best_offer_is_that_of_all_coefficients_of_all_columns_that_may_be_taken() {
        let mut random = Random::new(test_seed(46));
        for (columns, code) in [
            (1, CoefficientCode::TERNARY),
            (33, CoefficientCode::csd(4)),
            (128, CoefficientCode::power_of_two(3)),
            (512, CoefficientCode::csd(6)),
        ] {
            let norms: Vec<f32> = (0..columns).map(|_| 40.0 + 20.0 * random.signed_unit() as f32).collect();
            let left: Vec<f32> = norms.iter().map(|norm| 6.0 * norm * random.signed_unit() as f32).collect();
            let mut reciprocals: Vec<f32> = norms.iter().map(|norm| 1.0 / norm).collect();
            let all: Vec<f32> = (-64..=64).filter(|&c| code.contains(c)).map(f32::from).collect();
            for _ in 0..columns {
                let gains = (0..columns).filter(|&c| reciprocals[c] > 0.0).flat_map(|c| {
                    all.iter().map(move |&value| (c, value)).map(|(c, value)| gain(value, left[c], norms[c]))
                });
                let most = gains.fold(0.0f32, f32::max);
                let found = Offer::best(code, &left, &norms, &reciprocals);
                assert!(found.gain <= most * 1.0001 && found.gain >= most * 0.9999, "{found:?}, {most}");
                if found.gain > 0.0 {
                    assert!(reciprocals[found.column] > 0.0 && code.contains(found.coefficient as i8));
                    assert_eq!(found.gain, gain(found.coefficient, left[found.column], norms[found.column]));
                }
                reciprocals[found.column] = 0.0;
            }
            assert_eq!(Offer::best(code, &left, &norms, &reciprocals), Offer::default());
        }
    }
}
