//! The table of docs/training.md is that of examples/digits/training.json, which scripts/train-digits writes.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod common;

use std::fs;

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
