//! Row vectors against an input plane of many positions: the inner loop.
//!
//! Weights come as signed digits of base 256, so that one kernel of 8-bit products serves levels and fractions alike.

/// Positions that are computed together.
pub const CHUNK: usize = 64;
/// Rows that are multiplied together, and digit rows that share the inputs' loads.
pub const FOUR: usize = 4;

/// Four rows of a chunk: byte `4 place + row`.
pub type Rows4 = [u8; FOUR * CHUNK];
/// Sums of four digit rows at every place.
pub type Sums = [[i32; CHUNK]; FOUR];

/// Sums over rows of bit times digit: `bits` has 0 or 1 in every byte; `digits[row / 4][digit row]` holds four signed bytes.
pub type Dots = fn(bits: &[Rows4], digits: &[[i32; FOUR]]) -> Sums;

/// The fastest for this processor.
pub fn best() -> Dots {
    #[cfg(target_arch = "x86_64")]
    {
        // SAFETY: each is used only on a processor that has its instructions.
        if x86::has_vnni() {
            return |bits, digits| unsafe { x86::vnni(bits, digits) };
        }
        if std::arch::is_x86_feature_detected!("avx2") {
            return |bits, digits| unsafe { x86::avx2(bits, digits) };
        }
    }
    portable
}

/// The definition.
pub fn portable(bits: &[Rows4], digits: &[[i32; FOUR]]) -> Sums {
    let mut sums = [[0; CHUNK]; FOUR];
    for (bits, digits) in bits.iter().zip(digits) {
        for (sums, digits) in sums.iter_mut().zip(digits) {
            let digits = digits.to_le_bytes().map(|d| i32::from(d as i8));
            for (sum, bits) in sums.iter_mut().zip(bits.chunks_exact(FOUR)) {
                *sum += bits.iter().zip(digits).map(|(&bit, digit)| i32::from(bit) * digit).sum::<i32>();
            }
        }
    }
    sums
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::x86_64::*;

    use super::{CHUNK, FOUR, Rows4, Sums};

    pub fn has_vnni() -> bool {
        std::arch::is_x86_feature_detected!("avx512f") && std::arch::is_x86_feature_detected!("avx512vnni")
    }

    /// 64 products an instruction.
    #[target_feature(enable = "avx512f,avx512vnni")]
    pub fn vnni(bits: &[Rows4], digits: &[[i32; FOUR]]) -> Sums {
        let mut sums = [[_mm512_setzero_si512(); CHUNK / 16]; FOUR];
        for (bits, digits) in bits.iter().zip(digits) {
            // SAFETY: 256 bytes are four registers.
            let x: [_; CHUNK / 16] =
                std::array::from_fn(|i| unsafe { _mm512_loadu_si512(bits[64 * i..].as_ptr().cast()) });
            for (sums, &digit) in sums.iter_mut().zip(digits) {
                let digit = _mm512_set1_epi32(digit);
                for (sum, x) in sums.iter_mut().zip(x) {
                    *sum = _mm512_dpbusd_epi32(*sum, x, digit);
                }
            }
        }
        // SAFETY: both are plain memory of the same size.
        unsafe { std::mem::transmute::<[[__m512i; CHUNK / 16]; FOUR], Sums>(sums) }
    }

    /// 32 products an instruction; sums of 16 bits, which 256 rows cannot exceed, are widened at the end.
    #[target_feature(enable = "avx2")]
    pub fn avx2(bits: &[Rows4], digits: &[[i32; FOUR]]) -> Sums {
        let mut of = [[_mm256_setzero_si256(); CHUNK / 8]; FOUR];
        for (pair, half) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
            let mut sums = [[_mm256_setzero_si256(); CHUNK / 16]; 2];
            for (bits, digits) in bits.iter().zip(digits) {
                // SAFETY: 128 bytes from the half's first are four registers.
                let load = |i: usize| unsafe { _mm256_loadu_si256(bits[128 * half + 32 * i..].as_ptr().cast()) };
                let x: [_; CHUNK / 16] = std::array::from_fn(load);
                for (sums, &digit) in sums.iter_mut().zip(&digits[2 * pair..]) {
                    let digit = _mm256_set1_epi32(digit);
                    for (sum, x) in sums.iter_mut().zip(x) {
                        *sum = _mm256_add_epi16(*sum, _mm256_maddubs_epi16(x, digit));
                    }
                }
            }
            for (of, sums) in of[2 * pair..].iter_mut().zip(sums) {
                for (of, sum) in of[4 * half..].iter_mut().zip(sums) {
                    *of = _mm256_madd_epi16(sum, _mm256_set1_epi16(1));
                }
            }
        }
        // SAFETY: both are plain memory of the same size.
        unsafe { std::mem::transmute::<[[__m256i; CHUNK / 8]; FOUR], Sums>(of) }
    }
}

#[cfg(test)]
mod tests {
    use rand::Rng;

    use super::*;
    use crate::random::{generator, seed};

    #[test]
    fn every_kernel_is_the_definition() {
        let seed = seed();
        println!("BASISN_SEED={seed}");
        let mut rng = generator(seed);
        for groups in [0, 1, 2, 7, 32, 64] {
            for ones in [0.0, 0.3, 1.0] {
                let bits: Vec<Rows4> =
                    (0..groups).map(|_| std::array::from_fn(|_| u8::from(rng.random_bool(ones)))).collect();
                // All lowest or all highest digits bring the sums to their limits.
                for digits in [None, Some(0x8080_8080u32), Some(0x7f7f_7f7f)] {
                    let digits: Vec<[i32; FOUR]> = (0..groups)
                        .map(|_| std::array::from_fn(|_| digits.unwrap_or_else(|| rng.random()).cast_signed()))
                        .collect();
                    let expected = portable(&bits, &digits);
                    assert_eq!(best()(&bits, &digits), expected, "{groups} groups, {ones}");
                    #[cfg(target_arch = "x86_64")]
                    if std::arch::is_x86_feature_detected!("avx2") {
                        assert_eq!(unsafe { x86::avx2(&bits, &digits) }, expected, "AVX2, {groups} groups, {ones}");
                    }
                }
            }
        }
    }
}
