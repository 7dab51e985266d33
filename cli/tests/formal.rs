//! The properties in hdl/formal hold for the emitted Verilog, and each of them notices a bug.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod common;

use std::fs;
use std::path::Path;
use std::process::Command;

use common::{BASISN, Ran, basisn, folder, root};

fn formal(at: &Path, arguments: &[&str]) -> Ran {
    let mut run = Command::new(root().join("scripts/formal"));
    run.args(arguments).env("BASISN", BASISN).current_dir(at).output().unwrap().into()
}

/// Module, what the bug does, text, changed text.
const MUTANTS: &[(&str, &str, &str, &str)] = &[
    ("accumulation_lane", "the next lane is not merged", "next_merge ? next_term", "1'h0 ? next_term"),
    (
        "accumulation_lane",
        "a sum is one bit too narrow",
        "shifted_sum_next = {{3{sum[15]}}, sum}",
        "shifted_sum_next = {{4{sum[14]}}, sum[14:0]}",
    ),
    ("axi_lite", "a response is withdrawn", "b_valid & s_axil_bready", "b_valid"),
    ("block_counter", "a full last block counts as not the last", "left <= {29'h0", "left < {29'h0"),
    ("coefficient_buffer", "the loaded word changes", "load_valid & (load_beat == 2'h0)", "load_beat == 2'h0"),
    ("drain", "more results than there is room for", "in_flight != 5'h10", "1'h1"),
    ("drain", "what a stopped layer left is counted", "in_flight_next = 5'h0", "in_flight_next = in_flight"),
    (
        "drain",
        "the second row of psums is at the wrong place",
        "row_base_next = row_base_d_part1[3:0]",
        "row_base_next = row_base",
    ),
    ("input_buffer", "a full bank is overwritten", "loading & (~load_full)", "loading"),
    ("layer_control", "a stopped layer's results get no tlast", "end_results = ", "end_results = 1'h0 & "),
    ("layer_control", "a second error replaces the first", "fails = error & (~stopped)", "fails = error"),
    (
        "plane_finder",
        "the planes of a position are those of the one before",
        "(input_position + 2'h2)",
        "(input_position + 2'h1)",
    ),
    ("program_controller", "a pulse more than allowed", "pulses >= max_pulses", "pulses > max_pulses"),
    ("program_controller", "a failed cell is not reported", "failed_here = (state == 3'h5)", "failed_here = 1'h0"),
    (
        "program_controller",
        "macros that are not ready are asked",
        "all_ready = program_ready | (~pending)",
        "all_ready = 1'h1",
    ),
    ("psum_bank", "a first update is added to what was there", "write_first ? 32'h0", "1'h0 ? 32'h0"),
    (
        "psum_bank",
        "psums have 31 bits",
        "upper_write_data = updated",
        "upper_write_data = {updated[30], updated[30:0]}",
    ),
    ("result_fifo", "a result that waits is replaced", "(~shown) | result_ready", "1'h1"),
    (
        "sequencer",
        "a read is left out",
        "stage1_valid_next = issue",
        "stage1_valid_next = issue & (issue_plane != 3'h1)",
    ),
    ("sequencer", "a psum half is written before it is drained", "stage2_last_plane & both_waiting", "1'h0"),
    ("sequencer", "a layer does not end", "running_next = ~read_blocks_last_block", "running_next = 1'h1"),
    ("slot_loader", "a loaded slot is overwritten", "~(in_turn & slot_loaded)", "1'h1"),
];

#[test]
fn every_property_holds() {
    let folder = folder();
    let proven = formal(folder.path(), &[]);
    let files = fs::read_dir(root().join("hdl/formal")).unwrap().map(|entry| entry.unwrap().path());
    let modules: Vec<_> = files.filter(|file| file.extension().is_some_and(|e| e == "sv")).collect();
    assert_eq!(proven.out.lines().filter(|line| line.starts_with("PASS ")).count(), modules.len(), "{proven:#?}");
    for module in modules.iter().map(|file| file.file_stem().unwrap().to_str().unwrap()) {
        assert!(MUTANTS.iter().any(|mutant| mutant.0 == module), "{module} has no seeded bug");
    }
    proven.ok();
}

#[test]
fn every_property_notices_a_bug() {
    let folder = folder();
    let at = folder.path();
    basisn(at, "generate --config tiny --out ip").ok();
    let skipping = fs::read_to_string(root().join("presets/tiny.toml")).unwrap();
    fs::write(at.join("skipping.toml"), skipping.replace("skip_zero_planes = 0", "skip_zero_planes = 1")).unwrap();
    basisn(at, "generate --config skipping.toml --out skipping").ok();
    let mut missed = Vec::new();
    for (i, (module, bug, from, to)) in MUTANTS.iter().enumerate() {
        // Only a chip that skips zero planes has it.
        let ip = if *module == "plane_finder" { "skipping" } else { "ip" };
        let file = at.join(format!("{ip}/rtl/{module}.v"));
        let text = fs::read_to_string(&file).unwrap();
        assert_eq!(text.matches(from).count(), 1, "{module}: {from}");
        let mutant = format!("mutant_{i}");
        assert!(Command::new("cp").args(["-r", ip, &mutant]).current_dir(at).status().unwrap().success());
        fs::write(at.join(&mutant).join(format!("rtl/{module}.v")), text.replace(from, to)).unwrap();
        let ran = formal(at, &["--ip", &mutant, module]);
        println!("{module}, {bug}: {}", ran.out.trim());
        if ran.code != Some(1) || !ran.out.starts_with(&format!("FAIL {module} ")) {
            missed.push((module, bug, ran));
        }
    }
    assert!(missed.is_empty(), "{missed:#?}");
}
