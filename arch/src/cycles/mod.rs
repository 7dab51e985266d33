//! The cycle model: what the counters of a core hold after a layer whose host never makes it wait.
//!
//! Streams offer a beat in every cycle from the first busy one on, and every result is taken at once. Then the counters
//! follow exactly from a few times for every slot; cycle 0 is the first in which the core is busy, and in cycle 1 it begins:
//!
//! - A slot's first read is issued when every tile has its slot word, the bank of its activations is full, and the slot
//!   before has handed over its items. Its other reads follow one a cycle, or one an interval of the macro.
//! - A slot loads from the cycle after the one before was taken, a word for each of the tiles in use: `tiles * beats` cycles.
//! - A bank loads when the one before it is full and the last read from this bank has been issued,
//!   `positions * beats` cycles.
//! - A block drains from `read_latency + 2` cycles after its last read, or when the block before has drained; the psums of
//!   up to W tiles at a position a cycle.
//! - The first read of a block that changes psums, that of the lowest plane at its first position, goes to the macros once the
//!   block two before has drained.
//! - A result leaves the core 15 cycles after the drain chose its psum.
//!
//! Where zero planes are skipped, cycles depend on the activations: [`LayerWork::counters_of`] takes how many planes of every
//! position and subvector are read, and a bank is used one cycle later.
//!
//! The time is in proportion to the slots of a few blocks, whatever the positions: once two blocks in a row leave the
//! core in the same state, all full blocks are alike. Not so where zero planes are skipped: then every block counts.

mod core;
mod counters;
mod pipeline;

use self::core::Core;
pub use self::counters::Counters;
use crate::{ChipConfig, LayerProgram};

/// What decides how long one core takes for its share of a layer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LayerWork {
    /// Tiles in use, 1..N.
    pub tiles: usize,
    /// Positions of the core's share; none gives all counters 0.
    pub positions: usize,
    /// Positions of a full block, at least 1.
    pub block_positions: usize,
    /// Slots of every subvector, at least 1 each.
    pub slots: Vec<usize>,
    /// Rows used.
    pub rows_used: usize,
    /// Input planes, at least 1.
    pub planes: usize,
    /// Kernels, at least 1; with the places that have none, see [`LayerProgram::places`].
    pub kernels: usize,
}

impl LayerWork {
    /// The work of a core that gets `positions` of a layer's positions.
    pub fn new(config: &ChipConfig, layer: &LayerProgram, positions: usize) -> Self {
        LayerWork {
            tiles: layer.tiles,
            positions,
            block_positions: layer.block_positions,
            slots: layer.slots.iter().map(Vec::len).collect(),
            rows_used: layer.subvectors(config.rows()).length,
            planes: layer.input_bits,
            kernels: layer.places(),
        }
    }

    /// The counters after this work, if every input plane is read.
    pub fn counters(&self, config: &ChipConfig) -> Counters {
        if self.positions == 0 {
            return Counters::default();
        }
        let mut core = Core::new(config, self);
        let reads = |positions: usize| move |_| (positions * self.planes) as u64;
        let full_blocks = (self.positions - 1) / self.block_positions;
        let mut before: Option<([i64; 10], Core)> = None;
        for block in 1..=full_blocks {
            core.block(self.block_positions, self.planes as u64, reads(self.block_positions));
            let state = core.state();
            match before {
                Some((same, before)) if same == state => {
                    core.repeat((full_blocks - block) as u64, &before);
                    break;
                }
                _ => before = Some((state, core.clone())),
            }
        }
        let rest = self.positions - full_blocks * self.block_positions;
        core.block(rest, self.planes as u64, reads(rest));
        core.finish()
    }

