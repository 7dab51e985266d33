//! Trained weights: a safetensors file with `<layer>.weight` and `<layer>.bias` for every layer of a network, nothing else.

use std::path::Path;

use safetensors::SafeTensors;
use safetensors::tensor::Dtype;

use crate::network::LayerKind;
use crate::{Error, Network};

/// Weights of a network, checked against its description.
#[derive(Clone, Debug, PartialEq)]
pub struct Weights {
    /// One entry for every layer, in order.
    pub layers: Vec<LayerWeights>,
}

/// Weights of one layer.
#[derive(Clone, Debug, PartialEq)]
pub struct LayerWeights {
    /// `[kernel][input channel, kernel row, kernel column]`, K * D values.
    pub weight: Vec<f32>,
    /// One value for every kernel.
    pub bias: Vec<f32>,
}

impl Weights {
    /// Reads the weights of `network` from a file.
    ///
    /// # Errors
    /// The file cannot be read, or as [`Weights::from_bytes`].
    pub fn load(path: &Path, network: &Network) -> Result<Self, Error> {
        let bytes = std::fs::read(path).map_err(|e| Error::read(path, &e))?;
        Self::from_bytes(&bytes, network, &path.display().to_string())
    }

    /// Reads the weights of `network` from a file's bytes; `at` names the file in errors.
    ///
    /// # Errors
    /// Not a safetensors file or truncated; a tensor missing, unknown, of another type or shape, or with a value that is not finite.
    pub fn from_bytes(bytes: &[u8], network: &Network, at: &str) -> Result<Self, Error> {
        let file = SafeTensors::deserialize(bytes).map_err(|e| {
            Error::weights(at, format!("this is no complete safetensors file: {e}"), "copy or train the weights again")
        })?;
        let shapes = network.shapes().map_err(|cause| Error::Network { at: network.name.clone(), cause })?;
        let mut known = Vec::new();
        let mut layers = Vec::new();
        for (layer, shape) in network.layers.iter().zip(&shapes) {
            let [weight, bias] = ["weight", "bias"].map(|part| format!("{}.{part}", layer.name));
            let extents = match layer.kind {
                LayerKind::Conv => {
                    vec![shape.kernels, shape.in_channels, shape.window.kernel[0], shape.window.kernel[1]]
                }
                LayerKind::Linear => vec![shape.kernels, shape.depth()],
            };
            layers.push(LayerWeights {
                weight: read(&file, at, &weight, &extents)?,
                bias: read(&file, at, &bias, &[shape.kernels])?,
            });
            known.extend([weight, bias]);
        }
        let mut unknown: Vec<_> = file.names().into_iter().filter(|n| !known.iter().any(|k| k == n)).collect();
        unknown.sort_unstable();
        if let Some(name) = unknown.first() {
            return Err(Error::weights(
                format!("{at}, {name}"),
                format!("network {} has no such tensor; its tensors are {}", network.name, known.join(", ")),
                "remove the tensor, or give the network that these weights belong to",
            ));
        }
        Ok(Weights { layers })
    }
}

fn read(file: &SafeTensors, at: &str, name: &str, shape: &[usize]) -> Result<Vec<f32>, Error> {
    let at = format!("{at}, {name}");
    let Ok(view) = file.tensor(name) else {
        let cause = format!("the tensor is missing; float32 {shape:?} is expected");
        return Err(Error::weights(at, cause, "export the weights of every layer, biases included"));
    };
    if view.dtype() != Dtype::F32 || view.shape() != shape {
        let cause = format!("{:?} {:?} found, F32 {shape:?} expected", view.dtype(), view.shape());
        return Err(Error::weights(at, cause, "give the network that these weights belong to, and export float32"));
    }
    let values: Vec<f32> = view.data().as_chunks::<4>().0.iter().map(|b| f32::from_le_bytes(*b)).collect();
    match values.iter().position(|v| !v.is_finite()) {
        Some(i) => {
            let cause = format!("value {i} is {}", values[i]);
            Err(Error::weights(at, cause, "train again with a smaller learning rate: a weight must be finite"))
        }
        None => Ok(values),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use safetensors::tensor::TensorView;

    fn network() -> Network {
        toml::from_str(
            "name = \"n\"\ninput = { channels = 1, height = 2, width = 2, scale = 1.0, bits = 4 }\n\
             [[layers]]\nname = \"a\"\nkind = \"conv\"\nout = 2\nkernel = 1\nrelu = true\n\
             [[layers]]\nname = \"b\"\nkind = \"linear\"\nout = 3\nrelu = false\n",
        )
        .unwrap()
    }

    type Tensor = (&'static str, Vec<usize>, Vec<f32>);

    fn tensors() -> Vec<Tensor> {
        vec![
            ("a.weight", vec![2, 1, 1, 1], vec![1.0, -2.0]),
            ("a.bias", vec![2], vec![0.5, 0.25]),
            ("b.weight", vec![3, 8], (0..24u8).map(f32::from).collect()),
            ("b.bias", vec![3], vec![0.0; 3]),
        ]
    }

    fn bytes(tensors: &[Tensor]) -> Vec<u8> {
        let data: Vec<Vec<u8>> = tensors.iter().map(|t| t.2.iter().flat_map(|v| v.to_le_bytes()).collect()).collect();
        let views = tensors.iter().zip(&data).map(|(t, d)| (t.0, TensorView::new(Dtype::F32, t.1.clone(), d).unwrap()));
        safetensors::serialize(views, None).unwrap()
    }

    #[test]
    fn complete_weights_are_read_in_order() {
        let weights = Weights::from_bytes(&bytes(&tensors()), &network(), "w").unwrap();
        assert_eq!(weights.layers[0], LayerWeights { weight: vec![1.0, -2.0], bias: vec![0.5, 0.25] });
        assert_eq!(weights.layers[1].weight[23], 23.0);
    }

    #[test]
    fn wrong_weights_are_refused_with_at_cause_and_fix() {
        let refused = |change: &dyn Fn(&mut Vec<Tensor>)| {
            let mut t = tensors();
            change(&mut t);
            Weights::from_bytes(&bytes(&t), &network(), "w.safetensors").unwrap_err().to_string()
        };
        let missing = refused(&|t| drop(t.remove(1)));
        assert!(missing.contains("at:    w.safetensors, a.bias") && missing.contains("missing"), "{missing}");
        let unknown = refused(&|t| t.push(("c.weight", vec![1], vec![0.0])));
        assert!(unknown.contains("c.weight") && unknown.contains("no such tensor"), "{unknown}");
        let shape = refused(&|t| t[2].1 = vec![8, 3]);
        assert!(shape.contains("F32 [8, 3] found, F32 [3, 8] expected"), "{shape}");
        let nan = refused(&|t| t[2].2[5] = f32::NAN);
        assert!(nan.contains("value 5 is NaN") && nan.contains("fix:"), "{nan}");
        let infinite = refused(&|t| t[1].2[1] = f32::NEG_INFINITY);
        assert!(infinite.contains("value 1 is -inf"), "{infinite}");
        let whole = bytes(&tensors());
        for length in [0, 4, 60, whole.len() - 1] {
            let cut = Weights::from_bytes(&whole[..length], &network(), "w").unwrap_err().to_string();
            assert!(cut.contains("no complete safetensors file"), "{cut}");
        }
        let absent = Weights::load(Path::new("/nonexistent"), &network()).unwrap_err().to_string();
        assert!(absent.starts_with("cannot read a file\n  at:    /nonexistent"), "{absent}");
    }
}
