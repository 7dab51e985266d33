//! A macro body that an FPGA computes: levels in block RAM, some columns a clock cycle.

use basisn_arch::{ChipConfig, clog2};

use super::template::Template;
use super::{HEADER, PORTS, TIMING, values};
use crate::Error;

const FPGA: &str = include_str!("../../verilog/fpga.v");
/// Cycles from a read's last step to its codes: word, sums of columns, sums of lanes, total, codes.
const PIPELINE_CYCLES: usize = 5;
/// Cycles of a cell write after the read that it waits for: address, word, changed word.
const WRITE_CYCLES: usize = 4;

/// How the body does a read within the chip's read interval.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FpgaTiming {
    /// Columns added in one clock cycle, a power of two: banks of block RAM.
    pub columns_per_step: usize,
    /// Cycles of a read in the first stage.
    pub steps: usize,
}

impl FpgaTiming {
    /// The fewest columns a cycle that keep up with the read interval.
    pub fn of(config: &ChipConfig) -> Self {
        let columns_per_step = config.columns().div_ceil(config.read_interval_cycles()).next_power_of_two();
        Self { columns_per_step, steps: config.columns().div_ceil(columns_per_step) }
    }

    /// Smallest and largest read latency in cycles that the body can have.
    fn latencies(&self, config: &ChipConfig) -> (usize, usize) {
        let lowest = self.steps + PIPELINE_CYCLES;
        (lowest, lowest - 1 + config.read_interval_cycles())
    }
}

/// The text of the module `config.macro_name()` for an FPGA. Equal to the other bodies in every cycle.
///
/// # Errors
/// The read latency or the time of a cell write is too short for the read interval, or the latency too long to hold the codes.
pub fn fpga_body(config: &ChipConfig) -> Result<String, Error> {
    let timing = FpgaTiming::of(config);
    let refuse = |key: &str, cause: String, fix: String| {
        Err(Error::Macro { at: format!("body for an FPGA, {key}"), cause, fix })
    };
    let (latency, (low, high)) = (config.read_latency_cycles(), timing.latencies(config));
    if !(low..=high).contains(&latency) {
        let cause = format!(
            "{} columns a cycle take {} steps, so codes come after {low} to {high} cycles, not {latency}",
            timing.columns_per_step, timing.steps
        );
        return refuse("crossbar.read_latency_cycles", cause, format!("set it to {low}, or another read interval"));
    }
    let write = timing.steps + WRITE_CYCLES;
    if config.program_cycles() < write {
        let cause = format!("a cell write takes up to {write} cycles, not {}", config.program_cycles());
        return refuse("crossbar.program_cycles", cause, format!("set it to {write} or more"));
    }
    let mut t = values(config, "levels in block RAM, for FPGAs");
    set(&mut t, config, &timing);
    Ok(t.fill(&format!("{HEADER}{PORTS}{TIMING}{FPGA}")))
}

fn set(t: &mut Template, config: &ChipConfig, timing: &FpgaTiming) {
    let FpgaTiming { columns_per_step: banks, steps } = *timing;
    let (rows, columns, lane_bits) = (config.rows(), config.columns(), config.lane_bits());
    let (level_max, magnitude_bits) = (config.level_max() as usize, (config.cell_bits() - 1).max(1));
    let padded = steps * banks;
    let column_sum_bits = clog2(rows * level_max + 1) + 1;
    // Room for half a code at the largest gain, and for the limits of the codes.
    let lane_sum_bits = (clog2(rows * columns * level_max + 65) + 1).max(config.adc_bits() + 1);
    t.set("COLUMNS_PER_STEP", banks);
    t.set("STEPS", steps);
    t.set("LAST_STEP", steps - 1);
    t.width("STEP", clog2(steps).max(1));
    t.width("PADDED", padded);
    t.width("PADDED_LANES", padded * lane_bits);
    for (place, port, width) in
        [("ENABLE", "column_enable", 1), ("NEGATIVE", "column_negative", 1), ("LANE", "column_lane", lane_bits)]
    {
        let text = match (padded - columns) * width {
            0 => port.to_string(),
            missing => format!("{{{missing}'d0, {port}}}"),
        };
        t.set(&format!("PADDED_{place}"), text);
    }
    let bank_bits = clog2(banks);
    let column_msb = config.column_address_bits() - 1;
    t.set("WRITE_STEP", if steps == 1 { "1'd0".into() } else { format!("write_column[{column_msb}:{bank_bits}]") });
    t.set(
        "WRITE_BANK",
        match bank_bits.min(column_msb + 1) {
            0 => String::new(),
            bits => format!(" && {{{}'d0, write_column[{}:0]}} == bank", 32 - bits, bits - 1),
        },
    );
    t.width("COLUMN_SUM", column_sum_bits);
    t.set("ONES_PAD", column_sum_bits - 1);
    t.width("BANK_SUMS", banks * column_sum_bits);
    t.width("BANK_LANES", banks * lane_bits);
    t.width("LANE_SUM", lane_sum_bits);
    t.set("SUM_PAD", lane_sum_bits - column_sum_bits);
    t.set(
        "VERIFY_TOTAL",
        match config.verify_digits() {
            digits @ 0.. => format!("total <<< {digits}"),
            _ => format!("(total + {lane_sum_bits}'sd1) >>> 1"),
        },
    );
    t.width("WORD", 2 * magnitude_bits * rows);
    let (mut changed, mut sum) = (String::new(), Vec::new());
    let sign = format!("write_level[{}]", config.level_bits() - 1);
    for plane in 0..2 * magnitude_bits {
        let (bit, positive) = (plane / 2, plane % 2 == 0);
        let range = format!("{}:{}", (plane + 1) * rows - 1, plane * rows);
        let not = if positive { "!" } else { "" };
        changed.push_str(&format!(
            "      assign changed[{range}] = {not}{sign} && magnitude[{bit}] ? word[{range}] | cell_row : word[{range}] & ~cell_row;\n"
        ));
        let count = format!("ones(word[{range}] & word_wordlines)");
        let shifted = if bit == 0 { count } else { format!("({count} << {bit})") };
        let operator = if positive { "+ " } else { "- " };
        sum.push(if plane == 0 { shifted } else { format!("{operator}{shifted}") });
    }
    t.set("CHANGED", changed);
    t.set("BANK_SUM", sum.join(" "));
}
