//! Which input planes are read at every position, and the numbers of these reads in the order of work of `docs/hardware.md`:
//! block, subvector, slot, position, plane.

use basisn_arch::{ChipConfig, LayerProgram};

/// The reads of all positions of an image.
#[derive(Debug)]
pub struct Order {
    subvectors: usize,
    /// `[position][subvector]`
    reads: Vec<Reads>,
}

/// The reads of a position in the slots of a subvector.
#[derive(Clone, Copy, Debug, Default)]
pub struct Reads {
    /// The planes that are read, plane i in bit i.
    planes: u8,
    /// Number of the first of them in the subvector's first slot.
    first: u32,
    /// From there to the next slot.
    slot_reads: u32,
}

impl Order {
    /// Of a layer whose `planes_of(position, subvector)` are read.
    pub fn new(config: &ChipConfig, layer: &LayerProgram, planes_of: impl Fn(usize, usize) -> u8) -> Self {
        let (positions, subvectors) = (layer.shape.positions(), layer.slots.len());
        let mut reads = vec![Reads::default(); positions * subvectors];
        for share in config.shares(positions) {
            let mut number = 0u32;
            for start in share.clone().step_by(layer.block_positions) {
                let block = start..share.end.min(start + layer.block_positions);
                for (subvector, slots) in layer.slots.iter().enumerate() {
                    let mut slot_reads = 0;
                    for position in block.clone() {
                        let planes = planes_of(position, subvector);
                        let first = number.wrapping_add(slot_reads);
                        reads[position * subvectors + subvector] = Reads { planes, first, slot_reads: 0 };
                        slot_reads += planes.count_ones();
                    }
                    for position in block.clone() {
                        reads[position * subvectors + subvector].slot_reads = slot_reads;
                    }
                    number = number.wrapping_add(slot_reads.wrapping_mul(slots.len() as u32));
                }
            }
        }
        Order { subvectors, reads }
    }

    /// The reads of a position in the slots of a subvector.
    pub fn at(&self, position: usize, subvector: usize) -> Reads {
        self.reads[position * self.subvectors + subvector]
    }

    /// Reads of a slot of each subvector, all positions together.
    pub fn of_subvectors(&self) -> Vec<u64> {
        let of = |subvector| self.reads.iter().skip(subvector).step_by(self.subvectors);
        (0..self.subvectors).map(|s| of(s).map(|reads| u64::from(reads.planes.count_ones())).sum()).collect()
    }
}

impl Reads {
    /// Whether a plane is read.
    pub fn has(&self, plane: usize) -> bool {
        self.planes >> plane & 1 == 1
    }

    /// Number of the read of a plane in a slot of the subvector.
    pub fn number(&self, slot: usize, plane: usize) -> u32 {
        let higher = (self.planes >> plane >> 1).count_ones();
        self.first.wrapping_add((slot as u32).wrapping_mul(self.slot_reads)).wrapping_add(higher)
    }
}
