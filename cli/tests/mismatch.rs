//! RTL with a bug: `simulate` and `demo` name what differs and fail. The bug comes in with a Verilator that changes one line of the
//! Verilog before it translates it.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod common;

use std::fs;
use std::path::Path;

use common::{IMAGES, Ran, basisn, command, folder, names, script};

/// Forgets to round. Its version differs, so that its models are not taken for sound ones in the cache.
const FAULTY: &str = r#"#!/bin/bash
if [ "$1" = --version ]; then echo "$(verilator --version), without rounding"; exit; fi
if [ -e requantize.v ]; then
    sed -i "s/half_step_next = 50'h1 << .*;/half_step_next = 50'h0;/w changed" requantize.v
    [ -s changed ] || { echo "%Error: the line is not there" >&2; exit 1; }
fi
exec verilator "$@"
"#;

fn with_a_bug(folder: &Path, arguments: &str) -> Ran {
    let verilator = script(folder, "verilator", FAULTY);
    command(folder, arguments).env("BASISN_VERILATOR", verilator).output().unwrap().into()
}

#[test]
fn a_mismatch_is_named_and_fails() {
    let folder = folder();
    basisn(folder.path(), "compile --out p.safetensors").ok();
    let ran = with_a_bug(folder.path(), &format!("simulate --program p.safetensors --input {IMAGES} --images 1"));
    ran.refused(1, &["RTL and golden reference differ", "values differ; the first: image 0, layer conv1, position "]);
    let first = ran.out.lines().find(|l| l.starts_with("mismatch: ")).unwrap();
    for part in ["image 0, layer conv1, position ", ", kernel ", ": expected ", ", got ", ", cycle "] {
        assert!(first.contains(part), "{first}");
    }
    let cycle: u64 = first.rsplit_once(", cycle ").unwrap().1.parse().unwrap();
    assert!(cycle > 0);
    let last = ran.out.lines().last().unwrap();
    assert!(last.starts_with("bit-exact: 4 layers, ") && !last.ends_with(", 0 mismatches"), "{last}");
}

#[test]
fn the_demonstration_fails_too_and_still_leaves_its_report() {
    let folder = folder();
    let ran = with_a_bug(folder.path(), "demo --images 1 --json --out out");
    ran.refused(1, &["RTL and golden reference differ", "at:    basisn demo", ", kernel ", ", cycle "]);
    let figures: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    assert!(figures["mismatches"].as_u64().unwrap() > 0);
    assert_eq!(names(&folder.path().join("out")), ["demo.json", "ip", "program.safetensors", "report.html"]);
    let report = fs::read_to_string(folder.path().join("out/report.html")).unwrap();
    assert!(report.contains("values differ between RTL and the golden reference"));
}
