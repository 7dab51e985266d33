//! The steps of a program: matrix layers on the crossbars, and the integer operations between them.
//!
//! What a step computes is defined in `sim-models/src/steps.rs`; here is what it must be told, and the shape and range of what it gives.

use serde::{Deserialize, Serialize};

use super::{Program, Requantize};
use crate::{Error, Shape, Window};

/// The image that a program takes. An integer `v` stands for the value `v * scale`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// Channels, height and width.
    pub shape: Shape,
    /// Bits of an integer, 1..8.
    pub bits: usize,
    /// Two's complement.
    pub signed: bool,
    /// Value of one step; no executor uses it, it says how to quantize an image.
    pub scale: f64,
}

/// One step of a program. Values are numbered: 0 is the image, `i + 1` the result of step i.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// Name, unique in the program.
    pub name: String,
    /// Numbers of the values that it reads, all of them of steps before it.
    pub inputs: Vec<usize>,
    /// What it computes.
    pub op: StepOp,
}

/// What a step computes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum StepOp {
    /// Layers `first .. first + groups` of the program, each on its part of the input channels; their results one after the other.
    Matrix {
        /// Number of the first layer.
        first: usize,
        /// Layers: the groups of a grouped convolution, else 1.
        groups: usize,
    },
    /// Largest value of every window; padding never wins.
    MaxPool(Window),
    /// Scaled mean of every window.
    AvgPool(AvgPool),
    /// Scaled sum of values of one shape.
    Add(Add),
    /// Channels of the inputs one after the other.
    Concat,
    /// The same values as one row of channels.
    Flatten,
    /// Per channel, the requantize step with the value in place of the psum.
    Affine(Requantize),
}

/// `y = clamp(round(sum * multiplier / (count << shift)), low, high)`; round is to the nearest, ties up; count is that of the values added.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AvgPool {
    /// The window.
    pub window: Window,
    /// Whether padding counts as zeros; otherwise only what lies inside the image counts.
    pub count_padding: bool,
    /// Multiplier.
    pub multiplier: i16,
    /// Right shift, 0..30.
    pub shift: u32,
    /// Smallest result.
    pub low: i32,
    /// Largest result.
    pub high: i32,
}

/// `y = clamp((sum_i value_i * multiplier_i + (1 << (shift - 1))) >> shift, low, high)`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Add {
    /// One for every input.
    pub multiplier: Vec<i16>,
    /// Right shift, 1..30.
    pub shift: u32,
    /// Smallest result.
    pub low: i32,
    /// Largest result.
    pub high: i32,
}

/// Shape and range of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Value {
    /// Channels, height and width.
    pub shape: Shape,
    /// Smallest integer.
    pub low: i64,
    /// Largest integer.
    pub high: i64,
}

/// Values that steps read lie within plus and minus this, so that no operation overflows 64 bits.
const READABLE: i64 = 1 << 23;
/// Values of a pooling window, and inputs of a step.
const COUNT_MAX: usize = 1 << 16;

impl Program {
    /// Shape and range of every value: of the image, then of every step's result.
    ///
    /// # Errors
    /// A step reads what is not there, of another shape, or out of its range, or its numbers are out of range.
    pub fn values(&self) -> Result<Vec<Value>, Error> {
        let Input { shape, bits, signed, .. } = self.input;
        if !(1..=8).contains(&bits) {
            return Err(Error::image("input", format!("{bits} bits, and 1 to 8 are possible"), FIX));
        }
        super::check::extents(&shape, &Window::square(1, 1, 0)).map_err(|cause| Error::image("input", cause, FIX))?;
        let (low, high) = super::check::range(bits, signed);
        let mut values = vec![Value { shape, low: i64::from(low), high: i64::from(high) }];
        for step in &self.steps {
            let value = self.value_of(step, &values);
            values.push(value.map_err(|cause| Error::image(format!("step {}", step.name), cause, FIX))?);
        }
        Ok(values)
    }

