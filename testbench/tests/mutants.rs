//! Seeded bugs: every mutant of RTL, macro, program or model must be noticed, so that green suites mean something.
//!
//! The problems have a fixed seed: whether a mutant is caught must not depend on luck.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod common;

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use basisn_arch::{ChipConfig, Geometry, Program, Slot};
use basisn_models::random::{Corners, generator, mvm_shape, random_input, random_program};
use basisn_models::verilog::Body;
use basisn_models::{Executor, Golden, compare};
use basisn_testbench::Error;
use basisn_testbench::executor::{Mutation, Verilator};

/// The chip that shows a mutant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Chip {
    /// `tiny`.
    Tiny,
    /// `tiny` with two tiles.
    TwoTiles,
    /// `tiny` with two tiles that give two results a beat.
    TwoResults,
    /// `tiny` with three tiles, of which two are drained at once.
    ThreeTiles,
    /// `tiny` whose macro is ready in every third cycle only.
    SlowMacro,
}

impl Chip {
    fn config(self) -> ChipConfig {
        let tiny = ChipConfig::load("tiny").unwrap();
        match self {
            Chip::Tiny => tiny,
            Chip::TwoTiles => tiny.with("core.tiles", 2).unwrap(),
            Chip::TwoResults => {
                tiny.with("core.tiles", 2).and_then(|chip| chip.with("core.results_per_beat", 2)).unwrap()
            }
            Chip::ThreeTiles => {
                tiny.with("core.tiles", 3).and_then(|chip| chip.with("core.results_per_beat", 2)).unwrap()
            }
            Chip::SlowMacro => tiny.with("crossbar.read_interval_cycles", 3).unwrap(),
        }
    }
}

/// A bug: name, chip, file, text, changed text. The file `macro` is the macro's body.
type Mutant = (&'static str, Chip, &'static str, &'static str, &'static str);

