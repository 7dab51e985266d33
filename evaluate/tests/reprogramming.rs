//! Reprogramming measured: the digits network with 8-bit weights on one crossbar that is rewritten again and again, in simulation of the
//! generated RTL. The model predicts its cycles.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod support;

use basisn_arch::registers as reg;
use basisn_arch::{ChipConfig, ConvShape, Item, LayerProgram, LayerWork, Program, Requantize, Slot, Window};
use basisn_evaluate::reprogram::{Concessions, Options, cost};
use basisn_evaluate::{Chip, Constants, Layer, Workload, WriteBy};
use basisn_models::im2col::Patches;
use basisn_models::verilog::Body;
use basisn_testbench::{Core, LayerStimulus, Stalls, chip};
use support::{IntegerLayer, class, digits};
use verilated::Trace;

/// The controller: writes a tile through the programming port, runs it, adds up, and goes on to the next.
struct Controller {
    core: Core,
    config: ChipConfig,
    write_cycles: u64,
}

/// Bits of a cell, and coefficient planes of the two slices of a weight.
const CELL_BITS: usize = 4;
const PLANES: [usize; 2] = [0, 4];

impl Controller {
    fn new(config: &ChipConfig) -> Self {
        let library = chip::verilate(chip::sources(config, Body::Dpi).unwrap(), Body::Dpi, Trace::None).unwrap();
        let model = library.instance().random_state(7).start().unwrap();
        Controller { core: Core::new(model, config).unwrap(), config: config.clone(), write_cycles: 0 }
    }

    fn run_layer(&mut self, layer: &IntegerLayer, input: &[i32]) -> Vec<i64> {
        let (rows, columns) = (self.config.rows(), self.config.columns());
        let cut = basisn_arch::Subvectors::new(layer.depth(), rows);
        let patches = Patches::new(&layer.shape, cut, input);
        let (positions, at_once) = (layer.shape.positions(), columns / PLANES.len());
        let mut products = vec![0; layer.shape.kernels * positions];
        let kernels: Vec<usize> = (0..layer.shape.kernels).collect();
        for kernels in kernels.chunks(at_once) {
            for s in 0..cut.count {
                let level = |row: usize, column: usize| {
                    layer.level(kernels[column / 2], s * cut.length + row, column % 2, CELL_BITS)
                };
                self.write_tile(cut.length, 2 * kernels.len(), level);
                let x: Vec<_> = (0..positions).flat_map(|p| patches.subvector(p, s).to_vec()).collect();
                let tile = tile_program(&self.config, layer, kernels.len(), cut.length);
                let stimulus = LayerStimulus::new(&self.config, &tile, &x, 0..positions);
                let result = self.core.run_layer("tile", &stimulus, &mut Stalls::none()).unwrap();
                for (i, value) in result.values.iter().enumerate() {
                    let (kernel, position) = stimulus.result_place(i).unwrap();
                    products[kernels[kernel] * positions + position] += value;
                }
            }
        }
        products
    }

    fn write_tile(&mut self, rows: usize, columns: usize, level: impl Fn(usize, usize) -> i8) {
        let from = self.core.cycle();
        self.core.write(reg::PROGRAM_TILE, 0).unwrap();
        for row in 0..rows {
            self.core.write(reg::PROGRAM_CELL, row as u32).unwrap();
            for column in 0..columns {
                self.core.write(reg::PROGRAM_LEVEL, i32::from(level(row, column)).cast_unsigned()).unwrap();
            }
        }
        self.write_cycles += self.core.cycle() - from;
    }
}

