//! From a layer's input to the vectors at the wordlines: im2col patches, cut into subvectors, as bit planes.

use basisn_arch::{ConvShape, Subvectors};

use crate::arithmetic::plane_bit;

/// The im2col patches of one input, cut into subvectors of equal length.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Patches {
    cut: Subvectors,
    positions: usize,
    /// `[position][subvector][row]`
    values: Vec<i32>,
}

impl Patches {
    /// Patches of an input in `[channel][row][column]` order. Padding is the integer 0, and so is what fills the last subvector.
    ///
    /// `input` has `shape.inputs()` values; what is missing counts as 0.
    pub fn new(shape: &ConvShape, cut: Subvectors, input: &[i32]) -> Self {
        let (depth, padded) = (shape.depth().max(1), cut.count * cut.length);
        let mut values = Vec::with_capacity(shape.positions() * padded);
        for patch in shape.im2col(input).chunks_exact(depth) {
            values.extend_from_slice(patch);
            values.resize(values.len() + padded - depth, 0);
        }
        let positions = shape.positions();
        Patches { cut, positions, values }
    }

    /// Positions of the layer.
    pub fn positions(&self) -> usize {
        self.positions
    }

    /// The `r` integers of a subvector at a position: row 0 first.
    pub fn subvector(&self, position: usize, subvector: usize) -> &[i32] {
        let start = (position * self.cut.count + subvector) * self.cut.length;
        &self.values[start..start + self.cut.length]
    }
}

/// One input plane of a vector as wordlines: bit `r % 64` of word `r / 64` is row r.
pub fn wordlines(values: &[i32], plane: usize) -> Vec<u64> {
    let bits = |rows: &[i32]| rows.iter().enumerate().map(|(r, &v)| u64::from(plane_bit(v, plane)) << r).sum();
    values.chunks(64).map(bits).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use basisn_arch::Window;

    #[test]
    fn patches_of_a_padded_strided_convolution() {
        let shape = ConvShape {
            in_channels: 2,
            in_height: 3,
            in_width: 2,
            kernels: 1,
            window: Window { kernel: [3, 2], ..Window::square(3, 2, 1) },
        };
        assert_eq!((shape.out_height(), shape.out_width()), (2, 2));
        let input: Vec<i32> = (1..=12).collect();
        let patches = Patches::new(&shape, Subvectors::new(shape.depth(), 8), &input);
        assert_eq!(patches.positions(), 4);
        // Channel 0 is 1 2 / 3 4 / 5 6, channel 1 is 7 8 / 9 10 / 11 12.
        assert_eq!(patches.subvector(0, 0), [0, 0, 0, 1, 0, 3]);
        assert_eq!(patches.subvector(0, 1), [0, 0, 0, 7, 0, 9]);
        assert_eq!(patches.subvector(3, 0), [4, 0, 6, 0, 0, 0]);
    }

    #[test]
    fn the_last_subvector_is_filled_with_zeros() {
        let shape =
            ConvShape { in_channels: 10, in_height: 1, in_width: 1, kernels: 1, window: Window::square(1, 1, 0) };
        let patches = Patches::new(&shape, Subvectors::new(10, 4), &[-1; 10]);
        assert_eq!(patches.subvector(0, 2), [-1, -1, 0, 0]);
    }

    #[test]
    fn planes_are_two_s_complement_bits() {
        let mut values = vec![0; 70];
        values[0] = -128;
        values[65] = 3;
        assert_eq!(wordlines(&values, 7), [1, 0]);
        assert_eq!(wordlines(&values, 0), [0, 2]);
    }
}
