//! What a node computes, and the shape it gives.

use basisn_arch::{Shape, Window};

/// An operation on float tensors in `[channel][row][column]` order.
#[derive(Clone, Debug, PartialEq)]
pub enum Op {
    /// The network's input.
    Input,
    /// Convolution with zero padding; weights `[out, in / groups, kernel height, kernel width]`.
    Conv(Conv),
    /// Fully connected on the whole input; weights `[out, in]`.
    Linear {
        /// Output features.
        out: usize,
        /// Whether it has a bias.
        bias: bool,
    },
    /// Per channel `(x - running_mean) / sqrt(running_var + epsilon) * weight + bias`.
    BatchNorm {
        /// Keeps the divisor from zero.
        epsilon: f64,
    },
    /// `clamp(x, low, high)`; ReLU is `0..infinity`, ReLU6 is `0..6`.
    Clip {
        /// Smallest result.
        low: f64,
        /// Largest result.
        high: f64,
    },
    /// Largest value of every window; padding never wins.
    MaxPool(Window),
    /// Mean of every window.
    AvgPool(Pool),
    /// Mean of every channel.
    GlobalAvgPool,
    /// Sum of tensors of one shape.
    Add,
    /// Tensors one after the other along the channels.
    Concat,
    /// The same values as one row of channels.
    Flatten,
}

/// Parameters of a convolution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Conv {
    /// Output channels.
    pub out: usize,
    /// What a kernel sees of each channel.
    pub window: Window,
    /// Groups: output channels of a group see the input channels of this group only; as many as channels is depthwise.
    pub groups: usize,
    /// Whether it has a bias.
    pub bias: bool,
}

/// Parameters of an average pooling.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pool {
    /// The window.
    pub window: Window,
    /// Whether padding counts as zeros; otherwise the mean is of what lies inside the image.
    pub count_padding: bool,
}

#[allow(non_upper_case_globals)]
impl Op {
    /// Rectified linear unit.
    pub const Relu: Op = Op::Clip { low: 0.0, high: f64::INFINITY };
    /// Rectified linear unit that is cut at 6.
    pub const Relu6: Op = Op::Clip { low: 0.0, high: 6.0 };
}

impl Conv {
    /// An ungrouped convolution without bias.
    pub const fn new(out: usize, window: Window) -> Self {
        Conv { out, window, groups: 1, bias: false }
    }
}

impl Op {
    /// Whether it is a matrix product, which runs on the crossbars.
    pub fn is_matrix(&self) -> bool {
        matches!(self, Op::Conv(_) | Op::Linear { .. })
    }

    /// Shape of the result for inputs of these shapes, or why there is none.
    pub(super) fn out_shape(&self, inputs: &[Shape]) -> Result<Shape, String> {
        match (self, inputs) {
            (Op::Add | Op::Concat, []) | (Op::Add, [_]) => {
                Err(format!("{} inputs, and it takes 2 inputs or more", inputs.len()))
            }
            (Op::Add, [first, rest @ ..]) => match rest.iter().find(|shape| *shape != first) {
                Some(other) => Err(format!("it adds {first} and {other}")),
                None => Ok(*first),
            },
            (Op::Concat, [first, rest @ ..]) => {
                match rest.iter().find(|s| (s.height, s.width) != (first.height, first.width)) {
                    Some(other) => Err(format!("it concatenates {first} and {other}")),
                    None => Ok(Shape { channels: inputs.iter().map(|s| s.channels).sum(), ..*first }),
                }
            }
            (_, [input]) => self.of_one(*input),
            _ => Err(format!("{} inputs, and it takes 1 input", inputs.len())),
        }
    }

    fn of_one(&self, input: Shape) -> Result<Shape, String> {
        let slide = |window: &Window, channels: usize| {
            let [height, width] = window.out_size(input.height, input.width);
            if channels * height * width == 0 || window.stride.contains(&0) || window.dilation.contains(&0) {
                let Window { kernel, stride, padding, dilation } = window;
                return Err(format!(
                    "kernel {kernel:?}, stride {stride:?}, padding {padding:?}, dilation {dilation:?} on {input} gives no output"
                ));
            }
            Ok(Shape { channels, height, width })
        };
        match self {
            Op::Conv(Conv { out, window, groups, .. }) => {
                if *groups == 0 || !input.channels.is_multiple_of(*groups) || !out.is_multiple_of(*groups) {
                    return Err(format!("{} input and {out} output channels in {groups} groups", input.channels));
                }
                slide(window, *out)
            }
            Op::MaxPool(window) | Op::AvgPool(Pool { window, .. }) => {
                let [top, left, bottom, right] = window.padding;
                let extent = |axis: usize| (window.kernel[axis].saturating_sub(1)) * window.dilation[axis] + 1;
                // A window of padding only would have no value.
                if top.max(bottom) >= extent(0) || left.max(right) >= extent(1) {
                    return Err(format!(
                        "padding {:?} is not smaller than the window {:?}",
                        window.padding, window.kernel
                    ));
                }
                slide(window, input.channels)
            }
            Op::Linear { out: 0, .. } => Err("it has no output features".into()),
            Op::Linear { out, .. } => Ok(Shape::new(*out, 1, 1)),
            Op::GlobalAvgPool => Ok(Shape::new(input.channels, 1, 1)),
            Op::Flatten => Ok(Shape::new(input.size(), 1, 1)),
            Op::Clip { low, high } if low.partial_cmp(high) != Some(std::cmp::Ordering::Less) => {
                Err(format!("it clips to {low}..{high}"))
            }
            _ => Ok(input),
        }
    }
}
