//! `basisn simulate`: images through the golden reference, RTL, or both.

mod inputs;
mod print;

use std::num::NonZeroUsize;
use std::path::PathBuf;

use basisn_arch::{ChipConfig, Program};
use basisn_compiler::fidelity::fidelity;
use basisn_models::rram::{Device, MacroModel};
use basisn_models::verilog::Body;
use clap::{Args, ValueEnum};

use super::compile;
use crate::campaign::Campaign;
use crate::comparison::{compare, compare_layers};
use crate::engine::{self, Simulator};
use crate::output::{Staged, say};
use crate::scores::{Scores, agreement};
use crate::{Error, vectors};
use inputs::Inputs;
pub use inputs::config_for;
pub use print::inference_cycles;

/// Run images through a program image, on the golden reference, on RTL, or on both and compare.
#[derive(Args)]
#[command(
    after_help = "Example:\n  basisn simulate --program out/demo/program.safetensors --input examples/digits/images.npy --images 3"
)]
pub struct Arguments {
    /// Program image (basisn compile)
    #[arg(long)]
    program: PathBuf,
    /// Images: .npy, integers, [images, channels, height, width] or one image; or pictures, CIFAR, MNIST, synthetic:CLASSES:IMAGES:SEED (its
    /// held-out images) or random:COUNT as for `basisn compile --data`, quantized as the program says
    #[arg(long)]
    input: PathBuf,
    /// Labels: .npy, integers; to report the accuracy [default: those of the images, where their format has labels]
    #[arg(long)]
    labels: Option<PathBuf>,
    /// The float network that the program came from, as for `basisn compile`: reports how far every step is from it
    #[arg(long, requires = "weights")]
    network: Option<String>,
    /// Its weights, as for `basisn compile`; an ONNX model has its own
    #[arg(long, requires = "network")]
    weights: Option<String>,
    /// Run only the first so many images
    #[arg(long)]
    images: Option<NonZeroUsize>,
    /// Only these layers on RTL, each on the golden reference's input: names joined by commas, or `distinct`: one of every shape
    #[arg(long)]
    layers: Option<String>,
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

/// What computes.
#[derive(Clone, Copy, Debug, PartialEq, ValueEnum)]
pub enum Engine {
    /// The reference model.
    Golden,
    /// The generated core, simulated.
    Rtl,
    /// Both, compared.
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
    let Inputs { images, labels } = inputs::images(arguments, &program)?;
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
            sweeps: arguments.sweep.iter().map(|text| inputs::sweep(text)).collect::<Result<_, _>>()?,
        };
        return campaign.run(&arguments.out, arguments.json);
    }
    check(arguments, model.is_some())?;
    let body = body(arguments, &config, model.as_ref())?;
    let float = arguments.network.as_deref().zip(arguments.weights.as_deref());
    let float = float.map(|(network, weights)| compile::model(network, weights)).transpose()?;
    let layers = arguments.layers.as_deref().map(|text| inputs::layers(&program, text)).transpose()?;
    let device = model.map(|model| Device { model: model.into(), seed: arguments.seed });
    let dump = arguments.dump.as_deref().map(Staged::new).transpose()?;
    let dump_vectors = arguments.dump_vectors.as_deref().map(Staged::new).transpose()?;

    // Built first: a missing tool is told before any work is done.
    let simulator = match arguments.engine {
        Engine::Golden => None,
        _ => Some(Simulator::build(&config, body, arguments.trace.as_deref())?),
    };
    let golden = match arguments.engine {
        Engine::Rtl => Vec::new(),
        _ => engine::run_golden(&config, &program, &images, device.as_ref())?,
    };
    let (rtl, single) = match (simulator, &layers) {
        (Some(s), Some(layers)) => (None, Some(s.run_layers(&config, &program, &images, &golden, layers)?)),
        (Some(s), None) => (Some(s.run(&config, &program, &images, device.as_ref())?), None),
        (None, _) => (None, None),
    };
    if let Some(staged) = dump_vectors {
        vectors::write(&staged, &config, &program, &images, &golden)?;
        staged.publish()?;
    }
    let outputs: Vec<&[Vec<i64>]> = match &rtl {
        Some(rtl) => rtl.runs.iter().map(|run| run.values.as_slice()).collect(),
        None => golden.iter().map(|run| run.values.as_slice()).collect(),
    };
    if let Some(staged) = dump {
        print::write_steps(&staged, &program, &outputs)?;
        staged.publish()?;
    }
    let last: Vec<&[i64]> = outputs.iter().filter_map(|steps| steps.last()).map(Vec::as_slice).collect();
    let scores = Scores::new(&last, labels.as_deref());
    let float = float.map(|model| fidelity(&model, &program, &images, &outputs)).transpose()?.map(|fidelity| {
        let outputs: Vec<&[f32]> = fidelity.outputs.iter().map(Vec::as_slice).collect();
        let (scores, same) = (Scores::new(&outputs, labels.as_deref()), agreement(&last, &outputs));
        (fidelity, scores, same)
    });
    let comparison = match (&rtl, &single) {
        (Some(rtl), _) if arguments.engine == Engine::Both => Some(compare(&program, &golden, &rtl.runs)),
        (_, Some(single)) => Some(compare_layers(&program, &golden, &single.runs)),
        _ => None,
    };
    if arguments.json {
        let (cycles, seconds, threads) = match (&rtl, &single) {
            (Some(r), _) => (Some(r.cycles), r.seconds, Some(r.threads)),
            (_, Some(r)) => (Some(r.cycles), r.seconds, Some(r.threads)),
            _ => (None, 1.0, None),
        };
        say!(
            "{}",
            serde_json::json!({
                "images": images.len(),
                "accuracy": scores.top_1,
                "top_5_accuracy": scores.top_5,
                "classes": scores.classes,
                "float": float.as_ref().map(|(fidelity, scores, same)| serde_json::json!({
                    "accuracy": scores.top_1,
                    "top_5_accuracy": scores.top_5,
                    "same_class": same,
                    "steps": fidelity.steps,
                })),
                "layers_compared": comparison.as_ref().map(|_| layers.as_ref().map_or(program.layers.len(), Vec::len)),
                "values_compared": comparison.as_ref().map(|c| c.values),
                "mismatches": comparison.as_ref().map(|c| c.mismatches.len()),
                "cycles_per_inference": rtl.as_ref().map(|r| inference_cycles(&r.runs)),
                "core_cycles": cycles,
                "core_cycles_per_second": cycles.map(|cycles| cycles as f64 / seconds),
                "simulations_at_once": threads,
            })
        );
    } else {
        rtl.iter().for_each(|rtl| print::whole(&config, &program, rtl));
        single.iter().for_each(|single| print::single(&config, &program, single));
        if let Some((fidelity, scores, same)) = &float {
            print::fidelity(fidelity, scores, *same, images.len());
        }
        print::scores(&scores, images.len());
        if let Some(c) = &comparison {
            for mismatch in c.mismatches.iter().take(20) {
                say!("mismatch: {mismatch}");
            }
            let compared = match &layers {
                Some(layers) => format!("{} of {} matrix layers", layers.len(), program.layers.len()),
                None => format!("{} layers", program.steps.len()),
            };
            say!("bit-exact: {compared}, {} values, {} mismatches", c.values, c.mismatches.len());
        }
    }
    comparison.map_or(Ok(()), |comparison| comparison.done("basisn simulate"))
}

