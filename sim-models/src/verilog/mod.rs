//! Bodies of the RRAM macro in Verilog: one port list, interchangeable insides.
//!
//! The ports and their timing are those of `docs/hardware.md`. Every body has the same ready signals and latency, from one text.

mod fpga;
mod template;

use basisn_arch::{ChipConfig, ProgramOp};

use crate::rram::DeviceMacro;
use template::Template;

pub use fpga::{FpgaTiming, fpga_body};

/// What is inside the macro's module.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Body {
    /// Nothing: a hard block for synthesis.
    BlackBox,
    /// Verilog that any simulator runs: Icarus, Verilator, commercial ones.
    Portable,
    /// The same with the cells of a device: programming errors, stuck cells and age, from a file of [`cells_hex`] beside the simulation.
    PortableDevice,
    /// The Rust model of [`crate::dpi`], through DPI; the fastest in Verilator.
    Dpi,
}

const HEADER: &str = include_str!("../../verilog/header.v");
const PORTS: &str = include_str!("../../verilog/ports.v");
const TIMING: &str = include_str!("../../verilog/timing.v");
const STAGES: &str = include_str!("../../verilog/stages.v");
const TIMER: &str = include_str!("../../verilog/timer.v");
const PORTABLE: &str = include_str!("../../verilog/portable.v");
const LEVEL_PLANES: &str = include_str!("../../verilog/level_planes.v");
const WRITTEN_CELLS: &str = include_str!("../../verilog/written_cells.v");
const DPI: &str = include_str!("../../verilog/dpi.v");

/// The text of the module `config.macro_name()`.
pub fn macro_body(config: &ChipConfig, body: Body) -> String {
    let name = match body {
        Body::BlackBox => "black box",
        Body::Portable => "portable Verilog",
        Body::PortableDevice => "portable Verilog with the cells of a device",
        Body::Dpi => "Rust model through DPI",
    };
    let mut t = values(config, name);
    if body == Body::PortableDevice {
        set_written_cells(&mut t, config);
    } else {
        set_level_planes(&mut t, config);
    }
    match body {
        Body::BlackBox => {
            // A module without insides has ports that nothing reads or drives.
            let lint = "/* verilator lint_off UNDRIVEN */\n/* verilator lint_off UNUSED */\n";
            let restore = "/* verilator lint_on UNUSED */\n/* verilator lint_on UNDRIVEN */\n";
            t.fill(&format!("{HEADER}{lint}(* blackbox *)\n{PORTS}endmodule\n{restore}"))
        }
        Body::Portable => t.fill(&format!("{HEADER}{PORTS}{TIMING}{STAGES}{PORTABLE}")),
        Body::PortableDevice => {
            // What is written is in the file; the port tells only where and when.
            let lint = "/* verilator lint_off UNUSED */\n";
            let restore = "/* verilator lint_on UNUSED */\n";
            t.fill(&format!("{HEADER}{lint}{PORTS}{restore}{TIMING}{STAGES}{PORTABLE}"))
        }
        Body::Dpi => t.fill(&format!("{HEADER}{PORTS}{TIMING}{STAGES}{DPI}")),
    }
}

/// The file that a macro of [`Body::PortableDevice`] reads, named after its instance: its cells once they are written, in 2^-8 level.
pub fn cells_hex(device: &DeviceMacro, config: &ChipConfig) -> String {
    let (rows, columns) = (config.rows(), config.columns());
    let level = |cell: usize| device.effective_levels()[cell % columns * rows + cell / columns] as u16;
    (0..rows * columns).map(|cell| format!("{:04x}\n", level(cell))).collect()
}

fn values(config: &ChipConfig, body: &str) -> Template {
    let mut t = Template::default();
    let (rows, columns, lanes) = (config.rows(), config.columns(), config.lanes());
    t.set("NAME", config.macro_name());
    t.set("BODY", body);
    t.set("ROWS", rows);
    t.set("COLUMNS", columns);
    t.set("LANES", lanes);
    t.set("CELL_BITS", config.cell_bits());
    t.set("READ_LATENCY", config.read_latency_cycles());
    t.set("PROGRAM_CYCLES", config.program_cycles());
    t.set("IDLE_CYCLES", config.read_interval_cycles() - 1);
    t.set("WORDLINES_MSB", rows - 1);
    t.set("COLUMNS_MSB", columns - 1);
    t.width("ROW", config.row_address_bits());
    t.width("COLUMN", config.column_address_bits());
    t.width("LEVEL", config.level_bits());
    t.width("LANE", config.lane_bits());
    t.width("COLUMN_LANES", columns * config.lane_bits());
    t.width("CODES", lanes * config.adc_bits());
    t.width("ADC", config.adc_bits());
    t.width("LANE_SUMS", lanes * 32);
    t.set("CODE_MAX", (1 << (config.adc_bits() - 1)) - 1);
    t.set("CODE_LIMIT", 1 << (config.adc_bits() - 1));
    t.set("LEVEL_MAX", config.level_max());
    t.width("MAGNITUDE", (config.cell_bits() - 1).max(1));
    for (name, op) in [
        ("WRITE", ProgramOp::Write),
        ("ERASE", ProgramOp::Erase),
        ("UP", ProgramOp::Up),
        ("DOWN", ProgramOp::Down),
        ("VERIFY", ProgramOp::Verify),
    ] {
        t.set(&format!("OP_{name}"), op as u8);
    }
    t.set("VERIFY_SCALE", verify_scale(config));
    set_timing(&mut t, config);
    set_guard(&mut t, config);
    t
}

