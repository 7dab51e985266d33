//! The real-valued coefficients that reproduce a vector best, by a projection that is computed once for all kernels of a layer.

use std::iter::Sum;
use std::ops::{AddAssign, Mul};

/// `columns x length` matrix that maps a vector to its coefficients, smallest norm among the best.
pub(crate) struct Projection {
    length: usize,
    rows: Vec<f32>,
}

/// Partial sums of a sum of products: as fast as the processor's vectors allow, and in the same order on all of them.
const LANES: usize = 16;

/// Sum of products.
pub(crate) fn dot<T>(a: &[T], b: &[T]) -> T
where
    T: Copy + Default + AddAssign + Mul<Output = T> + Sum,
{
    let (a_lanes, a_rest) = a.as_chunks::<LANES>();
    let (b_lanes, b_rest) = b.as_chunks::<LANES>();
    let mut sums = [T::default(); LANES];
    for (a, b) in a_lanes.iter().zip(b_lanes) {
        for (sum, (a, b)) in sums.iter_mut().zip(a.iter().zip(b)) {
            *sum += *a * *b;
        }
    }
    for (sum, (a, b)) in sums.iter_mut().zip(a_rest.iter().zip(b_rest)) {
        *sum += *a * *b;
    }
    sums.into_iter().sum()
}

/// Sum of products of single precision, in double precision.
pub(crate) fn dot_wide(a: &[f32], b: &[f32]) -> f64 {
    let mut sums = [0.0; LANES];
    for (a, b) in a.chunks(LANES).zip(b.chunks(LANES)) {
        for (sum, (a, b)) in sums.iter_mut().zip(a.iter().zip(b)) {
            *sum += f64::from(*a) * f64::from(*b);
        }
    }
    sums.into_iter().sum()
}

/// Weight of the coefficients' norm against the error. Small enough not to be seen in the result, and it keeps the system
/// regular when the columns do not span the space.
const RIDGE: f64 = 1e-9;

/// The same where unknowns may hardly matter: they stay small.
const SOLVE_RIDGE: f64 = 1e-6;

impl Projection {
    /// For `vectors[column]`, all of the same length, at least 1.
    pub(crate) fn new(vectors: &[Vec<f64>]) -> Self {
        let length = vectors.first().map_or(0, Vec::len);
        let mut gram = vec![0.0; length * length];
        for v in vectors {
            for (a, row) in v.iter().zip(gram.chunks_exact_mut(length)) {
                row.iter_mut().zip(v).for_each(|(g, b)| *g += a * b);
            }
        }
        let trace: f64 = (0..length).map(|i| gram[i * length + i]).sum();
        for i in 0..length {
            gram[i * length + i] += RIDGE * trace / length as f64;
        }
        cholesky(&mut gram, length);
        let mut rows = Vec::with_capacity(vectors.len() * length);
        for v in vectors {
            let start = rows.len();
            rows.extend_from_slice(v);
            solve(&gram, length, &mut rows[start..]);
        }
        Projection { length, rows: rows.iter().map(|&v| v as f32).collect() }
    }

    /// Coefficients of `target`.
    pub(crate) fn coefficients(&self, target: &[f32]) -> impl Iterator<Item = f32> {
        self.rows.chunks_exact(self.length).map(move |row| dot(row, target))
    }
}

/// Solves `matrix x = b` for every row b of `right`, in place, for a symmetric matrix that is positive definite but for rounding errors.
pub(crate) fn solve_all(mut matrix: Vec<f64>, n: usize, right: &mut [Vec<f64>]) {
    let trace: f64 = (0..n).map(|i| matrix[i * n + i]).sum();
    for i in 0..n {
        matrix[i * n + i] += (SOLVE_RIDGE * trace / n as f64).max(f64::MIN_POSITIVE);
    }
    cholesky(&mut matrix, n);
    right.iter_mut().for_each(|b| solve(&matrix, n, b));
}

/// Replaces the lower triangle of a positive definite matrix by its Cholesky factor.
fn cholesky(matrix: &mut [f64], n: usize) {
    for i in 0..n {
        for j in 0..=i {
            let dot: f64 = (0..j).map(|k| matrix[i * n + k] * matrix[j * n + k]).sum();
            let rest = matrix[i * n + j] - dot;
            // The ridge keeps the diagonal positive; the floor is for rounding errors alone.
            matrix[i * n + j] = if i == j { rest.max(f64::MIN_POSITIVE).sqrt() } else { rest / matrix[j * n + j] };
        }
    }
}

fn solve(factor: &[f64], n: usize, x: &mut [f64]) {
    for i in 0..n {
        let dot: f64 = (0..i).map(|k| factor[i * n + k] * x[k]).sum();
        x[i] = (x[i] - dot) / factor[i * n + i];
    }
    for i in (0..n).rev() {
        let dot: f64 = (i + 1..n).map(|k| factor[k * n + i] * x[k]).sum();
        x[i] = (x[i] - dot) / factor[i * n + i];
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Random, test_seed};

    #[test]
    fn complete_overcomplete_and_incomplete_bases_give_the_best_coefficients() {
        let mut random = Random::new(test_seed(3));
        for (columns, length) in [(6, 6), (20, 6), (4, 9)] {
            let vectors: Vec<Vec<f64>> =
                (0..columns).map(|_| (0..length).map(|_| random.signed_unit()).collect()).collect();
            let target: Vec<f32> = (0..length).map(|_| random.signed_unit() as f32).collect();
            let mut rest: Vec<f64> = target.iter().map(|&t| t.into()).collect();
            for (c, v) in Projection::new(&vectors).coefficients(&target).zip(&vectors) {
                rest.iter_mut().zip(v).for_each(|(r, v)| *r -= f64::from(c) * v);
            }
            // What is left is orthogonal to every column: no change of a coefficient can help.
            for v in &vectors {
                let product: f64 = v.iter().zip(&rest).map(|(a, b)| a * b).sum();
                assert!(product.abs() < 1e-5, "{columns} columns of {length}: {product}");
            }
            if columns >= length {
                assert!(rest.iter().all(|r| r.abs() < 1e-5));
            }
        }
    }
}
