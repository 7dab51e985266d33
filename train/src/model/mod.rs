//! The network as a function of its parameters: in floating point, or as the chip computes it.
//!
//! | module | what |
//! |---|---|
//! | `layer` | matrix layers, with float weights or with coefficients |
//! | `between` | batch norm, pooling, sums and so on, in floating point or as the integer steps of a program |

mod between;
mod layer;

use basisn_arch::{Shape, StepOp};
use basisn_compiler::Graph;
use basisn_compiler::graph::{self, Conv};
use burn::tensor::{Device, Tensor};
use rand::Rng;
use rand::rngs::StdRng;

use crate::Error;
use crate::adc::Levels;
use crate::coefficients::Coefficients;
use crate::parameter::{Parameter, Role};
use crate::reading::Reading;
pub use between::Norm;
pub use layer::{BasisLayer, Layer};

/// A network without its numbers.
#[derive(Clone, Debug)]
pub struct Model {
    /// Nodes in order of computation; the last one gives the scores.
    pub nodes: Vec<Node>,
    /// Layers with weights.
    pub layers: Vec<Layer>,
    /// Classes.
    pub classes: usize,
}

/// One node. Values are numbered: 0 are the images, `i + 1` the result of node i.
#[derive(Clone, Debug)]
pub struct Node {
    /// What it computes.
    pub op: Op,
    /// Numbers of the values that it reads.
    pub inputs: Vec<usize>,
}

/// What a node computes.
#[derive(Clone, Debug)]
pub enum Op {
    /// The layer of this number.
    Layer(usize),
    /// Batch norm.
    Norm(Norm),
    /// An operation on floats that has no parameters.
    Float(graph::Op),
    /// A step of a program on integers.
    Integer(StepOp),
}

/// What a forward pass depends on beside parameters and images.
#[derive(Clone, Copy, Debug)]
pub struct Surroundings<'a> {
    /// Levels of the crossbars; float models need none. One for all, or one for every tile.
    pub levels: &'a [Levels],
    /// Place of the parameter that the levels are rounded from, if they are trained.
    pub cells: Option<usize>,
    /// Bits of the ADC in the loop, if it is.
    pub adc_bits: Option<usize>,
    /// What a real chip does to lane sums, with the ADC in the loop.
    pub reading: Option<&'a Reading>,
    /// Whether batch norms normalize by the images at hand, and not by their running statistics.
    pub training: bool,
    /// Where constants are made: a device with gradients in training.
    pub device: &'a Device,
}

/// What a forward pass gives.
#[derive(Debug)]
pub struct Forward {
    /// Scores `[image, class]`.
    pub scores: Tensor<2>,
    /// Coefficients of every layer, empty for float layers.
    pub coefficients: Vec<Option<Coefficients>>,
    /// In training the new running statistics of batch norms, by the place of the parameter.
    pub statistics: Vec<(usize, Tensor<1>)>,
}

impl Model {
    /// The float model of a graph with He-initialized weights and zero biases.
    ///
    /// # Errors
    /// The result has more than one position, or a convolution has groups.
    pub fn float(graph: &Graph, rng: &mut StdRng, device: &Device) -> Result<(Self, Vec<Parameter>), Error> {
        let refuse = |layer: &str, cause: String| {
            Err(Error::Network { at: format!("network {}, layer {layer}", graph.name), cause })
        };
        let consumers = graph.consumers();
        let (mut nodes, mut layers, mut parameters) = (Vec::new(), Vec::new(), Vec::new());
        for (index, node) in graph.nodes.iter().enumerate().skip(1) {
            let mut parameter = |part: &str, role, values| {
                parameters.push(Parameter::new(format!("{}.{part}", node.name), role, values, device));
                parameters.len() - 1
            };
            let channels = node.shape.channels;
            let op = match (&node.op, graph.matrix_layer(index)) {
                (op, Some(layer)) => {
                    if layer.groups != 1 {
                        return refuse(&node.name, format!("{} groups of channels; only one is trained", layer.groups));
                    }
                    let linear = matches!(op, graph::Op::Linear { .. });
                    let rectified =
                        consumers[index].iter().any(|&i| matches!(graph.nodes[i].op, graph::Op::Clip { .. }));
                    let (kernels, depth) = (layer.shape.kernels, layer.shape.depth());
                    let weight = parameter("weight", Role::Weight, initial(kernels, depth, linear, rectified, rng));
                    let has_bias =
                        matches!(op, graph::Op::Linear { bias: true, .. } | graph::Op::Conv(Conv { bias: true, .. }));
                    let bias = has_bias.then(|| parameter("bias", Role::PerKernel, vec![0.0; kernels]));
                    layers.push(Layer { name: layer.name, shape: layer.shape, linear, weight, bias, basis: None });
                    Op::Layer(layers.len() - 1)
                }
                (graph::Op::BatchNorm { epsilon }, None) => Op::Norm(Norm {
                    weight: parameter("weight", Role::PerKernel, vec![1.0; channels]),
                    bias: parameter("bias", Role::PerKernel, vec![0.0; channels]),
                    mean: parameter("running_mean", Role::Statistic, vec![0.0; channels]),
                    variance: parameter("running_var", Role::Statistic, vec![1.0; channels]),
                    epsilon: *epsilon,
                }),
                (op, None) => Op::Float(op.clone()),
            };
            nodes.push(Node { op, inputs: node.inputs.clone() });
        }
        let Shape { channels, height, width } = graph.output_shape();
        match layers.last() {
            Some(layer) if height * width != 1 => {
                refuse(&layer.name, format!("the last layer gives {height} x {width} positions, a class score has one"))
            }
            Some(_) => Ok((Model { nodes, layers, classes: channels }, parameters)),
            None => refuse("input", "there is no layer with weights".into()),
        }
    }

