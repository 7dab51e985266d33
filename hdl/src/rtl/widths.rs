//! Widths that several modules share. A `_count` holds its maximum itself, an index only what is below it.

use basisn_arch::{ChipConfig, clog2};

/// Bits of the signals that more than one module has.
pub(super) struct Widths {
    /// Position within a block.
    pub position: usize,
    /// Positions of a block.
    pub position_count: usize,
    /// Position, as far as a psum address needs it.
    pub psum_position: usize,
    /// Address in a psum bank.
    pub psum_address: usize,
    /// Address in a half of a psum bank.
    pub half_address: usize,
    /// Group of tiles that are drained at once.
    pub drain_group: usize,
    /// Tiles of such a group.
    pub drain_size: usize,
    /// Group of kernels that are drained at once, which share an address in their parameter memories.
    pub kernel_group: usize,
    /// Number of kernels.
    pub kernel_count: usize,
    /// Number of rows.
    pub row_count: usize,
    /// Input plane.
    pub plane: usize,
    /// Tile.
    pub tile: usize,
    /// Lane.
    pub lane: usize,
    /// Beat of a slot word.
    pub beat: usize,
    /// What a performance counter adds in a cycle: at most one for every tile, or for every input plane.
    pub count_step: usize,
}

impl Widths {
    pub fn of(config: &ChipConfig) -> Self {
        let position = index_bits(config.position_block());
        let psum_address = config.psum_address_bits();
        Self {
            position,
            position_count: clog2(config.position_block() + 1),
            psum_position: position.min(psum_address),
            psum_address,
            half_address: index_bits(config.psum_words() / 2),
            drain_group: index_bits(config.drain_groups()),
            drain_size: clog2(config.drain_width() + 1),
            kernel_group: index_bits(config.parameter_words()),
            kernel_count: clog2(config.kernels() + 1),
            row_count: clog2(config.rows() + 1),
            plane: index_bits(config.input_bits()),
            tile: index_bits(config.tiles()),
            lane: config.lane_bits(),
            beat: index_bits(config.slot_word().beats()),
            count_step: clog2(config.tiles() + 1).max(clog2(config.input_bits() + 1)),
        }
    }
}

/// Bits of an index below `count`, at least one.
pub(super) fn index_bits(count: usize) -> usize {
    clog2(count).max(1)
}
