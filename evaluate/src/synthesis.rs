//! Area of the generated logic: our own synthesis, by the size of what it depends on.
//!
//! `scripts/synth` writes the area of every block of some presets to `scripts/flow/baseline.json`, in the cells of one library. Here that area
//! is counted in NAND gates of the library, and goes to another node as so many gates of it. Between presets a block follows
//! a straight line through two of them: `gates = a + b x size`.

use std::collections::BTreeMap;

use basisn_arch::ChipConfig;

use crate::Error;

const BASELINE: (&str, &str) = ("scripts/flow/baseline.json", include_str!("../../scripts/flow/baseline.json"));
/// um2 of the NAND gate NAND2X1 of the library of the baseline, OSU 180 nm.
const NAND_UM2: f64 = 24.0;
/// The presets that the lines go through: the smallest, and the largest that every block was mapped for.
const THROUGH: [&str; 2] = ["tiny", "isaac"];

/// Where blocks of a name are, and what their area follows.
struct Place {
    block: &'static str,
    part: Part,
    /// Blocks of this name in a core, and the size of one.
    count: fn(&ChipConfig) -> usize,
    size: fn(&ChipConfig) -> usize,
}

/// Logic of a chip, as far as the two sides differ in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Accumulation of the codes of a lane: any crossbar has it.
    Lanes,
    /// Logic of the psum banks, without their memories.
    PsumLogic,
    /// Registers that hold the switches, and what takes them from slot words and checks these.
    SwitchControl,
    /// The next slot word.
    CoefficientBuffer,
    /// Input buffer without its memory.
    InputBuffer,
    /// The stream of slots.
    SlotControl,
    /// Sequencer, registers, drain, results.
    CoreControl,
    /// Requantize.
    Requantize,
}

impl Part {
    /// All parts.
    pub const ALL: [Part; 8] = [
        Part::Lanes,
        Part::PsumLogic,
        Part::SwitchControl,
        Part::CoefficientBuffer,
        Part::InputBuffer,
        Part::SlotControl,
        Part::CoreControl,
        Part::Requantize,
    ];
}

const fn place(
    block: &'static str,
    part: Part,
    count: fn(&ChipConfig) -> usize,
    size: fn(&ChipConfig) -> usize,
) -> Place {
    Place { block, part, count, size }
}

fn one(_: &ChipConfig) -> usize {
    1
}

fn lanes(c: &ChipConfig) -> usize {
    c.tiles() * c.lanes()
}

fn slot_bits(c: &ChipConfig) -> usize {
    c.slot_word().word_bits()
}

/// Blocks inside another one are part of it.
const PLACES: [Place; 16] = [
    place("accumulation_lane", Part::Lanes, lanes, ChipConfig::coefficient_planes),
    place("psum_bank", Part::PsumLogic, lanes, ChipConfig::psum_address_bits),
    place("psum_select", Part::PsumLogic, ChipConfig::tiles, ChipConfig::lanes),
    place("tile_controller", Part::SwitchControl, ChipConfig::tiles, slot_bits),
    place("coefficient_buffer", Part::CoefficientBuffer, ChipConfig::tiles, slot_bits),
    place("input_buffer", Part::InputBuffer, one, ChipConfig::rows),
    place("slot_check", Part::SwitchControl, ChipConfig::tiles, ChipConfig::lanes),
    place("slot_loader", Part::SlotControl, one, ChipConfig::tiles),
    place("tag_delay", Part::CoreControl, one, ChipConfig::read_latency_cycles),
    place("axi_lite", Part::CoreControl, one, one),
    place("drain", Part::CoreControl, one, lanes),
    place("layer_control", Part::CoreControl, one, one),
    place("registers", Part::CoreControl, one, ChipConfig::lanes),
    place("result_fifo", Part::CoreControl, one, ChipConfig::drain_width),
    place("sequencer", Part::CoreControl, one, ChipConfig::position_block),
    place("requantize", Part::Requantize, ChipConfig::pipelines, ChipConfig::kernels),
];

