//! Canonical signed digits: every integer as a sum of signed powers of two, no two of them adjacent.
//! No other signed binary form has fewer digits, and adjacent planes never use the same column.

/// Largest coefficient of `planes` planes: 1, 2, 5, 10, 21, 42 for 1 to 6.
pub fn coefficient_max(planes: usize) -> i32 {
    (0..planes).rev().step_by(2).map(|plane| 1 << plane).sum()
}

/// Digits of `value`, lowest plane first: -1, 0 or 1 for each of `planes` planes.
/// `value` is within -[`coefficient_max`]..[`coefficient_max`].
pub fn digits(value: i32, planes: usize) -> impl Iterator<Item = i8> {
    let mut rest = value;
    (0..planes).map(move |_| {
        // 1 for ...01, -1 for ...11: the next digit is then 0.
        let digit = if rest & 1 == 0 { 0 } else { 2 - (rest & 3) };
        rest = (rest - digit) >> 1;
        digit as i8
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_integer_in_range_has_its_canonical_digits() {
        assert_eq!([1, 2, 3, 4, 5, 6].map(coefficient_max), [1, 2, 5, 10, 21, 42]);
        for planes in 1..=6 {
            let max = coefficient_max(planes);
            for value in -max..=max {
                let digits: Vec<i8> = digits(value, planes).collect();
                let sum: i32 = digits.iter().enumerate().map(|(j, d)| i32::from(*d) << j).sum();
                assert_eq!((digits.len(), sum), (planes, value));
                assert!(digits.windows(2).all(|w| w[0] == 0 || w[1] == 0), "{value}: {digits:?}");
            }
        }
        assert_eq!(digits(7, 4).collect::<Vec<_>>(), [-1, 0, 0, 1]);
        assert_eq!(digits(-10, 4).collect::<Vec<_>>(), [0, -1, 0, -1]);
    }
}
