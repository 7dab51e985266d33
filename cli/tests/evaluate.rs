//! `basisn evaluate`: reports that other programs and people can use, and clear refusals.

#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use std::fs;

use common::{basisn, folder, names};
use serde_json::Value;

#[test]
fn a_report_is_complete_and_needs_nothing_from_elsewhere() {
    let folder = folder();
    let printed = basisn(folder.path(), "evaluate --network resnet20-cifar100 --out out/evaluate").ok();
    assert!(printed.contains("64 crossbars, batch 1: BasisN"), "{printed}");
    let out = folder.path().join("out/evaluate");
    let tables = ["area.csv", "energy.csv", "layers.csv", "ratios.csv", "report.html", "report.json"];
    assert_eq!(names(&out), [&tables[..], &["sensitivity.csv", "variants.csv"]].concat());
    let page = fs::read_to_string(out.join("report.html")).unwrap();
    assert!(!page.contains("http") && !page.contains("<script") && !page.contains("NaN"), "self-contained");
    let report: Value = serde_json::from_str(&fs::read_to_string(out.join("report.json")).unwrap()).unwrap();
    assert_eq!(report["points"].as_array().unwrap().len(), 9, "three sizes, three batches");
    assert_eq!(report["points"][0]["against"].as_array().unwrap().len(), 6, "all write models");
    let ratios = fs::read_to_string(out.join("ratios.csv")).unwrap();
    assert_eq!(ratios.lines().count(), 1 + 9 * 7, "every write model, and none");
    let fields: Vec<_> = ratios.lines().map(|line| line.split(',').count()).collect();
    assert!(fields.iter().all(|&n| n == fields[0]), "{fields:?}");
    for constant in report["constants"].as_array().unwrap() {
        assert!(page.contains(constant["key"].as_str().unwrap()), "{constant}");
    }
}

#[test]
fn what_is_asked_for_is_what_is_evaluated() {
    let folder = folder();
    let json = |more: &str| -> Value {
        let line =
            format!("evaluate --network resnet8-cifar10 --json --batch 4 --crossbars 16 --write-model typical {more}");
        serde_json::from_str(&basisn(folder.path(), &line).ok()).unwrap()
    };
    let time = |report: &Value, of: &str| report["points"][0][of].as_f64().unwrap();
    let report = json("");
    assert_eq!((report["points"][0]["crossbars"].as_u64(), report["points"][0]["batch"].as_u64()), (Some(16), Some(4)));
    assert_eq!(report["points"][0]["against"][0]["write_model"], "typical");
    let narrow = json("--input-bits 4");
    let ratio = time(&report, "time_ns") / time(&narrow, "time_ns");
    assert!((1.8..=2.0).contains(&ratio), "half the planes, half the time: {ratio}");
    let granted = |report: &Value| report["points"][0]["against"][0]["cost"]["time_ns"].as_f64().unwrap();
    let strict = json("--without replicate,overlap,skip-unchanged,pack-columns,keep-tiles");
    assert!(granted(&strict) > granted(&report));
    let constants = "[write.pulses]\nunit = \"pulses until a row is within its levels\"\nlow = 1\ntypical = 1\nhigh = 2\nsource = \"here\"\nconfidence = \"C\"\n";
    fs::write(folder.path().join("fast.toml"), constants).unwrap();
    assert!(granted(&json("--constants fast.toml")) < granted(&report));
}

#[test]
fn a_program_is_evaluated_with_its_own_slots() {
    let folder = folder();
    basisn(folder.path(), "compile --config tiny --out digits.safetensors").ok();
    let line = "evaluate --network digits.safetensors --batch 1 --json";
    let report: Value = serde_json::from_str(&basisn(folder.path(), line).ok()).unwrap();
    let simulate =
        "simulate --program digits.safetensors --input examples/digits/images.npy --images 1 --engine rtl --json";
    let simulated: Value = serde_json::from_str(&basisn(folder.path(), simulate).ok()).unwrap();
    let cycles: u64 = report["layers"].as_array().unwrap().iter().map(|layer| layer["cycles"].as_u64().unwrap()).sum();
    assert_eq!(simulated["cycles_per_inference"], cycles, "cycles of the RTL");
}

#[test]
fn two_reports_are_compared() {
    let folder = folder();
    let at = folder.path();
    basisn(at, "evaluate --network resnet8-cifar10 --batch 1 --out a").ok();
    basisn(at, "evaluate --network resnet8-cifar10 --batch 1 --input-bits 4 --out b").ok();
    let same = basisn(at, "evaluate --compare a/report.json a/report.json --json").ok();
    let same: Value = serde_json::from_str(&same).unwrap();
    assert!(same["rows"].as_array().unwrap().iter().all(|row| row["a"] == row["b"]));
    let text = basisn(at, "evaluate --compare a/report.json b/report.json --out both").ok();
    assert!(text.contains("64 crossbars, batch 1: time "), "{text}");
    assert_eq!(names(&at.join("both")), ["comparison.html", "comparison.json"]);
    fs::write(at.join("broken.json"), "{\"network\": 3").unwrap();
    basisn(at, "evaluate --compare a/report.json broken.json")
        .refused(2, &["broken.json", "report.json of basisn evaluate"]);
}

#[test]
fn what_cannot_be_evaluated_is_refused() {
    let folder = folder();
    let at = folder.path();
    let evaluate = |more: &str| basisn(at, &format!("evaluate --out out {more}"));
    evaluate("--network resnet19-imagenet").refused(2, &["resnet19-imagenet"]);
    evaluate("--network resnet18-imagenet --config tiny").refused(2, &["layer ", "core."]);
    evaluate("--network resnet8-cifar10 --crossbars 12").refused(2, &["12 crossbars", "multiple of 8"]);
    evaluate("--network resnet8-cifar10 --write-model slow").refused(2, &["no write model slow", "mnsim"]);
    evaluate("--network resnet8-cifar10 --constants none.toml").refused(2, &["none.toml", "not readable"]);
    fs::write(at.join("c.toml"), "[adc.energy]\nunit = \"pJ\"\n").unwrap();
    evaluate("--network resnet8-cifar10 --constants c.toml").refused(2, &["c.toml, adc.energy", "unknown constant"]);
    assert_eq!(evaluate("").code, Some(2));
    assert_eq!(evaluate("--network resnet8-cifar10 --batch 0").code, Some(2));
    assert_eq!(names(at), ["c.toml", "examples"], "no output is left");
}
