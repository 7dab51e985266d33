//! What a change of chip or network does to accuracy: measured on the digits, the network that is trained here.
//!
//! Changes that need training come from `examples/digits/training.json`, which `scripts/train-digits` writes; the others from
//! `evaluate/measured/digits.json`, which a test compares with the golden reference.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::Error;

const TRAINED: (&str, &str) = ("examples/digits/training.json", include_str!("../../examples/digits/training.json"));
const MEASURED: (&str, &str) = ("evaluate/measured/digits.json", include_str!("../measured/digits.json"));

/// Accuracy of the digits with a change, and without it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Accuracy {
    /// Held-out images that are right, in percent; mean over seeds of training.
    pub percent: f64,
    /// The same as configured: what the change is to be compared with.
    pub unchanged_percent: f64,
    /// How it was measured.
    pub how: String,
}

/// Accuracies of the golden reference that need no training, in percent, with coefficients of four planes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Measured {
    /// By bits of a conversion.
    pub adc_bits: BTreeMap<usize, f64>,
    /// By tiles of a core.
    pub tiles: BTreeMap<usize, f64>,
}

/// A way of training; what else the file says of it is not used here.
#[derive(Clone, Debug, PartialEq, Deserialize)]
struct Run {
    groups: Option<usize>,
    coefficients: Option<String>,
    activation_bits: Option<usize>,
    epochs: usize,
    mean_percent: f64,
}

/// What `evaluate/measured/digits.json` says.
///
/// # Errors
/// It is not as [`Measured`].
pub fn measured() -> Result<Measured, Error> {
    serde_json::from_str(MEASURED.1).map_err(|e| Error::constants(MEASURED.0, e.to_string(), "run scripts/results"))
}

/// The training in groups of `groups` with ternary coefficients and inputs of `bits` bits, if there is one.
///
/// # Errors
/// `examples/digits/training.json` is not a list of runs.
pub fn trained(groups: usize, bits: usize) -> Result<Option<f64>, Error> {
    let fix = "write it again with scripts/train-digits";
    let runs: Vec<Run> =
        serde_json::from_str(TRAINED.1).map_err(|e| Error::constants(TRAINED.0, e.to_string(), fix))?;
    let is = |run: &&Run| {
        run.groups == Some(groups)
            && run.activation_bits == Some(bits)
            && run.coefficients.as_deref() == Some("ternary")
    };
    // The longest; the first of them, if there are several ways.
    Ok(runs.iter().rev().filter(is).max_by_key(|run| run.epochs).map(|run| run.mean_percent))
}
