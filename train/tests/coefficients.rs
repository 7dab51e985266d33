//! Training of coefficients: kernels of a group own disjoint columns, and what training believes is what the chip computes.

#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use std::sync::Arc;

use basisn_compiler::map::homes;
use basisn_compiler::{Fitted, ScheduleOptions, lower};
use basisn_models::rram::{Device, MacroModel};
use basisn_train::agreement;
use basisn_train::basis_model::{Coding, Sharing, Start};
use basisn_train::chip::measured;
use basisn_train::options::Options;
use basisn_train::train::{BasisOptions, Training};
use basisn_train::{export, noise};
use common::{Recorder, chip, digits, short_basis};

#[test]
fn grouped_training_keeps_accuracy_and_slots_and_agrees_with_the_golden_reference() {
    let (float, dataset) = digits();
    let config = chip();
    let (basis, options) = short_basis(3);
    let mut training = Training::basis(&float, &dataset, &config, basis, options).unwrap();
    let before = training.score(&dataset.test, true).unwrap();
    let mut recorder = Recorder::default();
    training.run(&mut recorder).unwrap();
    training.finish().unwrap();
    assert!(recorder.epochs.windows(2).all(|w| !w[0].adc), "{:?}", recorder.epochs);
    assert!(recorder.epochs[2].adc && recorder.epochs.iter().all(|e| e.contests.is_some_and(|c| c > 0)));

    let fitted = export::fitted(&training, &float).unwrap();
    fitted.check().unwrap();
    let compiled = lower(&fitted, &config, ScheduleOptions::default()).unwrap();
    let slots: Vec<usize> = compiled.report.layers.iter().map(|layer| layer.slots_per_subvector[0]).collect();
    assert_eq!(slots, [1, 2, 2, 1]);
    assert!((training.slots().unwrap() - 616.0 / 344.0).abs() < 1e-12);
    let found = agreement::compare(&training, &compiled.program, &config, None, &dataset, &dataset.test).unwrap();
    assert_eq!(found.differences, []);
    println!("{} of {} before, {} after", before.right, before.of, found.right);
    assert!(found.right > before.right && found.accuracy() >= 0.9);
}

#[test]
fn a_golden_reference_of_other_coefficients_is_noticed() {
    let (float, dataset) = digits();
    let config = chip();
    let (basis, options) = short_basis(1);
    let mut training = Training::basis(&float, &dataset, &config, basis, options).unwrap();
    training.finish().unwrap();
    let mut fitted = export::fitted(&training, &float).unwrap();
    fitted.layers[3].bias.reverse();
    let compiled = lower(&fitted, &config, ScheduleOptions::default()).unwrap();
    let found = agreement::compare(&training, &compiled.program, &config, None, &dataset, &dataset.test).unwrap();
    assert!(!found.differences.is_empty());
}

#[test]
fn joint_pursuit_starts_better_than_an_ordinary_fit_whose_columns_go_to_the_winner() {
    let (float, dataset) = digits();
    let config = chip();
    let error = |start| {
        let (basis, options) = short_basis(1);
        let basis = BasisOptions { coding: Coding { start, ..basis.coding }, ..basis };
        let training = Training::basis(&float, &dataset, &config, basis, options).unwrap();
        let fitted = export::fitted(&training, &float).unwrap();
        fitted.layers.iter().map(|layer| layer.weight_error).sum::<f64>()
    };
    let (joint, repaired, ordinary) = (error(Start::Joint), error(Start::Repaired), error(Start::Ordinary));
    assert!(joint < 0.9 * repaired && repaired < 0.9 * ordinary, "{joint} {repaired} {ordinary}");
}

#[test]
fn cells_that_are_off_change_the_scores_and_more_error_changes_them_more() {
    let (float, dataset) = digits();
    let config = chip();
    let (basis, options) = short_basis(1);
    let basis = BasisOptions { coding: Coding { sharing: Sharing::Dense, ..basis.coding }, ..basis };
    let training = Training::basis(&float, &dataset, &config, basis, options).unwrap();
    let levels = training.levels.clone();
    let ideal = training.scores(&dataset.test, &levels, true).unwrap();
    let change = |sigma| {
        let off = [noise::disturbed(&levels[0], sigma, 7, 0)];
        let scores = training.scores(&dataset.test, &off, true).unwrap();
        scores.iter().zip(&ideal).map(|(a, b)| f64::from(a - b).powi(2)).sum::<f64>()
    };
    let (small, large) = (change(0.01), change(0.1));
    assert!(small > 0.0 && large > 10.0 * small, "{small} {large}");
}

#[test]
fn a_refit_on_a_measured_chip_agrees_with_the_golden_reference_of_that_chip_and_gains() {
    let (float, dataset) = digits();
    let config = chip();
    let model = MacroModel::load("ideal").unwrap().with("programming.sigma", 0.1).unwrap();
    let device = Device { model: Arc::new(model), seed: 4 };
    let (basis, options) = short_basis(6);
    // Shifted images leave the training less sure, so that the chip's errors show on few images.
    let options = Options { shift: 1, ..options };
    let begin = || Training::basis(&float, &dataset, &config, basis.clone(), options.clone()).unwrap();
    let mut ideal = begin();
    ideal.run(&mut Recorder::default()).unwrap();
    ideal.finish().unwrap();
    let fitted = export::fitted(&ideal, &float).unwrap();
    let compare = |training: &Training| {
        let fitted = export::fitted(training, &float).unwrap();
        let program = lower(&fitted, &config, ScheduleOptions::default()).unwrap().program;
        agreement::compare(training, &program, &config, Some(&device), &dataset, &dataset.test).unwrap()
    };
    let before = compare(&ideal);
    assert!(!before.differences.is_empty(), "a training that does not know the chip believes something else");

    // Small steps: what is trained already must not be forgotten.
    let gentle = Options { learning_rate: 0.01, ..options.clone() };
    let mut refit = Training::basis(&float, &dataset, &config, basis.clone(), gentle).unwrap();
    refit.start_from(&fitted, "fitted").unwrap();
    let homes: Vec<Vec<u32>> = fitted
        .layers
        .iter()
        .map(|layer| homes(layer.shape.kernels, layer.groups.as_deref(), fitted.bases.len(), &config))
        .collect();
    refit.refit_on(measured(&config, &device, &fitted.bases[0].levels), &homes);
    refit.run(&mut Recorder::default()).unwrap();
    refit.finish().unwrap();
    let after = compare(&refit);
    assert_eq!(after.differences, []);
    println!("{} of {} before, {} after", before.right, before.images, after.right);
    assert!(after.right >= before.right);

    let (mut other, dense) =
        (begin(), BasisOptions { coding: Coding { sharing: Sharing::Groups(8), ..basis.coding }, ..basis });
    assert!(other.start_from(&Fitted { layers: fitted.layers[1..].to_vec(), ..fitted.clone() }, "f").is_err());
    let mut grouped = Training::basis(&float, &dataset, &config, dense, options.clone()).unwrap();
    let text = grouped.start_from(&fitted, "f").unwrap_err().to_string();
    assert!(text.contains("layer conv2 has another shape, or coefficients of another form or sharing"), "{text}");
}
