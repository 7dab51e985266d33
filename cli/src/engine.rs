//! Runs images, or single layers of them, on the golden reference and on RTL.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use basisn_arch::{ChipConfig, Program};
use basisn_models::rram::Device;
use basisn_models::verilog::Body;
use basisn_models::{NetRun, fast, golden, steps};
use basisn_testbench::{Chip, LayerRun, Stalls, chip};
use indicatif::{ProgressBar, ProgressStyle};
use rayon::prelude::*;
use verilated::{Library, Trace};

use crate::Error;
use crate::output::StagedFile;

/// Results of RTL simulation.
#[derive(Debug)]
pub struct Rtl {
    /// For every image.
    pub runs: Vec<NetRun<LayerRun>>,
    /// Clock cycles simulated, the writing of the basis included.
    pub cycles: u64,
    /// Clock cycles that writing the basis takes.
    pub program_cycles: u64,
    /// Wall-clock time of the simulation, without building.
    pub seconds: f64,
    /// Simulations that ran at the same time.
    pub threads: usize,
}

/// Results of single layers, each on the input that the golden reference gives it.
#[derive(Debug)]
pub struct LayerRuns {
    /// Of every image and layer.
    pub runs: Vec<SingleRun>,
    /// Clock cycles simulated, the writing of the basis included.
    pub cycles: u64,
    /// Wall-clock time of the simulation, without building.
    pub seconds: f64,
    /// Simulations that ran at the same time.
    pub threads: usize,
}

/// One layer of one image.
#[derive(Debug)]
pub struct SingleRun {
    /// Number of the image.
    pub image: usize,
    /// Number of the layer.
    pub layer: usize,
    /// Its results.
    pub run: LayerRun,
}

/// Verilated RTL, ready to run.
#[derive(Debug)]
pub struct Simulator {
    library: Library,
    body: Body,
    /// Waveform of the first images.
    trace: Option<StagedFile>,
}

