//! The drain, beside the updates of the lanes.

/// The drain of a block: from a cycle on, `left` psums are read in the cycles without updates.
#[derive(Clone, Debug, Default)]
pub(super) struct Drain {
    pub from: u64,
    pub left: u64,
}

impl Drain {
    /// The cycle after the last read, if there are no more updates before it.
    pub fn done(&self) -> u64 {
        self.from + self.left
    }

    /// Takes notice of `count` updates, later than all before: at `first` and then every `period` cycles.
    pub fn updates(&mut self, first: u64, period: u64, count: u64) {
        let early = self.from.saturating_sub(first).div_ceil(period);
        let next = first + early * period;
        if early >= count || self.done() <= next {
            return;
        }
        self.left -= next - self.from;
        self.from = next + 1;
        let free = period - 1;
        let met = (self.left - 1).checked_div(free).unwrap_or(u64::MAX).min(count - early - 1);
        self.left -= met * free;
        self.from += met * period;
    }
}
