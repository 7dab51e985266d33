//! Columns of real numbers: where they start, the best ones for given coefficients, and their rounding to levels.

use super::sums::Sums;
use super::{Columns, School, Unit};
use crate::basis::Basis;
use crate::least_squares::{dot, solve_all};
use crate::random::Random;

/// How much farther columns go than to the least-squares solution, as a share of the way: alternating least squares takes many small steps in
/// the same direction. Above 1 they miss; with 1 as many rounds gain 0.06 to 0.28 dB more than without.
const OVERSTEP: f64 = 0.8;

impl School<'_> {
    /// Subvectors of random kernels as columns of the same length, and columns of `start` where there are not enough.
    pub(super) fn subvectors(&self, units: &[Unit], start: &Basis, seed: u64) -> Columns {
        let mut random = Random::new(seed ^ 0x7375_6276);
        let mut columns = start.vectors(start.rows);
        for column in &mut columns {
            let unit = &units[random.below(units.len())];
            let (target, cut) = (&self.lessons[unit.layer].target, &self.cuts[unit.layer]);
            let weights = target.kernel(unit.group[random.below(unit.group.len())], cut);
            let subvector = &weights[random.below(cut.count) * cut.length..][..cut.length];
            let norm = f64::from(dot(subvector, subvector)).sqrt();
            if norm > 0.0 {
                // Rows beyond a short subvector are filled from the fixed basis, at the mean size.
                let size = norm / (cut.length as f64).sqrt();
                let fill = |(row, v): (usize, &f64)| subvector.get(row).map_or(v.signum(), |&w| f64::from(w) / size);
                *column = column.iter().enumerate().map(fill).collect();
            }
        }
        columns
    }

    /// Moves real-valued columns to those that are best for the coefficients and somewhat beyond; all are made equally long.
    pub(super) fn solve_columns(&self, units: &[Unit], columns: &mut Columns) {
        let sums = Sums::new(self, units, columns.len());
        self.revive(&sums, units, columns);
        let before = columns.clone();
        let rows = columns[0].len();
        let mut lengths: Vec<usize> = self.cuts.iter().map(|c| c.length).collect();
        lengths.sort_unstable();
        lengths.dedup();
        let mut from = 0;
        for to in lengths {
            // Rows between two lengths are reached by the same layers.
            let (matrix, _) = sums.of_row(from);
            let mut right: Vec<Vec<f64>> = (from..to).map(|row| sums.of_row(row).1).collect();
            solve_all(matrix, columns.len(), &mut right);
            for (row, solved) in (from..to).zip(right) {
                for (c, (column, value)) in columns.iter_mut().zip(solved).enumerate() {
                    if sums.is_used(c) {
                        column[row] = value;
                    }
                }
            }
            from = to;
        }
        for (column, before) in columns.iter_mut().zip(before) {
            make_long(column, rows);
            // A column that turned around is another one.
            if dot(column, &before) > 0.0 {
                column.iter_mut().zip(before).for_each(|(v, before)| *v += OVERSTEP * (*v - before));
                make_long(column, rows);
            }
        }
    }

    /// Levels for real-valued columns, with the one factor for all of them that loses least.
    pub(super) fn rounded(&self, columns: Columns) -> Columns {
        let largest = columns.iter().flatten().fold(f64::MIN_POSITIVE, |m, v| m.max(v.abs()));
        let level = |v: f64, unit: f64| (v / unit).round().clamp(-self.level_max, self.level_max);
        let cost = |unit: &f64| -> f64 {
            let (mut product, mut norm, mut signal) = (0.0, 0.0, 0.0);
            for v in columns.iter().flatten() {
                let level = level(*v, *unit);
                product += level * v;
                norm += level * level;
                signal += v * v;
            }
            signal - if norm > 0.0 { product * product / norm } else { 0.0 }
        };
        let units: Vec<f64> = (0..24).map(|i| largest / self.level_max * 0.9f64.powi(i)).collect();
        let unit = units.into_iter().min_by(|a, b| cost(a).total_cmp(&cost(b))).unwrap_or(1.0);
        columns.into_iter().map(|c| c.into_iter().map(|v| level(v, unit)).collect()).collect()
    }
}

/// Scales a column to the length that levels of +-1 would have.
fn make_long(column: &mut [f64], rows: usize) {
    let norm = dot(column, column).sqrt();
    let scale = if norm > 0.0 { (rows as f64).sqrt() / norm } else { 1.0 };
    column.iter_mut().for_each(|v| *v *= scale);
}
