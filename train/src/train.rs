//! The training loop: AdamW, cosine schedule to zero, label smoothing, one-pixel shifts.

use std::time::Instant;

use basisn_compiler::{Dataset, Network};
use burn::module::Module;
use burn::optim::{AdamWConfig, GradientsParams, ModuleOptimizer};
use burn::tensor::{Device, TensorData, activation};
use rand::SeedableRng;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;

use crate::Error;
use crate::data::{Batcher, split_validation};
use crate::model::Cnn;

/// Images of one forward pass that needs no gradients.
const EVALUATION_BATCH: usize = 256;

/// Settings of a training.
#[derive(Clone, Debug, PartialEq)]
pub struct Options {
    /// Passes over the training images.
    pub epochs: usize,
    /// Images of one step.
    pub batch: usize,
    /// Learning rate of the first step; it falls to zero along a half cosine.
    pub learning_rate: f64,
    /// Decoupled weight decay.
    pub weight_decay: f32,
    /// Probability spread evenly over all classes.
    pub label_smoothing: f32,
    /// Share of the training images that is only watched, 0 for none.
    pub validation_share: f64,
    /// Fixes the initial weights, the validation images, the order and the shifts.
    pub seed: u64,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            epochs: 70,
            batch: 64,
            learning_rate: 3e-3,
            weight_decay: 0.01,
            label_smoothing: 0.05,
            validation_share: 0.1,
            seed: 0,
        }
    }
}

impl Options {
    fn check(&self) -> Result<(), Error> {
        let refuse = |at, cause| Err(Error::Options { at, cause });
        if self.batch == 0 {
            return refuse("--batch", "0; at least 1".into());
        }
        if !(self.learning_rate > 0.0 && self.learning_rate.is_finite()) {
            return refuse("--learning-rate", format!("{}; a positive number", self.learning_rate));
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
        Ok(())
    }
}

/// How an epoch went.
#[derive(Clone, Debug, PartialEq)]
pub struct Epoch {
    /// Number, from 1.
    pub number: usize,
    /// Learning rate of its last step.
    pub learning_rate: f64,
    /// Mean loss of its images, label smoothing and shifts included.
    pub train_loss: f64,
    /// Validation images classified rightly, `None` if there are none.
    pub validation: Option<Score>,
}

/// Images classified rightly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Score {
    /// Right ones.
    pub right: usize,
    /// All of them.
    pub of: usize,
}

impl Score {
    /// Share of right ones, 0..1.
    pub fn accuracy(&self) -> f64 {
        self.right as f64 / self.of as f64
    }
}

/// A trained network.
#[derive(Debug)]
pub struct Trained {
    /// Its weights, on a device without gradients.
    pub model: Cnn,
    /// The last epoch.
    pub last: Epoch,
    /// Held-out images, looked at once, after the last epoch.
    pub test: Score,
    /// Wall-clock time.
    pub seconds: f64,
}

/// Trains `network` on the training images of `dataset` and judges it by the held-out ones.
/// The same arguments give the same bits on the same kind of processor.
///
/// # Errors
/// An option is out of range, network and dataset don't fit together, or the loss diverges.
pub fn train(
    network: &Network,
    dataset: &Dataset,
    options: &Options,
    mut on_epoch: impl FnMut(&Epoch),
) -> Result<Trained, Error> {
    let start = Instant::now();
    options.check()?;
    dataset.check_fits(&network.graph()?)?;
    // By name: the default device would follow the backends that other crates enable.
    let device = Device::flex();
    let mut rng = StdRng::seed_from_u64(options.seed);
    let mut training = Training {
        batcher: Batcher::new(dataset, network),
        options,
        optimizer: AdamWConfig::new().with_weight_decay(options.weight_decay).with_epsilon(1e-8).init(),
        device: device.clone().autodiff(),
        step: 0,
        steps: 0,
    };
    let mut model = Cnn::new(network, &mut rng, &training.device)?;
    let mut split = split_validation(dataset, options.validation_share, &mut rng);
    if split.fit.is_empty() {
        let cause = format!("{}; leaves no image to train on", options.validation_share);
        return Err(Error::Options { at: "--validation-share", cause });
    }
    training.steps = options.epochs * split.fit.len().div_ceil(options.batch);

    let mut last = None;
    for number in 1..=options.epochs {
        split.fit.shuffle(&mut rng);
        let (next, train_loss) = training.epoch(model, number, &split.fit, &mut rng)?;
        model = next;
        let validation = match split.validation.as_slice() {
            [] => None,
            images => Some(score(&model.valid(), &training.batcher, dataset, images, &device)?),
        };
        let epoch = Epoch { number, learning_rate: training.learning_rate(training.step - 1), train_loss, validation };
        on_epoch(&epoch);
        last = Some(epoch);
    }
    let last = last.ok_or(Error::Options { at: "--epochs", cause: "0; at least 1".into() })?;
    let model = model.valid();
    let test = score(&model, &training.batcher, dataset, &dataset.test, &device)?;
    Ok(Trained { model, last, test, seconds: start.elapsed().as_secs_f64() })
}

