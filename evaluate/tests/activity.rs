//! Counts of the evaluation, of the golden reference and of the simulated RTL are the same, layer by layer.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::path::Path;

use basisn_arch::{ChipConfig, Program};
use basisn_compiler::{Dataset, Model, Network, compile, pixels};
use basisn_evaluate::{Chip, Constants, Workload, activity};
use basisn_models::golden;
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
    let workload = Workload::from_program(&program);
    let golden = golden::Core::new(&config, &program).unwrap().run(&image).unwrap();
    let rtl = Verilator::new(Body::Dpi, 1, 0).run_network(&config, &program, &image).unwrap();
    let mut input = image;
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
            ("registers", activity::layer_registers(layer.shape.kernels), sent.registers.len() as u64),
        ];
        for (what, model, other) in all {
            assert_eq!(model, other, "{what} of layer {}", layer.name);
        }
        let items = layer.slots.iter().flatten().flatten().flat_map(|slot| slot.items.iter().flatten()).count();
        assert_eq!(counted.codes, (items * positions * layer.input_bits) as u64);
        // Every kernel has at least one update a position, and merged items make none.
        assert!(counted.psum_writes <= counted.codes / layer.input_bits as u64);
        assert_eq!(counted.psum_reads, counted.psum_writes, "the first update reads nothing, and the drain reads once");
        input = golden.of_layer(&program, i).iter().map(|&v| v as i32).collect();
    }
}
