//! One kernel of a group during a pursuit.

/// What is found for a kernel; arrays are `[subvector][column]`.
pub(super) struct KernelFit {
    pub(super) coefficients: Vec<i8>,
    pub(super) correlation: Vec<f32>,
    pub(super) scale: f64,
    pub(super) signal: f64,
    pub(super) error: f64,
}

/// One kernel; arrays are `[subvector][column]`.
#[derive(Clone, Debug)]
pub(super) struct KernelState {
    /// Products of the columns with the weights.
    pub(super) products: Vec<f64>,
    /// Square of the weights' length; at least the smallest positive number, so that it can divide.
    pub(super) signal: f64,
    /// Value of one coefficient step.
    pub(super) scale: f64,
    pub(super) coefficients: Vec<f64>,
    /// Products of the columns with what is left of `weights / scale`.
    pub(super) left: Vec<f64>,
}

impl KernelState {
    /// What a gain in coefficient steps means relative to the weights.
    pub(super) fn weight(&self) -> f64 {
        self.scale * self.scale / self.signal
    }

    /// Product of weights and sum of columns, and square of the sum's length.
    pub(super) fn sums(&self) -> (f64, f64) {
        let (mut product, mut norm) = (0.0, 0.0);
        for ((c, p), left) in
            self.coefficients.iter().zip(&self.products).zip(&self.left).filter(|((c, _), _)| **c != 0.0)
        {
            product += c * p;
            norm += c * (p / self.scale - left);
        }
        (product, norm)
    }

    /// Relative error at the scale that is best for the coefficients, and that scale; none without coefficients.
    pub(super) fn best_scale(&self) -> (f64, Option<f64>) {
        let (product, norm) = self.sums();
        if product <= 0.0 || norm <= 0.0 {
            return (1.0, None);
        }
        ((1.0 - product * product / norm / self.signal).max(0.0), Some(product / norm))
    }

    /// Forgets all coefficients and takes another scale; one that cannot divide, of weights without signal, becomes 1.
    pub(super) fn restart(&mut self, scale: f64) {
        self.scale = if scale > 0.0 && scale.is_finite() { scale } else { 1.0 };
        self.coefficients.fill(0.0);
        let scale = self.scale;
        self.left.iter_mut().zip(&self.products).for_each(|(left, p)| *left = p / scale);
    }

    /// Takes another scale: what is left of `weights / scale` changes with it.
    pub(super) fn rescale(&mut self, scale: f64) {
        let change = 1.0 / scale - 1.0 / self.scale;
        self.left.iter_mut().zip(&self.products).for_each(|(left, p)| *left += change * p);
        self.scale = scale;
    }
}
