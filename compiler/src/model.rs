//! A graph with its parameters.

use crate::graph::{Graph, Node, Op};
use crate::parameters::{Parameters, Tensor};
use crate::{Error, Network};

/// A network ready to run and to compile.
#[derive(Clone, Debug, PartialEq)]
pub struct Model {
    /// Nodes and shapes.
    pub graph: Graph,
    /// Tensors of the nodes.
    pub parameters: Parameters,
}

impl Model {
    /// Joins a graph and its parameters.
    ///
    /// # Errors
    /// A tensor is missing, has another shape, or a value that is not finite.
    pub fn new(graph: Graph, parameters: Parameters) -> Result<Self, Error> {
        parameters.check(&graph)?;
        Ok(Model { graph, parameters })
    }

    /// The network of a description with the weights of a safetensors file.
    ///
    /// # Errors
    /// As [`Network::graph`] and [`Model::load`].
    pub fn of_network(network: &Network, weights: &std::path::Path) -> Result<Self, Error> {
        Model::load(network.graph()?, weights)
    }

    /// The same network with every batch norm that follows a convolution or linear layer, and nothing else does, folded into it.
    /// The others stay: in DenseNet they come before the convolution, with a ReLU between.
    pub fn folded(mut self) -> Self {
        let consumers = self.graph.consumers();
        let nodes = std::mem::take(&mut self.graph.nodes);
        let mut new_index = vec![0; nodes.len()];
        let mut folded: Vec<Node> = Vec::with_capacity(nodes.len());
        for (index, mut node) in nodes.iter().cloned().enumerate() {
            let before = node.inputs.first().copied().filter(|&i| consumers[i].len() == 1).map(|i| new_index[i]);
            if let (Op::BatchNorm { epsilon }, Some(before)) = (&node.op, before)
                && fold(&mut folded[before], &node.name, *epsilon, &mut self.parameters)
            {
                new_index[index] = before;
                continue;
            }
            node.inputs.iter_mut().for_each(|input| *input = new_index[*input]);
            new_index[index] = folded.len();
            folded.push(node);
        }
        self.graph.nodes = folded;
        self
    }
}

/// Scale and offset of every channel: batch norm in inference is `x * scale + offset`.
pub(crate) fn batch_norm_affine(parameters: &Parameters, name: &str, epsilon: f64) -> Vec<(f64, f64)> {
    let [weight, bias, mean, var] =
        ["weight", "bias", "running_mean", "running_var"].map(|part| parameters.values(name, part));
    weight
        .iter()
        .zip(bias)
        .zip(mean.iter().zip(var))
        .map(|((&weight, &bias), (&mean, &var))| {
            let scale = f64::from(weight) / (f64::from(var) + epsilon).sqrt();
            (scale, f64::from(bias) - f64::from(mean) * scale)
        })
        .collect()
}

/// Folds the batch norm `name` into a matrix layer; false if the node is none.
fn fold(node: &mut Node, name: &str, epsilon: f64, parameters: &mut Parameters) -> bool {
    let has_bias = match &mut node.op {
        Op::Conv(conv) => std::mem::replace(&mut conv.bias, true),
        Op::Linear { bias, .. } => std::mem::replace(bias, true),
        _ => return false,
    };
    let affine = batch_norm_affine(parameters, name, epsilon);
    let mut weight = parameters.take(&node.name, "weight");
    let depth = weight.values.len() / affine.len().max(1);
    for (row, (scale, _)) in weight.values.chunks_exact_mut(depth.max(1)).zip(&affine) {
        row.iter_mut().for_each(|w| *w = (f64::from(*w) * scale) as f32);
    }
    let bias = if has_bias { parameters.take(&node.name, "bias").values } else { vec![0.0; affine.len()] };
    let values = bias.iter().zip(&affine).map(|(b, (scale, offset))| (f64::from(*b) * scale + offset) as f32).collect();
    for part in ["weight", "bias", "running_mean", "running_var"] {
        parameters.take(name, part);
    }
    parameters.insert(format!("{}.weight", node.name), weight);
    parameters.insert(format!("{}.bias", node.name), Tensor { shape: vec![affine.len()], values });
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::float;
    use crate::graph::{Shape, topologies};

    #[test]
    fn folding_keeps_the_function_and_leaves_pre_activations() {
        for (name, left) in [("resnet8-cifar10", 0), ("vgg11-bn-cifar10", 0), ("mobilenet-v2-cifar10", 0)] {
            let model = Model::random(topologies::built_in(name).unwrap(), 5);
            let image: Vec<f32> = (0..model.graph.input_shape().size()).map(|i| (i % 37) as f32 / 18.0 - 1.0).collect();
            let plain = float::run(&model, &image, &mut |_, _| ());
            let folded = model.folded();
            let norms = folded.graph.nodes.iter().filter(|n| matches!(n.op, Op::BatchNorm { .. })).count();
            assert_eq!(norms, left, "{name}");
            folded.parameters.check(&folded.graph).unwrap();
            let same = float::run(&folded, &image, &mut |_, _| ());
            let scale = plain.iter().fold(0.0f32, |m, v| m.max(v.abs()));
            assert!(plain.iter().zip(&same).all(|(a, b)| (a - b).abs() < 1e-4 * scale), "{name}: {plain:?} {same:?}");
        }
        // 120 convolutions, of which the first and one in each of the 58 dense layers are followed by a batch norm.
        let dense = Model::random(topologies::built_in("densenet121-cifar10").unwrap(), 5).folded();
        assert_eq!(dense.graph.nodes.iter().filter(|n| matches!(n.op, Op::BatchNorm { .. })).count(), 58 + 3 + 1);
    }

    #[test]
    fn a_layer_that_others_read_too_is_not_folded() {
        let mut graph = Graph::new("n", Shape::new(2, 1, 1));
        let fc = graph.add("fc", Op::Linear { out: 3, bias: false }, &[0]).unwrap();
        let bn = graph.add("bn", Op::BatchNorm { epsilon: 1e-5 }, &[fc]).unwrap();
        graph.add("sum", Op::Add, &[fc, bn]).unwrap();
        let model = Model::random(graph, 1);
        assert_eq!(model.clone().folded(), model);
    }
}
