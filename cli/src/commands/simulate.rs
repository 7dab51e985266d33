//! `basisn simulate`: images through the golden reference, RTL, or both.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use basisn_arch::{ChipConfig, Geometry, Program};
use basisn_compiler::fitted::Code;
use basisn_compiler::images::Images;
use basisn_models::NetRun;
use basisn_models::arithmetic::input_range;
use basisn_models::rram::{Device, MacroModel};
use basisn_models::verilog::Body;
use basisn_testbench::{Counters, LayerRun};
use clap::{Args, ValueEnum};

use crate::campaign::{Campaign, Sweep};
use crate::engine::{self, Rtl, Simulator};
use crate::output::{Staged, say};
use crate::{Error, tensor, vectors};

/// Run images through a program image, on the golden reference, on RTL, or on both and compare.
#[derive(Args)]
#[command(
    after_help = "Example:\n  basisn simulate --program out/demo/program.safetensors --input examples/digits/images.npy --images 3"
)]
pub struct Arguments {
    /// Program image (basisn compile)
    #[arg(long)]
    program: PathBuf,
    /// Images: .npy, integers, [images, channels, height, width] or one image; or pictures, CIFAR, MNIST or random:COUNT as for
    /// `basisn compile --data`, quantized as the program says
    #[arg(long)]
    input: PathBuf,
    /// Labels: .npy, integers; to report the accuracy
    #[arg(long)]
    labels: Option<PathBuf>,
    /// Run only the first so many images
    #[arg(long)]
    images: Option<NonZeroUsize>,
    /// Chip configuration; the default is the preset with the program's geometry
    #[arg(long)]
    config: Option<String>,
    /// What computes
    #[arg(long, value_enum, default_value_t = Engine::Both)]
    engine: Engine,
    /// Body of the RRAM macro in RTL
    #[arg(long, value_enum, default_value_t = MacroBody::Dpi)]
    body: MacroBody,
    /// Errors of the RRAM macro: ideal, isaac, neurram, worst, or a TOML file; see docs/macro-models.md
    #[arg(long = "macro", value_name = "PRESET_OR_FILE")]
    model: Option<String>,
    /// Seed of the devices and their noise; trial t of a campaign has this seed plus t
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// A campaign: so many draws of the devices, on the golden reference
    #[arg(long)]
    trials: Option<NonZeroUsize>,
    /// A campaign at several values of a number of the macro model, such as sigma=0,0.05,0.1; may be repeated
    #[arg(long, value_name = "KEY=VALUES")]
    sweep: Vec<String>,
    /// Folder for the trials and reports of a campaign; one that was cut off goes on
    #[arg(long, default_value = "out/campaign")]
    out: PathBuf,
    /// Waveform of the first image, .fst or .vcd
    #[arg(long)]
    trace: Option<PathBuf>,
    /// Folder for the results of every step, STEP.npy, 64-bit integers [images, channels, height, width]
    #[arg(long)]
    dump: Option<PathBuf>,
    /// Folder for what each core gets and gives in every layer, as hexadecimal text for other simulators; see docs/hardware.md
    #[arg(long)]
    dump_vectors: Option<PathBuf>,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Engine {
    Golden,
    Rtl,
    Both,
}

#[derive(Clone, Copy, ValueEnum)]
enum MacroBody {
    Verilog,
    Dpi,
}

impl From<MacroBody> for Body {
    fn from(value: MacroBody) -> Self {
        match value {
            MacroBody::Verilog => Body::Portable,
            MacroBody::Dpi => Body::Dpi,
        }
    }
}

/// Runs and reports.
pub fn run(arguments: &Arguments) -> Result<(), Error> {
    let program = Program::load(&arguments.program)?;
    let config = config_for(&program, arguments.config.as_deref())?;
    program.check(&config)?;
    let images = images(arguments, &program)?;
    let labels = arguments.labels.as_deref().map(|p| labels(p, images.len())).transpose()?;
    let model = arguments.model.as_deref().map(MacroModel::load).transpose()?;
    if arguments.trials.is_some() || !arguments.sweep.is_empty() {
        let campaign = Campaign {
            config: &config,
            program: &program,
            images: &images,
            labels: labels.as_deref(),
            model: model.map_or_else(|| MacroModel::load("ideal"), Ok)?,
            seed: arguments.seed,
            trials: arguments.trials.map_or(1, NonZeroUsize::get),
            sweeps: arguments.sweep.iter().map(|text| sweep(text)).collect::<Result<_, _>>()?,
        };
        return campaign.run(&arguments.out, arguments.json);
    }
    if model.is_some() && arguments.engine != Engine::Golden && matches!(arguments.body, MacroBody::Verilog) {
        return Err(Error::Input {
            at: "--macro".into(),
            cause: "the portable Verilog body of this command has ideal cells".into(),
            fix: "leave out --body verilog: the DPI body has the errors".into(),
        });
    }
    let device = model.map(|model| Device { model: model.into(), seed: arguments.seed });
    let dump = arguments.dump.as_deref().map(Staged::new).transpose()?;
    if arguments.trace.is_some() && arguments.engine == Engine::Golden {
        return Err(Error::Input {
            at: "--trace".into(),
            cause: "the golden reference has no clock".into(),
            fix: "add --engine rtl or --engine both".into(),
        });
    }

    let dump_vectors = arguments.dump_vectors.as_deref().map(Staged::new).transpose()?;
    if dump_vectors.is_some() && arguments.engine == Engine::Rtl {
        return Err(Error::Input {
            at: "--dump-vectors".into(),
            cause: "the results to expect come from the golden reference".into(),
            fix: "add --engine golden or --engine both".into(),
        });
    }

    // Built first: a missing tool is told before any work is done.
    let simulator = match arguments.engine {
        Engine::Golden => None,
        _ => Some(Simulator::build(&config, arguments.body.into(), arguments.trace.as_deref())?),
    };
    let golden = match arguments.engine {
        Engine::Rtl => None,
        _ => Some(engine::run_golden(&config, &program, &images, device.as_ref())?),
    };
    let rtl = simulator.map(|s| s.run(&config, &program, &images, device.as_ref())).transpose()?;
    if let Some((staged, golden)) = dump_vectors.zip(golden.as_deref()) {
        vectors::write(&staged, &config, &program, &images, golden)?;
        staged.publish()?;
    }
    let outputs: Vec<&[Vec<i64>]> = match (&rtl, &golden) {
        (Some(rtl), _) => rtl.runs.iter().map(|run| run.values.as_slice()).collect(),
        (None, Some(golden)) => golden.iter().map(|run| run.values.as_slice()).collect(),
        (None, None) => Vec::new(),
    };
    if let Some(staged) = dump {
        write_steps(&staged, &program, &outputs)?;
        staged.publish()?;
    }
    let last = outputs.iter().filter_map(|steps| steps.last()).map(Vec::as_slice);
    let accuracy = labels.map(|labels| engine::accuracy(last, &labels));
    let comparison = golden.as_ref().zip(rtl.as_ref()).map(|(g, r)| engine::compare(&program, g, &r.runs));

    let mismatches = comparison.as_ref().map(|c| c.mismatches.len());
    if arguments.json {
        say!(
            "{}",
            serde_json::json!({
                "images": images.len(),
                "accuracy": accuracy,
                "values_compared": comparison.as_ref().map(|c| c.values),
                "mismatches": mismatches,
                "cycles_per_inference": rtl.as_ref().map(|r| inference_cycles(&r.runs)),
                "core_cycles": rtl.as_ref().map(|r| r.cycles),
                "core_cycles_per_second": rtl.as_ref().map(|r| r.cycles as f64 / r.seconds),
                "simulations_at_once": rtl.as_ref().map(|r| r.threads),
            })
        );
    } else {
        if let Some(rtl) = &rtl {
            print_layers(&config, &program, rtl);
        }
        if let Some(accuracy) = accuracy {
            say!("accuracy: {:.2}% of {} images", 100.0 * accuracy, images.len());
        }
        if let Some(c) = &comparison {
            for mismatch in c.mismatches.iter().take(20) {
                say!("mismatch: {mismatch}");
            }
            say!("bit-exact: {} layers, {} values, {} mismatches", program.steps.len(), c.values, c.mismatches.len());
        }
    }
    match comparison {
        Some(c) if !c.mismatches.is_empty() => Err(Error::Mismatch {
            at: "basisn simulate".into(),
            count: c.mismatches.len(),
            values: c.values,
            first: c.mismatches[0].clone(),
        }),
        _ => Ok(()),
    }
}

/// The chip named, or the preset whose geometry the program was compiled for.
pub fn config_for(program: &Program, named: Option<&str>) -> Result<ChipConfig, Error> {
    if let Some(name) = named {
        return Ok(ChipConfig::load(name)?);
    }
    for preset in ChipConfig::presets() {
        let config = ChipConfig::load(preset)?;
        if Geometry::from(&config) == program.geometry {
            return Ok(config);
        }
    }
    Err(Error::Input {
        at: "--config".into(),
        cause: "no preset has the geometry of this program".into(),
        fix: "name the chip that it was compiled for: --config chip.toml".into(),
    })
}

fn images(arguments: &Arguments, program: &Program) -> Result<Vec<Vec<i32>>, Error> {
    let input = &program.input;
    let named = arguments.input.to_string_lossy();
    let mut images = if named.ends_with(".npy") {
        tensor::images(&arguments.input, &tensor::read(&arguments.input)?, input.shape)?
    } else {
        let count = arguments.images.map_or(usize::MAX, NonZeroUsize::get);
        let code = Code { scale: input.scale, bits: input.bits, signed: input.signed };
        Images::load(&named, input.shape, count)?.quantize(&code)
    };
    images.truncate(arguments.images.map_or(usize::MAX, NonZeroUsize::get));
    let (low, high) = input_range(input.bits, input.signed);
    for (i, image) in images.iter().enumerate() {
        if let Some(value) = image.iter().find(|v| !(low..=high).contains(*v)) {
            return Err(Error::Input {
                at: format!("{}, image {i}", arguments.input.display()),
                cause: format!("the value {value}, and the network takes {low}..{high}"),
                fix: "quantize the images as those that the network was trained on".into(),
            });
        }
    }
    Ok(images)
}

fn sweep(text: &str) -> Result<Sweep, Error> {
    text.parse().map_err(|cause| Error::Input {
        at: format!("--sweep {text}"),
        cause,
        fix: "name a number of the macro model and its values, such as sigma=0,0.05,0.1".into(),
    })
}

fn labels(path: &Path, images: usize) -> Result<Vec<u8>, Error> {
    let array = tensor::read(path)?;
    let refuse = |cause: String| Error::Input {
        at: path.display().to_string(),
        cause,
        fix: "give one label 0..255 for every image".into(),
    };
    if array.len() < images {
        return Err(refuse(format!("{} labels for {images} images", array.len())));
    }
    array.iter().take(images).map(|&v| u8::try_from(v).map_err(|_| refuse(format!("the label {v}")))).collect()
}

fn write_steps(staged: &Staged, program: &Program, outputs: &[&[Vec<i64>]]) -> Result<(), Error> {
    for (i, (step, value)) in program.steps.iter().zip(program.values()?.iter().skip(1)).enumerate() {
        let values = outputs.iter().flat_map(|image| image[i].iter().copied()).collect();
        let shape = [outputs.len(), value.shape.channels, value.shape.height, value.shape.width];
        staged.write(&format!("{}.npy", step.name), tensor::to_npy(&shape, values)?)?;
    }
    Ok(())
}

/// Clock cycles of one inference: the layers of the first image, one after the other.
pub fn inference_cycles(runs: &[NetRun<LayerRun>]) -> u64 {
    runs.first().map_or(0, |run| run.layers.iter().map(|l| l.counters.cycles).sum())
}

fn print_layers(config: &ChipConfig, program: &Program, rtl: &Rtl) {
    say!("{:12} {:>9} {:>9} {:>9} {:>8}", "layer", "positions", "cycles", "reads", "issued");
    for (i, layer) in program.layers.iter().enumerate() {
        let c = rtl.runs.first().map_or(Counters::default(), |image| image.layers[i].counters);
        say!(
            "{:12} {:>9} {:>9} {:>9} {:>7.1}%",
            layer.name,
            layer.shape.positions(),
            c.cycles,
            c.reads,
            100.0 * c.issued(config.cores())
        );
    }
    let speed = rtl.cycles as f64 / rtl.seconds / 1e6;
    say!("simulated {} cycles, {speed:.2} M cycles/s, {} simulations at once", rtl.cycles, rtl.threads);
}
