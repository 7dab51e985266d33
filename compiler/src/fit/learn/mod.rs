//! A basis learned from the weights of all layers together, by alternating least squares.
//!
//! In turn, coefficients and scales are improved for the cells as they are, and cells for the coefficients as they are. First the cells are real
//! numbers, start from subvectors of the weights, and columns are kept at the same length, as in dictionary learning. Then they are
//! rounded to levels and chosen one at a time against what is left: quantized in the loop, so that the error never grows
//! and nothing is rounded afterwards. A column that no kernel uses takes over a subvector that is represented worst, as K-SVD does.
//! A second run starts from the levels of the fixed basis; the better one is taken.

mod columns;
mod sums;

use basisn_arch::{ChipConfig, Subvectors};
use rayon::prelude::*;

use super::group::Group;
use super::kernel::KernelFit;
use super::metric::Metric;
use super::target::Target;
use super::{LayerOptions, pursuit};
use crate::basis::Basis;
use crate::least_squares::{Projection, dot};
use crate::random::Random;
use sums::Sums;

/// Subvectors to learn from: more of them hardly change the basis.
const SAMPLE: usize = 16_384;
/// Rounds of improvement of the coefficients for the same cells: the next cells come soon.
const IMPROVEMENTS: usize = 1;
/// Rounds with cells that are real numbers.
const REAL_ROUNDS: usize = 10;
/// Rounds with cells that are levels.
const LEVEL_ROUNDS: usize = 10;
/// A round that gains less than this share ends learning.
const GAIN_MIN: f64 = 2e-3;
/// Sweeps over the cells of a row in one round.
const SWEEPS: usize = 8;

/// A layer to learn from.
#[derive(Clone, Copy, Debug)]
pub struct Lesson<'a> {
    /// Its weights; second moments are not looked at.
    pub target: Target<'a>,
    /// How it will be fitted.
    pub options: LayerOptions,
}

/// Kernels that are fitted together, and what they have got.
struct Unit {
    layer: usize,
    group: Vec<usize>,
    found: Vec<KernelFit>,
}

/// What is learned from.
struct School<'a> {
    lessons: &'a [Lesson<'a>],
    cuts: Vec<Subvectors>,
    /// Layers count by their number of weights, not by the weights' size.
    importance: Vec<f64>,
    level_max: f64,
    binary: bool,
}

/// Columns `[column][row]`, levels or real numbers.
type Columns = Vec<Vec<f64>>;

/// Learns basis `number` of `bases`; `start` is the fixed one.
pub(crate) fn learn(
    lessons: &[Lesson],
    start: &Basis,
    (number, bases, tiles): (usize, usize, usize),
    config: &ChipConfig,
    seed: u64,
    progress: &(dyn Fn(f64) + Sync),
) -> Basis {
    let mut units = sample(lessons, start.rows, (number, bases, tiles), seed);
    let school = School {
        lessons,
        cuts: lessons.iter().map(|l| Subvectors::new(l.target.depth, start.rows)).collect(),
        importance: lessons.iter().map(|l| 1.0 / mean_square(l.target.weight)).collect(),
        level_max: f64::from(config.level_max()),
        binary: config.cell_bits() == 1,
    };
    let total = (REAL_ROUNDS + 2 * LEVEL_ROUNDS) as f64;
    let sparse = !school.binary && lessons.iter().all(|l| l.options.nonzeros.is_some());
    // Sparse coefficients hardly ever go with the fixed basis: it is only looked at.
    let rounds = if sparse { 1 } else { LEVEL_ROUNDS };
    let mut best = school.choose_levels(&mut units, start.vectors(start.rows), rounds, &|i| progress(i as f64 / total));
    if !school.binary && !units.is_empty() {
        units.iter_mut().for_each(|unit| unit.found.clear());
        let mut columns = school.subvectors(&units, start, seed);
        for round in 0..REAL_ROUNDS {
            school.choose_coefficients(&mut units, &columns);
            school.solve_columns(&units, &mut columns);
            progress((LEVEL_ROUNDS + round + 1) as f64 / total);
        }
        let columns = school.rounded(columns);
        // Scales of real-valued columns say nothing about levels.
        units.iter_mut().for_each(|unit| unit.found.clear());
        let done = LEVEL_ROUNDS + REAL_ROUNDS;
        let other = school.choose_levels(&mut units, columns, LEVEL_ROUNDS, &|i| progress((done + i) as f64 / total));
        if other.0 < best.0 {
            best = other;
        }
    }
    progress(1.0);
    let columns = best.1;
    let levels = (0..start.rows).flat_map(|row| columns.iter().map(move |c| c[row] as i8)).collect();
    Basis { rows: start.rows, columns: start.columns, levels }
}

fn mean_square(weight: &[f32]) -> f64 {
    let sum: f64 = weight.iter().map(|&w| f64::from(w) * f64::from(w)).sum();
    if sum > 0.0 { sum / weight.len() as f64 } else { 1.0 }
}

/// Groups of all layers, spread evenly, about as many as [`SAMPLE`] subvectors.
fn sample(lessons: &[Lesson], rows: usize, (number, bases, tiles): (usize, usize, usize), seed: u64) -> Vec<Unit> {
    let mut units = Vec::new();
    let mut subvectors = 0;
    for (layer, lesson) in lessons.iter().enumerate() {
        let kernels = lesson.target.kernels();
        let groups = pursuit::groups(kernels, lesson.options.group.unwrap_or(1), tiles.max(bases));
        subvectors += kernels.div_ceil(bases) * lesson.target.depth.div_ceil(rows);
        let own = groups.into_iter().filter(|g| g[0] % bases == number);
        units.extend(own.map(|group| Unit { layer, group, found: Vec::new() }));
    }
    if subvectors > SAMPLE {
        Random::new(seed).shuffle(&mut units);
        units.truncate((units.len() * SAMPLE / subvectors).max(1));
        units.sort_by_key(|u| (u.layer, u.group[0]));
    }
    units
}

