//! Axes with round numbers.

/// An axis from its first to its last tick.
pub struct Axis {
    /// Values that are written at the axis, rising.
    pub ticks: Vec<f64>,
    linear: bool,
    low: f64,
    high: f64,
}

impl Axis {
    /// Logarithmic, around all positive values: powers of ten, or 1, 2 and 5 where these are few.
    pub fn log(values: impl IntoIterator<Item = f64>) -> Self {
        let (low, high) = span(values.into_iter().filter(|v| *v > 0.0)).unwrap_or((0.1, 10.0));
        let (from, to) = (low.log10().floor() as i32, high.log10().ceil() as i32);
        let fine = (from..=to).flat_map(|e| [1.0, 2.0, 5.0].map(|m| m * 10f64.powi(e)));
        let fine = around(fine.collect(), low, high);
        if fine.len() <= 6 {
            return Self::log_at(fine);
        }
        let step = ((to - from) / 6 + 1).max(1);
        let mut axis = Self::log_at((from..=to).step_by(step as usize).map(|e| 10f64.powi(e)).collect());
        axis.high = 10f64.powi(to);
        axis
    }

    /// Logarithmic, with these ticks.
    pub fn log_at(ticks: Vec<f64>) -> Self {
        let (low, high) = span(ticks.iter().copied()).unwrap_or((1.0, 10.0));
        Axis { ticks, linear: false, low, high }
    }

    /// Linear, around all values.
    pub fn linear(values: impl IntoIterator<Item = f64>) -> Self {
        let (low, high) = span(values).unwrap_or((0.0, 1.0));
        let rough = ((high - low) / 4.0).max(1e-3);
        let power = 10f64.powf(rough.log10().floor());
        let step = [1.0, 2.0, 5.0, 10.0].map(|m| m * power).into_iter().find(|s| *s >= rough).unwrap_or(rough);
        let (from, to) = ((low / step).floor() as i64, (high / step).ceil() as i64);
        let ticks: Vec<_> = (from..=to.max(from + 1)).map(|i| i as f64 * step).collect();
        // Room for points on the first and the last tick.
        let (low, high) = span(ticks.iter().copied()).unwrap_or((0.0, 1.0));
        Axis { ticks, linear: true, low: low - 0.25 * step, high: high + 0.25 * step }
    }

    /// Where a value lies, 0..1.
    pub fn place(&self, value: f64) -> f64 {
        let share = if self.linear {
            (value - self.low) / (self.high - self.low)
        } else {
            (value.max(f64::MIN_POSITIVE) / self.low).ln() / (self.high / self.low).ln()
        };
        if share.is_finite() { share.clamp(0.0, 1.0) } else { 0.5 }
    }
}

fn span(values: impl IntoIterator<Item = f64>) -> Option<(f64, f64)> {
    let finite = values.into_iter().filter(|v| v.is_finite());
    let (low, high) = finite.fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| (l.min(v), h.max(v)));
    (low <= high).then_some((low, high))
}

/// The ticks from the last one not above `low` to the first one not below `high`.
fn around(ticks: Vec<f64>, low: f64, high: f64) -> Vec<f64> {
    let first = ticks.iter().rposition(|t| *t <= low).unwrap_or(0);
    let last = ticks.iter().position(|t| *t >= high).unwrap_or(ticks.len().saturating_sub(1));
    ticks[first..=last.max(first)].to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_hold_all_values() {
        assert_eq!(Axis::log([2.6, 49.0]).ticks, [2.0, 5.0, 10.0, 20.0, 50.0]);
        assert_eq!(Axis::log([0.002, 30.0]).ticks, [0.001, 0.01, 0.1, 1.0, 10.0, 100.0]);
        let wide = Axis::log([1e-9, 1e9]);
        assert!(wide.ticks.len() < 8 && wide.place(1e9) == 1.0 && wide.place(1e-9) == 0.0);
        assert_eq!(Axis::linear([97.3, 99.1]).ticks, [97.0, 97.5, 98.0, 98.5, 99.0, 99.5]);
        assert_eq!(Axis::linear([97.3, 99.1]).place(98.25), 0.5);
        for axis in [Axis::log([5.0]), Axis::linear([5.0]), Axis::log([]), Axis::log_at(vec![8.0])] {
            assert!((0.0..=1.0).contains(&axis.place(5.0)));
        }
    }
}
