//! The register map as a Rust module for a driver.

use std::fmt::Write as _;

use super::{Access, ErrorCode, ID_VALUE, MAP};

const HEAD: &str = "\
//! Registers of a BasisN core: byte addresses, 32 bits each. Generated; do not edit.
#![allow(dead_code)]

/// Bits of a register.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field {
    /// Lowest bit.
    pub lsb: u32,
    /// Bits.
    pub width: u32,
}

impl Field {
    /// The field's bits in the register.
    pub const fn mask(self) -> u32 {
        (u32::MAX >> (32 - self.width)) << self.lsb
    }

    /// The field's value in a register's value.
    pub const fn get(self, register: u32) -> u32 {
        (register & self.mask()) >> self.lsb
    }

    /// A register's value with this field changed; upper bits of `value` that the field lacks are dropped.
    pub const fn set(self, register: u32, value: u32) -> u32 {
        (register & !self.mask()) | ((value << self.lsb) & self.mask())
    }
}

";

/// The text of `registers.rs`: a module for each register, with its address and fields. It needs no other crate, nor `std`.
pub fn rust_module() -> String {
    let mut text = String::from(HEAD);
    // Writing to a String cannot fail.
    let _ = writeln!(text, "/// What the ID register reads.\npub const ID_VALUE: u32 = 0x{ID_VALUE:08x};");
    for register in MAP {
        let access = match register.access {
            Access::Read => "read only",
            Access::Write => "write only",
            Access::ReadWrite => "read and write",
            Access::WriteOneToClear => "a written 1 clears its bit",
        };
        let _ = writeln!(text, "\n/// {}: {}; {access}.", register.name, register.meaning);
        let _ = writeln!(text, "pub mod {} {{", register.name.to_lowercase());
        let _ = writeln!(text, "    use super::Field;\n\n    /// Byte address.");
        let _ = writeln!(text, "    pub const ADDRESS: usize = 0x{:02x};", register.address);
        if register.count > 1 {
            let _ = writeln!(
                text,
                "    /// Registers in a row, 4 bytes each.\n    pub const REGISTERS: usize = {};",
                register.count
            );
        }
        for field in register.fields {
            let name = field.name.to_uppercase();
            let _ = writeln!(text, "    /// {}", field.meaning);
            let _ =
                writeln!(text, "    pub const {name}: Field = Field {{ lsb: {}, width: {} }};", field.lsb, field.width);
        }
        text.push_str("}\n");
    }
    text.push_str("\n/// Codes of the ERROR register.\npub mod error_code {\n");
    for code in ErrorCode::ALL {
        let _ = writeln!(text, "    /// {}; place: {}.", code.meaning(), code.place());
        let _ = writeln!(text, "    pub const {}: u32 = {};", code.name(), *code as u8);
    }
    text + "}\n"
}
