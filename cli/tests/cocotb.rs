//! The client in examples/cocotb, which knows the core only by its documentation: its results are those of the golden reference, in
//! Icarus and in Verilator, and a bug in the core is noticed.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod common;

use std::fs;
use std::path::Path;
use std::process::Command;

use common::{IMAGES, Ran, basisn, folder, python};

/// A block of `tiny` in `ip`, and the vectors of one image.
fn block_and_vectors(at: &Path) {
    basisn(at, "generate --config tiny --out ip").ok();
    basisn(at, "compile --config tiny --out p.safetensors").ok();
    let dump = format!("--input {IMAGES} --images 1 --engine golden --dump-vectors vectors");
    basisn(at, &format!("simulate --program p.safetensors {dump}")).ok();
}

/// Runs the client; it may take its stalls from another seed.
fn client(at: &Path, simulator: &str, layers: &str, more: &[&str]) -> Ran {
    let seed = std::env::var("BASISN_SEED").unwrap_or_else(|_| "1".into());
    println!("BASISN_SEED={seed}");
    let mut run = Command::new(python("python"));
    run.args(["examples/cocotb/run.py", "--ip", "ip", "--vectors", "vectors", "--simulator", simulator]);
    run.args(["--layers", layers, "--out", "built"]).args(more).env("BASISN_SEED", seed);
    run.current_dir(at).output().unwrap().into()
}

#[test]
fn the_client_sees_the_golden_results_and_notices_a_bug() {
    let folder = folder();
    let at = folder.path();
    block_and_vectors(at);
    python("python");
    std::thread::scope(|scope| {
        for simulator in ["icarus", "verilator"] {
            scope.spawn(move || {
                let ran = client(at, simulator, "conv1,fc", &[]);
                let passed = format!("2 of 2 tests passed in {simulator}");
                assert!(ran.out.contains(&passed) && ran.out.matches("PASS: 1034 results").count() == 2, "{ran:#?}");
                ran.ok();
            });
        }
    });
    let lane = at.join("ip/rtl/accumulation_lane.v");
    let text = fs::read_to_string(&lane).unwrap();
    let mutant = text.replace("<< item_plane", ">> item_plane");
    assert_ne!(text, mutant);
    fs::write(&lane, mutant).unwrap();
    let ran = client(at, "icarus", "fc", &[]);
    assert!(ran.code == Some(1) && ran.out.contains("0 of 2 tests passed"), "{ran:#?}");
}

#[test]
fn vectors_need_the_golden_reference() {
    let folder = folder();
    basisn(folder.path(), "compile --config tiny --out p.safetensors").ok();
    let line = format!("simulate --program p.safetensors --input {IMAGES} --engine rtl --dump-vectors vectors");
    basisn(folder.path(), &line).refused(2, &["--dump-vectors", "golden reference"]);
}

#[test]
fn the_driver_in_c_runs_a_layer_and_recovers_from_an_error() {
    let folder = folder();
    let at = folder.path();
    block_and_vectors(at);
    let ran = client(at, "icarus", "fc", &["--driver"]);
    assert!(ran.out.contains("PASS: 1 layers, each stopped by an error first"), "{ran:#?}");
    ran.ok();
}
