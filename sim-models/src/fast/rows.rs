//! A slot's columns added up to one row vector for each item: done once for all reads of the slot.

use basisn_arch::{ChipConfig, Item, LayerProgram, Slot};
use rayon::prelude::*;

use super::dots::{CHUNK, Dots, FOUR, Rows4};
use crate::rram::TileMacro;

/// What one tile does in one slot.
#[derive(Clone, Debug)]
pub struct TileSlot {
    /// Items with their lanes.
    pub items: Vec<LaneItem>,
    /// Row vectors of the items; of a device in 2^-8 level, else in levels.
    pub weights: DigitRows,
    /// Variances of read noise, if a device has any.
    pub variance: DigitRows,
}

/// An item and its lane.
#[derive(Clone, Copy, Debug)]
pub struct LaneItem {
    /// Lane.
    pub lane: usize,
    /// Kernel.
    pub kernel: usize,
    /// Coefficient plane.
    pub plane: usize,
}

/// Row vectors as signed digits of base 256: the sum of digit d counts 256^d.
#[derive(Clone, Debug, Default)]
pub struct DigitRows {
    vectors: usize,
    /// Digits of every vector, as many as the largest needs.
    digits: usize,
    /// Of four digit rows at a time, `[batch][row / 4][digit row]`: four rows of signed bytes.
    batches: Vec<Vec<[i32; FOUR]>>,
}

impl DigitRows {
    fn new(vectors: &[&[i32]]) -> Self {
        let digits = vectors.iter().copied().flatten().map(|&w| digits_of(w).1).max().unwrap_or(0);
        let groups = vectors.first().map_or(0, |v| v.len().div_ceil(FOUR));
        let mut batches = vec![vec![[0; FOUR]; groups]; (vectors.len() * digits).div_ceil(FOUR)];
        for (i, vector) in vectors.iter().enumerate() {
            for (row, &weight) in vector.iter().enumerate() {
                for (d, digit) in digits_of(weight).0.into_iter().take(digits).enumerate() {
                    let digit_row = i * digits + d;
                    let four = &mut batches[digit_row / FOUR][row / FOUR][digit_row % FOUR];
                    *four |= i32::from(digit as u8) << (8 * (row % FOUR));
                }
            }
        }
        DigitRows { vectors: vectors.len(), digits, batches }
    }

    /// The dot product of every vector with an input plane of every place.
    #[inline(always)]
    pub fn dots(&self, kernel: Dots, bits: &[Rows4], sums: &mut Vec<[i32; CHUNK]>) {
        sums.clear();
        sums.resize(self.vectors, [0; CHUNK]);
        for (batch, digits) in self.batches.iter().enumerate() {
            for (i, of_digit) in kernel(bits, digits).iter().enumerate() {
                let digit_row = batch * FOUR + i;
                let shift = 8 * (digit_row % self.digits);
                let Some(sums) = sums.get_mut(digit_row / self.digits) else { break };
                for (sum, of_digit) in sums.iter_mut().zip(of_digit) {
                    *sum = sum.wrapping_add(of_digit << shift);
                }
            }
        }
    }
}

/// Digits -128..127 of base 256, lowest first, and how many are needed; 0 needs none.
fn digits_of(weight: i32) -> ([i8; 4], usize) {
    let (mut digits, mut rest, mut count) = ([0; 4], weight, 0);
    while rest != 0 && count < 4 {
        digits[count] = rest as i8;
        rest = (rest - i32::from(digits[count])) >> 8;
        count += 1;
    }
    (digits, count)
}

/// Prepares all slots of a layer: `[subvector][slot][tile]`, flat.
pub fn prepare(config: &ChipConfig, layer: &LayerProgram, macros: &[TileMacro]) -> Vec<TileSlot> {
    let used = layer.subvectors(config.rows()).length;
    let slots: Vec<_> = layer.slots.iter().flatten().flat_map(|tiles| tiles.iter().zip(macros)).collect();
    slots.into_par_iter().map(|(slot, tile_macro)| TileSlot::new(config, slot, tile_macro, used)).collect()
}

impl TileSlot {
    fn new(config: &ChipConfig, slot: &Slot, tile_macro: &TileMacro, used: usize) -> Self {
        let lane_item = |(lane, item): (usize, &Option<Item>)| {
            item.map(|item| LaneItem { lane, kernel: item.kernel, plane: item.plane })
        };
        let items: Vec<LaneItem> = slot.items.iter().enumerate().filter_map(lane_item).collect();
        // Layers use the first rows of a crossbar.
        let of_items = |lanes: &[i32]| {
            let rows = |item: &LaneItem| lanes.get(item.lane * config.rows()..).and_then(|rows| rows.get(..used));
            DigitRows::new(&items.iter().filter_map(rows).collect::<Vec<_>>())
        };
        let (weights, variance) = match tile_macro {
            TileMacro::Ideal(ideal) => (of_items(&ideal.lane_rows(&slot.switches)), DigitRows::default()),
            TileMacro::Device(device) => {
                let lanes = device.lane_rows(&slot.switches);
                (of_items(&lanes.weights), of_items(&lanes.variance))
            }
        };
        TileSlot { items, weights, variance }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_add_up_to_the_weight() {
        for weight in (-70_000..70_000).chain([i32::MAX / 4, i32::MIN / 4, -1 << 23, (1 << 23) - 1]) {
            let (digits, count) = digits_of(weight);
            let sum: i64 = digits.iter().enumerate().map(|(d, &digit)| i64::from(digit) << (8 * d)).sum();
            assert_eq!(sum, i64::from(weight));
            assert!(digits[count..].iter().all(|&d| d == 0) && (weight != 0 || count == 0));
        }
        assert_eq!([0, 127, -128, 128, 32_639, 32_640].map(|w| digits_of(w).1), [0, 1, 1, 2, 2, 3]);
    }
}
