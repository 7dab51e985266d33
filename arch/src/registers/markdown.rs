//! The register map as a table.

use super::{ErrorCode, MAP};

/// The text of `registers.md`.
pub fn markdown() -> String {
    let rows = MAP.iter().map(|r| {
        let fields: Vec<_> = r.fields.iter().map(|f| format!("{} {}: {}", f.name, f.bits(), f.meaning)).collect();
        let (access, fields) = (r.access.letters(), fields.join("; "));
        let row = if r.count == 1 { "" } else { " + 4 l" };
        format!("| 0x{:02x}{row} | {} | {access} | {} | {fields} |\n", r.address, r.name, r.meaning)
    });
    let head = "# Registers\n\n\
        All are 32 bits wide, at byte addresses; access r: read, w: write, rw: both, rw1c: read, and a written 1 clears its bit.\n\n\
        | address | name | access | for | fields |\n|---|---|---|---|---|\n";
    head.to_string() + &rows.collect::<String>() + "\n## Codes of ERROR\n\n" + &ErrorCode::markdown()
}
