//! How many of a layer's cycles issue a read, by the cycle model, which equals the counters of the RTL. The table of
//! `docs/hardware.md`: `cargo test --release -p basisn-arch --test throughput -- --nocapture`

#![allow(clippy::unwrap_used, reason = "a test")]

mod resnet18;

use basisn_arch::ChipConfig;
use resnet18::{LAYERS, Layer};

struct Throughput {
    block: usize,
    /// Positions of a core.
    share: usize,
    slots: usize,
    reads: u64,
    cycles: u64,
    /// Reads as a share of the cycles, of the whole layer and of many blocks in the middle of a long one.
    whole: f64,
    steady: f64,
}

fn throughput(chip: &ChipConfig, layer: &Layer) -> Throughput {
    let (block, share) = layer.block_and_share(chip);
    let counts = |positions| layer.work(chip, positions, block).counters(chip);
    let whole = counts(share);
    let [few, more] = [100, 200].map(|blocks| counts(blocks * block));
    let ratio = |reads: u64, cycles: u64| reads as f64 / cycles as f64;
    Throughput {
        block,
        share,
        slots: layer.work(chip, share, block).slots.iter().sum(),
        reads: whole.reads,
        cycles: whole.cycles,
        whole: ratio(whole.reads, whole.cycles),
        steady: ratio(more.reads - few.reads, more.cycles - few.cycles),
    }
}

#[test]
fn reads_are_issued_in_nearly_every_cycle() {
    println!("| layer | N | positions | block | slots | reads | cycles | of all cycles | steady state |");
    let paper = ChipConfig::load("paper").unwrap();
    for tiles in [4, 16] {
        let chip = paper.with("core.tiles", tiles).unwrap();
        for layer in &LAYERS {
            let t = throughput(&chip, layer);
            let (whole, steady) = (100.0 * t.whole, 100.0 * t.steady);
            let counts = format!("{} | {} | {} | {} | {}", t.share, t.block, t.slots, t.reads, t.cycles);
            println!("| {} | {tiles} | {counts} | {whole:.1} % | {steady:.1} % |", layer.name);
            // One position is 8 reads for a slot: less than the words of 16 tiles take to load, and than the results take to leave.
            let (least_whole, least_steady) = match (layer.name, tiles) {
                ("classifier", 4) => (78.0, 98.0),
                ("classifier", _) => (38.0, 44.0),
                _ => (95.0, 98.0),
            };
            assert!(whole >= least_whole && steady >= least_steady, "{}", layer.name);
        }
    }
}
