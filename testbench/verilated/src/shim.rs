//! The C++ text that gives a verilated model its C interface.

use crate::ports::{Declared, Direction, PortInfo};

/// The part that is the same for all models.
pub(crate) const TEMPLATE: &str = include_str!("shim.cpp");

/// The shim of a model with these ports.
pub(crate) fn text(ports: &[Declared]) -> String {
    let mut addresses = String::new();
    let mut table = String::new();
    for (index, Declared { info, member }) in ports.iter().enumerate() {
        let words = info.width_bits.div_ceil(32);
        let storage_type = match info.width_bits {
            0..=8 => "CData".to_string(),
            9..=16 => "SData".to_string(),
            17..=32 => "IData".to_string(),
            33..=64 => "QData".to_string(),
            _ => format!("VlWide<{words}>"),
        };
        // The declared type makes the compiler refuse a storage other than the one that the handles assume.
        addresses.push_str(&format!("    {{ {storage_type}& port = model->{member}; out[{index}] = &port; }}\n"));
        table.push_str(&format!("{} {} {}\n", info.direction.name(), info.width_bits, info.name));
    }
    format!(
        "#include \"verilated.h\"\n#include \"Vmodel.h\"\n\n\
         static uint32_t port_addresses(Vmodel* model, void** out) {{\n    (void)model, (void)out;\n{addresses}    return {count};\n}}\n\
         static_assert(sizeof(VlWide<3>) == 12, \"wide ports are plain words\");\n\n{TEMPLATE}\n\
         EXPORT const char* vrl_port_table() {{ return R\"ports({table})ports\"; }}\n",
        count = ports.len()
    )
}

/// The user's own C++ text, behind the declarations that it needs.
pub(crate) fn user_text(text: &str, has_imports: bool) -> String {
    let imports = if has_imports { "#include \"Vmodel__Dpi.h\"\n" } else { "" };
    format!(
        "#include \"svdpi.h\"\n{imports}extern \"C\" void* verilated_user_data();\n#line 1 \"shim_source\"\n{text}\n"
    )
}

/// Reads the table back from a loaded library; none if it was not written by [`text`].
pub(crate) fn parse_table(table: &str) -> Option<Vec<PortInfo>> {
    let parse_row = |row: &str| {
        let (direction, rest) = row.split_once(' ')?;
        let (width, name) = rest.split_once(' ')?;
        let direction =
            [Direction::Input, Direction::Output, Direction::Inout].into_iter().find(|d| d.name() == direction)?;
        Some(PortInfo { name: name.to_string(), direction, width_bits: width.parse().ok()? })
    };
    table.lines().map(parse_row).collect()
}
