//! Wrong programs, streams and accesses: the core stops with the right code, and after a clear it computes as if nothing had been.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod common;

use basisn_arch::registers::{self as reg, Access, ErrorCode, MAP};
use basisn_arch::{ChipConfig, LayerProgram};
use basisn_models::random::{Corners, Random, generator, random_config};
use basisn_models::{Executor, Golden, MvmProblem};
use basisn_testbench::{Core, Error, LayerStimulus, Response, Stalls};
use common::{Mutant, all_are_noticed, library, random};
use rand::Rng;
use rand::seq::IteratorRandom;
use verilated::Library;

/// What the host does wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    /// A slot word with this fault.
    Slot(ErrorCode),
    SlotTlastEarly,
    SlotTlastMissing,
    ActivationTlastEarly,
    ActivationTlastMissing,
    StartWhileBusy,
    Descriptor(u32),
    /// More kernels than psums.
    Kernels,
    /// The host gives up in the middle.
    Abort,
}

use Fault::{
    Abort, ActivationTlastEarly, ActivationTlastMissing, Descriptor, Kernels, Slot, SlotTlastEarly, SlotTlastMissing,
    StartWhileBusy,
};

const FAULTS: &[Fault] = &[
    Slot(ErrorCode::SlotLane),
    Slot(ErrorCode::SlotPlane),
    Slot(ErrorCode::SlotPsum),
    SlotTlastEarly,
    SlotTlastMissing,
    ActivationTlastEarly,
    ActivationTlastMissing,
    StartWhileBusy,
    Descriptor(reg::POSITIONS),
    Descriptor(reg::BLOCK_POSITIONS),
    Descriptor(reg::SUBVECTORS),
    Descriptor(reg::ROWS_USED),
    Descriptor(reg::INPUT),
    Descriptor(reg::KERNELS),
    Descriptor(reg::TILES),
    Descriptor(reg::REQUANTIZE),
    Kernels,
    Abort,
];

/// A chip with three lanes, of whose numbers a column can so name one too many, and two tiles.
fn chip() -> ChipConfig {
    let changes = [("arithmetic.group", 3), ("adc.lanes", 3), ("core.tiles", 2), ("core.psum_words", 26)];
    changes.iter().fold(ChipConfig::load("tiny").unwrap(), |chip, (key, value)| chip.with(key, *value).unwrap())
}

/// A programmed core, its layer, and what it should give.
struct Bench {
    config: ChipConfig,
    core: Core,
    layer: LayerProgram,
    good: LayerStimulus,
    expected: Vec<i64>,
    /// Cycles without stalls.
    cycles: u64,
}

impl Bench {
    fn new(rng: &mut Random, config: &ChipConfig, library: &Library) -> Self {
        let (depth, positions) = (rng.random_range(config.rows()..3 * config.rows()), rng.random_range(5..12));
        let kernels = rng.random_range(2..7);
        let corners = Corners { raw: Some(false), ..Corners::default() };
        let p = MvmProblem::with_size(rng, config, depth, positions, kernels, &corners);
        let layer = p.program.layers[0].clone();
        let good = LayerStimulus::new(config, &layer, &layer.shape.im2col(&p.input), 0..positions);
        let mut core = Core::new(library.instance().random_state(rng.random()).start().unwrap(), config).unwrap();
        core.program(&p.program, None).unwrap();
        let golden = Golden.run(config, &p.program, &p.input).unwrap().remove(0);
        let expected = good.in_stream_order(&golden, positions);
        let mut bench = Bench { config: config.clone(), core, layer, good, expected, cycles: 0 };
        bench.cycles = bench.run_good(&mut Stalls::none());
        bench
    }

    /// A layer as it should be; gives its cycles.
    fn run_good(&mut self, stalls: &mut Stalls) -> u64 {
        let result = self.core.run_layer("good", &self.good, stalls).unwrap();
        assert_eq!(result.values, self.expected);
        result.counters.cycles
    }

    /// A layer with a fault, which must be stopped; gives why.
    fn run_bad(&mut self, bad: &LayerStimulus, stalls: &mut Stalls) -> (Option<ErrorCode>, u8) {
        match self.core.run_layer("bad", bad, stalls) {
            Err(Error::Stopped { code, place, .. }) => (code, place),
            other => panic!("{other:?}"),
        }
    }

