//! What the changes of `evaluate/src/variants.rs` that need no training do to the accuracy of the digits, by the golden reference on all
//! held-out images; `evaluate/measured/digits.json` has the figures. Accept others, once read, with `scripts/results`.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::path::Path;

use basisn_arch::ChipConfig;
use basisn_compiler::fit::FitOptions;
use basisn_compiler::fitted::Fitted;
use basisn_compiler::{Dataset, Model, Network, ScheduleOptions, compile, pixels};
use basisn_evaluate::accuracy::{Measured, measured};
use basisn_models::fast;

#[test]
fn accuracies_without_training_are_those_of_the_golden_reference() {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/digits");
    let network = Network::load(&examples.join("network.toml")).unwrap();
    let model = Model::of_network(&network, &examples.join("weights.safetensors")).unwrap();
    let data = Dataset::load(&examples).unwrap();
    let chip = ChipConfig::load("digits").unwrap();
    let train = pixels(&data, &data.train);
    let fit = |chip: &ChipConfig| compile::fit(&model, &train, chip, &FitOptions::local(chip)).unwrap();
    let fitted = fit(&chip);
    let images = pixels(&data, &data.test);
    let labels: Vec<_> = data.test.iter().map(|&i| usize::from(data.labels[i])).collect();

    let percent = |fitted: &Fitted, config: &ChipConfig| {
        let program = compile::lower(fitted, config, ScheduleOptions::default()).unwrap().program;
        let runs = fast::Core::new(config, &program, None).unwrap().run(&images, 0).unwrap();
        let class = |values: &[i64]| values.iter().enumerate().max_by_key(|(_, v)| **v).unwrap().0;
        let right =
            runs.iter().zip(&labels).filter(|(run, label)| class(run.values.last().unwrap()) == **label).count();
        (1e4 * right as f64 / images.len() as f64).round() / 100.0
    };
    let with = |key: &str, value: usize| chip.with(key, value).unwrap();
    let converted = |bits: usize| percent(&fit(&with("adc.bits", bits)), &with("adc.bits", bits));
    let now = Measured {
        adc_bits: [8, 7, 6, 5].map(|bits| (bits, converted(bits))).into(),
        tiles: [4, 2, 1].map(|tiles| (tiles, percent(&fitted, &with("core.tiles", tiles)))).into(),
    };
    println!("{now:?}");
    assert!(now.tiles.values().all(|p| *p == now.adc_bits[&8]), "one fit serves any number of crossbars");
    if std::env::var_os("BASISN_UPDATE").is_some() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("measured/digits.json");
        std::fs::write(path, serde_json::to_string_pretty(&now).unwrap() + "\n").unwrap();
        return;
    }
    assert_eq!(measured().unwrap(), now, "evaluate/measured/digits.json is out of date; run scripts/results");
}
