//! Counts of the evaluation, of the golden reference and of the simulated RTL are the same, layer by layer.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::path::Path;
use std::sync::Arc;

use basisn_arch::{ChipConfig, LayerProgram, Program};
use basisn_compiler::{Dataset, Model, Network, compile, pixels};
use basisn_evaluate::{Chip, Constants, Values, Workload, activity};
use basisn_models::dpi::{Meter, with_meter};
use basisn_models::golden;
use basisn_models::signal::Signal;
use basisn_models::verilog::Body;
use basisn_testbench::LayerStimulus;
use basisn_testbench::executor::Verilator;

fn digits(config: &ChipConfig) -> (Program, Vec<i32>) {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/digits");
    let network = Network::load(&examples.join("network.toml")).unwrap();
    let model = Model::of_network(&network, &examples.join("weights.safetensors")).unwrap();
    let data = Dataset::load(&examples).unwrap();
    let compiled = compile(&model, &pixels(&data, &data.train[..100]), config).unwrap();
    (compiled.program, pixels(&data, &data.test[..1]).remove(0))
}

#[test]
fn model_golden_reference_and_rtl_count_the_same() {
    let config = ChipConfig::load("digits").unwrap();
    let (program, image) = digits(&config);
    let constants = Constants::built_in().unwrap();
    let chip = Chip::new(&config, constants.values());
    let workload = Workload::from_program(&program).unwrap();
    let golden = golden::Core::new(&config, &program).unwrap().run(&image).unwrap();
    let meter = Arc::new(Meter::default());
    let simulate = || Verilator::new(Body::Dpi, 1, 0).run_network(&config, &program, &image);
    let rtl = with_meter(meter.clone(), simulate).unwrap();
    let mut input = image;
    let (mut reads, mut wordlines, mut modelled) = (0, 0, 0);
    for (i, layer) in program.layers.iter().enumerate() {
        let counted = activity::layer(&chip, &workload.layers[i], 1, constants.values());
        let (tiles, positions) = (config.tiles() as u64, layer.shape.positions());
        let sent = LayerStimulus::new(&config, layer, &layer.shape.im2col(&input), 0..positions);
        let all = [
            ("cycles", counted.cycles, rtl.layers[i].counters.cycles),
            ("reads, RTL", counted.reads, rtl.layers[i].counters.reads * tiles),
            ("reads, golden", counted.reads, golden.layers[i].reads * tiles),
            ("codes, golden", counted.codes, golden.layers[i].codes),
            ("slot bits", counted.slot_bits, (sent.slot_beats() * config.slot_stream_bits()) as u64),
            ("activation bits", counted.activation_bits, 8 * sent.activations.len() as u64),
            ("results", counted.results, rtl.of_layer(&program, i).len() as u64),
            ("registers", activity::layer_registers(parameters(&config, layer)), sent.registers.len() as u64),
        ];
        for (what, model, other) in all {
            assert_eq!(model, other, "{what} of layer {}", layer.name);
        }
        let signal = Signal::of_layer(&config, layer, &input);
        reads += counted.reads;
        wordlines += signal.wordlines * tiles;
        modelled += counted.switch_changes;
        // The share of ones is a constant of the evaluation; with that of this layer the model's count is exact.
        let own =
            Values { ones_share: signal.wordlines as f64 / (signal.bits as f64 * slots(layer)), ..*constants.values() };
        let close = activity::layer(&chip, &workload.layers[i], 1, &own).wordlines / (signal.wordlines * tiles) as f64;
        assert!((close - 1.0).abs() < 0.01, "wordlines of layer {}: {close}", layer.name);
        let items = layer.slots.iter().flatten().flatten().flat_map(|slot| slot.items.iter().flatten()).count();
        assert_eq!(counted.codes, (items * positions * layer.input_bits) as u64);
        // Every kernel has at least one update a position, and merged items make none.
        assert!(counted.psum_writes <= counted.codes / layer.input_bits as u64);
        assert_eq!(counted.psum_reads, counted.psum_writes, "the first update reads nothing, and the drain reads once");
        input = golden.of_layer(&program, i).iter().map(|&v| v as i32).collect();
    }
    // What the macros were told at their ports, all layers and tiles together.
    assert_eq!((meter.reads(), meter.wordlines()), (reads, wordlines), "reads, wordlines that are on");
    let changes = switch_changes(&config, &program);
    assert_eq!(meter.switch_changes(), changes, "columns that change");
    // The model takes a layer as if it followed itself; only what comes before its first slot differs.
    let entries = (program.layers.len() * config.tiles() * config.columns()) as u64;
    assert!(modelled.abs_diff(changes) <= entries, "model {modelled}, macros {changes}");
}

/// Parameters of a layer with the gaps between them.
fn parameters(config: &ChipConfig, layer: &LayerProgram) -> usize {
    config.parameter_place(layer.tiles, layer.places() - 1) + 1
}

/// Slots of an average subvector.
fn slots(layer: &LayerProgram) -> f64 {
    layer.slot_count() as f64 / layer.slots.len() as f64
}

/// Columns that change as the slots of all layers and blocks follow each other; at first all are open.
fn switch_changes(config: &ChipConfig, program: &Program) -> u64 {
    let mut now = vec![vec![0i8; config.columns()]; config.tiles()];
    let mut changes = 0;
    for layer in &program.layers {
        for _ in 0..layer.shape.positions().div_ceil(layer.block_positions) {
            for slot in layer.slots.iter().flatten() {
                // Tiles that the layer does not use have no column connected.
                let open = vec![0; config.columns()];
                let switches = slot.iter().map(|tile| &tile.switches).chain(std::iter::repeat(&open));
                for (now, switches) in now.iter_mut().zip(switches) {
                    changes += now.iter().zip(switches).filter(|(a, b)| a != b).count() as u64;
                    now.clone_from(switches);
                }
            }
        }
    }
    changes
}

#[test]
fn skipped_planes_are_as_many_as_the_activations_say() {
    let plain = ChipConfig::load("digits").unwrap();
    let (program, image) = digits(&plain);
    let config = plain.with("core.skip_zero_planes", 1).unwrap();
    let rtl = Verilator::new(Body::Dpi, 1, 0).run_network(&config, &program, &image).unwrap();
    let golden = golden::Core::new(&plain, &program).unwrap().run(&image).unwrap();
    assert_eq!(rtl.values, golden.values, "results are the same");
    let constants = Constants::built_in().unwrap();
    let (chip, workload) = (Chip::new(&config, constants.values()), Workload::from_program(&program).unwrap());
    let mut input = image;
    for (i, layer) in program.layers.iter().enumerate() {
        let (signal, counters) = (Signal::of_layer(&config, layer, &input), rtl.layers[i].counters);
        assert_eq!(counters.skipped_planes, signal.spared_reads, "spared reads of layer {}", layer.name);
        // With the share of this layer the model spreads the planes evenly; real ones come in bunches.
        let all = (counters.reads + counters.skipped_planes) as f64;
        let own = Values { zero_planes_share: counters.skipped_planes as f64 / all, ..*constants.values() };
        let model = activity::layer(&chip, &workload.layers[i], 1, &own).cycles as f64;
        println!("layer {}: {} cycles, model {model}", layer.name, counters.cycles);
        assert!((model / counters.cycles as f64 - 1.0).abs() < 0.03, "layer {}: {model}, {counters:?}", layer.name);
        input = golden.of_layer(&program, i).iter().map(|&v| v as i32).collect();
    }
}
