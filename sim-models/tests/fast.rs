//! The fast golden reference equals the readable one: results and counts, on every kind of problem, ideal or not.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::sync::Arc;

use basisn_arch::{ChipConfig, Program};
use basisn_models::random::{Random, generator, random_config, seed};
use basisn_models::rram::{Device, MacroModel};
use basisn_models::{ConvProblem, MvmProblem, NetProblem, fast, golden};

/// Compares all layers of all inputs; gives the saturated codes.
fn compare(config: &ChipConfig, program: &Program, inputs: &[Vec<i32>], device: Option<&Device>, what: &str) -> u64 {
    let mut readable = golden::Core::with_device(config, program, device).unwrap();
    readable.set_inference(5);
    let expected: Vec<_> = inputs.iter().map(|input| readable.run(input).unwrap()).collect();
    let got = fast::Core::new(config, program, device).unwrap().run(inputs, 5).unwrap();
    assert_eq!(got, expected, "{what}: {config:?}");
    expected.iter().flat_map(|run| &run.layers).map(|run| run.saturated_low + run.saturated_high).sum()
}

fn config(rng: &mut Random, round: usize) -> ChipConfig {
    let config = random_config(rng).unwrap();
    // Several cores, and lane sums beyond 16 bits.
    if round.is_multiple_of(3) { config.with("chip.cores", 1 + round % 5).unwrap() } else { config }
}

#[test]
fn ideal_problems() {
    let seed = seed();
    println!("BASISN_SEED={seed}");
    let mut rng = generator(seed);
    let mut saturated = 0;
    for round in 0..60 {
        let config = config(&mut rng, round);
        let net = NetProblem::random(&mut rng, &config, 1 + round % 3, 1 + round % 4);
        saturated += compare(&config, &net.program, &net.inputs, None, "network");
        let mvm = MvmProblem::random(&mut rng, &config);
        compare(&config, &mvm.program, &[mvm.input], None, "matrix-vector product");
        let conv = ConvProblem::random(&mut rng, &config);
        compare(&config, &conv.program, &[conv.input], None, "convolution");
    }
    assert!(saturated > 1000);
}

#[test]
fn lane_sums_beyond_16_bits() {
    let seed = seed();
    println!("BASISN_SEED={seed}");
    let mut rng = generator(seed);
    let keys = [("crossbar.rows", 256), ("crossbar.columns", 512), ("crossbar.cell_bits", 5), ("adc.bits", 12)];
    let config =
        keys.iter().fold(ChipConfig::load("tiny").unwrap(), |config, (key, value)| config.with(key, *value).unwrap());
    for _ in 0..3 {
        let problem = MvmProblem::with_size(&mut rng, &config, 256, 70, 9, &Default::default());
        compare(&config, &problem.program, &[problem.input], None, "wide");
    }
}

#[test]
fn devices_of_every_preset_and_of_every_single_error() {
    let seed = seed();
    println!("BASISN_SEED={seed}");
    let mut rng = generator(seed);
    let ideal = MacroModel::load("ideal").unwrap();
    let mut models: Vec<_> = MacroModel::presets().map(|name| MacroModel::load(name).unwrap()).collect();
    for (key, value) in [
        ("programming.sigma", 0.1),
        ("faults.stuck_low", 0.1),
        ("faults.stuck_high", 0.1),
        ("read.sigma", 0.03),
        ("read.relative_sigma", 0.1),
        ("wires.bitline_ohm", 20.0),
        ("wires.driver_ohm", 500.0),
        ("switches.leakage", 0.01),
        ("adc.gain_sigma", 0.1),
        ("adc.offset_sigma_lsb", 2.0),
        ("adc.code_width_sigma_lsb", 0.3),
        ("adc.noise_lsb", 1.0),
    ] {
        models.push(ideal.with(key, value).unwrap());
    }
    for (round, model) in models.into_iter().enumerate() {
        let config = config(&mut rng, round);
        let problem = NetProblem::random(&mut rng, &config, 2, 2);
        let device = Device { model: Arc::new(model), seed: seed + round as u64 };
        compare(&config, &problem.program, &problem.inputs, Some(&device), &format!("model {round}"));
    }
}
