//! `basisn program`: the chip is written by RTL as by its model, failed cells are listed, and a fit takes them.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod common;

use std::fs;

use common::{basisn, folder};
use serde_json::Value;

const FAULTS: &str = "preset = \"neurram\"\n[faults]\nstuck_low = 0.02\nstuck_high = 0.02\n";

#[test]
fn rtl_writes_what_the_model_writes_and_a_fit_takes_the_failed_cells() {
    let folder = folder();
    let at = folder.path();
    fs::write(at.join("faults.toml"), FAULTS).unwrap();
    basisn(at, "compile --config tiny --out p.safetensors").ok();
    let text = basisn(at, "program --program p.safetensors --macro faults.toml --seed 3 --out w.json").ok();
    let report: Value = serde_json::from_str(&fs::read_to_string(at.join("w.json")).unwrap()).unwrap();
    let failed = report["failed_cells"].as_array().unwrap();
    assert!(!failed.is_empty() && text.contains(&format!("{} cells failed", failed.len())), "{text}");
    let first = &failed[0];
    assert_eq!(first["level"].as_i64().unwrap().abs(), 1);
    assert!((first["got"].as_f64().unwrap() - first["level"].as_f64().unwrap()).abs() > 1.0 / 32.0);
    let place = format!(
        "failed: core 0 tile 0 row {} column {}: level {} wanted",
        first["row"], first["column"], first["level"]
    );
    assert!(text.contains(&place), "{place} in {text}");
    let count = |key: &str| report[key].as_array().unwrap().iter().map(|c| c.as_u64().unwrap()).sum::<u64>();
    assert_eq!(count("cells_by_pulses"), 256);
    assert!(report["cycles_with_register_writes"].as_u64() > report["cycles"].as_u64());

    // What was written, listed with the program.
    let listed = basisn(at, "inspect p.safetensors --written w.json --histogram h.svg").ok();
    assert!(listed.contains(&place) && listed.contains(&format!("{} cells failed", failed.len())), "{listed}");
    let json: Value = serde_json::from_str(&basisn(at, "inspect p.safetensors --written w.json --json").ok()).unwrap();
    assert_eq!(json["writing"], report);
    assert!(fs::read_to_string(at.join("h.svg")).unwrap().contains("pulses of a cell"));

    // The same conductances in golden reference and RTL afterwards.
    fs::write(at.join("run.toml"), format!("{FAULTS}[write_verify]\nthrough_adc = true\n")).unwrap();
    let images = format!("--input {}/examples/digits/images.npy --images 1", common::root().display());
    let same = basisn(at, &format!("simulate --program p.safetensors --macro run.toml --seed 3 {images}")).ok();
    assert!(same.contains(" 0 mismatches"), "{same}");

    let fit = |more: &str| {
        let line = format!("fit --config tiny --out f.safetensors {more} --json");
        let report: Value = serde_json::from_str(&basisn(at, &line).ok()).unwrap();
        report["snr_db"].as_f64().unwrap()
    };
    let (anywhere, here) = (fit(""), fit("--written w.json"));
    assert!(anywhere != here, "the fit is to what is there");
    basisn(at, "compile --config tiny --fitted f.safetensors --out r.safetensors").ok();
}

#[test]
fn wrong_use_is_told() {
    let folder = folder();
    let at = folder.path();
    basisn(at, "compile --config tiny --out p.safetensors").ok();
    let program = "program --program p.safetensors --engine golden";
    basisn(at, &format!("{program} --macro ideal")).refused(2, &["--macro ideal", "its cells take no pulses"]);
    basisn(at, &format!("{program} --clock-mhz 0")).refused(2, &["--clock-mhz", "0 is no frequency"]);
    fs::write(at.join("w.json"), "{}").unwrap();
    let fit = "fit --config tiny --out f.safetensors --written w.json";
    basisn(at, fit).refused(2, &["w.json", "failed_cells", "basisn program --out"]);
    let cell = "{\"core\": 0, \"tile\": 1, \"row\": 0, \"column\": 0, \"level\": 1, \"got\": 0.0}";
    fs::write(at.join("w.json"), format!("{{\"failed_cells\": [{cell}]}}")).unwrap();
    basisn(at, fit).refused(2, &["core 0 tile 1 row 0 column 0 is not on this chip"]);
    let inspect = "inspect p.safetensors --histogram h.svg";
    basisn(at, &format!("{inspect} --written w.json")).refused(2, &["core 0 tile 1", "is no cell of this program"]);
    basisn(at, inspect).refused(2, &["--histogram", "add --macro with a model"]);
    assert!(!at.join("h.svg").exists());
    assert!(!at.join("f.safetensors").exists());
}
