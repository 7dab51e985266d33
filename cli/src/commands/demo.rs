//! `basisn demo`: the whole road on the digits network.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Instant;

use basisn_arch::ChipConfig;
use basisn_compiler::{Compiled, Fitted, ScheduleOptions, float, lower};
use basisn_models::verilog::Body;
use basisn_models::{NetRun, golden};
use clap::Args;

use super::compile::{Inputs, Source};
use super::simulate;
use crate::comparison::{self, Comparison};
use crate::engine::{self, Rtl, Simulator};
use crate::output::{Staged, say};
use crate::report::{DenseFigures, Figures, LayerFigures, page};
use crate::{Error, package, scores};

/// Images that the network without training runs through the RTL, at most: it takes eight times as long.
const DENSE_IMAGES: usize = 20;

/// Compile, generate Verilog, verilate it, run images through the RTL, compare every layer with the golden reference, report.
///
/// The network runs twice: as trained coefficients, whose kernels share slots, and as plain coefficients that are fitted to its float weights.
#[derive(Args)]
#[command(after_help = "Example:\n  basisn demo --out out/demo")]
pub struct Arguments {
    #[command(flatten)]
    source: Source,
    /// The same network as trained coefficients
    #[arg(long, default_value = "examples/digits/fitted.safetensors")]
    fitted: PathBuf,
    /// Chip configuration: a TOML file, or a preset
    #[arg(long, default_value = "digits")]
    config: String,
    /// Held-out images that run through the RTL; all of them run on the golden reference
    #[arg(long, default_value = "599")]
    images: NonZeroUsize,
    /// Folder for rtl/, program.safetensors, report.html and demo.json
    #[arg(long, default_value = "out/demo")]
    out: PathBuf,
    /// Print the figures as JSON
    #[arg(long)]
    json: bool,
}

/// Runs the road.
pub fn run(arguments: &Arguments) -> Result<(), Error> {
    let started = Instant::now();
    let step = |step: &str| {
        if !arguments.json {
            say!("{:>6.1} s  {step}", started.elapsed().as_secs_f64());
        }
    };
    let config = ChipConfig::load(&arguments.config)?;
    let inputs = arguments.source.load()?;
    let mut staged = Staged::new(&arguments.out)?;

    step("fit the global basis to the float weights, calibrate on training images, schedule");
    let dense = inputs.compile(&config)?;
    step("schedule the trained coefficients");
    let trained = trained(arguments, &inputs, &config)?;
    staged.write("program.safetensors", trained.program.to_bytes()?)?;
    step("generate Verilog, build it with Verilator (kept for the next time)");
    package::write(&config, &mut staged, "ip/")?;
    let simulate = |compiled: &Compiled, images: &[Vec<i32>]| {
        Simulator::build(&config, Body::Dpi, None)?.run(&config, &compiled.program, images, None)
    };
    Simulator::build(&config, Body::Dpi, None)?;
    let (images, labels) = inputs.held_out()?;
    let some = arguments.images.get().min(images.len());
    let few = some.min(DENSE_IMAGES);
    step(&format!("golden reference: {} held-out images through both", images.len()));
    let float_accuracy = float::accuracy(&inputs.model, &images, &labels)?;
    let golden = engine::run_golden(&config, &trained.program, &images, None)?;
    let dense_golden = engine::run_golden(&config, &dense.program, &images, None)?;
    step(&format!(
        "RTL in Verilator: {some} of them through the trained network, {few} through the other, every layer compared"
    ));
    let rtl = simulate(&trained, &images[..some])?;
    let dense_rtl = simulate(&dense, &images[..few])?;
    let mut comparison = comparison::compare(&trained.program, &golden, &rtl.runs);
    let other = comparison::compare(&dense.program, &dense_golden, &dense_rtl.runs);
    comparison.values += other.values;
    comparison.mismatches.extend(other.mismatches);

    let dense = dense_figures(&config, &labels, &dense, &dense_golden, &dense_rtl);
    let mut figures = figures(arguments, &config, &labels, &trained, &golden, &rtl, &comparison, dense);
    figures.float_accuracy = float_accuracy;
    figures.seconds = started.elapsed().as_secs_f64();
    let text = serde_json::to_string_pretty(&figures)
        .map_err(|e| Error::output(&arguments.out.join("demo.json"), &e.into()))?;
    staged.write("demo.json", format!("{text}\n"))?;
    staged.write("report.html", page(&figures, &trained.program))?;
    staged.publish()?;
    if arguments.json {
        say!("{text}");
    } else {
        print(&figures, arguments);
        for mismatch in comparison.mismatches.iter().take(20) {
            say!("mismatch: {mismatch}");
        }
        say!(
            "bit-exact: {} layers, {} values, {} mismatches",
            figures.layers_compared,
            figures.values_compared,
            figures.mismatches
        );
    }
    comparison.done("basisn demo")
}

