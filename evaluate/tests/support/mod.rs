//! The digits network with 8-bit weights.

#![allow(dead_code, clippy::unwrap_used, reason = "tests")]

use std::path::{Path, PathBuf};

use basisn_arch::{ChipConfig, ConvShape};
use basisn_compiler::fit::FitOptions;
use basisn_compiler::{Dataset, Model, Network, pixels};

/// A layer with 8-bit weights.
pub struct IntegerLayer {
    pub shape: ConvShape,
    /// `[kernel][D]`, -127..127.
    pub weights: Vec<i32>,
    pub bias: Vec<f64>,
    /// What an integer of the product stands for, and of the input and output.
    pub scale: f64,
    pub input_bits: usize,
    pub output: Option<basisn_compiler::fitted::Code>,
}

pub struct Digits {
    pub layers: Vec<IntegerLayer>,
    pub images: Vec<Vec<i32>>,
    pub labels: Vec<u8>,
}

fn examples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/digits")
}

/// The trained network with 8-bit weights, and held-out images.
pub fn digits() -> Digits {
    let network = Network::load(&examples().join("network.toml")).unwrap();
    let model = Model::of_network(&network, &examples().join("weights.safetensors")).unwrap();
    let data = Dataset::load(&examples()).unwrap();
    // Only the scales of activations are of interest here.
    let chip = ChipConfig::load("digits").unwrap();
    let train = pixels(&data, &data.train);
    let fitted = basisn_compiler::compile::fit(&model, &train, &chip, &FitOptions::local(&chip)).unwrap();
    let layers = fitted.layers.iter().map(|layer| {
        let [weight, bias] = ["weight", "bias"].map(|part| model.parameters.values(&layer.name, part));
        let largest = weight.iter().fold(0f32, |m, w| m.max(w.abs()));
        let step = f64::from(largest) / 127.0;
        IntegerLayer {
            shape: layer.shape,
            weights: weight.iter().map(|&w| (f64::from(w) / step).round() as i32).collect(),
            bias: bias.iter().map(|&b| f64::from(b)).collect(),
            scale: step * layer.input.scale,
            input_bits: layer.input.bits,
            output: layer.output,
        }
    });
    let layers = layers.collect();
    let labels = data.test.iter().map(|&i| data.labels[i]).collect();
    Digits { layers, images: pixels(&data, &data.test), labels }
}

impl IntegerLayer {
    pub fn depth(&self) -> usize {
        self.shape.depth()
    }

    /// Integers of the next layer from products, `[kernel][position]`; of the last layer its results in steps of 1e-6.
    pub fn next(&self, products: &[i64]) -> Vec<i32> {
        let positions = self.shape.positions();
        let value = |i: usize, p: i64| p as f64 * self.scale + self.bias[i / positions];
        let code = |v: f64| self.output.map_or((v * 1e6) as i32, |code| code.quantize(v));
        products.iter().enumerate().map(|(i, &p)| code(value(i, p))).collect()
    }

    /// Products without any hardware.
    pub fn exact(&self, input: &[i32]) -> Vec<i64> {
        let patches = self.shape.im2col(input);
        let dot = |weights: &[i32], patch: &[i32]| weights.iter().zip(patch).map(|(w, x)| i64::from(w * x)).sum();
        let of_kernel = |w: &[i32]| patches.chunks_exact(self.depth()).map(|p| dot(w, p)).collect::<Vec<i64>>();
        self.weights.chunks_exact(self.depth()).flat_map(of_kernel).collect()
    }

    /// Cell level of a weight's slice: magnitude bits in cells of `bits` bits.
    pub fn level(&self, kernel: usize, d: usize, slice: usize, bits: usize) -> i8 {
        let weight = if d < self.depth() { self.weights[kernel * self.depth() + d] } else { 0 };
        let digit = (weight.unsigned_abs() >> (slice * bits) & ((1 << bits) - 1)) as i8;
        if weight < 0 { -digit } else { digit }
    }
}

pub fn class(results: &[i32]) -> usize {
    results.iter().enumerate().max_by_key(|(_, v)| **v).unwrap().0
}
