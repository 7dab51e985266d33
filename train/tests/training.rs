//! A training repeats bit for bit, learns, goes on where it stopped, and refuses what does not fit.

// clippy.toml allows it in test functions, not in their helpers.
#![allow(clippy::unwrap_used)]

mod common;

use basisn_compiler::{Dataset, Graph, Network};
use basisn_train::options::{Keep, Options};
use basisn_train::train::{End, Training};
use basisn_train::{checkpoint, export};
use common::{Recorder, chip, digits, odd, short, short_basis};

fn train<'a>(graph: &Graph, dataset: &'a Dataset, options: Options) -> (Training<'a>, Recorder) {
    let mut training = Training::float(graph, dataset, options).unwrap();
    let mut recorder = Recorder::default();
    assert_eq!(training.run(&mut recorder).unwrap(), End::Finished);
    (training, recorder)
}

#[test]
fn the_same_seed_gives_the_same_bits_and_another_seed_other_ones() {
    let (float, dataset) = digits();
    let run = |seed| export::weights(&train(&float.graph, &dataset, Options { seed, ..short(2) }).0).unwrap();
    let first = run(1);
    assert_eq!(first, run(1));
    assert_ne!(first, run(2));
}

#[test]
fn the_loss_falls() {
    let (float, dataset) = digits();
    let (training, recorder) = train(&float.graph, &dataset, Options { batch: 8, ..short(6) });
    let losses: Vec<f64> = recorder.epochs.iter().map(|epoch| epoch.train_loss).collect();
    assert_eq!(losses.len(), 6);
    assert!(losses[5] < 0.6 * losses[0], "{losses:?}");
    let test = training.score(&dataset.test, false).unwrap();
    assert!(test.accuracy() > 0.5, "{test:?}");
    assert_eq!(recorder.epochs[5].validation.unwrap().of, 24, "a tenth of 240, class by class");
    assert!(recorder.epochs[5].learning_rate < 1e-4);
}

#[test]
fn a_resumed_training_has_the_losses_of_one_that_never_stopped() {
    let (float, dataset) = digits();
    let config = chip();
    let folder = tempfile::tempdir().unwrap();
    for with_basis in [false, true] {
        let begin = || {
            if with_basis {
                let (basis, options) = short_basis(4);
                let options = Options { keep: Keep::Best, ..options };
                Training::basis(&float, &dataset, &config, basis, options).unwrap()
            } else {
                Training::float(&float.graph, &dataset, short(4)).unwrap()
            }
        };
        let mut whole = (begin(), Recorder::default());
        whole.0.run(&mut whole.1).unwrap();

        let file = folder.path().join("checkpoint");
        // Seven steps an epoch: it stops in the third, after the checkpoint of the second.
        let mut saver =
            Saver { file: file.clone(), recorder: Recorder { stop_after: Some(17), ..Recorder::default() } };
        assert_eq!(begin().run(&mut saver).unwrap(), End::Stopped);
        assert_eq!(saver.recorder.losses, whole.1.losses[..17]);
        let mut second = (begin(), Recorder::default());
        checkpoint::load(&file, &mut second.0).unwrap();
        assert_eq!(second.0.run(&mut second.1).unwrap(), End::Finished);

        assert_eq!(second.1.losses, whole.1.losses[14..], "coefficients: {with_basis}");
        let strip = |training: &Training| {
            training.epochs.iter().map(|e| (e.number, e.train_loss, e.validation, e.contests)).collect::<Vec<_>>()
        };
        assert_eq!(strip(&second.0), strip(&whole.0));
        assert_eq!(second.0.best, whole.0.best);
        let values = |training: &Training| training.parameters.iter().map(|p| p.values().unwrap()).collect::<Vec<_>>();
        assert_eq!(values(&second.0), values(&whole.0));
    }
}

/// Writes a checkpoint after every epoch.
struct Saver {
    file: std::path::PathBuf,
    recorder: Recorder,
}

impl basisn_train::train::Watch for Saver {
    fn step(&mut self, batch: usize, batches: usize, loss: f64) {
        self.recorder.step(batch, batches, loss);
    }

    fn epoch(&mut self, training: &Training, epoch: &basisn_train::train::Epoch) -> Result<(), basisn_train::Error> {
        self.recorder.epoch(training, epoch)?;
        checkpoint::save(&self.file, training)
    }

