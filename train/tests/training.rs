//! A training repeats bit for bit, learns, and refuses what does not fit.

// clippy.toml allows it in test functions, not in their helpers.
#![allow(clippy::unwrap_used)]

mod common;

use std::path::Path;

use basisn_compiler::{Dataset, Network};
use basisn_train::train::{Options, train};
use basisn_train::weights::export;
use common::{odd, short};

/// The digits with few training images and few held-out ones.
fn digits() -> (Network, Dataset) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/digits");
    let network = Network::load(&folder.join("network.toml")).unwrap();
    let mut dataset = Dataset::load(&folder).unwrap();
    dataset.train.truncate(240);
    dataset.test.truncate(60);
    (network, dataset)
}

#[test]
fn the_same_seed_gives_the_same_bits_and_another_seed_other_ones() {
    let (network, dataset) = digits();
    let run = |seed| {
        let options = Options { seed, ..short(2) };
        let trained = train(&network, &dataset, &options, |_| {}).unwrap();
        export(&trained.model, &network).unwrap()
    };
    let first = run(1);
    assert_eq!(first, run(1));
    assert_ne!(first, run(2));
}

#[test]
fn the_loss_falls() {
    let (network, dataset) = digits();
    let options = Options { batch: 8, ..short(6) };
    let mut losses = Vec::new();
    let trained = train(&network, &dataset, &options, |epoch| losses.push(epoch.train_loss)).unwrap();
    assert_eq!(losses.len(), 6);
    assert!(losses[5] < 0.6 * losses[0], "{losses:?}");
    assert!(trained.test.accuracy() > 0.5, "{:?}", trained.test);
    assert_eq!(trained.last.validation.unwrap().of, 24, "a tenth of 240, class by class");
    assert!(trained.last.learning_rate < 1e-4);
}

#[test]
fn refusals_say_what_where_why_and_what_to_do() {
    let (network, dataset) = odd();
    let refuse = |network: &Network, dataset: &Dataset, options: &Options| {
        train(network, dataset, options, |_| {}).unwrap_err().to_string()
    };
    let mut wide = network.clone();
    wide.input.width = 9;
    assert_eq!(
        refuse(&wide, &dataset, &short(1)),
        "the dataset cannot be used\n  at:    images.npy\n  cause: images are [2, 5, 7], the input of network odd is [2, 5, 9]\n  \
         fix:   correct the file; examples/digits/README.md describes the four files"
    );
    let mut open = network.clone();
    open.layers.truncate(2);
    assert_eq!(
        refuse(&open, &dataset, &short(1)),
        "the network cannot be trained\n  at:    network odd, layer b\n  cause: the last layer gives 2 x 3 positions, a class score has one\n  \
         fix:   end with a layer that gives one number for each class"
    );
    assert_eq!(
        refuse(&network, &dataset, &Options { batch: 0, ..short(1) }),
        "training cannot start\n  at:    --batch\n  cause: 0; at least 1\n  fix:   see basisn-train --help"
    );
    let text = refuse(&network, &dataset, &short(0));
    assert!(text.contains("--epochs\n  cause: 0; at least 1"), "{text}");
    let text = refuse(&network, &dataset, &Options { learning_rate: f64::NAN, ..short(1) });
    assert!(text.contains("--learning-rate\n  cause: NaN; a positive number"), "{text}");
}

#[test]
fn a_loss_that_is_no_number_ends_the_training() {
    let (network, dataset) = odd();
    let options = Options { learning_rate: 1e38, ..short(50) };
    let text = train(&network, &dataset, &options, |_| {}).unwrap_err().to_string();
    assert!(text.starts_with("training diverged\n  at:    epoch "), "{text}");
    assert!(text.contains("fix:   lower --learning-rate"), "{text}");
}
