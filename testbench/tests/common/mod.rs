//! What every suite needs: run a program on an executor and compare with the golden reference.
#![allow(dead_code, reason = "each test binary uses its part")]

use basisn_arch::{ChipConfig, Program};
use basisn_models::random::{Random, generator};
use basisn_models::verilog::Body;
use basisn_models::{ConvProblem, Executor, Golden, MvmProblem, compare};
use basisn_testbench::executor::{IcarusVerilog, Verilator};

/// A generator for one test; the seed is printed, and comes from `BASISN_SEED`.
pub fn random(test: &str) -> (Random, u64) {
    let seed = basisn_models::random::seed();
    println!("{test}: BASISN_SEED={seed}");
    (generator(seed), seed)
}

/// Runs a program on an executor; panics with the first mismatches.
pub fn check(executor: &mut dyn Executor, config: &ChipConfig, program: &Program, input: &[i32], what: &str) -> usize {
    let expected = Golden.run(config, program, input).unwrap();
    let got = executor
        .run(config, program, input)
        .unwrap_or_else(|e| panic!("{what} on {}: {e}\nchip:\n{}", executor.name(), config.to_toml()));
    let (compared, mismatches) = compare(program, &expected, &got);
    let first: Vec<_> = mismatches.iter().take(5).map(ToString::to_string).collect();
    assert!(
        mismatches.is_empty(),
        "{what} on {}: {} of {compared} values differ:\n{}\nchip:\n{}",
        executor.name(),
        mismatches.len(),
        first.join("\n"),
        config.to_toml()
    );
    assert_eq!(compared, expected.iter().map(Vec::len).sum::<usize>());
    assert!(compared > 0, "{what}: nothing was compared");
    compared
}

/// Both macro bodies under Verilator.
pub fn verilators(seed: u64, stall_percent: u32) -> [Verilator; 2] {
    [Body::Portable, Body::Dpi].map(|body| Verilator::new(body, seed, stall_percent))
}

/// Icarus.
pub fn icarus(seed: u64, stall_percent: u32) -> IcarusVerilog {
    IcarusVerilog { seed, stall_percent }
}

/// Random one-layer problems of a chip: program and input.
pub fn layers(random: &mut Random, config: &ChipConfig, count: usize) -> Vec<(Program, Vec<i32>)> {
    (0..count)
        .map(|i| {
            if i % 2 == 0 {
                let p = ConvProblem::random(random, config);
                (p.program, p.input)
            } else {
                let p = MvmProblem::random(random, config);
                (p.program, p.input)
            }
        })
        .collect()
}
