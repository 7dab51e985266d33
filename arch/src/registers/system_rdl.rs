//! The register map in SystemRDL 2.0.

use std::fmt::Write as _;

use super::{Access, Field, ID_VALUE, MAP, Register};
use crate::ChipConfig;

/// The text of `registers.rdl` for a chip: read-only identification has its values, all else is 0 after reset.
pub fn system_rdl(config: &ChipConfig) -> String {
    let mut text = String::from(
        "// Registers of a BasisN core. Generated; do not edit.\n\
         addrmap basisn_core {\n    name = \"BasisN core\";\n    default regwidth = 32;\n    default accesswidth = 32;\n",
    );
    for register in MAP {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "\n    reg {{\n        name = \"{}\";", register.name);
        let _ = writeln!(text, "        desc = \"{}\";", register.meaning);
        let value = reset_value(register, config);
        for field in register.fields {
            let last = field.lsb + field.width - 1;
            let reset = (value & field.mask()) >> field.lsb;
            // A keyword of the language needs the escape.
            let name = if KEYWORDS.contains(&field.name) { format!("\\{}", field.name) } else { field.name.into() };
            let properties = properties(register, field);
            let _ = writeln!(text, "        field {{ {properties} }} {name}[{last}:{}] = {reset};", field.lsb);
        }
        let _ = match register.count {
            1 => writeln!(text, "    }} {} @ 0x{:02x};", register.name, register.address),
            count => writeln!(text, "    }} {}[{count}] @ 0x{:02x} += 4;", register.name, register.address),
        };
    }
    text + "};\n"
}

/// Names of fields that SystemRDL keeps for itself.
const KEYWORDS: [&str; 3] = ["all", "level", "signed"];

fn properties(register: &Register, field: &Field) -> String {
    let access = match register.access {
        Access::Read => "sw = r; hw = w;",
        Access::Write => "sw = w; hw = r;",
        Access::ReadWrite => "sw = rw; hw = r;",
        Access::WriteOneToClear => "sw = rw; onwrite = woclr; hw = w;",
    };
    format!("desc = \"{}\"; {access}", field.meaning)
}

fn reset_value(register: &Register, config: &ChipConfig) -> u32 {
    match register.address {
        super::ID => ID_VALUE,
        super::GEOMETRY0 => super::geometry0(config),
        super::GEOMETRY1 => super::geometry1(config),
        _ => 0,
    }
}
