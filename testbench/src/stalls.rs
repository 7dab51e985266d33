//! Random stalls: how often a driver withholds valid or ready, to shake the handshakes.

use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

/// Source of stalls; the same seed stalls the same cycles.
#[derive(Debug, Clone)]
pub struct Stalls {
    random: SmallRng,
    percent: u32,
}

impl Stalls {
    /// Never stalls.
    pub fn none() -> Self {
        Self::random(0, 0)
    }

    /// Stalls in `percent` of the cycles, 0..95.
    pub fn random(seed: u64, percent: u32) -> Self {
        Stalls { random: SmallRng::seed_from_u64(seed), percent: percent.min(95) }
    }

    /// Whether to stall in this cycle.
    #[inline]
    pub fn now(&mut self) -> bool {
        self.percent > 0 && self.random.random_range(0..100) < self.percent
    }
}