    fn stop(&self) -> bool {
        self.recorder.stop()
    }
}

#[test]
fn checkpoints_of_other_settings_and_damaged_ones_are_refused() {
    let (network, dataset) = odd();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("checkpoint");
    checkpoint::save(&file, &train(&network.graph().unwrap(), &dataset, short(1)).0).unwrap();
    let refuse = |options| {
        let mut training = Training::float(&network.graph().unwrap(), &dataset, options).unwrap();
        checkpoint::load(&file, &mut training).unwrap_err().to_string()
    };
    let other = refuse(short(2));
    assert!(other.starts_with("training cannot go on\n  at:    ") && other.contains("epochs: 1"), "{other}");
    let bytes = std::fs::read(&file).unwrap();
    std::fs::write(&file, &bytes[..bytes.len() - 1]).unwrap();
    assert!(refuse(short(1)).contains("training cannot go on"));
    std::fs::remove_file(&file).unwrap();
    assert!(refuse(short(1)).contains("No such file"));
}

#[test]
fn training_ends_early_when_validation_gets_no_better_and_the_best_epoch_is_kept() {
    let (float, dataset) = digits();
    // So large a step that the first epochs destroy more than they learn.
    let options = Options { patience: Some(2), keep: Keep::Best, learning_rate: 0.3, ..short(40) };
    let mut training = Training::float(&float.graph, &dataset, options).unwrap();
    assert_eq!(training.run(&mut Recorder::default()).unwrap(), End::EarlyStop);
    let kept = training.kept().unwrap().clone();
    assert_eq!(training.epochs.len(), kept.number + 2);
    assert!(training.epochs.iter().all(|e| e.validation.unwrap().right <= kept.validation.unwrap().right));
    training.finish().unwrap();
    assert_eq!(training.score(&training.split.validation, false).unwrap(), kept.validation.unwrap());
}

#[test]
fn refusals_say_what_where_why_and_what_to_do() {
    let (network, dataset) = odd();
    let refuse = |network: &Network, dataset: &Dataset, options: Options| {
        Training::float(&network.graph().unwrap(), dataset, options).map(|_| ()).unwrap_err().to_string()
    };
    let mut wide = network.clone();
    wide.input.width = 9;
    assert_eq!(
        refuse(&wide, &dataset, short(1)),
        "the dataset cannot be used\n  at:    images.npy\n  cause: images are [2, 5, 7], the input of network odd is [2, 5, 9]\n  \
         fix:   correct the file; examples/digits/README.md describes the four files"
    );
    let mut open = network.clone();
    open.layers.truncate(2);
    assert_eq!(
        refuse(&open, &dataset, short(1)),
        "the network cannot be trained\n  at:    network odd, layer b\n  cause: the last layer gives 2 x 3 positions, a class score has one\n  \
         fix:   end with a layer that gives one number for each class"
    );
    assert_eq!(
        refuse(&network, &dataset, Options { batch: 0, ..short(1) }),
        "training cannot start\n  at:    --batch\n  cause: 0; at least 1\n  fix:   see basisn-train --help"
    );
    let text = refuse(&network, &dataset, short(0));
    assert!(text.contains("--epochs\n  cause: 0; at least 1"), "{text}");
    let text = refuse(&network, &dataset, Options { learning_rate: f64::NAN, ..short(1) });
    assert!(text.contains("--learning-rate\n  cause: NaN; a positive number"), "{text}");
    let text = refuse(&network, &dataset, Options { validation_share: 0.0, keep: Keep::Best, ..short(1) });
    assert!(text.contains("--keep best and --patience need validation images"), "{text}");
}

#[test]
fn a_loss_that_is_no_number_ends_the_training() {
    let (network, dataset) = odd();
    let options = Options { learning_rate: 1e38, ..short(50) };
    let mut training = Training::float(&network.graph().unwrap(), &dataset, options).unwrap();
    let text = training.run(&mut Recorder::default()).unwrap_err().to_string();
    assert!(text.starts_with("training diverged\n  at:    epoch "), "{text}");
    assert!(text.contains("fix:   lower --learning-rate"), "{text}");
}