    /// The stimulus with a fault, and what the core should say of it; `None` where this chip has no such fault.
    fn with(&self, rng: &mut Random, fault: Fault) -> Option<(LayerStimulus, Option<ErrorCode>, u8)> {
        let mut bad = self.good.clone();
        let slot_beats = bad.slot_beats();
        let activation_beats = bad.activations.len() / self.config.activation_stream_bytes();
        let mut place = 0;
        let code = match fault {
            Slot(code) => {
                let word = rng.random_range(0..slot_beats / self.config.slot_word().beats());
                place = (word % self.layer.tiles) as u8;
                spoil(rng, &self.config, &self.layer, &mut bad, word, code)?;
                code
            }
            SlotTlastEarly => {
                bad.slot_tlast.insert((0..slot_beats - 1).choose(rng)?);
                ErrorCode::SlotEarly
            }
            SlotTlastMissing => {
                bad.slot_tlast.clear();
                ErrorCode::SlotLate
            }
            ActivationTlastEarly => {
                bad.activation_tlast.insert((0..activation_beats - 1).choose(rng)?);
                ErrorCode::ActivationEarly
            }
            ActivationTlastMissing => {
                bad.activation_tlast.clear();
                ErrorCode::ActivationLate
            }
            StartWhileBusy => {
                bad.during.push((rng.random_range(0..self.cycles * 4 / 5), reg::CONTROL, reg::CONTROL_START));
                ErrorCode::Start
            }
            Descriptor(address) => {
                place = address as u8;
                let (_, value) = bad.registers.iter_mut().find(|(at, _)| *at == address).unwrap();
                let most = match address {
                    reg::BLOCK_POSITIONS => self.config.position_block().min(self.config.psum_words() / 2),
                    reg::ROWS_USED => self.config.rows(),
                    reg::INPUT => self.config.input_bits(),
                    reg::KERNELS => self.config.kernels(),
                    reg::TILES => self.config.tiles(),
                    reg::REQUANTIZE => 46,
                    _ => 0,
                };
                *value = if most == 0 || rng.random() { 0 } else { most as u32 + 1 };
                ErrorCode::Descriptor
            }
            Kernels => {
                place = reg::KERNELS as u8;
                let rows = self.config.psum_words() / 2 / block_positions(&bad);
                let most = rows * self.layer.tiles * self.config.lanes();
                let (_, kernels) = bad.registers.iter_mut().find(|(at, _)| *at == reg::KERNELS).unwrap();
                *kernels = (most + 1..=self.config.kernels()).choose(rng)? as u32;
                ErrorCode::Descriptor
            }
            Abort => {
                bad.during.push((rng.random_range(0..self.cycles * 4 / 5), reg::CONTROL, reg::CONTROL_CLEAR));
                return Some((bad, None, 0));
            }
        };
        Some((bad, Some(code), place))
    }
}

fn block_positions(stimulus: &LayerStimulus) -> usize {
    stimulus.registers.iter().find(|(at, _)| *at == reg::BLOCK_POSITIONS).unwrap().1 as usize
}

/// Makes one field of a slot word wrong.
fn spoil(
    rng: &mut Random,
    config: &ChipConfig,
    layer: &LayerProgram,
    bad: &mut LayerStimulus,
    word: usize,
    code: ErrorCode,
) -> Option<()> {
    let layout = config.slot_word();
    let from = word * layout.beats() * config.slot_stream_bits();
    let block_positions = block_positions(bad);
    let mut put = |lo: usize, width: usize, value: usize| {
        (0..width).for_each(|i| bad.set_slot_bit(from + lo + i, value >> i & 1 == 1));
    };
    let item = layout.items_offset() + rng.random_range(0..config.lanes()) * layout.item_bits();
    match code {
        ErrorCode::SlotLane if config.lanes() == 1 && rng.random() => put(item, 2, 0b11),
        ErrorCode::SlotLane => {
            let lane = (config.lanes()..1 << config.lane_bits()).choose(rng)?;
            let column = rng.random_range(0..config.columns());
            let lo = layout.columns_offset() + column * layout.column_bits();
            put(lo, 1, 1);
            put(lo + 2, config.lane_bits(), lane);
        }
        ErrorCode::SlotPlane => {
            put(item, 1, 1);
            put(item + 3, 3, rng.random_range(config.coefficient_planes()..8));
        }
        _ => {
            let words_of_block = layer.slots.iter().map(Vec::len).sum::<usize>() * layer.tiles;
            let half_words = config.psum_words() / 2;
            let low = word / words_of_block % 2 * half_words;
            let right = low..=low + half_words - block_positions;
            let all = 0..1 << config.psum_address_bits();
            let beyond = right.end() + 1..low + half_words;
            let from = if rng.random() && !beyond.is_empty() { beyond } else { all };
            let base = from.filter(|base| !right.contains(base)).choose(rng)?;
            put(item, 2, 0b01);
            put(item + 6, config.psum_address_bits(), base);
        }
    }
    Some(())
}

