//! The training loop, the same for float networks and for coefficients.
//!
//! | module | what |
//! |---|---|
//! | `begin` | the ways to begin |
//! | `evaluation` | scores, accuracy, slots, contests |
//! | `step` | one step: forward, loss, gradients, parameters |
//! | `record` | what a training of coefficients is told, and what is kept of an epoch |

mod begin;
mod evaluation;
mod record;
mod step;

use std::time::Instant;

use basisn_arch::Geometry;
use basisn_compiler::{Dataset, Fitted, Graph};
use burn::tensor::{Device, Tensor};
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use serde::Serialize;

use crate::Error;
use crate::adc::Levels;
use crate::data::{Batcher, Split};
use crate::model::Model;
use crate::options::{Keep, Options};
use crate::parameter::{NamedArray, Parameter, Role};
pub use evaluation::highest;
pub use record::{BasisOptions, Best, Epoch, Score};

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
