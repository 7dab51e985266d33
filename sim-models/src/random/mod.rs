//! Random chips, programs and inputs for tests: all obey every rule, and corner cases come often.

mod config;
mod input;
mod network;
mod program;
mod slots;

use rand::SeedableRng;

pub use config::random_config;
pub use input::{random_image, random_input};
pub use network::random_network;
pub(crate) use program::random_kernels;
pub use program::{Corners, conv_shape, mvm_shape, random_program};

/// The generator of all random problems; the same seed gives the same problem with every version and on every machine.
pub type Random = rand_chacha::ChaCha8Rng;

/// A generator for a seed.
pub fn generator(seed: u64) -> Random {
    Random::seed_from_u64(seed)
}

/// The seed of a test run: `BASISN_SEED` if it is set to a number, else 1. Tests print it.
pub fn seed() -> u64 {
    std::env::var("BASISN_SEED").ok().and_then(|text| text.parse().ok()).unwrap_or(1)
}