/// One fault after the other, in random order and number, each followed by recovery and a layer that is right.
fn recover(rng: &mut Random, config: &ChipConfig, library: &Library, faults: &[Fault], rounds: usize) {
    let mut bench = Bench::new(rng, config, library);
    for _ in 0..rounds {
        for &fault in faults {
            let mut stalls = Stalls::random(rng.random(), [0, 30, 80][rng.random_range(0..3)]);
            let Some((bad, code, place)) = bench.with(rng, fault) else { continue };
            bench.core.write(reg::IRQ_PENDING, u32::MAX).unwrap();
            bench.core.write(reg::IRQ_ENABLE, reg::IRQ_ERROR).unwrap();
            assert_eq!(bench.run_bad(&bad, &mut stalls), (code, place), "{fault:?}");
            let failed = code.is_some();
            assert_eq!(bench.core.interrupt().unwrap(), failed, "{fault:?}");
            assert_eq!(bench.core.read(reg::IRQ_PENDING).unwrap(), if failed { reg::IRQ_ERROR } else { 0 });
            if failed {
                assert_eq!(bench.core.read(reg::STATUS).unwrap(), reg::STATUS_ERROR, "{fault:?}");
                let start = bench.core.respond_to_write(reg::CONTROL, reg::CONTROL_START, 0xf).unwrap();
                assert_eq!(start, Response::SlaveError, "a start before the clear");
            }
            bench.core.clear().unwrap();
            assert_eq!(bench.core.read(reg::ERROR).unwrap(), 0);
            bench.run_good(&mut stalls);
            assert_eq!(bench.core.read(reg::STATUS).unwrap(), 0, "{fault:?}");
        }
    }
}

#[test]
fn every_fault_stops_the_layer_and_a_clear_recovers() {
    let (mut rng, _) = random("errors");
    let config = chip();
    let library = library(&config, None);
    for _ in 0..6 {
        recover(&mut rng, &config, &library, FAULTS, 5);
    }
}

#[test]
fn random_chips_recover() {
    let (mut rng, _) = random("errors of random chips");
    for _ in 0..2 {
        let config = random_config(&mut rng).unwrap().with("core.psum_words", 34).unwrap();
        recover(&mut rng, &config, &library(&config, None), FAULTS, 4);
    }
}

/// Writes that would change a running layer.
fn locked(rng: &mut Random, library: &Library) {
    let mut bench = Bench::new(rng, &chip(), library);
    let writable: Vec<_> = MAP.iter().filter(|r| r.access.writable()).map(|r| r.address).collect();
    for &address in writable.iter().filter(|a| ![reg::CONTROL, reg::IRQ_ENABLE, reg::IRQ_PENDING].contains(a)) {
        let mut stimulus = bench.good.clone();
        stimulus.during.push((rng.random_range(0..bench.cycles / 2), address, rng.random()));
        let result = bench.core.run_layer("locked", &stimulus, &mut Stalls::none()).unwrap();
        assert_eq!(result.answers, [Response::SlaveError], "0x{address:02x}");
        assert_eq!(result.values, bench.expected);
        for (at, value) in &bench.good.registers {
            let register = MAP.iter().find(|r| r.address == *at).unwrap();
            if register.access == Access::ReadWrite && ![reg::PARAMETER_ADDRESS, reg::PARAMETER_LOW].contains(at) {
                assert_eq!(bench.core.read(*at).unwrap(), *value, "{}", register.name);
            }
        }
    }
}

#[test]
fn a_running_layer_cannot_be_changed() {
    let (mut rng, _) = random("locked registers");
    locked(&mut rng, &library(&chip(), None));
}

