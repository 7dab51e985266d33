//! Writes cells by program-and-verify: pulse, read back, compare, repeat.

use std::rc::Rc;

use super::widths::index_bits;
use super::{add_all, element, one_hot, pack};
use crate::build::{Expr, Header, Module, lit, zero};
use basisn_arch::{ChipConfig, ProgramOp};

const HEADER: Header = Header {
    function: "Writes a cell in all selected tiles at once: verify reads and pulses in turn, until its code is near the level's or pulses end.",
    latency: "A cell of p pulses takes (p + 1) (read_latency + 2) + p (program_cycles + 1) cycles. Without verification: 0 to program_valid.",
    handshake: "cell_* valid/ready; macros get program_valid only when all that are to get it are ready; failed_valid until failure_taken.",
    invariants: "Each cell is accepted or reported, tile by tile, before the next one is taken. Never more than max_pulses pulses.",
};

const IDLE: u64 = 0;
const PULSE: u64 = 1;
const VERIFY: u64 = 2;
const WAIT: u64 = 3;
const JUDGE: u64 = 4;
const REPORT: u64 = 5;

/// The program controller of a core.
pub fn program_controller(config: &ChipConfig) -> Module {
    let (tiles, latency) = (config.tiles(), config.read_latency_cycles());
    let code_bits = config.adc_bits();
    let mut m = Module::new("program_controller", HEADER);
    let cell_valid = m.input("cell_valid", 1);
    let cell_ready = m.output("cell_ready", 1);
    let cell_tiles = m.input("cell_tiles", tiles);
    let cell_row = m.input("cell_row", config.row_address_bits());
    let cell_column = m.input("cell_column", config.column_address_bits());
    let cell_level = m.input("cell_level", config.level_bits());
    let max_pulses = m.input("max_pulses", 16);
    let tolerance = m.input("tolerance", 8);
    let program_ready = m.input("program_ready", tiles);
    let verify_codes = m.input("verify_codes", tiles * code_bits);
    let failure_taken = m.input("failure_taken", 1);

    let state = m.register("state", 3);
    let is = |value: u64| state.q().eq_const(value);
    let pending = m.register("pending", tiles);
    let pulses = m.register("pulses", 16);
    let row = m.register("row", cell_row.width());
    let column = m.register("column", cell_column.width());
    let level = m.register("level", cell_level.width());
    let timer_bits = index_bits(latency);
    let timer = m.register("timer", timer_bits);
    let tile_bits = index_bits(tiles);
    let tile = m.register("tile", tile_bits);

    // What a verify read says of each tile.
    let verifies = max_pulses.any();
    let captured = m.define("captured", &is(WAIT).and(&timer.q().eq_const(0)));
    let module = Rc::new(super::verify_compare(config));
    let compares: Vec<_> = (0..tiles)
        .map(|index| {
            let compare = m.shared_child(&format!("compare_{index}"), &module);
            m.set(&compare.input("capture"), &captured);
            m.set(&compare.input("code"), &verify_codes.bits(index * code_bits, code_bits));
            m.set(&compare.input("level"), &level.q());
            m.set(&compare.input("tolerance"), &tolerance);
            compare
        })
        .collect();
    let accepted = pack(&compares.iter().map(|c| c.output("accepted")).collect::<Vec<_>>());
    let left = m.define("left", &pending.q().and(&accepted.not()));

    // Without verification a cell goes to the macros at once, and they write it by themselves.
    let idle = m.define("idle", &is(IDLE));
    let chosen = m.select("chosen", &idle, &cell_tiles, &pending.q());
    let ready = m.define("all_ready", &program_ready.or(&chosen.not()).all());
    let accepts = m.define("accepts", &idle.and(&verifies.or(&ready)));
    let asks = m.define("asks", &is(PULSE).or(&is(VERIFY)).or(&idle.and(&cell_valid).and(&verifies.not())));
    let pulsed = m.define("pulsed", &is(PULSE).and(&ready));
    let taken = m.define("taken", &idle.and(&cell_valid).and(&verifies));
    let issues = m.define("issues", &asks.and(&ready));
    m.when(&taken, |m| {
        m.set(&pending.d(), &cell_tiles);
        m.set(&row.d(), &cell_row);
        m.set(&column.d(), &cell_column);
        m.set(&level.d(), &cell_level);
        m.set(&pulses.d(), &zero(16));
        m.set(&state.d(), &lit(VERIFY, 3));
    });
    m.when(&pulsed, |m| {
        m.set(&pulses.d(), &pulses.q().add_const(1));
        m.set(&state.d(), &lit(VERIFY, 3));
    });
    m.when(&is(VERIFY).and(&ready), |m| {
        m.set(&state.d(), &lit(WAIT, 3));
        m.set(&timer.d(), &lit(latency as u64 - 1, timer_bits));
    });
    m.when(&is(WAIT), |m| m.set(&timer.d(), &timer.q().sub_const(1)));
    m.when(&captured, |m| m.set(&state.d(), &lit(JUDGE, 3)));
    m.when(&is(JUDGE), |m| {
        m.set(&pending.d(), &left);
        m.set(&tile.d(), &zero(tile_bits));
        m.set(&state.d(), &lit(PULSE, 3));
        m.when(&pulses.q().ge(&max_pulses), |m| m.set(&state.d(), &lit(REPORT, 3)));
        m.when(&left.any().not(), |m| m.set(&state.d(), &lit(IDLE, 3)));
    });

    // What is still pending has failed: shown tile by tile until it is taken.
    let failed_here = m.define("failed_here", &is(REPORT).and(&element(&pending.q(), &tile.q(), 1)));
    m.when(&is(REPORT).and(&failed_here.not().or(&failure_taken)), |m| {
        m.set(&tile.d(), &tile.q().add_const(1));
        m.set(&pending.d(), &pending.q().and(&one_hot(&tile.q(), tiles).not()));
        m.when(&tile.q().eq_const(tiles as u64 - 1), |m| m.set(&state.d(), &lit(IDLE, 3)));
    });
    let shown = m.register("failure_shown", 1);
    m.set(&shown.d(), &failed_here.and(&failure_taken.not()));

    // Each tile's operation.
    let op_bits = ProgramOp::BITS;
    let own = pack(&compares.iter().map(|c| c.output("correction")).collect::<Vec<_>>());
    let same = |op: ProgramOp| lit(op as u64, op_bits).repeat(tiles);
    let op = m.local("op", tiles * op_bits);
    m.set(&op, &own);
    m.when(&idle, |m| m.set(&op, &same(ProgramOp::Write)));
    m.when(&is(VERIFY), |m| m.set(&op, &same(ProgramOp::Verify)));

    let codes = pack(&compares.iter().map(|c| c.output("seen")).collect::<Vec<_>>());
    let counted = Counted {
        clear: m.input("counters_clear", 1),
        pulses: pending.q().and(&pulsed.repeat(tiles)),
        cycle: is(PULSE).or(&is(VERIFY)).or(&is(WAIT)).or(&is(JUDGE)),
        failure: failed_here.and(&shown.q().not()),
    };
    let outputs = [
        ("program_valid", chosen.and(&issues.repeat(tiles))),
        ("program_row", m.select("present_row", &idle, &cell_row, &row.q())),
        ("program_column", m.select("present_column", &idle, &cell_column, &column.q())),
        ("program_level", m.select("present_level", &idle, &cell_level, &level.q())),
        ("program_op", op.read()),
        ("programming", idle.not()),
        ("failed_valid", failed_here.clone()),
        ("failed_tile", tile.q()),
        ("failed_row", row.q()),
        ("failed_column", column.q()),
        ("failed_level", level.q()),
        ("failed_code", element(&codes, &tile.q(), code_bits)),
        ("failure_found", counted.failure.clone()),
    ];
    m.set(&cell_ready, &accepts);
    for (name, value) in &outputs {
        let output = m.output(name, value.width());
        m.set(&output, value);
    }
    counted.counters(&mut m);
    m
}

/// What is counted since the registers cleared the counters.
struct Counted {
    clear: Expr,
    /// A bit for each tile.
    pulses: Expr,
    cycle: Expr,
    failure: Expr,
}

impl Counted {
    fn counters(&self, m: &mut Module) {
        // A register between the sum over the tiles and the counter.
        let bits = index_bits(self.pulses.width() + 1);
        let sum = m.register("pulse_sum", bits);
        let ones: Vec<_> = (0..self.pulses.width()).map(|tile| self.pulses.bit(tile).zext(bits)).collect();
        m.set(&sum.d(), &add_all(&ones));
        for (name, step) in [
            ("pulse_count", sum.q().zext(32)),
            ("cycle_count", self.cycle.zext(32)),
            ("failure_count", self.failure.zext(32)),
        ] {
            let counter = m.register(&format!("{name}er"), 32);
            m.set(&counter.d(), &counter.q().add(&step));
            m.when(&self.clear, |m| m.set(&counter.d(), &zero(32)));
            let output = m.output(name, 32);
            m.set(&output, &counter.q());
        }
    }
}