impl School<'_> {
    /// Chooses coefficients and levels in turn, starting from levels; gives what the best ones leave.
    fn choose_levels(
        &self,
        units: &mut [Unit],
        mut columns: Columns,
        rounds: usize,
        progress: &dyn Fn(usize),
    ) -> (f64, Columns) {
        let mut best = (f64::INFINITY, columns.clone());
        for round in 0..rounds {
            let error = self.choose_coefficients(units, &columns);
            progress(round + 1);
            let enough = error > best.0 * (1.0 - GAIN_MIN);
            if error < best.0 {
                best = (error, columns.clone());
            }
            if enough {
                break;
            }
            let sums = Sums::new(self, units, columns.len());
            self.revive(&sums, units, &mut columns);
            self.improve_levels(&sums, &mut columns);
        }
        best
    }

    /// Chooses the coefficients of all units; gives what they leave.
    fn choose_coefficients(&self, units: &mut [Unit], columns: &Columns) -> f64 {
        let cut_to = |length: usize| -> Columns { columns.iter().map(|c| c[..length].to_vec()).collect() };
        let metrics: Vec<[Metric; 1]> =
            self.cuts.par_iter().map(|cut| [Metric::of_columns(cut_to(cut.length), None)]).collect();
        let projection = |(cut, lesson): (&Subvectors, &Lesson)| {
            lesson.options.uses_all_columns().then(|| Projection::new(&cut_to(cut.length)))
        };
        let projections: Vec<Option<Projection>> = self.cuts.par_iter().zip(self.lessons).map(projection).collect();
        let errors: Vec<f64> = units
            .par_iter_mut()
            .map(|unit| {
                let Lesson { target, options } = &self.lessons[unit.layer];
                let (cut, metrics) = (&self.cuts[unit.layer], &metrics[unit.layer]);
                let quota = pursuit::quota(columns.len(), options.group.map(|_| unit.group.len()), options.nonzeros);
                let mut group = Group::new(target, cut, metrics, &unit.group, options.code, quota);
                if let Some(projection) = &projections[unit.layer] {
                    let weights = target.kernel(unit.group[0], cut);
                    let real: Vec<f32> =
                        weights.chunks_exact(cut.length).flat_map(|w| projection.coefficients(w)).collect();
                    super::rounding::start(&mut group, &real, options.code);
                } else if unit.found.is_empty() {
                    group.start_by_pursuit();
                } else {
                    group.start_near(&unit.found);
                }
                unit.found = group.improved(IMPROVEMENTS);
                unit.found.iter().map(|k| k.error).sum::<f64>() * self.importance[unit.layer]
            })
            .collect();
        errors.iter().sum()
    }

    /// Improves the levels row by row: rows do not depend on each other.
    fn improve_levels(&self, sums: &Sums, columns: &mut Columns) {
        let count = columns.len();
        let rows: Vec<Vec<f64>> = (0..columns[0].len())
            .into_par_iter()
            .map(|row| {
                let (a, b) = sums.of_row(row);
                let mut v: Vec<f64> = columns.iter().map(|c| c[row]).collect();
                let mut left: Vec<f64> = b.iter().zip(a.chunks_exact(count)).map(|(b, a)| b - dot(a, &v)).collect();
                for _ in 0..SWEEPS {
                    let before = v.clone();
                    for c in 0..count {
                        let own = a[c * (count + 1)];
                        if own > 0.0 {
                            let level = self.nearest_level(v[c] + left[c] / own);
                            let by = level - v[c];
                            v[c] = level;
                            left.iter_mut().zip(&a[c * count..]).for_each(|(left, a)| *left -= by * a);
                        }
                    }
                    if v == before {
                        break;
                    }
                }
                v
            })
            .collect();
        for (row, levels) in rows.iter().enumerate() {
            columns.iter_mut().zip(levels).for_each(|(column, level)| column[row] = *level);
        }
    }

    pub(super) fn nearest_level(&self, value: f64) -> f64 {
        if self.binary { 1f64.copysign(value) } else { value.round().clamp(-self.level_max, self.level_max) }
    }

    /// Gives every column that nobody uses the direction of one of the subvectors that are represented worst.
    pub(super) fn revive(&self, sums: &Sums, units: &[Unit], columns: &mut Columns) {
        let unused: Vec<usize> = (0..columns.len()).filter(|&c| !sums.is_used(c)).collect();
        if unused.is_empty() {
            return;
        }
        let share = |k: &KernelFit| k.error / k.signal.max(f64::MIN_POSITIVE);
        let mut worst: Vec<(f64, &Unit, usize)> = units
            .iter()
            .flat_map(|unit| unit.found.iter().enumerate().map(move |(i, k)| (share(k), unit, i)))
            .collect();
        worst.sort_by(|a, b| b.0.total_cmp(&a.0));
        for (column, (_, unit, i)) in unused.into_iter().zip(worst) {
            let cut = &self.cuts[unit.layer];
            let weights = self.lessons[unit.layer].target.kernel(unit.group[i], cut);
            let subvector = &weights[..cut.length];
            let largest = subvector.iter().fold(f32::MIN_POSITIVE, |m, w| m.max(w.abs()));
            for (v, w) in columns[column].iter_mut().zip(subvector) {
                *v = self.nearest_level(f64::from(w / largest) * self.level_max);
            }
        }
    }
}
