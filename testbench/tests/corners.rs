//! Corner cases of geometry and arithmetic, each forced rather than hoped for.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod common;

use basisn_arch::{ChipConfig, Item, LayerProgram, Program, Requantize, Slot};
use basisn_models::random::{Corners, mvm_shape};
use basisn_models::{Executor, Golden, MvmProblem};
use common::{check, icarus, random, verilators};

fn tiny(changes: &[(&str, usize)]) -> ChipConfig {
    let tiny = ChipConfig::load("tiny").unwrap();
    changes.iter().fold(tiny, |config, (key, value)| config.with(key, *value).unwrap())
}

fn mvm(config: &ChipConfig, depth: usize, positions: usize, kernels: usize, corners: Corners, what: &str) {
    let (mut rng, seed) = random(what);
    let p = MvmProblem::with_size(&mut rng, config, depth, positions, kernels, &corners);
    for mut executor in verilators(seed, 25) {
        check(&mut executor, &p.config, &p.program, &p.input, what);
    }
}

#[test]
fn one_lane() {
    let config = tiny(&[("arithmetic.group", 1), ("adc.lanes", 1)]);
    for kernels in [1, 3] {
        mvm(&config, 20, 5, kernels, Corners::default(), "one lane");
    }
}

#[test]
fn rows_and_columns_that_are_no_powers_of_two() {
    let changes = [
        ("crossbar.rows", 24),
        ("crossbar.columns", 11),
        ("arithmetic.group", 3),
        ("adc.lanes", 3),
        ("core.tiles", 3),
        ("core.psum_words", 18),
        ("core.position_block", 3),
        ("core.activation_stream_bytes", 5),
    ];
    let config = tiny(&changes);
    mvm(&config, 24, 7, 9, Corners::default(), "24 x 11");
    mvm(&config, 25, 2, 20, Corners::default(), "24 x 11, two subvectors");
}

#[test]
fn kernels_fewer_than_lanes_and_no_multiple_of_them() {
    for kernels in [1, 2, 3, 5, 7, 16] {
        mvm(&tiny(&[]), 16, 4, kernels, Corners::default(), "kernels");
    }
}

#[test]
fn places_without_a_kernel() {
    let (mut rng, seed) = random("places without a kernel");
    let mut vacant = 0;
    for (tiles, vacancies) in [(1, 1), (1, 5), (3, 4), (3, 20)] {
        let corners = Corners { vacancies, ..Corners::default() };
        let p = MvmProblem::with_size(&mut rng, &tiny(&[("core.tiles", tiles)]), 20, 6, 5, &corners);
        vacant += p.program.layers[0].vacancies(&p.config).unwrap().len();
        for mut executor in verilators(seed, 25) {
            check(&mut executor, &p.config, &p.program, &p.input, "places without a kernel");
        }
        // Icarus sees values that nobody wrote.
        check(&mut icarus(seed, 25), &p.config, &p.program, &p.input, "places without a kernel");
    }
    assert!(vacant > 0);
}

#[test]
fn one_position_one_plane_one_slot() {
    let corners = Corners { slots: Some(1), input_bits: Some(1), ..Corners::default() };
    for depth in [1, 16, 48] {
        mvm(&tiny(&[]), depth, 1, 3, corners, "one position");
    }
}

#[test]
fn layers_larger_than_the_position_block() {
    for positions in [4, 5, 8, 9, 23] {
        mvm(&tiny(&[]), 20, positions, 6, Corners::default(), "positions");
    }
}

#[test]
fn every_gain_and_width() {
    for gain in 0..8 {
        let corners = Corners { gain: Some(gain), signed: Some(gain % 2 == 1), ..Corners::default() };
        mvm(&tiny(&[]), 16, 3, 4, corners, "gain");
    }
    for bits in 1..=8 {
        let corners = Corners { input_bits: Some(bits), raw: Some(true), ..Corners::default() };
        mvm(&tiny(&[]), 33, 3, 4, corners, "input bits");
    }
}

#[test]
fn slow_macros() {
    let config = tiny(&[("crossbar.read_latency_cycles", 9), ("crossbar.read_interval_cycles", 3)]);
    mvm(&config, 20, 1, 4, Corners { input_bits: Some(1), ..Corners::default() }, "latency above a slot");
    mvm(&config, 20, 6, 4, Corners::default(), "latency 9, interval 3");
    let config = tiny(&[("crossbar.read_latency_cycles", 1), ("crossbar.program_cycles", 0)]);
    mvm(&config, 20, 6, 4, Corners::default(), "latency 1");
}

/// Two kernels on a crossbar of +1 cells: kernel 0 adds all columns, kernel 1 subtracts them; the values are worked out by hand.
fn rails(input_bits: usize, signed: bool) -> Program {
    let config = tiny(&[]);
    let slot = |kernel: usize, switch: i8| Slot {
        items: (0..4).map(|lane| (lane == kernel).then_some(Item { kernel, plane: 0 })).collect(),
        switches: vec![switch; 16],
    };
    let slots = vec![vec![vec![slot(0, 1)], vec![Slot::empty(&config)], vec![slot(1, -2)]]];
    let requantize = Requantize { multiplier: vec![1, 1], offset: vec![0, 0], shift: 1, low: 0, high: 0, raw: true };
    let layer = LayerProgram {
        name: "rails".into(),
        shape: mvm_shape(16, 1, 2),
        input_bits,
        signed,
        gain: 0,
        tiles: 1,
        block_positions: 1,
        home: vec![0, 1],
        slots,
        requantize,
    };
    Program::chain("rails", &config, vec![vec![1; 256]], vec![layer])
}

#[test]
fn codes_saturate_on_both_rails_and_an_empty_slot_does_nothing() {
    let config = tiny(&[]);
    // All wordlines high: the lane sums are +256 and -256, the codes 127 and -128.
    for (bits, signed, input, expected) in [
        (8, false, 255, [127 * 255, -128 * 255]),
        (1, false, 1, [127, -128]),
        // -1 has every plane set: 127 (1 + ... + 64 - 128) = -127, and +128 for the other rail.
        (8, true, -1, [-127, 128]),
        (8, true, -128, [-128 * 127, 128 * 128]),
    ] {
        let program = rails(bits, signed);
        let input = vec![input; 16];
        assert_eq!(Golden.run(&config, &program, &input).unwrap(), [expected.map(i64::from)]);
        for mut executor in verilators(1, 0) {
            check(&mut executor, &config, &program, &input, "rails");
        }
    }
}
