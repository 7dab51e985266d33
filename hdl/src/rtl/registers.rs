//! The registers: layer descriptor, parameters, programming, counters.

use super::axi_lite::WORD_ADDRESS_BITS;
use super::{Widths, one_hot, pack};
use crate::build::{Expr, Header, Module, lit, zero};
use basisn_arch::{ChipConfig, registers as map};

const HEADER: Header = Header {
    function: "Registers of the core: describe and start a layer, store parameters, program cells, count.",
    latency: "0 cycles to read data; 1 cycle from a write to its effect; start is high in the cycle of its write.",
    handshake: "write_ready is low only for a write to PROGRAM_LEVEL while a selected macro isn't ready for it.",
    invariants: "start only while not busy. A cell write reaches all selected macros in the same cycle.",
};

/// The registers of a core.
pub fn registers(config: &ChipConfig) -> Module {
    let w = Widths::of(config);
    let mut m = Module::new("registers", HEADER);
    let mut port = Port::new(&mut m);

    let positions = port.stored(&mut m, "positions", map::POSITIONS, 32);
    let block_positions = port.stored(&mut m, "block_positions", map::BLOCK_POSITIONS, w.position_count);
    let subvectors = port.stored(&mut m, "subvectors", map::SUBVECTORS, 16);
    let rows_used = port.stored(&mut m, "rows_used", map::ROWS_USED, w.row_count);
    let gain = port.stored(&mut m, "gain", map::GAIN, 3);
    let kernels = port.stored(&mut m, "kernels", map::KERNELS, w.kernel_count);
    let clamp_low = port.stored(&mut m, "clamp_low", map::CLAMP_LOW, 32);
    let clamp_high = port.stored(&mut m, "clamp_high", map::CLAMP_HIGH, 32);
    let planes = port.stored_at(&mut m, "planes", map::INPUT, 0, 4);
    let input_signed = port.stored_at(&mut m, "input_signed", map::INPUT, 4, 1);
    port.read(map::INPUT, &[(0, &planes), (4, &input_signed)]);
    let shift = port.stored_at(&mut m, "shift", map::REQUANTIZE, 0, 6);
    let raw = port.stored_at(&mut m, "raw", map::REQUANTIZE, 8, 1);
    port.read(map::REQUANTIZE, &[(0, &shift), (8, &raw)]);
    let descriptor = [
        ("positions", positions),
        ("block_positions", block_positions),
        ("subvectors", subvectors),
        ("rows_used", rows_used),
        ("gain", gain),
        ("kernels", kernels),
        ("clamp_low", clamp_low),
        ("clamp_high", clamp_high),
        ("top_plane", planes.trunc(w.plane).sub_const(1)),
        ("input_signed", input_signed),
        ("shift", shift),
        ("raw", raw),
    ];
    for (name, value) in &descriptor {
        let output = m.output(name, value.width());
        m.set(&output, value);
    }

    geometry(&mut port, config);
    parameters(&mut m, &mut port, w.kernel);
    let ready = programming(&mut m, &mut port, config);
    counters(&mut m, &mut port);
    port.finish(&mut m, &ready);
    m
}

/// What the AXI4-Lite slave asks for, and what a read of each address gives.
struct Port {
    /// A write is asked for; only one to PROGRAM_LEVEL may have to wait.
    writing: Expr,
    write_address: Expr,
    data: Expr,
    read_address: Expr,
    reads: Vec<(u32, Expr)>,
}

impl Port {
    fn new(m: &mut Module) -> Self {
        let writing = m.input("write_valid", 1);
        let write_address = m.input("write_address", WORD_ADDRESS_BITS);
        let data = m.input("write_data", 32);
        let read_address = m.input("read_address", WORD_ADDRESS_BITS);
        Port { writing, write_address, data, read_address, reads: Vec::new() }
    }

    fn write(&self, address: u32) -> Expr {
        self.writing.and(&self.write_address.eq_const(u64::from(address / 4)))
    }

    /// What a read gives: fields at their lowest bits, by rising position; the rest 0.
    fn read(&mut self, address: u32, fields: &[(usize, &Expr)]) {
        let mut parts = Vec::new();
        let mut next = 0;
        for (lo, field) in fields {
            if next < *lo {
                parts.push(zero(lo - next));
            }
            parts.push((*field).clone());
            next = lo + field.width();
        }
        self.reads.push((address, pack(&parts).zext(32)));
    }

    /// A register bits `lo..` of whose data is written at an address.
    fn stored_at(&mut self, m: &mut Module, name: &str, address: u32, lo: usize, width: usize) -> Expr {
        let register = m.register(&format!("{name}_register"), width);
        m.when(&self.write(address), |m| m.set(&register.d(), &self.data.bits(lo, width)));
        register.q()
    }

    fn stored(&mut self, m: &mut Module, name: &str, address: u32, width: usize) -> Expr {
        let value = self.stored_at(m, name, address, 0, width);
        self.read(address, &[(0, &value)]);
        value
    }

    fn finish(&self, m: &mut Module, program_ready: &Expr) {
        let ready = m.output("write_ready", 1);
        let read_data = m.output("read_data", 32);
        let held = self.write(map::PROGRAM_LEVEL).and(&program_ready.not());
        m.set(&ready, &held.not());
        m.set(&read_data, &zero(32));
        for (address, value) in &self.reads {
            let asked = self.read_address.eq_const(u64::from(address / 4));
            m.when(&asked, |m| m.set(&read_data, value));
        }
    }
}

fn geometry(port: &mut Port, config: &ChipConfig) {
    for (address, value) in
        [(map::ID, map::ID_VALUE), (map::GEOMETRY0, map::geometry0(config)), (map::GEOMETRY1, map::geometry1(config))]
    {
        port.read(address, &[(0, &lit(u64::from(value), 32))]);
    }
}

