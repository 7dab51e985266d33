//! Shapes of tensors and layers: what im2col, the weights and the cycle count need.

use serde::{Deserialize, Serialize};

/// Channels, height and width of a tensor; a flat one has height and width 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shape {
    /// Channels.
    pub channels: usize,
    /// Rows.
    pub height: usize,
    /// Columns.
    pub width: usize,
}

impl Shape {
    /// A shape of `channels` x `height` x `width`.
    pub const fn new(channels: usize, height: usize, width: usize) -> Self {
        Shape { channels, height, width }
    }

    /// Number of values.
    pub fn size(&self) -> usize {
        self.channels * self.height * self.width
    }
}

impl std::fmt::Display for Shape {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} x {} x {}", self.channels, self.height, self.width)
    }
}

/// A window that slides over the rows and columns of an image: what a convolution or a pooling sees.
/// Pairs are height, width; padding is top, left, bottom, right.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Window {
    /// Rows and columns of the window.
    pub kernel: [usize; 2],
    /// Step between positions; at least 1.
    pub stride: [usize; 2],
    /// Rows and columns added on each side.
    pub padding: [usize; 4],
    /// Distance between the window's rows and columns; 1 is a dense window.
    pub dilation: [usize; 2],
}

impl Window {
    /// A dense square window with the same stride and padding in both directions.
    pub const fn square(kernel: usize, stride: usize, padding: usize) -> Self {
        Window { kernel: [kernel; 2], stride: [stride; 2], padding: [padding; 4], dilation: [1; 2] }
    }

    /// A window that covers an image of `height` x `width`: one position.
    pub const fn covering(height: usize, width: usize) -> Self {
        Window { kernel: [height, width], stride: [1; 2], padding: [0; 4], dilation: [1; 2] }
    }

    /// Output height and width on an image of `height` x `width`; 0 where the padded image is smaller than the window.
    pub fn out_size(&self, height: usize, width: usize) -> [usize; 2] {
        let [top, left, bottom, right] = self.padding;
        [(height + top + bottom, 0), (width + left + right, 1)].map(|(size, axis)| {
            let extent = (self.kernel[axis].saturating_sub(1) * self.dilation[axis]) + 1;
            if self.kernel[axis] == 0 || size < extent || self.stride[axis] == 0 {
                0
            } else {
                (size - extent) / self.stride[axis] + 1
            }
        })
    }

    /// The image rows (`axis` 0) or columns (`axis` 1) that the window sees at output row or column `out`, in order;
    /// `None` is padding. `size` is the image's height or width.
    pub fn taps(&self, axis: usize, out: usize, size: usize) -> impl Iterator<Item = Option<usize>> + Clone {
        let start = out * self.stride[axis];
        let (padding, dilation) = (self.padding[axis], self.dilation[axis]);
        (0..self.kernel[axis]).map(move |i| (start + i * dilation).checked_sub(padding).filter(|&at| at < size))
    }
}

/// A 2-d convolution; a linear layer is one whose kernel covers its whole input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConvShape {
    /// Input channels.
    pub in_channels: usize,
    /// Input height.
    pub in_height: usize,
    /// Input width.
    pub in_width: usize,
    /// Kernels, K: output channels.
    pub kernels: usize,
    /// What a kernel sees of each channel.
    pub window: Window,
}

impl ConvShape {
    /// Length D of a kernel: `in_channels * kernel height * kernel width`, in that order.
    pub fn depth(&self) -> usize {
        self.in_channels * self.window.kernel[0] * self.window.kernel[1]
    }

    /// Output height; 0 if the padded input is smaller than the kernel.
    pub fn out_height(&self) -> usize {
        self.window.out_size(self.in_height, self.in_width)[0]
    }

    /// Output width; 0 if the padded input is smaller than the kernel.
    pub fn out_width(&self) -> usize {
        self.window.out_size(self.in_height, self.in_width)[1]
    }

    /// Output positions: `out_height * out_width`.
    pub fn positions(&self) -> usize {
        self.out_height() * self.out_width()
    }

    /// Values of one input: `in_channels * in_height * in_width`.
    pub fn inputs(&self) -> usize {
        self.in_channels * self.in_height * self.in_width
    }

    /// The patches that the kernels see: `positions` rows of D values, in the order of the weights; padding is the default value, zero.
    /// `input` is `[channel][height][width]`.
    pub fn im2col<T: Copy + Default>(&self, input: &[T]) -> Vec<T> {
        let mut patches = vec![T::default(); self.positions() * self.depth()];
        for (position, patch) in patches.chunks_exact_mut(self.depth().max(1)).enumerate() {
            self.fill_patch(input, position, patch);
        }
        patches
    }

