//! What a finished evaluation says.

use serde::{Deserialize, Serialize};

use crate::constants::Constant;
use crate::reprogram::{Concessions, ReprogramCost};
use crate::variants::Variant;
use crate::{Energy, WriteModel, area};

/// A finished evaluation; `report.json` is this.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Report {
    /// Network.
    pub network: String,
    /// Its weights.
    pub weights: usize,
    /// Its multiply-accumulates.
    pub macs: usize,
    /// Chip file or preset.
    pub chip: String,
    /// The chip's configuration.
    pub config: String,
    /// Its clock in MHz.
    pub clock_mhz: f64,
    /// Concessions to the reprogramming chip.
    pub concessions: Concessions,
    /// One for each number of crossbars and batch size; the first is the one with details.
    pub points: Vec<Point>,
    /// Ratios against the time of writing a row, at the first point.
    pub curve: Vec<CurvePoint>,
    /// Layers at the first point.
    pub layers: Vec<LayerRow>,
    /// Area of the BasisN chip at the first point.
    pub area: Vec<area::Part>,
    /// Bits of a conversion: BasisN's, and what the ratios become.
    pub adc: Vec<AdcRow>,
    /// Ratios as single constants go from low to high, the most influential first.
    pub sensitivity: Vec<Sensitivity>,
    /// How far the chip can be pushed, at the first point.
    pub variants: Vec<Variant>,
    /// Constants in use.
    pub constants: Vec<Constant>,
    /// Write models in use.
    pub write_models: Vec<WriteModel>,
}

/// Both sides for one number of crossbars and one batch size.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Point {
    /// Crossbars of either chip.
    pub crossbars: usize,
    /// Images in a batch.
    pub batch: usize,
    /// BasisN's time of an inference in ns.
    pub time_ns: f64,
    /// Of this: reads, registers, slots from off-chip, work on single values; the rest is waiting.
    pub time_parts_ns: [f64; 4],
    /// BasisN's energy of an inference.
    pub energy: Energy,
    /// Time of BasisN's one-time write.
    pub write_once_ns: f64,
    /// BasisN's area in um^2.
    pub area_um2: f64,
    /// Reprogramming with each write model.
    pub against: Vec<Against>,
    /// Reprogramming if writing took no time.
    pub compute_only: Against,
    /// Row-write time at which both take the same time; `None`: reprogramming wins even at 10 ms a row, or loses at 0.
    pub break_even_row_ns: Option<f64>,
    /// Row-write time from which BasisN takes less than 1 % of reprogramming's time.
    pub one_percent_row_ns: Option<f64>,
}

/// One reprogramming chip beside BasisN.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Against {
    /// Write model.
    pub write_model: String,
    /// What it takes.
    pub cost: ReprogramCost,
    /// BasisN's time over reprogramming's.
    pub time_ratio: f64,
    /// BasisN's energy over reprogramming's.
    pub energy_ratio: f64,
    /// BasisN's energy-delay product over reprogramming's.
    pub edp_ratio: f64,
    /// Inferences until the cells of the reprogramming chip are worn out; `None`: it writes nothing.
    pub lifetime_inferences: Option<f64>,
    /// Crossbars of a reprogramming chip as large as the BasisN chip.
    pub equal_area_crossbars: usize,
    /// BasisN's time over that chip's.
    pub equal_area_time_ratio: f64,
    /// BasisN's energy-delay product over that chip's.
    pub equal_area_edp_ratio: f64,
}

/// Ratios for one row-write time, all cells of a row in parallel.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CurvePoint {
    /// Time to write a row in ns.
    pub row_ns: f64,
    /// BasisN's time over reprogramming's.
    pub time_ratio: f64,
    /// BasisN's energy-delay product over reprogramming's.
    pub edp_ratio: f64,
}

/// One layer on the BasisN chip.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LayerRow {
    /// Name.
    pub name: String,
    /// Kernels.
    pub kernels: usize,
    /// Length of a kernel.
    pub depth: usize,
    /// Output positions.
    pub positions: usize,
    /// Clock cycles of the slowest core, for a batch.
    pub cycles: u64,
    /// Of these, cycles in which the crossbars read.
    pub read_cycles: u64,
    /// Time of one inference in ns.
    pub time_ns: f64,
    /// Energy of one inference in pJ, without leakage.
    pub energy_pj: f64,
    /// Bits of its slots.
    pub slot_bits: u64,
}

/// Ratios for one conversion width of BasisN; the reprogramming chip has as many as it needs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AdcRow {
    /// Bits of BasisN's conversions.
    pub bits: usize,
    /// BasisN's energy of an inference in pJ.
    pub energy_pj: f64,
    /// Energy-delay product over reprogramming's, for each write model.
    pub edp_ratios: Vec<f64>,
    /// The same if the reprogramming chip has as few bits, whatever that does to its accuracy.
    pub edp_ratios_same_bits: Vec<f64>,
}

/// How one constant moves the answer, under the write model `typical`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sensitivity {
    /// Key of the constant.
    pub key: String,
    /// Time ratio with its low and with its high value.
    pub time_ratio: [f64; 2],
    /// EDP ratio with its low and with its high value.
    pub edp_ratio: [f64; 2],
}
