//! What counts as near: products of the basis vectors with each other and with the weights, all that a fit has to know of the basis.
//!
//! For second moments `M = E[x x^T]` of a subvector's inputs, the error of a weight `e` is `e^T M e`: the power it adds to the result.
//! Without calibration data M is the identity.

use crate::basis::Basis;
use crate::least_squares::dot;

/// Products under one quadratic form.
#[derive(Clone, Debug)]
pub(crate) struct Metric {
    pub columns: usize,
    pub length: usize,
    /// `V^T M V`, `[column][column]`.
    gram: Vec<f32>,
    /// Its diagonal.
    norms: Vec<f32>,
    /// The diagonal's reciprocals; 0 for columns of no length.
    reciprocals: Vec<f32>,
    /// `V^T M`, `[column][row]`.
    projection: Vec<f32>,
    /// M, `[row][row]`; none for the identity.
    moments: Option<Vec<f64>>,
}

impl Metric {
    /// For subvectors of `length` rows, all of the same importance.
    pub(crate) fn plain(basis: &Basis, length: usize) -> Self {
        Self::of_columns(basis.vectors(length), None)
    }

    /// For the second moments `[row][row]` of a subvector's inputs.
    pub(crate) fn weighted(basis: &Basis, length: usize, moments: &[f64]) -> Self {
        Self::of_columns(basis.vectors(length), Some(moments.to_vec()))
    }

    /// For columns `[column][row]`, at least one.
    pub(crate) fn of_columns(vectors: Vec<Vec<f64>>, moments: Option<Vec<f64>>) -> Self {
        let (columns, length) = (vectors.len(), vectors[0].len());
        let projection: Vec<f64> = match &moments {
            None => vectors.concat(),
            Some(m) => vectors.iter().flat_map(|v| m.chunks_exact(length).map(move |row| dot(row, v))).collect(),
        };
        let mut gram = vec![0.0; columns * columns];
        for (a, projected) in projection.chunks_exact(length).enumerate() {
            for (b, v) in vectors.iter().enumerate().take(a + 1) {
                let product = dot(projected, v) as f32;
                gram[a * columns + b] = product;
                gram[b * columns + a] = product;
            }
        }
        let norms: Vec<f32> = gram.iter().copied().step_by(columns + 1).collect();
        let reciprocals = norms.iter().map(|&norm| if norm > 0.0 { 1.0 / norm } else { 0.0 }).collect();
        let projection = projection.iter().map(|&v| v as f32).collect();
        Metric { columns, length, gram, norms, reciprocals, projection, moments }
    }

    /// Products of one column with all of them.
    pub(crate) fn gram(&self, column: usize) -> &[f32] {
        &self.gram[column * self.columns..(column + 1) * self.columns]
    }

    /// Squares of all columns' lengths.
    pub(crate) fn norms(&self) -> &[f32] {
        &self.norms
    }

    /// Their reciprocals; 0 for columns of no length.
    pub(crate) fn reciprocals(&self) -> &[f32] {
        &self.reciprocals
    }

    /// Products of all columns with `target`, and the square of its length.
    pub(crate) fn correlations(&self, target: &[f32], into: &mut [f32]) -> f64 {
        for (value, row) in into.iter_mut().zip(self.projection.chunks_exact(self.length)) {
            *value = dot(row, target);
        }
        let target: Vec<f64> = target.iter().map(|&t| t.into()).collect();
        match &self.moments {
            None => dot(&target, &target),
            Some(m) => m.chunks_exact(self.length).zip(&target).map(|(row, t)| t * dot(row, &target)).sum(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Random, test_seed};

    #[test]
    fn products_are_those_of_the_quadratic_form() {
        let mut random = Random::new(test_seed(31));
        let (rows, columns, length) = (6, 9, 5);
        let levels = (0..rows * columns).map(|_| random.below(7) as i8 - 3).collect();
        let basis = Basis { rows, columns, levels };
        let root: Vec<f64> = (0..length * length).map(|_| random.signed_unit()).collect();
        let entry = |i: usize, j: usize| (0..length).map(|k| root[i * length + k] * root[j * length + k]).sum::<f64>();
        let moments: Vec<f64> = (0..length * length).map(|n| entry(n / length, n % length)).collect();
        let target: Vec<f64> = (0..length).map(|_| f64::from(random.signed_unit() as f32)).collect();
        let single: Vec<f32> = target.iter().map(|&t| t as f32).collect();
        let identity: Vec<f64> =
            (0..length * length).map(|n| if n / length == n % length { 1.0 } else { 0.0 }).collect();
        for (metric, m) in
            [(Metric::plain(&basis, length), &identity), (Metric::weighted(&basis, length, &moments), &moments)]
        {
            let form = |a: &[f64], b: &[f64]| -> f64 {
                (0..length).map(|i| (0..length).map(|j| a[i] * m[i * length + j] * b[j]).sum::<f64>()).sum()
            };
            let vectors = basis.vectors(length);
            let mut found = vec![0.0; columns];
            assert!((metric.correlations(&single, &mut found) - form(&target, &target)).abs() < 1e-9);
            for a in 0..columns {
                let near = |found: f32, wanted: f64| (f64::from(found) - wanted).abs() < 1e-5 * (1.0 + wanted.abs());
                assert!(near(found[a], form(&vectors[a], &target)));
                let norm = form(&vectors[a], &vectors[a]);
                assert!(near(metric.norms()[a], norm));
                assert!(near(metric.reciprocals()[a], if norm > 0.0 { 1.0 / norm } else { 0.0 }));
                for b in 0..columns {
                    assert!(near(metric.gram(a)[b], form(&vectors[a], &vectors[b])));
                }
            }
        }
    }
}
