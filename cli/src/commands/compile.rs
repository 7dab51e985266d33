//! `basisn compile`: from a trained network to a program image.

use std::path::{Path, PathBuf};

use basisn_arch::ChipConfig;
use basisn_compiler::fit::{FitOptions, FitRun};
use basisn_compiler::graph::topologies;
use basisn_compiler::images::{Images, Part};
use basisn_compiler::{Compiled, Dataset, Fitted, Graph, Model, Network, ScheduleOptions, onnx};
use clap::Args;

use crate::Error;
use crate::output::{say, write_file};

/// Fit a trained network to the global basis, schedule it and write the program image.
#[derive(Args)]
#[command(
    after_help = "Example:\n  basisn compile --network examples/digits/network.toml --weights examples/digits/weights.safetensors \\\n      --data examples/digits --config digits --out digits.safetensors"
)]
pub struct Arguments {
    #[command(flatten)]
    source: Source,
    /// Fitted file to lower, instead of network, weights and data
    #[arg(long, conflicts_with_all = ["network", "weights", "data"])]
    fitted: Option<PathBuf>,
    /// Chip configuration: a TOML file, or a preset (tiny, digits, paper)
    #[arg(long, default_value = "digits")]
    config: String,
    /// Program image to write
    #[arg(long)]
    out: PathBuf,
    /// Print the report as JSON
    #[arg(long)]
    json: bool,
}

/// A trained network and its data.
#[derive(Args)]
pub struct Source {
    /// Network: a description (.toml), an ONNX model (.onnx), a built-in one such as resnet20-cifar100, or an architecture such as resnet20
    /// for the images and classes of the data
    #[arg(long, default_value = "examples/digits/network.toml")]
    network: String,
    /// Trained weights (safetensors; an ONNX model has its own), or random:SEED
    #[arg(long, default_value = "examples/digits/weights.safetensors")]
    weights: String,
    /// Data to calibrate on: a folder as examples/digits, of which only the training images are used; a folder with a folder of JPEG or PNG
    /// files for each class; CIFAR .bin; MNIST IDX images; .npy; synthetic:CLASSES:IMAGES:SEED, drawn; or random:COUNT
    #[arg(long, default_value = "examples/digits")]
    data: String,
    /// Images to calibrate on, at most; a folder as examples/digits gives all
    #[arg(long, default_value_t = 64)]
    calibrate: usize,
}

/// Everything that a compilation starts from.
pub struct Inputs {
    /// Network with its trained weights.
    pub model: Model,
    /// Images to calibrate on, as integers.
    pub calibration: Vec<Vec<i32>>,
    /// Images and labels, if the data have held-out ones.
    pub dataset: Option<Dataset>,
}

impl Source {
    /// Reads and checks network, weights and data.
    pub fn load(&self) -> Result<Inputs, Error> {
        if topologies::architectures().any(|known| known == self.network) {
            let (graph, dataset) = Dataset::with_network(&self.network, &self.data)?;
            let images = &dataset.train[..self.calibrate.min(dataset.train.len())];
            let calibration = basisn_compiler::pixels(&dataset, images);
            return Ok(Inputs { model: weighted(graph, &self.weights)?, calibration, dataset: Some(dataset) });
        }
        let mut model = model(&self.network, &self.weights)?;
        if Path::new(&self.data).join("images.npy").is_file() || model.graph.input.is_some() {
            let dataset = Dataset::load(Path::new(&self.data))?;
            dataset.check_fits(&model.graph)?;
            let calibration = basisn_compiler::pixels(&dataset, &dataset.train);
            return Ok(Inputs { model, calibration, dataset: Some(dataset) });
        }
        let images = Images::load(&self.data, Part::Training, model.graph.input_shape(), self.calibrate)?;
        let code = images.code();
        model.graph.input = Some(code);
        Ok(Inputs { model, calibration: images.quantize(&code), dataset: None })
    }
}

