//! Where a training is, in a file, so that it can go on as if it had never stopped.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::Error;
use crate::files::{self, NamedTensor};
use crate::train::{Best, Epoch, Score, Training};

const KEY: &str = "basisn_checkpoint";
/// In front of the names of the best epoch's parameters.
const BEST: &str = "best/";

/// What the file says beside the arrays.
#[derive(Serialize, Deserialize)]
struct Description {
    /// Settings that must be the same for going on.
    settings: String,
    /// Steps that the optimizer has seen.
    steps: usize,
    /// Gains of the layers' ADCs.
    gains: Vec<u32>,
    /// Epoch whose parameters are the best ones, and how good they are.
    best: Option<(usize, Score)>,
    /// Epochs done.
    epochs: Vec<Epoch>,
}

/// Everything that decides how a training goes on, as text.
fn settings(training: &Training) -> String {
    let layers: Vec<&str> = training.model.layers.iter().map(|layer| layer.name.as_str()).collect();
    let fixed = training.levels.iter().filter(|_| training.cells().is_none());
    let levels: f64 = fixed.flat_map(|levels| &levels.values).map(|&level| f64::from(level)).sum();
    format!("{:?} {:?} {layers:?}, levels {levels}", training.options, training.basis)
}

/// Writes the file.
///
/// # Errors
/// The file cannot be written, or the framework fails.
pub fn save(path: &Path, training: &Training) -> Result<(), Error> {
    let tensor = |name: String, values: Vec<f32>| NamedTensor { name, shape: vec![values.len()], values };
    let (arrays, steps) = training.state()?;
    let mut tensors: Vec<NamedTensor> = arrays.into_iter().map(|array| tensor(array.name, array.values)).collect();
    if let Some(Best { values, .. }) = &training.best {
        let names = training.parameters.iter().map(|parameter| format!("{BEST}{}", parameter.name));
        tensors.extend(names.zip(values).map(|(name, values)| tensor(name, values.clone())));
    }
    let description = Description {
        settings: settings(training),
        steps,
        gains: training.model.layers.iter().map(|layer| layer.basis.as_ref().map_or(0, |basis| basis.gain)).collect(),
        best: training.best.as_ref().map(|best| (best.epoch, best.score)),
        epochs: training.epochs.clone(),
    };
    let text = serde_json::to_string(&description)
        .map_err(|e| Error::Write { at: path.display().to_string(), cause: e.to_string() })?;
    files::save(path, &tensors, KEY, text)
}

/// Brings a new training to where the file says.
///
/// # Errors
/// The file is damaged, or of a training with other settings.
pub fn load(path: &Path, training: &mut Training) -> Result<(), Error> {
    let refuse = |cause: String| Error::Checkpoint { at: path.display().to_string(), cause };
    let (tensors, text) = files::load(path, KEY).map_err(refuse)?;
    let description: Description = serde_json::from_str(&text).map_err(|e| refuse(e.to_string()))?;
    let own = settings(training);
    if description.settings != own {
        return Err(refuse(format!("it has the settings {}, and this training {own}", description.settings)));
    }
    let find = |name: &str| tensors.iter().find(|tensor| tensor.name == name).map(|tensor| tensor.values.clone());
    for parameter in &mut training.parameters {
        if !parameter.restore(description.steps, find) {
            return Err(refuse(format!("tensor {} is missing or of another length", parameter.name)));
        }
    }
    for (layer, gain) in training.model.layers.iter_mut().zip(description.gains) {
        if let Some(basis) = &mut layer.basis {
            basis.gain = gain;
        }
    }
    training.best = match description.best {
        None => None,
        Some((epoch, score)) => {
            let values = training.parameters.iter().map(|parameter| find(&format!("{BEST}{}", parameter.name)));
            let values = values.collect::<Option<Vec<_>>>();
            let values = values.ok_or_else(|| refuse("parameters of the best epoch are missing".into()))?;
            Some(Best { epoch, score, values })
        }
    };
    training.round_cells()?;
    training.skip(description.epochs);
    Ok(())
}
