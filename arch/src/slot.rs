//! Slots and the slot word: one setting of a crossbar's switches, as data and as bits on the slot stream.

use crate::ChipConfig;

/// Work of one lane in one slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Item {
    /// Kernel, 0..K-1.
    pub kernel: usize,
    /// Coefficient plane j: the result counts 2^j.
    pub plane: usize,
}

/// One setting of the switches of one crossbar.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Slot {
    /// The item of every lane, L entries.
    pub items: Vec<Option<Item>>,
    /// Every column, C entries: 0 open, `lane + 1` connected to that lane, `-(lane + 1)` with negative polarity.
    pub switches: Vec<i8>,
}

impl Slot {
    /// A slot with nothing to do.
    pub fn empty(config: &ChipConfig) -> Self {
        Slot { items: vec![None; config.lanes()], switches: vec![0; config.columns()] }
    }
}

/// What the slot word says of one lane; see `docs/hardware.md`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ItemWord {
    /// Add the result to the lane before (mod L).
    pub merge: bool,
    /// Write the psum instead of adding to it.
    pub first: bool,
    /// Left shift of the result.
    pub plane: usize,
    /// Psum address of the block's first position.
    pub base: usize,
}

/// Layout of a slot word, least significant bit first: `last`, the items, the columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SlotWord {
    lanes: usize,
    columns: usize,
    base_bits: usize,
    lane_bits: usize,
    beat_bits: usize,
}

/// Bits of the `plane` field.
pub const PLANE_BITS: usize = 3;

impl SlotWord {
    /// The layout for a chip.
    pub fn new(config: &ChipConfig) -> Self {
        SlotWord {
            lanes: config.lanes(),
            columns: config.columns(),
            base_bits: config.psum_address_bits(),
            lane_bits: config.lane_bits(),
            beat_bits: config.slot_stream_bits(),
        }
    }

    /// Bits of one item: valid, merge, first, plane, base.
    pub fn item_bits(&self) -> usize {
        3 + PLANE_BITS + self.base_bits
    }

    /// Bits of one column: enable, negative, lane.
    pub fn column_bits(&self) -> usize {
        2 + self.lane_bits
    }

    /// Position of the first item.
    pub fn items_offset(&self) -> usize {
        1
    }

    /// Position of column 0.
    pub fn columns_offset(&self) -> usize {
        1 + self.lanes * self.item_bits()
    }

    /// Bits of a word without padding.
    pub fn word_bits(&self) -> usize {
        self.columns_offset() + self.columns * self.column_bits()
    }

    /// Beats of the slot stream that a word takes.
    pub fn beats(&self) -> usize {
        self.word_bits().div_ceil(self.beat_bits)
    }

    /// Packs a word into 32-bit pieces, lowest first, `beats * beat_bits / 32` of them.
    /// `items` has L entries, `switches` C entries as in [`Slot::switches`].
    pub fn pack(&self, last: bool, items: &[Option<ItemWord>], switches: &[i8]) -> Vec<u32> {
        let mut bits = BitWriter { words: vec![0; self.beats() * self.beat_bits / 32], position: 0 };
        bits.put(usize::from(last), 1);
        for item in items {
            let word = item.unwrap_or_default();
            bits.put(usize::from(item.is_some()), 1);
            bits.put(usize::from(word.merge), 1);
            bits.put(usize::from(word.first), 1);
            bits.put(word.plane, PLANE_BITS);
            bits.put(word.base, self.base_bits);
        }
        for &switch in switches {
            bits.put(usize::from(switch != 0), 1);
            bits.put(usize::from(switch < 0), 1);
            bits.put(usize::from(switch.unsigned_abs()).saturating_sub(1), self.lane_bits);
        }
        bits.words
    }
}

struct BitWriter {
    words: Vec<u32>,
    position: usize,
}

impl BitWriter {
    fn put(&mut self, value: usize, bits: usize) {
        for i in 0..bits {
            if value >> i & 1 == 1 {
                self.words[self.position / 32] |= 1 << (self.position % 32);
            }
            self.position += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_lie_where_the_documentation_says() {
        let config = ChipConfig::load("tiny").unwrap();
        let layout = SlotWord::new(&config);
        assert_eq!((layout.item_bits(), layout.column_bits()), (11, 4));
        assert_eq!((layout.columns_offset(), layout.word_bits(), layout.beats()), (45, 109, 4));
        let mut items = vec![None; 4];
        items[1] = Some(ItemWord { merge: true, first: false, plane: 5, base: 3 });
        let mut switches = vec![0i8; 16];
        switches[0] = -4;
        switches[15] = 1;
        let words = layout.pack(true, &items, &switches);
        assert_eq!(words.len(), 4);
        let bit = |i: usize| words[i / 32] >> (i % 32) & 1;
        let field = |lo: usize, n: usize| (0..n).map(|i| bit(lo + i) << i).sum::<u32>();
        assert_eq!(field(0, 1), 1, "last");
        assert_eq!(field(1, 11), 0, "lane 0 idle");
        assert_eq!(field(12, 11), 0b011 | 5 << 3 | 3 << 6, "lane 1");
        assert_eq!(field(45, 4), 0b11 | 3 << 2, "column 0: lane 3, negative");
        assert_eq!(field(45 + 15 * 4, 4), 0b01, "column 15: lane 0");
        assert_eq!(words.iter().map(|w| w.count_ones()).sum::<u32>(), 1 + 2 + 2 + 2 + 4 + 1);
    }
}
