//! The training loop, the same for float networks and for coefficients.

use std::time::Instant;

use basisn_arch::ChipConfig;
use basisn_compiler as compiler;
use basisn_compiler::{Dataset, Fitted, Network, pixels};
use burn::tensor::{Device, Tensor};
use rand::SeedableRng;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use serde::{Deserialize, Serialize};

use crate::Error;
use crate::adc::Levels;
use crate::basis_model::{Coding, SCALE_MIN, fitted_model, ideal_levels};
use crate::coefficients::{Coefficients, Limit};
use crate::data::{Batcher, Split, split_validation};
use crate::loss::{Distillation, cross_entropy, divergence};
use crate::model::{Forward, Model, Surroundings};
use crate::noise::disturbed;
use crate::options::{Keep, Options};
use crate::parameter::{NamedArray, Parameter, Role, StepSize, gradient, read};

/// Images of one forward pass that needs no gradients.
const EVALUATION_BATCH: usize = 256;
/// How strongly latents that lost their column, or that the limit excludes, shrink (SR-STE, Zhou 2021).
const LOSER_DECAY: f64 = 2e-3;
/// Images that the gain of the ADC is chosen on.
const GAIN_IMAGES: usize = 64;

/// What training of coefficients needs beside [`Options`].
#[derive(Clone, Debug, PartialEq)]
pub struct BasisOptions {
    /// What the coefficients may be.
    pub coding: Coding,
    /// Learning from the float network.
    pub distillation: Distillation,
    /// Last epochs that have the ADC in the loop.
    pub adc_epochs: usize,
    /// Error of a cell's conductance that training sees, as a share of full scale.
    pub cell_error: f64,
}

impl BasisOptions {
    /// The settings that do best on the digits.
    pub fn new(coding: Coding) -> Self {
        let distillation = Distillation { share: 0.5, temperature: 2.0 };
        BasisOptions { coding, distillation, adc_epochs: 4, cell_error: 0.0 }
    }
}

/// How an epoch went.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Epoch {
    /// Number, from 1.
    pub number: usize,
    /// Learning rate of its last step.
    pub learning_rate: f64,
    /// Mean loss of its images, label smoothing, shifts and teacher included.
    pub train_loss: f64,
    /// Share of its images, as shifted, that were classified rightly while it ran.
    pub train_accuracy: f64,
    /// Validation images, `None` if there are none.
    pub validation: Option<Score>,
    /// Whether the ADC was in the loop.
    pub adc: bool,
    /// Slots a subvector, weighted by positions, if the columns are owned in groups.
    pub slots: Option<f64>,
    /// How many columns a kernel would use that another one of its group owns.
    pub contests: Option<usize>,
    /// Wall-clock time.
    pub seconds: f64,
}

/// Images classified rightly.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Score {
    /// Right ones.
    pub right: usize,
    /// All of them.
    pub of: usize,
    /// Mean cross entropy.
    pub loss: f64,
}

impl Score {
    /// Share of right ones, 0..1.
    pub fn accuracy(&self) -> f64 {
        self.right as f64 / self.of as f64
    }

    fn is_better_than(&self, other: &Score) -> bool {
        (self.right, -self.loss) > (other.right, -other.loss)
    }
}

/// Somebody who looks on, and may stop the training.
pub trait Watch {
    /// A step is done: number and count of the epoch's batches, from 1, and the loss.
    fn step(&mut self, batch: usize, batches: usize, loss: f64);
    /// An epoch is done.
    ///
    /// # Errors
    /// What was to be written could not be.
    fn epoch(&mut self, training: &Training, epoch: &Epoch) -> Result<(), Error>;
    /// Whether to stop now.
    fn stop(&self) -> bool;
}

/// Why a training ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum End {
    /// All epochs are done.
    Finished,
    /// Validation did not get better any more.
    EarlyStop,
    /// Somebody wanted it to stop; the last whole epoch counts.
    Stopped,
}

/// A training: model, parameters, and where it is.
pub struct Training<'a> {
    /// The network.
    pub model: Model,
    /// Its parameters.
    pub parameters: Vec<Parameter>,
    /// Training and validation images.
    pub split: Split,
    /// Settings.
    pub options: Options,
    /// Settings of coefficients.
    pub basis: Option<BasisOptions>,
    /// Levels of the crossbars: none for a float network, one for all tiles, or one for each.
    pub levels: Vec<Levels>,
    /// Epochs done.
    pub epochs: Vec<Epoch>,
    /// The best epoch on validation images, from 1, and its parameters.
    pub best: Option<(usize, Vec<Vec<f32>>)>,
    /// The fitted network whose scales the coefficients have.
    pub template: Option<Fitted>,
    dataset: &'a Dataset,
    batcher: Batcher<'a>,
    teacher: Option<(Model, Vec<Tensor<1>>)>,
    adc_bits: usize,
    tiles: usize,
    rng: StdRng,
    order: Vec<usize>,
    device: Device,
}

