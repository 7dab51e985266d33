//! What is no matrix product, on floats and on integers.
//!
//! On integers the values are those of [`steps::between`], which the golden reference uses too; gradients are those of the same operation
//! on real numbers, within the range of its results.

use basisn_arch::{Shape, StepOp, Window};
use basisn_compiler::graph::{self, Pool};
use basisn_models::steps;
use burn::tensor::activation::relu;
use burn::tensor::module::{avg_pool2d, max_pool2d};
use burn::tensor::ops::{AvgPoolOptions, MaxPoolOptions};
use burn::tensor::{Device, Tensor, TensorData};

use crate::Error;
use crate::parameter::read;

/// Share of a batch in the running statistics.
const MOMENTUM: f64 = 0.1;

/// Batch norm; parameters are named by their place.
#[derive(Clone, Copy, Debug)]
pub struct Norm {
    /// Gain of every channel.
    pub weight: usize,
    /// Offset of every channel.
    pub bias: usize,
    /// Running mean of every channel.
    pub mean: usize,
    /// Running variance, unbiased as PyTorch keeps it.
    pub variance: usize,
    /// Keeps the divisor from zero.
    pub epsilon: f64,
}

impl Norm {
    /// In training by the images at hand; their statistics then go into the running ones, which `statistics` gets.
    pub(super) fn forward(
        &self,
        leaves: &[Tensor<1>],
        x: Tensor<4>,
        training: bool,
        statistics: &mut Vec<(usize, Tensor<1>)>,
    ) -> Tensor<4> {
        let [images, channels, height, width] = x.dims();
        let per_channel = |tensor: Tensor<1>| tensor.reshape([1, channels, 1, 1]);
        let leaf = |place: usize| per_channel(leaves[place].clone());
        let (mean, variance) = if training {
            let mean = x.clone().mean_dims(&[0, 2, 3]);
            let variance = (x.clone() - mean.clone()).square().mean_dims(&[0, 2, 3]);
            let count = (images * height * width) as f64;
            let unbiased = variance.clone().mul_scalar(count / (count - 1.0).max(1.0));
            for (place, now) in [(self.mean, mean.clone()), (self.variance, unbiased)] {
                let now = now.detach().inner().reshape([channels]);
                let before = leaves[place].clone().detach().inner();
                statistics.push((place, before.mul_scalar(1.0 - MOMENTUM) + now.mul_scalar(MOMENTUM)));
            }
            (mean, variance)
        } else {
            (leaf(self.mean), leaf(self.variance))
        };
        (x - mean) / variance.add_scalar(self.epsilon).sqrt() * leaf(self.weight) + leaf(self.bias)
    }
}

/// An operation of a graph that has no parameters.
pub(super) fn float(op: &graph::Op, inputs: Vec<Tensor<4>>) -> Tensor<4> {
    match op {
        graph::Op::Clip { low, high } if high.is_finite() => first(inputs).clamp(*low, *high),
        op if *op == graph::Op::Relu => relu(first(inputs)),
        graph::Op::Clip { low, .. } => first(inputs).clamp_min(*low),
        graph::Op::MaxPool(window) => max_pool(first(inputs), window),
        graph::Op::AvgPool(Pool { window, count_padding }) => avg_pool(first(inputs), window, *count_padding),
        graph::Op::GlobalAvgPool => first(inputs).mean_dims(&[2, 3]),
        graph::Op::Add => sum(inputs),
        graph::Op::Concat => Tensor::cat(inputs, 1),
        graph::Op::Flatten => flat(first(inputs)),
        // The others have parameters or are the input.
        _ => first(inputs),
    }
}

