//! What a host sends to a core to run one layer: register writes and the beats of the streams, in the order of `docs/hardware.md`.
//! Pure data, so that every simulator gets the same.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use basisn_arch::registers as reg;
use basisn_arch::{ChipConfig, ItemWord, LayerProgram, Slot};

/// One layer on one core.
#[derive(Clone, Debug)]
pub struct LayerStimulus {
    /// Register writes, in order; the last one starts the layer.
    pub registers: Vec<(u32, u32)>,
    /// Writes that come while the layer runs: from which busy cycle on, address, value.
    pub during: Vec<(u64, u32, u32)>,
    /// Activation beats, `activation_stream_bytes` bytes each.
    pub activations: Vec<u8>,
    /// Slot beats that carry `tlast`.
    pub slot_tlast: BTreeSet<usize>,
    /// Activation beats that carry `tlast`.
    pub activation_tlast: BTreeSet<usize>,
    /// Slot beats that are not what the layer says.
    changed_slots: BTreeMap<usize, Vec<u32>>,
    /// Slot beats of a block with an even and with an odd number, as 32-bit pieces.
    block_slots: [Vec<u32>; 2],
    /// 32-bit pieces of a slot beat.
    pieces: usize,
    blocks: usize,
    positions: Range<usize>,
    block_positions: usize,
    /// Tiles in use, and room for results in a beat.
    tiles: usize,
    width: usize,
    /// Kernel at every place of the drain order, if it has one.
    kernel_at: Vec<Option<usize>>,
    /// What the core gives at a place without a kernel: there m and b are 0.
    vacant: i64,
}

impl LayerStimulus {
    /// Prepares `positions` (not empty) of a layer. `patches` holds the im2col patch of every position of the layer, D integers each.
    pub fn new(config: &ChipConfig, layer: &LayerProgram, patches: &[i32], positions: Range<usize>) -> Self {
        let block_positions = layer.block_positions.min(positions.len());
        let mut kernel_at = vec![None; layer.places()];
        for (kernel, &q) in layer.home.iter().enumerate() {
            kernel_at[q as usize] = Some(kernel);
        }
        let r = &layer.requantize;
        let blocks = positions.len().div_ceil(block_positions);
        let activations = activations(config, layer, patches, positions.clone(), block_positions);
        let block_slots = [0, 1].map(|half| slot_words(config, layer, half, block_positions));
        let pieces = config.slot_stream_bits() / 32;
        LayerStimulus {
            registers: registers(config, layer, positions.len(), block_positions, &kernel_at),
            during: Vec::new(),
            slot_tlast: [blocks * block_slots[0].len() / pieces - 1].into(),
            activation_tlast: [activations.len() / config.activation_stream_bytes() - 1].into(),
            changed_slots: BTreeMap::new(),
            activations,
            block_slots,
            pieces,
            blocks,
            positions,
            block_positions,
            tiles: layer.tiles,
            width: config.drain_width(),
            kernel_at,
            vacant: if r.raw { 0 } else { i64::from(0.clamp(r.low, r.high)) },
        }
    }

    /// Slot beats of the whole layer.
    pub fn slot_beats(&self) -> usize {
        self.blocks * self.block_slots[0].len() / self.pieces
    }

    /// Slot beat `i`, lowest 32 bits first.
    pub fn slot_beat(&self, i: usize) -> &[u32] {
        if let Some(changed) = self.changed_slots.get(&i) {
            return changed;
        }
        let per_block = self.block_slots[0].len() / self.pieces;
        let from = i % per_block * self.pieces;
        &self.block_slots[i / per_block % 2][from..from + self.pieces]
    }

    /// Sets a bit of the slot stream, counted from the lowest bit of beat 0.
    pub fn set_slot_bit(&mut self, bit: usize, value: bool) {
        let beat = bit / (32 * self.pieces);
        let mut words = self.slot_beat(beat).to_vec();
        let (word, bit) = (bit / 32 % self.pieces, bit % 32);
        words[word] = words[word] & !(1 << bit) | u32::from(value) << bit;
        self.changed_slots.insert(beat, words);
    }

    /// Results that the core will give.
    pub fn results(&self) -> usize {
        self.positions.len() * self.kernel_at.len()
    }

    /// Kernel and position (of the layer, not of this core) of result `i` in the order of the result stream; none if it is of a place without
    /// a kernel, and to be dropped.
    pub fn result_place(&self, i: usize) -> Option<(usize, usize)> {
        let kernels = self.kernel_at.len();
        let block = i / (self.block_positions * kernels);
        let start = block * self.block_positions;
        let length = self.block_positions.min(self.positions.len() - start);
        let inside = i - start * kernels;
        // Kernels that share the beats; the last ones of all tiles, or of the layer, may be fewer.
        let row = inside / (self.tiles * length) * self.tiles;
        let group = (inside - row * length) / (self.width * length) * self.width;
        let first = row + group;
        let together = self.width.min(self.tiles - group).min(kernels - first);
        let inside = inside - first * length;
        let kernel = self.kernel_at[first + inside % together]?;
        Some((kernel, self.positions.start + start + inside / together))
    }