fn parameters(m: &mut Module, port: &mut Port, kernel_bits: usize) {
    let address = m.register("next_parameter", kernel_bits);
    port.read(map::PARAMETER_ADDRESS, &[(0, &address.q())]);
    m.when(&port.write(map::PARAMETER_ADDRESS), |m| m.set(&address.d(), &port.data.trunc(kernel_bits)));
    let low = port.stored(m, "parameter_low", map::PARAMETER_LOW, 32);
    let parameter_write = m.output("parameter_write", 1);
    let parameter_address = m.output("parameter_address", kernel_bits);
    let parameter_data = m.output("parameter_data", 64);
    let write = m.define("parameter_written", &port.write(map::PARAMETER_HIGH));
    m.set(&parameter_write, &write);
    m.set(&parameter_address, &address.q());
    m.set(&parameter_data, &Expr::concat(&[&port.data, &low]));
    m.when(&write, |m| m.set(&address.d(), &address.q().add_const(1)));
}

/// The programming port; whether the selected macros are ready.
fn programming(m: &mut Module, port: &mut Port, config: &ChipConfig) -> Expr {
    let (rows, columns) = (config.rows(), config.columns());
    let (row_bits, column_bits) = (config.row_address_bits(), config.column_address_bits());
    let program_ready = m.input("program_ready", config.tiles());
    let program_valid = m.output("program_valid", config.tiles());
    let program_row = m.output("program_row", row_bits);
    let program_column = m.output("program_column", column_bits);
    let program_level = m.output("program_level", config.level_bits());

    let tile = port.stored_at(m, "program_tile", map::PROGRAM_TILE, 0, 8);
    let all = port.stored_at(m, "program_all", map::PROGRAM_TILE, 31, 1);
    port.read(map::PROGRAM_TILE, &[(0, &tile), (31, &all)]);
    let row = m.register("row", row_bits);
    let column = m.register("column", column_bits);
    port.read(map::PROGRAM_CELL, &[(0, &row.q()), (16, &column.q())]);
    m.when(&port.write(map::PROGRAM_CELL), |m| {
        m.set(&row.d(), &port.data.trunc(row_bits));
        m.set(&column.d(), &port.data.bits(16, column_bits));
    });

    let selected = m.define("program_selected", &one_hot(&tile, config.tiles()).or(&all.repeat(config.tiles())));
    let ready = m.define("program_all_ready", &program_ready.or(&selected.not()).all());
    let write = m.define("cell_written", &port.write(map::PROGRAM_LEVEL).and(&ready));
    m.set(&program_valid, &selected.and(&write.repeat(config.tiles())));
    m.set(&program_row, &row.q());
    m.set(&program_column, &column.q());
    m.set(&program_level, &port.data.trunc(config.level_bits()));
    let last_column = m.define("last_column", &column.q().eq_const(columns as u64 - 1));
    let last_row = m.define("last_row", &row.q().eq_const(rows as u64 - 1));
    m.when(&write, |m| m.set(&column.d(), &column.q().add_const(1)));
    m.when(&write.and(&last_column), |m| {
        m.set(&column.d(), &zero(column_bits));
        m.set(&row.d(), &row.q().add_const(1));
    });
    m.when(&write.and(&last_column).and(&last_row), |m| m.set(&row.d(), &zero(row_bits)));
    ready
}

fn counters(m: &mut Module, port: &mut Port) {
    let result_taken = m.input("result_taken", 1);
    let result_last = m.input("result_last", 1);
    let start_out = m.output("start", 1);
    let busy = m.register("busy", 1);
    port.read(map::STATUS, &[(0, &busy.q())]);
    let start = m.define("starting", &port.write(map::CONTROL).and(&port.data.bit(0)).and(&busy.q().not()));
    m.set(&start_out, &start);
    let done = m.define("done", &busy.q().and(&result_taken).and(&result_last));
    m.when(&done, |m| m.set(&busy.d(), &zero(1)));
    m.when(&start, |m| m.set(&busy.d(), &lit(1, 1)));

    interrupt(m, port, &done);

    let counted = [
        ("cycles", map::CYCLES),
        ("read_valid", map::READS),
        ("wait_slots", map::WAIT_SLOTS),
        ("wait_activations", map::WAIT_ACTIVATIONS),
        ("wait_results", map::WAIT_RESULTS),
        ("wait_macro", map::WAIT_MACRO),
    ];
    for (name, address) in counted {
        let counter = m.register(&format!("{name}_count"), 32);
        let counts = if address == map::CYCLES { busy.q() } else { busy.q().and(&m.input(name, 1)) };
        m.when(&counts, |m| m.set(&counter.d(), &counter.q().add_const(1)));
        m.when(&start, |m| m.set(&counter.d(), &zero(32)));
        port.read(address, &[(0, &counter.q())]);
    }
}

/// Events stay pending until a 1 is written to them; those that are enabled raise the interrupt.
fn interrupt(m: &mut Module, port: &mut Port, event: &Expr) {
    let irq = m.output("irq", 1);
    let enabled = port.stored(m, "irq_enable", map::IRQ_ENABLE, event.width());
    let pending = m.register("irq_pending", event.width());
    port.read(map::IRQ_PENDING, &[(0, &pending.q())]);
    m.when(&port.write(map::IRQ_PENDING), |m| {
        m.set(&pending.d(), &pending.q().and(&port.data.trunc(event.width()).not()));
    });
    m.set(&pending.d(), &pending.d().read().or(event));
    let raised = m.register("irq_raised", 1);
    m.set(&raised.d(), &pending.q().and(&enabled).any());
    m.set(&irq, &raised.q());
}