/// Flips random bits of the slot stream: whatever the layer then gives, it ends, and a clear recovers.
#[test]
fn random_slot_words_never_hang_the_core() {
    let (mut rng, _) = random("random slot words");
    let config = chip();
    let library = library(&config, None);
    let mut bench = Bench::new(&mut rng, &config, &library);
    let (mut stopped, mut finished) = (0, 0);
    for _ in 0..150 {
        let mut bad = bench.good.clone();
        let bits = bad.slot_beats() * config.slot_stream_bits();
        for _ in 0..rng.random_range(1..4) {
            bad.set_slot_bit(rng.random_range(0..bits), rng.random());
        }
        match bench.core.run_layer("random", &bad, &mut Stalls::random(rng.random(), 30)) {
            Ok(_) => finished += 1,
            Err(Error::Stopped { .. }) => stopped += 1,
            Err(e) => panic!("{e}"),
        }
        bench.core.clear().unwrap();
        bench.run_good(&mut Stalls::none());
    }
    println!("{stopped} stopped, {finished} finished");
    assert!(stopped > 10 && finished > 10, "{stopped} stopped, {finished} finished");
}

fn all_faults(library: &Library) {
    recover(&mut generator(2407), &chip(), library, FAULTS, 8);
}

fn lock(library: &Library) {
    locked(&mut generator(2407), library);
}

const MUTANTS: &[Mutant] = &[
    (
        "lanes that are not there are accepted",
        all_faults,
        "slot_check",
        "lane_fault_next = |",
        "lane_fault_next = 1'h0 & |",
    ),
    (
        "planes that are not there are accepted",
        all_faults,
        "slot_check",
        "plane_fault_next = |",
        "plane_fault_next = 1'h0 & |",
    ),
    (
        "psums beyond a half are accepted",
        all_faults,
        "slot_check",
        "beyond_half_next = |",
        "beyond_half_next = 1'h0 & |",
    ),
    (
        "the other half's psums are accepted",
        all_faults,
        "slot_check",
        "wrong_half = slot_half ?",
        "wrong_half = 1'h0 & slot_half ?",
    ),
    (
        "tlast of a slot is not looked at",
        all_faults,
        "sequencer",
        "tlast_wrong = group_tlast ^ stage1_last_of_layer",
        "tlast_wrong = 1'h0",
    ),
    (
        "tlast within a slot is not looked at",
        all_faults,
        "slot_loader",
        "tlast_inside_next = (transfer",
        "tlast_inside_next = (1'h0 & transfer",
    ),
    (
        "an early end of the activations is accepted",
        all_faults,
        "input_buffer",
        "tlast_early_next = (beat",
        "tlast_early_next = (1'h0 & beat",
    ),
    (
        "a late end of the activations is accepted",
        all_faults,
        "input_buffer",
        "tlast_late_next = layer_loaded",
        "tlast_late_next = 1'h0",
    ),
    ("a start while busy is ignored", all_faults, "layer_control", "if (start_request & layer_busy)", "if (1'h0)"),
    ("a wrong descriptor is ignored", all_faults, "layer_control", "if (starts & descriptor_fault)", "if (1'h0)"),
    (
        "kernels without psums are drained",
        all_faults,
        "drain",
        "kernels_fault = (row_end",
        "kernels_fault = (1'h0 & row_end",
    ),
    (
        "a stopped layer does not end its results",
        all_faults,
        "layer_control",
        "end_results = ((stopped",
        "end_results = ((1'h0 & stopped",
    ),
    ("loaded slots survive a clear", all_faults, "coefficient_buffer", "if (discard)", "if (1'h0)"),
    ("half a slot survives a clear", all_faults, "slot_loader", "if (discard)", "if (1'h0)"),
    ("the drain goes on after a clear", all_faults, "drain", "if (flush)", "if (1'h0)"),
    ("the sequencer goes on after a clear", all_faults, "sequencer", "if (flush)", "if (1'h0)"),
    ("activations are taken after an error", all_faults, "input_buffer", "ready | discard", "ready"),
    ("registers change while a layer runs", lock, "registers", "write_refused = |", "write_refused = 1'h0 & |"),
];

#[test]
fn seeded_bugs_are_noticed() {
    all_are_noticed(&chip(), MUTANTS);
}
