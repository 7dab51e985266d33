//! The kernels of a group, and how they share the columns.

use basisn_arch::Subvectors;

use super::kernel::{KernelFit, KernelState};
use super::metric::Metric;
use super::offer::Offer;
use super::target::Target;
use crate::coefficient::CoefficientCode;
use crate::least_squares::dot_wide;

/// Scales to try, relative to the one that `C / g` columns of one step each would need to reach the length of the weights.
const GRID: [f64; 5] = [0.5, 0.7, 0.9, 1.15, 1.5];
/// The same, relative to a scale that was good for nearly the same columns.
const GRID_NEAR: [f64; 3] = [0.85, 1.0, 1.2];
/// Rounds of improvement of coefficients and scale.
const ROUNDS: usize = 12;
/// Relative gain of a round that may come from rounding errors alone.
const GAIN_MIN: f64 = 1e-6;

/// The kernels of a group and their columns.
pub(super) struct Group<'a> {
    metrics: &'a [Metric],
    pub(super) columns: usize,
    pub(super) code: CoefficientCode,
    /// Columns that a kernel owns at most in a subvector.
    pub(super) quota: usize,
    pub(super) kernels: Vec<KernelState>,
}

impl<'a> Group<'a> {
    pub(super) fn new(
        target: &Target,
        cut: &Subvectors,
        metrics: &'a [Metric],
        group: &[usize],
        code: CoefficientCode,
        quota: usize,
    ) -> Self {
        let columns = metrics[0].columns;
        let width = cut.count * columns;
        let kernels = group
            .iter()
            .map(|&kernel| {
                let (mut products, mut signal) = (vec![0.0; width], 0.0);
                let weights = target.kernel(kernel, cut);
                for (s, (w, p)) in weights.chunks_exact(cut.length).zip(products.chunks_exact_mut(columns)).enumerate()
                {
                    signal += metrics[s.min(metrics.len() - 1)].correlations(w, p);
                }
                let left = products.clone();
                let signal = signal.max(f64::MIN_POSITIVE);
                KernelState { products, signal, scale: 1.0, coefficients: vec![0.0; width], left }
            })
            .collect();
        Group { metrics, columns, code, quota, kernels }
    }

