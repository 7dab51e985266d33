//! One step: a batch forward, its loss, gradients, and the parameters that follow them.

use std::sync::Arc;

use basisn_models::rram;
use burn::tensor::Tensor;

use super::Training;
use crate::Error;
use crate::adc::Levels;
use crate::chip;
use crate::coefficients::Coefficients;
use crate::loss::{Distillation, cross_entropy, divergence};
use crate::model::Surroundings;
use crate::noise::disturbed;
use crate::parameter::{Parameter, Role, StepSize, gradient, read};
use crate::reading::Reading;

/// How strongly latents that lost their column, or that the limit excludes, shrink (SR-STE, Zhou 2021).
const LOSER_DECAY: f64 = 2e-3;
/// Largest learning rate of cells, in levels.
const CELL_LEARNING_RATE: f64 = 0.02;
impl Training<'_> {
    /// One step; the loss, and how many images were classified rightly.
    pub(super) fn step(&mut self, indices: &[usize], step: usize, rate: f64, adc: bool) -> Result<(f64, usize), Error> {
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
}