/// One tile as a program: every column on a lane of its own, the lanes in turn; results are the sums themselves.
fn tile_program(config: &ChipConfig, layer: &IntegerLayer, kernels: usize, rows: usize) -> LayerProgram {
    let (height, width) = (layer.shape.out_height(), layer.shape.out_width());
    let all: Vec<usize> = (0..kernels).collect();
    let slot = |kernels: &[usize], slice: usize| {
        let mut slot = Slot::empty(config);
        for (lane, &kernel) in kernels.iter().enumerate() {
            slot.items[lane] = Some(Item { kernel, plane: PLANES[slice] });
            slot.switches[2 * kernel + slice] = lane as i8 + 1;
        }
        vec![slot]
    };
    let slots = all.chunks(config.lanes()).flat_map(|kernels| [0, 1].map(|slice| slot(kernels, slice))).collect();
    let mut tile = LayerProgram {
        name: "tile".into(),
        shape: ConvShape {
            in_channels: rows,
            in_height: height,
            in_width: width,
            kernels,
            window: Window::square(1, 1, 0),
        },
        input_bits: layer.input_bits,
        signed: false,
        gain: 0,
        tiles: 1,
        block_positions: height * width,
        home: (0..kernels as u32).collect(),
        slots: vec![slots],
        requantize: Requantize {
            multiplier: vec![1; kernels],
            offset: vec![0; kernels],
            shift: 1,
            low: i32::MIN,
            high: i32::MAX,
            raw: true,
        },
    };
    Program::chain("tile", config, vec![vec![1; config.rows() * config.columns()]], vec![tile.clone()])
        .check(config)
        .unwrap();
    // As the compiler does: blocks with which the layer takes fewest cycles.
    let positions = height * width;
    tile.block_positions = (1..=positions.min(config.position_block()))
        .min_by_key(|&block| {
            tile.block_positions = block;
            LayerWork::new(config, &tile, positions).counters(config).cycles
        })
        .unwrap();
    tile
}

#[test]
fn the_model_predicts_the_cycles_of_reprogramming() {
    let digits = digits();
    let preset = ChipConfig::load("digits").unwrap();
    let changes =
        [("core.tiles", 1), ("crossbar.cell_bits", 5), ("adc.bits", 11), ("arithmetic.coefficient_planes", 5)];
    let config = changes.iter().fold(preset, |config, (key, value)| config.with(key, *value).unwrap());

    let mut controller = Controller::new(&config);
    let from = controller.core.cycle();
    let mut input = digits.images[0].clone();
    for layer in &digits.layers {
        let products = controller.run_layer(layer, &input);
        assert_eq!(products, layer.exact(&input), "rewritten crossbars give the exact products");
        input = layer.next(&products);
    }
    assert_eq!(class(&input), usize::from(digits.labels[0]));
    let (measured, written) = (controller.core.cycle() - from, controller.write_cycles);

    // One nanosecond a clock cycle; a pair of cells takes one transfer of the programming port.
    let cell = |key: &str, unit: &str, value: f64| {
        format!(
            "[{key}]\nunit = {unit:?}\nlow = {value}\ntypical = {value}\nhigh = {value}\nsource = \"test\"\nconfidence = \"C\"\n"
        )
    };
    let read = cell("crossbar.read_cycle_ns", "ns", config.read_interval_cycles() as f64);
    let rate = cell("adc.rate_gsps", "GS/s", config.lanes() as f64);
    let constants = Constants::from_texts(&[("test", &(read + &rate))]).unwrap();
    let transfer = (config.program_cycles() as u64 + PORT_CYCLES) as f64;
    let mut write = constants.write_model("cell_serial").unwrap().clone();
    (write.by, write.unit_ns) = (WriteBy::Cell, Some([transfer / 2.0; 2]));
    let layers = digits.layers.iter().map(|l| Layer::new("layer", &l.shape, 1, l.input_bits)).collect();
    let workload = Workload { name: "digits".into(), layers };
    let none =
        Concessions { replicate: false, overlap: false, skip_unchanged: false, pack_columns: false, keep_tiles: false };
    let options = Options { crossbars: 1, batch: 1, cell_bits: CELL_BITS, adc_bits: None, concessions: none };
    let model = cost(&Chip::new(&config, constants.values()), &workload, &options, &write, constants.values());
    let writing = model.time_ns - model.compute_ns;
    println!("measured {measured} cycles, {written} of them writing; model {:.0} and {writing:.0}", model.time_ns);
    let within = |model: f64, measured: u64, percent: f64| (model / measured as f64 - 1.0).abs() < percent / 100.0;
    assert!(within(model.time_ns, measured, 2.0), "model {:.0}, measured {measured}", model.time_ns);
    assert!(within(writing, written, 2.0), "writing: model {writing:.0}, measured {written}");
}

/// Clock cycles of a transfer of the programming port beside those in which the macro is busy.
const PORT_CYCLES: u64 = 1;
