//! The streams of a core, beat by beat, and register writes meanwhile.

use basisn_arch::registers as reg;
use verilated::{Model, WideInput};

use super::Ports;
use crate::Stalls;
use crate::axi_lite::{Asked, AxiLite, Response};

pub(super) fn set_bytes(model: &mut Model, port: WideInput, bytes: &[u8]) {
    for (i, chunk) in bytes.chunks(8).enumerate() {
        let mut word = [0; 8];
        word[..chunk.len()].copy_from_slice(chunk);
        model.set_field(port, 64 * i as u32, 8 * chunk.len() as u32, u64::from_le_bytes(word));
    }
}

/// What the result stream shows.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct ResultBeat {
    data: [u64; MOST_RESULTS],
    count: usize,
    pub last: bool,
}

/// Most results of a beat.
const MOST_RESULTS: usize = 16;

impl ResultBeat {
    pub fn of(model: &Model, ports: &Ports) -> Self {
        let count = ports.result_keep.map_or(1, |keep| {
            (0..MOST_RESULTS)
                .take_while(|i| 8 * i < keep.width_bits() as usize && model.field(keep, 8 * *i as u32, 8) == 0xff)
                .count()
        });
        let mut data = [0; MOST_RESULTS];
        for (i, value) in data.iter_mut().take(count).enumerate() {
            *value = model.field(ports.result_data, 64 * i as u32, 64);
        }
        ResultBeat { data, count, last: model.get(ports.result_last) == 1 }
    }

    pub fn results(&self) -> impl Iterator<Item = i64> {
        self.data.into_iter().take(self.count).map(u64::cast_signed)
    }
}

/// Beats of one stream into the core: once offered, a beat stays until it is taken.
pub(super) struct Beats {
    next: usize,
    total: usize,
    pub valid: bool,
}

impl Beats {
    pub fn new(total: usize) -> Self {
        Beats { next: 0, total, valid: false }
    }

    /// The beat that is newly offered in this cycle.
    #[inline]
    pub fn offer(&mut self, stalls: &mut Stalls) -> Option<usize> {
        if self.valid || self.next == self.total || stalls.now() {
            return None;
        }
        self.valid = true;
        Some(self.next)
    }

    #[inline]
    pub fn transfer(&mut self, ready: bool) -> bool {
        let moved = self.valid && ready;
        if moved {
            self.valid = false;
            self.next += 1;
        }
        moved
    }

    /// Offers no beat after the one that is offered now.
    pub fn end(&mut self) {
        self.total = self.next + usize::from(self.valid);
    }

    pub fn left(&self) -> usize {
        self.total - self.next
    }

    pub fn progress(&self) -> String {
        format!("{} of {}", self.next, self.total)
    }
}

/// Register writes in the middle of a layer, one after the other.
pub(super) struct Writes<'a> {
    from: u64,
    next: &'a [(u64, u32, u32)],
    asked: Option<Asked>,
    /// The core was told to clear.
    pub cleared: bool,
}

impl<'a> Writes<'a> {
    pub fn new(from: u64, writes: &'a [(u64, u32, u32)]) -> Self {
        // The answer to the start is still there in the first cycle.
        Writes { from: from + 1, next: writes, asked: None, cleared: false }
    }

    /// Before a cycle; tells whether the core is told to clear.
    pub fn begin(&mut self, model: &mut Model, axil: &AxiLite) -> bool {
        if let Some(asked) = &self.asked {
            axil.withdraw(model, asked);
        } else if let Some(&(cycle, address, value)) = self.next.first()
            && model.cycle() >= self.from + cycle
        {
            self.asked = Some(axil.ask(model, address, value));
            self.cleared |= address == reg::CONTROL && value & reg::CONTROL_CLEAR != 0;
            return self.cleared;
        }
        false
    }

    pub fn answer(&mut self, model: &mut Model, axil: &AxiLite) -> Option<Response> {
        let answer = axil.answer(model, self.asked.as_mut()?)?;
        self.asked = None;
        self.next = &self.next[1..];
        Some(answer)
    }

    pub fn left(&self) -> bool {
        self.asked.is_some()
    }
}
