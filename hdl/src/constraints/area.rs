//! Area of what standard cells don't make: estimates with sources, for floor plans and shares. A real macro's figures replace them.
//!
//! Published figures at 32 nm are scaled by the square of the feature size. That flatters no part against another, but analog
//! circuits shrink less in truth.

use basisn_arch::ChipConfig;

use super::Technology;

/// um2 of a single-ended 128 x 128 RRAM array at 32 nm: ISAAC's 0.0002 mm2 for eight arrays, as `puma-simulator` has it (`include/constants.py`).
const ARRAY_128X128_UM2: f64 = 25.0;
/// um2 of the 1-bit driver of a wordline at 32 nm: MNSIM 2.0, `Hardware_Model/DAC.py`.
const WORDLINE_DRIVER_UM2: f64 = 0.166;
/// um2 of a SAR ADC of 4 to 12 bits at 32 nm: the 8-bit ADC of ISAAC (Kull, ISSCC 2013: 1200 um2), others scaled after Saberi as in
/// Accelergy's table; 11 and 12 bits by doubling, as the capacitor array does.
const ADC_UM2: [f64; 9] = [361.0, 477.0, 627.0, 845.0, 1200.0, 1828.0, 3002.0, 6004.0, 12008.0];
/// um2 of a transmission gate at 32 nm: two devices 1 um wide at a pitch of four features each. Derived, not published.
const TRANSMISSION_GATE_UM2: f64 = 2.0 * 1.0 * 4.0 * 0.032;
/// Squares of the feature size for a bit of a memory with a read and a write port: an eight-transistor cell of about 200 and as much
/// as half of that again for decoders, drivers and sense amplifiers. An assumption.
const MEMORY_BIT_SQUARES: f64 = 300.0;

/// Area of an RRAM macro in um2, by part.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MacroArea {
    /// Cells: two arrays, for differential pairs.
    pub array_um2: f64,
    /// Drivers of the wordlines.
    pub drivers_um2: f64,
    /// ADCs of the lanes.
    pub adcs_um2: f64,
    /// Switches: both bitlines of every column to either input of every lane.
    pub switches_um2: f64,
}

impl MacroArea {
    /// All parts.
    pub fn total_um2(&self) -> f64 {
        self.array_um2 + self.drivers_um2 + self.adcs_um2 + self.switches_um2
    }
}

/// The macro's area.
pub fn macro_area(config: &ChipConfig, technology: &Technology) -> MacroArea {
    let (rows, columns, lanes) = (config.rows() as f64, config.columns() as f64, config.lanes() as f64);
    let adc = ADC_UM2[config.adc_bits().clamp(4, 12) - 4];
    MacroArea {
        array_um2: technology.from_32_nm(2.0 * ARRAY_128X128_UM2 * rows * columns / (128.0 * 128.0)),
        drivers_um2: technology.from_32_nm(WORDLINE_DRIVER_UM2 * rows),
        adcs_um2: technology.from_32_nm(adc * lanes),
        switches_um2: technology.from_32_nm(TRANSMISSION_GATE_UM2 * 4.0 * columns * lanes),
    }
}

/// Area in um2 of a memory with one read and one write port.
pub fn memory_area_um2(words: usize, width: usize, technology: &Technology) -> f64 {
    technology.squares_um2(MEMORY_BIT_SQUARES * (words * width) as f64)
}
