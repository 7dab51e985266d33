//! Reprogramming measured: the digits network with 8-bit weights on one crossbar that is rewritten again and again, in simulation of the
//! generated RTL. The model predicts its cycles; and the conversion width that it grants reprogramming is what the network needs.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::path::{Path, PathBuf};

use basisn_arch::registers as reg;
use basisn_arch::{ChipConfig, ConvShape, Geometry, Item, LayerProgram, LayerWork, Program, Requantize, Slot, Window};
use basisn_compiler::fit::FitOptions;
use basisn_compiler::{Dataset, Model, Network, pixels};
use basisn_evaluate::reprogram::{Concessions, Options, cost, needed_adc_bits};
use basisn_evaluate::{Chip, Constants, Layer, Workload, WriteBy};
use basisn_models::IdealMacro;
use basisn_models::im2col::{Patches, wordlines};
use basisn_models::verilog::Body;
use basisn_testbench::{Core, LayerStimulus, Stalls, chip};
use verilated::Trace;

/// A layer with 8-bit weights.
struct IntegerLayer {
    shape: ConvShape,
    /// `[kernel][D]`, -127..127.
    weights: Vec<i32>,
    bias: Vec<f64>,
    /// What an integer of the product stands for, and of the input and output.
    scale: f64,
    input_bits: usize,
    output: Option<basisn_compiler::fitted::Code>,
}

struct Digits {
    layers: Vec<IntegerLayer>,
    images: Vec<Vec<i32>>,
    labels: Vec<u8>,
}

fn examples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/digits")
}

/// The trained network with 8-bit weights, and held-out images.
fn digits() -> Digits {
    let network = Network::load(&examples().join("network.toml")).unwrap();
    let model = Model::of_network(&network, &examples().join("weights.safetensors")).unwrap();
    let data = Dataset::load(&examples()).unwrap();
    // Only the scales of activations are of interest here.
    let chip = ChipConfig::load("digits").unwrap();
    let train = pixels(&data, &data.train);
    let fitted = basisn_compiler::compile::fit(&model, &train, &chip, &FitOptions::local(&chip)).unwrap();
    let layers = fitted.layers.iter().map(|layer| {
        let [weight, bias] = ["weight", "bias"].map(|part| model.parameters.values(&layer.name, part));
        let largest = weight.iter().fold(0f32, |m, w| m.max(w.abs()));
        let step = f64::from(largest) / 127.0;
        IntegerLayer {
            shape: layer.shape,
            weights: weight.iter().map(|&w| (f64::from(w) / step).round() as i32).collect(),
            bias: bias.iter().map(|&b| f64::from(b)).collect(),
            scale: step * layer.input.scale,
            input_bits: layer.input.bits,
            output: layer.output,
        }
    });
    let layers = layers.collect();
    let labels = data.test.iter().map(|&i| data.labels[i]).collect();
    Digits { layers, images: pixels(&data, &data.test), labels }
}

impl IntegerLayer {
    fn depth(&self) -> usize {
        self.shape.depth()
    }

    /// Integers of the next layer from products, `[kernel][position]`; of the last layer its results in steps of 1e-6.
    fn next(&self, products: &[i64]) -> Vec<i32> {
        let positions = self.shape.positions();
        let value = |i: usize, p: i64| p as f64 * self.scale + self.bias[i / positions];
        let code = |v: f64| self.output.map_or((v * 1e6) as i32, |code| code.quantize(v));
        products.iter().enumerate().map(|(i, &p)| code(value(i, p))).collect()
    }

    /// Products without any hardware.
    fn exact(&self, input: &[i32]) -> Vec<i64> {
        let patches = self.shape.im2col(input);
        let dot = |weights: &[i32], patch: &[i32]| weights.iter().zip(patch).map(|(w, x)| i64::from(w * x)).sum();
        let of_kernel = |w: &[i32]| patches.chunks_exact(self.depth()).map(|p| dot(w, p)).collect::<Vec<i64>>();
        self.weights.chunks_exact(self.depth()).flat_map(of_kernel).collect()
    }

    /// Cell level of a weight's slice: magnitude bits in cells of `bits` bits.
    fn level(&self, kernel: usize, d: usize, slice: usize, bits: usize) -> i8 {
        let weight = if d < self.depth() { self.weights[kernel * self.depth() + d] } else { 0 };
        let digit = (weight.unsigned_abs() >> (slice * bits) & ((1 << bits) - 1)) as i8;
        if weight < 0 { -digit } else { digit }
    }
}

fn class(results: &[i32]) -> usize {
    results.iter().enumerate().max_by_key(|(_, v)| **v).unwrap().0
}

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
                    let (kernel, position) = stimulus.result_place(i);
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
            LayerWork::new(config, &tile, positions).counts(config).cycles
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