impl<'a> Training<'a> {
    /// A float network with random weights.
    ///
    /// # Errors
    /// An option is out of range, or network and dataset don't fit together.
    pub fn float(network: &Network, dataset: &'a Dataset, options: Options) -> Result<Self, Error> {
        options.check()?;
        dataset.check_fits(&network.graph()?)?;
        // By name: the default device would follow the backends that other crates enable.
        let device = Device::flex();
        let mut rng = StdRng::seed_from_u64(options.seed);
        let (model, parameters) = Model::float(network, &mut rng, &device)?;
        let split = split_validation(dataset, options.validation_share, &mut rng);
        if split.fit.is_empty() {
            let cause = format!("{}; leaves no image to train on", options.validation_share);
            return Err(Error::Options { at: "--validation-share", cause });
        }
        let order = split.fit.clone();
        let batcher = Batcher::new(dataset, network);
        Ok(Training {
            model,
            parameters,
            split,
            options,
            basis: None,
            levels: Vec::new(),
            template: None,
            epochs: Vec::new(),
            best: None,
            dataset,
            batcher,
            teacher: None,
            adc_bits: 0,
            tiles: 1,
            rng,
            order,
            device,
        })
    }

    /// A network of coefficients, fitted to trained float weights, which also teach. The same seed gives the same validation images
    /// as float training.
    ///
    /// # Errors
    /// As [`Training::float`], or the network does not fit the chip.
    pub fn basis(
        network: &Network,
        float: &compiler::Model,
        dataset: &'a Dataset,
        config: &ChipConfig,
        basis: BasisOptions,
        options: Options,
    ) -> Result<Self, Error> {
        let mut training = Training::float(network, dataset, options)?;
        for parameter in &mut training.parameters {
            let (node, part) = parameter.name.rsplit_once('.').unwrap_or_default();
            let values = float.parameters.values(node, part).to_vec();
            *parameter = Parameter::new(parameter.name.clone(), parameter.role, values, &training.device);
        }
        let images = pixels(dataset, &training.split.fit);
        let own = training.model.clone();
        let (model, parameters, template) = fitted_model(own, float, &images, config, basis.coding, &training.device)?;
        let teacher = std::mem::replace(&mut training.model, model);
        let frozen = std::mem::replace(&mut training.parameters, parameters);
        training.teacher = Some((teacher, frozen.into_iter().map(|parameter| parameter.value).collect()));
        training.template = Some(template);
        training.basis = Some(basis);
        training.levels = vec![ideal_levels(config)];
        (training.adc_bits, training.tiles) = (config.adc_bits(), config.tiles());
        Ok(training)
    }

    /// Goes on from coefficients that were trained before.
    ///
    /// # Errors
    /// They are not those of this network, form and sharing.
    pub fn start_from(&mut self, fitted: &Fitted, at: &str) -> Result<(), Error> {
        let refuse = |cause: String| Error::Start { at: at.into(), cause };
        if fitted.bases.len() != 1 || fitted.layers.len() != self.model.layers.len() {
            return Err(refuse(format!("it has {} layers and {} bases", fitted.layers.len(), fitted.bases.len())));
        }
        for (layer, own) in fitted.layers.iter().zip(&mut self.model.layers) {
            let Some(basis) = &mut own.basis else { continue };
            let latents: Vec<f32> = layer.coefficients.iter().map(|&c| f32::from(c)).collect();
            let fits = layer.shape == own.shape && latents.len() == basis.rule.len() && layer.code == basis.rule.code;
            if !fits || basis.rule.apply(&latents).values != latents {
                let cause =
                    format!("layer {} has another shape, or coefficients of another form or sharing", layer.name);
                return Err(refuse(cause));
            }
            (basis.input, basis.output, basis.range, basis.gain) = (layer.input, layer.output, layer.range, layer.gain);
            let logs = layer.scale.iter().map(|scale| scale.max(SCALE_MIN).ln() as f32).collect();
            let bias = layer.bias.iter().map(|&bias| bias as f32).collect();
            for (place, values) in [(own.weight, latents), (own.bias, bias), (basis.log_scale, logs)] {
                let parameter = &mut self.parameters[place];
                *parameter = Parameter::new(parameter.name.clone(), parameter.role, values, &self.device);
            }
        }
        Ok(())
    }

