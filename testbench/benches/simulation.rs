//! How fast a layer runs on the golden reference and on RTL with either macro body, one thread, measured in turn:
//! `cargo bench -p basisn-testbench`. `BASISN_VERILATOR` chooses the Verilator.
//!
//! The layer is conv2 of the digits network in shape (16 channels of 8 x 8, 32 kernels of 3 x 3), with random slots, on the `digits`
//! preset: four tiles convert in almost every cycle.

use std::time::Instant;

use basisn_arch::{ChipConfig, ConvShape, LayerProgram, Program, Window};
use basisn_models::golden;
use basisn_models::random::{Corners, generator, random_input, random_program};
use basisn_models::verilog::Body;
use basisn_testbench::{Chip, Stalls, chip};
use verilated::Trace;

const SHAPE: ConvShape =
    ConvShape { in_channels: 16, in_height: 8, in_width: 8, kernels: 32, window: Window::square(3, 1, 1) };
const SAMPLES: usize = 7;
const SAMPLE_SECONDS: f64 = 0.5;

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<(), Failure> {
    let config = ChipConfig::load("digits")?;
    let mut random = generator(2407);
    let corners = Corners {
        slots: Some(16),
        block_positions: Some(64),
        gain: Some(0),
        input_bits: Some(8),
        signed: Some(false),
        raw: Some(false),
        ..Corners::default()
    };
    let program = random_program(&mut random, &config, SHAPE, &corners);
    let layer = &program.layers[0];
    let input = random_input(&mut random, layer);

    let mut dpi = start(&config, &program, Body::Dpi)?;
    let mut portable = start(&config, &program, Body::Portable)?;
    let mut core = golden::Core::new(&config, &program)?;
    let expected = core.run_layer(0, &input)?;
    for chip in [&mut dpi, &mut portable] {
        let run = chip.run_layer(layer, &input, &mut Stalls::none())?;
        assert_eq!(run.values, expected.values, "RTL and golden reference differ");
    }
    let one = dpi.run_layer(layer, &input, &mut Stalls::none())?.counters;
    println!(
        "layer: {} positions, {} reads, {} cycles, {} % of them with a read",
        SHAPE.positions(),
        one.reads,
        one.cycles,
        100 * one.reads / one.cycles
    );

    let (mut dpi_rates, mut portable_rates, mut golden_rates) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..SAMPLES {
        dpi_rates.push(cycles_per_second(&mut dpi, layer, &input)?);
        portable_rates.push(cycles_per_second(&mut portable, layer, &input)?);
        golden_rates.push(rate(|| core.run_layer(0, &input).map(|_| 1).map_err(Failure::from))?);
    }
    let (dpi, portable, layers) = (median(dpi_rates), median(portable_rates), median(golden_rates));
    println!("RTL, DPI macro      {:8.3} million core cycles/s", dpi / 1e6);
    println!("RTL, Verilog macro  {:8.3} million core cycles/s", portable / 1e6);
    println!("DPI : Verilog       {:8.2}", dpi / portable);
    println!(
        "golden reference    {layers:8.1} layers/s = {:.1} million MAC/s = {:.3} million reads of all tiles/s",
        layers * SHAPE.macs() as f64 / 1e6,
        layers * expected.reads as f64 / 1e6
    );
    Ok(())
}

fn start(config: &ChipConfig, program: &Program, body: Body) -> Result<Chip, Failure> {
    let library = chip::verilate(chip::sources(config, body)?, body, Trace::None)?;
    Ok(Chip::new(&library, config, program)?)
}

fn cycles_per_second(chip: &mut Chip, layer: &LayerProgram, input: &[i32]) -> Result<f64, Failure> {
    rate(|| {
        let before = chip.cycle();
        chip.run_layer(layer, input, &mut Stalls::none())?;
        Ok(chip.cycle() - before)
    })
}

/// What `work` counts, by second, over at least [`SAMPLE_SECONDS`].
fn rate(mut work: impl FnMut() -> Result<u64, Failure>) -> Result<f64, Failure> {
    let started = Instant::now();
    let mut done = 0;
    while started.elapsed().as_secs_f64() < SAMPLE_SECONDS {
        done += work()?;
    }
    Ok(done as f64 / started.elapsed().as_secs_f64())
}

fn median(mut rates: Vec<f64>) -> f64 {
    rates.sort_by(f64::total_cmp);
    rates[rates.len() / 2]
}
