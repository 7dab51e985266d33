//! Products of coefficients with each other and with the weights, all that a least-squares solution for the cells needs.

use rayon::prelude::*;

use super::{School, Unit};

/// Groups whose sums are added up one after the other; the sums of chunks are added in order, whatever the number of threads.
const CHUNK: usize = 16;

/// What the cells have to know of coefficients and weights, for every length of subvectors: `sum delta^2 c c^T` and `sum delta w c^T`.
pub(super) struct Sums {
    columns: usize,
    /// `[column][column]` of every layer.
    coefficients: Vec<Vec<f64>>,
    /// `[column][row]` of every layer, as many rows as its subvectors are long.
    weights: Vec<Vec<f64>>,
    lengths: Vec<usize>,
}

impl Sums {
    pub(super) fn new(school: &School, units: &[Unit], columns: usize) -> Self {
        let School { lessons, cuts, importance, .. } = school;
        let empty = |layer: usize| (vec![0.0; columns * columns], vec![0.0; cuts[layer].length * columns]);
        // Chunks have one layer each: its sums have its size.
        let parts: Vec<(usize, Vec<f64>, Vec<f64>)> = units
            .par_chunk_by(|a, b| a.layer == b.layer)
            .flat_map(|of_layer| of_layer.par_chunks(CHUNK))
            .map(|chunk| {
                let layer = chunk[0].layer;
                let (mut a, mut b) = empty(layer);
                let cut = &cuts[layer];
                for (kernel, found) in chunk.iter().flat_map(|u| u.group.iter().zip(&u.found)) {
                    let weights = lessons[layer].target.kernel(*kernel, cut);
                    let (scale, square) =
                        (found.scale * importance[layer], found.scale * found.scale * importance[layer]);
                    for (w, c) in weights.chunks_exact(cut.length).zip(found.coefficients.chunks_exact(columns)) {
                        let used: Vec<(usize, f64)> =
                            (0..columns).filter(|&i| c[i] != 0).map(|i| (i, f64::from(c[i]))).collect();
                        for &(i, x) in &used {
                            let row = &mut a[i * columns..(i + 1) * columns];
                            used.iter().for_each(|&(j, y)| row[j] += square * x * y);
                        }
                        for &(i, x) in &used {
                            let column = &mut b[i * cut.length..(i + 1) * cut.length];
                            column.iter_mut().zip(w).for_each(|(b, w)| *b += scale * x * f64::from(*w));
                        }
                    }
                }
                (layer, a, b)
            })
            .collect();
        let (mut coefficients, mut weights): (Vec<_>, Vec<_>) = (0..cuts.len()).map(empty).unzip();
        for (layer, a, b) in parts {
            coefficients[layer].iter_mut().zip(a).for_each(|(sum, a)| *sum += a);
            weights[layer].iter_mut().zip(b).for_each(|(sum, b)| *sum += b);
        }
        Sums { columns, coefficients, weights, lengths: cuts.iter().map(|c| c.length).collect() }
    }

    /// The sums over all layers whose subvectors reach `row`.
    pub(super) fn of_row(&self, row: usize) -> (Vec<f64>, Vec<f64>) {
        let (mut a, mut b) = (vec![0.0; self.columns * self.columns], vec![0.0; self.columns]);
        for layer in (0..self.lengths.len()).filter(|&l| self.lengths[l] > row) {
            a.iter_mut().zip(&self.coefficients[layer]).for_each(|(sum, x)| *sum += x);
            let weights = self.weights[layer][row..].iter().step_by(self.lengths[layer]);
            b.iter_mut().zip(weights).for_each(|(sum, x)| *sum += x);
        }
        (a, b)
    }

    pub(super) fn is_used(&self, column: usize) -> bool {
        self.coefficients.iter().any(|a| a[column * (self.columns + 1)] > 0.0)
    }
}
