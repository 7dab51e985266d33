//! The training loop, the same for float networks and for coefficients.
//!
//! | module | what |
//! |---|---|
//! | `begin` | the ways to begin |
//! | `evaluation` | scores, accuracy, slots, contests |
//! | `record` | what a training of coefficients is told, and what is kept of an epoch |

mod begin;
mod evaluation;
mod record;

use std::sync::Arc;
use std::time::Instant;

use basisn_arch::Geometry;
use basisn_compiler::{Dataset, Fitted, Graph};
use basisn_models::rram;
use burn::tensor::{Device, Tensor};
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use serde::Serialize;

use crate::Error;
use crate::adc::Levels;
use crate::chip;
use crate::coefficients::Coefficients;
use crate::data::{Batcher, Split};
use crate::loss::{Distillation, cross_entropy, divergence};
use crate::model::{Model, Surroundings};
use crate::noise::disturbed;
use crate::options::{Keep, Options};
use crate::parameter::{NamedArray, Parameter, Role, StepSize, gradient, read};
use crate::reading::Reading;
pub use evaluation::highest;
pub use record::{BasisOptions, Best, Epoch, Score};

/// How strongly latents that lost their column, or that the limit excludes, shrink (SR-STE, Zhou 2021).
const LOSER_DECAY: f64 = 2e-3;
/// Largest learning rate of cells, in levels.
const CELL_LEARNING_RATE: f64 = 0.02;
/// Images that the gain of the ADC is chosen on.
const GAIN_IMAGES: usize = 64;

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
    /// The network as a graph; without the batch norms that were folded, if it is trained as coefficients.
    pub graph: Graph,
    /// The network as a function of the parameters.
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
    /// The best epoch on validation images, if there are any.
    pub best: Option<Best>,
    /// The fitted network whose scales the coefficients have.
    pub template: Option<Fitted>,
    /// It goes on from coefficients that were trained before.
    has_start: bool,
    dataset: &'a Dataset,
    batcher: Batcher<'a>,
    teacher: Option<(Model, Vec<Tensor<1>>)>,
    /// Of the chip that coefficients are for.
    geometry: Geometry,
    rng: StdRng,
    order: Vec<usize>,
    device: Device,
}

