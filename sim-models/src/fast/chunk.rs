//! All reads of up to 64 positions: gather, lane sums, ADC, shift-add.

use std::ops::Range;

use basisn_arch::{ChipConfig, LayerProgram};

use super::dots::{CHUNK, Word, best_of_processor, dots, dots_f32};
use super::gather::{Gather, Padded};
use super::rows::{LaneItem, Rows, TileSlot};
use crate::arithmetic::{adc_range, plane_weight};
use crate::rram::cell::FRACTION_BITS;
use crate::rram::lanes::noise;
use crate::rram::noise::normal;
use crate::rram::{DeviceMacro, Read, TileMacro};

/// A position of an input, and where its reads lie among those of its tile.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    /// Number of the input.
    pub image: usize,
    /// Position, row-major in the layer's output.
    pub position: usize,
    inference: u32,
    /// Its first read in the first slot.
    first_read: u32,
    /// Reads from there to its first read in the next slot.
    slot_reads: u32,
}

impl Place {
    /// A position of a core's share, with the order of reads of `docs/hardware.md`: block, subvector, slot, position, plane.
    pub fn new(layer: &LayerProgram, share: &Range<usize>, position: usize, image: usize, inference: u32) -> Self {
        let block_start = (position - share.start) / layer.block_positions * layer.block_positions;
        let block = layer.block_positions.min(share.len() - block_start);
        let before = block_start * layer.slot_count() + (position - share.start - block_start);
        let bits = layer.input_bits;
        Place { image, position, inference, first_read: (before * bits) as u32, slot_reads: (block * bits) as u32 }
    }
}

/// Partial sums of a chunk.
#[derive(Debug)]
pub struct Psums {
    /// Of every kernel, at every place.
    pub of_kernel: Vec<[i32; CHUNK]>,
    /// Codes that the ADC clamped to its lowest, at every place.
    pub saturated_low: [u32; CHUNK],
    /// Codes that the ADC clamped to its highest, at every place.
    pub saturated_high: [u32; CHUNK],
}

/// What all chunks of a layer share.
#[derive(Debug)]
pub struct Chunk<'a> {
    /// The chip.
    pub config: &'a ChipConfig,
    /// The layer.
    pub layer: &'a LayerProgram,
    /// Its number.
    pub index: usize,
    /// Its slots, `[subvector][slot][tile]`.
    pub slots: &'a [TileSlot],
    /// Macros of the tiles.
    pub macros: &'a [TileMacro],
    /// Its im2col.
    pub gather: &'a Gather,
}

/// One input plane of a chunk.
struct Plane<'a> {
    narrow: &'a [[i16; CHUNK]],
    wide: &'a [[i32; CHUNK]],
    plane: usize,
    /// What a code counts.
    weight: i32,
}

