//! The patch of the input that one output position sees, in the order of a kernel: channel, row, column.

use basisn_arch::ConvShape;

/// Fills `patch` (`shape.depth()` values) with what output `position` (row-major) sees of `input` (channel, row, column order).
pub(crate) fn fill_patch<T: Copy + Default>(shape: &ConvShape, input: &[T], position: usize, patch: &mut [T]) {
    let top = position / shape.out_width() * shape.stride;
    let left = position % shape.out_width() * shape.stride;
    let mut out = patch.iter_mut();
    for channel in input.chunks_exact(shape.in_height * shape.in_width) {
        for y in top..top + shape.kernel_height {
            for x in left..left + shape.kernel_width {
                let inside = (shape.padding..shape.padding + shape.in_height).contains(&y)
                    && (shape.padding..shape.padding + shape.in_width).contains(&x);
                let value = if inside {
                    channel[(y - shape.padding) * shape.in_width + x - shape.padding]
                } else {
                    T::default()
                };
                if let Some(place) = out.next() {
                    *place = value;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patches_are_padded_and_strided() {
        let shape = ConvShape {
            in_channels: 2,
            in_height: 3,
            in_width: 3,
            kernels: 1,
            kernel_height: 3,
            kernel_width: 3,
            stride: 2,
            padding: 1,
        };
        let input: Vec<i32> = (1..=18).collect();
        let mut patch = [0; 18];
        fill_patch(&shape, &input, 1, &mut patch);
        assert_eq!(patch, [0, 0, 0, 2, 3, 0, 5, 6, 0, 0, 0, 0, 11, 12, 0, 14, 15, 0]);
    }
}