const MUTANTS: &[Mutant] = &[
    (
        "a read of each position is dropped",
        Chip::Tiny,
        "sequencer",
        "stage1_valid_next = issue",
        "stage1_valid_next = issue & (issue_plane != 3'h1)",
    ),
    ("the macro's ready is ignored", Chip::SlowMacro, "sequencer", "goes = macros_ready & ", "goes = "),
    (
        "the sign plane of unsigned inputs counts negative",
        Chip::Tiny,
        "sequencer",
        "first_plane & input_signed",
        "first_plane",
    ),
    ("the sign plane of signed inputs counts positive", Chip::Tiny, "sequencer", "first_plane & input_signed", "1'h0"),
    (
        "reads overtake the drain of their psum half",
        Chip::Tiny,
        "sequencer",
        "stage2_last_plane & both_waiting",
        "1'h0",
    ),
    (
        "coefficient planes are shifted by one too many",
        Chip::Tiny,
        "accumulation_lane",
        "<< item_plane",
        "<< (item_plane + 3'h1)",
    ),
    ("input planes are not shifted", Chip::Tiny, "accumulation_lane", "{sum[14:0], 1'h0}", "sum"),
    (
        "a merged item is not added to its neighbour",
        Chip::Tiny,
        "accumulation_lane",
        "next_merge ? next_term",
        "1'h0 ? next_term",
    ),
    (
        "a merged item also updates its own bank",
        Chip::Tiny,
        "accumulation_lane",
        "term_valid & (~term_merge)",
        "term_valid",
    ),
    ("`first` is ignored", Chip::Tiny, "psum_bank", "write_first ? 32'h0", "1'h0 ? 32'h0"),
    (
        "lanes 0 and 1 get each other's codes",
        Chip::Tiny,
        "tile",
        "lane_0_code = rram_macro_codes[7:0]",
        "lane_0_code = rram_macro_codes[15:8]",
    ),
    (
        "cells are written to row = column",
        Chip::Tiny,
        "tile",
        "rram_macro_program_row = program_row",
        "rram_macro_program_row = program_column",
    ),
    (
        "polarity reaches the neighbouring column",
        Chip::Tiny,
        "tile_controller",
        "active_negative_next[3] = slot_word[58]",
        "active_negative_next[3] = slot_word[54]",
    ),
    (
        "a slot's items are taken with its switches",
        Chip::Tiny,
        "tile_controller",
        "if (code_slot_first)",
        "if (slot_take)",
    ),
    ("codes are expected a cycle early", Chip::Tiny, "tag_delay", "code_tag = tags[13:7]", "code_tag = tags[6:0]"),
    ("rows beyond the rows used are not masked", Chip::Tiny, "input_buffer", "<< rows_used", "<< (rows_used + 5'h1)"),
    ("the last row used is masked", Chip::Tiny, "input_buffer", "<< rows_used", "<< (rows_used - 5'h1)"),
    ("activations overwrite a full bank", Chip::Tiny, "input_buffer", "loading & (~load_full)", "loading"),
    (
        "slot beats overwrite a loaded slot",
        Chip::Tiny,
        "slot_loader",
        "ready = (~(in_turn & slot_loaded))",
        "ready = 1'h1",
    ),
    (
        "the last position of a short block is dropped",
        Chip::Tiny,
        "block_counter",
        "fits ? left",
        "fits ? -2'h1 + left",
    ),
    ("the drain doesn't wait for the result fifo", Chip::Tiny, "drain", "room = in_flight != 5'h10", "room = 1'h1"),
    (
        "the drain reads the half that lanes update",
        Chip::Tiny,
        "drain",
        "drain_half_1_next = half",
        "drain_half_1_next = ~half",
    ),
    ("lanes are drained in reverse", Chip::Tiny, "drain", "drain_lane_1_next = lane", "drain_lane_1_next = ~lane"),
    (
        "tiles are drained in reverse",
        Chip::TwoTiles,
        "drain",
        "psum_group = psum_group_4",
        "psum_group = ~psum_group_4",
    ),
    ("parameters of odd kernels go to the even ones", Chip::TwoResults, "registers", "<< wide_address[0]", "<< 1'h0"),
    (
        "a result that is not there is kept",
        Chip::TwoResults,
        "drain",
        "assign psum_valid = psum_valid_4",
        "assign psum_valid = {2{psum_valid_4[0]}}",
    ),
    ("a tile that is not there gives results", Chip::ThreeTiles, "drain", "(group_size >= 2'h2)", "1'h1"),
    ("words come for all tiles", Chip::ThreeTiles, "slot_loader", "tile == last_tile", "tile == 2'h2"),
    ("psum halves are not alternated", Chip::Tiny, "drain", "half_next = ~half", "half_next = half"),
    ("requantize doesn't round", Chip::Tiny, "requantize", "} + half_step", "}"),
    ("requantize doesn't clamp low", Chip::Tiny, "requantize", "result_next = low", "result_next = scaled"),
    ("requantize doesn't clamp high", Chip::Tiny, "requantize", "result_next = high", "result_next = scaled"),
    ("the result fifo ignores ready", Chip::Tiny, "result_fifo", "shown & result_ready", "shown"),
    ("the ADC doesn't saturate high", Chip::Tiny, "macro", "if (code > 32'sd127) code = 32'sd127;", ""),
    ("the ADC doesn't saturate low", Chip::Tiny, "macro", "if (code < -32'sd128) code = -32'sd128;", ""),
    ("the ADC doesn't round", Chip::Tiny, "macro", "$signed((32'd1 << shift) >> 1)", "32'sd0"),
    (
        "the macro is a cycle late",
        Chip::Tiny,
        "macro",
        "assign code_valid = stage_valid[1];\n\n  // Stage k holds the codes of a read k + 1 cycles after its transfer.\n  reg [31:0] stage_codes [0:1];\n  assign codes = stage_codes[1];",
        LATE,
    ),
];

