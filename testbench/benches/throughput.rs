//! In how many cycles a macro is issued a read: the counters of the RTL, while no stream stalls, for a layer of each shape of
//! ResNet-18 on `paper` with N = 4 and N = 16, a core's share of the positions; and that the cycle model says the same:
//! `cargo bench -p basisn-testbench --bench throughput`. The table of `docs/hardware.md`. Verilating the chips takes minutes.
//!
//! Every kernel has one item in every subvector, on columns of its own.

#[path = "../../arch/tests/resnet18/mod.rs"]
mod resnet18;

use basisn_arch::{ChipConfig, Counters, Item, LayerProgram, Program, Requantize, Slot};
use basisn_models::fast;
use basisn_models::random::{generator, mvm_shape, random_input};
use basisn_models::verilog::Body;
use basisn_testbench::{Chip, Stalls, chip};
use resnet18::{LAYERS, Layer};
use verilated::{Library, Trace};

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<(), Failure> {
    println!("| layer | N | positions | block | slots | reads | cycles | of all cycles | steady state |");
    println!("|---|---|---|---|---|---|---|---|---|");
    for tiles in [4, 16] {
        let whole_chip = ChipConfig::load("paper")?.with("core.tiles", tiles)?;
        let core = whole_chip.with("chip.cores", 1)?;
        let library = chip::verilate(chip::sources(&core, Body::Dpi)?, Body::Dpi, Trace::None)?;
        for layer in &LAYERS {
            let (block, share) = layer.block_and_share(&whole_chip);
            let whole = measure(&library, &core, layer, share, block)?;
            // What as many blocks again add.
            let block_reads = layer.work(&core, block, block).counters(&core).reads as usize;
            let blocks = (100_000 / block_reads).clamp(4, 32);
            let few = measure(&library, &core, layer, blocks * block, block)?;
            let more = measure(&library, &core, layer, 2 * blocks * block, block)?;
            let steady = (more.reads - few.reads) as f64 / (more.cycles - few.cycles) as f64;
            println!(
                "| {} | {tiles} | {share} | {block} | {} | {} | {} | {:.1} % | {:.1} % |",
                layer.name,
                layer.work(&core, share, block).slots.iter().sum::<usize>(),
                whole.reads,
                whole.cycles,
                100.0 * whole.issued(1),
                100.0 * steady
            );
        }
    }
    Ok(())
}

/// Runs a layer with so many positions, compares results and counters, and gives the counters.
fn measure(
    library: &Library,
    core: &ChipConfig,
    layer: &Layer,
    positions: usize,
    block: usize,
) -> Result<Counters, Failure> {
    let program = program(core, layer, positions, block);
    let input = random_input(&mut generator(2407), &program.layers[0]);
    let run = Chip::new(library, core, &program)?.run_layer(&program.layers[0], &input, &mut Stalls::none())?;
    let expected = fast::Core::new(core, &program, None)?.run_layer(0, &[input], 0)?;
    if run.values != expected[0].values {
        return Err(format!("{}: RTL and golden reference differ", layer.name).into());
    }
    let modelled = layer.work(core, positions, block).counters(core);
    let measured = run.counters;
    if measured != modelled {
        return Err(format!("{}: the RTL counts {measured:?}, the model {modelled:?}", layer.name).into());
    }
    Ok(measured)
}

/// A program of the layer on this core: kernel q at home q, all kernels of a psum row in one slot.
fn program(core: &ChipConfig, layer: &Layer, positions: usize, block: usize) -> Program {
    let work = layer.work(core, positions, block);
    let slot = |row: usize, tile: usize| {
        let mut slot = Slot::empty(core);
        for lane in 0..core.lanes() {
            let kernel = (row * core.lanes() + lane) * core.tiles() + tile;
            if kernel < layer.kernels {
                slot.items[lane] = Some(Item { kernel, plane: 0 });
                for column in (lane..core.columns()).step_by(core.lanes()) {
                    slot.switches[column] = lane as i8 + 1;
                }
            }
        }
        slot
    };
    let slots =
        |count: &usize| (0..*count).map(|row| (0..core.tiles()).map(|tile| slot(row, tile)).collect()).collect();
    let program = LayerProgram {
        name: "layer".into(),
        shape: mvm_shape(layer.depth, positions, layer.kernels),
        input_bits: work.planes,
        signed: false,
        gain: 0,
        tiles: core.tiles(),
        block_positions: block,
        home: (0..layer.kernels as u32).collect(),
        slots: work.slots.iter().map(slots).collect(),
        requantize: Requantize {
            multiplier: vec![1; layer.kernels],
            offset: vec![0; layer.kernels],
            shift: 8,
            low: 0,
            high: 255,
            raw: false,
        },
    };
    let levels = (0..core.rows() * core.columns()).map(|cell| if cell * cell % 7 < 4 { 1 } else { -1 });
    Program::chain("throughput", core, vec![levels.collect()], vec![program])
}