    /// Trains for one chip: `crossbars` are the levels read back from its tiles, `homes` the home of every kernel, layer by layer.
    pub fn refit_on(&mut self, crossbars: Vec<Levels>, homes: &[Vec<u32>]) {
        for (layer, homes) in self.model.layers.iter_mut().zip(homes) {
            if let Some(basis) = &mut layer.basis {
                basis.tiles = homes.iter().map(|&home| home as usize % crossbars.len().max(1)).collect();
            }
        }
        self.levels = crossbars;
    }

    /// Runs the epochs that are left.
    ///
    /// # Errors
    /// The loss diverges, or what `watch` writes cannot be written.
    pub fn run(&mut self, watch: &mut dyn Watch) -> Result<End, Error> {
        let steps = self.steps_per_epoch();
        while self.epochs.len() < self.options.epochs {
            let Some(epoch) = self.epoch(steps, watch)? else { return Ok(End::Stopped) };
            self.epochs.push(epoch.clone());
            self.remember_best()?;
            watch.epoch(self, &epoch)?;
            let best = self.best.as_ref().map_or(0, |(best, _)| *best);
            if self.options.patience.is_some_and(|patience| self.epochs.len() >= best + patience) {
                return Ok(End::EarlyStop);
            }
        }
        Ok(End::Finished)
    }

    fn steps_per_epoch(&self) -> usize {
        self.order.len().div_ceil(self.options.batch)
    }

    /// Goes on after `epochs` were done: draws what they drew.
    pub(crate) fn skip(&mut self, epochs: Vec<Epoch>) {
        for _ in &epochs {
            self.order.shuffle(&mut self.rng);
            self.batcher.skip(self.order.len(), &mut self.rng);
        }
        self.epochs = epochs;
    }

    /// The epoch whose parameters are the result.
    pub fn kept(&self) -> Option<&Epoch> {
        match (self.options.keep, &self.best) {
            (Keep::Best, Some((number, _))) => self.epochs.get(number - 1),
            _ => self.epochs.last(),
        }
    }

    /// The parameters of the epoch to keep take the place of the present ones, and the gains are those that suit them.
    ///
    /// # Errors
    /// The framework fails.
    pub fn finish(&mut self) -> Result<(), Error> {
        if let (Keep::Best, Some((_, values))) = (self.options.keep, &self.best) {
            for (parameter, values) in self.parameters.iter_mut().zip(values) {
                *parameter = Parameter::new(parameter.name.clone(), parameter.role, values.clone(), &self.device);
            }
        }
        self.choose_gains()
    }

    fn remember_best(&mut self) -> Result<(), Error> {
        let Some(score) = self.epochs.last().and_then(|epoch| epoch.validation) else { return Ok(()) };
        let before = self.best.as_ref().and_then(|(best, _)| self.epochs[best - 1].validation);
        if before.is_none_or(|before| score.is_better_than(&before)) {
            let values = self.parameters.iter().map(Parameter::values).collect::<Result<_, _>>()?;
            self.best = Some((self.epochs.len(), values));
        }
        Ok(())
    }

    /// Whether the ADC is in the loop in epoch `number`.
    fn adc_in(&self, number: usize) -> bool {
        self.basis.as_ref().is_some_and(|basis| number + basis.adc_epochs > self.options.epochs)
    }