const LATE: &str = "reg late_valid;
  reg [31:0] stage_codes [0:1];
  reg [31:0] late_codes;
  always @(posedge clock) begin
    late_valid <= stage_valid[1];
    late_codes <= stage_codes[1];
  end
  assign code_valid = late_valid;
  assign codes = late_codes;";

/// A program, its input, and how often the streams stall.
struct Problem {
    program: Program,
    input: Vec<i32>,
    stall_percent: u32,
}

/// Layers of several blocks, the last one short, of several subvectors, psum rows and slots, on every path of the arithmetic.
fn problems(config: &ChipConfig) -> Vec<Problem> {
    let mut random = generator(2407);
    let mut problem = |depth, positions, kernels, stall_percent, corners: Corners| {
        let program = random_program(&mut random, config, mvm_shape(depth, positions, kernels), &corners);
        let input = random_input(&mut random, &program.layers[0]);
        Problem { program, input, stall_percent }
    };
    let exact = Corners { raw: Some(true), gain: Some(0), input_bits: Some(8), ..Corners::default() };
    let rounded = Corners { raw: Some(false), gain: Some(2), input_bits: Some(4), ..Corners::default() };
    let few = Corners { slots: Some(1), input_bits: Some(1), block_positions: Some(4), ..exact };
    vec![
        problem(16, 6, 8, 0, Corners { signed: Some(false), ..exact }),
        rails(problem(16, 2, 8, 0, Corners { signed: Some(false), ..exact })),
        clamped(problem(16, 5, 8, 0, Corners { signed: Some(false), ..rounded })),
        problem(27, 11, 13, 30, Corners { signed: Some(true), ..exact }),
        problem(30, 7, 20, 80, Corners { signed: Some(false), block_positions: Some(3), ..rounded }),
        problem(45, 9, 5, 0, Corners { signed: Some(true), ..rounded }),
        problem(16, 15, 16, 0, few),
        problem(16, 15, 16, 90, few),
    ]
}

/// The same with all cells high, all wordlines high, and all columns of a slot on one lane, with either polarity in turn: lane
/// sums on both rails.
fn rails(mut problem: Problem) -> Problem {
    problem.program.basis.iter_mut().for_each(|levels| levels.fill(1));
    problem.input.fill(255);
    for (i, slot) in slots(&mut problem.program).enumerate() {
        if let Some(lane) = slot.items.iter().position(Option::is_some) {
            slot.switches.fill(if i % 2 == 0 { 1 } else { -1 } * (lane as i8 + 1));
        }
    }
    problem
}

/// The same with few results between the clamps and results beyond either of them.
fn clamped(mut problem: Problem) -> Problem {
    let r = &mut problem.program.layers[0].requantize;
    r.multiplier.iter_mut().enumerate().for_each(|(kernel, m)| *m = if kernel % 2 == 0 { 100 } else { -100 });
    r.offset.fill(0);
    (r.shift, r.low, r.high) = (8, -20, 20);
    problem
}

fn slots(program: &mut Program) -> impl Iterator<Item = &mut Slot> {
    program.layers[0].slots.iter_mut().flatten().flatten()
}

/// How the first of the problems that shows the mutant shows it; `None` if all are green.
fn noticed(mutation: Option<&Mutation>, config: &ChipConfig, problems: &[Problem]) -> Option<String> {
    for (i, p) in problems.iter().enumerate() {
        let mut rtl = Verilator::new(Body::Portable, i as u64, p.stall_percent);
        if let Some(mutation) = mutation {
            rtl = rtl.mutated(mutation.clone());
        }
        let shown = match rtl.run_network(config, &p.program, &p.input) {
            Ok(run) => {
                let expected = Golden.run(config, &p.program, &p.input).unwrap();
                let (compared, mismatches) = compare(&p.program, &expected, &run.values);
                mismatches.first().map(|m| format!("{} of {compared} values differ, first: {m}", mismatches.len()))
            }
            Err(e @ (Error::Protocol { .. } | Error::Hang { .. } | Error::Stopped { .. })) => {
                Some(e.to_string().replace('\n', ""))
            }
            // A mutant that does not apply or does not compile shows nothing.
            Err(e) => panic!("{mutation:?}: {e}"),
        };
        if let Some(shown) = shown {
            return Some(format!("problem {i}: {shown}"));
        }
    }
    None
}

