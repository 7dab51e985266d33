//! Area of what standard cells don't make: RRAM macro and memories, from one file of constants with sources for everybody who needs them.
//!
//! Figures are for the node of the constants and go to another by the square of the feature size. That flatters no part
//! against another, but analog circuits shrink less in truth.

use crate::{ChipConfig, Error};

const FILE: (&str, &str) = ("evaluate/constants/circuits.toml", include_str!("../../evaluate/constants/circuits.toml"));

/// Constants of hard blocks, at `feature_nm`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HardBlocks {
    /// Feature size in nm that the areas are for.
    pub feature_nm: f64,
    /// Squares of the feature size of a cell.
    pub cell_area_f2: f64,
    /// um2 of the driver of a wordline.
    pub wordline_um2: f64,
    /// um2 of an ADC of 8 bits.
    pub adc_um2: f64,
    /// Factor of its area for each bit more.
    pub adc_area_growth: f64,
    /// Conversions of an ADC in a ns.
    pub adc_rate_gsps: f64,
    /// um2 of a transmission gate.
    pub switch_um2: f64,
    /// um2 of a bit of a memory with a read and a write port.
    pub memory_bit_um2: f64,
}

/// Area of an RRAM macro in um2, by part.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MacroArea {
    /// Cells of the differential pairs.
    pub array_um2: f64,
    /// Drivers of the wordlines.
    pub drivers_um2: f64,
    /// ADCs, as many as keep up with the lanes.
    pub adcs_um2: f64,
    /// Switches between the bitlines and the lanes.
    pub switches_um2: f64,
}

impl MacroArea {
    /// All parts.
    pub fn total_um2(&self) -> f64 {
        self.array_um2 + self.drivers_um2 + self.adcs_um2 + self.switches_um2
    }
}

impl HardBlocks {
    /// The typical values of the constants of the evaluation.
    ///
    /// # Errors
    /// None, as tests show.
    pub fn typical() -> Result<Self, Error> {
        let (at, text) = FILE;
        let table: toml::Table = text.parse().map_err(|e: toml::de::Error| Error::config(at, e.message(), FIX))?;
        let value = |section: &str, key: &str| {
            let typical = table.get(section).and_then(|s| s.get(key)).and_then(|c| c.get("typical"));
            let number = typical.and_then(|v| v.as_float().or_else(|| v.as_integer().map(|i| i as f64)));
            number.ok_or_else(|| Error::config(format!("{at}, {section}.{key}"), "no number `typical`", FIX))
        };
        Ok(HardBlocks {
            feature_nm: value("crossbar", "feature_nm")?,
            cell_area_f2: value("crossbar", "cell_area_f2")?,
            wordline_um2: value("wordline", "area_um2")?,
            adc_um2: value("adc", "area_um2")?,
            adc_area_growth: value("adc", "area_growth")?,
            adc_rate_gsps: value("adc", "rate_gsps")?,
            switch_um2: value("switch", "area_um2")?,
            memory_bit_um2: value("sram", "area_um2_per_bit")?,
        })
    }

    /// The same blocks in another node: areas by the square of the feature size, rates by its inverse.
    pub fn at_feature_nm(&self, feature_nm: f64) -> Self {
        let scale = feature_nm / self.feature_nm;
        let area = scale * scale;
        HardBlocks {
            feature_nm,
            cell_area_f2: self.cell_area_f2,
            wordline_um2: self.wordline_um2 * area,
            adc_um2: self.adc_um2 * area,
            adc_area_growth: self.adc_area_growth,
            adc_rate_gsps: self.adc_rate_gsps / scale,
            switch_um2: self.switch_um2 * area,
            memory_bit_um2: self.memory_bit_um2 * area,
        }
    }

    /// um2 of an ADC.
    pub fn converter_um2(&self, bits: usize) -> f64 {
        self.adc_um2 * self.adc_area_growth.powf(bits as f64 - 8.0)
    }

    /// ADCs of a crossbar: as few as give every lane its code in a read of `read_ns`; at most one a lane.
    pub fn converters(&self, config: &ChipConfig, read_ns: f64) -> usize {
        let needed = (config.lanes() as f64 / (read_ns * self.adc_rate_gsps)).ceil();
        (needed as usize).clamp(1, config.lanes())
    }

    /// Area of the macro, where a read takes `read_ns`.
    pub fn macro_area(&self, config: &ChipConfig, read_ns: f64) -> MacroArea {
        let cells = (2 * config.rows() * config.columns()) as f64;
        // Of each bitline pair: polarity (4 gates), and one gate of each bitline to every lane.
        let gates = (config.columns() * (4 + 2 * config.lanes())) as f64;
        MacroArea {
            array_um2: cells * self.cell_area_f2 * (self.feature_nm * 1e-3).powi(2),
            drivers_um2: config.rows() as f64 * self.wordline_um2,
            adcs_um2: self.converters(config, read_ns) as f64 * self.converter_um2(config.adc_bits()),
            switches_um2: gates * self.switch_um2,
        }
    }

    /// Area in um2 of a memory with one read and one write port.
    pub fn memory_um2(&self, bits: usize) -> f64 {
        bits as f64 * self.memory_bit_um2
    }
}

const FIX: &str = "bring the constants of the hard blocks up to date with evaluate/constants/circuits.toml";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn areas_follow_size_and_feature_size() {
        let (config, blocks) = (ChipConfig::load("isaac").unwrap(), HardBlocks::typical().unwrap());
        assert_eq!((blocks.feature_nm, blocks.adc_um2), (32.0, 1200.0));
        // 32768 cells of 16 squares; 1.28 GS/s convert eight lanes in 100 ns, and not in 5.
        let area = blocks.macro_area(&config, 100.0);
        assert!((area.array_um2 - 32768.0 * 16.0 * 0.032 * 0.032).abs() < 1e-6);
        assert_eq!((area.adcs_um2, blocks.macro_area(&config, 5.0).adcs_um2), (1200.0, 2400.0));
        assert_eq!(area.switches_um2, 128.0 * 20.0 * blocks.switch_um2);
        let parts = area.array_um2 + area.drivers_um2 + area.adcs_um2 + area.switches_um2;
        assert!((area.total_um2() - parts).abs() < 1e-9);
        // 180 nm: all areas by one factor, and slower converters, of which there are more.
        let (old, scale) = (blocks.at_feature_nm(180.0), (180.0_f64 / 32.0).powi(2));
        let of_old = old.macro_area(&config, 100.0);
        assert!((of_old.total_um2() / area.total_um2() - scale).abs() < 1e-9);
        assert_eq!((old.converters(&config, 5.0), old.converters(&config, 0.1)), (8, 8));
        assert!((old.memory_um2(64) / blocks.memory_um2(64) - scale).abs() < 1e-9);
    }
}
