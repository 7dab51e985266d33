//! The cycle model gives exactly the counters of the RTL: no difference in any, on random chips and on forced corners.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod common;

use basisn_arch::{ChipConfig, Counters, Item, LayerWork, Program, Slot, planes_read};
use basisn_models::MvmProblem;
use basisn_models::im2col::Patches;
use basisn_models::random::{Corners, Random, random_config};
use basisn_models::verilog::Body;
use basisn_testbench::executor::Verilator;
use common::{layers, random};

/// What the model says of a layer on all cores of a chip.
fn modelled(config: &ChipConfig, program: &Program, input: &[i32]) -> Counters {
    let layer = &program.layers[0];
    let patches = Patches::new(&layer.shape, layer.subvectors(config.rows()), input);
    let planes_read =
        |position, subvector| planes_read(patches.subvector(position, subvector).iter().copied(), layer.input_bits);
    let shares = config.shares(layer.shape.positions());
    shares.into_iter().fold(Counters::default(), |sum, share| {
        let positions = share.len();
        let read: Vec<u8> = share
            .flat_map(|position| (0..layer.slots.len()).map(move |subvector| (position, subvector)))
            .map(|(position, subvector)| planes_read(position, subvector))
            .collect();
        sum.beside(&LayerWork::new(config, layer, positions).counters_of(config, &read))
    })
}

/// Simulates a layer without stalls and compares; gives the counters.
fn compare(config: &ChipConfig, program: &Program, input: &[i32], what: &str) -> Counters {
    let runs = Verilator::new(Body::Dpi, 1, 0).run_network(config, program, input).unwrap();
    let (simulated, modelled) = (runs.layers[0].counters, modelled(config, program, input));
    let layer = &program.layers[0];
    assert_eq!(
        modelled,
        simulated,
        "{what}: the model (left) differs from the RTL\n{:?}, planes {}, blocks of {}, slots {:?}\nchip:\n{}",
        layer.shape,
        layer.input_bits,
        layer.block_positions,
        layer.slots.iter().map(Vec::len).collect::<Vec<_>>(),
        config.to_toml()
    );
    simulated
}

fn mvm(rng: &mut Random, config: &ChipConfig, size: [usize; 3], corners: &Corners, what: &str) -> Counters {
    let [depth, positions, kernels] = size;
    let p = MvmProblem::with_size(rng, config, depth, positions, kernels, corners);
    compare(&p.config, &p.program, &p.input, what)
}

fn tiny(changes: &[(&str, usize)]) -> ChipConfig {
    let tiny = ChipConfig::load("tiny").unwrap();
    changes.iter().fold(tiny, |config, (key, value)| config.with(key, *value).unwrap())
}

/// Tiny with a slot stream of one beat a word, so that slots may be short, and a macro of this timing.
fn timed(latency: usize, interval: usize) -> ChipConfig {
    tiny(&[
        ("crossbar.read_latency_cycles", latency),
        ("crossbar.read_interval_cycles", interval),
        ("core.slot_stream_bits", 128),
    ])
}

#[test]
fn places_without_a_kernel_are_drained() {
    let (mut rng, _) = random("cycles of places without a kernel");
    let config = tiny(&[("core.tiles", 3)]);
    for vacancies in [1, 7, 20] {
        let corners = Corners { vacancies, slots: Some(2), ..Corners::default() };
        mvm(&mut rng, &config, [16, 9, 5], &corners, "places without a kernel");
    }
}

#[test]
fn rows_of_tiles_that_are_no_whole_beats() {
    let (mut rng, _) = random("cycles of rows of tiles that are no whole beats");
    for (tiles, results) in [(3, 2), (3, 4), (7, 4)] {
        let config = tiny(&[("core.tiles", tiles), ("core.results_per_beat", results)]);
        for (program, input) in layers(&mut rng, &config, 12) {
            compare(&config, &program, &input, &format!("{tiles} tiles, {results} results a beat"));
        }
    }
}

#[test]
fn random_chips_and_layers() {
    let (mut rng, _) = random("cycles of random chips");
    for chip in 0..3 {
        let config = random_config(&mut rng).unwrap();
        for (i, (program, input)) in layers(&mut rng, &config, 30).into_iter().enumerate() {
            compare(&config, &program, &input, &format!("chip {chip}, layer {i}"));
        }
    }
}

