//! The emitted accumulation lane equals the one written by hand, for all inputs and for ever after a reset, as Yosys proves by induction.
#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

use std::path::Path;
use std::process::Command;

use basisn_arch::ChipConfig;

/// Cycles of the induction: more than a value stays in a lane without being seen at its outputs.
const STEPS: usize = 3;

/// Whether Yosys proves the lane `text` equal to the hand-written one.
fn equal(text: &str) -> bool {
    let folder = tempfile::tempdir().unwrap();
    let written = Path::new(env!("CARGO_MANIFEST_DIR")).join("reference/accumulation_lane.v");
    std::fs::copy(written, folder.path().join("written.v")).unwrap();
    std::fs::write(folder.path().join("emitted.v"), text).unwrap();
    let side = |kind: &str| {
        format!(
            "read_verilog {kind}.v; hierarchy -top accumulation_lane; proc; opt_clean; rename accumulation_lane {kind}; design -stash {kind}; "
        )
    };
    let copies = "design -copy-from emitted -as emitted emitted; design -copy-from written -as written written; ";
    let read = format!("{}{}{copies}", side("emitted"), side("written"));
    let base = format!(
        "miter -equiv -flatten -make_assert emitted written both; hierarchy -top both; opt -full; \
         sat -verify -prove-asserts -set-at 1 in_reset 1 -prove-skip 1 -set-init-undef -seq {} both",
        STEPS + 1
    );
    let step = format!(
        "equiv_make emitted written both; hierarchy -top both; opt -full; equiv_struct; equiv_simple -undef -seq 3; \
         equiv_induct -undef -seq {STEPS}; equiv_status -assert"
    );
    [base, step].iter().all(|commands| {
        let script = format!("{read}{commands}");
        let output = Command::new("yosys").args(["-q", "-p", &script]).current_dir(folder.path()).output().unwrap();
        let printed = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
        let refuted = ["proof did fail", "unproven $equiv"].iter().any(|word| printed.contains(word));
        assert!(output.status.success() || refuted, "{printed}");
        output.status.success()
    })
}

#[test]
fn the_lane_is_the_hand_written_one_and_a_wrong_one_is_not() {
    let files = basisn_hdl::generate_core(&ChipConfig::load("digits").unwrap()).unwrap();
    let lane = &files.iter().find(|file| file.name == "accumulation_lane.v").unwrap().text;
    assert!(equal(lane));
    // The sign plane of a signed input is added instead of subtracted.
    let wrong = lane.replace("code_negative ? (-wide_code) : wide_code", "wide_code");
    assert_ne!(&wrong, lane);
    assert!(!equal(&wrong));
}
