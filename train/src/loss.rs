//! What training makes small: cross entropy with smoothed labels, and the distance from a teacher.

use burn::tensor::Tensor;
use burn::tensor::activation::{log_softmax, softmax};

/// Learning from the scores of a teacher (Hinton 2015).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Distillation {
    /// Weight of the distance from the teacher, 0..1; the labels get the rest.
    pub share: f64,
    /// Temperature T: scores are divided by it, and the distance is multiplied by its square.
    pub temperature: f64,
}

/// Mean cross entropy of `scores` `[image, class]` against target probabilities.
pub fn cross_entropy(scores: Tensor<2>, targets: Tensor<2>) -> Tensor<1> {
    let [images, _] = scores.dims();
    (targets * log_softmax(scores, 1)).sum().mul_scalar(-1.0 / images as f64)
}

/// Mean Kullback-Leibler divergence from the teacher, times the squared temperature.
pub fn divergence(scores: Tensor<2>, teacher: Tensor<2>, temperature: f64) -> Tensor<1> {
    let [images, _] = scores.dims();
    let teacher = teacher.div_scalar(temperature);
    let difference = log_softmax(teacher.clone(), 1) - log_softmax(scores.div_scalar(temperature), 1);
    (softmax(teacher, 1) * difference).sum().mul_scalar(temperature * temperature / images as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::Device;

    #[test]
    fn losses_are_those_of_the_formulas() {
        let device = Device::flex();
        let scores = Tensor::<2>::from_data([[0.0, 2.0], [1.0, -1.0]], &device);
        let targets = Tensor::<2>::from_data([[0.25, 0.75], [1.0, 0.0]], &device);
        let logs = |a: f64, b: f64| (a - (a.exp() + b.exp()).ln(), b - (a.exp() + b.exp()).ln());
        let (first, second) = (logs(0.0, 2.0), logs(1.0, -1.0));
        let wanted = -(0.25 * first.0 + 0.75 * first.1 + second.0) / 2.0;
        let found = f64::from(cross_entropy(scores.clone(), targets).into_scalar::<f32>());
        assert!((found - wanted).abs() < 1e-6, "{found} {wanted}");

        assert!(divergence(scores.clone(), scores.clone(), 2.0).into_scalar::<f32>().abs() < 1e-6);
        let teacher = Tensor::<2>::from_data([[1.0, 1.0], [1.0, -1.0]], &device);
        let student = logs(0.0, 1.0);
        let wanted = 4.0 / 2.0 * 0.5 * (2.0 * 0.5f64.ln() - student.0 - student.1);
        let found = f64::from(divergence(scores, teacher, 2.0).into_scalar::<f32>());
        assert!((found - wanted).abs() < 1e-6, "{found} {wanted}");
    }
}
