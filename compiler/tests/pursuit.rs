//! The pursuit on the trained digits network: what the competition for columns is worth.

#![allow(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

use std::path::Path;

use basisn_arch::ChipConfig;
use basisn_compiler::basis::Basis;
use basisn_compiler::coefficient::CoefficientCode;
use basisn_compiler::fit::snr_db;
use basisn_compiler::pursuit::{Pursuit, Target, grouped, groups, plain, winner_take_all};
use basisn_compiler::{Model, Network};

/// SNR in dB over all layers, of whatever fits a layer.
fn snr(fit: impl Fn(&Target, &Basis, usize) -> Pursuit) -> f64 {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/digits");
    let network = Network::load(&dir.join("network.toml")).unwrap();
    let model = Model::of_network(&network, &dir.join("weights.safetensors")).unwrap();
    let basis = Basis::hadamard(&ChipConfig::load("digits").unwrap());
    let (mut signal, mut error) = (0.0, 0.0);
    for layer in model.graph.matrix_layers() {
        let (shape, weight) = (layer.shape, model.parameters.values(&layer.name, "weight"));
        let found = fit(&Target::new(weight, shape.depth()), &basis, shape.kernels).fit;
        println!("  {:.2} dB", snr_db(found.signal, found.error));
        signal += found.signal;
        error += found.error;
    }
    println!("{:.2} dB", snr_db(signal, error));
    snr_db(signal, error)
}

#[test]
fn competing_kernels_of_digits_keep_more_than_winners_of_an_ordinary_pursuit() {
    let code = CoefficientCode::TERNARY;
    // Groups of four on four tiles, as the chip's slots want them.
    let joint = snr(|target, basis, kernels| grouped(target, basis, &groups(kernels, 4, 4), code, None));
    let taken = snr(|target, basis, kernels| {
        winner_take_all(target, basis, &groups(kernels, 4, 4), code, &plain(target, basis, code, 16))
    });
    let alone = snr(|target, basis, _| plain(target, basis, code, 16));
    assert!(joint > 4.8 && joint > taken + 0.3 && alone > joint, "{joint} {taken} {alone}");
}