/// A step between matrix layers on integers that 32-bit floats hold exactly.
pub(super) fn integer(op: &StepOp, inputs: Vec<Tensor<4>>, device: &Device) -> Result<Tensor<4>, Error> {
    let scaled = |multiplier: i16, shift: u32| f64::from(multiplier) / (1u64 << shift) as f64;
    let (real, low, high) = match op {
        StepOp::MaxPool(window) => return Ok(max_pool(first(inputs), window)),
        StepOp::Concat => return Ok(Tensor::cat(inputs, 1)),
        StepOp::Flatten => return Ok(flat(first(inputs))),
        StepOp::Matrix { .. } => return Ok(first(inputs)),
        StepOp::AvgPool(pool) => {
            let mean = avg_pool(first(inputs.clone()), &pool.window, pool.count_padding);
            (mean.mul_scalar(scaled(pool.multiplier, pool.shift)), pool.low, pool.high)
        }
        StepOp::Add(add) => {
            let parts = inputs.iter().zip(&add.multiplier).map(|(x, &m)| x.clone().mul_scalar(scaled(m, add.shift)));
            (sum(parts.collect()), add.low, add.high)
        }
        StepOp::Affine(affine) => {
            let unit = (1u64 << affine.shift) as f64;
            let channel = |values: Vec<f32>| {
                let channels = values.len();
                Tensor::<1>::from_data(TensorData::new(values, [channels]), device).reshape([1, channels, 1, 1])
            };
            let factor = channel(affine.multiplier.iter().map(|&m| (f64::from(m) / unit) as f32).collect());
            let offset = channel(affine.offset.iter().map(|&b| (b as f64 / unit) as f32).collect());
            (first(inputs.clone()) * factor + offset, affine.low, affine.high)
        }
    };
    let read_all = |x: &Tensor<4>| read(x.clone().detach(), "reading activations");
    let arrays = inputs.iter().map(read_all).collect::<Result<Vec<Vec<f32>>, Error>>()?;
    let [images, channels, height, width] = inputs[0].dims();
    let shape = Shape::new(channels, height, width);
    let image = |i: usize| -> Vec<Vec<i32>> {
        let part = |values: &Vec<f32>| {
            let size = values.len() / images;
            values[i * size..(i + 1) * size].iter().map(|&v| v as i32).collect()
        };
        arrays.iter().map(part).collect()
    };
    let exact = (0..images).flat_map(|i| steps::between(op, shape, &image(i))).map(|v| v as f32).collect();
    Ok(straight_through(real.clamp(low, high), exact, device))
}

/// The values `exact` with the gradient of `real`.
pub(super) fn straight_through(real: Tensor<4>, exact: Vec<f32>, device: &Device) -> Tensor<4> {
    let exact = Tensor::<4>::from_data(TensorData::new(exact, real.dims()), device);
    exact + (real.clone() - real.detach())
}

fn first(mut inputs: Vec<Tensor<4>>) -> Tensor<4> {
    inputs.swap_remove(0)
}

fn sum(mut inputs: Vec<Tensor<4>>) -> Tensor<4> {
    let first = inputs.swap_remove(0);
    inputs.into_iter().fold(first, |sum, x| sum + x)
}

fn flat(x: Tensor<4>) -> Tensor<4> {
    let [images, channels, height, width] = x.dims();
    x.reshape([images, channels * height * width, 1, 1])
}

fn sides(window: &Window) -> [(usize, usize); 2] {
    let [top, left, bottom, right] = window.padding;
    [(top, bottom), (left, right)]
}

fn max_pool(x: Tensor<4>, window: &Window) -> Tensor<4> {
    let Window { kernel, stride, dilation, .. } = *window;
    let options = MaxPoolOptions { kernel_size: kernel, stride, padding: sides(window), dilation, ceil_mode: false };
    max_pool2d(x, options)
}

fn avg_pool(x: Tensor<4>, window: &Window, count_padding: bool) -> Tensor<4> {
    let Window { kernel, stride, .. } = *window;
    let options = AvgPoolOptions {
        kernel_size: kernel,
        stride,
        padding: sides(window),
        count_include_pad: count_padding,
        ceil_mode: false,
    };
    avg_pool2d(x, options)
}
