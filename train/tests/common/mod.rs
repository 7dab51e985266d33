//! What several test files need.

use basisn_compiler::{Dataset, Network};
use basisn_train::train::Options;
use ndarray::Array4;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

/// Odd sizes, so that no pair of dimensions can be swapped unseen.
pub fn odd() -> (Network, Dataset) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("network.toml");
    std::fs::write(
        &file,
        r#"
name = "odd"
input = { channels = 2, height = 5, width = 7, scale = 0.0625, bits = 4 }
[[layers]]
name = "a"
kind = "conv"
out = 4
kernel = 3
stride = 2
padding = 1
relu = true
[[layers]]
name = "b"
kind = "conv"
out = 5
kernel = 2
relu = false
[[layers]]
name = "c"
kind = "linear"
out = 6
relu = true
[[layers]]
name = "d"
kind = "linear"
out = 3
relu = false
"#,
    )
    .unwrap();
    let mut rng = StdRng::seed_from_u64(seed());
    let dataset = Dataset {
        images: Array4::from_shape_fn((30, 2, 5, 7), |_| rng.random_range(0..16)),
        labels: (0..30).map(|i| i % 3).collect(),
        train: (0..24).collect(),
        test: (24..30).collect(),
    };
    (Network::load(&file).unwrap(), dataset)
}

/// The seed of the random tests, from BASISN_SEED.
fn seed() -> u64 {
    let seed = std::env::var("BASISN_SEED").ok().and_then(|text| text.parse().ok()).unwrap_or(0);
    println!("BASISN_SEED={seed}");
    seed
}

/// A training of seconds.
pub fn short(epochs: usize) -> Options {
    Options { epochs, batch: 32, seed: seed(), ..Options::default() }
}
