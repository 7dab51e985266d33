//! What a training is worth as it is: scores, accuracy, slots and contests.

use crate::Error;
use crate::adc::Levels;
use crate::coefficients::Limit;
use crate::model::{Forward, Surroundings};
use crate::parameter::read;

use super::{Score, Training};

/// Images of one forward pass that needs no gradients.
const EVALUATION_BATCH: usize = 256;

impl Training<'_> {
    /// Scores `[image][class]` of images as they are.
    ///
    /// # Errors
    /// The framework fails.
    pub fn scores(&self, images: &[usize], levels: &[Levels], adc: bool) -> Result<Vec<f32>, Error> {
        let values = self.values();
        let mut all = Vec::with_capacity(images.len() * self.model.classes);
        for indices in images.chunks(EVALUATION_BATCH) {
            let batch = self.batcher.images(indices, self.basis.is_some(), &self.device);
            let adc_bits = adc.then_some(self.geometry.adc_bits);
            let around =
                Surroundings { levels, cells: None, adc_bits, reading: None, training: false, device: &self.device };
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
    pub(super) fn right(&self, images: &[usize], scores: &[f32]) -> usize {
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
            let per_subvector = rule.kernels.div_ceil(self.geometry.tiles).div_ceil(largest) * rule.code.planes;
            slots += layer.shape.positions() * rule.subvectors * per_subvector;
            subvectors += layer.shape.positions() * rule.subvectors;
        }
        Some(slots as f64 / subvectors as f64)
    }

    pub(super) fn contests(&self) -> Result<Option<usize>, Error> {
        let mut sum = None;
        for layer in &self.model.layers {
            let Some(basis) = &layer.basis else { continue };
            let latents = self.parameters[layer.weight].values()?;
            let coefficients = basis.rule.apply(&latents);
            *sum.get_or_insert(0) += basis.rule.contests(&latents, &coefficients);
        }
        Ok(sum)
    }
}

/// Place of the highest score, the first of equal ones.
pub fn highest(row: &[f32]) -> usize {
    (1..row.len()).fold(0, |best, i| if row[i] > row[best] { i } else { best })
}