/// The body of the macro, if it can have the errors of the model.
fn body(arguments: &Arguments, config: &ChipConfig, model: Option<&MacroModel>) -> Result<Body, Error> {
    let Some(model) =
        model.filter(|_| matches!(arguments.body, MacroBody::Verilog) && arguments.engine != Engine::Golden)
    else {
        return Ok(arguments.body.into());
    };
    let cores = "its cells are those of one core, and the chip has several";
    match model.beyond_portable().or((config.cores() > 1).then_some(cores)) {
        None => Ok(Body::PortableDevice),
        Some(why) => Err(Error::Input {
            at: "--body verilog".into(),
            cause: format!("the portable body has not all that --macro asks for: {why}"),
            fix: "leave out --body verilog: the DPI body has every error".into(),
        }),
    }
}

/// Options that don't go together.
fn check(arguments: &Arguments, device: bool) -> Result<(), Error> {
    let refuse =
        |at: &str, cause: &str, fix: &str| Err(Error::Input { at: at.into(), cause: cause.into(), fix: fix.into() });
    if arguments.trace.is_some() && arguments.engine == Engine::Golden {
        return refuse("--trace", "the golden reference has no clock", "add --engine rtl or --engine both");
    }
    if arguments.dump_vectors.is_some() && arguments.engine == Engine::Rtl {
        return refuse(
            "--dump-vectors",
            "the results to expect come from the golden reference",
            "add --engine golden or --engine both",
        );
    }
    if arguments.layers.is_some() && (arguments.engine != Engine::Both || device) {
        return refuse(
            "--layers",
            "single layers run on ideal macros, and their inputs come from the golden reference",
            "leave out --engine and --macro",
        );
    }
    Ok(())
}