#[test]
fn every_combination_of_few_positions_planes_and_slots() {
    let (mut rng, _) = random("cycles of small layers");
    for (latency, interval, skip) in [(1, 1, 0), (5, 1, 0), (1, 3, 0), (20, 7, 0), (2, 1, 1)] {
        let config = timed(latency, interval).with("core.skip_zero_planes", skip).unwrap();
        for planes in [1, 2, 3, 8] {
            for block in [1, 2, 4] {
                for (positions, kernels, depth, slots) in [(1, 1, 16, 1), (9, 1, 40, 2), (9, 16, 16, 1), (5, 5, 20, 6)]
                {
                    let corners = Corners {
                        slots: Some(slots),
                        block_positions: Some(block),
                        input_bits: Some(planes),
                        ..Corners::default()
                    };
                    mvm(&mut rng, &config, [depth, positions, kernels], &corners, "small layers");
                }
            }
        }
    }
}

#[test]
fn each_limit_of_throughput_is_met_and_modelled() {
    let (mut rng, _) = random("cycles at the limits");
    let corners = |slots, planes, block| Corners {
        slots: Some(slots),
        input_bits: Some(planes),
        block_positions: Some(block),
        ..Corners::default()
    };
    let wide = tiny(&[("core.activation_stream_bytes", 16)]);
    let slots = mvm(&mut rng, &wide, [160, 40, 1], &corners(4, 1, 2), "slot stream");
    assert!(slots.wait_slots > slots.cycles / 4, "{slots:?}");
    let narrow = tiny(&[("core.activation_stream_bytes", 1), ("core.slot_stream_bits", 128)]);
    let activations = mvm(&mut rng, &narrow, [48, 40, 1], &corners(1, 2, 4), "activation stream");
    assert!(activations.wait_activations > activations.cycles / 2, "{activations:?}");
    let drain = mvm(&mut rng, &timed(1, 1), [16, 40, 16], &corners(1, 2, 4), "drain");
    assert!(drain.wait_results > drain.cycles / 3, "{drain:?}");
    let interval = mvm(&mut rng, &timed(1, 3), [16, 40, 4], &corners(3, 8, 4), "interval");
    assert!(interval.wait_macro > interval.cycles / 3, "{interval:?}");
}

/// The 1x1 shortcut of ResNet-18 on 16 tiles. Crossbars are smaller than those of `paper`, but slot words, activations, reads and results take as
/// many cycles.
#[test]
fn a_shortcut_on_sixteen_tiles_reads_in_96_percent_of_all_cycles() {
    let (mut rng, _) = random("cycles of a shortcut");
    let paper = ChipConfig::load("paper").unwrap();
    let smaller = [
        ("chip.cores", 1),
        ("crossbar.rows", 16),
        ("crossbar.columns", 16),
        ("core.activation_stream_bytes", 4),
        ("core.slot_stream_bits", 256),
        ("core.position_block", 4),
        ("core.psum_words", 32),
        ("core.kernels", 128),
    ];
    let config = smaller.iter().fold(paper, |config, (key, value)| config.with(key, *value).unwrap());
    let corners = Corners { block_positions: Some(3), input_bits: Some(8), ..Corners::default() };
    let mut p = MvmProblem::with_size(&mut rng, &config, 16, 196, 128, &corners);
    // All kernels in one slot, each with a column.
    let layer = &mut p.program.layers[0];
    layer.tiles = config.tiles();
    layer.home = (0..128).collect();
    let mut tiles = vec![Slot::empty(&config); config.tiles()];
    for (kernel, &home) in layer.home.iter().enumerate() {
        let (tile, lane) = (home as usize % config.tiles(), home as usize / config.tiles());
        tiles[tile].items[lane] = Some(Item { kernel, plane: 0 });
        tiles[tile].switches[lane] = lane as i8 + 1;
    }
    layer.slots = vec![vec![tiles]];
    let counters = compare(&config, &p.program, &p.input, "shortcut");
    assert_eq!((counters.reads, counters.cycles), (1568, 1630));
}

#[test]
fn layers_of_the_demonstration_and_several_cores() {
    let (mut rng, _) = random("cycles of digits");
    let digits = ChipConfig::load("digits").unwrap();
    for (size, slots, block) in
        [([9, 64, 16], 4, 64), ([144, 64, 32], 6, 10), ([288, 16, 32], 8, 4), ([512, 1, 10], 3, 1)]
    {
        let corners =
            Corners { slots: Some(slots), block_positions: Some(block), input_bits: Some(8), ..Corners::default() };
        mvm(&mut rng, &digits, size, &corners, "digits");
    }
    let cores = tiny(&[("chip.cores", 3)]);
    mvm(&mut rng, &cores, [20, 10, 6], &Corners::default(), "three cores");
}
