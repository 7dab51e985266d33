//! Training of coefficients: kernels of a group own disjoint columns, and what training believes is what the chip computes.

#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use std::path::Path;
use std::sync::Arc;

use basisn_compiler::coefficient::CoefficientCode;
use basisn_compiler::{Fitted, ScheduleOptions, lower};
use basisn_models::rram::{Device, MacroModel};
use basisn_train::agreement;
use basisn_train::basis_model::{Coding, Sharing, Start};
use basisn_train::chip::{measured, tiles_of};
use basisn_train::options::Options;
use basisn_train::penalty::Penalties;
use basisn_train::plan::{Choice, Plan};
use basisn_train::train::{BasisOptions, Training};
use basisn_train::{export, noise};
use common::{Recorder, chip, digits, short_basis};

/// The coding of `basis` with another sharing.
fn sharing(sharing: Sharing, basis: &BasisOptions) -> Coding {
    let coding = basis.coding.clone();
    Coding { choice: Choice { sharing, ..coding.choice }, ..coding }
}

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
        let basis = BasisOptions { coding: Coding { start, ..basis.coding.clone() }, ..basis };
        let training = Training::basis(&float, &dataset, &config, basis, options).unwrap();
        let fitted = export::fitted(&training, &float).unwrap();
        fitted.layers.iter().map(|layer| layer.weight_error).sum::<f64>()
    };
    let (joint, repaired, ordinary) = (error(Start::Joint), error(Start::Repaired), error(Start::Ordinary));
    assert!(joint < 0.9 * repaired && repaired < 0.9 * ordinary, "{joint} {repaired} {ordinary}");
}

#[test]
fn a_plan_gives_single_layers_their_own_groups_and_planes() {
    let (float, dataset) = digits();
    let config = chip();
    let (basis, options) = short_basis(1);
    let own = Choice { code: CoefficientCode::csd(2), sharing: Sharing::Groups(8) };
    let with = |layer: &str| {
        let coding = Coding { plan: Plan::new([(layer.to_string(), own)]), ..basis.coding.clone() };
        Training::basis(&float, &dataset, &config, BasisOptions { coding, ..basis.clone() }, options.clone())
    };
    let mut training = with("conv3").unwrap();
    training.run(&mut Recorder::default()).unwrap();
    training.finish().unwrap();
    let fitted = export::fitted(&training, &float).unwrap();
    let planes: Vec<usize> = fitted.layers.iter().map(|layer| layer.code.planes).collect();
    assert_eq!(planes, [1, 1, 2, 1]);
    let largest = fitted.layers[2].coefficients.iter().map(|c| c.abs()).max();
    assert!(largest > Some(1), "{largest:?}");
    let compiled = lower(&fitted, &config, ScheduleOptions::default()).unwrap();
    let slots: Vec<usize> = compiled.report.layers.iter().map(|layer| layer.slots_per_subvector[0]).collect();
    assert_eq!(slots, [1, 2, 2, 1], "groups of eight take one slot for each of two planes");
    let found = agreement::compare(&training, &compiled.program, &config, None, &dataset, &dataset.test).unwrap();
    assert_eq!(found.differences, []);
    let error = with("conv9").err().unwrap().to_string();
    assert!(error.contains("the network has no layer conv9; it has conv1, conv2, conv3, fc"), "{error}");
}

#[test]
fn a_term_against_contests_saves_slots_without_groups() {
    let (float, dataset) = digits();
    let config = chip();
    let slots = |contest| {
        let (basis, options) = short_basis(3);
        let penalties = Penalties { contest, ..Penalties::default() };
        let basis = BasisOptions { coding: sharing(Sharing::Nonzeros(16), &basis), penalties, ..basis };
        let options = Options { learning_rate: 0.02, batch: 4, ..options };
        let mut training = Training::basis(&float, &dataset, &config, basis, options).unwrap();
        training.run(&mut Recorder::default()).unwrap();
        training.finish().unwrap();
        let fitted = export::fitted(&training, &float).unwrap();
        lower(&fitted, &config, ScheduleOptions::default()).unwrap().report.slots
    };
    let (without, with) = (slots(0.0), slots(3.0));
    println!("{without} slots without the term, {with} with it");
    assert!(with < without);
}

