//! `basisn fit`: from a trained network to coefficients of the basis.

use std::path::PathBuf;

use basisn_arch::ChipConfig;
use basisn_compiler::Fitted;
use basisn_compiler::basis::{BasisKind, BasisOptions};
use basisn_compiler::coefficient::{CoefficientCode, CoefficientForm};
use basisn_compiler::fit::{FitOptions, FitRun, LayerOptions, Written, snr_db};
use clap::{Args, ValueEnum};

use super::compile::Source;
use crate::Error;
use crate::engine::progress;
use crate::output::{say, write_file};
use crate::written::WrittenChip;

/// Fit a trained network to the global basis and write the fitted file, which `basisn compile` lowers to any number of tiles.
#[derive(Args)]
#[command(after_help = "Example:\n  basisn fit --config digits --planes 1 --group 4 --out fitted.safetensors")]
pub struct Arguments {
    #[command(flatten)]
    source: Source,
    /// Chip configuration: a TOML file, or a preset (tiny, digits, paper)
    #[arg(long, default_value = "digits")]
    config: String,
    /// Fitted file to write
    #[arg(long)]
    out: PathBuf,
    #[command(flatten)]
    options: Options,
    /// What a chip could not write, from `basisn program --out`: the fit is to what its crossbars hold, and good for this chip alone
    #[arg(long)]
    written: Option<PathBuf>,
    /// Folder that keeps the layers that are finished: an interrupted fit goes on from there
    #[arg(long)]
    partial: Option<PathBuf>,
    /// Print the report as JSON
    #[arg(long)]
    json: bool,
}

