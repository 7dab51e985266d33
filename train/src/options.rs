//! Settings of a training, and how the learning rate moves.

use serde::{Deserialize, Serialize};

use crate::Error;
use crate::backend::Backend;
use crate::parameter::OptimizerKind;

/// Settings of a training.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Options {
    /// Passes over the training images.
    pub epochs: usize,
    /// Images of one step.
    pub batch: usize,
    /// How a step changes the parameters.
    pub optimizer: OptimizerKind,
    /// Largest learning rate of weights or latents.
    pub learning_rate: f64,
    /// The same of scales, biases and batch norm; none if it is the one of the weights.
    pub scale_learning_rate: Option<f64>,
    /// How the learning rate moves.
    pub schedule: Schedule,
    /// Epochs in which the learning rate rises from zero.
    pub warm_up: usize,
    /// Weight decay.
    pub weight_decay: f32,
    /// Probability spread evenly over all classes.
    pub label_smoothing: f32,
    /// Pixels that a training image is moved by at most, in each direction.
    pub shift: u8,
    /// Whether every second training image is mirrored.
    pub flip: bool,
    /// Share of the training images that is only watched, 0 for none.
    pub validation_share: f64,
    /// Stop after so many epochs without a better validation.
    pub patience: Option<usize>,
    /// Which epoch's parameters are the result.
    pub keep: Keep,
    /// Fixes the initial weights, the validation images, the order, the shifts and the noise.
    pub seed: u64,
    /// What computes.
    pub backend: Backend,
}

/// How the learning rate moves after warming up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Schedule {
    /// Falls to zero along a half cosine.
    Cosine,
    /// A tenth after half of the steps, a hundredth after three quarters.
    Step,
    /// Does not move.
    Constant,
}

/// Which epoch's parameters are the result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Keep {
    /// The one with the most validation images right; of equal ones the one with the smallest validation loss.
    Best,
    /// The last one.
    Last,
}

impl Options {
    /// What float training uses unless told otherwise.
    pub fn float() -> Self {
        Options {
            epochs: 70,
            batch: 64,
            optimizer: OptimizerKind::AdamW,
            learning_rate: 3e-3,
            scale_learning_rate: None,
            schedule: Schedule::Cosine,
            warm_up: 0,
            weight_decay: 0.01,
            label_smoothing: 0.05,
            shift: 1,
            flip: false,
            validation_share: 0.1,
            patience: None,
            keep: Keep::Last,
            seed: 0,
            backend: Backend::Cpu,
        }
    }

    /// What training of coefficients uses unless told otherwise.
    pub fn basis() -> Self {
        Options {
            epochs: 60,
            learning_rate: 0.05,
            scale_learning_rate: Some(1e-3),
            weight_decay: 0.0,
            shift: 0,
            ..Options::float()
        }
    }

    /// Refuses what is out of range.
    ///
    /// # Errors
    /// The first such option.
    pub fn check(&self) -> Result<(), Error> {
        let refuse = |at, cause| Err(Error::Options { at, cause });
        if self.epochs == 0 {
            return refuse("--epochs", "0; at least 1".into());
        }
        if self.batch == 0 {
            return refuse("--batch", "0; at least 1".into());
        }
        let positive = |rate: f64| rate > 0.0 && rate.is_finite();
        if !positive(self.learning_rate) {
            return refuse("--learning-rate", format!("{}; a positive number", self.learning_rate));
        }
        if let Some(rate) = self.scale_learning_rate.filter(|rate| !positive(*rate)) {
            return refuse("--scale-learning-rate", format!("{rate}; a positive number"));
        }
        if self.warm_up >= self.epochs {
            return refuse("--warm-up", format!("{} of {} epochs; fewer than --epochs", self.warm_up, self.epochs));
        }
        if !(self.weight_decay >= 0.0 && self.weight_decay.is_finite()) {
            return refuse("--weight-decay", format!("{}; zero or a positive number", self.weight_decay));
        }
        if !(0.0..1.0).contains(&self.label_smoothing) {
            return refuse("--label-smoothing", format!("{}; from 0, below 1", self.label_smoothing));
        }
        if !(0.0..1.0).contains(&self.validation_share) {
            return refuse("--validation-share", format!("{}; from 0, below 1", self.validation_share));
        }
        if self.validation_share == 0.0 && (self.keep == Keep::Best || self.patience.is_some()) {
            let cause = "0; --keep best and --patience need validation images".into();
            return refuse("--validation-share", cause);
        }
        Ok(())
    }

    /// The share of the largest learning rate that step `step` of `epochs * steps` has, 0..1.
    pub fn rate(&self, step: usize, steps_per_epoch: usize) -> f64 {
        let (warm_up, all) = (self.warm_up * steps_per_epoch, self.epochs * steps_per_epoch);
        if step < warm_up {
            return (step + 1) as f64 / warm_up as f64;
        }
        let progress = (step - warm_up) as f64 / (all - warm_up).max(1) as f64;
        match self.schedule {
            Schedule::Cosine => 0.5 * (1.0 + (std::f64::consts::PI * progress).cos()),
            Schedule::Step if progress < 0.5 => 1.0,
            Schedule::Step if progress < 0.75 => 0.1,
            Schedule::Step => 0.01,
            Schedule::Constant => 1.0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_learning_rate_rises_then_falls() {
        let mut options = Options { epochs: 10, warm_up: 2, ..Options::float() };
        let rates: Vec<f64> = (0..10).map(|step| options.rate(step, 1)).collect();
        assert_eq!(rates[..3], [0.5, 1.0, 1.0]);
        assert!((rates[6] - 0.5).abs() < 1e-12 && rates[2..].windows(2).all(|w| w[0] > w[1]), "{rates:?}");
        (options.warm_up, options.schedule) = (0, Schedule::Step);
        assert_eq!([0, 4, 5, 7, 8, 9].map(|step| options.rate(step, 1)), [1.0, 1.0, 0.1, 0.1, 0.01, 0.01]);
    }
}