/// A progress bar; it shows itself only on a terminal.
pub fn progress(what: &str, steps: usize) -> ProgressBar {
    let style = ProgressStyle::with_template("{msg:12} {bar:30} {pos}/{len}  {eta} left");
    ProgressBar::new(steps as u64)
        .with_message(what.to_string())
        .with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

/// Runs images on the golden reference, on all cores of this machine; ideal without a device.
///
/// # Errors
/// The program or an image is refused.
pub fn run_golden(
    config: &ChipConfig,
    program: &Program,
    images: &[Vec<i32>],
    device: Option<&Device>,
) -> Result<Vec<NetRun<golden::LayerRun>>, Error> {
    let bar = progress("golden", images.len());
    let core = fast::Core::new(config, program, device)?;
    let mut runs = Vec::with_capacity(images.len());
    // Enough to fill every thread, few enough for the bar to move.
    for batch in images.chunks(16) {
        runs.extend(core.run(batch, runs.len() as u32)?);
        bar.inc(batch.len() as u64);
    }
    bar.finish_and_clear();
    Ok(runs)
}

/// Images for each core of this machine.
fn share_of(images: usize) -> usize {
    images.div_ceil(rayon::current_num_threads()).max(1)
}

impl Simulator {
    /// Generates and verilates the core; `trace` names a waveform to write, `.fst` or `.vcd`.
    ///
    /// # Errors
    /// Generation or Verilator fails, or the waveform cannot be written there.
    pub fn build(config: &ChipConfig, body: Body, trace: Option<&Path>) -> Result<Self, Error> {
        let kind = trace.map_or(Ok(Trace::None), kind_of_trace)?;
        let trace = trace.map(StagedFile::new).transpose()?;
        let building = ProgressBar::new_spinner().with_message("verilating (cached after the first time)");
        building.enable_steady_tick(std::time::Duration::from_millis(100));
        let library = chip::verilate(chip::sources(config, body)?, body, kind);
        building.finish_and_clear();
        Ok(Simulator { library: library?, body, trace })
    }

    /// Runs images, one simulation on each core of this machine; ideal without a device.
    ///
    /// # Errors
    /// The program is refused, the simulation fails, or the waveform cannot be written.
    pub fn run(
        self,
        config: &ChipConfig,
        program: &Program,
        images: &[Vec<i32>],
        device: Option<&Device>,
    ) -> Result<Rtl, Error> {
        let bar = progress("RTL", images.len());
        let started = Instant::now();
        let threads = rayon::current_num_threads().min(images.len()).max(1);
        let (cycles, program_cycles) = (AtomicU64::new(0), AtomicU64::new(0));
        let share = share_of(images.len());
        let trace = self.trace.as_ref().map(StagedFile::path);
        let chunks = images.par_chunks(share).enumerate().map(|(chunk, images)| {
            let trace = trace.as_deref().filter(|_| chunk == 0);
            let mut chip = match device {
                Some(device) if self.body == Body::PortableDevice => {
                    Chip::start_portable(&self.library, config, program, device, trace)?
                }
                _ => Chip::start(&self.library, config, program, device, trace)?,
            };
            chip.set_inference((chunk * share) as u32);
            let mut runs = Vec::with_capacity(images.len());
            for image in images {
                runs.push(chip.run(program, image, &mut Stalls::none())?);
                bar.inc(1);
            }
            chip.close_trace()?;
            cycles.fetch_add(chip.cycle(), Ordering::Relaxed);
            program_cycles.store(chip.program_cycles(), Ordering::Relaxed);
            Ok(runs)
        });
        let runs: Result<Vec<_>, Error> = chunks.collect();
        bar.finish_and_clear();
        let runs = runs.map_err(|e| self.named(e))?.concat();
        self.trace.map_or(Ok(()), StagedFile::publish)?;
        Ok(Rtl {
            runs,
            cycles: cycles.into_inner(),
            program_cycles: program_cycles.into_inner(),
            seconds: started.elapsed().as_secs_f64(),
            threads,
        })
    }

    /// Runs single layers, given by their numbers, on ideal macros: each gets what the golden reference gives it.
    ///
    /// # Errors
    /// As [`Simulator::run`].
    pub fn run_layers(
        self,
        config: &ChipConfig,
        program: &Program,
        images: &[Vec<i32>],
        golden: &[NetRun<golden::LayerRun>],
        layers: &[usize],
    ) -> Result<LayerRuns, Error> {
        let mut inputs = Vec::new();
        for (image, (pixels, golden)) in images.iter().zip(golden).enumerate() {
            steps::run(program, pixels, |layer, input| {
                if layers.contains(&layer) {
                    inputs.push((image, layer, input.to_vec()));
                }
                Ok::<_, Error>((golden.of_layer(program, layer).to_vec(), ()))
            })?;
        }
        let bar = progress("RTL", inputs.len());
        let started = Instant::now();
        let threads = rayon::current_num_threads().min(inputs.len()).max(1);
        let cycles = AtomicU64::new(0);
        let trace = self.trace.as_ref().map(StagedFile::path);
        let chunks = inputs.par_chunks(share_of(inputs.len())).enumerate().map(|(chunk, inputs)| {
            let trace = trace.as_deref().filter(|_| chunk == 0);
            let mut chip = Chip::start(&self.library, config, program, None, trace)?;
            let mut runs = Vec::with_capacity(inputs.len());
            for (image, layer, input) in inputs {
                let run = chip.run_layer(&program.layers[*layer], input, &mut Stalls::none())?;
                runs.push(SingleRun { image: *image, layer: *layer, run });
                bar.inc(1);
            }
            chip.close_trace()?;
            cycles.fetch_add(chip.cycle(), Ordering::Relaxed);
            Ok(runs)
        });
        let runs: Result<Vec<_>, Error> = chunks.collect();
        bar.finish_and_clear();
        let runs = runs.map_err(|e| self.named(e))?.into_iter().flatten().collect();
        self.trace.map_or(Ok(()), StagedFile::publish)?;
        let seconds = started.elapsed().as_secs_f64();
        Ok(LayerRuns { runs, cycles: cycles.into_inner(), seconds, threads })
    }

    /// A waveform that cannot be written is told with the name that the user gave.
    fn named(&self, error: Error) -> Error {
        match (error, &self.trace) {
            (
                Error::Testbench(basisn_testbench::Error::Verilated(verilated::Error::Trace { cause, .. })),
                Some(file),
            ) => Error::output(file.target(), &std::io::Error::other(cause)),
            (error, _) => error,
        }
    }
}

fn kind_of_trace(path: &Path) -> Result<Trace, Error> {
    match path.extension().and_then(|e| e.to_str()) {
        Some("fst") => Ok(Trace::Fst),
        Some("vcd") => Ok(Trace::Vcd),
        _ => Err(Error::Input {
            at: path.display().to_string(),
            cause: "the kind of waveform is told by the extension".into(),
            fix: "name a file that ends in .fst or .vcd".into(),
        }),
    }
}