/// How to fit.
#[derive(Args)]
pub struct Options {
    /// Form of the coefficients
    #[arg(long, value_enum, default_value_t = Form::Csd)]
    form: Form,
    /// Coefficient planes; 1 gives ternary coefficients [default: all that the chip has]
    #[arg(long)]
    planes: Option<usize>,
    /// Kernels of a group: they own disjoint columns and run in one slot [default: every kernel may use every column]
    #[arg(long)]
    group: Option<usize>,
    /// Tiles that groups are made for: there their slots are as few as can be. 1 makes groups for any number of tiles [default: the chip's]
    #[arg(long, requires = "group")]
    tiles: Option<usize>,
    /// Columns that a kernel uses at most in a subvector [default: all]
    #[arg(long)]
    nonzeros: Option<usize>,
    /// Options of one layer, NAME:KEY=VALUE,... with the keys form, planes, group and nonzeros; `group=none` ends the groups. Repeat for more layers
    #[arg(long = "layer", value_name = "NAME:KEY=VALUE,...")]
    layers: Vec<String>,
    /// What the cells hold
    #[arg(long, value_enum, default_value_t = Kind::Hadamard)]
    basis: Kind,
    /// Different bases; tile t holds basis t mod BASES
    #[arg(long, default_value_t = 1)]
    bases: usize,
    /// Of several bases, and of random and learned ones
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Count the error of a weight by the second moments of its inputs
    #[arg(long)]
    weighted: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum Form {
    /// Canonical signed digits: every integer that the planes can represent
    Csd,
    /// Zero or one signed power of two
    PowerOfTwo,
}

#[derive(Clone, Copy, ValueEnum)]
enum Kind {
    /// A Hadamard matrix with scrambled signs, the same for every network
    Hadamard,
    /// Random levels, the same for every network
    Random,
    /// Levels learned from the weights of all layers
    Learned,
}

impl From<Form> for CoefficientForm {
    fn from(form: Form) -> Self {
        match form {
            Form::Csd => CoefficientForm::Csd,
            Form::PowerOfTwo => CoefficientForm::PowerOfTwo,
        }
    }
}

impl Options {
    fn read(&self, config: &ChipConfig) -> Result<FitOptions, Error> {
        let planes = self.planes.unwrap_or(config.coefficient_planes());
        let code = CoefficientCode { form: self.form.into(), planes };
        let default = LayerOptions { code, group: self.group, nonzeros: self.nonzeros };
        let layers = self.layers.iter().map(|text| layer(text, default)).collect::<Result<_, _>>()?;
        let kind = match self.basis {
            Kind::Hadamard => BasisKind::Hadamard,
            Kind::Random => BasisKind::Random,
            Kind::Learned => BasisKind::Learned,
        };
        let basis = BasisOptions { kind, count: self.bases, seed: self.seed };
        Ok(FitOptions {
            basis,
            default,
            layers,
            weighted: self.weighted,
            activation_bits: None,
            tiles: self.tiles.unwrap_or(config.tiles()),
            written: None,
        })
    }
}

/// Reads `NAME:KEY=VALUE,...`.
fn layer(text: &str, mut options: LayerOptions) -> Result<(String, LayerOptions), Error> {
    let wrong = |cause: String| Error::Input {
        at: format!("--layer {text}"),
        cause,
        fix: "write it like conv1:planes=1,group=4,nonzeros=16,form=csd".into(),
    };
    let (name, keys) = text.split_once(':').ok_or_else(|| wrong("there is no `:` behind the layer's name".into()))?;
    for pair in keys.split(',') {
        let (key, value) = pair.split_once('=').ok_or_else(|| wrong(format!("`{pair}` is not KEY=VALUE")))?;
        let number = || value.parse::<usize>().map_err(|e| wrong(format!("{key}: {e}")));
        let optional = || if value == "none" { Ok(None) } else { number().map(Some) };
        match key {
            "planes" => options.code.planes = number()?,
            "group" => options.group = optional()?,
            "nonzeros" => options.nonzeros = optional()?,
            "form" => options.code.form = Form::from_str(value, false).map_err(wrong)?.into(),
            _ => return Err(wrong(format!("no key `{key}`"))),
        }
    }
    Ok((name.into(), options))
}

/// Fits and writes.
pub fn run(arguments: &Arguments) -> Result<(), Error> {
    let config = ChipConfig::load(&arguments.config)?;
    let mut options = arguments.options.read(&config)?;
    let written = arguments.written.as_deref().map(WrittenChip::load).transpose()?;
    options.written = written.map(|chip| Written::new(&chip.failed_cells));
    let inputs = arguments.source.load()?;
    let bar = progress("fitting", 1000);
    let show = |share: f64| bar.set_position((1000.0 * share) as u64);
    let partial = arguments.partial.as_deref();
    let fitted = inputs.fit(&config, &options, FitRun { progress: &show, partial })?;
    bar.finish_and_clear();
    write_file(&arguments.out, &fitted.to_bytes()?)?;
    if arguments.json {
        say!("{}", report(&fitted));
    } else {
        print(&fitted);
        say!("{}", arguments.out.display());
    }
    Ok(())
}

fn sums(fitted: &Fitted) -> (f64, f64) {
    let sum = |of: fn(&basisn_compiler::fitted::FittedLayer) -> f64| fitted.layers.iter().map(of).sum();
    (sum(|l| l.weight_signal), sum(|l| l.weight_error))
}

fn report(fitted: &Fitted) -> serde_json::Value {
    let layers: Vec<_> = fitted
        .layers
        .iter()
        .map(|l| {
            serde_json::json!({
                "name": l.name, "code": l.code, "groups": l.groups.as_ref().map(Vec::len), "gain": l.gain,
                "snr_db": snr_db(l.weight_signal, l.weight_error),
                "coefficients": l.coefficients.len(), "nonzeros": l.nonzeros(),
            })
        })
        .collect();
    let (signal, error) = sums(fitted);
    serde_json::json!({
        "network": fitted.name, "bases": fitted.bases.len(), "snr_db": snr_db(signal, error), "layers": layers,
    })
}

fn print(fitted: &Fitted) {
    say!("{:12} {:>8} {:>6} {:>7} {:>8} {:>14}", "layer", "SNR dB", "planes", "groups", "gain", "nonzeros");
    for l in &fitted.layers {
        let share = 100.0 * l.nonzeros() as f64 / l.coefficients.len() as f64;
        let groups = l.groups.as_ref().map_or("-".into(), |g| g.len().to_string());
        let snr = snr_db(l.weight_signal, l.weight_error);
        say!("{:12} {:>8.1} {:>6} {:>7} {:>8} {:>12.1} %", l.name, snr, l.code.planes, groups, l.gain, share);
    }
    let (signal, error) = sums(fitted);
    say!("{:12} {:>8.1}", "all", snr_db(signal, error));
}