/// A network with its weights, named as in [`Source`].
pub fn model(network: &str, weights: &str) -> Result<Model, Error> {
    let path = Path::new(network);
    let graph = match path.extension().and_then(|e| e.to_str()) {
        Some("onnx") => {
            let imported = onnx::load(path)?;
            imported.notes.iter().for_each(|note| eprintln!("note: {note}"));
            return Ok(imported.model);
        }
        Some("toml") => Network::load(path)?.graph()?,
        _ => topologies::built_in(network)?,
    };
    weighted(graph, weights)
}

fn weighted(graph: Graph, weights: &str) -> Result<Model, Error> {
    match weights.strip_prefix("random:") {
        None => Ok(Model::load(graph, Path::new(weights))?),
        Some(seed) => {
            let seed = seed.parse().map_err(|_| Error::Input {
                at: "--weights".into(),
                cause: format!("`{seed}` is no seed"),
                fix: "write random: and a number".into(),
            })?;
            Ok(Model::random(graph, seed))
        }
    }
}

impl Inputs {
    /// Fits, calibrated on the training images.
    pub fn fit(&self, config: &ChipConfig, options: &FitOptions, run: FitRun) -> Result<Fitted, Error> {
        Ok(basisn_compiler::compile::fit_and_tell(&self.model, &self.calibration, config, options, run)?)
    }

    /// Compiles, calibrated on the training images.
    pub fn compile(&self, config: &ChipConfig) -> Result<Compiled, Error> {
        Ok(basisn_compiler::compile(&self.model, &self.calibration, config)?)
    }

    /// The held-out images as integers, `[channel][height][width]`, and their labels.
    ///
    /// # Errors
    /// The data have no held-out images.
    pub fn held_out(&self) -> Result<(Vec<Vec<i32>>, Vec<u8>), Error> {
        let Some(dataset) = &self.dataset else {
            return Err(Error::Input {
                at: "--data".into(),
                cause: "these data have no held-out images".into(),
                fix: "give a folder as examples/digits".into(),
            });
        };
        let labels = dataset.test.iter().map(|&i| dataset.labels[i]).collect();
        Ok((basisn_compiler::pixels(dataset, &dataset.test), labels))
    }
}

/// Compiles and writes.
pub fn run(arguments: &Arguments) -> Result<(), Error> {
    let config = ChipConfig::load(&arguments.config)?;
    let compiled = match &arguments.fitted {
        Some(path) => basisn_compiler::lower(&Fitted::load(path)?, &config, ScheduleOptions::default())?,
        None => arguments.source.load()?.compile(&config)?,
    };
    write_file(&arguments.out, &compiled.program.to_bytes()?)?;
    if arguments.json {
        say!("{}", serde_json::json!(compiled.report));
    } else {
        print(&compiled, &arguments.out);
    }
    Ok(())
}

fn print(compiled: &Compiled, out: &Path) {
    let heads = ["SNR dB", "gain", "items", "slots", "lower bound", "by contests", "cycles"];
    let [snr, gain, items, slots, bound, contests, cycles] = heads;
    say!("{:12} {snr:>8} {gain:>6} {items:>6} {slots:>6} {bound:>12} {contests:>12} {cycles:>9}", "layer");
    for l in &compiled.report.layers {
        let (bound, contests) = (l.slots_lower_bound, l.contest_slots);
        say!(
            "{:12} {:>8.1} {:>6} {:>6} {:>6} {bound:>12} {contests:>12} {:>9}",
            l.name,
            l.snr_db,
            l.gain,
            l.items,
            l.slots,
            l.cycles
        );
    }
    let r = &compiled.report;
    let (bound, contests) = (r.slots_lower_bound, r.contest_slots);
    say!(
        "{:12} {:>8.1} {:>6} {:>6} {:>6} {bound:>12} {contests:>12} {:>9}",
        "all",
        r.snr_db,
        "",
        "",
        r.slots,
        r.cycles
    );
    say!("{}", out.display());
}