impl<'a> Training<'a> {
    /// Runs the epochs that are left.
    ///
    /// # Errors
    /// The loss diverges, or what `watch` writes cannot be written.
    pub fn run(&mut self, watch: &mut dyn Watch) -> Result<End, Error> {
        let steps = self.steps_per_epoch();
        if self.epochs.is_empty() && self.has_start && !self.split.validation.is_empty() {
            // What a training goes on from may be better than all that follows.
            let score = self.score(&self.split.validation, self.adc_in(1))?;
            self.remember_best(score)?;
        }
        while self.epochs.len() < self.options.epochs {
            let Some(epoch) = self.epoch(steps, watch)? else { return Ok(End::Stopped) };
            self.epochs.push(epoch.clone());
            if let Some(score) = epoch.validation {
                self.remember_best(score)?;
            }
            watch.epoch(self, &epoch)?;
            let best = self.best.as_ref().map_or(0, |best| best.epoch);
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

    /// The epoch whose parameters are the result; none if they are those that it went on from.
    pub fn kept(&self) -> Option<&Epoch> {
        match (self.options.keep, &self.best) {
            (Keep::Best, Some(best)) => self.epochs.get(best.epoch.checked_sub(1)?),
            _ => self.epochs.last(),
        }
    }

    /// The parameters of the epoch to keep take the place of the present ones, and the gains are those that suit them.
    ///
    /// # Errors
    /// The framework fails.
    pub fn finish(&mut self) -> Result<(), Error> {
        if let (Keep::Best, Some(best)) = (self.options.keep, &self.best) {
            for (parameter, values) in self.parameters.iter_mut().zip(&best.values) {
                *parameter = Parameter::new(parameter.name.clone(), parameter.role, values.clone(), &self.device);
            }
        }
        self.round_cells()?;
        self.choose_gains()
    }

    fn remember_best(&mut self, score: Score) -> Result<(), Error> {
        if self.best.as_ref().is_none_or(|best| score.is_better_than(&best.score)) {
            let values = self.parameters.iter().map(Parameter::values).collect::<Result<_, _>>()?;
            self.best = Some(Best { epoch: self.epochs.len(), score, values });
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
        let (noisy, reading) = self.disturbed(step);
        let levels = noisy.as_deref().unwrap_or(&self.levels);
        let around = Surroundings {
            levels,
            cells: self.cells(),
            adc_bits: adc.then_some(self.geometry.adc_bits),
            reading: reading.as_ref(),
            training: true,
            device: &device,
        };
        let forward = self.model.forward(&leaves, images.clone().autodiff(), around)?;
        let scores = read(forward.scores.clone().detach(), "scores of training images")?;
        let right = self.right(indices, &scores);
        let mut loss = cross_entropy(forward.scores.clone(), targets);
        if let (Some((teacher, values)), Some(basis)) = (&self.teacher, &self.basis) {
            let Distillation { share, temperature } = basis.distillation;
            let around = Surroundings {
                levels: &[],
                cells: None,
                adc_bits: None,
                reading: None,
                training: false,
                device: &self.device,
            };
            let scale = self.batcher.scale();
            let taught = teacher.forward(values, images.mul_scalar(scale), around)?.scores.autodiff();
            let distance = divergence(forward.scores, taught, temperature);
            loss = loss.mul_scalar(1.0 - share) + distance.mul_scalar(share);
        }
        if let Some(penalties) = self.basis.as_ref().map(|basis| basis.penalties).filter(|p| !p.is_none()) {
            for (layer, found) in self.model.layers.iter().zip(&forward.coefficients) {
                let (Some(basis), Some(found)) = (&layer.basis, found) else { continue };
                let latents = leaves[layer.weight].clone();
                loss = loss + penalties.of_layer(latents, &basis.rule, &found.owned, &basis.compete, &device);
            }
        }
        let value = read(loss.clone().detach(), "loss")?.first().copied().unwrap_or(f32::NAN);
        if value.is_finite() {
            self.descend(&leaves, &loss, &forward.coefficients, rate);
            self.round_cells()?;
            for (place, statistic) in forward.statistics {
                self.parameters[place].value = statistic;
            }
        }
        Ok((f64::from(value), right))
    }

    /// The levels that a step sees if they are not those of the crossbars, and the errors of its reads.
    fn disturbed(&self, step: usize) -> (Option<Vec<Levels>>, Option<Reading>) {
        let Some(basis) = &self.basis else { return (None, None) };
        if let Some(model) = &basis.chips {
            let seed = (self.options.seed << 32).wrapping_add(step as u64);
            let device = rram::Device { model: Arc::clone(model), seed };
            let asked: Vec<i8> = self.levels[0].values.iter().map(|&level| level as i8).collect();
            let written = chip::written(self.geometry, &device, 0, &asked);
            return (Some(vec![chip::effective(&written)]), Some(Reading::new(written, seed)));
        }
        let draw = |(tile, levels): (usize, &Levels)| {
            disturbed(levels, basis.cell_error, self.options.seed, (step * self.levels.len() + tile) as u64)
        };
        ((basis.cell_error > 0.0).then(|| self.levels.iter().enumerate().map(draw).collect()), None)
    }

    fn descend(&mut self, leaves: &[Tensor<1>], loss: &Tensor<1>, coefficients: &[Option<Coefficients>], rate: f64) {
        let mut gradients = loss.backward();
        let mut shrink: Vec<Option<&[bool]>> = vec![None; leaves.len()];
        for (layer, found) in self.model.layers.iter().zip(coefficients) {
            shrink[layer.weight] = found.as_ref().map(|found| found.owned.as_slice());
        }
        // In the epochs of the basis nothing else moves, and in the others the basis does not.
        let cells_only = self.learns_basis(self.epochs.len() + 1);
        for ((parameter, leaf), owned) in self.parameters.iter_mut().zip(leaves).zip(shrink) {
            if (parameter.role == Role::Cell) != cells_only {
                continue;
            }
            let mut gradient = gradient(leaf, &mut gradients);
            if let Some(owned) = owned {
                let decay: Vec<f32> = owned.iter().map(|&owned| if owned { 0.0 } else { LOSER_DECAY as f32 }).collect();
                gradient = gradient + parameter.value.clone() * Tensor::from_data(decay.as_slice(), &self.device);
            }
            let largest = match parameter.role {
                Role::Weight | Role::Latent => self.options.learning_rate,
                Role::Cell => CELL_LEARNING_RATE,
                Role::Statistic => continue,
                Role::PerKernel => self.options.scale_learning_rate.unwrap_or(self.options.learning_rate),
            };
            let size = StepSize { learning_rate: rate * largest, weight_decay: self.options.weight_decay };
            parameter.step(gradient, self.options.optimizer, size);
        }
    }

    /// Place of the parameter that the levels are rounded from, if they are trained.
    pub(crate) fn cells(&self) -> Option<usize> {
        self.parameters.iter().position(|parameter| parameter.role == Role::Cell)
    }

    /// Whether epoch `number` trains the basis.
    fn learns_basis(&self, number: usize) -> bool {
        self.basis.as_ref().and_then(|basis| basis.basis_every).is_some_and(|every| number.is_multiple_of(every))
    }

    /// The levels follow what they are rounded from.
    pub(crate) fn round_cells(&mut self) -> Result<(), Error> {
        if let Some(place) = self.cells() {
            let latents = self.parameters[place].values()?;
            let Geometry { cell_bits, .. } = self.geometry;
            self.levels = vec![self.levels[0].nearest(&latents, cell_bits, self.geometry.level_max())];
        }
        Ok(())
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
        self.model.choose_gains(&self.values(), images, &self.levels, self.geometry.adc_bits)
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
