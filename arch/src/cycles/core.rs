//! A core from slot to slot and block to block.

use super::pipeline::Pipeline;
use super::{Counters, LayerWork};
use crate::ChipConfig;

/// Cycles from the choice of a psum to the transfer of its result.
const RESULT_LATENCY: u64 = 15;

/// The cycle in which the sequencer and the loading of activations begin.
const START: u64 = 1;

/// A core in the middle of a layer.
#[derive(Clone, Debug)]
pub(super) struct Core<'a> {
    work: &'a LayerWork,
    read_latency: u64,
    /// Reads of psums for the results of one position.
    drain_reads: u64,
    /// Where zero planes are skipped, a bank is used one cycle after it is full.
    bank_latency: u64,
    /// Cycles that the slot words of all tiles in use take on its stream, and the rows of one position on theirs.
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
    /// The cycles from which the block before the last one, and the last one, are drained.
    drained: [u64; 2],
    /// The slot before had a single read.
    single_read: bool,
    counts: Counters,
}

impl<'a> Core<'a> {
    /// A core at the start of a layer.
    pub fn new(config: &ChipConfig, work: &'a LayerWork) -> Self {
        let slot_beats = (work.tiles * config.slot_word().beats()) as u64;
        let interval = config.read_interval_cycles() as u64;
        Core {
            work,
            read_latency: config.read_latency_cycles() as u64,
            drain_reads: config.using(work.tiles).drain_beats(work.kernels) as u64,
            bank_latency: u64::from(config.skips_zero_planes()),
            slot_beats,
            position_beats: work.rows_used.div_ceil(config.activation_stream_bytes()) as u64,
            pipeline: Pipeline::new(interval, START),
            loaded_at: slot_beats,
            handed_over_at: 0,
            full_at: 0,
            empty_at: [START; 2],
            drained: [0; 2],
            single_read: false,
            counts: Counters::default(),
        }
    }

    /// All slots of a block; `reads` of a slot, by subvector, of which `first` are the first position's of the block.
    pub fn block(&mut self, positions: usize, first: u64, reads: impl Fn(usize) -> u64) {
        let all = (positions * self.work.planes) as u64;
        let mut transfer = 0;
        for (subvector, &slots) in self.work.slots.iter().enumerate() {
            let reads = reads(subvector);
            self.full_at = self.full_at.max(self.empty_at[0]) + positions as u64 * self.position_beats;
            let mut last_issue = self.pipeline.now;
            for slot in 0..slots {
                let first = (subvector == 0 && slot == 0).then_some(first);
                if self.single_read {
                    self.word_still_there();
                }
                (last_issue, transfer) = self.slot(reads, first);
                self.counts.reads += reads;
                self.counts.skipped_planes += all - reads;
            }
            self.empty_at = [self.empty_at[1], last_issue + 1];
        }
        let from = self.drained[1].max(transfer + self.read_latency + 2);
        self.drained = [self.drained[1], from + positions as u64 * self.drain_reads];
    }

    /// The cycle from which the bank in turn is read.
    fn usable_at(&self) -> u64 {
        self.full_at + self.bank_latency
    }

    /// One slot; gives the cycles of its last issue and transfer. The psums of a block, which the read number `first` is the
    /// first to change, are those of the block before the last one: it transfers once they are drained.
    fn slot(&mut self, reads: u64, first: Option<u64>) -> (u64, u64) {
        self.counts.slots += 1;
        self.counts.wait_slots += self.pipeline.wait(self.loaded_at);
        self.counts.wait_activations += self.pipeline.wait(self.usable_at());
        self.pipeline.wait(self.handed_over_at);

        let drained = self.drained[0];
        let drained_before = |read: u64| if first == Some(read) { drained } else { 0 };
        let (taken, transfer) = self.pipeline.next_read(drained_before(1));
        self.loaded_at = taken + self.slot_beats + 1;
        self.handed_over_at = transfer + (self.read_latency - 1).max(1);
        self.single_read = reads == 1;
        let before = first.map_or(0, |first| first - 1);
        self.pipeline.issue(before);
        if before + 1 < reads {
            self.pipeline.step(Some(drained_before(before + 1)));
            self.pipeline.issue(reads - before - 2);
        }
        let last = drained_before(reads);
        let (_, transfer) = self.pipeline.next_read(last);
        let issued = self.pipeline.now;
        self.pipeline.step(Some(last));
        (issued, transfer)
    }

    /// After a slot's only read its word is still in the coefficient buffers for one advancing cycle, which so does not
    /// count as one without a slot.
    fn word_still_there(&mut self) {
        self.counts.wait_activations += u64::from(self.pipeline.now < self.usable_at());
        self.pipeline.step(None);
    }

    /// Waits for the last result.
    pub fn finish(mut self) -> Counters {
        self.counts.cycles = self.drained[1] + RESULT_LATENCY;
        self.counts.wait_results += self.pipeline.wait(self.counts.cycles) + self.pipeline.held_by_drain;
        self.counts.wait_macro = self.pipeline.held_by_macro;
        self.counts
    }

    /// All times on which the future depends.
    fn times(&mut self) -> [&mut u64; 10] {
        let (pipeline, [empty_next, empty_then]) = (&mut self.pipeline, &mut self.empty_at);
        let [drained_before, drained] = &mut self.drained;
        let (loaded, handed_over, full) = (&mut self.loaded_at, &mut self.handed_over_at, &mut self.full_at);
        let (now, ready, may_go) = (&mut pipeline.now, &mut pipeline.ready_at, &mut pipeline.drained_at);
        [now, ready, may_go, loaded, handed_over, full, empty_next, empty_then, drained_before, drained]
    }

    /// What the future after a full block depends on: how far the times are from now. All else is the same after each.
    pub fn state(&mut self) -> [i64; 10] {
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
        more(&mut self.pipeline.held_by_macro, before.pipeline.held_by_macro);
        more(&mut self.pipeline.held_by_drain, before.pipeline.held_by_drain);
        more(&mut self.counts.slots, before.counts.slots);
        more(&mut self.counts.reads, before.counts.reads);
        more(&mut self.counts.skipped_planes, before.counts.skipped_planes);
        more(&mut self.counts.wait_slots, before.counts.wait_slots);
        more(&mut self.counts.wait_activations, before.counts.wait_activations);
        more(&mut self.counts.wait_results, before.counts.wait_results);
    }
}