/// Gates of every block as a straight line, and the area of a gate.
#[derive(Clone, Debug, PartialEq)]
pub struct Synthesis {
    /// Gates at size 0 and for each step of size, of every place.
    lines: Vec<[f64; 2]>,
}

impl Synthesis {
    /// From the committed baseline.
    ///
    /// # Errors
    /// The baseline does not have the presets or blocks that the lines go through.
    pub fn committed() -> Result<Self, Error> {
        let baseline = Baseline::committed()?;
        let configs = THROUGH.map(ChipConfig::load);
        let [small, large] = configs.map(|c| c.map_err(|e| Error::from_arch(&e)));
        let (small, large) = (small?, large?);
        let line = |place: &Place| {
            let (x0, x1) = ((place.size)(&small) as f64, (place.size)(&large) as f64);
            let (y0, y1) = (baseline.gates(THROUGH[0], place.block)?, baseline.gates(THROUGH[1], place.block)?);
            let slope = if x0 == x1 { 0.0 } else { (y1 - y0) / (x1 - x0) };
            Ok([y1 - slope * x1, slope])
        };
        Ok(Synthesis { lines: PLACES.iter().map(line).collect::<Result<_, Error>>()? })
    }

    /// Gates of a part in one core.
    pub fn gates(&self, config: &ChipConfig, part: Part) -> f64 {
        let of_place = |(place, [none, step]): (&Place, &[f64; 2])| {
            (place.count)(config) as f64 * (none + step * (place.size)(config) as f64).max(0.0)
        };
        PLACES.iter().zip(&self.lines).filter(|(place, _)| place.part == part).map(of_place).sum()
    }
}

/// `scripts/flow/baseline.json`: flow, preset, block, quantity.
struct Baseline(BTreeMap<String, BTreeMap<String, Blocks>>);

/// Block, quantity.
type Blocks = BTreeMap<String, BTreeMap<String, f64>>;

impl Baseline {
    fn committed() -> Result<Self, Error> {
        let (at, text) = BASELINE;
        serde_json::from_str(text).map(Baseline).map_err(|e| Error::constants(at, e.to_string(), FIX))
    }

    /// Gates of a block of a preset.
    fn gates(&self, preset: &str, block: &str) -> Result<f64, Error> {
        let area = self.0.get("asic").and_then(|p| p.get(preset)?.get(block)?.get("area_um2"));
        let missing = || Error::constants(format!("{}, {preset}, {block}", BASELINE.0), "no area", FIX);
        area.map(|um2| um2 / NAND_UM2).ok_or_else(missing)
    }
}

const FIX: &str = "write the baseline again with scripts/synth PRESET --update";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_give_the_presets_that_they_go_through_and_are_near_another() {
        let (synthesis, baseline) = (Synthesis::committed().unwrap(), Baseline::committed().unwrap());
        for (preset, within) in [("tiny", 0.01), ("isaac", 1e-9), ("digits", 0.1)] {
            let config = ChipConfig::load(preset).unwrap();
            let (mut all, mut truth) = (0.0, 0.0);
            for part in Part::ALL {
                let places = PLACES.iter().filter(|p| p.part == part);
                let real: f64 =
                    places.map(|p| (p.count)(&config) as f64 * baseline.gates(preset, p.block).unwrap()).sum();
                let line = synthesis.gates(&config, part);
                (all, truth) = (all + line, truth + real);
                println!("{preset} {part:?}: {line:.0} gates, synthesis {real:.0}");
            }
            assert!((all / truth - 1.0).abs() <= within, "{preset}: {all:.0} gates, synthesis {truth:.0}");
            // All blocks are in the core, which was mapped as one.
            let core = baseline.gates(preset, "basisn_core").unwrap();
            assert!((truth / core - 1.0).abs() < 0.15, "{preset}: {truth:.0} gates in blocks, {core:.0} in the core");
        }
    }

    #[test]
    fn a_baseline_without_a_block_is_refused() {
        let error = Baseline::committed().unwrap().gates("tiny", "no_such_block").unwrap_err().to_string();
        assert!(error.contains("baseline.json, tiny, no_such_block") && error.contains("scripts/synth"), "{error}");
    }
}