struct Training<'a> {
    batcher: Batcher<'a>,
    options: &'a Options,
    optimizer: ModuleOptimizer,
    device: Device,
    /// Steps done, of `steps`.
    step: usize,
    steps: usize,
}

impl Training<'_> {
    fn learning_rate(&self, step: usize) -> f64 {
        let progress = step as f64 / self.steps as f64;
        self.options.learning_rate * 0.5 * (1.0 + (std::f64::consts::PI * progress).cos())
    }

    /// One pass over `order`; the new model and the mean loss.
    fn epoch(&mut self, mut model: Cnn, number: usize, order: &[usize], rng: &mut StdRng) -> Result<(Cnn, f64), Error> {
        let mut sum = 0.0;
        for (i, indices) in order.chunks(self.options.batch).enumerate() {
            let images = self.batcher.augmented(indices, rng, &self.device);
            let targets = self.batcher.targets(indices, self.options.label_smoothing, &self.device);
            let log_probabilities = activation::log_softmax(model.forward(images), 1);
            let loss = (targets * log_probabilities).sum().mul_scalar(-1.0 / indices.len() as f64);
            let value = first(&loss.clone().into_data(), "loss")?;
            let learning_rate = self.learning_rate(self.step);
            if !value.is_finite() {
                return Err(Error::Diverged { epoch: number, batch: i + 1, learning_rate, loss: value });
            }
            sum += f64::from(value) * indices.len() as f64;
            let gradients = GradientsParams::from_grads(loss.backward(), &model);
            model = self.optimizer.step(learning_rate, model, gradients);
            self.step += 1;
        }
        Ok((model, sum / order.len() as f64))
    }
}

fn first(data: &TensorData, at: &'static str) -> Result<f32, Error> {
    let framework = |cause: String| Error::Framework { at, cause };
    let values = data.as_slice::<f32>().map_err(|e| framework(format!("{e:?}")))?;
    values.first().copied().ok_or_else(|| framework("an empty tensor".into()))
}

/// How many of `images` get their own label as highest score; the first of equal scores counts.
fn score(
    model: &Cnn,
    batcher: &Batcher<'_>,
    dataset: &Dataset,
    images: &[usize],
    device: &Device,
) -> Result<Score, Error> {
    let mut right = 0;
    for indices in images.chunks(EVALUATION_BATCH) {
        let scores = model.forward(batcher.images(indices, device));
        let [_, classes] = scores.dims();
        let data = scores.into_data();
        let values = data
            .as_slice::<f32>()
            .map_err(|e| Error::Framework { at: "scores of held-out images", cause: format!("{e:?}") })?;
        right += indices
            .iter()
            .zip(values.chunks(classes))
            .filter(|(index, row)| highest(row) == usize::from(dataset.labels[**index]))
            .count();
    }
    Ok(Score { right, of: images.len() })
}

fn highest(row: &[f32]) -> usize {
    (1..row.len()).fold(0, |best, i| if row[i] > row[best] { i } else { best })
}