#[test]
fn a_learned_basis_is_exported_and_agrees_with_the_golden_reference() {
    let (float, dataset) = digits();
    let config = chip();
    let (basis, options) = short_basis(4);
    let basis = BasisOptions { basis_every: Some(2), ..basis };
    // Many small steps: a cell has to come from one level to the other.
    let options = Options { batch: 2, ..options };
    let mut training = Training::basis(&float, &dataset, &config, basis, options).unwrap();
    let before = training.levels.clone();
    training.run(&mut Recorder::default()).unwrap();
    training.finish().unwrap();
    let flipped = training.levels[0].values.iter().zip(&before[0].values).filter(|(a, b)| a != b).count();
    println!("{flipped} cells changed");
    assert!(flipped > 0 && training.levels[0].values.iter().all(|level| level.abs() == 1.0));
    let fitted = export::fitted(&training, &float).unwrap();
    let exported: Vec<f32> = fitted.bases[0].levels.iter().map(|&level| f32::from(level)).collect();
    assert_eq!(exported, training.levels[0].values);
    let compiled = lower(&fitted, &config, ScheduleOptions::default()).unwrap();
    let found = agreement::compare(&training, &compiled.program, &config, None, &dataset, &dataset.test).unwrap();
    assert_eq!(found.differences, []);
}

#[test]
fn training_sees_a_fresh_chip_in_every_step() {
    let (float, dataset) = digits();
    let config = chip();
    let losses = |model: Option<&str>| {
        let (basis, options) = short_basis(1);
        let chips = model.map(|name| Arc::new(MacroModel::load(name).unwrap()));
        let basis = BasisOptions { chips, ..basis };
        let mut recorder = Recorder::default();
        let mut training = Training::basis(&float, &dataset, &config, basis, options).unwrap();
        training.run(&mut recorder).unwrap();
        recorder.losses
    };
    assert_eq!(losses(Some("ideal")), losses(None), "an ideal chip changes nothing");
    let real = losses(Some("neurram"));
    assert_eq!(real, losses(Some("neurram")), "a seed fixes every chip");
    assert!(real.iter().zip(losses(None)).all(|(a, b)| *a != b));
}

#[test]
fn cells_that_are_off_change_the_scores_and_more_error_changes_them_more() {
    let (float, dataset) = digits();
    let config = chip();
    let (basis, options) = short_basis(1);
    let basis = BasisOptions { coding: sharing(Sharing::Dense, &basis), ..basis };
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
fn kernels_are_on_the_tiles_whose_slots_run_them() {
    let config = chip().with("core.tiles", 8).unwrap();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/digits/fitted.safetensors");
    let fitted = Fitted::load(&path).unwrap();
    let program = lower(&fitted, &config, ScheduleOptions::default()).unwrap().program;
    assert!(program.layers.iter().any(|layer| layer.tiles < config.tiles()), "a layer leaves tiles out");
    for (layer, tiles) in program.layers.iter().zip(tiles_of(&fitted, &program)) {
        for (tile, slot) in layer.slots.iter().flatten().flat_map(|slots| slots.iter().enumerate()) {
            slot.items.iter().flatten().for_each(|item| assert_eq!(tiles[item.kernel], tile, "{}", layer.name));
        }
    }
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
    let program = lower(&fitted, &config, ScheduleOptions::default()).unwrap().program;
    refit.refit_on(measured(&config, &device, &fitted.bases[0].levels), tiles_of(&fitted, &program));
    refit.run(&mut Recorder::default()).unwrap();
    refit.finish().unwrap();
    let after = compare(&refit);
    assert_eq!(after.differences, []);
    println!("{} of {} before, {} after", before.right, before.images, after.right);
    assert!(after.right >= before.right);

    let (mut other, dense) = (begin(), BasisOptions { coding: sharing(Sharing::Groups(8), &basis), ..basis });
    assert!(other.start_from(&Fitted { layers: fitted.layers[1..].to_vec(), ..fitted.clone() }, "f").is_err());
    let mut grouped = Training::basis(&float, &dataset, &config, dense, options.clone()).unwrap();
    let text = grouped.start_from(&fitted, "f").unwrap_err().to_string();
    assert!(text.contains("layer conv2 has another shape, or coefficients of another form or sharing"), "{text}");
}