/// The trained coefficients on the chip; they must be those of the network.
fn trained(arguments: &Arguments, inputs: &Inputs, config: &ChipConfig) -> Result<Compiled, Error> {
    let fitted = Fitted::load(&arguments.fitted)?;
    if fitted.name != inputs.model.graph.name {
        return Err(Error::Input {
            at: "--fitted".into(),
            cause: format!("it holds network {}, and --network is {}", fitted.name, inputs.model.graph.name),
            fix: "give a file that `basisn train` made from this network".into(),
        });
    }
    Ok(lower(&fitted, config, ScheduleOptions::default())?)
}

#[allow(clippy::too_many_arguments, reason = "everything that a report tells of")]
fn figures(
    arguments: &Arguments,
    config: &ChipConfig,
    labels: &[u8],
    compiled: &Compiled,
    golden: &[NetRun<golden::LayerRun>],
    rtl: &Rtl,
    comparison: &Comparison,
    dense: DenseFigures,
) -> Figures {
    let some = rtl.runs.len();
    let golden_outputs = || golden.iter().filter_map(|i| i.values.last()).map(Vec::as_slice);
    let rtl_outputs = rtl.runs.iter().filter_map(|i| i.values.last()).map(Vec::as_slice);
    let layers = layers(config, compiled, golden, rtl);
    Figures {
        network: compiled.program.name.clone(),
        config: arguments.config.clone(),
        images_held_out: labels.len(),
        float_accuracy: 0.0,
        golden_accuracy: scores::accuracy(golden_outputs(), labels),
        golden_accuracy_of_rtl_images: scores::accuracy(golden_outputs(), &labels[..some]),
        rtl_accuracy: scores::accuracy(rtl_outputs, &labels[..some]),
        images_rtl: some,
        layers_compared: compiled.program.layers.len(),
        values_compared: comparison.values,
        mismatches: comparison.mismatches.len(),
        cycles_per_inference: simulate::inference_cycles(&rtl.runs),
        reads_per_inference: layers.iter().map(|l| l.reads).sum(),
        slots: compiled.report.slots,
        slots_per_subvector: slots_per_subvector(compiled),
        slots_lower_bound: compiled.report.slots_lower_bound,
        snr_db: compiled.report.snr_db,
        program_cycles: rtl.program_cycles,
        simulated_cycles_per_second: rtl.cycles as f64 / rtl.seconds,
        simulations_at_once: rtl.threads,
        macro_body: "dpi".into(),
        seconds: 0.0,
        layers,
        dense,
    }
}

fn dense_figures(
    config: &ChipConfig,
    labels: &[u8],
    compiled: &Compiled,
    golden: &[NetRun<golden::LayerRun>],
    rtl: &Rtl,
) -> DenseFigures {
    DenseFigures {
        golden_accuracy: scores::accuracy(golden.iter().filter_map(|i| i.values.last()).map(Vec::as_slice), labels),
        images_rtl: rtl.runs.len(),
        cycles_per_inference: simulate::inference_cycles(&rtl.runs),
        reads_per_inference: layers(config, compiled, golden, rtl).iter().map(|l| l.reads).sum(),
        slots: compiled.report.slots,
        slots_per_subvector: slots_per_subvector(compiled),
    }
}