    /// Fills `patch`, D values, with what the kernels see at one position (row-major in the output); see [`ConvShape::im2col`].
    pub fn fill_patch<T: Copy + Default>(&self, input: &[T], position: usize, patch: &mut [T]) {
        let (row, column) = (position / self.out_width(), position % self.out_width());
        let rows = self.window.taps(0, row, self.in_height);
        let columns = self.window.taps(1, column, self.in_width);
        let mut places = patch.iter_mut();
        for channel in input.chunks_exact(self.in_height * self.in_width) {
            for y in rows.clone() {
                let line = y.and_then(|y| channel.get(y * self.in_width..(y + 1) * self.in_width));
                for (place, x) in places.by_ref().take(self.window.kernel[1]).zip(columns.clone()) {
                    *place = line.zip(x).and_then(|(line, x)| line.get(x).copied()).unwrap_or_default();
                }
            }
        }
    }

    /// Multiply-accumulates of one input through this layer.
    pub fn macs(&self) -> usize {
        self.positions() * self.kernels * self.depth()
    }
}

/// How a kernel of length `depth` is cut for crossbars of `rows` rows:
/// `count = ceil(depth / rows)` subvectors of `length = ceil(depth / count)`; the last may end short and is padded with zeros.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Subvectors {
    /// Subvectors S of a kernel.
    pub count: usize,
    /// Length r of each, in rows.
    pub length: usize,
}

impl Subvectors {
    /// Equal cuts: they gain 2.5 dB over full rows and a short rest.
    pub fn new(depth: usize, rows: usize) -> Self {
        let count = depth.div_ceil(rows).max(1);
        Subvectors { count, length: depth.div_ceil(count) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strided_and_padded_layers_have_the_usual_output_size() {
        let window = Window::square(3, 2, 1);
        let conv = ConvShape { in_channels: 32, in_height: 8, in_width: 8, kernels: 32, window };
        assert_eq!((conv.out_height(), conv.out_width(), conv.depth()), (4, 4, 288));
        let high = Window { kernel: [11, 3], ..window };
        assert_eq!(ConvShape { window: high, ..conv }.positions(), 0);
        let dilated = Window { dilation: [3, 1], padding: [0, 0, 1, 2], ..Window::square(3, 1, 0) };
        assert_eq!(dilated.out_size(8, 8), [3, 8]);
        assert_eq!(Window::covering(7, 5).out_size(7, 5), [1, 1]);
    }

    #[test]
    fn patches_are_cut_in_the_order_of_the_weights_and_padded_with_zero() {
        let window = Window::square(2, 2, 1);
        let conv = ConvShape { in_channels: 2, in_height: 2, in_width: 2, kernels: 1, window };
        let patches = conv.im2col(&[1, 2, 3, 4, 5, 6, 7, 8]);
        assert_eq!(conv.positions(), 4);
        assert_eq!(patches[..8], [0, 0, 0, 1, 0, 0, 0, 5]);
        assert_eq!(patches[24..], [4, 0, 0, 0, 8, 0, 0, 0]);
        let linear = ConvShape { window: Window::covering(2, 2), ..conv };
        assert_eq!(linear.im2col(&[1, 2, 3, 4, 5, 6, 7, 8]), [1, 2, 3, 4, 5, 6, 7, 8]);
    }

    #[test]
    fn windows_may_be_dilated_and_padded_on_one_side() {
        let window = Window { dilation: [2, 1], padding: [1, 0, 0, 1], ..Window::square(2, 1, 0) };
        let conv = ConvShape { in_channels: 1, in_height: 3, in_width: 2, kernels: 1, window };
        // The image is 1 2 / 3 4 / 5 6; rows two apart, one row of zeros above and a column of zeros on the right.
        assert_eq!((conv.out_height(), conv.out_width()), (2, 2));
        assert_eq!(conv.im2col(&[1, 2, 3, 4, 5, 6]), [0, 0, 3, 4, 0, 0, 4, 0, 1, 2, 5, 6, 2, 0, 6, 0]);
    }

    #[test]
    fn kernels_are_cut_evenly() {
        assert_eq!(Subvectors::new(144, 64), Subvectors { count: 3, length: 48 });
        assert_eq!(Subvectors::new(288, 64), Subvectors { count: 5, length: 58 });
        assert_eq!(Subvectors::new(9, 64), Subvectors { count: 1, length: 9 });
    }
}
