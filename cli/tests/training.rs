//! The tables of docs/training.md are those of examples/digits/training.json, which scripts/train-digits writes, and of the reports in
//! examples/drawn/study, which scripts/study-drawn prints.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod common;

use std::fs;
use std::process::Command;

use common::root;
use serde::Deserialize;

/// One way to train, over several seeds.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(dead_code, reason = "the fields are those that other programs find")]
struct Run {
    run: String,
    groups: Option<usize>,
    coefficients: Option<String>,
    activation_bits: Option<usize>,
    nonzeros: Option<usize>,
    epochs: usize,
    accuracy_percent: Vec<f64>,
    mean_percent: f64,
    slots: Option<f64>,
    differing_images: Option<usize>,
}

#[test]
fn the_documented_table_is_the_recorded_one() {
    let text = fs::read_to_string(root().join("examples/digits/training.json")).unwrap();
    let runs: Vec<Run> = serde_json::from_str(&text).unwrap();
    let page = fs::read_to_string(root().join("docs/training.md")).unwrap();
    let table = page.lines().skip_while(|line| !line.starts_with("| run | epochs | seed 0")).skip(2);
    let documented: Vec<&str> = table.take_while(|line| line.starts_with('|')).collect();
    let recorded: Vec<String> = runs
        .iter()
        .map(|run| {
            let accuracies: Vec<String> = run.accuracy_percent.iter().map(|a| format!("{a:.2}")).collect();
            let coefficients = match (run.slots, run.differing_images) {
                (Some(slots), Some(images)) => format!("{slots:.2} | {images}"),
                _ => " | ".into(),
            };
            let mean = run.mean_percent;
            format!("| {} | {} | {} | {mean:.2} | {coefficients} |", run.run, run.epochs, accuracies.join(" | "))
        })
        .collect();
    assert_eq!(documented, recorded);
    for run in &runs {
        let mean = run.accuracy_percent.iter().sum::<f64>() / run.accuracy_percent.len() as f64;
        assert!((mean - run.mean_percent).abs() < 0.01, "{}: {mean}", run.run);
        assert_eq!(run.differing_images.unwrap_or(0), 0, "{}: training and golden reference agree", run.run);
    }
}

#[test]
fn the_documented_study_is_the_recorded_one() {
    let show = ["scripts/study-drawn", "--small", "--show", "examples/drawn/study"];
    let shown = Command::new("python3").args(show).current_dir(root()).output().unwrap();
    assert!(shown.status.success(), "{shown:?}");
    let shown = String::from_utf8(shown.stdout).unwrap();
    let page = fs::read_to_string(root().join("docs/training.md")).unwrap();
    let tables: Vec<&str> = shown.trim().split("\n\n").collect();
    assert_eq!(tables.len(), 2, "accuracy against cycles, and the loss layer by layer: {shown}");
    for table in &tables {
        assert!(page.contains(&format!("\n\n{table}\n\n")), "not in docs/training.md:\n{table}");
    }
    let reports = fs::read_dir(root().join("examples/drawn/study")).unwrap().flatten();
    let reports = reports.filter(|file| file.path().extension().is_some_and(|e| e == "json")).count();
    assert_eq!(tables[0].lines().count(), 2 + reports, "every report has a row");
}
