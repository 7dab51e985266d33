//! A core from slot to slot and block to block.

use super::drain::Drain;
use super::pipeline::Pipeline;
use super::{LayerCounts, LayerWork};
use crate::ChipConfig;

/// Cycles from a read of a psum to the transfer of its result.
const RESULT_LATENCY: u64 = 12;

/// A core in the middle of a layer.
#[derive(Clone, Debug)]
pub(super) struct Core<'a> {
    work: &'a LayerWork,
    read_latency: u64,
    /// Reads of psums for the results of one position.
    drain_reads: u64,
    /// Cycles that a slot word of all tiles takes on its stream, and the rows of one position on theirs.
    slot_beats: u64,
    position_beats: u64,
    pipeline: Pipeline,
    /// The cycle from which the next slot is loaded in all tiles.
    loaded_at: u64,
    /// The cycle from which the items of the slot before are out of the next one's way.
    handed_over_at: u64,
    /// The cycle from which the bank in turn is full.
    full_at: u64,
    /// The cycles from which the bank to load next, and the one after it, are empty.
    empty_at: [u64; 2],
    drain: Drain,
    /// The slot before had a single read.
    single_read: bool,
    counts: LayerCounts,
}

impl<'a> Core<'a> {
    /// A core at the start of a layer.
    pub fn new(config: &ChipConfig, work: &'a LayerWork) -> Self {
        let slot_beats = (config.tiles() * config.slot_word().beats()) as u64;
        let interval = config.read_interval_cycles() as u64;
        Core {
            work,
            read_latency: config.read_latency_cycles() as u64,
            drain_reads: work.kernels.div_ceil(config.drain_width()) as u64,
            slot_beats,
            position_beats: work.rows_used.div_ceil(config.activation_stream_bytes()) as u64,
            pipeline: Pipeline::new(interval),
            loaded_at: slot_beats,
            handed_over_at: 0,
            full_at: 0,
            empty_at: [0; 2],
            drain: Drain::default(),
            single_read: false,
            counts: LayerCounts::default(),
        }
    }

    /// All slots of a block.
    pub fn block(&mut self, positions: usize) {
        let (positions, subvectors) = (positions as u64, self.work.slots.len());
        for (subvector, &slots) in self.work.slots.iter().enumerate() {
            self.full_at = self.full_at.max(self.empty_at[0]) + positions * self.position_beats;
            let last_subvector = subvector + 1 == subvectors;
            let mut last_issue = self.pipeline.now;
            for slot in 0..slots {
                if self.single_read {
                    self.word_still_there(slot == 0 && last_subvector);
                }
                last_issue = self.slot(positions, last_subvector && slot + 1 == slots);
            }
            self.empty_at = [self.empty_at[1], last_issue + 1];
        }
    }

    /// One slot; gives the cycle of its last issue.
    fn slot(&mut self, positions: u64, block_end: bool) -> u64 {
        let (planes, latency) = (self.work.planes as u64, self.read_latency);
        let reads = positions * planes;
        self.counts.slots += 1;
        self.counts.wait_slots += self.pipeline.wait(self.loaded_at);
        self.counts.wait_activations += self.pipeline.wait(self.full_at);
        if block_end && reads == 1 {
            self.counts.wait_results += self.pipeline.wait(self.drain.done());
        }
        self.pipeline.wait(self.handed_over_at);

        let (taken, transfer) = self.pipeline.next_read();
        self.loaded_at = taken + self.slot_beats + 1;
        self.handed_over_at = transfer + (latency - 1).max(1);
        self.single_read = reads == 1;
        if !block_end {
            return self.pipeline.issue(reads);
        }
        self.pipeline.issue(reads - 1);
        self.counts.wait_results += self.pipeline.wait(self.drain.done());
        let (_, transfer) = self.pipeline.next_read();
        self.drain = Drain { from: transfer + latency + 4, left: positions * self.drain_reads };
        self.pipeline.issue(1)
    }

    /// After a slot's only read its word is still in the coefficient buffers for one advancing cycle, which so does not
    /// count as one without a slot. `ends_block`: taken for the next slot's, it would be the last of a block.
    fn word_still_there(&mut self, ends_block: bool) {
        let now = self.pipeline.now;
        if now < self.full_at {
            self.counts.wait_activations += 1;
        } else if ends_block && now < self.drain.done() {
            self.counts.wait_results += 1;
        }
        self.pipeline.step(false);
    }

    /// Waits for the last result.
    pub fn finish(mut self) -> LayerCounts {
        let work = self.work;
        self.counts.cycles = self.drain.done() + RESULT_LATENCY;
        self.counts.reads = (work.slots.iter().sum::<usize>() * work.positions * work.planes) as u64;
        self.counts.wait_results += self.pipeline.wait(self.counts.cycles);
        self.counts.wait_macro = self.pipeline.held;
        self.counts
    }

    /// All times on which the future depends.
    fn times(&mut self) -> [&mut u64; 8] {
        let (pipeline, [empty_next, empty_then]) = (&mut self.pipeline, &mut self.empty_at);
        let own = [&mut self.loaded_at, &mut self.handed_over_at, &mut self.full_at, &mut self.drain.from];
        let [loaded, handed_over, full, drain] = own;
        [&mut pipeline.now, &mut pipeline.ready_at, loaded, handed_over, full, drain, empty_next, empty_then]
    }

    /// What the future after a full block depends on: how far the times are from now. All else is the same after each.
    pub fn state(&mut self) -> [i64; 8] {
        let now = self.pipeline.now;
        self.times().map(|time| time.wrapping_sub(now).cast_signed())
    }

    /// Lets pass as many blocks, each as the one since `before`.
    pub fn repeat(&mut self, blocks: u64, before: &Core) {
        let passed = blocks * (self.pipeline.now - before.pipeline.now);
        for time in self.times() {
            *time += passed;
        }
        let more = |count: &mut u64, before: u64| *count += blocks * (*count - before);
        more(&mut self.pipeline.held, before.pipeline.held);
        more(&mut self.counts.slots, before.counts.slots);
        more(&mut self.counts.wait_slots, before.counts.wait_slots);
        more(&mut self.counts.wait_activations, before.counts.wait_activations);
        more(&mut self.counts.wait_results, before.counts.wait_results);
    }
}
