//! The register map as a C header.

use std::fmt::Write as _;

use super::{ErrorCode, ID_VALUE, MAP};

/// The text of `registers.h`: addresses, and mask and lowest bit of every field, as macros for C and C++.
pub fn c_header() -> String {
    let mut text = String::from(
        "/* Registers of a BasisN core: byte addresses, 32 bits each. Generated; do not edit. */\n\
         #ifndef BASISN_REGISTERS_H\n\
         #define BASISN_REGISTERS_H\n\n",
    );
    // Writing to a String cannot fail.
    let _ = writeln!(text, "#define BASISN_ID_VALUE 0x{ID_VALUE:08x}u");
    for register in MAP {
        let name = register.name;
        let _ = writeln!(text, "\n/* {} ({}) */", register.meaning, register.access.letters());
        let _ = match register.count {
            1 => writeln!(text, "#define BASISN_{name} 0x{:02x}u", register.address),
            _ => writeln!(text, "#define BASISN_{name}(lane) (0x{:02x}u + 4u * (lane))", register.address),
        };
        for field in register.fields {
            let prefix = format!("BASISN_{name}_{}", field.name.to_uppercase());
            let _ = writeln!(text, "#define {prefix}_MASK 0x{:08x}u /* {} */", field.mask(), field.meaning);
            let _ = writeln!(text, "#define {prefix}_LSB {}", field.lsb);
        }
    }
    let _ = writeln!(text, "\n/* Codes of ERROR */");
    for code in ErrorCode::ALL {
        let _ = writeln!(text, "#define BASISN_ERROR_{} {}u /* {} */", code.name(), *code as u8, code.meaning());
    }
    text + "\n#endif\n"
}
