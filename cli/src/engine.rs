//! Runs images on the golden reference and on RTL, and compares every layer of every image.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use basisn_arch::{ChipConfig, Program};
use basisn_compiler::float::argmax;
use basisn_models::verilog::Body;
use basisn_models::{Mismatch, golden};
use basisn_testbench::{Chip, LayerRun, Stalls, chip};
use indicatif::{ProgressBar, ProgressStyle};
use rayon::prelude::*;
use verilated::Trace;

use crate::Error;

/// Results of RTL simulation.
#[derive(Debug)]
pub struct Rtl {
    /// For every image, every layer.
    pub runs: Vec<Vec<LayerRun>>,
    /// Clock cycles simulated, the writing of the basis included.
    pub cycles: u64,
    /// Clock cycles that writing the basis takes.
    pub program_cycles: u64,
    /// Wall-clock time of the simulation, without building.
    pub seconds: f64,
    /// Simulations that ran at the same time.
    pub threads: usize,
}

/// How to simulate RTL.
#[derive(Clone, Copy, Debug)]
pub struct RtlOptions<'a> {
    /// Body of the RRAM macro.
    pub body: Body,
    /// Waveform of the first image, `.fst` or `.vcd`.
    pub trace: Option<&'a Path>,
}

/// A comparison of RTL with the golden reference.
#[derive(Debug, Default)]
pub struct Comparison {
    /// Compared values.
    pub values: usize,
    /// What differs, with its image and the cycle of the result.
    pub mismatches: Vec<String>,
}

/// A progress bar; it shows itself only on a terminal.
pub fn progress(what: &str, steps: usize) -> ProgressBar {
    let style = ProgressStyle::with_template("{msg:12} {bar:30} {pos}/{len}  {eta} left");
    ProgressBar::new(steps as u64)
        .with_message(what.to_string())
        .with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

/// Runs images on the golden reference, on all cores.
///
/// # Errors
/// The program or an image is refused.
pub fn run_golden(
    config: &ChipConfig,
    program: &Program,
    images: &[Vec<i32>],
) -> Result<Vec<Vec<golden::LayerRun>>, Error> {
    let bar = progress("golden", images.len());
    let runs = images
        .par_iter()
        .map_init(
            || golden::Core::new(config, program),
            |core, image| match core {
                Ok(core) => {
                    let run = core.run(image);
                    bar.inc(1);
                    run
                }
                Err(_) => golden::Core::new(config, program)?.run(image),
            },
        )
        .collect::<Result<Vec<_>, _>>();
    bar.finish_and_clear();
    Ok(runs?)
}

/// Generates, verilates and runs images on RTL, one simulation on each core of this machine.
///
/// # Errors
/// Generation, Verilator or the simulation fails.
pub fn run_rtl(config: &ChipConfig, program: &Program, images: &[Vec<i32>], options: RtlOptions) -> Result<Rtl, Error> {
    let trace = match options.trace.and_then(Path::extension).and_then(|e| e.to_str()) {
        None if options.trace.is_none() => Trace::None,
        Some("fst") => Trace::Fst,
        Some("vcd") => Trace::Vcd,
        _ => {
            return Err(Error::Input {
                at: options.trace.map(|p| p.display().to_string()).unwrap_or_default(),
                cause: "the kind of waveform is told by the extension".into(),
                fix: "name a file that ends in .fst or .vcd".into(),
            });
        }
    };
    let building = ProgressBar::new_spinner().with_message("verilating (cached after the first time)");
    building.enable_steady_tick(std::time::Duration::from_millis(100));
    let library = chip::verilate(chip::sources(config, options.body)?, options.body, trace)?;
    building.finish_and_clear();

    let bar = progress("RTL", images.len());
    let started = Instant::now();
    let threads = rayon::current_num_threads().min(images.len()).max(1);
    let (cycles, program_cycles) = (AtomicU64::new(0), AtomicU64::new(0));
    let share = images.len().div_ceil(threads).max(1);
    let chunks = images.par_chunks(share).enumerate().map(|(chunk, images)| {
        let trace = options.trace.filter(|_| chunk == 0);
        let mut chip = Chip::with_trace(&library, config, program, trace)?;
        let mut runs = Vec::with_capacity(images.len());
        for image in images {
            runs.push(chip.run(program, image, &mut Stalls::none())?);
            bar.inc(1);
        }
        cycles.fetch_add(chip.cycle(), Ordering::Relaxed);
        program_cycles.store(chip.program_cycles(), Ordering::Relaxed);
        Ok(runs)
    });
    let runs: Result<Vec<_>, Error> = chunks.collect();
    bar.finish_and_clear();
    Ok(Rtl {
        runs: runs?.into_iter().flatten().collect(),
        cycles: cycles.into_inner(),
        program_cycles: program_cycles.into_inner(),
        seconds: started.elapsed().as_secs_f64(),
        threads,
    })
}

/// Compares every layer of every image that RTL ran.
pub fn compare(program: &Program, golden: &[Vec<golden::LayerRun>], rtl: &[Vec<LayerRun>]) -> Comparison {
    let mut comparison = Comparison::default();
    for (image, (expected, got)) in golden.iter().zip(rtl).enumerate() {
        let expected: Vec<_> = expected.iter().map(|r| r.values.clone()).collect();
        let values: Vec<_> = got.iter().map(|r| r.values.clone()).collect();
        let (compared, mismatches) = basisn_models::compare(program, &expected, &values);
        comparison.values += compared;
        comparison.mismatches.extend(mismatches.iter().map(|m| describe(program, image, m, got)));
    }
    comparison
}

fn describe(program: &Program, image: usize, mismatch: &Mismatch, runs: &[LayerRun]) -> String {
    let cycle = program
        .layers
        .iter()
        .zip(runs)
        .find(|(layer, _)| layer.name == mismatch.layer)
        .and_then(|(layer, run)| run.at_cycle.get(mismatch.kernel * layer.shape.positions() + mismatch.position));
    format!("image {image}, {mismatch}, cycle {}", cycle.map_or("unknown".into(), u64::to_string))
}

/// Share of images whose largest output is at the label.
pub fn accuracy<'a>(outputs: impl IntoIterator<Item = &'a [i64]>, labels: &[u8]) -> f64 {
    let right = outputs.into_iter().zip(labels).filter(|(o, l)| argmax(o) == usize::from(**l)).count();
    right as f64 / labels.len().max(1) as f64
}
