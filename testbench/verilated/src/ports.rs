//! The port table of a verilated module, read from the header that Verilator writes.

use crate::{Error, Result};

/// Direction of a port, seen from the module.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Driven by the test bench.
    Input,
    /// Driven by the module.
    Output,
    /// Both; handles of both kinds can be taken.
    Inout,
}

impl Direction {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Direction::Input => "input",
            Direction::Output => "output",
            Direction::Inout => "inout",
        }
    }
}

/// Name, direction and width of a port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PortInfo {
    /// The Verilog name.
    pub name: String,
    /// Direction, seen from the module.
    pub direction: Direction,
    /// Width in bits.
    pub width_bits: u32,
}

/// A port as Verilator declares it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Declared {
    pub info: PortInfo,
    /// The C++ member.
    pub member: String,
}

/// Finds the port declarations, such as `VL_IN8(&valid,0,0);`, in the text of the model's header.
pub(crate) fn parse(header: &str) -> Result<Vec<Declared>> {
    header.lines().map(str::trim).filter(|line| is_port(line)).map(parse_line).collect()
}

fn is_port(line: &str) -> bool {
    ["VL_IN", "VL_OUT"].iter().any(|start| line.starts_with(start)) && line.contains('(')
}

fn parse_line(line: &str) -> Result<Declared> {
    parse_declaration(line).ok_or_else(|| Error::PortKind { at: line.to_string() })
}

fn parse_declaration(line: &str) -> Option<Declared> {
    let (kind, rest) = line.split_once('(')?;
    let kind = kind.trim_end_matches(|c: char| c.is_ascii_digit() || c == 'W');
    let direction = match kind {
        "VL_IN" => Direction::Input,
        "VL_OUT" => Direction::Output,
        "VL_INOUT" => Direction::Inout,
        _ => return None,
    };
    let mut fields = rest.strip_suffix(");")?.split(',');
    let member = fields.next()?.trim_start_matches('&').to_string();
    if member.is_empty() || !member.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
        return None;
    }
    let msb: i64 = fields.next()?.trim().parse().ok()?;
    let lsb: i64 = fields.next()?.trim().parse().ok()?;
    let width_bits = u32::try_from(msb.checked_sub(lsb)?.checked_add(1)?).ok()?;
    let name = verilog_name(&member);
    Some(Declared { info: PortInfo { name, direction, width_bits }, member })
}

/// Undoes Verilator's encoding: `__SYM__int` is `int`, `__0hh` is the character with the code `hh`.
fn verilog_name(member: &str) -> String {
    let mut rest = member.strip_prefix("__SYM__").unwrap_or(member);
    let mut name = String::new();
    while let Some(first) = rest.chars().next() {
        let code =
            rest.strip_prefix("__0").and_then(|tail| tail.get(..2)).and_then(|hh| u8::from_str_radix(hh, 16).ok());
        match code {
            Some(code) => {
                name.push(char::from(code));
                rest = &rest[5..];
            }
            None => {
                name.push(first);
                rest = &rest[first.len_utf8()..];
            }
        }
    }
    name
}

/// A sentence with the names closest to `name`.
pub(crate) fn closest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> String {
    const SHOWN: usize = 5;
    let mut ranked: Vec<(usize, &str)> = known.map(|known| (edit_distance(name, known), known)).collect();
    ranked.sort();
    if ranked.is_empty() {
        return "the module has no ports".to_string();
    }
    let all = ranked.len();
    let names: Vec<&str> = ranked.into_iter().take(SHOWN).map(|(_, name)| name).collect();
    format!("the closest of {all} ports: {}", names.join(", "))
}

fn edit_distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, ca) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, cb) in b.iter().enumerate() {
            let cost = (diagonal + usize::from(ca != *cb)).min(row[j] + 1).min(row[j + 1] + 1);
            diagonal = row[j + 1];
            row[j + 1] = cost;
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_declarations_of_all_widths() {
        let header = "  VL_IN8(&clock,0,0);\n VL_OUT8(&__SYM__int,7,4);\n VL_IN16(&arr___05Fx,15,0);\n VL_IN(&a__02eb,31,0);\n\
                      VL_OUT64(&q,32,0);\n VL_INW(&w,99,0,4);\n VL_INOUT8(&pad,0,0);\n    // VL_IN nothing\n";
        let ports: Vec<(String, Direction, u32)> = parse(header)
            .unwrap()
            .into_iter()
            .map(|port| (port.info.name, port.info.direction, port.info.width_bits))
            .collect();
        use Direction::{Inout, Input, Output};
        let expected = [
            ("clock", Input, 1),
            ("int", Output, 4),
            ("arr__x", Input, 16),
            ("a.b", Input, 32),
            ("q", Output, 33),
            ("w", Input, 100),
            ("pad", Inout, 1),
        ];
        assert_eq!(ports, expected.map(|(name, direction, width)| (name.to_string(), direction, width)));
    }

    #[test]
    fn arrays_are_refused() {
        assert!(matches!(parse("VL_IN8((&a)[4],7,0);"), Err(Error::PortKind { .. })));
    }

    #[test]
    fn closest_names_come_first() {
        let text = closest("s_data", ["m_data_o", "s_data_i", "clock"].into_iter());
        assert_eq!(text, "the closest of 3 ports: s_data_i, m_data_o, clock");
    }
}
