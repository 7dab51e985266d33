//! `basisn simulate --macro`: campaigns on non-ideal macros, their replay, alone and on RTL, and their continuation.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod common;

use std::fs;
use std::path::Path;

use common::{IMAGES, basisn, files, simulate, tiny};
use serde_json::Value;

const LABELS: &str = "--labels examples/digits/labels.npy";

fn json(path: &Path) -> Value {
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

#[test]
fn a_campaign_reports_every_point_and_each_trial_can_be_replayed_alone_and_on_rtl() {
    let folder = tiny();
    let sweeps = "--sweep sigma=0,0.05,0.4 --sweep time_s=1,1e6";
    let text =
        simulate(folder.path(), &format!("--images 20 {LABELS} --macro neurram --trials 3 --seed 7 {sweeps} --out c"));
    assert!(text.contains("programming.sigma = 0.4") && text.contains("report: c/campaign.html"), "{text}");
    let report = json(&folder.path().join("c/campaign.json"));
    let points = report["points"].as_array().unwrap();
    assert_eq!(points.len(), 5);
    let mean = |i: usize| points[i]["accuracy"]["mean"].as_f64().unwrap();
    assert!(mean(0) > mean(2), "more error, less accuracy: {text}");
    let csv = fs::read_to_string(folder.path().join("c/trials.csv")).unwrap();
    assert_eq!(csv.lines().count(), 1 + 5 * 3);
    assert!(
        csv.starts_with("key,value,seed,accuracy,agreement,pulses,failed_cells,snr_db_conv1,saturated_conv1,"),
        "{csv}"
    );
    let page = fs::read_to_string(folder.path().join("c/campaign.html")).unwrap();
    assert_eq!(page.matches("<svg").count(), 2);
    assert!(page.contains(&fs::read_to_string(folder.path().join("c/programming.sigma.svg")).unwrap()));

    // Trial 8 at sigma = 0.05, alone; then its first images on RTL too.
    let trial = &points[1]["trials"][1];
    assert_eq!(trial["seed"], 8);
    fs::write(folder.path().join("m.toml"), "preset = \"neurram\"\n[programming]\nsigma = 0.05\n").unwrap();
    let alone =
        simulate(folder.path(), &format!("--images 20 {LABELS} --macro m.toml --seed 8 --engine golden --json"));
    assert_eq!(serde_json::from_str::<Value>(&alone).unwrap()["accuracy"], trial["accuracy"]);
    let both = simulate(folder.path(), "--images 4 --macro m.toml --seed 8 --engine both --dump rtl");
    assert!(both.trim_end().ends_with("bit-exact: 4 layers, 14376 values, 0 mismatches"), "{both}");
    simulate(folder.path(), "--images 4 --engine golden --dump ideal");
    assert!(files(&folder.path().join("rtl")) != files(&folder.path().join("ideal")), "the errors are there");
}

#[test]
fn an_interrupted_campaign_goes_on_and_another_one_is_refused() {
    let folder = tiny();
    let run = |more: &str| simulate(folder.path(), &format!("--images 3 {LABELS} --macro worst --out c {more}"));
    run("--trials 4");
    let records = folder.path().join("c/trials.jsonl");
    let whole = fs::read_to_string(&records).unwrap();
    let csv = fs::read_to_string(folder.path().join("c/trials.csv")).unwrap();
    // Cut off in the middle of the third trial; the second is marked to show that it is not run again.
    let lines: Vec<&str> = whole.lines().collect();
    let marked = lines[2].replace("\"failed_cells\":", "\"failed_cells\":1000");
    fs::write(&records, format!("{}\n{}\n{marked}\n{}", lines[0], lines[1], &lines[3][..40])).unwrap();
    run("--trials 4");
    let again = fs::read_to_string(&records).unwrap();
    assert_eq!(again.lines().count(), 5);
    assert!(again.contains("\"failed_cells\":1000"));
    assert_eq!(again.replace("\"failed_cells\":1000", "\"failed_cells\":"), whole);
    assert_ne!(fs::read_to_string(folder.path().join("c/trials.csv")).unwrap(), csv, "the marked trial is reported");
    let other =
        format!("simulate --program p.safetensors --input {IMAGES} --images 4 --trials 4 --macro worst --out c");
    let refused = basisn(folder.path(), &other);
    refused.refused(2, &["the folder holds a campaign of another", "name another folder with --out"]);
}

#[test]
fn bad_models_and_sweeps_are_told() {
    let folder = tiny();
    let start = format!("simulate --program p.safetensors --input {IMAGES} --images 1");
    fs::write(folder.path().join("bad.toml"), "[read]\nsigma = 2\n").unwrap();
    for (more, parts) in [
        ("--macro nosuch", &["nosuch", "one of the presets ideal, isaac, neurram, worst"][..]),
        ("--macro bad.toml", &["bad.toml, read.sigma", "2 is out of range"]),
        ("--sweep sigma=0,2 --out c", &["programming.sigma", "2 is out of range"]),
        ("--sweep colour=1 --out c", &["no number colour"]),
        ("--macro worst --body verilog", &["--body verilog", "read: it has no noise", "leave out --body verilog"]),
    ] {
        basisn(folder.path(), &format!("{start} {more}")).refused(2, parts);
        assert!(!folder.path().join("c").exists(), "{more} leaves nothing");
    }
}

#[test]
fn portable_verilog_computes_with_the_cells_of_a_device() {
    let folder = tiny();
    let cells =
        "[programming]\nsigma = 0.1\n[faults]\nstuck_low = 0.05\n[aging]\ntime_s = 1e4\ndrift_exponent = 0.02\n";
    fs::write(folder.path().join("cells.toml"), cells).unwrap();
    let both = format!("simulate --program p.safetensors --input {IMAGES} --images 2 --seed 5 --dump");
    let compared = basisn(folder.path(), &format!("{both} cells --macro cells.toml --body verilog")).ok();
    assert!(compared.contains(" 0 mismatches"), "{compared}");
    basisn(folder.path(), &format!("{both} ideal --body verilog")).ok();
    let dumped = |name: &str| {
        let mut files: Vec<_> = fs::read_dir(folder.path().join(name)).unwrap().map(|f| f.unwrap().path()).collect();
        files.sort();
        files.into_iter().map(|file| fs::read(file).unwrap()).collect::<Vec<_>>()
    };
    assert!(dumped("cells") != dumped("ideal"), "the errors are there");
}

#[test]
fn inspect_tells_what_writing_takes_and_which_cells_failed() {
    let folder = tiny();
    let text = basisn(folder.path(), "inspect p.safetensors --macro worst --seed 3").ok();
    let json: Value =
        serde_json::from_str(&basisn(folder.path(), "inspect p.safetensors --macro worst --seed 3 --json").ok())
            .unwrap();
    let cells: u64 = json["writing"]["cells_by_pulses"].as_array().unwrap().iter().map(|c| c.as_u64().unwrap()).sum();
    assert_eq!(cells, 512, "two cells for each of 16 x 16 levels");
    let failed = json["writing"]["failed_cells"].as_array().unwrap();
    assert!(!failed.is_empty() && text.contains(&format!("{} cells failed", failed.len())), "{text}");
    let first = &failed[0];
    let place = format!("failed: core 0 tile 0 row {} column {}: level ", first["row"], first["column"]);
    assert!(text.contains(&place), "{place} in {text}");
    assert!(!basisn(folder.path(), "inspect p.safetensors").ok().contains("writing"));
}
