//! im2col straight into vectors of positions.

use basisn_arch::{ConvShape, Subvectors};

use super::chunk::Place;
use super::dots::{FOUR, Rows4};

/// An input with its padding around it; as bytes, two's complement.
#[derive(Debug)]
pub struct Padded {
    values: Vec<u8>,
}

impl Padded {
    /// Pads an input in `[channel][row][column]` order with zeros.
    pub fn new(shape: &ConvShape, input: &[i32]) -> Self {
        let [height, width] = padded_size(shape);
        let [top, left, _, _] = shape.window.padding;
        let mut values = vec![0; shape.in_channels * height * width];
        for (i, row) in input.chunks_exact(shape.in_width).enumerate() {
            let (channel, y) = (i / shape.in_height, i % shape.in_height);
            let at = (channel * height + y + top) * width + left;
            values[at..at + shape.in_width].iter_mut().zip(row).for_each(|(value, &x)| *value = x as u8);
        }
        Padded { values }
    }
}

/// Height and width of an input with its padding.
fn padded_size(shape: &ConvShape) -> [usize; 2] {
    let [top, left, bottom, right] = shape.window.padding;
    [shape.in_height + top + bottom, shape.in_width + left + right]
}

/// Where the values of a patch lie in a padded input.
#[derive(Debug)]
pub struct Gather {
    width: usize,
    out_width: usize,
    stride: [usize; 2],
    cut: Subvectors,
    /// Of every depth, from the first value of the patch.
    offsets: Vec<usize>,
}

impl Gather {
    /// For a layer whose kernels are cut like this.
    pub fn new(shape: &ConvShape, cut: Subvectors) -> Self {
        let [height, width] = padded_size(shape);
        let ([kernel_height, kernel_width], [down, right]) = (shape.window.kernel, shape.window.dilation);
        let mut offsets = Vec::with_capacity(shape.depth());
        for channel in 0..shape.in_channels {
            for y in 0..kernel_height {
                offsets.extend((0..kernel_width).map(|x| (channel * height + y * down) * width + x * right));
            }
        }
        Gather { width, out_width: shape.out_width(), stride: shape.window.stride, cut, offsets }
    }

    /// The input planes in which a subvector at a position has a one; the lowest if it is all zero.
    pub fn nonzero_planes(&self, padded: &Padded, position: usize, subvector: usize, planes: usize) -> u8 {
        let input = &padded.values[self.corner(position)..];
        basisn_arch::nonzero_planes(self.offsets_of(subvector).iter().map(|&offset| i32::from(input[offset])), planes)
    }

    /// Where the values of a subvector lie, from the first value of the patch.
    fn offsets_of(&self, subvector: usize) -> &[usize] {
        let first = subvector * self.cut.length;
        &self.offsets[first.min(self.offsets.len())..self.offsets.len().min(first + self.cut.length)]
    }

    /// Where the first value of a position's patch lies.
    fn corner(&self, position: usize) -> usize {
        let (row, column) = (position / self.out_width, position % self.out_width);
        row * self.stride[0] * self.width + column * self.stride[1]
    }

    /// Values of a subvector at up to [`super::dots::CHUNK`] places, four rows together; the rest is 0.
    pub fn fill(&self, padded: &[Padded], places: &[Place], subvector: usize, values: &mut Vec<Rows4>) {
        values.clear();
        values.resize(self.cut.length.div_ceil(FOUR), [0; _]);
        let offsets = self.offsets_of(subvector);
        for (i, place) in places.iter().enumerate() {
            let input = &padded[place.image].values[self.corner(place.position)..];
            for (rows, offsets) in values.iter_mut().zip(offsets.chunks(FOUR)) {
                for (value, &offset) in rows[FOUR * i..].iter_mut().zip(offsets) {
                    *value = input[offset];
                }
            }
        }
    }
}
