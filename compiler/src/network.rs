//! The network description: a small TOML file that names the layers, read by the trainer and by the compiler.

use serde::{Deserialize, Serialize};
use std::path::Path;

use basisn_arch::image::is_name;
use basisn_arch::{ConvShape, Shape, Window};

use crate::Error;
use crate::fitted::Code;
use crate::graph::{Conv, Graph, Op};

/// A feed-forward network: layers in order, each fed by the one before.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Network {
    /// Name, used in reports and in the program image.
    pub name: String,
    /// What the first layer receives.
    pub input: Input,
    /// Layers in order of computation.
    pub layers: Vec<Layer>,
}

/// Shape and integer code of the network's input: an integer `v` stands for the value `v * scale`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// Channels of the input image.
    pub channels: usize,
    /// Height in pixels.
    pub height: usize,
    /// Width in pixels.
    pub width: usize,
    /// Value of one integer step.
    pub scale: f64,
    /// Bits of an input integer, 1..8: unsigned 0..2^bits-1, signed -2^(bits-1)..2^(bits-1)-1.
    pub bits: u32,
    /// Two's complement input, whose top bit plane is negative.
    #[serde(default)]
    pub signed: bool,
}

/// One layer with weights. A linear layer is a convolution whose kernel covers its whole input.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Layer {
    /// Name; the weights are the tensors `<name>.weight` and `<name>.bias`.
    pub name: String,
    /// Convolution or linear.
    pub kind: LayerKind,
    /// Kernels: output channels or features.
    pub out: usize,
    /// Side of the square kernel; convolutions only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kernel: Option<usize>,
    /// Step between positions; convolutions only, 1 if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stride: Option<usize>,
    /// Zeros added on every side; convolutions only, 0 if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub padding: Option<usize>,
    /// Rectify the result.
    pub relu: bool,
}

/// Kind of a layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LayerKind {
    /// 2-d convolution, weights `[out, in, kernel, kernel]`.
    Conv,
    /// Fully connected on the flattened input (c, h, w order), weights `[out, in * h * w]`.
    Linear,
}

impl Network {
    /// Reads and checks a network description.
    ///
    /// # Errors
    /// The file cannot be read, is no TOML of this form, or describes layers that don't fit together.
    pub fn load(path: &Path) -> Result<Self, Error> {
        let text = std::fs::read_to_string(path).map_err(|e| Error::read(path, &e))?;
        let network: Network = toml::from_str(&text).map_err(|e| Error::Network {
            at: path.display().to_string(),
            cause: e.to_string().trim_end().replace('\n', "\n         "),
        })?;
        network.shapes().map_err(|cause| Error::Network { at: path.display().to_string(), cause })?;
        Ok(network)
    }

    /// The network as a graph: every layer, and a ReLU after it where it has one.
    ///
    /// # Errors
    /// Says which layer does not fit its input.
    pub fn graph(&self) -> Result<Graph, Error> {
        let shapes = self.shapes().map_err(|cause| Error::Network { at: self.name.clone(), cause })?;
        let Input { channels, height, width, scale, bits, signed } = self.input;
        let mut graph = Graph::new(&self.name, Shape::new(channels, height, width));
        graph.input = Some(Code { scale, bits: bits as usize, signed });
        let mut last = 0;
        for (layer, shape) in self.layers.iter().zip(shapes) {
            let op = match layer.kind {
                LayerKind::Conv => Op::Conv(Conv { bias: true, ..Conv::new(layer.out, shape.window) }),
                LayerKind::Linear => Op::Linear { out: layer.out, bias: true },
            };
            last = graph.add(&layer.name, op, &[last])?;
            if layer.relu {
                last = graph.add(&format!("{}.relu", layer.name), Op::Relu, &[last])?;
            }
        }
        Ok(graph)
    }

    /// The shape of every layer, in order.
    ///
    /// # Errors
    /// Says which layer does not fit its input.
    pub fn shapes(&self) -> Result<Vec<ConvShape>, String> {
        let Input { channels, height, width, bits, scale, .. } = self.input;
        if !(1..=8).contains(&bits) || !scale.is_finite() || scale <= 0.0 || channels * height * width == 0 {
            return Err(format!(
                "input: {channels} x {height} x {width}, bits {bits} (1..8), scale {scale} (positive): out of range"
            ));
        }
        if self.layers.is_empty() {
            return Err("no layers".into());
        }
        let (mut c, mut h, mut w) = (channels, height, width);
        let mut shapes = Vec::with_capacity(self.layers.len());
        for (i, layer) in self.layers.iter().enumerate() {
            if !is_name(&layer.name) || self.layers[..i].iter().any(|before| before.name == layer.name) {
                return Err(format!(
                    "layer {}: names are unique, and have letters, digits, `_`, `-` and `.` only, no `.` in front",
                    layer.name
                ));
            }
            let shape = layer.shape(c, h, w)?;
            (c, h, w) = (shape.kernels, shape.out_height(), shape.out_width());
            shapes.push(shape);
        }
        Ok(shapes)
    }
}

impl Layer {
    fn shape(&self, in_channels: usize, in_height: usize, in_width: usize) -> Result<ConvShape, String> {
        let fail = |why: String| Err(format!("layer {}: {why}", self.name));
        let geometry = (self.kernel, self.stride, self.padding);
        let window = match (self.kind, geometry) {
            (LayerKind::Conv, (Some(kernel), stride, padding)) => {
                Window::square(kernel, stride.unwrap_or(1), padding.unwrap_or(0))
            }
            (LayerKind::Conv, _) => return fail("a convolution needs `kernel`".into()),
            (LayerKind::Linear, (None, None, None)) => Window::covering(in_height, in_width),
            (LayerKind::Linear, _) => return fail("a linear layer takes no `kernel`, `stride` or `padding`".into()),
        };
        let shape = ConvShape { in_channels, in_height, in_width, kernels: self.out, window };
        if self.out == 0 || shape.positions() == 0 {
            return fail(format!(
                "kernel {:?}, stride {:?}, padding {:?} on a {in_height} x {in_width} input gives no output",
                window.kernel, window.stride, window.padding
            ));
        }
        Ok(shape)
    }
}
