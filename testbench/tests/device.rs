//! Non-ideal macros: RTL with the DPI model gives what the golden reference gives, bit for bit, under every preset and seed.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::sync::Arc;

use basisn_arch::ChipConfig;
use basisn_models::random::{generator, seed};
use basisn_models::rram::{Device, MacroModel};
use basisn_models::verilog::Body;
use basisn_models::{ConvProblem, NetProblem, golden};
use basisn_testbench::icarus::Icarus;
use basisn_testbench::{Chip, Stalls, chip};
use verilated::Trace;

/// `tiny` with two cores of two tiles, and cells of three bits.
fn config() -> ChipConfig {
    let keys = [("chip.cores", 2), ("core.tiles", 2), ("crossbar.cell_bits", 3), ("adc.bits", 6)];
    keys.iter().fold(ChipConfig::load("tiny").unwrap(), |config, (key, value)| config.with(key, *value).unwrap())
}

#[test]
fn rtl_and_golden_reference_see_the_same_devices_and_the_same_noise() {
    let seed = seed();
    println!("BASISN_SEED={seed}");
    for skip in [0, 1] {
        same_devices(&config().with("core.skip_zero_planes", skip).unwrap(), seed);
    }
}

/// A plane that is skipped has neither offset nor noise, and doesn't count as a read.
fn same_devices(config: &ChipConfig, seed: u64) {
    let library = chip::verilate(chip::sources(config, Body::Dpi).unwrap(), Body::Dpi, Trace::None).unwrap();
    let mut rng = generator(seed);
    let mut worst = MacroModel::load("worst").unwrap().to_toml();
    worst = worst.replace("encoding = \"differential\"", "encoding = \"offset_column\"");
    let offset_column = MacroModel::from_toml(&worst, "worst with an offset column").unwrap();
    let presets = MacroModel::presets().map(|name| MacroModel::load(name).unwrap());
    let mut changed = 0;
    for (round, model) in presets.chain([offset_column]).enumerate() {
        for device_seed in [seed, seed + 1_000_000_007] {
            let device = Device { model: Arc::new(model.clone()), seed: device_seed };
            let problem = NetProblem::random(&mut rng, config, 3, 2);
            let mut golden = golden::Core::with_device(config, &problem.program, Some(&device)).unwrap();
            let mut rtl = Chip::start(&library, config, &problem.program, Some(&device), None).unwrap();
            let mut ideal = golden::Core::new(config, &problem.program).unwrap();
            // Inferences in another order than counted: noise depends on the number alone.
            for (number, input) in [(7, 0), (3, 1), (7, 0)] {
                golden.set_inference(number);
                rtl.set_inference(number);
                let expected = golden.run(&problem.inputs[input]).unwrap();
                let got = rtl.run(&problem.program, &problem.inputs[input], &mut Stalls::random(seed, 20)).unwrap();
                for (step, (expected, got)) in expected.values.iter().zip(&got.values).enumerate() {
                    assert_eq!(expected, got, "model {round}, seed {device_seed}, step {step}");
                }
                let plain = ideal.run(&problem.inputs[input]).unwrap();
                let differ = plain.values != expected.values;
                assert!(round > 0 || !differ, "the preset `ideal` is the contract");
                changed += usize::from(differ);
            }
        }
    }
    assert!(changed > 15, "errors show in {changed} of 24 inferences");
}

#[test]
fn portable_verilog_has_the_cells_of_the_device() {
    let seed = seed();
    println!("BASISN_SEED={seed}");
    let config = config();
    let mut rng = generator(seed);
    let text = "[programming]\nsigma = 0.1\n[faults]\nstuck_low = 0.05\nstuck_high = 0.05\n[aging]\ntime_s = 1e4\ndrift_exponent = 0.02\n";
    let device = Device { model: Arc::new(MacroModel::from_toml(text, "cells").unwrap()), seed };
    let mut differ = 0;
    for _ in 0..3 {
        let problem = ConvProblem::random(&mut rng, &config);
        let expected = golden::Core::with_device(&config, &problem.program, Some(&device)).unwrap().run(&problem.input);
        let plain = golden::run(&config, &problem.program, &problem.input).unwrap();
        let mut icarus = Icarus::with_device(&config, seed, 20, Some(device.clone())).unwrap();
        let got = icarus.run_layer(&problem.program, &problem.program.layers[0], &problem.input).unwrap();
        let expected = expected.unwrap();
        assert_eq!(got, expected.of_layer(&problem.program, 0));
        differ += usize::from(plain != expected.values);
    }
    assert!(differ > 1, "the errors are there");
}

#[test]
fn portable_verilog_without_the_file_of_its_cells_stops() {
    let config = ChipConfig::load("tiny").unwrap();
    let body = Body::PortableDevice;
    let library = chip::verilate(chip::sources(&config, body).unwrap(), body, Trace::None).unwrap();
    let model = library.instance().argument("+cells=elsewhere").unwrap().start();
    let error = model.and_then(|mut model| model.tick()).unwrap_err().to_string();
    assert!(error.contains("$stop or a failed assertion") && error.contains(&config.macro_name()), "{error}");
}
