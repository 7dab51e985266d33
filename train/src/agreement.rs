//! What training believes is what the chip computes: predictions of the training graph and of the golden reference, image by image.

use basisn_arch::{ChipConfig, Program};
use basisn_compiler::Dataset;
use basisn_models::rram::Device;
use serde::Serialize;

use crate::Error;
use crate::chip::predictions;
use crate::train::{Training, highest};

/// One image on which the two differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// Image of the dataset.
    pub image: usize,
    /// Its class.
    pub label: usize,
    /// What the training graph says, with the ADC in the loop.
    pub training: usize,
    /// What the golden reference says.
    pub golden: usize,
}

/// The comparison.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Agreement {
    /// Images compared.
    pub images: usize,
    /// Images that the golden reference classifies rightly.
    pub right: usize,
    /// Images on which the two differ.
    pub differences: Vec<Difference>,
}

impl Agreement {
    /// Share of images that the golden reference classifies rightly, 0..1.
    pub fn accuracy(&self) -> f64 {
        self.right as f64 / self.images.max(1) as f64
    }
}

/// Compares the predictions for some images; `device` is the chip that the training is for, if its crossbars were measured.
///
/// # Errors
/// The framework fails, or the program does not run on the chip.
pub fn compare(
    training: &Training,
    program: &Program,
    config: &ChipConfig,
    device: Option<&Device>,
    dataset: &Dataset,
    images: &[usize],
) -> Result<Agreement, Error> {
    let scores = training.scores(images, &training.levels, true)?;
    let believed: Vec<usize> = scores.chunks(training.model.classes).map(highest).collect();
    let golden = predictions(program, config, device, dataset, images)?;
    let label = |image: usize| usize::from(dataset.labels[image]);
    let right = images.iter().zip(&golden).filter(|&(&image, &class)| class == label(image)).count();
    let differences = images
        .iter()
        .zip(believed.into_iter().zip(golden))
        .filter(|(_, (training, golden))| training != golden)
        .map(|(&image, (training, golden))| Difference { image, label: label(image), training, golden })
        .collect();
    Ok(Agreement { images: images.len(), right, differences })
}
