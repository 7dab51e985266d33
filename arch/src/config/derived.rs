//! What follows from a configuration: widths, the macro's name, shares of the cores.

use super::ChipConfig;
use crate::SlotWord;

impl ChipConfig {
    /// Largest magnitude of a cell level.
    pub fn level_max(&self) -> i8 {
        if self.cell_bits == 1 { 1 } else { (1 << (self.cell_bits - 1)) - 1 }
    }

    /// Bits of a level at the programming port, two's complement.
    pub fn level_bits(&self) -> usize {
        self.cell_bits.max(2)
    }

    /// Binary digits of a verify read below one level: its code of level l is `l * 2^v`, the largest that fits the ADC; -1 where levels
    /// have more digits than codes.
    pub fn verify_digits(&self) -> i32 {
        crate::Geometry::from(self).verify_digits()
    }

    /// Bits of a lane number.
    pub fn lane_bits(&self) -> usize {
        clog2(self.lanes).max(1)
    }

    /// Bits of a psum address.
    pub fn psum_address_bits(&self) -> usize {
        clog2(self.psum_words).max(1)
    }

    /// Bits of a row number.
    pub fn row_address_bits(&self) -> usize {
        clog2(self.rows)
    }

    /// Bits of a column number.
    pub fn column_address_bits(&self) -> usize {
        clog2(self.columns)
    }

    /// Module name of the RRAM macro for this geometry: macros have no Verilog parameters.
    pub fn macro_name(&self) -> String {
        format!(
            "rram_macro_r{}_c{}_m{}_l{}_a{}_t{}_i{}_p{}",
            self.rows,
            self.columns,
            self.cell_bits,
            self.lanes,
            self.adc_bits(),
            self.read_latency_cycles,
            self.read_interval_cycles,
            self.program_cycles
        )
    }

    /// Bits of an ADC code, A.
    pub fn adc_bits(&self) -> usize {
        self.bits
    }

    /// The positions of a layer that each core computes; cores that would have none are left out.
    pub fn shares(&self, positions: usize) -> Vec<std::ops::Range<usize>> {
        let share = positions.div_ceil(self.cores);
        (0..self.cores)
            .map(|core| (core * share).min(positions)..((core + 1) * share).min(positions))
            .filter(|range| !range.is_empty())
            .collect()
    }

    /// The chip as a layer sees it that uses the first `tiles` tiles only, 1..N.
    pub fn using(&self, tiles: usize) -> Self {
        Self { tiles: tiles.clamp(1, self.tiles), ..self.clone() }
    }

    /// Whether the core skips input planes without ones; with one input plane there is nothing to skip.
    pub fn skips_zero_planes(&self) -> bool {
        self.skip_zero_planes == 1 && self.input_bits > 1
    }

    /// Layout of the slot word.
    pub fn slot_word(&self) -> SlotWord {
        SlotWord::new(self)
    }
}

/// Bits that count `n` different values: the smallest b with 2^b >= n.
pub fn clog2(n: usize) -> usize {
    n.max(1).next_power_of_two().trailing_zeros() as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_are_shared_over_the_cores() {
        let chip = ChipConfig::load("paper").unwrap();
        assert_eq!(chip.shares(10), [0..3, 3..6, 6..9, 9..10]);
        assert_eq!(chip.shares(2), [0..1, 1..2]);
    }

    #[test]
    fn clog2_counts_values() {
        assert_eq!([1, 2, 3, 4, 5, 64, 65].map(clog2), [0, 1, 2, 2, 3, 6, 7]);
    }
}
