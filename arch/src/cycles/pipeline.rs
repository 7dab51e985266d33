//! The stages that a read passes on its way to the macros.

/// The read pipeline: a read that is issued enters stage 1 with the next advancing cycle and transfers in the one after that.
#[derive(Clone, Debug)]
pub(super) struct Pipeline {
    /// Cycles between two reads of a macro.
    interval: u64,
    /// The advancing cycle that it is.
    pub now: u64,
    /// A read was issued in the advancing cycle before.
    stage1: bool,
    /// The cycle from which that read may transfer, as the psums that it changes have been drained; no earlier than its issue.
    pub drained_at: u64,
    /// The cycle from which the macros take the next read.
    pub ready_at: u64,
    /// Cycles in which the pipeline did not advance: for a macro, and then for the drain.
    pub held_by_macro: u64,
    pub held_by_drain: u64,
}

impl Pipeline {
    /// An empty pipeline from a cycle on, for macros with a read interval.
    pub fn new(interval: u64, now: u64) -> Self {
        Pipeline { interval, now, stage1: false, drained_at: now, ready_at: 0, held_by_macro: 0, held_by_drain: 0 }
    }

    /// Goes on to the next advancing cycle, from one in which nothing was issued, or a read that must not transfer before a cycle.
    pub fn step(&mut self, issue: Option<u64>) {
        let mut next = self.now + 1;
        if self.stage1 {
            let ready = next.max(self.ready_at);
            self.held_by_macro += ready - next;
            next = ready.max(self.drained_at);
            self.held_by_drain += next - ready;
            self.ready_at = next + self.interval;
        }
        self.drained_at = issue.unwrap_or(0).max(next);
        self.stage1 = issue.is_some();
        self.now = next;
    }

    /// Issues nothing before a cycle; gives the advancing cycles that pass.
    pub fn wait(&mut self, until: u64) -> u64 {
        let mut passed = 0;
        if self.now < until && self.stage1 {
            self.step(None);
            passed = 1;
        }
        passed += until.saturating_sub(self.now);
        self.now = self.now.max(until);
        passed
    }

    /// Issues reads in advancing cycles in a row, which transfer as soon as the macros take them.
    pub fn issue(&mut self, reads: u64) {
        for _ in 0..reads.min(2) {
            self.step(Some(0));
        }
        // From the second read on each comes one interval after the one before.
        let more = reads.saturating_sub(2) * self.interval;
        self.held_by_macro += more - reads.saturating_sub(2);
        self.now += more;
        self.ready_at += more;
        self.drained_at = self.drained_at.max(self.now);
    }

    /// When a read that is issued now, and must not transfer before a cycle, enters stage 2, and when it transfers.
    pub fn next_read(&self, drained_at: u64) -> (u64, u64) {
        let mut ahead = self.clone();
        ahead.step(Some(drained_at));
        let entered = ahead.now;
        ahead.step(None);
        (entered, ahead.now)
    }
}
