//! Random networks: matrix layers, some of them in groups, and every integer operation between them.

use basisn_arch::image::{Add, AvgPool, Input, Value};
use basisn_arch::{ChipConfig, ConvShape, Geometry, Program, Requantize, Shape, Step, StepOp, Window};
use rand::Rng;

use super::program::{random_basis, random_layer};
use super::{Corners, Random, conv_shape};
use crate::arithmetic::input_range;

/// A network of at least `layers` matrix layers; the image may be signed, the result of the last layer raw.
pub fn random_network(rng: &mut Random, config: &ChipConfig, layers: usize) -> Program {
    let shape = Shape::new(rng.random_range(1..=4), rng.random_range(1..=7), rng.random_range(1..=7));
    let input =
        Input { shape, bits: rng.random_range(1..=config.input_bits()), signed: rng.random_bool(0.3), scale: 1.0 };
    let (low, high) = input_range(input.bits, input.signed);
    let basis = random_basis(rng, config);
    let program = Program {
        name: "random".into(),
        geometry: Geometry::from(config),
        basis,
        input,
        steps: vec![],
        layers: vec![],
    };
    let image = Value { shape, low: i64::from(low), high: i64::from(high) };
    let mut builder = Builder { rng, config, program, values: vec![image] };
    for i in 0..layers {
        builder.matrix(i + 1 == layers);
        if i + 1 < layers {
            builder.between();
        }
    }
    builder.program
}

struct Builder<'a> {
    rng: &'a mut Random,
    config: &'a ChipConfig,
    program: Program,
    values: Vec<Value>,
}

impl Builder<'_> {
    fn last(&self) -> Value {
        self.values[self.values.len() - 1]
    }

    /// Adds a step that reads values given by their numbers.
    fn push(&mut self, inputs: Vec<usize>, op: StepOp, value: Value) {
        let name = format!("step{}", self.program.steps.len());
        self.program.steps.push(Step { name, inputs, op });
        self.values.push(value);
    }

    /// A matrix layer on the last value, in two groups where that is possible.
    fn matrix(&mut self, last: bool) {
        let (bits, signed) = (self.rng.random_range(1..=self.config.input_bits()), self.rng.random_bool(0.3));
        let (low, high) = input_range(bits, signed);
        let value = self.last();
        if value.low < i64::from(low) || value.high > i64::from(high) {
            self.affine(low, high);
        }
        let value = self.last();
        let Shape { channels, height, width } = value.shape;
        let groups = if channels % 2 == 0 && self.rng.random_bool(0.3) { 2 } else { 1 };
        let mut shape = conv_shape(self.rng, self.config, (channels / groups, height, width));
        if last || self.rng.random_bool(0.2) {
            // A linear layer: its kernel covers the whole input.
            shape = ConvShape { window: Window::covering(height, width), ..shape };
        }
        let corners = Corners {
            raw: Some(last && groups == 1 && self.rng.random_bool(0.5)),
            slots: Some(4),
            input_bits: Some(bits),
            signed: Some(signed),
            ..Corners::default()
        };
        let first = self.program.layers.len();
        for group in 0..groups {
            let name = format!("layer{first}.{group}");
            let mut layer = random_layer(self.rng, self.config, &self.program.basis, &name, shape, &corners);
            if !last {
                let reach = 1 << self.rng.random_range(0..=15);
                (layer.requantize.low, layer.requantize.high) = (-reach, reach - 1);
            }
            self.program.layers.push(layer);
        }
        let of = |r: &Requantize| (i64::from(r.low), i64::from(r.high));
        let ranges = self.program.layers[first..].iter().map(|l| of(&l.requantize));
        let (low, high) = ranges.fold((i64::MAX, i64::MIN), |(low, high), (l, h)| (low.min(l), high.max(h)));
        let shape = Shape::new(groups * shape.kernels, shape.out_height(), shape.out_width());
        self.push(vec![self.values.len() - 1], StepOp::Matrix { first, groups }, Value { shape, low, high });
    }

    /// Up to three integer operations on the last value.
    fn between(&mut self) {
        for _ in 0..self.rng.random_range(0..=3) {
            let (value, index) = (self.last(), self.values.len() - 1);
            match self.rng.random_range(0..6) {
                0 => self.affine(-128, 127),
                5 => {
                    let shape = Shape::new(value.shape.size(), 1, 1);
                    self.push(vec![index], StepOp::Flatten, Value { shape, ..value });
                }
                1 => {
                    let window = self.window(value.shape);
                    self.push(
                        vec![index],
                        StepOp::MaxPool(window),
                        Value { shape: pooled(value.shape, window), ..value },
                    );
                }
                2 => {
                    let window = self.window(value.shape);
                    let (multiplier, shift) = (self.multiplier(), self.rng.random_range(0..=16));
                    let count_padding = self.rng.random_bool(0.5);
                    let op =
                        StepOp::AvgPool(AvgPool { window, count_padding, multiplier, shift, low: -200, high: 255 });
                    self.push(vec![index], op, Value { shape: pooled(value.shape, window), low: -200, high: 255 });
                }
                3 => {
                    // Itself twice, or itself and a value of the same shape.
                    let same: Vec<usize> = (0..=index).filter(|&i| self.values[i].shape == value.shape).collect();
                    let other = same[self.rng.random_range(0..same.len())];
                    let multiplier = vec![self.multiplier(), self.multiplier()];
                    let add = Add { multiplier, shift: self.rng.random_range(1..=16), low: -300, high: 300 };
                    self.push(vec![other, index], StepOp::Add(add), Value { low: -300, high: 300, ..value });
                }
                _ => {
                    self.affine(-8, 7);
                    let other = self.last();
                    let channels = value.shape.channels + other.shape.channels;
                    let (low, high) = (value.low.min(other.low), value.high.max(other.high));
                    let shape = Shape { channels, ..value.shape };
                    self.push(vec![index, index + 1], StepOp::Concat, Value { shape, low, high });
                }
            }
        }
    }

    fn affine(&mut self, low: i32, high: i32) {
        let value = self.last();
        let channels = value.shape.channels;
        let r = Requantize {
            multiplier: (0..channels).map(|_| self.multiplier()).collect(),
            offset: (0..channels).map(|_| self.rng.random_range(-(1 << 20)..1 << 20)).collect(),
            shift: self.rng.random_range(1..=24),
            low,
            high,
            raw: false,
        };
        let clamped = Value { low: i64::from(low), high: i64::from(high), ..value };
        self.push(vec![self.values.len() - 1], StepOp::Affine(r), clamped);
    }

    fn multiplier(&mut self) -> i16 {
        match self.rng.random_range(0..10) {
            0 => i16::MIN,
            1 => i16::MAX,
            _ => self.rng.random_range(-2000..=2000),
        }
    }

    /// A window that no padding fills.
    fn window(&mut self, shape: Shape) -> Window {
        let kernel = [shape.height, shape.width].map(|size| self.rng.random_range(1..=size.min(3)));
        let padding = [0, 1, 0, 1].map(|axis: usize| self.rng.random_range(0..kernel[axis]));
        let stride = [0; 2].map(|_: usize| self.rng.random_range(1..=2));
        Window { kernel, stride, padding, dilation: [1; 2] }
    }
}

fn pooled(shape: Shape, window: Window) -> Shape {
    let [height, width] = window.out_size(shape.height, shape.width);
    Shape { height, width, ..shape }
}