    /// Scores of images `[image, channel, row, column]`: integers if the layers have coefficients, else in units of the network.
    ///
    /// # Errors
    /// The framework fails.
    pub fn forward(&self, leaves: &[Tensor<1>], images: Tensor<4>, around: Surroundings) -> Result<Forward, Error> {
        let (mut coefficients, mut statistics) = (vec![None; self.layers.len()], Vec::new());
        let mut values = vec![images];
        for node in &self.nodes {
            let inputs: Vec<Tensor<4>> = node.inputs.iter().map(|&i| values[i].clone()).collect();
            let result = match &node.op {
                Op::Layer(index) => {
                    let (y, found) = self.layers[*index].forward(leaves, inputs[0].clone(), around)?;
                    coefficients[*index] = found;
                    y
                }
                Op::Norm(norm) => norm.forward(leaves, inputs[0].clone(), around.training, &mut statistics),
                Op::Float(op) => between::float(op, inputs),
                Op::Integer(op) => between::integer(op, inputs, around.device)?,
            };
            values.push(result);
        }
        let scores = values.swap_remove(self.nodes.len()).flatten(1, 3);
        Ok(Forward { scores, coefficients, statistics })
    }

    /// Gives every layer the gain that suits it, one layer after the other.
    ///
    /// # Errors
    /// The framework fails.
    pub fn choose_gains(
        &mut self,
        leaves: &[Tensor<1>],
        images: Tensor<4>,
        levels: &[Levels],
        bits: usize,
    ) -> Result<(), Error> {
        let device = images.device();
        let around =
            Surroundings { levels, cells: None, adc_bits: Some(bits), reading: None, training: false, device: &device };
        let mut values = vec![images];
        for node in &self.nodes {
            let inputs: Vec<Tensor<4>> = node.inputs.iter().map(|&i| values[i].clone()).collect();
            let result = match &node.op {
                Op::Layer(index) => {
                    let layer = &mut self.layers[*index];
                    layer.choose_gain(leaves, &inputs[0], levels, bits)?;
                    layer.forward(leaves, inputs[0].clone(), around)?.0
                }
                Op::Norm(norm) => norm.forward(leaves, inputs[0].clone(), false, &mut Vec::new()),
                Op::Float(op) => between::float(op, inputs),
                Op::Integer(op) => between::integer(op, inputs, &device)?,
            };
            values.push(result);
        }
        Ok(())
    }
}

/// Weights `[kernel][depth]` as He (2015) draws them: a rectifier halves the second moment, so its layer starts with twice the variance.
fn initial(kernels: usize, depth: usize, linear: bool, rectified: bool, rng: &mut StdRng) -> Vec<f32> {
    let gain = if rectified { 2.0 } else { 1.0 };
    let bound = (3.0 * gain / depth as f32).sqrt();
    let values: Vec<f32> = (0..kernels * depth).map(|_| rng.random_range(-bound..bound)).collect();
    // Linear ones are drawn input by input.
    if linear { (0..kernels * depth).map(|i| values[i % depth * kernels + i / depth]).collect() } else { values }
}
