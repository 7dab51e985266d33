//! Area of a chip by part, and what BasisN adds to a tile: hard blocks from the constants, logic from our own synthesis.

use basisn_arch::HardBlocks;
use serde::{Deserialize, Serialize};

use crate::synthesis::{self, Synthesis};
use crate::{Chip, Energy, Values};

/// A part of a chip.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Part {
    /// Name.
    pub name: String,
    /// Area in um^2, all of this part on the chip.
    pub um2: f64,
    /// Where it is.
    pub of: Place,
    /// Only a BasisN chip has it.
    pub overhead: bool,
    /// Where the area comes from.
    pub source: String,
}

/// What a part belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// Every crossbar has it.
    Tile,
    /// Every core has it.
    Core,
    /// The chip has it once.
    Chip,
}

/// Bits of a kernel's requantize parameters: m and b.
const PARAMETER_BITS: usize = 64;

impl Values {
    /// The constants of the hard blocks.
    pub fn hard_blocks(&self) -> HardBlocks {
        HardBlocks {
            feature_nm: self.feature_nm,
            cell_area_f2: self.cell_area_f2,
            wordline_um2: self.wordline_area_um2,
            adc_um2: self.adc_area_um2,
            adc_area_growth: self.adc_area_growth,
            adc_rate_gsps: self.adc_rate_gsps,
            switch_um2: self.switch_area_um2,
            memory_bit_um2: self.sram_area_um2_per_bit,
        }
    }
}

/// A BasisN chip, part by part.
pub fn basis(chip: &Chip, logic: &Synthesis, values: &Values) -> Vec<Part> {
    use Place::{Chip as Once, Core, Tile};
    use synthesis::Part as Logic;
    const MACRO: &str = "constants";
    const LOGIC: &str = "synthesis";
    let c = &chip.config;
    let (crossbars, cores) = (chip.crossbars() as f64, c.cores() as f64);
    let blocks = values.hard_blocks();
    let one = blocks.macro_area(c, values.read_cycle_ns);
    let gates = |part| cores * logic.gates(c, part) * values.gate_area_um2;
    let memory = |bits: usize| blocks.memory_um2(bits);
    // A value in every clock cycle takes one unit as large as that of requantization, which scales and rounds as it does.
    let units = (values.vector_values_per_ns * chip.clock_ns).ceil();
    let requantize = gates(Logic::Requantize);
    let unit = requantize / (cores * c.pipelines() as f64);
    let part = |name: &str, um2, of, overhead, source: &str| Part {
        name: name.into(),
        um2,
        of,
        overhead,
        source: source.into(),
    };
    vec![
        part("cells", crossbars * one.array_um2, Tile, false, MACRO),
        part("wordline drivers", crossbars * one.drivers_um2, Tile, false, MACRO),
        part("ADC", crossbars * one.adcs_um2, Tile, false, MACRO),
        part("lanes", gates(Logic::Lanes), Tile, false, LOGIC),
        part("switches", crossbars * one.switches_um2, Tile, true, MACRO),
        part("switch settings", gates(Logic::SwitchControl), Tile, true, LOGIC),
        part("coefficient buffers", gates(Logic::CoefficientBuffer), Tile, true, LOGIC),
        part("psum memories", crossbars * memory(c.lanes() * c.psum_words() * 32), Tile, true, MACRO),
        part("psum banks", gates(Logic::PsumLogic), Tile, true, LOGIC),
        part("slot control", gates(Logic::SlotControl), Core, true, LOGIC),
        part("input memories", cores * memory(2 * c.position_block() * c.rows() * c.input_bits()), Core, false, MACRO),
        part("input buffers", gates(Logic::InputBuffer), Core, false, LOGIC),
        part("core control", gates(Logic::CoreControl), Core, false, LOGIC),
        part("requantize", requantize + cores * memory(c.kernels() * PARAMETER_BITS), Core, false, LOGIC),
        part("vector unit", units * unit, Once, false, LOGIC),
        part("buffer", values.buffer_size_kib * values.buffer_area_um2_per_kib, Once, false, MACRO),
    ]
}

/// A reprogramming chip with as many crossbars: the same circuits without what only BasisN has; its converter has `adc_bits`.
pub fn reprogramming(chip: &Chip, crossbars: f64, adc_bits: usize, logic: &Synthesis, values: &Values) -> f64 {
    let own = chip.crossbars() as f64;
    let share = |p: &Part| match p.of {
        _ if p.overhead => 0.0,
        Place::Chip => p.um2,
        _ if p.name == "ADC" => crossbars * values.hard_blocks().converter_um2(adc_bits),
        _ => p.um2 * crossbars / own,
    };
    basis(chip, logic, values).iter().map(share).sum()
}

/// Crossbars of a reprogramming chip that is as large as this BasisN chip.
pub fn crossbars_of_equal_area(chip: &Chip, adc_bits: usize, logic: &Synthesis, values: &Values) -> usize {
    let total: f64 = basis(chip, logic, values).iter().map(|p| p.um2).sum();
    let other = |crossbars| reprogramming(chip, crossbars, adc_bits, logic, values);
    let (none, one) = (other(0.0), other(1.0));
    if one > none { ((total - none) / (one - none)) as usize } else { chip.crossbars() }
}

/// What BasisN adds, as shares.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Overhead {
    /// Switches, coefficient buffers and what controls them, of the area of the tiles.
    pub of_tiles: f64,
    /// With the psum banks, of the area of the tiles.
    pub with_psums_of_tiles: f64,
    /// All that only BasisN has, of the area of the chip.
    pub of_chip: f64,
    /// Switching of switches, coefficient buffers and psum banks, of the energy of an inference.
    pub of_energy: f64,
    /// The same with the leakage of the memories.
    pub with_leakage_of_energy: f64,
}

/// What BasisN adds to a chip with these parts that takes this energy.
pub fn overhead(parts: &[Part], energy: &Energy) -> Overhead {
    let sum = |of: &dyn Fn(&&Part) -> bool| parts.iter().filter(of).map(|p| p.um2).sum::<f64>();
    let tiles = sum(&|p| p.of == Place::Tile);
    let own = energy.switches + energy.coefficients + energy.psums;
    Overhead {
        of_tiles: sum(&|p| p.of == Place::Tile && p.overhead && !p.name.starts_with("psum")) / tiles,
        with_psums_of_tiles: sum(&|p| p.of == Place::Tile && p.overhead) / tiles,
        of_chip: sum(&|p| p.overhead) / sum(&|_| true),
        of_energy: own / energy.total(),
        with_leakage_of_energy: (own + energy.memory_leakage) / energy.total(),
    }
}
