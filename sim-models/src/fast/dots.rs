//! One row vector, or several, against an input plane of many positions.

/// Positions that are computed together.
pub const CHUNK: usize = 64;

/// Integers wide enough for the lane sums of a slot.
pub trait Word: Copy + Default + PartialOrd {
    /// All ones where bit `plane` of `value` is 1, else 0.
    fn mask(value: i16, plane: usize) -> Self;
    /// `self + (mask & weight)`.
    fn add_masked(self, mask: Self, weight: Self) -> Self;
    /// `(self + ((1 << shift) >> 1)) >> shift`.
    fn shifted(self, shift: u32) -> Self;
    /// Widened.
    fn wide(self) -> i32;
    /// Narrowed.
    fn narrow(value: i32) -> Self;
}

macro_rules! word {
    ($($type:ty)*) => { $(impl Word for $type {
        #[inline(always)]
        fn mask(value: i16, plane: usize) -> Self {
            Self::from((value << (15 - plane)) >> 15)
        }
        #[inline(always)]
        fn add_masked(self, mask: Self, weight: Self) -> Self {
            self.wrapping_add(mask & weight)
        }
        #[inline(always)]
        fn shifted(self, shift: u32) -> Self {
            self.wrapping_add((1 << shift) >> 1) >> shift
        }
        #[inline(always)]
        fn wide(self) -> i32 {
            i32::from(self)
        }
        #[inline(always)]
        fn narrow(value: i32) -> Self {
            value as Self
        }
    })* };
}
word! { i16 i32 }

/// Sums of the weights of active rows: for every row a mask for each position, and a weight for each of `L` lanes.
#[inline(always)]
pub fn dots<T: Word, const L: usize>(masks: &[[T; CHUNK]], weights: &[[T; L]]) -> [[T; CHUNK]; L] {
    let mut sums = [[T::default(); CHUNK]; L];
    for (masks, weights) in masks.iter().zip(weights) {
        for (sums, &weight) in sums.iter_mut().zip(weights) {
            for (sum, &mask) in sums.iter_mut().zip(masks) {
                *sum = sum.add_masked(mask, weight);
            }
        }
    }
    sums
}

/// The same for floats, rows in order: the sum of floats depends on it.
#[inline(always)]
pub fn dots_f32(masks: &[[i32; CHUNK]], weights: &[f32]) -> [f32; CHUNK] {
    let mut sums = [0.0; CHUNK];
    for (masks, weight) in masks.iter().zip(weights) {
        for (sum, &mask) in sums.iter_mut().zip(masks) {
            *sum += f32::from_bits(mask.cast_unsigned() & weight.to_bits());
        }
    }
    sums
}

/// Compiles a function for the vector units of this processor and calls the best, so that every inlined part uses them.
macro_rules! best_of_processor {
    ($function:ident($($name:ident: $type:ty),*) $body:ident) => {
        fn $function($($name: $type),*) {
            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq")]
                fn avx512($($name: $type),*) {
                    $body($($name),*)
                }
                #[target_feature(enable = "avx2")]
                fn avx2($($name: $type),*) {
                    $body($($name),*)
                }
                let has_512 = std::arch::is_x86_feature_detected!("avx512bw")
                    && std::arch::is_x86_feature_detected!("avx512vl")
                    && std::arch::is_x86_feature_detected!("avx512dq");
                if has_512 {
                    // SAFETY: this processor has these instructions.
                    return unsafe { avx512($($name),*) };
                }
                if std::arch::is_x86_feature_detected!("avx2") {
                    // SAFETY: this processor has these instructions.
                    return unsafe { avx2($($name),*) };
                }
            }
            $body($($name),*)
        }
    };
}
pub(super) use best_of_processor;
