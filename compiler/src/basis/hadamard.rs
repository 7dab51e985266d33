//! Hadamard matrices of any size: Sylvester's and Paley's, cut where no construction gives the size.
//!
//! Sizes that are powers of two are Sylvester's, `(-1)^popcount(i & c)`, with row signs d that are a bent function, so that every column's sum is as small
//! as it can be: inputs are not negative, and a column with a large sum would saturate the ADC. Other sizes take the smallest order that
//! Sylvester's doubling and Paley's two constructions reach, with the row signs of the best of some random draws. Rows
//! and columns are in random order, and cut from the larger matrix; if they are cut, they are no longer exactly orthogonal.

use basisn_arch::clog2;

use crate::random::Random;

/// Draws of the row signs where no bent function is at hand.
const DRAWS: usize = 64;

/// Which levels of a `rows x columns` matrix are negative, row-major.
pub(super) fn negative(rows: usize, columns: usize, random: &mut Random) -> Vec<bool> {
    let order = order(rows.max(columns));
    let mut pick = |count: usize| {
        let mut codes: Vec<usize> = (0..order).collect();
        random.shuffle(&mut codes);
        codes.truncate(count);
        codes
    };
    let (row_codes, column_codes) = (pick(rows), pick(columns));
    let entries: Vec<bool> =
        row_codes.iter().flat_map(|&row| column_codes.iter().map(move |&column| sign(order, row, column))).collect();
    let signs: Vec<bool> = if order.is_power_of_two() {
        row_codes.iter().map(|&row| bent(row)).collect()
    } else {
        let draws = (0..DRAWS).map(|_| (0..rows).map(|_| random.below(2) == 1).collect::<Vec<bool>>());
        let largest_sum = |signs: &Vec<bool>| {
            let mut sums = vec![0i32; columns];
            for (entries, flip) in entries.chunks_exact(columns).zip(signs) {
                sums.iter_mut().zip(entries).for_each(|(sum, entry)| *sum += if flip ^ entry { -1 } else { 1 });
            }
            sums.iter().map(|sum| sum.abs()).max()
        };
        draws.min_by_key(largest_sum).unwrap_or_default()
    };
    entries.chunks_exact(columns).zip(signs).flat_map(|(row, flip)| row.iter().map(move |entry| flip ^ entry)).collect()
}

/// The smallest order from `least` on that the constructions reach; powers of two are among them.
pub(super) fn order(least: usize) -> usize {
    (least..=1 << clog2(least)).find(|&n| base(n).is_some()).unwrap_or(1 << clog2(least))
}

/// A construction without doubling, for a size.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Base {
    /// The matrix of one entry.
    One,
    /// Paley's first one, of order q + 1 for a prime q = 3 mod 4.
    First(usize),
    /// Paley's second one, of order 2 (q + 1) for a prime q = 1 mod 4.
    Second(usize),
}

/// What is doubled how often to reach order `n`.
fn base(n: usize) -> Option<(Base, u32)> {
    (0..=n.trailing_zeros()).rev().find_map(|doublings| {
        let m = n >> doublings;
        let base = match m {
            1 => Some(Base::One),
            _ if m.is_multiple_of(4) && is_prime(m - 1) => Some(Base::First(m - 1)),
            _ if m.is_multiple_of(4) && is_prime(m / 2 - 1) && (m / 2 - 1) % 4 == 1 => Some(Base::Second(m / 2 - 1)),
            _ => None,
        };
        base.map(|base| (base, doublings))
    })
}

/// Whether an entry of the Hadamard matrix of order `n`, one that [`order`] gives, is negative.
fn sign(n: usize, row: usize, column: usize) -> bool {
    let Some((base, doublings)) = base(n) else { return false };
    let low = (1 << doublings) - 1;
    let doubled = (row & column & low).count_ones() & 1 == 1;
    let (i, j) = (row >> doublings, column >> doublings);
    doubled
        ^ match base {
            Base::One => false,
            Base::First(q) => first(q, i, j),
            Base::Second(q) => second(q, i, j),
        }
}

/// I + S, where S is skew: a first row of ones, a first column of minus ones, and the Legendre symbols of the differences.
fn first(q: usize, i: usize, j: usize) -> bool {
    match (i, j) {
        _ if i == j => false,
        (0, _) => false,
        (_, 0) => true,
        _ => !is_square((q + i - j) % q, q),
    }
}

/// The conference matrix of the Legendre symbols, its entries replaced by 2 x 2 blocks.
fn second(q: usize, i: usize, j: usize) -> bool {
    let (a, b) = (i / 2, j / 2);
    let (x, y) = (i % 2, j % 2);
    match (a, b) {
        // Zeros of the diagonal: 1 -1 / -1 -1.
        _ if a == b => x + y > 0,
        (0, _) | (_, 0) => x + y == 2,
        // 1 1 / 1 -1, or its negative.
        _ => (x + y == 2) ^ !is_square((q + a - b) % q, q),
    }
}

fn is_prime(n: usize) -> bool {
    n > 1 && (2..n).take_while(|d| d * d <= n).all(|d| !n.is_multiple_of(d))
}

/// Whether `n`, not 0, is a square modulo the prime `q`.
fn is_square(n: usize, q: usize) -> bool {
    // Euler's criterion.
    let (mut power, mut base, mut exponent) = (1, n % q, (q - 1) / 2);
    while exponent > 0 {
        if exponent & 1 == 1 {
            power = power * base % q;
        }
        base = base * base % q;
        exponent >>= 1;
    }
    power == 1
}

/// x0 x1 + x2 x3 + ...: bent for an even number of bits, as near as can be for an odd one.
fn bent(n: usize) -> bool {
    (n & (n >> 1) & 0x5555_5555).count_ones() & 1 == 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_order_that_is_reached_is_orthogonal() {
        let reached: Vec<usize> = (1..=260).filter(|&n| base(n).is_some()).collect();
        // Multiples of four that need other constructions, or prime powers, are not reached.
        let missing: Vec<usize> = (4..=260).step_by(4).filter(|n| !reached.contains(n)).collect();
        assert!(reached.iter().all(|n| *n < 3 || n % 4 == 0) && missing.len() < 16, "{missing:?}");
        for n in reached.into_iter().filter(|n| *n <= 132) {
            let row = |i: usize| (0..n).map(|j| if sign(n, i, j) { -1i32 } else { 1 }).collect::<Vec<_>>();
            let rows: Vec<_> = (0..n).map(row).collect();
            for (i, a) in rows.iter().enumerate() {
                for (j, b) in rows.iter().enumerate() {
                    let product: i32 = a.iter().zip(b).map(|(a, b)| a * b).sum();
                    assert_eq!(product, if i == j { n as i32 } else { 0 }, "order {n}, rows {i} and {j}");
                }
            }
        }
    }

    #[test]
    fn orders_waste_little() {
        assert_eq!([1, 2, 8, 24, 64, 100, 128, 129, 256, 512].map(order), [1, 2, 8, 24, 64, 104, 128, 132, 256, 512]);
        for least in 3..512 {
            let order = order(least);
            assert!(order >= least && order <= least + 12, "{least}: {order}");
        }
    }
}
