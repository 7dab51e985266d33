//! All reads of up to 64 positions: gather, lane sums, ADC, shift-add.

use basisn_arch::{ChipConfig, LayerProgram};

use super::dots::{CHUNK, Dots, Rows4};
use super::gather::{Gather, Padded};
use super::order::Order;
use super::rows::{LaneItem, TileSlot};
use crate::arithmetic::{adc_range, adc_unlimited, plane_weight};
use crate::rram::cell::FRACTION_BITS;
use crate::rram::lanes::noise;
use crate::rram::noise::normal;
use crate::rram::{DeviceMacro, Read, TileMacro};

/// A position of an input.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    /// Number of the input.
    pub image: usize,
    /// Position, row-major in the layer's output.
    pub position: usize,
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
    /// The reads of every input, or those of all.
    pub orders: &'a [Order],
    /// The inference of the first input.
    pub first: u32,
    /// The inner loop.
    pub dots: Dots,
}

/// What is reused from read to read.
#[derive(Default)]
struct Scratch {
    /// Values of a subvector, four rows together.
    values: Vec<Rows4>,
    /// One plane of them.
    bits: Vec<Rows4>,
    sums: Vec<[i32; CHUNK]>,
    variances: Vec<[i32; CHUNK]>,
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
        let (layer, tiles) = (self.layer, self.layer.tiles);
        let mut scratch = Scratch::default();
        let mut first_slot = 0;
        for (subvector, slots) in layer.slots.iter().enumerate() {
            self.gather.fill(padded, places, subvector, &mut scratch.values);
            for plane in 0..layer.input_bits {
                scratch.bits.clear();
                scratch.bits.extend(scratch.values.iter().map(|rows| rows.map(|value| value >> plane & 1)));
                for slot in 0..slots.len() {
                    let from = (first_slot + slot) * tiles;
                    for (tile_macro, tile_slot) in self.macros.iter().zip(&self.slots[from..from + tiles]) {
                        self.read(places, [subvector, slot, plane], (tile_macro, tile_slot), &mut scratch, psums);
                    }
                }
            }
            first_slot += slots.len();
        }
    }

    /// The reads of one plane of one slot of one tile.
    #[inline(always)]
    fn read(
        &self,
        places: &[Place],
        [subvector, slot, plane]: [usize; 3],
        (tile_macro, tile_slot): (&TileMacro, &TileSlot),
        scratch: &mut Scratch,
        psums: &mut Psums,
    ) {
        let gain = self.layer.gain;
        let weight = plane_weight(plane, self.layer.input_bits, self.layer.signed);
        tile_slot.weights.dots(self.dots, &scratch.bits, &mut scratch.sums);
        let device = match tile_macro {
            TileMacro::Ideal(_) => {
                for (item, sums) in tile_slot.items.iter().zip(&scratch.sums) {
                    self.add(item, &sums.map(|sum| adc_unlimited(sum, gain)), weight, places.len(), psums);
                }
                return;
            }
            TileMacro::Device(device) => device,
        };
        let mut noise = Noise::new(device, gain);
        if !noise.source.is_none {
            tile_slot.variance.dots(self.dots, &scratch.bits, &mut scratch.variances);
        }
        let adcs = device.adcs();
        for (i, (item, sums)) in tile_slot.items.iter().zip(&mut scratch.sums).enumerate() {
            if !noise.source.is_none {
                let read = |i: usize| {
                    let number = self.order(places[i]).at(places[i].position, subvector).number(slot, plane);
                    let inference = self.first.wrapping_add(places[i].image as u32);
                    Read { inference, layer: self.index as u32, number }
                };
                noise.add(sums, scratch.variances.get(i), item.lane, places.len(), read);
            }
            let mut codes = if adcs.is_ideal() {
                sums.map(|sum| adc_unlimited(sum, FRACTION_BITS + gain))
            } else {
                sums.map(|sum| adcs.unlimited(item.lane, sum, gain))
            };
            if self.config.skips_zero_planes() {
                // What is not read has no offset either.
                for (code, place) in codes.iter_mut().zip(places) {
                    *code *= i32::from(self.order(*place).at(place.position, subvector).has(plane));
                }
            }
            self.add(item, &codes, weight, places.len(), psums);
        }
    }

    /// The reads of a place's input.
    #[inline(always)]
    fn order(&self, place: Place) -> &Order {
        &self.orders[place.image % self.orders.len()]
    }

    /// The ADC's clamp, and shift-add into the partial sums.
    #[inline(always)]
    fn add(&self, item: &LaneItem, codes: &[i32; CHUNK], weight: i32, used: usize, psums: &mut Psums) {
        let (low, high) = adc_range(self.config.adc_bits());
        let outside = codes.iter().fold(false, |any, &code| any | (code < low) | (code > high));
        if outside {
            for (i, &code) in codes.iter().enumerate().take(used) {
                psums.saturated_low[i] += u32::from(code < low);
                psums.saturated_high[i] += u32::from(code > high);
            }
        }
        for (psum, &code) in psums.of_kernel[item.kernel].iter_mut().zip(codes) {
            *psum += (code.clamp(low, high) * weight) << item.plane;
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
        variance: Option<&[i32; CHUNK]>,
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
            let cells = variance.map_or(0, |v| v[i]);
            *sum += noise(self.source.variance(cells), normal(self.bits[i][lane % 4]));
        }
    }
}

/// Compiles [`Chunk::run_subvectors`] for the vector units of this processor too, and calls the best.
fn run_chunk(chunk: &Chunk, padded: &[Padded], places: &[Place], psums: &mut Psums) {
    #[cfg(target_arch = "x86_64")]
    {
        #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq")]
        fn avx512(chunk: &Chunk, padded: &[Padded], places: &[Place], psums: &mut Psums) {
            chunk.run_subvectors(padded, places, psums);
        }
        #[target_feature(enable = "avx2")]
        fn avx2(chunk: &Chunk, padded: &[Padded], places: &[Place], psums: &mut Psums) {
            chunk.run_subvectors(padded, places, psums);
        }
        let has = std::arch::is_x86_feature_detected!("avx512bw")
            && std::arch::is_x86_feature_detected!("avx512vl")
            && std::arch::is_x86_feature_detected!("avx512dq");
        if has {
            // SAFETY: this processor has these instructions.
            return unsafe { avx512(chunk, padded, places, psums) };
        }
        if std::arch::is_x86_feature_detected!("avx2") {
            // SAFETY: this processor has these instructions.
            return unsafe { avx2(chunk, padded, places, psums) };
        }
    }
    chunk.run_subvectors(padded, places, psums);
}
