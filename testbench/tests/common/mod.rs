//! What every suite needs: run a program on an executor and compare with the golden reference.
#![allow(dead_code, reason = "each test binary uses its part")]

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use basisn_arch::{ChipConfig, Program};
use basisn_models::random::{Random, generator};
use basisn_models::verilog::Body;
use basisn_models::{ConvProblem, Executor, Golden, MvmProblem, compare};
use basisn_testbench::chip;
use basisn_testbench::executor::{IcarusVerilog, Verilator};
use verilated::{Library, Trace};

/// A generator for one test; the seed is printed, and comes from `BASISN_SEED`.
pub fn random(test: &str) -> (Random, u64) {
    let seed = basisn_models::random::seed();
    println!("{test}: BASISN_SEED={seed}");
    (generator(seed), seed)
}

/// A chip with the portable macro, with a change of the text of one module: file, text, changed text.
pub fn library(config: &ChipConfig, change: Option<(&str, &str, &str)>) -> Library {
    let mut files = chip::sources(config, Body::Portable).unwrap();
    if let Some((file, from, to)) = change {
        let (_, text) = files.iter_mut().find(|(name, _)| *name == format!("{file}.v")).unwrap();
        assert!(text.contains(from), "{file} has no text {from}");
        *text = text.replacen(from, to, 1);
    }
    chip::verilate(files, Body::Portable, Trace::None).unwrap()
}

/// A seeded bug: name, the check that must notice it, file, text, changed text.
pub type Mutant = (&'static str, fn(&Library), &'static str, &'static str, &'static str);

/// Every mutant must make its check panic.
pub fn all_are_noticed(config: &ChipConfig, mutants: &[Mutant]) {
    let next = AtomicUsize::new(0);
    let missed = Mutex::new(Vec::new());
    let worker = || {
        while let Some(&(name, check, file, from, to)) = mutants.get(next.fetch_add(1, Ordering::Relaxed)) {
            let library = library(config, Some((file, from, to)));
            if std::panic::catch_unwind(|| check(&library)).is_ok() {
                missed.lock().unwrap().push(name);
            }
        }
    };
    let workers = std::thread::available_parallelism().map_or(1, |n| n.get());
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(worker);
        }
    });
    assert_eq!(missed.into_inner().unwrap(), Vec::<&str>::new(), "these mutants are not noticed");
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