    /// What the core gives, in the order of the result stream, of a layer's results `[kernel][position]` at `positions` positions.
    pub fn in_stream_order(&self, values: &[i64], positions: usize) -> Vec<i64> {
        let value = |(kernel, position): (usize, usize)| values[kernel * positions + position];
        (0..self.results()).map(|i| self.result_place(i).map_or(self.vacant, value)).collect()
    }
}

fn registers(
    config: &ChipConfig,
    layer: &LayerProgram,
    positions: usize,
    block_positions: usize,
    kernel_at: &[Option<usize>],
) -> Vec<(u32, u32)> {
    let cut = layer.subvectors(config.rows());
    let r = &layer.requantize;
    let signed = if layer.signed { reg::INPUT_SIGNED } else { 0 };
    let raw = if r.raw { reg::REQUANTIZE_RAW } else { 0 };
    let mut writes = vec![
        (reg::POSITIONS, positions as u32),
        (reg::BLOCK_POSITIONS, block_positions as u32),
        (reg::SUBVECTORS, cut.count as u32),
        (reg::ROWS_USED, cut.length as u32),
        (reg::INPUT, layer.input_bits as u32 | signed),
        (reg::GAIN, layer.gain),
        (reg::KERNELS, kernel_at.len() as u32),
        (reg::TILES, layer.tiles as u32),
        (reg::REQUANTIZE, r.shift | raw),
        (reg::CLAMP_LOW, r.low.cast_unsigned()),
        (reg::CLAMP_HIGH, r.high.cast_unsigned()),
        (reg::PARAMETER_ADDRESS, 0),
    ];
    let mut parameters = Vec::new();
    for (q, kernel) in kernel_at.iter().enumerate() {
        // Beats with fewer results than W leave gaps.
        parameters.resize(config.parameter_place(layer.tiles, q), None);
        parameters.push(*kernel);
    }
    for kernel in parameters {
        let (offset, multiplier) = kernel.map_or((0, 0), |kernel| (r.offset[kernel], r.multiplier[kernel]));
        let offset = offset.cast_unsigned();
        let high = (offset >> 32) as u32 & 0xffff | u32::from(multiplier.cast_unsigned()) << 16;
        writes.push((reg::PARAMETER_LOW, offset as u32));
        writes.push((reg::PARAMETER_HIGH, high));
    }
    writes.push((reg::CONTROL, 1));
    writes
}

fn activations(
    config: &ChipConfig,
    layer: &LayerProgram,
    patches: &[i32],
    positions: Range<usize>,
    block_positions: usize,
) -> Vec<u8> {
    let depth = layer.shape.depth();
    let cut = layer.subvectors(config.rows());
    let beat = config.activation_stream_bytes();
    let mut bytes = Vec::with_capacity(positions.len() * cut.count * cut.length.next_multiple_of(beat));
    for start in positions.clone().step_by(block_positions) {
        for s in 0..cut.count {
            for position in start..(start + block_positions).min(positions.end) {
                let patch = &patches[position * depth..(position + 1) * depth];
                let rows = (s * cut.length).min(depth)..((s + 1) * cut.length).min(depth);
                let start = bytes.len();
                bytes.extend(patch[rows].iter().map(|&x| x as u8));
                bytes.resize(start + cut.length, 0);
                // The core must mask what lies beyond the rows used; zeros would hide it if it did not.
                bytes.resize(start + cut.length.next_multiple_of(beat), 0xff);
            }
        }
    }
    bytes
}

fn slot_words(config: &ChipConfig, layer: &LayerProgram, half: usize, block_positions: usize) -> Vec<u32> {
    let layout = config.slot_word();
    let (tiles, lanes) = (layer.tiles, config.lanes());
    let place = |q: usize| {
        let row = q / (tiles * lanes);
        (q / tiles % lanes, half * config.psum_words() / 2 + row * block_positions)
    };
    // A checked layer has a slot for every one.
    let vacancies = layer.vacancies(config).unwrap_or_default();
    let mut written = vec![false; layer.home.len()];
    let mut words = Vec::new();
    for (s, subvector) in layer.slots.iter().enumerate() {
        for (i, slots) in subvector.iter().enumerate() {
            for (tile, slot) in slots.iter().enumerate() {
                let mut items = item_words(slot, &mut written, |kernel| place(layer.home[kernel] as usize));
                for v in vacancies.iter().filter(|v| v.slot == [s, i] && v.place % tiles == tile) {
                    let (lane, base) = place(v.place);
                    items[lane] = Some(ItemWord { merge: false, first: true, plane: 0, base });
                }
                words.extend(layout.pack(i + 1 == subvector.len(), &items, &slot.switches));
            }
        }
    }
    words
}

/// `home` gives a kernel's lane and psum base; `written` remembers which kernels have been written in this block.
fn item_words(slot: &Slot, written: &mut [bool], home: impl Fn(usize) -> (usize, usize)) -> Vec<Option<ItemWord>> {
    let word = |(lane, item): (usize, &Option<basisn_arch::Item>)| {
        item.map(|item| {
            let (home_lane, base) = home(item.kernel);
            ItemWord { merge: lane != home_lane, first: !written[item.kernel], plane: item.plane, base }
        })
    };
    let words = slot.items.iter().enumerate().map(word).collect();
    for item in slot.items.iter().flatten() {
        written[item.kernel] = true;
    }
    words
}