    /// One pass over the training images; none if it was stopped.
    fn epoch(&mut self, steps: usize, watch: &mut dyn Watch) -> Result<Option<Epoch>, Error> {
        let start = Instant::now();
        let number = self.epochs.len() + 1;
        let adc = self.adc_in(number);
        if adc && !self.adc_in(number - 1) {
            self.choose_gains()?;
        }
        self.order.shuffle(&mut self.rng);
        let order = self.order.clone();
        let (mut sum, mut right) = (0.0, 0);
        for (batch, indices) in order.chunks(self.options.batch).enumerate() {
            let step = (number - 1) * steps + batch;
            let rate = self.options.rate(step, steps);
            let (loss, found) = self.step(indices, step, rate, adc)?;
            if !loss.is_finite() {
                let learning_rate = rate * self.options.learning_rate;
                return Err(Error::Diverged { epoch: number, batch: batch + 1, learning_rate, loss });
            }
            sum += loss * indices.len() as f64;
            right += found;
            watch.step(batch + 1, steps, loss);
            if watch.stop() {
                return Ok(None);
            }
        }
        let images = order.len() as f64;
        let validation = match self.split.validation.as_slice() {
            [] => None,
            images => Some(self.score(images, adc)?),
        };
        let last_step = number * steps - 1;
        Ok(Some(Epoch {
            number,
            learning_rate: self.options.rate(last_step, steps) * self.options.learning_rate,
            train_loss: sum / images,
            train_accuracy: right as f64 / images,
            validation,
            adc,
            slots: self.slots(),
            contests: self.contests()?,
            seconds: start.elapsed().as_secs_f64(),
        }))
    }

    /// One step; the loss, and how many images were classified rightly.
    fn step(&mut self, indices: &[usize], step: usize, rate: f64, adc: bool) -> Result<(f64, usize), Error> {
        let device = self.device.clone().autodiff();
        let images = self.batcher.augmented(indices, self.basis.is_some(), &mut self.rng, &self.device);
        let targets = self.batcher.targets(indices, self.options.label_smoothing, &device);
        let leaves: Vec<Tensor<1>> = self.parameters.iter().map(Parameter::leaf).collect();
        let noisy: Option<Vec<Levels>> = self.basis.as_ref().filter(|basis| basis.cell_error > 0.0).map(|basis| {
            let draw = |(tile, levels): (usize, &Levels)| {
                disturbed(levels, basis.cell_error, self.options.seed, (step * self.levels.len() + tile) as u64)
            };
            self.levels.iter().enumerate().map(draw).collect()
        });
        let levels = noisy.as_deref().unwrap_or(&self.levels);
        let around = Surroundings { levels, adc_bits: adc.then_some(self.adc_bits), device: &device };
        let forward = self.model.forward(&leaves, images.clone().autodiff(), around)?;
        let scores = read(forward.scores.clone().detach(), "scores of training images")?;
        let right = self.right(indices, &scores);
        let mut loss = cross_entropy(forward.scores.clone(), targets);
        if let (Some((teacher, values)), Some(basis)) = (&self.teacher, &self.basis) {
            let Distillation { share, temperature } = basis.distillation;
            let around = Surroundings { levels: &[], adc_bits: None, device: &self.device };
            let scale = self.batcher.scale();
            let taught = teacher.forward(values, images.mul_scalar(scale), around)?.scores.autodiff();
            let distance = divergence(forward.scores, taught, temperature);
            loss = loss.mul_scalar(1.0 - share) + distance.mul_scalar(share);
        }
        let value = read(loss.clone().detach(), "loss")?.first().copied().unwrap_or(f32::NAN);
        if value.is_finite() {
            self.descend(&leaves, &loss, &forward.coefficients, rate);
        }
        Ok((f64::from(value), right))
    }

    fn descend(&mut self, leaves: &[Tensor<1>], loss: &Tensor<1>, coefficients: &[Option<Coefficients>], rate: f64) {
        let mut gradients = loss.backward();
        let mut shrink: Vec<Option<&[bool]>> = vec![None; leaves.len()];
        for (layer, found) in self.model.layers.iter().zip(coefficients) {
            shrink[layer.weight] = found.as_ref().map(|found| found.owned.as_slice());
        }
        for ((parameter, leaf), owned) in self.parameters.iter_mut().zip(leaves).zip(shrink) {
            let mut gradient = gradient(leaf, &mut gradients);
            if let Some(owned) = owned {
                let decay: Vec<f32> = owned.iter().map(|&owned| if owned { 0.0 } else { LOSER_DECAY as f32 }).collect();
                gradient = gradient + parameter.value.clone() * Tensor::from_data(decay.as_slice(), &self.device);
            }
            let largest = match parameter.role {
                Role::Weight | Role::Latent => self.options.learning_rate,
                Role::PerKernel => self.options.scale_learning_rate.unwrap_or(self.options.learning_rate),
            };
            let size = StepSize { learning_rate: rate * largest, weight_decay: self.options.weight_decay };
            parameter.step(gradient, self.options.optimizer, size);
        }
    }

    fn values(&self) -> Vec<Tensor<1>> {
        self.parameters.iter().map(|parameter| parameter.value.clone()).collect()
    }

