//! The drain of the block before.

/// The drain of a block: from a cycle on, `left` reads, one a cycle.
#[derive(Clone, Debug, Default)]
pub(super) struct Drain {
    pub from: u64,
    pub left: u64,
}

impl Drain {
    /// The cycle after the last read.
    pub fn done(&self) -> u64 {
        self.from + self.left
    }
}
