//! What a simulation shows, and the files that it dumps.

use basisn_arch::{ChipConfig, Counters, Program};
use basisn_compiler::fidelity::Fidelity;
use basisn_models::NetRun;
use basisn_testbench::LayerRun;

use crate::engine::{LayerRuns, Rtl};
use crate::output::{Staged, say};
use crate::scores::{SHOWN, Scores};
use crate::{Error, tensor};

/// Images whose classes are shown.
const IMAGES: usize = 20;

/// Results of every step as `.npy` files.
pub(super) fn write_steps(staged: &Staged, program: &Program, outputs: &[&[Vec<i64>]]) -> Result<(), Error> {
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

fn header() {
    say!("{:12} {:>9} {:>9} {:>9} {:>8}", "layer", "positions", "cycles", "reads", "issued");
}

fn layer_row(config: &ChipConfig, program: &Program, layer: usize, c: &Counters) {
    let layer = &program.layers[layer];
    say!(
        "{:12} {:>9} {:>9} {:>9} {:>7.1}%",
        layer.name,
        layer.shape.positions(),
        c.cycles,
        c.reads,
        100.0 * c.issued(config.cores())
    );
}

fn speed(cycles: u64, seconds: f64, threads: usize) {
    say!("simulated {cycles} cycles, {:.2} M cycles/s, {threads} simulations at once", cycles as f64 / seconds / 1e6);
}

/// The layers of the first image.
pub(super) fn whole(config: &ChipConfig, program: &Program, rtl: &Rtl) {
    header();
    for layer in 0..program.layers.len() {
        let counters = rtl.runs.first().map_or(Counters::default(), |image| image.layers[layer].counters);
        layer_row(config, program, layer, &counters);
    }
    speed(rtl.cycles, rtl.seconds, rtl.threads);
}

/// Single layers of the first image.
pub(super) fn single(config: &ChipConfig, program: &Program, rtl: &LayerRuns) {
    header();
    for run in rtl.runs.iter().filter(|run| run.image == 0) {
        layer_row(config, program, run.layer, &run.run.counters);
    }
    speed(rtl.cycles, rtl.seconds, rtl.threads);
}

/// Classes of the first images, or how many are right.
pub(super) fn scores(scores: &Scores, images: usize) {
    match (scores.top_1, scores.top_5) {
        (Some(top_1), Some(top_5)) => {
            say!("accuracy: {:.2}% of {images} images, top-5 {:.2}%", 100.0 * top_1, 100.0 * top_5);
        }
        _ => {
            for (image, classes) in scores.classes.iter().take(IMAGES).enumerate() {
                let classes: Vec<String> = classes.iter().map(ToString::to_string).collect();
                say!("image {image}: classes by score {}", classes.join(" "));
            }
            if images > IMAGES {
                say!("and {} more images; --json has the first {SHOWN} classes of all", images - IMAGES);
            }
        }
    }
}

/// How far every step is from the float network's.
pub(super) fn fidelity(fidelity: &Fidelity, float: &Scores, same: f64, images: usize) {
    say!("{:30} {:>9} {:>8}", "step", "values", "SNR dB");
    for step in &fidelity.steps {
        say!("{:30} {:>9} {:>8.1}", step.name, step.values, step.snr_db);
    }
    if let (Some(top_1), Some(top_5)) = (float.top_1, float.top_5) {
        say!("float accuracy: {:.2}% of {images} images, top-5 {:.2}%", 100.0 * top_1, 100.0 * top_5);
    }
    say!("same class as the float network: {:.2}% of {images} images", 100.0 * same);
}