impl Chunk<'_> {
    /// Runs all reads of up to [`CHUNK`] places.
    pub fn run(&self, padded: &[Padded], places: &[Place]) -> Psums {
        let mut psums = Psums {
            of_kernel: vec![[0; CHUNK]; self.layer.shape.kernels],
            saturated_low: [0; CHUNK],
            saturated_high: [0; CHUNK],
        };
        run_chunk(self, padded, places, &mut psums);
        psums
    }

    #[inline(always)]
    fn run_subvectors(&self, padded: &[Padded], places: &[Place], psums: &mut Psums) {
        let (layer, tiles) = (self.layer, self.macros.len());
        let is_narrow = |slot: &TileSlot| matches!(slot.rows, Rows::Narrow(_));
        let (any_narrow, any_wide) = (self.slots.iter().any(is_narrow), !self.slots.iter().all(is_narrow));
        let mut values = Vec::new();
        let (mut narrow, mut wide) = (Vec::new(), Vec::new());
        let mut slots_before = 0;
        for (subvector, slots) in layer.slots.iter().enumerate() {
            self.gather.fill(padded, places, subvector, &mut values);
            for plane in 0..layer.input_bits {
                if any_narrow {
                    masks(&values, plane, &mut narrow);
                }
                if any_wide {
                    masks(&values, plane, &mut wide);
                }
                let weight = plane_weight(plane, layer.input_bits, layer.signed);
                let masks = Plane { narrow: &narrow, wide: &wide, plane, weight };
                for slot in slots_before..slots_before + slots.len() {
                    for (tile, tile_slot) in self.slots[slot * tiles..(slot + 1) * tiles].iter().enumerate() {
                        self.read(&masks, places, slot, tile, tile_slot, psums);
                    }
                }
            }
            slots_before += slots.len();
        }
    }

    /// The reads of one plane of one slot of one tile.
    #[inline(always)]
    fn read(&self, plane: &Plane, places: &[Place], slot: usize, tile: usize, tile_slot: &TileSlot, psums: &mut Psums) {
        let (used, gain) = (plane.narrow.len().max(plane.wide.len()), self.layer.gain);
        match &tile_slot.rows {
            Rows::Narrow(rows) => {
                for (items, rows) in tile_slot.items.chunks(2).zip(rows.chunks(used)) {
                    let sums = dots(plane.narrow, rows);
                    for (item, sums) in items.iter().zip(&sums) {
                        let codes = std::array::from_fn(|i| sums[i].shifted(gain));
                        self.add(item, &codes, plane.weight, places.len(), psums);
                    }
                }
            }
            Rows::Wide(rows) => {
                for (item, rows) in tile_slot.items.iter().zip(rows.chunks(used)) {
                    let [sums] = dots(plane.wide, rows);
                    let codes = std::array::from_fn(|i| sums[i].shifted(gain));
                    self.add(item, &codes, plane.weight, places.len(), psums);
                }
            }
            Rows::Device(rows, variance) => {
                let TileMacro::Device(device) = &self.macros[tile] else { return };
                let mut noise = Noise::new(device, self.layer.gain);
                for (i, (item, rows)) in tile_slot.items.iter().zip(rows.chunks(used)).enumerate() {
                    let [mut sums] = dots(plane.wide, rows);
                    if !noise.source.is_none {
                        let variance = variance.get(i * used..(i + 1) * used).map(|v| dots_f32(plane.wide, v));
                        let read = self.read_number(places, slot, plane.plane);
                        noise.add(&mut sums, variance.as_ref(), item.lane, places.len(), read);
                    }
                    let adcs = device.adcs();
                    let codes = if adcs.is_ideal() {
                        std::array::from_fn(|i| sums[i].shifted(FRACTION_BITS + gain))
                    } else {
                        std::array::from_fn(|i| adcs.unlimited(item.lane, sums[i], gain))
                    };
                    self.add(item, &codes, plane.weight, places.len(), psums);
                }
            }
        }
    }

    /// Names the read of a plane in a slot, for every place.
    #[inline(always)]
    fn read_number<'a>(&'a self, places: &'a [Place], slot: usize, plane: usize) -> impl Fn(usize) -> Read + 'a {
        let from_highest = (self.layer.input_bits - 1 - plane) as u32;
        move |i| Read {
            inference: places[i].inference,
            layer: self.index as u32,
            number: places[i].first_read + slot as u32 * places[i].slot_reads + from_highest,
        }
    }

    /// The ADC's clamp, and shift-add into the partial sums.
    #[inline(always)]
    fn add<T: Word>(&self, item: &LaneItem, codes: &[T; CHUNK], weight: i32, used: usize, psums: &mut Psums) {
        let (low, high) = adc_range(self.config.adc_bits());
        let (low, high) = (T::narrow(low), T::narrow(high));
        let mut outside = false;
        for &code in codes {
            outside |= (code < low) | (code > high);
        }
        if outside {
            for (i, &code) in codes.iter().enumerate().take(used) {
                psums.saturated_low[i] += u32::from(code < low);
                psums.saturated_high[i] += u32::from(code > high);
            }
        }
        for (psum, &code) in psums.of_kernel[item.kernel].iter_mut().zip(codes) {
            let code = if code < low { low } else { code };
            let code = if code > high { high } else { code };
            *psum += (code.wide() * weight) << item.plane;
        }
    }
}

/// Read noise of one tile, with the random bits of four lanes at a time.
struct Noise {
    source: crate::rram::crossbar::ReadNoise,
    group: usize,
    bits: [[u32; 4]; CHUNK],
}

impl Noise {
    fn new(device: &DeviceMacro, gain: u32) -> Self {
        Noise { source: device.read_noise(gain), group: usize::MAX, bits: [[0; 4]; CHUNK] }
    }

    #[inline(always)]
    fn add(
        &mut self,
        sums: &mut [i32; CHUNK],
        variance: Option<&[f32; CHUNK]>,
        lane: usize,
        used: usize,
        read: impl Fn(usize) -> Read,
    ) {
        if self.group != lane / 4 {
            self.group = lane / 4;
            for (i, bits) in self.bits.iter_mut().enumerate().take(used) {
                *bits = self.source.four(self.group, read(i));
            }
        }
        for (i, sum) in sums.iter_mut().enumerate().take(used) {
            let cells = variance.map_or(0.0, |v| v[i]);
            *sum += noise(self.source.variance(cells), normal(self.bits[i][lane % 4]));
        }
    }
}

#[inline(always)]
fn masks<T: Word>(values: &[[i16; CHUNK]], plane: usize, masks: &mut Vec<[T; CHUNK]>) {
    masks.clear();
    masks.extend(values.iter().map(|row| std::array::from_fn(|i| T::mask(row[i], plane))));
}

#[inline(always)]
fn run_subvectors(chunk: &Chunk, padded: &[Padded], places: &[Place], psums: &mut Psums) {
    chunk.run_subvectors(padded, places, psums);
}

best_of_processor!(run_chunk(chunk: &Chunk, padded: &[Padded], places: &[Place], psums: &mut Psums) run_subvectors);
