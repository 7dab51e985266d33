//! Training of coefficients: kernels of a group own disjoint columns, and what training believes is what the chip computes.

#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use basisn_compiler::{ScheduleOptions, lower};
use basisn_train::agreement;
use basisn_train::basis_model::{Coding, Sharing, Start};
use basisn_train::train::{BasisOptions, Training};
use basisn_train::{export, noise};
use common::{Recorder, chip, digits, short_basis};

#[test]
fn grouped_training_keeps_accuracy_and_slots_and_agrees_with_the_golden_reference() {
    let (network, weights, dataset) = digits();
    let config = chip();
    let (basis, options) = short_basis(3);
    let mut training = Training::basis(&network, &weights, &dataset, &config, basis, options).unwrap();
    let before = training.score(&dataset.test, true).unwrap();
    let mut recorder = Recorder::default();
    training.run(&mut recorder).unwrap();
    training.finish().unwrap();
    assert!(recorder.epochs.windows(2).all(|w| !w[0].adc), "{:?}", recorder.epochs);
    assert!(recorder.epochs[2].adc && recorder.epochs.iter().all(|e| e.contests.is_some_and(|c| c > 0)));

    let fitted = export::fitted(&training, &network, &weights, &config).unwrap();
    fitted.check().unwrap();
    let compiled = lower(&fitted, &config, ScheduleOptions::default()).unwrap();
    let slots: Vec<usize> = compiled.report.layers.iter().map(|layer| layer.slots_per_subvector[0]).collect();
    assert_eq!(slots, [1, 2, 2, 1]);
    assert!((training.slots().unwrap() - 616.0 / 344.0).abs() < 1e-12);
    let found = agreement::compare(&training, &compiled.program, &config, &dataset, &dataset.test).unwrap();
    assert_eq!(found.differences, []);
    println!("{} of {} before, {} after", before.right, before.of, found.right);
    assert!(found.right > before.right && found.accuracy() >= 0.9);
}

#[test]
fn a_golden_reference_of_other_coefficients_is_noticed() {
    let (network, weights, dataset) = digits();
    let config = chip();
    let (basis, options) = short_basis(1);
    let mut training = Training::basis(&network, &weights, &dataset, &config, basis, options).unwrap();
    training.finish().unwrap();
    let mut fitted = export::fitted(&training, &network, &weights, &config).unwrap();
    fitted.layers[3].bias.reverse();
    let compiled = lower(&fitted, &config, ScheduleOptions::default()).unwrap();
    let found = agreement::compare(&training, &compiled.program, &config, &dataset, &dataset.test).unwrap();
    assert!(!found.differences.is_empty());
}

#[test]
fn joint_pursuit_starts_better_than_an_ordinary_fit_whose_columns_go_to_the_winner() {
    let (network, weights, dataset) = digits();
    let config = chip();
    let error = |start| {
        let (basis, options) = short_basis(1);
        let basis = BasisOptions { coding: Coding { start, ..basis.coding }, ..basis };
        let training = Training::basis(&network, &weights, &dataset, &config, basis, options).unwrap();
        let fitted = export::fitted(&training, &network, &weights, &config).unwrap();
        fitted.layers.iter().map(|layer| layer.weight_error).sum::<f64>()
    };
    assert!(error(Start::Joint) < 0.9 * error(Start::Ordinary));
}

#[test]
fn cells_that_are_off_change_the_scores_and_more_error_changes_them_more() {
    let (network, weights, dataset) = digits();
    let config = chip();
    let (basis, options) = short_basis(1);
    let basis = BasisOptions { coding: Coding { sharing: Sharing::Dense, ..basis.coding }, ..basis };
    let training = Training::basis(&network, &weights, &dataset, &config, basis, options).unwrap();
    let levels = training.levels.clone().unwrap();
    let ideal = training.scores(&dataset.test, Some(&levels), true).unwrap();
    let change = |sigma| {
        let off = noise::disturbed(&levels, sigma, 7, 0);
        let scores = training.scores(&dataset.test, Some(&off), true).unwrap();
        scores.iter().zip(&ideal).map(|(a, b)| f64::from(a - b).powi(2)).sum::<f64>()
    };
    let (small, large) = (change(0.01), change(0.1));
    assert!(small > 0.0 && large > 10.0 * small, "{small} {large}");
}