    fn value_of(&self, step: &Step, values: &[Value]) -> Result<Value, String> {
        let inputs: Option<Vec<Value>> = step.inputs.iter().map(|&i| values.get(i).copied()).collect();
        let inputs = inputs
            .filter(|i| !i.is_empty() && i.len() <= COUNT_MAX)
            .ok_or("it reads no value, or one that is not there")?;
        let input = inputs[0];
        if inputs.iter().any(|v| v.low < -READABLE || v.high > READABLE) {
            return Err(format!("it reads values beyond -{READABLE}..{READABLE}"));
        }
        if !matches!(step.op, StepOp::Add(_) | StepOp::Concat) && inputs.len() > 1 {
            return Err(format!("it reads {} values, and takes one", inputs.len()));
        }
        let clamped = |shape: Shape, low: i32, high: i32| {
            if low > high {
                return Err(format!("it clamps to {low}..{high}"));
            }
            Ok(Value { shape, low: i64::from(low), high: i64::from(high) })
        };
        match &step.op {
            StepOp::Matrix { first, groups } => self.matrix(input, *first, *groups),
            StepOp::MaxPool(window) => Ok(Value { shape: pooled(input.shape, window)?, ..input }),
            StepOp::AvgPool(pool) => {
                if pool.shift > 30 {
                    return Err(format!("shift {}, and 0 to 30 are possible", pool.shift));
                }
                clamped(pooled(input.shape, &pool.window)?, pool.low, pool.high)
            }
            StepOp::Add(add) => {
                if add.multiplier.len() != inputs.len() || inputs.iter().any(|v| v.shape != input.shape) {
                    return Err("it adds values of different shapes, or has not one multiplier for each".into());
                }
                if !(1..=30).contains(&add.shift) {
                    return Err(format!("shift {}, and 1 to 30 are possible", add.shift));
                }
                clamped(input.shape, add.low, add.high)
            }
            StepOp::Concat => {
                if inputs.iter().any(|v| (v.shape.height, v.shape.width) != (input.shape.height, input.shape.width)) {
                    return Err("it concatenates values of different heights or widths".into());
                }
                let channels = inputs.iter().map(|v| v.shape.channels).sum();
                let shape = Shape { channels, ..input.shape };
                super::check::extents(&shape, &Window::square(1, 1, 0))?;
                let low = inputs.iter().map(|v| v.low).min().unwrap_or(0);
                let high = inputs.iter().map(|v| v.high).max().unwrap_or(0);
                Ok(Value { shape, low, high })
            }
            StepOp::Flatten => Ok(Value { shape: flat(input.shape)?, ..input }),
            StepOp::Affine(r) => {
                super::check::requantize(r, input.shape.channels)?;
                if r.raw {
                    return Err("an affine step shifts and clamps".into());
                }
                clamped(input.shape, r.low, r.high)
            }
        }
    }

    fn matrix(&self, input: Value, first: usize, groups: usize) -> Result<Value, String> {
        let layers = first.checked_add(groups).and_then(|end| self.layers.get(first..end)).filter(|l| !l.is_empty());
        let layers = layers.ok_or("it names layers that are not there")?;
        let shape = layers[0].shape;
        if layers.iter().any(|l| l.shape != shape) || layers.len() > 1 && layers.iter().any(|l| l.requantize.raw) {
            return Err("its groups differ in shape, or give unshifted results".into());
        }
        if input.shape.size() != groups * shape.inputs() {
            return Err(format!("it takes {} integers, and is given {}", groups * shape.inputs(), input.shape.size()));
        }
        for layer in layers {
            let (low, high) = super::check::input_range(layer);
            if input.low < i64::from(low) || input.high > i64::from(high) {
                return Err(format!("its inputs are {low}..{high}, and it is given {}..{}", input.low, input.high));
            }
        }
        let limit = |raw: i64, of: &dyn Fn(&Requantize) -> i32| match layers[0].requantize.raw {
            true => (raw, raw),
            false => {
                let limits = layers.iter().map(|l| i64::from(of(&l.requantize)));
                limits.fold((i64::MAX, i64::MIN), |(low, high), v| (low.min(v), high.max(v)))
            }
        };
        let (low, high) = (limit(i64::MIN, &|r| r.low).0, limit(i64::MAX, &|r| r.high).1);
        let shape = Shape { channels: groups * shape.kernels, height: shape.out_height(), width: shape.out_width() };
        super::check::extents(&shape, &Window::square(1, 1, 0))?;
        Ok(Value { shape, low, high })
    }
}

const FIX: &str = "compile the network again; the image is damaged or was written by a faulty tool";

fn pooled(shape: Shape, window: &Window) -> Result<Shape, String> {
    super::check::extents(&shape, window)?;
    let [height, width] = window.out_size(shape.height, shape.width);
    let [top, left, bottom, right] = window.padding;
    let extent = |axis: usize| (window.kernel[axis] - 1) * window.dilation[axis] + 1;
    let empty = top.max(bottom) >= extent(0) || left.max(right) >= extent(1) || has_hole(window, shape);
    if empty || height * width == 0 || window.kernel[0] * window.kernel[1] > COUNT_MAX {
        return Err(format!("a window {window:?} on {shape} sees nothing, or more than {COUNT_MAX} values"));
    }
    let pooled = Shape { height, width, ..shape };
    super::check::extents(&pooled, &Window::square(1, 1, 0))?;
    Ok(pooled)
}

fn flat(shape: Shape) -> Result<Shape, String> {
    let flat = Shape::new(shape.size(), 1, 1);
    super::check::extents(&flat, &Window::square(1, 1, 0)).map(|()| flat)
}

/// Whether some position of a dilated window sees padding only.
fn has_hole(window: &Window, shape: Shape) -> bool {
    let [out_height, out_width] = window.out_size(shape.height, shape.width);
    let hole = |axis: usize, out: usize, size: usize| {
        window.dilation[axis] > 1 && (0..out).any(|o| window.taps(axis, o, size).flatten().next().is_none())
    };
    hole(0, out_height, shape.height) || hole(1, out_width, shape.width)
}