#[test]
fn every_mutant_of_the_rtl_is_noticed() {
    for chip in [Chip::Tiny, Chip::TwoTiles, Chip::TwoResults, Chip::ThreeTiles, Chip::SlowMacro] {
        let config = chip.config();
        assert_eq!(noticed(None, &config, &problems(&config)), None, "{chip:?} is green without a mutation");
    }
    let next = AtomicUsize::new(0);
    let missed = Mutex::new(Vec::new());
    let worker = || {
        while let Some(&(name, chip, file, from, to)) = MUTANTS.get(next.fetch_add(1, Ordering::Relaxed)) {
            let config = chip.config();
            let file = if file == "macro" { config.macro_name() } else { file.into() };
            let mutation = Mutation { file: format!("{file}.v"), from: from.into(), to: to.into() };
            match noticed(Some(&mutation), &config, &problems(&config)) {
                Some(how) => println!("{name}: {how}"),
                None => missed.lock().unwrap().push(name),
            }
        }
    };
    let workers = std::thread::available_parallelism().map_or(1, |n| n.get());
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(worker);
        }
    });
    assert_eq!(missed.into_inner().unwrap(), Vec::<&str>::new(), "these mutants pass the suite");
}

/// The golden reference of a changed program or chip against the RTL of the true one.
#[test]
fn every_mutant_of_program_and_model_is_noticed() {
    let config = Chip::Tiny.config();
    let p = problems(&config).swap_remove(0);
    let got = Verilator::new(Body::Dpi, 1, 0).run(&config, &p.program, &p.input).unwrap();
    let differ = |config: &ChipConfig, program: &Program| {
        compare(program, &Golden.run(config, program, &p.input).unwrap(), &got).1.len()
    };
    assert_eq!(differ(&config, &p.program), 0, "green without a mutation");

    type Change = fn(&mut Program);
    let changes: [(&str, Change); 5] = [
        ("one switch has the other polarity", |p| {
            let switch = slots(p).flat_map(|slot| &mut slot.switches).find(|switch| **switch != 0).unwrap();
            *switch = -*switch;
        }),
        ("items are on the next coefficient plane", |p| {
            for item in slots(p).flat_map(|slot| slot.items.iter_mut().flatten()) {
                item.plane = (item.plane + 1) % 4;
            }
        }),
        ("an offset is larger by one", |p| p.layers[0].requantize.offset[0] += 1),
        ("a multiplier is larger by one", |p| p.layers[0].requantize.multiplier[0] += 1),
        ("the gain is larger by one", |p| p.layers[0].gain += 1),
    ];
    for (name, change) in changes {
        let mut program = p.program.clone();
        change(&mut program);
        let mismatches = differ(&config, &program);
        println!("{name}: {mismatches} values differ");
        assert!(mismatches > 0, "{name}: not noticed");
    }
    let narrow = config.with("adc.bits", 7).unwrap();
    let p = problems(&config).swap_remove(1);
    let program = Program { geometry: Geometry::from(&narrow), ..p.program.clone() };
    let got = Verilator::new(Body::Dpi, 1, 0).run(&config, &p.program, &p.input).unwrap();
    let expected = Golden.run(&narrow, &program, &p.input).unwrap();
    let mismatches = compare(&program, &expected, &got).1.len();
    println!("a golden ADC of 7 bits: {mismatches} values differ");
    assert!(mismatches > 0, "a golden ADC of 7 bits: not noticed");
}
