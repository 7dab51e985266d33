//! What the counters of a core say, measured or modelled.

/// The counters of a core after a layer, in clock cycles and reads; see `docs/hardware.md`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
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
    /// Reads that were spared because no row of the input plane had a one.
    pub skipped_planes: u64,
}

impl Counters {
    /// Reads as a share of the cycles of `cores` cores, 0..1.
    pub fn issued(&self, cores: usize) -> f64 {
        self.reads as f64 / (self.cycles.max(1) * cores.max(1) as u64) as f64
    }

    /// Two cores that work at the same time: the slower one's cycles, the sum of everything else.
    pub fn beside(&self, other: &Counters) -> Counters {
        Counters {
            cycles: self.cycles.max(other.cycles),
            reads: self.reads + other.reads,
            wait_slots: self.wait_slots + other.wait_slots,
            wait_activations: self.wait_activations + other.wait_activations,
            wait_results: self.wait_results + other.wait_results,
            wait_macro: self.wait_macro + other.wait_macro,
            slots: self.slots + other.slots,
            skipped_planes: self.skipped_planes + other.skipped_planes,
        }
    }
}
