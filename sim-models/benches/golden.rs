//! Logical MAC/s of the golden reference: `cargo bench -p basisn-models`; `scripts/bench-models` adds a NumPy twin of the same layer.
//!
//! A MAC is one of the original layer: positions x kernels x depth, whatever it costs in reads. Inputs have 8 bits, all planes are read,
//! and every read of every lane has its ADC code. The layer: 3 x 3 kernels on 128 channels of 14 x 14, 128 kernels, on a core of the
//! `paper` preset (16 tiles of 128 x 128, 8 lanes, 8-bit ADCs) with one slot a subvector: 8 kernels of 16 columns in every tile.
//!
//! Medians of several samples; besides the clock, by the time that the processors gave, which a busy machine changes less.
//!
//! `--write FOLDER` writes the layer's numbers for the twin.

mod common;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use basisn_arch::{ChipConfig, ConvShape, Program, Window};
use basisn_models::random::generator;
use basisn_models::rram::{Device, MacroModel};
use basisn_models::{IdealMacro, fast, golden};
use common::program;
use rand::Rng;

const SHAPE: ConvShape =
    ConvShape { in_channels: 128, in_height: 14, in_width: 14, kernels: 128, window: Window::square(3, 1, 1) };
/// Images that run together, as in a campaign: one alone has four chunks of positions, too little work to share between threads evenly.
const IMAGES: usize = 8;
const SAMPLES: usize = 9;
const SAMPLE_SECONDS: f64 = 0.3;

type Failure = Box<dyn std::error::Error + Send + Sync>;

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().collect();
    let folder = arguments.iter().position(|a| a == "--write").and_then(|i| arguments.get(i + 1)).map(PathBuf::from);
    let config = ChipConfig::load("paper")?.with("chip.cores", 1)?;
    let mut rng = generator(2407);
    let program = program(&mut rng, &config, SHAPE);
    let dense: Vec<i32> = (0..SHAPE.inputs()).map(|_| rng.random_range(0..256)).collect();
    // As after a ReLU on digits: half of the values 0, the others small.
    let sparse: Vec<i32> =
        (0..SHAPE.inputs()).map(|_| if rng.random_bool(0.5) { 0 } else { rng.random_range(0..64) }).collect();
    if let Some(folder) = folder {
        return write(&folder, &config, &program, &dense);
    }

    let ideal = MacroModel::load("ideal")?;
    let device = |model: MacroModel| Device { model: Arc::new(model), seed: 1 };
    let fixed = device(ideal.with("programming.sigma", 0.05)?);
    let noisy = device(ideal.with("programming.sigma", 0.05)?.with("read.sigma", 0.01)?);
    let threads = std::thread::available_parallelism()?.get();
    for threads in if threads > 1 { vec![1, threads] } else { vec![1] } {
        println!("{threads} thread(s)");
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build()?;
        pool.install(|| -> Result<(), Failure> {
            measure("ideal, dense", &config, &program, None, &dense)?;
            measure("ideal, sparse", &config, &program, None, &sparse)?;
            measure("fixed programming error", &config, &program, Some(&fixed), &dense)?;
            measure("fresh read noise", &config, &program, Some(&noisy), &dense)?;
            Ok(())
        })?;
    }
    let mut core = golden::Core::new(&config, &program)?;
    let readable = rate(1, || core.run_layer(0, &dense).map(|_| ()).map_err(Failure::from))?;
    println!("readable golden reference, ideal, dense: {:.3} GMAC per processor second", readable.processor);
    Ok(())
}

fn measure(
    name: &str,
    config: &ChipConfig,
    program: &Program,
    device: Option<&Device>,
    input: &[i32],
) -> Result<(), Failure> {
    let core = fast::Core::new(config, program, device)?;
    let inputs = vec![input.to_vec(); IMAGES];
    let mut readable = golden::Core::with_device(config, program, device)?;
    assert_eq!(core.run_layer(0, &inputs, 0)?[0], readable.run_layer(0, input)?, "fast and readable differ");
    let mut rates = Vec::new();
    for _ in 0..SAMPLES {
        rates.push(rate(IMAGES, || core.run_layer(0, &inputs, 0).map(|_| ()).map_err(Failure::from))?);
    }
    rates.sort_by(|a: &Rate, b| a.wall.total_cmp(&b.wall));
    let best = rates[SAMPLES - 1].wall;
    let wall = rates[SAMPLES / 2].wall;
    rates.sort_by(|a, b| a.processor.total_cmp(&b.processor));
    let processor = rates[SAMPLES / 2].processor;
    println!("  {name:26} {wall:8.3} GMAC/s (best {best:.3}), {processor:.3} GMAC per processor second");
    Ok(())
}

/// MAC/s of runs of the layer on so many images, over at least [`SAMPLE_SECONDS`]: by the clock, and by the time that processors gave.
fn rate(images: usize, mut run: impl FnMut() -> Result<(), Failure>) -> Result<Rate, Failure> {
    let (started, before) = (Instant::now(), processor_seconds());
    let mut macs = 0.0;
    while started.elapsed().as_secs_f64() < SAMPLE_SECONDS {
        run()?;
        macs += (images * SHAPE.macs()) as f64;
    }
    let seconds = started.elapsed().as_secs_f64();
    let processor = processor_seconds().zip(before).map_or(seconds, |(now, before)| now - before);
    Ok(Rate { wall: macs / seconds / 1e9, processor: macs / processor / 1e9 })
}

/// GMAC/s.
#[derive(Clone, Copy)]
struct Rate {
    wall: f64,
    processor: f64,
}

/// Time of all threads of this process, where Linux tells it: on a busy machine the clock says little.
fn processor_seconds() -> Option<f64> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks = fields.get(11)?.parse::<f64>().ok()? + fields.get(12)?.parse::<f64>().ok()?;
    Some(ticks / 100.0)
}

/// Patches (uint8 `[position][depth]`), row vectors (int16 `[subvector][kernel][row]`) and psums (int64 `[kernel][position]`).
fn write(folder: &std::path::Path, config: &ChipConfig, program: &Program, input: &[i32]) -> Result<(), Failure> {
    let layer = &program.layers[0];
    let rows = config.rows();
    let mut weights = vec![0i16; layer.slots.len() * SHAPE.kernels * rows];
    for (subvector, slots) in layer.slots.iter().enumerate() {
        for (tile, slot) in slots.iter().flatten().enumerate() {
            let mut ideal = IdealMacro::new(config);
            ideal.program_all(program.basis_of(tile));
            let of_lanes = ideal.lane_rows(&slot.switches);
            for (lane, item) in slot.items.iter().enumerate() {
                let Some(item) = item else { continue };
                let to = &mut weights[(subvector * SHAPE.kernels + item.kernel) * rows..][..rows];
                to.iter_mut().zip(&of_lanes[lane * rows..]).for_each(|(to, &w)| *to = w as i16);
            }
        }
    }
    let patches: Vec<u8> = SHAPE.im2col(input).iter().map(|&x| x as u8).collect();
    let psums = golden::run_layer(config, program, 0, input)?.values;
    std::fs::create_dir_all(folder)?;
    std::fs::write(folder.join("patches.u8"), patches)?;
    std::fs::write(folder.join("weights.i16"), weights.iter().flat_map(|w| w.to_le_bytes()).collect::<Vec<_>>())?;
    std::fs::write(folder.join("psums.i64"), psums.iter().flat_map(|p| p.to_le_bytes()).collect::<Vec<_>>())?;
    Ok(())
}
