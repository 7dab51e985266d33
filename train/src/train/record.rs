//! What a training of coefficients is told, and what is kept of an epoch.

use std::sync::Arc;

use basisn_models::rram::MacroModel;
use serde::{Deserialize, Serialize};

use crate::basis_model::Coding;
use crate::loss::Distillation;
use crate::penalty::Penalties;

/// What training of coefficients needs beside [`Options`](crate::options::Options).
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
    /// Every so many epochs the cells of the basis are trained and nothing else; none leaves the basis as it is.
    pub basis_every: Option<usize>,
    /// What a fresh chip in every step does not do ideally: its cells in all epochs, its reads in those with the ADC in the loop.
    pub chips: Option<Arc<MacroModel>>,
    /// Terms against contests and for few coefficients.
    pub penalties: Penalties,
}

impl BasisOptions {
    /// The settings that do best on the digits.
    pub fn new(coding: Coding) -> Self {
        let distillation = Distillation { share: 0.5, temperature: 2.0 };
        BasisOptions {
            coding,
            distillation,
            adc_epochs: 4,
            cell_error: 0.0,
            basis_every: None,
            chips: None,
            penalties: Penalties::default(),
        }
    }
}

/// The parameters that were best on validation images.
#[derive(Clone, Debug, PartialEq)]
pub struct Best {
    /// Epoch after which they were, 0 before the first.
    pub epoch: usize,
    /// How good they were.
    pub score: Score,
    /// All parameters.
    pub values: Vec<Vec<f32>>,
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

    pub(super) fn is_better_than(&self, other: &Score) -> bool {
        (self.right, -self.loss) > (other.right, -other.loss)
    }
}
