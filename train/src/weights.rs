//! The trained numbers as plain arrays, and their safetensors file.

use std::collections::HashMap;
use std::path::Path;

use basisn_compiler::Network;
use burn::tensor::Tensor;
use safetensors::Dtype;
use safetensors::tensor::TensorView;
use serde::Serialize;

use crate::Error;
use crate::model::{Cnn, Stage};

/// A named array of the weights file, in C order.
#[derive(Clone, Debug, PartialEq)]
pub struct NamedTensor {
    /// `<layer>.weight` or `<layer>.bias`.
    pub name: String,
    /// Convolutions `[out, in, kernel, kernel]`, linear layers `[out, in]`, biases `[out]`.
    pub shape: Vec<usize>,
    /// Values.
    pub values: Vec<f32>,
}

/// What the weights file says about its own making.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Provenance {
    /// Name of the network.
    pub network: String,
    /// Seed of the training.
    pub seed: u64,
    /// Epochs of the training.
    pub epochs: usize,
    /// Share of the held-out images that is classified rightly, 0..1.
    pub test_accuracy: f64,
}

/// The weights of `model`, which was built from `network`, in order of the layers.
///
/// # Errors
/// The framework cannot read a tensor back.
pub fn export(model: &Cnn, network: &Network) -> Result<Vec<NamedTensor>, Error> {
    let mut tensors = Vec::with_capacity(2 * model.stages.len());
    for (stage, layer) in model.stages.iter().zip(&network.layers) {
        let weight_name = format!("{}.weight", layer.name);
        let (weight, bias) = match stage {
            Stage::Conv(conv) => (read(weight_name, conv.weight.val())?, &conv.bias),
            Stage::Linear(linear) => (read(weight_name, linear.weight.val().transpose())?, &linear.bias),
        };
        tensors.push(weight);
        if let Some(bias) = bias {
            tensors.push(read(format!("{}.bias", layer.name), bias.val())?);
        }
    }
    Ok(tensors)
}

fn read<const D: usize>(name: String, tensor: Tensor<D>) -> Result<NamedTensor, Error> {
    let shape = tensor.dims().to_vec();
    let values = tensor
        .into_data()
        .try_into_vec::<f32>()
        .map_err(|e| Error::Framework { at: "reading the weights", cause: format!("{name}: {e:?}") })?;
    Ok(NamedTensor { name, shape, values })
}

/// Writes `tensors` to `path`. The file appears complete or not at all; the same content gives the same bytes.
///
/// # Errors
/// The file cannot be written.
pub fn save(path: &Path, tensors: &[NamedTensor], provenance: &Provenance) -> Result<(), Error> {
    let fail = |cause: String| Error::Write { at: path.display().to_string(), cause };
    let bytes: Vec<Vec<u8>> =
        tensors.iter().map(|t| t.values.iter().flat_map(|value| value.to_le_bytes()).collect()).collect();
    let mut views = Vec::with_capacity(tensors.len());
    for (tensor, bytes) in tensors.iter().zip(&bytes) {
        let view = TensorView::new(Dtype::F32, tensor.shape.clone(), bytes).map_err(|e| fail(e.to_string()))?;
        views.push((tensor.name.as_str(), view));
    }
    // One entry: the metadata is a hash map, and the order of several would differ from run to run.
    let text = serde_json::to_string(provenance).map_err(|e| fail(e.to_string()))?;
    let file = safetensors::serialize(views, Some(HashMap::from([("basisn_training".to_string(), text)])))
        .map_err(|e| fail(e.to_string()))?;

    let name = path.file_name().ok_or_else(|| fail("not a file name".into()))?;
    let beside = path.with_file_name(format!(".{}.{}", name.to_string_lossy(), std::process::id()));
    std::fs::write(&beside, &file).and_then(|()| std::fs::rename(&beside, path)).map_err(|e| {
        // Nothing is left to clean up if it was never created.
        let _ = std::fs::remove_file(&beside);
        fail(e.to_string())
    })
}
