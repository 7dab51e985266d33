//! Networks with residual sums and batch norm: what is exported computes what was trained, and the golden reference agrees.

#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use basisn_compiler::float::{dequantize, run};
use basisn_compiler::graph::topologies;
use basisn_compiler::{Dataset, Model, ScheduleOptions, lower, pixels};
use basisn_train::train::Training;
use basisn_train::{agreement, checkpoint, export, files};
use common::{Recorder, chip, digits, short, short_basis};

/// ResNet-8 for the digits, trained for some epochs.
fn resnet8(dataset: &Dataset, epochs: usize) -> Training<'_> {
    let graph = topologies::for_images("resnet8", dataset).unwrap();
    let mut training = Training::float(&graph, dataset, short(epochs)).unwrap();
    training.run(&mut Recorder::default()).unwrap();
    training
}

/// The exported weights, read back by the compiler.
fn exported(training: &Training) -> Model {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("weights.safetensors");
    files::save(&path, &export::weights(training).unwrap(), "made_by", "a test".into()).unwrap();
    Model::load(training.graph.clone(), &path).unwrap()
}

#[test]
fn a_residual_network_with_batch_norm_learns_and_agrees_with_the_golden_reference() {
    let (_, dataset) = digits();
    let training = resnet8(&dataset, 6);
    let layers = training.graph.matrix_layers();
    assert_eq!(layers.iter().map(|layer| layer.weights()).sum::<usize>(), 77_072);
    let float = exported(&training);
    let scores = training.scores(&dataset.test, &[], false).unwrap();
    for (image, found) in pixels(&dataset, &dataset.test).iter().zip(scores.chunks(10)) {
        let wanted = run(&float, &dequantize(&float.graph, image).unwrap(), &mut |_, _| ());
        let largest = wanted.iter().fold(1.0f32, |m, v| m.max(v.abs()));
        assert!(wanted.iter().zip(found).all(|(w, f)| (w - f).abs() < 1e-4 * largest), "{wanted:?} {found:?}");
    }
    let float_right = training.score(&dataset.test, false).unwrap().right;

    let config = chip();
    let (basis, options) = short_basis(6);
    let mut training = Training::basis(&float, &dataset, &config, basis, options).unwrap();
    training.run(&mut Recorder::default()).unwrap();
    training.finish().unwrap();
    let compiled = lower(&export::fitted(&training, &float).unwrap(), &config, ScheduleOptions::default()).unwrap();
    let found = agreement::compare(&training, &compiled.program, &config, None, &dataset, &dataset.test).unwrap();
    assert_eq!(found.differences, []);
    println!("{float_right} of {} in floating point, {} as coefficients", found.images, found.right);
    // Guessing gets a tenth.
    assert!(float_right >= 30 && found.right >= 30, "{float_right} {}", found.right);
    assert!(training.slots().unwrap() <= 1.5, "{:?}", training.slots());
}

#[test]
fn running_statistics_are_in_the_checkpoint() {
    let (_, dataset) = digits();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("checkpoint");
    let graph = topologies::for_images("resnet8", &dataset).unwrap();
    let begin = || Training::float(&graph, &dataset, short(2)).unwrap();
    let mut whole = begin();
    whole.run(&mut Recorder::default()).unwrap();

    let mut first = Saver(file.clone());
    assert!(begin().run(&mut first).is_err(), "stopped by its own error after the first epoch");
    let mut second = begin();
    checkpoint::load(&file, &mut second).unwrap();
    second.run(&mut Recorder::default()).unwrap();
    assert_eq!(export::weights(&second).unwrap(), export::weights(&whole).unwrap());
}

/// Writes a checkpoint after the first epoch and fails.
struct Saver(std::path::PathBuf);

impl basisn_train::train::Watch for Saver {
    fn step(&mut self, _: usize, _: usize, _: f64) {}

    fn epoch(&mut self, training: &Training, _: &basisn_train::train::Epoch) -> Result<(), basisn_train::Error> {
        checkpoint::save(&self.0, training)?;
        Err(basisn_train::Error::Options { at: "--epochs", cause: "one is enough".into() })
    }

    fn stop(&self) -> bool {
        false
    }
}

#[test]
fn convolutions_in_groups_are_refused() {
    let (_, dataset) = digits();
    let graph = topologies::for_images("mobilenet-v2", &dataset).unwrap();
    let error = Training::float(&graph, &dataset, short(1)).map(|_| ()).unwrap_err().to_string();
    assert!(error.contains("layer features.1.conv.0.0\n  cause: 32 groups of channels"), "{error}");
}
