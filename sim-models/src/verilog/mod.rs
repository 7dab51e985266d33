//! Bodies of the RRAM macro in Verilog: one port list, interchangeable insides.
//!
//! The ports and their timing are those of `docs/hardware.md`. Every body has the same ready signals and latency, from one text.

mod fpga;
mod template;

use basisn_arch::ChipConfig;
use template::Template;

pub use fpga::{FpgaTiming, fpga_body};

/// What is inside the macro's module.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Body {
    /// Nothing: a hard block for synthesis.
    BlackBox,
    /// Verilog that any simulator runs: Icarus, Verilator, commercial ones.
    Portable,
    /// The Rust model of [`crate::dpi`], through DPI; the fastest in Verilator.
    Dpi,
}

const HEADER: &str = include_str!("../../verilog/header.v");
const PORTS: &str = include_str!("../../verilog/ports.v");
const TIMING: &str = include_str!("../../verilog/timing.v");
const STAGES: &str = include_str!("../../verilog/stages.v");
const TIMER: &str = include_str!("../../verilog/timer.v");
const PORTABLE: &str = include_str!("../../verilog/portable.v");
const DPI: &str = include_str!("../../verilog/dpi.v");

/// The text of the module `config.macro_name()`.
pub fn macro_body(config: &ChipConfig, body: Body) -> String {
    let name = match body {
        Body::BlackBox => "black box",
        Body::Portable => "portable Verilog",
        Body::Dpi => "Rust model through DPI",
    };
    let t = values(config, name);
    match body {
        Body::BlackBox => {
            // A module without insides has ports that nothing reads or drives.
            let lint = "/* verilator lint_off UNDRIVEN */\n/* verilator lint_off UNUSED */\n";
            let restore = "/* verilator lint_on UNUSED */\n/* verilator lint_on UNDRIVEN */\n";
            t.fill(&format!("{HEADER}{lint}(* blackbox *)\n{PORTS}endmodule\n{restore}"))
        }
        Body::Portable => t.fill(&format!("{HEADER}{PORTS}{TIMING}{STAGES}{PORTABLE}")),
        Body::Dpi => t.fill(&format!("{HEADER}{PORTS}{TIMING}{STAGES}{DPI}")),
    }
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
    set_timing(&mut t, config);
    set_cells(&mut t, config);
    t
}

fn set_timing(t: &mut Template, config: &ChipConfig) {
    let latency = config.read_latency_cycles();
    t.set("LATENCY", latency);
    t.set("STAGE_MSB", latency - 1);
    t.set(
        "NEXT_VALID",
        match latency {
            1 => "read_transfer".to_string(),
            2 => "{stage_valid[0], read_transfer}".to_string(),
            _ => format!("{{stage_valid[{}:0], read_transfer}}", latency - 2),
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
fn set_cells(t: &mut Template, config: &ChipConfig) {
    let (rows, columns) = (config.rows(), config.columns());
    let magnitude_bits = (config.cell_bits() - 1).max(1);
    t.width("MAGNITUDE", magnitude_bits);
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
                "        {name}_{b}[program_column][program_row] <= {condition}program_level[{sign_bit}] && magnitude[{b}];\n"
            ));
        }
    }
    let declarations = format!(
        "{declarations}\n  // Cells that are not written yet read as 0.\n  integer cell_column;\n  initial begin\n    \
         for (cell_column = 0; cell_column < {columns}; cell_column = cell_column + 1) begin\n{erase}    end\n  end\n"
    );
    t.set("LEVEL_PLANES", declarations);
    t.set("COLUMN_SUM", sums.join(" "));
    t.set("CELL_WRITE", writes);
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
