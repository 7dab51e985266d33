//! The registers through which parameters and cells are written.

use super::super::{Widths, fit, one_hot};
use super::Port;
use crate::build::{Expr, Module, zero};
use basisn_arch::{ChipConfig, clog2, registers as map};

/// The port to the parameter memory.
pub(super) fn parameters(m: &mut Module, port: &mut Port, config: &ChipConfig) {
    let w = Widths::of(config);
    let width = config.drain_width();
    let places = config.parameter_words() * width;
    // Holds the number of parameters itself, too: one more than the last is refused and doesn't fall upon the first.
    let bits = clog2(places + 1);
    let address = m.register("next_parameter", bits);
    port.read(map::PARAMETER_ADDRESS, &[(0, &address.q())]);
    port.refuse(map::PARAMETER_ADDRESS, &port.data.trunc(16).ge_const(places as u64));
    port.refuse(map::PARAMETER_HIGH, &address.q().ge_const(places as u64));
    m.when(&port.write(map::PARAMETER_ADDRESS), |m| m.set(&address.d(), &port.data.trunc(bits)));
    let low = port.stored(m, "parameter_low", map::PARAMETER_LOW, 32);
    let pipelines = config.pipelines();
    let parameter_write = m.output("parameter_write", pipelines);
    let parameter_address = m.output("parameter_address", w.kernel_group);
    let parameter_data = m.output("parameter_data", 64);
    let write = m.define("parameter_written", &port.write(map::PARAMETER_HIGH));
    // A place's parameter is in memory `place mod W`, at `place div W`.
    let low_bits = width.trailing_zeros() as usize;
    let wide = m.define("wide_address", &address.q().zext(bits + low_bits));
    let memory = if width == 1 { zero(1) } else { wide.trunc(low_bits) };
    m.set(&parameter_write, &one_hot(&memory, pipelines).and(&write.repeat(pipelines)));
    m.set(&parameter_address, &fit(&wide.bits(low_bits, bits), w.kernel_group));
    m.set(&parameter_data, &Expr::concat(&[&port.data, &low]));
    m.when(&write, |m| m.set(&address.d(), &address.q().add_const(1)));
}

/// The next cell of the program controller.
pub(super) fn programming(m: &mut Module, port: &mut Port, config: &ChipConfig, cell_ready: &Expr) {
    let (rows, columns, tiles) = (config.rows(), config.columns(), config.tiles());
    let (row_bits, column_bits) = (config.row_address_bits(), config.column_address_bits());
    let cell_valid = m.output("cell_valid", 1);
    let cell_tiles = m.output("cell_tiles", tiles);
    let cell_row = m.output("cell_row", row_bits);
    let cell_column = m.output("cell_column", column_bits);
    let cell_level = m.output("cell_level", config.level_bits());

    let no_tile = port.data.trunc(8).ge_const(tiles as u64);
    port.refuse(map::PROGRAM_TILE, &port.data.bit(31).not().and(&no_tile));
    let no_row = port.data.trunc(16).ge_const(rows as u64);
    let no_column = port.data.bits(16, 16).ge_const(columns as u64);
    port.refuse(map::PROGRAM_CELL, &no_row.or(&no_column));
    port.refuse(map::PROGRAM_LEVEL, &no_level(&port.data.trunc(8), config));

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

    let valid = m.define("level_written", &port.write(map::PROGRAM_LEVEL));
    let write = m.define("cell_taken", &valid.and(cell_ready));
    m.set(&cell_valid, &valid);
    m.set(&cell_tiles, &one_hot(&tile, tiles).or(&all.repeat(tiles)));
    m.set(&cell_row, &row.q());
    m.set(&cell_column, &column.q());
    m.set(&cell_level, &port.data.trunc(config.level_bits()));
    let last_column = m.define("last_column", &column.q().eq_const(columns as u64 - 1));
    let last_row = m.define("last_row", &row.q().eq_const(rows as u64 - 1));
    m.when(&write, |m| m.set(&column.d(), &column.q().add_const(1)));
    m.when(&write.and(&last_column), |m| {
        m.set(&column.d(), &zero(column_bits));
        m.set(&row.d(), &row.q().add_const(1));
    });
    m.when(&write.and(&last_column).and(&last_row), |m| m.set(&row.d(), &zero(row_bits)));
}

/// How cells are verified, the cell that failed, and the counters of programming.
pub(super) fn verification(m: &mut Module, port: &mut Port, config: &ChipConfig, programming: &Expr) {
    let failed = m.input("failed_valid", 1);
    let tile = m.input("failed_tile", Widths::of(config).tile);
    let code = m.input("failed_code", config.adc_bits());
    let [row, column] = [("failed_row", config.row_address_bits()), ("failed_column", config.column_address_bits())]
        .map(|(name, bits)| m.input(name, bits));
    let level = m.input("failed_level", config.level_bits());

    let max_pulses = port.stored_at(m, "max_pulses", map::PROGRAM_VERIFY, 0, 16);
    let tolerance = port.stored_at(m, "tolerance", map::PROGRAM_VERIFY, 16, 8);
    port.read(map::PROGRAM_VERIFY, &[(0, &max_pulses), (16, &tolerance)]);
    port.refuse(map::PROGRAM_VERIFY, programming);
    port.refuse(map::PROGRAM_LEVEL, &failed);
    let shown = |value: &Expr, bits: usize| value.sext(bits).and(&failed.repeat(bits));
    let (level, code) = (shown(&level, 8), shown(&code, 12));
    let tile = fit(&tile, 8).and(&failed.repeat(8));
    port.read(map::PROGRAM_FAILED, &[(0, &level), (8, &code), (20, &tile), (31, &failed)]);
    port.read(map::PROGRAM_FAILED_CELL, &[(0, &row), (16, &column)]);
    for (name, address) in [
        ("pulse_count", map::PROGRAM_PULSES),
        ("cycle_count", map::PROGRAM_CYCLES),
        ("failure_count", map::PROGRAM_FAILURES),
    ] {
        let count = m.input(name, 32);
        port.read(address, &[(0, &count)]);
    }
    // It reaches all bits of the counters.
    let clears = m.register("counters_cleared", 1);
    m.set(&clears.d(), &port.write(map::PROGRAM_VERIFY));
    let outputs = [
        ("max_pulses", max_pulses),
        ("tolerance", tolerance),
        ("counters_clear", clears.q()),
        ("failure_taken", port.write(map::PROGRAM_FAILED).and(&port.data.bit(31))),
    ];
    for (name, value) in &outputs {
        let output = m.output(name, value.width());
        m.set(&output, value);
    }
}

/// Whether a cell can't hold this level, a byte in two's complement.
fn no_level(level: &Expr, config: &ChipConfig) -> Expr {
    let most = u64::from(config.level_max().unsigned_abs());
    let binary_zero = if config.cell_bits() == 1 { level.eq_const(0) } else { zero(1) };
    let beyond = level.ge_const(most + 1).and(&level.lt_const(256 - most));
    beyond.or(&binary_zero)
}
