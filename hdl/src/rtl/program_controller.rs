//! Writes cells by program-and-verify: pulse, read back, compare, repeat.

use std::rc::Rc;

use super::widths::index_bits;
use super::{Widths, count_ones, element, fit, one_hot, pack, registered, step_counter};
use crate::build::{Expr, Header, Module, lit, zero};
use basisn_arch::{ChipConfig, ProgramOp};

const HEADER: Header = Header {
    function: "Writes a cell in all selected tiles at once: verify reads and pulses in turn, until its code is near the level's or pulses end.",
    latency: "A cell of p pulses takes (p + 1) (read_latency + 2) + p (program_cycles + 1) cycles. Without verification: 1 to program_valid.",
    handshake: "cell_* valid/ready, without verification once the macros take it; all selected macros take program_valid at once; failed_valid until failure_taken.",
    invariants: "Each cell is accepted or reported, tile by tile, before the next one is taken. Never more than max_pulses pulses.",
};

const IDLE: u64 = 0;
const PULSE: u64 = 1;
const VERIFY: u64 = 2;
const WAIT: u64 = 3;
const JUDGE: u64 = 4;
const REPORT: u64 = 5;
/// A write without verification.
const WRITE: u64 = 6;

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

    let verifies = m.define("verifies", &max_pulses.any());
    let idle = m.define("idle", &is(IDLE));
    let ready = m.define("all_ready", &program_ready.or(&pending.q().not()).all());
    let taken = m.define("taken", &idle.and(&cell_valid));
    let pulsed = m.define("pulsed", &is(PULSE).and(&ready));
    let written = m.define("written", &is(WRITE).and(&ready));
    let asks = m.define("asks", &is(PULSE).or(&is(VERIFY)).or(&is(WRITE)));
    let issues = m.define("issues", &asks.and(&ready));
    m.when(&taken, |m| {
        m.set(&pending.d(), &cell_tiles);
        m.set(&row.d(), &cell_row);
        m.set(&column.d(), &cell_column);
        m.set(&level.d(), &cell_level);
        m.set(&pulses.d(), &zero(16));
        m.set(&state.d(), &lit(WRITE, 3));
        m.when(&verifies, |m| m.set(&state.d(), &lit(VERIFY, 3)));
    });
    // Without verification the host's next access waits until the macros have the cell: they write it by themselves.
    m.when(&written, |m| m.set(&state.d(), &lit(IDLE, 3)));
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
    let shown = m.register("failure_shown", 1);
    let failed_here = m.define("failed_here", &is(REPORT).and(&element(&pending.q(), &tile.q(), 1)));
    let reported = m.define("reported", &shown.q().and(&failure_taken));
    m.set(&shown.d(), &failed_here.and(&reported.not()));
    m.when(&is(REPORT).and(&failed_here.not().or(&reported)), |m| {
        m.set(&tile.d(), &tile.q().add_const(1));
        m.set(&pending.d(), &pending.q().and(&one_hot(&tile.q(), tiles).not()));
        m.when(&tile.q().eq_const(tiles as u64 - 1), |m| m.set(&state.d(), &lit(IDLE, 3)));
    });

    // Each tile's operation.
    let op_bits = ProgramOp::BITS;
    let own = pack(&compares.iter().map(|c| c.output("correction")).collect::<Vec<_>>());
    let same = |op: ProgramOp| lit(op as u64, op_bits).repeat(tiles);
    let op = m.local("op", tiles * op_bits);
    m.set(&op, &own);
    m.when(&is(WRITE), |m| m.set(&op, &same(ProgramOp::Write)));
    m.when(&is(VERIFY), |m| m.set(&op, &same(ProgramOp::Verify)));

    let codes = pack(&compares.iter().map(|c| c.output("seen")).collect::<Vec<_>>());
    let counted = Counted {
        clear: m.input("counters_clear", 1),
        pulses: pending.q().and(&pulsed.repeat(tiles)),
        cycle: is(PULSE).or(&is(VERIFY)).or(&is(WAIT)).or(&is(JUDGE)),
        failure: failed_here.and(&shown.q().not()),
    };
    let outputs = [
        ("program_valid", pending.q().and(&issues.repeat(tiles))),
        ("program_row", row.q()),
        ("program_column", column.q()),
        ("program_level", level.q()),
        ("program_op", op.read()),
        ("programming", idle.not()),
        ("failed_valid", shown.q()),
        ("failed_tile", tile.q()),
        ("failed_row", row.q()),
        ("failed_column", column.q()),
        ("failed_level", level.q()),
        ("failed_code", element(&codes, &tile.q(), code_bits)),
        ("failure_found", counted.failure.clone()),
    ];
    m.set(&cell_ready, &idle.and(&verifies).or(&written));
    for (name, value) in &outputs {
        let output = m.output(name, value.width());
        m.set(&output, value);
    }
    counted.counters(&mut m, config);
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
    fn counters(&self, m: &mut Module, config: &ChipConfig) {
        let step_bits = Widths::of(config).count_step;
        let module = Rc::new(step_counter(config));
        let steps = [
            ("pulse", count_ones(m, "pulses", &self.pulses)),
            ("cycle", registered(m, "cycle_counts", &self.cycle)),
            ("failure", registered(m, "failure_counts", &self.failure)),
        ];
        for (name, step) in steps {
            let counter = m.shared_child(&format!("{name}_counter"), &module);
            m.set(&counter.input("clear"), &self.clear);
            m.set(&counter.input("step"), &fit(&step, step_bits));
            let output = m.output(&format!("{name}_count"), 32);
            m.set(&output, &counter.output("count"));
        }
    }
}