/// Mean slots of a subvector, weighted by positions.
fn slots_per_subvector(compiled: &Compiled) -> f64 {
    let layers = || compiled.program.layers.iter().zip(&compiled.report.layers);
    let slots: usize = layers().map(|(layer, report)| layer.shape.positions() * report.slots).sum();
    let subvectors: usize = layers().map(|(layer, _)| layer.shape.positions() * layer.slots.len()).sum();
    slots as f64 / subvectors.max(1) as f64
}

fn layers(
    config: &ChipConfig,
    compiled: &Compiled,
    golden: &[NetRun<golden::LayerRun>],
    rtl: &Rtl,
) -> Vec<LayerFigures> {
    let mut layers = Vec::new();
    for (i, (layer, report)) in compiled.program.layers.iter().zip(&compiled.report.layers).enumerate() {
        let counters = rtl.runs.first().map(|image| image.layers[i].counters).unwrap_or_default();
        let sum =
            |of: fn(&golden::LayerRun) -> u64| golden.iter().map(|image| of(&image.layers[i])).sum::<u64>() as f64;
        layers.push(LayerFigures {
            name: layer.name.clone(),
            positions: layer.shape.positions(),
            kernels: layer.shape.kernels,
            subvectors: layer.slots.len(),
            input_bits: layer.input_bits,
            gain: layer.gain,
            slots: report.slots,
            slots_lower_bound: report.slots_lower_bound,
            snr_db: report.snr_db,
            cycles: counters.cycles,
            reads: counters.reads,
            issued: counters.issued(config.cores()),
            wait_slots: counters.wait_slots,
            wait_activations: counters.wait_activations,
            wait_results: counters.wait_results,
            wait_macro: counters.wait_macro,
            saturated: sum(|l| l.saturated_low + l.saturated_high) / sum(|l| l.codes).max(1.0),
        });
    }
    layers
}

fn print(f: &Figures, arguments: &Arguments) {
    say!();
    say!(
        "{:12} {:>9} {:>6} {:>6} {:>8} {:>8} {:>7}",
        "layer",
        "positions",
        "slots",
        "bound",
        "cycles",
        "reads",
        "issued"
    );
    for l in &f.layers {
        say!(
            "{:12} {:>9} {:>6} {:>6} {:>8} {:>8} {:>6.1}%",
            l.name,
            l.positions,
            l.slots,
            l.slots_lower_bound,
            l.cycles,
            l.reads,
            100.0 * l.issued
        );
    }
    say!(
        "{:12} {:>9} {:>6} {:>6} {:>8} {:>8}",
        "inference",
        "",
        f.slots,
        f.slots_lower_bound,
        f.cycles_per_inference,
        f.reads_per_inference
    );
    say!();
    say!("{:26} {:>8} {:>17} {:>8} {:>8}", "", "accuracy", "slots a subvector", "reads", "cycles");
    let row = |name: &str, accuracy: f64, slots: f64, reads: u64, cycles: u64| {
        say!("{name:26} {:>7.2}% {slots:>17.2} {reads:>8} {cycles:>8}", 100.0 * accuracy);
    };
    let d = &f.dense;
    row(
        "fitted, without training",
        d.golden_accuracy,
        d.slots_per_subvector,
        d.reads_per_inference,
        d.cycles_per_inference,
    );
    row(
        "trained to share slots",
        f.golden_accuracy,
        f.slots_per_subvector,
        f.reads_per_inference,
        f.cycles_per_inference,
    );
    say!();
    say!("accuracy float  {:6.2}%   {} held-out images", 100.0 * f.float_accuracy, f.images_held_out);
    say!("accuracy golden {:6.2}%   the same images, trained", 100.0 * f.golden_accuracy);
    say!(
        "accuracy RTL    {:6.2}%   {} of them (golden on these: {:.2}%)",
        100.0 * f.rtl_accuracy,
        f.images_rtl,
        100.0 * f.golden_accuracy_of_rtl_images
    );
    say!(
        "simulation      {:.2} M core cycles/s in {} simulations, DPI macro",
        f.simulated_cycles_per_second / 1e6,
        f.simulations_at_once
    );
    say!("{}", arguments.out.join("report.html").display());
}
