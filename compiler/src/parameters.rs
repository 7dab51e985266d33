//! Parameters of a graph: a PyTorch state dict as safetensors, or seeded random numbers.

use std::collections::BTreeMap;
use std::path::Path;

use safetensors::SafeTensors;
use safetensors::tensor::Dtype;

use crate::graph::{Graph, Op};
use crate::random::Random;
use crate::{Error, Model};

/// Tensors by name.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Parameters {
    tensors: BTreeMap<String, Tensor>,
}

/// A float tensor in row-major order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tensor {
    /// Extents.
    pub shape: Vec<usize>,
    /// As many values as the product of the extents.
    pub values: Vec<f32>,
}

/// Counters that PyTorch's batch norm saves and inference does not use.
const IGNORED: &str = ".num_batches_tracked";

impl Model {
    /// A graph with the parameters of a safetensors file: a state dict with PyTorch's names.
    ///
    /// # Errors
    /// The file cannot be read, or as [`Model::from_state_dict`].
    pub fn load(graph: Graph, path: &Path) -> Result<Self, Error> {
        let bytes = std::fs::read(path).map_err(|e| Error::read(path, &e))?;
        Self::from_state_dict(graph, &bytes, &path.display().to_string())
    }

    /// A graph with the parameters of a safetensors file's bytes; `at` names the file in errors.
    ///
    /// # Errors
    /// Not a safetensors file or truncated; a tensor missing, unknown, of another type or shape, or with a value that is not finite.
    pub fn from_state_dict(graph: Graph, bytes: &[u8], at: &str) -> Result<Self, Error> {
        let file = SafeTensors::deserialize(bytes).map_err(|e| {
            Error::weights(at, format!("this is no complete safetensors file: {e}"), "copy or train the weights again")
        })?;
        let known = expected(&graph);
        let mut parameters = Parameters::default();
        for (name, shape) in &known {
            let values = read(&file, at, name, shape)?;
            parameters.insert(name.clone(), Tensor { shape: shape.clone(), values });
        }
        let mut unknown = file.names();
        unknown.retain(|name| !parameters.tensors.contains_key(*name) && !name.ends_with(IGNORED));
        unknown.sort_unstable();
        if let Some(name) = unknown.first() {
            let tensors: Vec<_> = known.iter().take(8).map(|(name, _)| name.as_str()).collect();
            let more = known.len().saturating_sub(tensors.len());
            let and_more = if more > 0 { format!(" and {more} more") } else { String::new() };
            return Err(Error::weights(
                format!("{at}, {name}"),
                format!("network {} has no such tensor; its tensors are {}{and_more}", graph.name, tensors.join(", ")),
                "remove the tensor, or give the network that these weights belong to",
            ));
        }
        Model::new(graph, parameters)
    }

    /// A graph with random parameters: weights as for training (He, 2015), batch norms whose statistics vary a little.
    /// The same seed gives the same bits everywhere.
    pub fn random(graph: Graph, seed: u64) -> Self {
        let mut random = Random::new(seed);
        let mut parameters = Parameters::default();
        for (name, shape) in expected(&graph) {
            let (middle, reach) = match name.rsplit('.').next() {
                Some("weight") if shape.len() > 1 => (0.0, (6.0 / shape[1..].iter().product::<usize>() as f64).sqrt()),
                Some("weight" | "running_var") => (1.0, 0.5),
                _ => (0.0, 0.1),
            };
            let size = shape.iter().product();
            let values = (0..size).map(|_| (middle + reach * random.signed_unit()) as f32).collect();
            parameters.insert(name, Tensor { shape, values });
        }
        Model { graph, parameters }
    }
}

impl Parameters {
    /// Puts a tensor there, in place of one of the same name.
    pub fn insert(&mut self, name: String, tensor: Tensor) {
        self.tensors.insert(name, tensor);
    }

    /// Values of the tensor `<node>.<part>`; empty if there is none.
    pub fn values(&self, node: &str, part: &str) -> &[f32] {
        self.tensors.get(&format!("{node}.{part}")).map_or(&[], |tensor| &tensor.values)
    }

    /// Takes the tensor `<node>.<part>` away; empty if there is none.
    pub(crate) fn take(&mut self, node: &str, part: &str) -> Tensor {
        self.tensors.remove(&format!("{node}.{part}")).unwrap_or_default()
    }

    /// All tensors by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Tensor)> {
        self.tensors.iter().map(|(name, tensor)| (name.as_str(), tensor))
    }

    /// Checks that every tensor of the graph is there, with its shape, and finite.
    pub(crate) fn check(&self, graph: &Graph) -> Result<(), Error> {
        for (name, shape) in expected(graph) {
            let at = format!("network {}, {name}", graph.name);
            let found = self.tensors.get(&name);
            let Some(tensor) = found.filter(|t| t.shape == shape && t.values.len() == shape.iter().product::<usize>())
            else {
                let cause = match found {
                    Some(tensor) => format!("{:?} found, {shape:?} expected", tensor.shape),
                    None => format!("the tensor is missing; {shape:?} is expected"),
                };
                return Err(Error::weights(at, cause, "give the weights that belong to this network"));
            };
            finite(&tensor.values, at)?;
        }
        Ok(())
    }
}

