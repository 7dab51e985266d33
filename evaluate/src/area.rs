//! Area of a chip by part, and what BasisN adds to a tile.

use serde::Serialize;

use crate::{Chip, Values};

/// A part of a chip.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Part {
    /// Name.
    pub name: &'static str,
    /// Area in um^2, all of this part on the chip.
    pub um2: f64,
    /// Only a BasisN chip has it.
    pub overhead: bool,
}

/// Gate equivalents of a flip-flop, and of a lane: accumulator, shifter, adder.
const FLIP_FLOP_GATES: f64 = 6.0;
const LANE_GATES: f64 = 500.0;
/// Gate equivalents of a core's sequencer, registers, drain and requantize.
const CORE_GATES: f64 = 30_000.0;
/// Bits of a kernel's requantize parameters: m and b.
const PARAMETER_BITS: usize = 64;

/// Area of one converter in um^2.
fn adc_um2(values: &Values, bits: usize) -> f64 {
    values.adc_area_um2 * values.adc_area_growth.powf(bits as f64 - 8.0)
}

fn crossbar_um2(chip: &Chip, values: &Values) -> f64 {
    let f2 = (values.feature_nm * 1e-3).powi(2);
    chip.cells() as f64 * values.cell_area_f2 * f2
}

/// A BasisN chip, part by part; one converter a crossbar, which the lanes share in turn.
pub fn basis(chip: &Chip, values: &Values) -> Vec<Part> {
    let c = &chip.config;
    let (crossbars, cores) = (chip.crossbars() as f64, c.cores() as f64);
    let gate = values.gate_area_um2;
    let sram = |bits: usize| bits as f64 * values.sram_area_um2_per_bit;
    // Of each bitline pair: polarity (4 gates), and one gate of each bitline to every lane.
    let switches = (c.columns() * (4 + 2 * c.lanes())) as f64 * values.switch_area_um2;
    let settings = c.slot_word().word_bits();
    let part = |name, um2, overhead| Part { name, um2, overhead };
    vec![
        part("cells", crossbars * crossbar_um2(chip, values), false),
        part("wordline drivers", crossbars * c.rows() as f64 * values.wordline_area_um2, false),
        part("ADC", crossbars * adc_um2(values, c.adc_bits()), false),
        part("lanes", crossbars * c.lanes() as f64 * LANE_GATES * gate, false),
        part("switches", crossbars * switches, true),
        part("switch settings", crossbars * settings as f64 * FLIP_FLOP_GATES * gate, true),
        part("coefficient buffers", crossbars * sram(settings), true),
        part("psum banks", crossbars * sram(c.lanes() * c.psum_words() * 32), true),
        part("input buffers", cores * sram(2 * c.position_block() * c.rows() * c.input_bits()), false),
        part("core control", cores * (CORE_GATES * gate + sram(c.kernels() * PARAMETER_BITS)), false),
        part("buffer", values.buffer_size_kib * values.buffer_area_um2_per_kib, false),
    ]
}

/// A reprogramming chip with as many crossbars: the same circuits without what only BasisN has; its converter has `adc_bits`.
pub fn reprogramming(chip: &Chip, crossbars: f64, adc_bits: usize, values: &Values) -> f64 {
    let own = chip.crossbars() as f64;
    let parts = basis(chip, values);
    let share = |p: &Part| match p.name {
        _ if p.overhead => 0.0,
        "ADC" => crossbars * adc_um2(values, adc_bits),
        "buffer" => p.um2,
        _ => p.um2 * crossbars / own,
    };
    parts.iter().map(share).sum()
}

/// Crossbars of a reprogramming chip that is as large as this BasisN chip.
pub fn crossbars_of_equal_area(chip: &Chip, adc_bits: usize, values: &Values) -> usize {
    let total: f64 = basis(chip, values).iter().map(|p| p.um2).sum();
    let (none, one) = (reprogramming(chip, 0.0, adc_bits, values), reprogramming(chip, 1.0, adc_bits, values));
    if one > none { ((total - none) / (one - none)) as usize } else { chip.crossbars() }
}
