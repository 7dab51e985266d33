//! What real activations look like at the wordlines: how many bits are on, and how many planes have none.

use basisn_arch::{ChipConfig, LayerProgram};

use crate::im2col::{Patches, wordlines};

/// The input planes of a layer, one for every subvector, position and input bit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Signal {
    /// Planes.
    pub planes: u64,
    /// Planes without a bit that is 1.
    pub zero_planes: u64,
    /// Bits of all planes.
    pub bits: u64,
    /// Bits that are 1.
    pub ones: u64,
    /// Reads of a crossbar that are spared where zero planes are skipped; one plane of a subvector is read in any case.
    pub spared_reads: u64,
    /// Wordlines that are on, of all reads of a crossbar: each plane is read once for every slot of its subvector.
    pub wordlines: u64,
}

impl Signal {
    /// Of a layer's input, `[channel][row][column]`.
    pub fn of_layer(config: &ChipConfig, layer: &LayerProgram, input: &[i32]) -> Self {
        let cut = layer.subvectors(config.rows());
        let patches = Patches::new(&layer.shape, cut, input);
        let mut sum = Signal::default();
        for position in 0..patches.positions() {
            for subvector in 0..cut.count {
                let mut zero = 0;
                let slots = layer.slots.get(subvector).map_or(0, Vec::len) as u64;
                for plane in 0..layer.input_bits {
                    let words = wordlines(patches.subvector(position, subvector), plane);
                    let on = words.iter().map(|w| u64::from(w.count_ones())).sum::<u64>();
                    sum.planes += 1;
                    zero += u64::from(on == 0);
                    sum.bits += cut.length as u64;
                    sum.ones += on;
                    sum.wordlines += on * slots;
                }
                sum.zero_planes += zero;
                sum.spared_reads += slots * zero.min(layer.input_bits as u64 - 1);
            }
        }
        sum
    }

    /// Two layers, or two inputs.
    pub fn and(&self, other: &Signal) -> Signal {
        Signal {
            planes: self.planes + other.planes,
            zero_planes: self.zero_planes + other.zero_planes,
            bits: self.bits + other.bits,
            ones: self.ones + other.ones,
            spared_reads: self.spared_reads + other.spared_reads,
            wordlines: self.wordlines + other.wordlines,
        }
    }

    /// Share of the bits that are 1.
    pub fn ones_share(&self) -> f64 {
        self.ones as f64 / self.bits.max(1) as f64
    }

    /// Share of the planes that are all zero.
    pub fn zero_planes_share(&self) -> f64 {
        self.zero_planes as f64 / self.planes.max(1) as f64
    }
}