/// Names and shapes of a graph's parameters, node by node.
pub fn expected(graph: &Graph) -> Vec<(String, Vec<usize>)> {
    let mut tensors = Vec::new();
    for (index, node) in graph.nodes.iter().enumerate() {
        let channels = node.shape.channels;
        let inputs = graph.in_shape(index);
        let parts: Vec<(&str, Vec<usize>)> = match &node.op {
            Op::Conv(conv) => {
                let [height, width] = conv.window.kernel;
                let weight = vec![conv.out, inputs.channels / conv.groups, height, width];
                with_bias(weight, conv.bias)
            }
            Op::Linear { out, bias } => with_bias(vec![*out, inputs.size()], *bias),
            Op::BatchNorm { .. } => {
                ["weight", "bias", "running_mean", "running_var"].map(|part| (part, vec![channels])).to_vec()
            }
            _ => Vec::new(),
        };
        tensors.extend(parts.into_iter().map(|(part, shape)| (format!("{}.{part}", node.name), shape)));
    }
    tensors
}

fn with_bias(weight: Vec<usize>, bias: bool) -> Vec<(&'static str, Vec<usize>)> {
    let out = weight[0];
    let mut parts = vec![("weight", weight)];
    if bias {
        parts.push(("bias", vec![out]));
    }
    parts
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
    finite(&values, at)?;
    Ok(values)
}

fn finite(values: &[f32], at: String) -> Result<(), Error> {
    match values.iter().position(|v| !v.is_finite()) {
        Some(i) => {
            let cause = format!("value {i} is {}", values[i]);
            Err(Error::weights(at, cause, "train again with a smaller learning rate: a weight must be finite"))
        }
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Network;
    use safetensors::tensor::TensorView;

    fn graph() -> Graph {
        let network: Network = toml::from_str(
            "name = \"n\"\ninput = { channels = 1, height = 2, width = 2, scale = 1.0, bits = 4 }\n\
             [[layers]]\nname = \"a\"\nkind = \"conv\"\nout = 2\nkernel = 1\nrelu = true\n\
             [[layers]]\nname = \"b\"\nkind = \"linear\"\nout = 3\nrelu = false\n",
        )
        .unwrap();
        network.graph().unwrap()
    }

    type Named = (&'static str, Vec<usize>, Vec<f32>);

    fn tensors() -> Vec<Named> {
        vec![
            ("a.weight", vec![2, 1, 1, 1], vec![1.0, -2.0]),
            ("a.bias", vec![2], vec![0.5, 0.25]),
            ("b.weight", vec![3, 8], (0..24u8).map(f32::from).collect()),
            ("b.bias", vec![3], vec![0.0; 3]),
            ("bn.num_batches_tracked", vec![1], vec![7.0]),
        ]
    }

    fn bytes(tensors: &[Named]) -> Vec<u8> {
        let data: Vec<Vec<u8>> = tensors.iter().map(|t| t.2.iter().flat_map(|v| v.to_le_bytes()).collect()).collect();
        let views = tensors.iter().zip(&data).map(|(t, d)| (t.0, TensorView::new(Dtype::F32, t.1.clone(), d).unwrap()));
        safetensors::serialize(views, None).unwrap()
    }

    #[test]
    fn complete_weights_are_read() {
        let model = Model::from_state_dict(graph(), &bytes(&tensors()), "w").unwrap();
        assert_eq!(model.parameters.values("a", "weight"), [1.0, -2.0]);
        assert_eq!(model.parameters.values("a", "bias"), [0.5, 0.25]);
        assert_eq!(model.parameters.values("b", "weight")[23], 23.0);
    }

    #[test]
    fn wrong_weights_are_refused_with_at_cause_and_fix() {
        let refused = |change: &dyn Fn(&mut Vec<Named>)| {
            let mut t = tensors();
            change(&mut t);
            Model::from_state_dict(graph(), &bytes(&t), "w.safetensors").unwrap_err().to_string()
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
            let cut = Model::from_state_dict(graph(), &whole[..length], "w").unwrap_err().to_string();
            assert!(cut.contains("no complete safetensors file"), "{cut}");
        }
        let absent = Model::load(graph(), Path::new("/nonexistent")).unwrap_err().to_string();
        assert!(absent.starts_with("cannot read a file\n  at:    /nonexistent"), "{absent}");
    }

    #[test]
    fn random_weights_are_those_of_the_seed() {
        let graph = crate::graph::topologies::built_in("resnet8-cifar10").unwrap();
        let model = Model::random(graph.clone(), 3);
        model.parameters.check(&graph).unwrap();
        assert_eq!(model, Model::random(graph.clone(), 3));
        assert_ne!(model, Model::random(graph, 4));
        assert!(model.parameters.values("bn1", "running_var").iter().all(|v| (0.5..=1.5).contains(v)));
    }

    #[test]
    fn parameters_of_another_graph_are_refused() {
        let mut model = Model::random(graph(), 1);
        model.parameters.take("b", "bias");
        let error = Model::new(graph(), model.parameters).unwrap_err().to_string();
        assert!(error.contains("at:    network n, b.bias") && error.contains("missing"), "{error}");
    }
}
