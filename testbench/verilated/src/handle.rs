//! Port handles: where a port lies, checked once when the handle is taken.

use std::ptr::NonNull;

/// How Verilator stores a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Storage {
    U8,
    U16,
    U32,
    U64,
    Words,
}

/// Place of a port in the model with the number `model`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    address: NonNull<u8>,
    pub model: u64,
    pub width_bits: u32,
    storage: Storage,
}

// SAFETY: the address is used only in the unsafe methods below, whose callers hold a reference to the living model.
unsafe impl Send for Place {}
// SAFETY: as for Send.
unsafe impl Sync for Place {}

/// An input of up to 64 bits of one [`Model`](crate::Model).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Input(pub(crate) Place);
/// An output of up to 64 bits of one [`Model`](crate::Model). An [`Input`] turns into one to be read back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Output(pub(crate) Place);
/// An input of any width, seen as bit fields or as 32-bit words, the lowest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WideInput(pub(crate) Place);
/// An output of any width, seen as bit fields or as 32-bit words, the lowest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WideOutput(pub(crate) Place);

impl From<Input> for Output {
    fn from(port: Input) -> Self {
        Output(port.0)
    }
}

impl From<WideInput> for WideOutput {
    fn from(port: WideInput) -> Self {
        WideOutput(port.0)
    }
}

macro_rules! width {
    ($($handle:ident),*) => {
        $(impl $handle {
            /// Width in bits.
            pub fn width_bits(self) -> u32 {
                self.0.width_bits
            }

            /// Number of 32-bit words.
            pub fn word_count(self) -> usize {
                self.0.word_count()
            }
        })*
    };
}
width!(Input, Output, WideInput, WideOutput);

/// The lowest `width_bits` bits set.
pub(crate) fn mask(width_bits: u32) -> u64 {
    if width_bits >= 64 { u64::MAX } else { (1 << width_bits) - 1 }
}

impl Place {
    pub fn new(address: NonNull<u8>, model: u64, width_bits: u32) -> Self {
        let storage = match width_bits {
            0..=8 => Storage::U8,
            9..=16 => Storage::U16,
            17..=32 => Storage::U32,
            33..=64 => Storage::U64,
            _ => Storage::Words,
        };
        Place { address, model, width_bits, storage }
    }

    pub fn word_count(self) -> usize {
        self.width_bits.div_ceil(32) as usize
    }

    /// The lowest 64 bits.
    ///
    /// # Safety
    /// The model must live, and nothing may write to it meanwhile.
    #[inline]
    pub unsafe fn read(self) -> u64 {
        let address = self.address.as_ptr();
        // SAFETY: the shim's typed references bind each address to a C++ object of this storage, aligned as such; the
        // caller holds the model.
        unsafe {
            match self.storage {
                Storage::U8 => u64::from(*address),
                Storage::U16 => u64::from(*address.cast::<u16>()),
                Storage::U32 => u64::from(*address.cast::<u32>()),
                Storage::U64 => *address.cast::<u64>(),
                Storage::Words => {
                    let words = address.cast::<u32>();
                    u64::from(*words) | (u64::from(*words.add(1)) << 32)
                }
            }
        }
    }

    /// Writes the low bits of `value`; of a wide port, its two lowest words.
    ///
    /// # Safety
    /// The model must live, and nothing else may use it meanwhile.
    #[inline]
    pub unsafe fn write(self, value: u64) {
        let value = value & mask(self.width_bits);
        let address = self.address.as_ptr();
        // SAFETY: as in `read`, and the caller holds the model alone.
        unsafe {
            match self.storage {
                Storage::U8 => *address = value as u8,
                Storage::U16 => *address.cast::<u16>() = value as u16,
                Storage::U32 => *address.cast::<u32>() = value as u32,
                Storage::U64 => *address.cast::<u64>() = value,
                Storage::Words => {
                    let words = address.cast::<u32>();
                    *words = value as u32;
                    *words.add(1) = (value >> 32) as u32;
                }
            }
        }
    }

    /// Word `index` of the port; zero beyond its end.
    ///
    /// # Safety
    /// As for [`Place::read`].
    #[inline]
    pub unsafe fn word(self, index: usize) -> u32 {
        if index >= self.word_count() {
            return 0;
        }
        // SAFETY: the index lies within the port's words; otherwise as in `read`.
        unsafe {
            match self.storage {
                Storage::Words => *self.address.as_ptr().cast::<u32>().add(index),
                _ => (self.read() >> (32 * index)) as u32,
            }
        }
    }

    /// Replaces the bits `bits` of word `index`; nothing beyond the port's end.
    ///
    /// # Safety
    /// As for [`Place::write`].
    #[inline]
    pub unsafe fn merge_word(self, index: usize, value: u32, bits: u32) {
        if index >= self.word_count() {
            return;
        }
        // Verilator's code relies on the bits above the width being zero.
        let used = mask(self.width_bits - 32 * index as u32) as u32 & bits;
        // SAFETY: the index lies within the port's words; otherwise as in `write`.
        unsafe {
            match self.storage {
                Storage::Words => {
                    let word = self.address.as_ptr().cast::<u32>().add(index);
                    *word = (*word & !used) | (value & used);
                }
                _ => {
                    let shift = 32 * index;
                    self.write((self.read() & !(u64::from(used) << shift)) | (u64::from(value & used) << shift));
                }
            }
        }
    }
}
