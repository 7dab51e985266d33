//! Layers for benchmarks: random cells, lanes and polarities, every kernel once in every subvector.

use basisn_arch::{ChipConfig, ConvShape, Item, LayerProgram, Program, Requantize, Slot};
use basisn_models::random::Random;
use rand::Rng;

/// A layer in as few slots as the lanes allow, 8 input bits, gain 0.
pub fn program(rng: &mut Random, config: &ChipConfig, shape: ConvShape) -> Program {
    let (tiles, lanes) = (config.tiles(), config.lanes());
    let basis = vec![(0..config.rows() * config.columns()).map(|_| [-1, 1][rng.random_range(0..2)]).collect()];
    let mut slot = |number: usize, tile: usize| {
        let kernel = |lane: usize| (number * lanes + lane) * tiles + tile;
        let items: Vec<_> = (0..lanes)
            .map(|lane| Some(Item { kernel: kernel(lane), plane: 0 }).filter(|item| item.kernel < shape.kernels))
            .collect();
        let busy = items.iter().flatten().count();
        let switches = (0..config.columns()).map(|_| match busy {
            0 => 0,
            busy => (rng.random_range(0..busy) as i8 + 1) * [-1, 1][rng.random_range(0..2)],
        });
        Slot { switches: switches.collect(), items }
    };
    let subvectors = shape.depth().div_ceil(config.rows());
    let count = shape.kernels.div_ceil(tiles * lanes);
    let slots = (0..subvectors)
        .map(|_| (0..count).map(|number| (0..tiles).map(|tile| slot(number, tile)).collect()).collect())
        .collect();
    let requantize = Requantize {
        multiplier: vec![1; shape.kernels],
        offset: vec![0; shape.kernels],
        shift: 1,
        low: i32::MIN,
        high: i32::MAX,
        raw: true,
    };
    let layer = LayerProgram {
        name: "conv".into(),
        shape,
        input_bits: 8,
        signed: false,
        gain: 0,
        tiles,
        block_positions: 64,
        home: (0..shape.kernels as u32).collect(),
        slots,
        requantize,
    };
    Program::chain("bench", config, basis, vec![layer])
}