    /// The counters after this work, of which `planes_read[position * S + subvector]` planes are read, see [`planes_read`];
    /// as [`LayerWork::counters`] on a chip that doesn't skip zero planes.
    pub fn counters_of(&self, config: &ChipConfig, planes_read: &[u8]) -> Counters {
        if !config.skips_zero_planes() || self.positions == 0 {
            return self.counters(config);
        }
        let mut core = Core::new(config, self);
        let subvectors = self.slots.len();
        for block in planes_read.chunks(self.block_positions * subvectors) {
            let of_subvector = |subvector| block.iter().skip(subvector).step_by(subvectors);
            let reads = |subvector| of_subvector(subvector).map(|&n| u64::from(n)).sum();
            core.block(block.len() / subvectors, u64::from(block[0]), reads);
        }
        core.finish()
    }
}

/// How many input planes of a position and subvector are read where zero planes are skipped: those in which any of its
/// `values` has a one, but at least one, as its psums are written in any case.
pub fn planes_read(values: impl IntoIterator<Item = i32>, planes: usize) -> u8 {
    nonzero_planes(values, planes).count_ones() as u8
}

/// The input planes that are read where zero planes are skipped, plane i in bit i: the lowest if all are zero.
pub fn nonzero_planes(values: impl IntoIterator<Item = i32>, planes: usize) -> u8 {
    let ones = values.into_iter().fold(0, |ones, value| ones | value as u32) & ((1 << planes) - 1);
    ones.max(1) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    fn work(positions: usize, block_positions: usize, slots: &[usize]) -> LayerWork {
        LayerWork { tiles: 1, positions, block_positions, slots: slots.to_vec(), rows_used: 16, planes: 8, kernels: 3 }
    }

    #[test]
    fn one_slot_at_one_position_adds_up() {
        // tiny: the slot word and the activations take 4 beats each, these from cycle 1 on, so the 8 reads are issued in cycles
        // 5..13 and transfer two later; with latency 2 the drain chooses in 18..21, and the last result leaves in cycle 35.
        let counts = work(1, 1, &[1]).counters(&ChipConfig::load("tiny").unwrap());
        let expected = Counters {
            cycles: 36,
            reads: 8,
            wait_slots: 3,
            wait_activations: 1,
            wait_results: 36 - 13,
            slots: 1,
            ..Counters::default()
        };
        assert_eq!(counts, expected);
    }

    #[test]
    fn blocks_that_repeat_cost_no_time_and_change_nothing() {
        let chip = ChipConfig::load("tiny").unwrap();
        let [few, more, most] = [100, 101, 1_000_001].map(|blocks| work(4 * blocks, 4, &[3, 2]).counters(&chip));
        assert_eq!(most.cycles, few.cycles + (1_000_001 - 100) * (more.cycles - few.cycles));
        assert_eq!(most.reads, 1_000_001 * 4 * 8 * 5);
    }

    #[test]
    fn skipped_planes_are_no_reads() {
        let chip = ChipConfig::load("tiny").unwrap();
        let skipping = chip.with("core.skip_zero_planes", 1).unwrap();
        let (work, all, half) = (work(12, 4, &[3, 2]), [8; 24], [4; 24]);
        let plain = work.counters(&chip);
        assert_eq!(work.counters_of(&chip, &half), plain);
        let every = work.counters_of(&skipping, &all);
        assert_eq!(every, work.counters(&skipping));
        assert_eq!((every.reads, every.skipped_planes), (plain.reads, 0));
        assert_eq!(every.cycles, plain.cycles + 1);
        let fewer = work.counters_of(&skipping, &half);
        assert_eq!((fewer.reads, fewer.skipped_planes), (plain.reads / 2, plain.reads / 2));
        assert!(fewer.cycles < plain.cycles);
    }

    #[test]
    fn planes_without_ones_are_not_read() {
        assert_eq!(planes_read([0, 0], 8), 1);
        assert_eq!(planes_read([0b1000, 0b0010], 8), 2);
        assert_eq!(nonzero_planes([0b1000, 0b0010], 8), 0b1010);
        assert_eq!(planes_read([-1], 5), 5);
        assert_eq!(nonzero_planes([-8, 0], 4), 0b1000);
    }

    #[test]
    fn no_positions_take_no_time() {
        assert_eq!(work(0, 1, &[1]).counters(&ChipConfig::load("tiny").unwrap()), Counters::default());
    }
}
