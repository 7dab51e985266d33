//! How many of a layer's cycles issue a read, by the cycle model, which equals the counters of the RTL. The table of
//! `docs/hardware.md`: `cargo test --release -p basisn-arch --test throughput -- --nocapture`

#![allow(clippy::unwrap_used, reason = "a test")]

use basisn_arch::{ChipConfig, LayerWork};

/// A layer of 8 input planes: name, values of a kernel, kernels, positions of the whole chip.
type Layer = (&'static str, usize, usize, usize);

const RESNET18: [Layer; 7] = [
    ("conv1, 7x7/2", 147, 64, 112 * 112),
    ("stage 1, 3x3", 576, 64, 56 * 56),
    ("stage 2, 3x3", 1152, 128, 28 * 28),
    ("shortcut, 1x1/2", 64, 128, 28 * 28),
    ("stage 3, 3x3", 2304, 256, 14 * 14),
    ("stage 4, 3x3", 4608, 512, 7 * 7),
    ("classifier", 512, 1000, 1),
];

struct Throughput {
    block: usize,
    slots: usize,
    reads: u64,
    cycles: u64,
    /// Reads as a share of the cycles, of the whole layer and of a block in the middle of a long one.
    whole: f64,
    steady: f64,
}

fn throughput(chip: &ChipConfig, (_, values, kernels, positions): Layer) -> Throughput {
    let subvectors = values.div_ceil(chip.rows());
    // An item for each kernel, G kernels of a tile in a slot.
    let slots = kernels.div_ceil(chip.tiles()).div_ceil(chip.group());
    let psum_rows = kernels.div_ceil(chip.tiles() * chip.lanes());
    let positions = positions.div_ceil(chip.cores());
    let most = chip.position_block().min(chip.psum_words() / 2 / psum_rows).min(positions);
    let counts = |positions, block_positions| {
        let slots = vec![slots; subvectors];
        let rows_used = values.div_ceil(subvectors);
        LayerWork { positions, block_positions, slots, rows_used, planes: 8, kernels }.counts(chip)
    };
    let block = (1..=most).rev().min_by_key(|&block| counts(positions, block).cycles).unwrap();
    let whole = counts(positions, block);
    let [few, more] = [100, 101].map(|blocks| counts(blocks * block, block));
    let share = |reads: u64, cycles: u64| reads as f64 / cycles as f64;
    Throughput {
        block,
        slots: slots * subvectors,
        reads: whole.reads,
        cycles: whole.cycles,
        whole: share(whole.reads, whole.cycles),
        steady: share(more.reads - few.reads, more.cycles - few.cycles),
    }
}

#[test]
fn reads_are_issued_in_nearly_every_cycle() {
    println!(
        "| layer | N | block | slots | reads | cycles | of all cycles | steady state |\n|---|---|---|---|---|---|---|---|"
    );
    let paper = ChipConfig::load("paper").unwrap();
    for tiles in [4, 16] {
        let chip = paper.with("core.tiles", tiles).unwrap();
        for layer in RESNET18 {
            let t = throughput(&chip, layer);
            let (whole, steady) = (100.0 * t.whole, 100.0 * t.steady);
            let counts = format!("{} | {} | {} | {}", t.block, t.slots, t.reads, t.cycles);
            println!("| {} | {tiles} | {counts} | {whole:.1} % | {steady:.1} % |", layer.0);
            // The shortcut has as many results as reads, the classifier a slot word for 8 reads.
            let (least_whole, least_steady) = match layer.0 {
                "shortcut, 1x1/2" => (82.0, 91.0),
                "classifier" => (11.0, 12.0),
                _ => (95.0, 98.0),
            };
            assert!(whole >= least_whole && steady >= least_steady, "{}", layer.0);
        }
    }
}