/// Share of the images that a network with 8-bit weights in cells of `cell_bits` bits and conversions of `adc_bits` bits gets right.
fn accuracy(digits: &Digits, images: usize, cell_bits: usize, adc_bits: usize, gain: u32) -> f64 {
    let slices = 7usize.div_ceil(cell_bits);
    let geometry = Geometry { tiles: 1, rows: 64, columns: 64, cell_bits: cell_bits + 1, lanes: 64, adc_bits };
    let mut activations: Vec<Vec<i32>> = digits.images[..images].to_vec();
    for layer in &digits.layers {
        let cut = basisn_arch::Subvectors::new(layer.depth(), geometry.rows);
        let positions = layer.shape.positions();
        let patches: Vec<_> = activations.iter().map(|x| Patches::new(&layer.shape, cut, x)).collect();
        let mut products = vec![vec![0i64; layer.shape.kernels * positions]; images];
        let columns: Vec<(usize, usize)> =
            (0..layer.shape.kernels).flat_map(|k| (0..slices).map(move |slice| (k, slice))).collect();
        for columns in columns.chunks(geometry.columns) {
            for s in 0..cut.count {
                let mut crossbar = IdealMacro::new(geometry);
                for row in 0..cut.length {
                    for (column, &(kernel, slice)) in columns.iter().enumerate() {
                        let level = layer.level(kernel, s * cut.length + row, slice, cell_bits);
                        crossbar.program(row, column, i32::from(level));
                    }
                }
                crossbar.set_switches(&(1..=64).collect::<Vec<i8>>());
                let mut codes = vec![0; geometry.lanes];
                for (patches, products) in patches.iter().zip(&mut products) {
                    for position in 0..positions {
                        for plane in 0..layer.input_bits {
                            crossbar.read(&wordlines(patches.subvector(position, s), plane), gain, &mut codes);
                            for (&(kernel, slice), &code) in columns.iter().zip(&codes) {
                                let weight = plane + gain as usize + slice * cell_bits;
                                products[kernel * positions + position] += i64::from(code) << weight;
                            }
                        }
                    }
                }
            }
        }
        activations = products.iter().map(|p| layer.next(p)).collect();
    }
    let right = activations.iter().zip(&digits.labels).filter(|(y, label)| class(y) == usize::from(**label)).count();
    right as f64 / images as f64
}

#[test]
fn reprogramming_gets_the_conversions_that_it_needs() {
    let digits = digits();
    let images = 300;
    let exact = accuracy(&digits, images, 4, 12, 0);
    for cell_bits in [2, 4] {
        let bits = needed_adc_bits(cell_bits, 64);
        let best = |bits| (0..=2).map(|gain| accuracy(&digits, images, cell_bits, bits, gain)).fold(0.0, f64::max);
        let (granted, fewer) = (best(bits), best(bits - 2));
        println!(
            "{cell_bits}-bit cells, {bits}-bit conversions: {granted:.4}, two bits fewer {fewer:.4}, exact {exact:.4}"
        );
        assert!(granted >= exact - 0.002, "{cell_bits}-bit cells with {bits} bits: {granted}, exact {exact}");
        assert!(fewer < exact - 0.002, "{cell_bits}-bit cells: {fewer} with two bits fewer, exact {exact}");
    }
}

#[test]
fn shares_of_ones_and_of_zero_planes_are_those_of_the_constants() {
    let digits = digits();
    let (mut ones, mut bits, mut zero, mut planes) = (0u64, 0u64, 0u64, 0u64);
    for image in &digits.images[..100] {
        let mut input = image.clone();
        for layer in &digits.layers {
            let cut = basisn_arch::Subvectors::new(layer.depth(), 64);
            let patches = Patches::new(&layer.shape, cut, &input);
            for position in 0..layer.shape.positions() {
                for s in 0..cut.count {
                    for plane in 0..layer.input_bits {
                        let on: u32 =
                            wordlines(patches.subvector(position, s), plane).iter().map(|w| w.count_ones()).sum();
                        (ones, bits) = (ones + u64::from(on), bits + cut.length as u64);
                        (zero, planes) = (zero + u64::from(on == 0), planes + 1);
                    }
                }
            }
            input = layer.next(&layer.exact(&input));
        }
    }
    let [ones, zero] = [ones as f64 / bits as f64, zero as f64 / planes as f64];
    println!("ones {ones:.3}, zero planes {zero:.3}");
    let constants = Constants::built_in().unwrap();
    assert!((constants.values().ones_share - ones).abs() < 0.02, "ones {ones}");
    assert!((constants.values().zero_planes_share - zero).abs() < 0.02, "zero planes {zero}");
}
