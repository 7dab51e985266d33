//! `basisn-train`: trains a network description on labelled images and writes its weights.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use basisn_compiler::{Dataset, Network};
use basisn_train::Error;
use basisn_train::train::{Epoch, Options, train};
use basisn_train::weights::{Provenance, export, save};
use clap::Parser;
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

/// Trains a network on labelled images, on the CPU, and writes its weights as safetensors.
///
/// The held-out images (test.npy) are looked at once, after the last epoch. A seed fixes every bit of the result.
#[derive(Parser)]
#[command(
    name = "basisn-train",
    version,
    after_help = "Example:\n  basisn-train --network examples/digits/network.toml --data examples/digits --out weights.safetensors"
)]
struct Arguments {
    /// Network description, TOML
    #[arg(long, value_name = "FILE")]
    network: PathBuf,
    /// Folder of images.npy, labels.npy, train.npy and test.npy
    #[arg(long, value_name = "FOLDER")]
    data: PathBuf,
    /// Weights file to write; an older one is replaced when training has succeeded
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Passes over the training images
    #[arg(long, default_value_t = Options::default().epochs)]
    epochs: usize,
    /// Images of one step
    #[arg(long, default_value_t = Options::default().batch)]
    batch: usize,
    /// Learning rate of the first step; falls to zero along a half cosine
    #[arg(long, default_value_t = Options::default().learning_rate)]
    learning_rate: f64,
    /// Decoupled weight decay of AdamW
    #[arg(long, default_value_t = Options::default().weight_decay)]
    weight_decay: f32,
    /// Target probability that is spread evenly over all classes
    #[arg(long, default_value_t = Options::default().label_smoothing)]
    label_smoothing: f32,
    /// Share of the training images that is only watched, 0 for none
    #[arg(long, default_value_t = Options::default().validation_share)]
    validation_share: f64,
    /// Fixes the initial weights, the validation images, the order and the shifts
    #[arg(long, default_value_t = Options::default().seed)]
    seed: u64,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Report {
    test_accuracy: f64,
    test_images: usize,
    validation_accuracy: Option<f64>,
    train_loss: f64,
    epochs: usize,
    seconds: f64,
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<(), Error> {
    let network = Network::load(&arguments.network)?;
    let dataset = Dataset::load(&arguments.data)?;
    check_folder(&arguments.out)?;
    let options = Options {
        epochs: arguments.epochs,
        batch: arguments.batch,
        learning_rate: arguments.learning_rate,
        weight_decay: arguments.weight_decay,
        label_smoothing: arguments.label_smoothing,
        validation_share: arguments.validation_share,
        seed: arguments.seed,
    };
    let progress = Progress::new(options.epochs);
    let trained = train(&network, &dataset, &options, |epoch| progress.row(epoch))?;
    progress.finish();

    let test_accuracy = trained.test.accuracy();
    let provenance =
        Provenance { network: network.name.clone(), seed: options.seed, epochs: options.epochs, test_accuracy };
    save(&arguments.out, &export(&trained.model, &network)?, &provenance)?;
    if arguments.json {
        let report = Report {
            test_accuracy,
            test_images: trained.test.of,
            validation_accuracy: trained.last.validation.map(|score| score.accuracy()),
            train_loss: trained.last.train_loss,
            epochs: options.epochs,
            seconds: trained.seconds,
        };
        let text = serde_json::to_string(&report)
            .map_err(|e| Error::Write { at: "standard output".into(), cause: e.to_string() })?;
        println!("{text}");
    } else {
        let (right, of) = (trained.test.right, trained.test.of);
        println!("held-out accuracy {:.2} % ({right} of {of} images)", 100.0 * test_accuracy);
        println!("{} epochs in {:.1} s, weights in {}", options.epochs, trained.seconds, arguments.out.display());
    }
    Ok(())
}

/// Refuses an output folder that is not there before the training, not after it.
fn check_folder(out: &Path) -> Result<(), Error> {
    match out.parent() {
        Some(folder) if !folder.as_os_str().is_empty() && !folder.is_dir() => Err(Error::Write {
            at: out.display().to_string(),
            cause: format!("the folder {} is not there", folder.display()),
        }),
        _ => Ok(()),
    }
}

/// The epoch table on standard error, with a bar below it on a terminal.
struct Progress {
    bar: ProgressBar,
}

impl Progress {
    fn new(epochs: usize) -> Self {
        let bar = if std::io::stderr().is_terminal() { ProgressBar::new(epochs as u64) } else { ProgressBar::hidden() };
        if let Ok(style) = ProgressStyle::with_template("{bar:40} epoch {pos} of {len}, {eta} left") {
            bar.set_style(style);
        }
        eprintln!("epoch  learning rate  train loss  validation");
        Progress { bar }
    }

    fn row(&self, epoch: &Epoch) {
        let validation = match epoch.validation {
            Some(score) => format!("{:8.2} %", 100.0 * score.accuracy()),
            None => "       -".into(),
        };
        self.bar.suspend(|| {
            eprintln!("{:5}  {:13.2e}  {:10.4}  {validation}", epoch.number, epoch.learning_rate, epoch.train_loss);
        });
        self.bar.inc(1);
    }

    fn finish(&self) {
        self.bar.finish_and_clear();
    }
}
