//! What a compilation reports: how well the network is represented, and how many slots it takes.

use serde::{Deserialize, Serialize};

use crate::fitted::Code;

/// Report of a compiled network.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// Name of the network.
    pub network: String,
    /// Signal to noise ratio of all weights, in dB.
    pub snr_db: f64,
    /// Slots of all subvectors of all layers.
    pub slots: usize,
    /// No schedule can have fewer.
    pub slots_lower_bound: usize,
    /// Slots that contests cost.
    pub contest_slots: usize,
    /// Clock cycles of an inference by the cycle model: all layers, one after the other.
    pub cycles: u64,
    /// Layers in order.
    pub layers: Vec<LayerReport>,
}

/// Report of one layer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LayerReport {
    /// Name.
    pub name: String,
    /// Signal to noise ratio of the weights, in dB.
    pub snr_db: f64,
    /// What an input integer means.
    pub input: Code,
    /// What an output integer means; none where the result is given unshifted.
    pub output: Option<Code>,
    /// Gain g of the ADC.
    pub gain: u32,
    /// Share of the ADC codes that were clipped in calibration, 0..1.
    pub clipped_share: f64,
    /// Digits that are not zero: closed switches over all kernels and subvectors.
    pub coefficient_digits: usize,
    /// Coefficients that are not zero.
    pub coefficients_nonzero: usize,
    /// Coefficients in all.
    pub coefficients: usize,
    /// Items: coefficient planes of a kernel in a subvector.
    pub items: usize,
    /// Slots of all subvectors.
    pub slots: usize,
    /// No schedule can have fewer.
    pub slots_lower_bound: usize,
    /// Slots beyond what the lanes would need if no column were wanted twice.
    pub contest_slots: usize,
    /// Items that must wait for a column, see [`crate::schedule::Contention`].
    pub contests: usize,
    /// Slots of each subvector.
    pub slots_per_subvector: Vec<usize>,
    /// Clock cycles by the cycle model.
    pub cycles: u64,
    /// Positions of a full block.
    pub block_positions: usize,
    /// Blocks of the layer.
    pub blocks: usize,
}