    fn choose_gains(&mut self) -> Result<(), Error> {
        if self.basis.is_none() {
            return Ok(());
        }
        let images = &self.split.fit[..GAIN_IMAGES.min(self.split.fit.len())];
        let images = self.batcher.images(images, true, &self.device);
        self.model.choose_gains(&self.values(), images, &self.levels, self.adc_bits)
    }

    /// Scores `[image][class]` of images as they are.
    ///
    /// # Errors
    /// The framework fails.
    pub fn scores(&self, images: &[usize], levels: &[Levels], adc: bool) -> Result<Vec<f32>, Error> {
        let values = self.values();
        let mut all = Vec::with_capacity(images.len() * self.model.classes);
        for indices in images.chunks(EVALUATION_BATCH) {
            let batch = self.batcher.images(indices, self.basis.is_some(), &self.device);
            let around = Surroundings { levels, adc_bits: adc.then_some(self.adc_bits), device: &self.device };
            let Forward { scores, .. } = self.model.forward(&values, batch, around)?;
            all.extend(read(scores, "scores")?);
        }
        Ok(all)
    }

    /// How well images are classified; `adc` puts the ADC into the loop.
    ///
    /// # Errors
    /// The framework fails.
    pub fn score(&self, images: &[usize], adc: bool) -> Result<Score, Error> {
        self.score_on(images, &self.levels, adc)
    }

    /// How well images are classified on crossbars with these levels.
    ///
    /// # Errors
    /// The framework fails.
    pub fn score_on(&self, images: &[usize], levels: &[Levels], adc: bool) -> Result<Score, Error> {
        let scores = self.scores(images, levels, adc)?;
        let classes = self.model.classes;
        let loss = |(&image, row): (&usize, &[f32])| {
            let most = row.iter().fold(f32::NEG_INFINITY, |m, s| m.max(*s));
            let sum: f64 = row.iter().map(|s| f64::from(s - most).exp()).sum();
            sum.ln() - f64::from(row[usize::from(self.dataset.labels[image])] - most)
        };
        let loss: f64 = images.iter().zip(scores.chunks(classes)).map(loss).sum();
        Ok(Score { right: self.right(images, &scores), of: images.len(), loss: loss / images.len().max(1) as f64 })
    }

    /// How many of `images` have their own label as highest score; the first of equal scores counts.
    fn right(&self, images: &[usize], scores: &[f32]) -> usize {
        let own = |(&image, row): (&usize, &[f32])| highest(row) == usize::from(self.dataset.labels[image]);
        images.iter().zip(scores.chunks(self.model.classes)).filter(|pair| own((pair.0, pair.1))).count()
    }

    /// Slots a subvector, weighted by positions, by the groups alone.
    pub fn slots(&self) -> Option<f64> {
        let (mut slots, mut subvectors) = (0, 0);
        for layer in &self.model.layers {
            let rule = &layer.basis.as_ref()?.rule;
            let Limit::Groups(groups) = &rule.limit else { return None };
            let largest = groups.iter().map(Vec::len).max().unwrap_or(1);
            let per_subvector = rule.kernels.div_ceil(self.tiles).div_ceil(largest);
            slots += layer.shape.positions() * rule.subvectors * per_subvector;
            subvectors += layer.shape.positions() * rule.subvectors;
        }
        Some(slots as f64 / subvectors as f64)
    }

    fn contests(&self) -> Result<Option<usize>, Error> {
        let mut sum = None;
        for layer in &self.model.layers {
            let Some(basis) = &layer.basis else { continue };
            let latents = self.parameters[layer.weight].values()?;
            let coefficients = basis.rule.apply(&latents);
            *sum.get_or_insert(0) += basis.rule.contests(&latents, &coefficients);
        }
        Ok(sum)
    }

    /// All parameters and the optimizer's memory, and the steps that it has seen.
    ///
    /// # Errors
    /// The framework fails.
    pub(crate) fn state(&self) -> Result<(Vec<NamedArray>, usize), Error> {
        let mut arrays = Vec::new();
        let mut steps = 0;
        for parameter in &self.parameters {
            let (own, done) = parameter.state()?;
            arrays.extend(own);
            steps = done;
        }
        Ok((arrays, steps))
    }
}

/// Place of the highest score, the first of equal ones.
pub fn highest(row: &[f32]) -> usize {
    (1..row.len()).fold(0, |best, i| if row[i] > row[best] { i } else { best })
}
