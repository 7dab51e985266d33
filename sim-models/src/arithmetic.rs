//! The arithmetic contract: one function a step, all integer. Models, compiler and RTL agree with it bit for bit.

/// Range of an input integer: `0..2^X-1`, or `-2^(X-1)..2^(X-1)-1` if signed.
pub fn input_range(input_bits: usize, signed: bool) -> (i32, i32) {
    if signed { (-(1 << (input_bits - 1)), (1 << (input_bits - 1)) - 1) } else { (0, (1 << input_bits) - 1) }
}

/// Bit of an input integer on an input plane, two's complement: `(x >> i) & 1`.
pub fn plane_bit(value: i32, plane: usize) -> bool {
    value >> plane & 1 == 1
}

/// All planes of an input, plane i in bit i.
pub fn all_planes(input_bits: usize) -> u8 {
    ((1u32 << input_bits) - 1) as u8
}

/// What an input plane counts: `2^i`, and `-2^(X-1)` for the sign plane of a signed input.
pub fn plane_weight(plane: usize, input_bits: usize, signed: bool) -> i32 {
    if signed && plane + 1 == input_bits { -(1 << plane) } else { 1 << plane }
}

/// The ADC: `code = clamp((z + ((1 << g) >> 1)) >> g, -2^(A-1), 2^(A-1)-1)`, arithmetic shift.
pub fn adc_code(lane_sum: i32, gain: u32, adc_bits: usize) -> i32 {
    let (low, high) = adc_range(adc_bits);
    adc_unlimited(lane_sum, gain).clamp(low, high)
}

/// Whether the ADC clamps this lane sum.
pub fn adc_saturates(lane_sum: i32, gain: u32, adc_bits: usize) -> bool {
    let (low, high) = adc_range(adc_bits);
    !(low..=high).contains(&adc_unlimited(lane_sum, gain))
}

/// Smallest and largest ADC code: `-2^(A-1)` and `2^(A-1)-1`.
pub fn adc_range(adc_bits: usize) -> (i32, i32) {
    (-(1 << (adc_bits - 1)), (1 << (adc_bits - 1)) - 1)
}

/// The code before the ADC clamps it.
pub fn adc_unlimited(lane_sum: i32, gain: u32) -> i32 {
    (lane_sum + ((1 << gain) >> 1)) >> gain
}

/// Shift-add over input planes: `acc = sum over planes of (+-2^i) * code`.
pub fn accumulate(acc: i32, plane_weight: i32, code: i32) -> i32 {
    acc + plane_weight * code
}

/// Partial sum of a kernel at a position: `psum += acc << j`.
pub fn update_psum(psum: i32, acc: i32, coefficient_plane: usize) -> i32 {
    psum + (acc << coefficient_plane)
}

/// `y = clamp((psum * m + b + (1 << (shift - 1))) >> shift, low, high)`, or `psum * m + b` if `raw`; arithmetic shift.
///
/// With |psum| < 2^31, |m| <= 2^15 and |b| < 2^47 nothing overflows.
pub fn requantize(psum: i32, m: i16, b: i64, shift: u32, low: i32, high: i32, raw: bool) -> i64 {
    let scaled = i64::from(psum) * i64::from(m) + b;
    if raw { scaled } else { ((scaled + (1 << (shift - 1))) >> shift).clamp(i64::from(low), i64::from(high)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn planes_of_an_integer_add_up_to_it() {
        for (bits, signed) in [(1, false), (1, true), (3, true), (8, false), (8, true)] {
            let (low, high) = input_range(bits, signed);
            assert_eq!(high - low, (1 << bits) - 1);
            for x in low..=high {
                let sum: i32 = (0..bits).map(|i| i32::from(plane_bit(x, i)) * plane_weight(i, bits, signed)).sum();
                assert_eq!(sum, x, "{bits} bits, signed {signed}");
            }
        }
    }

    #[test]
    fn adc_rounds_ties_up_and_clamps_at_both_rails() {
        assert_eq!([-3, -2, -1, 0, 1, 2, 3].map(|z| adc_code(z, 0, 4)), [-3, -2, -1, 0, 1, 2, 3], "gain 0 is exact");
        // Gain 2 divides by 4: ties at 2 and -2, and one step on either side of them.
        assert_eq!([1, 2, 3].map(|z| adc_code(z, 2, 4)), [0, 1, 1]);
        assert_eq!([-3, -2, -1].map(|z| adc_code(z, 2, 4)), [-1, 0, 0]);
        assert_eq!([-7, -6, -5].map(|z| adc_code(z, 2, 4)), [-2, -1, -1]);
        // 4 bits: -8..7.
        assert_eq!([6, 7, 8, i32::MAX / 2].map(|z| adc_code(z, 0, 4)), [6, 7, 7, 7]);
        assert_eq!([-7, -8, -9, i32::MIN / 2].map(|z| adc_code(z, 0, 4)), [-7, -8, -8, -8]);
        assert_eq!([29, 30, -34, -35].map(|z| adc_code(z, 2, 4)), [7, 7, -8, -8]);
        assert_eq!([29, 30, -34, -35].map(|z| adc_saturates(z, 2, 4)), [false, true, false, true]);
    }

    #[test]
    fn the_most_negative_code_on_every_plane_has_the_most_negative_product() {
        let code = adc_code(-5000, 0, 12);
        let acc = (0..8).fold(0, |acc, i| accumulate(acc, plane_weight(i, 8, false), code));
        assert_eq!(acc, -2048 * 255);
        assert_eq!(update_psum(7, acc, 5), 7 - 2048 * 255 * 32);
        let signed = (0..8).fold(0, |acc, i| accumulate(acc, plane_weight(i, 8, true), code));
        assert_eq!(signed, 2048, "the planes of -1");
    }

    #[test]
    fn requantize_rounds_ties_up_for_either_sign_of_m() {
        let y = |psum, m, b| requantize(psum, m, b, 2, -128, 127, false);
        assert_eq!([5, 6, 7].map(|p| y(p, 1, 0)), [1, 2, 2], "a tie at 1.5");
        assert_eq!([-7, -6, -5].map(|p| y(p, 1, 0)), [-2, -1, -1], "a tie at -1.5");
        assert_eq!([5, 6, 7].map(|p| y(p, -1, 0)), [-1, -1, -2], "negative m negates before rounding");
        assert_eq!([1, 2, 3].map(|b| y(0, 1, b)), [0, 1, 1], "the offset is added before rounding");
    }

    #[test]
    fn requantize_clamps_at_both_rails_and_raw_does_neither() {
        let y = |psum| requantize(psum, 3, 0, 1, -8, 7, false);
        assert_eq!([4, 5, i32::MAX].map(y), [6, 7, 7]);
        assert_eq!([-5, -6, i32::MIN].map(y), [-7, -8, -8]);
        assert_eq!(requantize(-20, 3, -1, 1, 0, 255, false), 0, "ReLU");
        assert_eq!(requantize(-20, 3, -1, 1, 0, 255, true), -61);
    }

    #[test]
    fn requantize_holds_the_largest_products() {
        let top = (1i64 << 47) - 1;
        assert_eq!(requantize(i32::MIN, i16::MIN, top, 46, i32::MIN, i32::MAX, true), (1 << 46) + top);
        assert_eq!(requantize(i32::MIN, i16::MIN, top, 46, i32::MIN, i32::MAX, false), 3);
        assert_eq!(requantize(i32::MIN, i16::MAX, -top - 1, 46, i32::MIN, i32::MAX, false), -3);
    }
}
