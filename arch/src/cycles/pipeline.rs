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
    /// The cycle from which the macros take the next read.
    pub ready_at: u64,
    /// Cycles in which the pipeline did not advance.
    pub held: u64,
}

impl Pipeline {
    /// An empty pipeline from a cycle on, for macros with a read interval.
    pub fn new(interval: u64, now: u64) -> Self {
        Pipeline { interval, now, stage1: false, ready_at: 0, held: 0 }
    }

    /// Goes on to the next advancing cycle, from one in which a read was issued or not.
    pub fn step(&mut self, issue: bool) {
        let mut next = self.now + 1;
        if self.stage1 {
            next = next.max(self.ready_at);
            self.ready_at = next + self.interval;
        }
        self.held += next - self.now - 1;
        self.now = next;
        self.stage1 = issue;
    }

    /// Issues nothing before a cycle; gives the advancing cycles that pass.
    pub fn wait(&mut self, until: u64) -> u64 {
        let mut passed = 0;
        if self.now < until && self.stage1 {
            self.step(false);
            passed = 1;
        }
        passed += until.saturating_sub(self.now);
        self.now = self.now.max(until);
        passed
    }

    /// Issues reads in advancing cycles in a row; gives the cycle of the last one.
    pub fn issue(&mut self, reads: u64) -> u64 {
        let mut last = self.now;
        for _ in 0..reads.min(2) {
            last = self.now;
            self.step(true);
        }
        // From the second read on each comes one interval after the one before.
        let more = reads.saturating_sub(2) * self.interval;
        self.held += more - reads.saturating_sub(2);
        self.now += more;
        self.ready_at += more;
        if more > 0 { self.now - self.interval } else { last }
    }

    /// When a read that is issued now enters stage 2, and when it transfers.
    pub fn next_read(&self) -> (u64, u64) {
        let mut ahead = self.clone();
        ahead.step(true);
        let entered = ahead.now;
        ahead.step(false);
        (entered, ahead.now)
    }
}
