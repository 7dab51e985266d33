//! The network that a description asks for, as a trainable module.

use basisn_compiler::Network;
use basisn_compiler::network::LayerKind;
use burn::module::{Initializer, Module, Param};
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::{Linear, LinearConfig, PaddingConfig2d};
use burn::tensor::{Device, Tensor, TensorData, activation};
use rand::Rng;
use rand::rngs::StdRng;

use crate::Error;

/// A feed-forward network with weights.
#[derive(Module, Debug)]
pub struct Cnn {
    pub(crate) stages: Vec<Stage>,
    #[module(skip)]
    relu: Vec<bool>,
}

/// One layer.
#[derive(Module, Debug)]
pub(crate) enum Stage {
    /// Weight `[out, in, kernel, kernel]`.
    Conv(Conv2d),
    /// Weight `[in, out]`: transposed on export.
    Linear(Linear),
}

impl Cnn {
    /// Builds `network` with He-initialized weights and zero biases.
    ///
    /// # Errors
    /// The layers don't fit together, or the last one has more than one position.
    pub fn new(network: &Network, rng: &mut StdRng, device: &Device) -> Result<Self, Error> {
        let shapes = network.shapes().map_err(|cause| Error::Network { at: network.name.clone(), cause })?;
        if let (Some(layer), Some(shape)) = (network.layers.last(), shapes.last())
            && shape.positions() != 1
        {
            let (height, width) = (shape.out_height(), shape.out_width());
            return Err(Error::Network {
                at: format!("network {}, layer {}", network.name, layer.name),
                cause: format!("the last layer gives {height} x {width} positions, a class score has one"),
            });
        }
        let mut stages = Vec::with_capacity(shapes.len());
        for (layer, shape) in network.layers.iter().zip(&shapes) {
            // He (2015): a rectifier halves the second moment, so its layer starts with twice the variance.
            let gain = if layer.relu { 2.0 } else { 1.0 };
            let bound = (3.0 * gain / shape.depth() as f32).sqrt();
            let values: Vec<f32> =
                (0..shape.kernels * shape.depth()).map(|_| rng.random_range(-bound..bound)).collect();
            let kernel = shape.window.kernel;
            stages.push(match layer.kind {
                LayerKind::Conv => {
                    let mut conv = Conv2dConfig::new([shape.in_channels, shape.kernels], kernel)
                        .with_stride(shape.window.stride)
                        .with_padding(same_on_every_side(shape.window.padding[0]))
                        .with_initializer(Initializer::Zeros)
                        .init(device);
                    let dims = [shape.kernels, shape.in_channels, kernel[0], kernel[1]];
                    conv.weight = Param::from_data(TensorData::new(values, dims), device);
                    Stage::Conv(conv)
                }
                LayerKind::Linear => {
                    let mut linear = LinearConfig::new(shape.depth(), shape.kernels)
                        .with_initializer(Initializer::Zeros)
                        .init(device);
                    linear.weight = Param::from_data(TensorData::new(values, [shape.depth(), shape.kernels]), device);
                    Stage::Linear(linear)
                }
            });
        }
        Ok(Cnn { stages, relu: network.layers.iter().map(|layer| layer.relu).collect() })
    }

    /// Scores `[images, classes]` of images `[images, channels, height, width]`.
    pub fn forward(&self, images: Tensor<4>) -> Tensor<2> {
        let mut x = images;
        for (stage, &relu) in self.stages.iter().zip(&self.relu) {
            x = match stage {
                Stage::Conv(conv) => conv.forward(x),
                Stage::Linear(linear) => {
                    let y = linear.forward(x.flatten::<2>(1, 3));
                    let [images, features] = y.dims();
                    y.reshape([images, features, 1, 1])
                }
            };
            if relu {
                x = activation::relu(x);
            }
        }
        x.flatten(1, 3)
    }
}

fn same_on_every_side(padding: usize) -> PaddingConfig2d {
    PaddingConfig2d::Explicit(padding, padding, padding, padding)
}
