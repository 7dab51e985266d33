//! The register map, the single source of the RTL's decoder, the driver and the documentation.
//!
//! All registers are 32 bits wide; addresses are byte addresses. Bits without a field read 0 and ignore what is written.

mod c_header;
mod error_code;
mod map;
mod markdown;
mod rust_module;
mod system_rdl;

use crate::ChipConfig;

pub use c_header::c_header;
pub use error_code::ErrorCode;
pub use map::*;
pub use markdown::markdown;
pub use rust_module::rust_module;
pub use system_rdl::system_rdl;

/// Who may do what with a register.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Read only; a write is refused.
    Read,
    /// Write only; reads give 0.
    Write,
    /// Read and write.
    ReadWrite,
    /// Read; a 1 that is written clears its bit.
    WriteOneToClear,
}

impl Access {
    /// As in the tables: `r`, `w`, `rw`, `rw1c`.
    pub fn letters(self) -> &'static str {
        match self {
            Access::Read => "r",
            Access::Write => "w",
            Access::ReadWrite => "rw",
            Access::WriteOneToClear => "rw1c",
        }
    }

    /// Whether a write has an effect.
    pub fn writable(self) -> bool {
        self != Access::Read
    }
}

/// Bits of a register.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field {
    /// Name in documentation and headers.
    pub name: &'static str,
    /// Lowest bit.
    pub lsb: usize,
    /// Bits; where a geometry needs fewer, the upper ones read 0.
    pub width: usize,
    /// What it holds.
    pub meaning: &'static str,
}

impl Field {
    /// The field's bits in the register.
    pub fn mask(&self) -> u32 {
        (u32::MAX >> (32 - self.width)) << self.lsb
    }

    /// As in the tables: `[msb:lsb]` or `[bit]`.
    pub fn bits(&self) -> String {
        match self.width {
            1 => format!("[{}]", self.lsb),
            width => format!("[{}:{}]", self.lsb + width - 1, self.lsb),
        }
    }
}

/// One register.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Register {
    /// Name in documentation and headers.
    pub name: &'static str,
    /// Byte address.
    pub address: u32,
    /// Access.
    pub access: Access,
    /// Registers of this kind in a row, 1 for most.
    pub count: u32,
    /// What it is for.
    pub meaning: &'static str,
    /// Fields, by rising bit.
    pub fields: &'static [Field],
}

impl Register {
    /// Whether a byte address, a multiple of 4, is this register's or one of its row.
    pub fn has(&self, address: u32) -> bool {
        (self.address..self.address + 4 * self.count).contains(&address)
    }
}

/// What GEOMETRY0 reads.
pub fn geometry0(config: &ChipConfig) -> u32 {
    (config.rows() | config.columns() << 16) as u32
}

/// What GEOMETRY1 reads.
pub fn geometry1(config: &ChipConfig) -> u32 {
    let crossbar = config.tiles() | config.lanes() << 8 | config.adc_bits() << 16 | config.cell_bits() << 20;
    (crossbar | config.input_bits() << 24 | config.coefficient_planes() << 28) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documentation_has_the_same_table() {
        let page = include_str!("../../../docs/hardware.md");
        for row in markdown().lines().filter(|line| line.starts_with("| ")) {
            assert!(page.lines().any(|line| line == row), "docs/hardware.md lacks the row\n{row}");
        }
    }

    #[test]
    fn the_files_that_are_made_of_it() {
        let config = ChipConfig::load("tiny").unwrap();
        insta::assert_snapshot!("registers.h", c_header());
        insta::assert_snapshot!("registers.rdl", system_rdl(&config));
        insta::assert_snapshot!("registers.rs", rust_module());
    }

    #[test]
    fn addresses_rise_and_fit() {
        assert!(MAP.windows(2).all(|w| w[0].address + 4 * (w[0].count - 1) < w[1].address));
        assert!(MAP.iter().all(|r| r.address % 4 == 0 && r.address + 4 * r.count <= 1 << ADDRESS_BITS));
    }

    #[test]
    fn fields_rise_and_fit() {
        for r in MAP {
            assert!(!r.fields.is_empty(), "{}", r.name);
            assert!(r.fields.windows(2).all(|w| w[0].lsb + w[0].width <= w[1].lsb), "{}", r.name);
            assert!(r.fields.iter().all(|f| f.width > 0 && f.lsb + f.width <= 32), "{}", r.name);
        }
    }
}