/// The codes of a verify read, in words.
fn verify_scale(config: &ChipConfig) -> String {
    match config.verify_digits() {
        digits @ 0.. => format!("code = level * {}", 1u32 << digits),
        _ => "code = (level + 1) >> 1".into(),
    }
}

/// The code of a verify read of a sum with binary digits below one level.
fn verify_code(config: &ChipConfig, fraction_bits: i32) -> String {
    match config.verify_digits() - fraction_bits {
        digits @ 0.. => format!("code <<< {digits}"),
        digits => format!("(code + 32'sd{}) >>> {}", 1u32 << (-digits - 1), -digits),
    }
}

fn set_timing(t: &mut Template, config: &ChipConfig) {
    let latency = config.read_latency_cycles();
    t.set("LATENCY", latency);
    t.set("STAGE_MSB", latency - 1);
    t.set(
        "NEXT_VALID",
        match latency {
            1 => "read_transfer || verify_transfer".to_string(),
            2 => "{stage_valid[0], read_transfer || verify_transfer}".to_string(),
            _ => format!("{{stage_valid[{}:0], read_transfer || verify_transfer}}", latency - 2),
        },
    );
    t.set("PROGRAM_TIMER", timer("program", config.program_cycles()));
    t.set("READ_TIMER", timer("read", config.read_interval_cycles() - 1));
}

/// Keeps `<name>_busy` high for `cycles` cycles after `<name>_transfer`.
fn timer(name: &str, cycles: usize) -> String {
    if cycles == 0 {
        return format!("  assign {name}_busy = 1'b0;\n");
    }
    let mut t = Template::default();
    t.set("TIMER", name);
    t.set("TIMER_CYCLES", cycles);
    t.width("TIMER", basisn_arch::clog2(cycles + 1));
    t.fill(TIMER)
}

/// Declarations, sums and writes of the bit planes of the cells' magnitudes.
fn set_level_planes(t: &mut Template, config: &ChipConfig) {
    let (rows, columns) = (config.rows(), config.columns());
    let magnitude_bits = (config.cell_bits() - 1).max(1);
    let (mut declarations, mut erase, mut sums, mut writes) = (String::new(), String::new(), Vec::new(), String::new());
    for b in 0..magnitude_bits {
        for (name, sign, condition) in [("positive", "+", "!"), ("negative", "-", "")] {
            declarations.push_str(&format!("  reg [{}:0] {name}_{b} [0:{}];\n", rows - 1, columns - 1));
            erase.push_str(&format!("      {name}_{b}[cell_column] = {rows}'d0;\n"));
            let count = format!("ones({name}_{b}[column] & rows)");
            let shifted = if b == 0 { count } else { format!("({count} << {b})") };
            sums.push(if sums.is_empty() { shifted } else { format!("{sign} {shifted}") });
            let sign_bit = config.level_bits() - 1;
            writes.push_str(&format!(
                "        {name}_{b}[program_column][program_row] <= {condition}program_level[{sign_bit}] && magnitude[{b}] && program_op != 3'd{};\n",
                ProgramOp::Erase as u8
            ));
        }
    }
    let declarations = format!(
        "{declarations}\n  // Cells that are not written yet read as 0.\n  integer cell_column;\n  initial begin\n    \
         for (cell_column = 0; cell_column < {columns}; cell_column = cell_column + 1) begin\n{erase}    end\n  end\n"
    );
    t.set("LEVEL_PLANES", declarations);
    t.set("CELLS", t.fill(LEVEL_PLANES));
    t.set("CODE_OF_SUM", "(code + $signed((32'd1 << shift) >> 1)) >>> shift");
    t.set("VERIFY_CODE_OF_SUM", verify_code(config, 0));
    t.set("COLUMN_SUM", sums.join(" "));
    t.set("CELL_WRITE", writes);
}

/// Cells of a device: memories, sums and writes in 2^-8 level.
fn set_written_cells(t: &mut Template, config: &ChipConfig) {
    let columns = config.columns();
    let cells = config.rows() * columns;
    t.set("CELL_COUNT", cells);
    t.set("CELLS_MSB", cells - 1);
    t.set("CELLS", t.fill(WRITTEN_CELLS));
    t.set("COLUMN_SUM", "active_sum(rows, column)");
    let fraction = crate::rram::cell::FRACTION_BITS;
    let shift = format!("({{2'd0, shift}} + 5'd{fraction})");
    t.set("CODE_OF_SUM", format!("(code + $signed((32'd1 << {shift}) >> 1)) >>> {shift}"));
    t.set("VERIFY_CODE_OF_SUM", verify_code(config, fraction as i32));
    let pad = |name: &str, bits: usize| format!("{{{}'d0, program_{name}}}", 32 - bits);
    let (row, column) = (pad("row", config.row_address_bits()), pad("column", config.column_address_bits()));
    let place = format!("{row} * {columns} + {column}");
    t.set(
        "CELL_WRITE",
        format!("        level[{place}] <= program_op == 3'd{} ? 16'sd0 : written[{place}];\n", ProgramOp::Erase as u8),
    );
}

/// Writes to cells that are not there do nothing.
fn set_guard(t: &mut Template, config: &ChipConfig) {
    let (rows, columns) = (config.rows(), config.columns());
    let mut guard = String::new();
    for (signal, bits, size) in
        [("program_row", config.row_address_bits(), rows), ("program_column", config.column_address_bits(), columns)]
    {
        if size < 1 << bits {
            guard.push_str(&format!(" && {signal} < {bits}'d{size}"));
        }
    }
    t.set("CELL_GUARD", guard);
}
