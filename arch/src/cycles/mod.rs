//! The cycle model: what the counters of a core hold after a layer whose host never makes it wait.
//!
//! Streams offer a beat in every cycle from the first busy one on, and every result is taken at once. Then the counters
//! follow exactly from a few times for every slot; cycle 0 is the first in which the core is busy:
//!
//! - A slot's first read is issued when every tile has its slot word, the bank of its activations is full, and the slot
//!   before has handed over its items. Its other reads follow one a cycle, or one an interval of the macro.
//! - A slot word loads from the cycle after the word before was taken, `tiles * beats` cycles.
//! - A bank loads when the one before it is full and the last read from this bank has been issued,
//!   `positions * beats` cycles.
//! - A block drains from `read_latency + 4` cycles after its last read, the psums of W kernels at a position a cycle.
//! - The last read of a block waits until the block before has drained.
//! - A result leaves the core 12 cycles after its psum was read.
//!
//! The time is in proportion to the slots of a few blocks, whatever the positions: once two blocks in a row leave the
//! core in the same state, all full blocks are alike.

mod core;
mod drain;
mod pipeline;

use self::core::Core;
use crate::{ChipConfig, LayerProgram};

/// What decides how long one core takes for its share of a layer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LayerWork {
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
    /// Kernels, at least 1.
    pub kernels: usize,
}

/// The counters of a core, see `docs/hardware.md`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LayerCounts {
    /// Cycles from start to the last result.
    pub cycles: u64,
    /// Reads that every macro made.
    pub reads: u64,
    /// Cycles without a read because a slot was not loaded.
    pub wait_slots: u64,
    /// Cycles without a read because activations were not loaded.
    pub wait_activations: u64,
    /// Cycles without a read because results had to leave first.
    pub wait_results: u64,
    /// Cycles without a read because a macro was not ready.
    pub wait_macro: u64,
    /// Slots that every tile ran.
    pub slots: u64,
}

impl LayerWork {
    /// The work of a core that gets `positions` of a layer's positions.
    pub fn new(config: &ChipConfig, layer: &LayerProgram, positions: usize) -> Self {
        LayerWork {
            positions,
            block_positions: layer.block_positions,
            slots: layer.slots.iter().map(Vec::len).collect(),
            rows_used: layer.subvectors(config.rows()).length,
            planes: layer.input_bits,
            kernels: layer.shape.kernels,
        }
    }

    /// The counters after this work.
    pub fn counts(&self, config: &ChipConfig) -> LayerCounts {
        if self.positions == 0 {
            return LayerCounts::default();
        }
        let mut core = Core::new(config, self);
        let full_blocks = (self.positions - 1) / self.block_positions;
        let mut before: Option<([i64; 8], Core)> = None;
        for block in 1..=full_blocks {
            core.block(self.block_positions);
            let state = core.state();
            match before {
                Some((same, before)) if same == state => {
                    core.repeat((full_blocks - block) as u64, &before);
                    break;
                }
                _ => before = Some((state, core.clone())),
            }
        }
        core.block(self.positions - full_blocks * self.block_positions);
        core.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn work(positions: usize, block_positions: usize, slots: &[usize]) -> LayerWork {
        LayerWork { positions, block_positions, slots: slots.to_vec(), rows_used: 16, planes: 8, kernels: 3 }
    }

    #[test]
    fn one_slot_at_one_position_adds_up() {
        // tiny: the slot word and the activations take 4 beats each, so the 8 reads are issued in cycles 4..12 and transfer
        // two later; with latency 2 the drain reads in 19..22, and the last result leaves in cycle 33.
        let counts = work(1, 1, &[1]).counts(&ChipConfig::load("tiny").unwrap());
        let expected = LayerCounts {
            cycles: 34,
            reads: 8,
            wait_slots: 4,
            wait_results: 34 - 12,
            slots: 1,
            ..LayerCounts::default()
        };
        assert_eq!(counts, expected);
    }

    #[test]
    fn blocks_that_repeat_cost_no_time_and_change_nothing() {
        let chip = ChipConfig::load("tiny").unwrap();
        let [few, more, most] = [100, 101, 1_000_001].map(|blocks| work(4 * blocks, 4, &[3, 2]).counts(&chip));
        assert_eq!(most.cycles, few.cycles + (1_000_001 - 100) * (more.cycles - few.cycles));
        assert_eq!(most.reads, 1_000_001 * 4 * 8 * 5);
    }

    #[test]
    fn no_positions_take_no_time() {
        assert_eq!(work(0, 1, &[1]).counts(&ChipConfig::load("tiny").unwrap()), LayerCounts::default());
    }
}
