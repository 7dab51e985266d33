//! The exported weights compute what the model computes, and the file holds them.

// clippy.toml allows it in test functions, not in their helpers.
#![allow(clippy::unwrap_used)]

mod common;

use std::collections::HashMap;
use std::path::Path;

use basisn_arch::ConvShape;
use basisn_compiler::{Dataset, Network};
use basisn_train::export;
use basisn_train::files::{self, NamedTensor};
use basisn_train::train::Training;
use common::{Recorder, odd, short};
use ndarray::Axis;

/// The network by loops over the exported arrays, in double precision.
fn plain_forward(network: &Network, exported: &[NamedTensor], pixels: &[f64]) -> Vec<f64> {
    let array = |name: String| &exported.iter().find(|t| t.name == name).unwrap().values;
    let mut x: Vec<f64> = pixels.iter().map(|p| p * network.input.scale).collect();
    for (layer, shape) in network.layers.iter().zip(network.shapes().unwrap()) {
        let (weight, bias) = (array(format!("{}.weight", layer.name)), array(format!("{}.bias", layer.name)));
        assert_eq!(weight.len(), shape.kernels * shape.depth());
        let mut y = Vec::new();
        for (kernel, &bias) in weight.chunks(shape.depth()).zip(bias) {
            for row in 0..shape.out_height() {
                for column in 0..shape.out_width() {
                    let sum = f64::from(bias)
                        + dot(&shape, kernel, &x, row * shape.window.stride[0], column * shape.window.stride[1]);
                    y.push(if layer.relu { sum.max(0.0) } else { sum });
                }
            }
        }
        x = y;
    }
    x
}

/// One kernel at one place of the zero-padded input.
fn dot(shape: &ConvShape, kernel: &[f32], x: &[f64], top: usize, left: usize) -> f64 {
    let mut weights = kernel.iter();
    let mut sum = 0.0;
    for channel in 0..shape.in_channels {
        for row in top..top + shape.window.kernel[0] {
            for column in left..left + shape.window.kernel[1] {
                let weight = f64::from(*weights.next().unwrap());
                let (y, x_) = (row.wrapping_sub(shape.window.padding[0]), column.wrapping_sub(shape.window.padding[1]));
                if y < shape.in_height && x_ < shape.in_width {
                    sum += weight * x[(channel * shape.in_height + y) * shape.in_width + x_];
                }
            }
        }
    }
    sum
}

fn pixels(dataset: &Dataset, image: usize) -> Vec<f64> {
    dataset.images.index_axis(Axis(0), image).iter().map(|&p| p.into()).collect()
}

fn trained<'a>(network: &Network, dataset: &'a Dataset, epochs: usize) -> Training<'a> {
    let mut training = Training::float(&network.graph().unwrap(), dataset, short(epochs)).unwrap();
    training.run(&mut Recorder::default()).unwrap();
    training
}

#[test]
fn exported_weights_compute_what_the_model_computes() {
    let (network, dataset) = odd();
    let training = trained(&network, &dataset, 8);
    let exported = export::weights(&training).unwrap();
    let shapes: HashMap<_, _> = exported.iter().map(|t| (t.name.as_str(), t.shape.clone())).collect();
    assert_eq!(shapes["a.weight"], [4, 2, 3, 3]);
    assert_eq!(shapes["b.bias"], [5]);
    assert_eq!(shapes["c.weight"], [6, 5 * 2 * 3], "[out, in], as in PyTorch");
    assert_eq!(exported.len(), 8);

    let images: Vec<usize> = (0..dataset.labels.len()).collect();
    let scores = training.scores(&images, &[], false).unwrap();
    for &image in &images {
        let expected = plain_forward(&network, &exported, &pixels(&dataset, image));
        for (class, wanted) in expected.into_iter().enumerate() {
            let found = f64::from(scores[3 * image + class]);
            assert!((found - wanted).abs() < 1e-4, "image {image}, class {class}: {found}, not {wanted}");
        }
    }
}

#[test]
fn the_file_holds_the_tensors_and_their_making() {
    let (network, dataset) = odd();
    let exported = export::weights(&trained(&network, &dataset, 1)).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("weights.safetensors");
    files::save(&path, &exported, "made_by", "a test".into()).unwrap();

    let bytes = std::fs::read(&path).unwrap();
    let (read, text) = files::load(&path, "made_by").unwrap();
    assert_eq!(text, "a test");
    let by_name = |tensors: &[NamedTensor]| -> HashMap<String, NamedTensor> {
        tensors.iter().map(|t| (t.name.clone(), t.clone())).collect()
    };
    assert_eq!(by_name(&read), by_name(&exported));
    files::save(&path, &exported, "made_by", "a test".into()).unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), bytes, "the same content gives the same bytes");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside the file");

    let text =
        files::save(&folder.path().join("none/weights"), &exported, "made_by", String::new()).unwrap_err().to_string();
    assert!(text.starts_with("cannot write a file\n  at:    "), "{text}");
}

#[test]
fn the_committed_digits_weights_have_the_accuracy_that_they_claim() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/digits");
    let network = Network::load(&folder.join("network.toml")).unwrap();
    let dataset = Dataset::load(&folder).unwrap();
    let (tensors, text) = files::load(&folder.join("weights.safetensors"), "basisn_training").unwrap();
    let right = dataset.test.iter().filter(|&&image| {
        let scores = plain_forward(&network, &tensors, &pixels(&dataset, image));
        let best = (0..scores.len()).max_by(|&a, &b| scores[a].total_cmp(&scores[b])).unwrap();
        best == usize::from(dataset.labels[image])
    });
    let accuracy = right.count() as f64 / dataset.test.len() as f64;
    let claimed = serde_json::from_str::<serde_json::Value>(&text).unwrap()["test_accuracy"].as_f64().unwrap();
    assert_eq!(accuracy, claimed);
    assert!(accuracy >= 0.99, "{accuracy}");
}
