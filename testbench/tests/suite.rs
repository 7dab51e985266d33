//! One suite, many executors: random problems on golden reference, Verilator with both macro bodies, and Icarus.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod common;

use basisn_arch::ChipConfig;
use basisn_models::NetProblem;
use basisn_models::random::random_config;
use common::{check, icarus, layers, random, verilators};

#[test]
fn tiny_layers_on_every_executor() {
    let (mut rng, seed) = random("tiny layers");
    let tiny = ChipConfig::load("tiny").unwrap();
    let skipping = tiny.with("core.skip_zero_planes", 1).unwrap();
    for (i, (program, input)) in layers(&mut rng, &tiny, 24).into_iter().enumerate() {
        let config = [&tiny, &skipping][i / 6 % 2].clone();
        let stall = [0, 30, 80][i % 3];
        for mut executor in verilators(seed + i as u64, stall) {
            check(&mut executor, &config, &program, &input, &format!("layer {i}"));
        }
        if i < 12 {
            check(&mut icarus(seed + i as u64, stall), &config, &program, &input, &format!("layer {i}"));
        }
    }
}

#[test]
fn tiny_networks_on_every_executor() {
    let (mut rng, seed) = random("tiny networks");
    let config = ChipConfig::load("tiny").unwrap();
    for i in 0..3 {
        let problem = NetProblem::random(&mut rng, &config, 1 + i, 2);
        for input in &problem.inputs {
            for mut executor in verilators(seed, 20) {
                check(&mut executor, &config, &problem.program, input, &format!("network {i}"));
            }
            check(&mut icarus(seed, 20), &config, &problem.program, input, &format!("network {i}"));
        }
    }
}

#[test]
fn random_chips_under_random_stalls() {
    let (mut rng, seed) = random("random chips");
    for chip in 0..5 {
        let config = random_config(&mut rng).unwrap();
        for (i, (program, input)) in layers(&mut rng, &config, 6).into_iter().enumerate() {
            for mut executor in verilators(seed + i as u64, [0, 50][i % 2]) {
                check(&mut executor, &config, &program, &input, &format!("chip {chip}, layer {i}"));
            }
        }
    }
}

#[test]
fn a_chip_of_several_cores_shares_the_positions() {
    let (mut rng, seed) = random("cores");
    let config = ChipConfig::load("tiny").unwrap().with("chip.cores", 3).unwrap();
    for (program, input) in layers(&mut rng, &config, 4) {
        for mut executor in verilators(seed, 0) {
            check(&mut executor, &config, &program, &input, "three cores");
        }
    }
}