    pub(super) fn metric(&self, subvector: usize) -> &'a Metric {
        &self.metrics[subvector.min(self.metrics.len() - 1)]
    }

    pub(super) fn norm(&self, place: usize) -> f32 {
        self.metric(place / self.columns).norms()[place % self.columns]
    }

    fn subvectors(&self) -> usize {
        self.kernels.first().map_or(0, |k| k.products.len() / self.columns)
    }

    /// Chooses coefficients by pursuit, at the best of a few scales.
    pub(super) fn start_by_pursuit(&mut self) {
        let share = (self.columns as f64 / self.kernels.len() as f64).min(self.quota as f64);
        let norm = self.metrics.iter().map(mean_norm).sum::<f64>() / self.metrics.len() as f64;
        let reach = |k: &KernelState| (k.signal / (k.products.len() / self.columns) as f64 / (norm * share)).sqrt();
        let scales: Vec<f64> = self.kernels.iter().map(reach).collect();
        self.pursue_at(&GRID, &scales);
    }

    /// The same at scales near those that were found before.
    pub(super) fn start_near(&mut self, found: &[KernelFit]) {
        let scales: Vec<f64> = found.iter().map(|k| k.scale).collect();
        self.pursue_at(&GRID_NEAR, &scales);
    }

    /// Chooses coefficients by pursuit at the best of the scales `steps * scales`.
    fn pursue_at(&mut self, steps: &[f64], scales: &[f64]) {
        let mut best: Option<(f64, Vec<KernelState>)> = None;
        for step in steps {
            self.kernels.iter_mut().zip(scales).for_each(|(kernel, scale)| kernel.restart(step * scale));
            for s in 0..self.subvectors() {
                self.pursue(s);
            }
            let error = self.error();
            if best.as_ref().is_none_or(|(least, _)| error < *least) {
                best = Some((error, self.kernels.clone()));
            }
        }
        if let Some((_, kernels)) = best {
            self.kernels = kernels;
        }
    }

    /// Improves coefficients and scales in turn until nothing changes any more, and gives the result.
    pub(super) fn finish(self) -> Vec<KernelFit> {
        self.improved(ROUNDS)
    }

    /// The same in at most `rounds` rounds.
    pub(super) fn improved(mut self, rounds: usize) -> Vec<KernelFit> {
        // Where columns are left over, a kernel that may not use more of them can still use others.
        let others = self.kernels.len() == 1 && self.quota < self.columns;
        let mut error = self.error();
        for _ in 0..rounds {
            let before = self.kernels.clone();
            self.best_scales();
            for s in 0..self.subvectors() {
                if others {
                    self.choose_others(s);
                } else {
                    self.improve(s);
                }
            }
            let now = self.error();
            if now >= error * (1.0 - GAIN_MIN) {
                self.kernels = before;
                break;
            }
            error = now;
        }
        self.result()
    }

    /// Relative error of all kernels, each at its best scale.
    pub(super) fn error(&self) -> f64 {
        self.kernels.iter().map(|k| k.best_scale().0).sum()
    }

    fn best_scales(&mut self) {
        for kernel in &mut self.kernels {
            if let (_, Some(scale)) = kernel.best_scale() {
                kernel.rescale(scale);
            }
        }
    }

    /// Kernels and free columns win each other, the most valuable pair first.
    fn pursue(&mut self, s: usize) {
        let metric = self.metric(s);
        // A column that is taken has none.
        let mut reciprocals = metric.reciprocals().to_vec();
        let mut owned = vec![0; self.kernels.len()];
        let place = s * self.columns..(s + 1) * self.columns;
        let best = |group: &Self, i: usize, reciprocals: &[f32]| {
            let kernel = &group.kernels[i];
            let offer = Offer::best(group.code, &kernel.left[place.clone()], metric.norms(), reciprocals);
            (kernel.weight() * f64::from(offer.gain), offer)
        };
        let mut bests: Vec<(f64, Offer)> = (0..self.kernels.len()).map(|i| best(self, i, &reciprocals)).collect();
        loop {
            let largest = (0..bests.len()).max_by(|&a, &b| bests[a].0.total_cmp(&bests[b].0).then(b.cmp(&a)));
            let Some((i, (gain, Offer { column, coefficient, .. }))) = largest.map(|i| (i, bests[i])) else { break };
            if gain <= 0.0 {
                break;
            }
            reciprocals[column] = 0.0;
            owned[i] += 1;
            self.change(i, s, column, coefficient);
            for j in 0..bests.len() {
                if j == i || bests[j].1.column == column {
                    bests[j] = if owned[j] < self.quota { best(self, j, &reciprocals) } else { Default::default() };
                }
            }
        }
    }

    /// Adds `by` to a coefficient.
    pub(super) fn change(&mut self, i: usize, s: usize, column: usize, by: f32) {
        if by == 0.0 {
            return;
        }
        let gram = self.metric(s).gram(column);
        let start = s * self.columns;
        let kernel = &mut self.kernels[i];
        kernel.coefficients[start + column] += by;
        let left = &mut kernel.left[start..start + self.columns];
        left.iter_mut().zip(gram).for_each(|(left, g)| *left -= by * g);
    }

    /// Computes what is left from weights and coefficients.
    pub(super) fn restore_left(&mut self) {
        let (columns, metrics) = (self.columns, self.metrics);
        for kernel in &mut self.kernels {
            kernel.forget_coefficients();
            for (s, (left, c)) in
                kernel.left.chunks_exact_mut(columns).zip(kernel.coefficients.chunks_exact(columns)).enumerate()
            {
                let metric = &metrics[s.min(metrics.len() - 1)];
                for (column, c) in c.iter().enumerate().filter(|(_, c)| **c != 0.0) {
                    left.iter_mut().zip(metric.gram(column)).for_each(|(left, g)| *left -= c * g);
                }
            }
        }
    }

    /// Square of the length of a kernel's sum of columns, from the coefficients alone.
    fn sum_norm(&self, kernel: &KernelState) -> f64 {
        let subvectors = kernel.coefficients.chunks_exact(self.columns).enumerate();
        let of = |(s, c): (usize, &[f32])| {
            let used = c.iter().enumerate().filter(|(_, c)| **c != 0.0);
            used.map(|(column, &by)| f64::from(by) * dot_wide(self.metric(s).gram(column), c)).sum::<f64>()
        };
        subvectors.map(of).sum()
    }

    /// The kernels as they are, at their best scales.
    pub(super) fn result(mut self) -> Vec<KernelFit> {
        self.best_scales();
        self.kernels
            .iter()
            .map(|kernel| {
                let (relative, scale) = kernel.best_scale_of(self.sum_norm(kernel));
                let norms = (0..kernel.left.len()).map(|place| self.norm(place));
                let step = |(left, norm): (&f32, f32)| if norm > 0.0 { left / norm } else { 0.0 };
                let signal = if kernel.signal > f64::MIN_POSITIVE { kernel.signal } else { 0.0 };
                KernelFit {
                    // Without a best scale there is no coefficient either.
                    coefficients: kernel
                        .coefficients
                        .iter()
                        .map(|&c| if scale.is_some() { c as i8 } else { 0 })
                        .collect(),
                    correlation: kernel.left.iter().zip(norms).map(step).collect(),
                    scale: scale.unwrap_or(0.0),
                    signal,
                    error: relative * signal,
                }
            })
            .collect()
    }
}

fn mean_norm(metric: &Metric) -> f64 {
    metric.norms().iter().map(|&norm| f64::from(norm)).sum::<f64>() / metric.columns as f64
}
