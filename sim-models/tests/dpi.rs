//! The portable and the DPI body in Verilator against the Rust model.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::time::Instant;

use basisn_arch::ChipConfig;
use basisn_models::IdealMacro;
use basisn_models::dpi::{self, DpiTable};
use basisn_models::random::{Random, generator, seed};
use basisn_models::verilog::{Body, macro_body};
use rand::Rng;
use verilated::{Build, Input, Library, Model, WideInput, WideOutput};

const READS: usize = 4000;

fn build(config: &ChipConfig, body: Body) -> Library {
    let name = config.macro_name();
    let mut build = Build::new(&name).clock("clock").source((format!("{name}.v"), macro_body(config, body)));
    if body == Body::Dpi {
        build = build.shim_source(dpi::shim());
    }
    let library = build.build().unwrap();
    if body == Body::Dpi {
        // SAFETY: the shim declares the setter so, and the library outlives the call.
        let set: unsafe extern "C" fn(*const DpiTable) = unsafe { library.symbol(dpi::SETTER) }.unwrap();
        unsafe { set(&dpi::table()) };
    }
    library
}

/// The macro's read port in a running model.
struct Bench {
    model: Model,
    read_valid: Input,
    gain: Input,
    wordlines: WideInput,
    switches: [WideInput; 3],
    codes: WideOutput,
}

impl Bench {
    /// A macro after reset, with its cells written.
    fn new(library: &Library, config: &ChipConfig, levels: &[i32]) -> Self {
        let mut model = library.instance().random_state(3).start().unwrap();
        let input = |model: &Model, name: &str| model.input(name).unwrap();
        for name in
            ["program_valid", "read_valid", "gain", "program_row", "program_column", "program_level", "program_op"]
        {
            let port = input(&model, name);
            model.set(port, 0);
        }
        let (reset, valid) = (input(&model, "reset"), input(&model, "program_valid"));
        model.set(reset, 1);
        model.run(2).unwrap();
        model.set(reset, 0);
        let [row, column, level] = ["program_row", "program_column", "program_level"].map(|name| input(&model, name));
        model.set(valid, 1);
        for (cell, &value) in levels.iter().enumerate() {
            model.set(row, (cell / config.columns()) as u64);
            model.set(column, (cell % config.columns()) as u64);
            model.set(level, value as u64);
            model.run(1 + config.program_cycles() as u64).unwrap();
        }
        model.set(valid, 0);
        let wide = |name| model.wide_input(name).unwrap();
        Bench {
            read_valid: input(&model, "read_valid"),
            gain: input(&model, "gain"),
            wordlines: wide("wordlines"),
            switches: [wide("column_enable"), wide("column_negative"), wide("column_lane")],
            codes: model.wide_output("codes").unwrap(),
            model,
        }
    }

    fn switch(&mut self, config: &ChipConfig, switches: &[i8]) {
        let mut words = self.switches.map(|port| vec![0u32; port.word_count()]);
        let mut put = |port: usize, bit: usize, value: bool| words[port][bit / 32] |= u32::from(value) << (bit % 32);
        for (column, switch) in switches.iter().enumerate() {
            put(0, column, *switch != 0);
            put(1, column, *switch < 0);
            for b in 0..config.lane_bits() {
                let lane = usize::from(switch.unsigned_abs()).saturating_sub(1);
                put(2, column * config.lane_bits() + b, lane >> b & 1 == 1);
            }
        }
        for (port, words) in self.switches.iter().zip(&words) {
            self.model.set_words(*port, words);
        }
    }
}

fn random_switches(rng: &mut Random, config: &ChipConfig) -> Vec<i8> {
    let lanes = config.lanes() as i8;
    (0..config.columns()).map(|_| rng.random_range(-lanes..=lanes)).collect()
}

fn bodies_agree(config: &ChipConfig) {
    let seed = seed();
    println!("BASISN_SEED={seed}");
    for body in [Body::Portable, Body::Dpi] {
        let mut rng = generator(seed);
        let library = build(config, body);
        let max = i32::from(config.level_max());
        let cells = config.rows() * config.columns();
        let levels: Vec<i32> = (0..cells).map(|_| [-max, max][usize::from(rng.random_bool(0.5))]).collect();
        let mut bench = Bench::new(&library, config, &levels);
        let mut crossbar = IdealMacro::new(config);
        for (cell, &level) in levels.iter().enumerate() {
            crossbar.program(cell / config.columns(), cell % config.columns(), level);
        }
        let mut expected = vec![0; config.lanes()];
        let (mut seconds, mut compared) = (0.0, 0usize);
        for read in 0..READS {
            if read % 128 == 0 {
                let switches = random_switches(&mut rng, config);
                bench.switch(config, &switches);
                crossbar.set_switches(&switches);
            }
            let mut words: Vec<u32> = (0..config.rows().div_ceil(32)).map(|_| rng.random()).collect();
            if !config.rows().is_multiple_of(32) {
                *words.last_mut().unwrap() &= (1 << (config.rows() % 32)) - 1;
            }
            let wide: Vec<u64> =
                words.chunks(2).map(|w| u64::from(w[0]) | u64::from(w.get(1).copied().unwrap_or(0)) << 32).collect();
            let gain = rng.random_range(0..4);
            crossbar.read(&wide, gain, &mut expected);
            bench.model.set_words(bench.wordlines, &words);
            let (gain_port, valid) = (bench.gain, bench.read_valid);
            bench.model.set(gain_port, u64::from(gain));
            bench.model.set(valid, 1);
            let start = Instant::now();
            bench.model.run(1).unwrap();
            seconds += start.elapsed().as_secs_f64();
            bench.model.set(valid, 0);
            bench.model.run(config.read_latency_cycles() as u64 - 1).unwrap();
            bench.model.settle().unwrap();
            let bits = config.adc_bits() as u32;
            for (lane, &code) in expected.iter().enumerate() {
                let raw = bench.model.field(bench.codes, lane as u32 * bits, bits) as i32;
                assert_eq!(raw << (32 - bits) >> (32 - bits), code, "{body:?}, read {read}, lane {lane}");
                compared += 1;
            }
        }
        assert_eq!(compared, READS * config.lanes());
        println!("{body:?} of {}: {:.2} us a read", config.macro_name(), seconds / READS as f64 * 1e6);
    }
}

#[test]
fn bodies_agree_with_the_model_at_the_paper_s_scale() {
    bodies_agree(&ChipConfig::load("paper").unwrap());
}

#[test]
fn bodies_agree_with_the_model_for_an_odd_geometry() {
    let keys = [
        ("crossbar.rows", 24),
        ("crossbar.columns", 10),
        ("crossbar.cell_bits", 3),
        ("crossbar.read_latency_cycles", 3),
        ("crossbar.program_cycles", 0),
        ("arithmetic.group", 1),
        ("adc.lanes", 5),
        ("adc.bits", 7),
    ];
    let config = keys.iter().fold(ChipConfig::load("tiny").unwrap(), |config, (k, v)| config.with(k, *v).unwrap());
    bodies_agree(&config);
}
