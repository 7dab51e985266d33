//! What several test files need.

#![allow(dead_code, reason = "not every test file uses all of it")]

use std::path::Path;

use basisn_arch::ChipConfig;
use basisn_compiler::coefficient::CoefficientCode;
use basisn_compiler::{Dataset, Model, Network};
use basisn_train::Error;
use basisn_train::basis_model::{Coding, Sharing, Start};
use basisn_train::options::Options;
use basisn_train::plan::{Choice, Plan};
use basisn_train::train::{BasisOptions, Epoch, Training, Watch};
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
        normalization: None,
    };
    (Network::load(&file).unwrap(), dataset)
}

/// The digits with few training images and few held-out ones, and their committed float weights.
pub fn digits() -> (Model, Dataset) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/digits");
    let network = Network::load(&folder.join("network.toml")).unwrap();
    let float = Model::of_network(&network, &folder.join("weights.safetensors")).unwrap();
    let mut dataset = Dataset::load(&folder).unwrap();
    dataset.train.truncate(240);
    dataset.test.truncate(60);
    (float, dataset)
}

/// The chip of the digits.
pub fn chip() -> ChipConfig {
    ChipConfig::load("digits").unwrap()
}

/// The seed of the random tests, from BASISN_SEED.
pub fn seed() -> u64 {
    let seed = std::env::var("BASISN_SEED").ok().and_then(|text| text.parse().ok()).unwrap_or(0);
    println!("BASISN_SEED={seed}");
    seed
}

/// A float training of seconds.
pub fn short(epochs: usize) -> Options {
    Options { epochs, batch: 32, seed: seed(), ..Options::float() }
}

/// A training of ternary coefficients in groups of four, with the ADC in the loop in the last epoch.
pub fn short_basis(epochs: usize) -> (BasisOptions, Options) {
    let choice = Choice { code: CoefficientCode::TERNARY, sharing: Sharing::Groups(4) };
    let coding = Coding { choice, plan: Plan::default(), start: Start::Joint, activation_bits: 8 };
    let basis = BasisOptions { adc_epochs: 1, ..BasisOptions::new(coding) };
    (basis, Options { epochs, batch: 32, seed: seed(), ..Options::basis() })
}

/// Keeps the losses of all steps and epochs, and stops after some steps.
#[derive(Default)]
pub struct Recorder {
    pub losses: Vec<f64>,
    pub epochs: Vec<Epoch>,
    pub stop_after: Option<usize>,
}

impl Watch for Recorder {
    fn step(&mut self, _: usize, _: usize, loss: f64) {
        self.losses.push(loss);
    }

    fn epoch(&mut self, _: &Training, epoch: &Epoch) -> Result<(), Error> {
        self.epochs.push(epoch.clone());
        Ok(())
    }

    fn stop(&self) -> bool {
        self.stop_after == Some(self.losses.len())
    }
}
