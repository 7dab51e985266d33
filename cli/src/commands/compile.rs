//! `basisn compile`: from a trained network to a program image.

use std::path::{Path, PathBuf};

use basisn_arch::ChipConfig;
use basisn_compiler::fit::{FitOptions, FitRun};
use basisn_compiler::{Compiled, Dataset, Fitted, Model, Network, ScheduleOptions};
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
    /// Network description
    #[arg(long, default_value = "examples/digits/network.toml")]
    network: PathBuf,
    /// Trained weights
    #[arg(long, default_value = "examples/digits/weights.safetensors")]
    weights: PathBuf,
    /// Folder of the data set; only its training images are used to fit
    #[arg(long, default_value = "examples/digits")]
    data: PathBuf,
}

/// Everything that a compilation starts from.
pub struct Inputs {
    /// Network with its trained weights.
    pub model: Model,
    /// Images and labels.
    pub dataset: Dataset,
}

impl Source {
    /// Reads and checks network, weights and data.
    pub fn load(&self) -> Result<Inputs, Error> {
        let network = Network::load(&self.network)?;
        let model = Model::of_network(&network, &self.weights)?;
        let dataset = Dataset::load(&self.data)?;
        dataset.check_fits(&network)?;
        Ok(Inputs { model, dataset })
    }
}

impl Inputs {
    /// Some images as integers, `[channel][height][width]`.
    pub fn images(&self, indices: &[usize]) -> Vec<Vec<i32>> {
        let images = &self.dataset.images;
        indices
            .iter()
            .map(|&i| images.index_axis(ndarray::Axis(0), i).iter().map(|&v| i32::from(v)).collect())
            .collect()
    }

    /// The labels of some images.
    pub fn labels(&self, indices: &[usize]) -> Vec<u8> {
        indices.iter().map(|&i| self.dataset.labels[i]).collect()
    }

    /// Fits, calibrated on the training images.
    pub fn fit(&self, config: &ChipConfig, options: &FitOptions, run: FitRun) -> Result<Fitted, Error> {
        let calibration = self.images(&self.dataset.train);
        Ok(basisn_compiler::compile::fit_and_tell(&self.model, &calibration, config, options, run)?)
    }

    /// Compiles, calibrated on the training images.
    pub fn compile(&self, config: &ChipConfig) -> Result<Compiled, Error> {
        let calibration = self.images(&self.dataset.train);
        Ok(basisn_compiler::compile(&self.model, &calibration, config)?)
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
    say!("{:12} {:>8} {:>6} {:>6} {:>6} {:>12}", "layer", "SNR dB", "gain", "items", "slots", "lower bound");
    for l in &compiled.report.layers {
        say!("{:12} {:>8.1} {:>6} {:>6} {:>6} {:>12}", l.name, l.snr_db, l.gain, l.items, l.slots, l.slots_lower_bound);
    }
    let r = &compiled.report;
    say!("{:12} {:>8.1} {:>6} {:>6} {:>6} {:>12}", "all", r.snr_db, "", "", r.slots, r.slots_lower_bound);
    say!("{}", out.display());
}
