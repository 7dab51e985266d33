//! One kernel of a group during a pursuit.

use crate::least_squares::dot_wide;

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
    pub(super) products: Vec<f32>,
    /// Square of the weights' length; at least the smallest positive number, so that it can divide.
    pub(super) signal: f64,
    /// Value of one coefficient step.
    pub(super) scale: f64,
    pub(super) coefficients: Vec<f32>,
    /// Products of the columns with what is left of `weights / scale`.
    pub(super) left: Vec<f32>,
}

impl KernelState {
    /// What a gain in coefficient steps means relative to the weights.
    pub(super) fn weight(&self) -> f64 {
        self.scale * self.scale / self.signal
    }

    /// Relative error at the scale that is best for the coefficients, and that scale; none without coefficients.
    /// As precise as what is left, which gathers rounding errors.
    pub(super) fn best_scale(&self) -> (f64, Option<f64>) {
        let product = dot_wide(&self.coefficients, &self.products);
        self.best_scale_of(product / self.scale - dot_wide(&self.coefficients, &self.left))
    }

    /// The same for the square of the length that the sum of columns has.
    pub(super) fn best_scale_of(&self, norm: f64) -> (f64, Option<f64>) {
        let product = dot_wide(&self.coefficients, &self.products);
        if product <= 0.0 || norm <= 0.0 {
            return (1.0, None);
        }
        ((1.0 - product * product / norm / self.signal).max(0.0), Some(product / norm))
    }

    /// Forgets all coefficients and takes another scale; one that cannot divide, of weights without signal, becomes 1.
    pub(super) fn restart(&mut self, scale: f64) {
        self.scale = if scale > 0.0 && scale.is_finite() { scale } else { 1.0 };
        self.coefficients.fill(0.0);
        self.forget_coefficients();
    }

    /// Puts all of `weights / scale` into what is left.
    pub(super) fn forget_coefficients(&mut self) {
        let steps = 1.0 / self.scale;
        self.left.iter_mut().zip(&self.products).for_each(|(left, p)| *left = (steps * f64::from(*p)) as f32);
    }

    /// Takes another scale: what is left of `weights / scale` changes with it.
    pub(super) fn rescale(&mut self, scale: f64) {
        let steps = 1.0 / scale - 1.0 / self.scale;
        self.left.iter_mut().zip(&self.products).for_each(|(left, p)| *left += (steps * f64::from(*p)) as f32);
        self.scale = scale;
    }
}
