//! Safetensors files that appear complete or not at all.

use std::collections::HashMap;
use std::path::Path;

use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};

use crate::Error;

/// A named array with a shape, in C order.
#[derive(Clone, Debug, PartialEq)]
pub struct NamedTensor {
    /// Name.
    pub name: String,
    /// Extents.
    pub shape: Vec<usize>,
    /// Values.
    pub values: Vec<f32>,
}

/// Writes `tensors` and one entry of metadata. The same content gives the same bytes.
///
/// # Errors
/// The file cannot be written.
pub fn save(path: &Path, tensors: &[NamedTensor], key: &str, text: String) -> Result<(), Error> {
    let fail = |cause: String| Error::Write { at: path.display().to_string(), cause };
    let bytes: Vec<Vec<u8>> =
        tensors.iter().map(|t| t.values.iter().flat_map(|value| value.to_le_bytes()).collect()).collect();
    let mut views = Vec::with_capacity(tensors.len());
    for (tensor, bytes) in tensors.iter().zip(&bytes) {
        let view = TensorView::new(Dtype::F32, tensor.shape.clone(), bytes).map_err(|e| fail(e.to_string()))?;
        views.push((tensor.name.as_str(), view));
    }
    // One entry: the metadata is a hash map, and the order of several would differ from run to run.
    let file = safetensors::serialize(views, Some(HashMap::from([(key.to_string(), text)])))
        .map_err(|e| fail(e.to_string()))?;
    write(path, &file)
}

/// Writes a file beside its place, then moves it there.
///
/// # Errors
/// The file cannot be written.
pub fn write(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let fail = |cause: String| Error::Write { at: path.display().to_string(), cause };
    let name = path.file_name().ok_or_else(|| fail("not a file name".into()))?;
    let beside = path.with_file_name(format!(".{}.{}", name.to_string_lossy(), std::process::id()));
    std::fs::write(&beside, bytes).and_then(|()| std::fs::rename(&beside, path)).map_err(|e| {
        // Nothing is left to clean up if it was never created.
        let _ = std::fs::remove_file(&beside);
        fail(e.to_string())
    })
}

/// Reads the float tensors of a file and the entry `key` of its metadata.
///
/// # Errors
/// The cause: the file cannot be read, is cut off, has other tensors, or no such entry.
pub fn load(path: &Path, key: &str) -> Result<(Vec<NamedTensor>, String), String> {
    let bytes = std::fs::read(path).map_err(|e| e.to_string())?;
    let (_, metadata) = SafeTensors::read_metadata(&bytes).map_err(|e| e.to_string())?;
    let text = metadata.metadata().as_ref().and_then(|entries| entries.get(key)).cloned();
    let text = text.ok_or_else(|| format!("it has no metadata entry {key}"))?;
    let file = SafeTensors::deserialize(&bytes).map_err(|e| e.to_string())?;
    let mut tensors = Vec::new();
    for (name, view) in file.iter() {
        if view.dtype() != Dtype::F32 {
            return Err(format!("tensor {name} is {:?}, not F32", view.dtype()));
        }
        let values = view.data().as_chunks::<4>().0.iter().map(|b| f32::from_le_bytes(*b)).collect();
        tensors.push(NamedTensor { name: name.into(), shape: view.shape().to_vec(), values });
    }
    Ok((tensors, text))
}
