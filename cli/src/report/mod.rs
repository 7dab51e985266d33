//! The demonstration's report: the figures as JSON, and one HTML page with pictures. And the pictures of other commands: use of columns, cells by pulses.

mod heat_map;
mod histogram;
mod page;
mod picture;

pub use heat_map::heat_map;
pub use histogram::histogram;
pub use page::page;

use serde::Serialize;

/// Figures of a demonstration run, of the trained network where nothing else is said; `demo.json` and `basisn demo --json` are this, serialised.
#[derive(Clone, Debug, Serialize)]
pub struct Figures {
    /// Network.
    pub network: String,
    /// Chip.
    pub config: String,
    /// Held-out images.
    pub images_held_out: usize,
    /// Accuracy of the float network on all held-out images, 0..1.
    pub float_accuracy: f64,
    /// Accuracy of the golden reference on all held-out images.
    pub golden_accuracy: f64,
    /// Accuracy of the golden reference on the images that RTL ran.
    pub golden_accuracy_of_rtl_images: f64,
    /// Accuracy of RTL on the images that it ran.
    pub rtl_accuracy: f64,
    /// Images that RTL ran.
    pub images_rtl: usize,
    /// Layers whose results were compared, for every image.
    pub layers_compared: usize,
    /// Compared values, of both networks.
    pub values_compared: usize,
    /// Values that differ, of both.
    pub mismatches: usize,
    /// Clock cycles of one inference on the core.
    pub cycles_per_inference: u64,
    /// Reads of every macro for one inference, all cores together.
    pub reads_per_inference: u64,
    /// Slots of all layers, of one position.
    pub slots: usize,
    /// Mean slots of a subvector, weighted by positions.
    pub slots_per_subvector: f64,
    /// Slots that no schedule of the same coefficients can undercut.
    pub slots_lower_bound: usize,
    /// Signal to noise ratio of the fitted weights, dB.
    pub snr_db: f64,
    /// Clock cycles of the one-time writing of the basis.
    pub program_cycles: u64,
    /// Simulated clock cycles a second, all simulations together.
    pub simulated_cycles_per_second: f64,
    /// Simulations that ran at the same time.
    pub simulations_at_once: usize,
    /// Macro body in RTL.
    pub macro_body: String,
    /// Wall-clock time of the whole demonstration.
    pub seconds: f64,
    /// Layer by layer.
    pub layers: Vec<LayerFigures>,
    /// The network without training.
    pub dense: DenseFigures,
}

/// The network as coefficients that were fitted to its float weights: every kernel may use every column.
#[derive(Clone, Debug, Serialize)]
pub struct DenseFigures {
    /// Accuracy of the golden reference on all held-out images, 0..1.
    pub golden_accuracy: f64,
    /// Images that RTL ran.
    pub images_rtl: usize,
    /// Clock cycles of one inference on the core.
    pub cycles_per_inference: u64,
    /// Reads of every macro for one inference, all cores together.
    pub reads_per_inference: u64,
    /// Slots of all layers, of one position.
    pub slots: usize,
    /// Mean slots of a subvector, weighted by positions.
    pub slots_per_subvector: f64,
}

/// Figures of one layer.
#[derive(Clone, Debug, Serialize)]
pub struct LayerFigures {
    /// Name.
    pub name: String,
    /// Output positions.
    pub positions: usize,
    /// Kernels.
    pub kernels: usize,
    /// Subvectors of a kernel.
    pub subvectors: usize,
    /// Input planes.
    pub input_bits: usize,
    /// ADC gain.
    pub gain: u32,
    /// Slots of all subvectors.
    pub slots: usize,
    /// Their lower bound.
    pub slots_lower_bound: usize,
    /// Signal to noise ratio of the fitted weights, dB.
    pub snr_db: f64,
    /// Clock cycles from start to the last result.
    pub cycles: u64,
    /// Reads of every macro, all cores together.
    pub reads: u64,
    /// Reads as a share of the cycles of all cores.
    pub issued: f64,
    /// Cycles without a read because a slot was not loaded.
    pub wait_slots: u64,
    /// Cycles without a read because activations were not loaded.
    pub wait_activations: u64,
    /// Cycles without a read because results had to leave first.
    pub wait_results: u64,
    /// Cycles without a read because a macro was not ready.
    pub wait_macro: u64,
    /// ADC codes that were clamped, as a share of all, in the golden run.
    pub saturated: f64,
}
