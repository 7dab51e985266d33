//! The shapes of ResNet-18's layers, and how a chip runs them with one item for each kernel.

use basisn_arch::{ChipConfig, LayerWork};

/// A layer of 8 input planes.
pub struct Layer {
    /// What it is called in the documentation.
    pub name: &'static str,
    /// Values of a kernel.
    pub depth: usize,
    /// Kernels.
    pub kernels: usize,
    /// Positions of the whole chip.
    pub positions: usize,
}

const fn layer(name: &'static str, depth: usize, kernels: usize, positions: usize) -> Layer {
    Layer { name, depth, kernels, positions }
}

/// One of each shape.
pub const LAYERS: [Layer; 7] = [
    layer("conv1, 7x7/2", 147, 64, 112 * 112),
    layer("stage 1, 3x3", 576, 64, 56 * 56),
    layer("stage 2, 3x3", 1152, 128, 28 * 28),
    layer("shortcut, 1x1/2", 64, 128, 28 * 28),
    layer("stage 3, 3x3", 2304, 256, 14 * 14),
    layer("stage 4, 3x3", 4608, 512, 7 * 7),
    layer("classifier", 512, 1000, 1),
];

impl Layer {
    /// The work of a core with so many positions, in blocks of so many.
    pub fn work(&self, chip: &ChipConfig, positions: usize, block_positions: usize) -> LayerWork {
        let subvectors = self.depth.div_ceil(chip.rows());
        // An item for each kernel, G kernels of a tile in a slot.
        let slots = self.kernels.div_ceil(chip.tiles()).div_ceil(chip.group());
        let rows_used = self.depth.div_ceil(subvectors);
        LayerWork {
            tiles: chip.tiles(),
            positions,
            block_positions,
            slots: vec![slots; subvectors],
            rows_used,
            planes: 8,
            kernels: self.kernels,
        }
    }

    /// The block with which a core's share takes fewest cycles, and that share.
    pub fn block_and_share(&self, chip: &ChipConfig) -> (usize, usize) {
        let share = self.positions.div_ceil(chip.cores());
        let psum_rows = self.kernels.div_ceil(chip.tiles() * chip.lanes());
        let most = chip.position_block().min(chip.psum_words() / 2 / psum_rows).min(share);
        let cycles = |block: &usize| self.work(chip, share, *block).counters(chip).cycles;
        ((1..=most).rev().min_by_key(cycles).unwrap_or(1), share)
    }
}
