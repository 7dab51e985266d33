//! Stuck cells: drawn by rate, or listed in a map.

use std::path::Path;

use super::config::{Faults, refuse};
use crate::Error;

/// State of a stuck cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stuck {
    /// At g_min.
    Low,
    /// At g_max.
    High,
}

/// One stuck cell of a map.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Core.
    pub core: usize,
    /// Tile of the core.
    pub tile: usize,
    /// Row.
    pub row: usize,
    /// Column.
    pub column: usize,
    /// 0 for the positive cell of the pair (or the only one), 1 for the negative.
    pub side: usize,
    /// Where it is stuck.
    pub state: Stuck,
}

/// Whether a cell is stuck, from a uniform draw in (0, 1): below `stuck_low`, or in the `stuck_high` above it. Cells are independent of each other, as
/// in the usual SA0/SA1 model of RRAM arrays (Chen et al., RRAM defect modeling and failure analysis, IEEE Trans. Computers 64, 2015).
pub fn drawn(faults: &Faults, uniform: f64) -> Option<Stuck> {
    if uniform < faults.stuck_low {
        Some(Stuck::Low)
    } else if uniform < faults.stuck_low + faults.stuck_high {
        Some(Stuck::High)
    } else {
        None
    }
}

/// Reads a fault map: CSV with the header `core,tile,row,column,side,state`.
pub(super) fn read_map(path: &Path) -> Result<Vec<Fault>, Error> {
    let at = path.display().to_string();
    let fix = "give lines such as 0,3,17,5,+,low below the header core,tile,row,column,side,state";
    let text = std::fs::read_to_string(path).map_err(|e| {
        refuse(&at, format!("the fault map cannot be read: {e}"), "name a CSV file beside the model".into())
    })?;
    let mut lines = text.lines().enumerate();
    if lines.next().map(|(_, l)| l.trim()) != Some("core,tile,row,column,side,state") {
        return Err(refuse(&at, "the header is missing".into(), fix.into()));
    }
    let bad = |line: usize, cause: &str| refuse(&format!("{at}, line {}", line + 1), cause.into(), fix.into());
    lines
        .filter(|(_, text)| !text.trim().is_empty())
        .map(|(line, text)| {
            let words: Vec<_> = text.split(',').map(str::trim).collect();
            let [core, tile, row, column, side, state] = words[..] else { return Err(bad(line, "not six fields")) };
            let index = |word: &str, most: usize| {
                word.parse()
                    .ok()
                    .filter(|v| *v < most)
                    .ok_or_else(|| bad(line, &format!("{word} is no index below {most}")))
            };
            Ok(Fault {
                core: index(core, 64)?,
                tile: index(tile, 64)?,
                row: index(row, 256)?,
                column: index(column, 512)?,
                side: match side {
                    "+" => 0,
                    "-" => 1,
                    _ => return Err(bad(line, "the side is not + or -")),
                },
                state: match state {
                    "low" => Stuck::Low,
                    "high" => Stuck::High,
                    _ => return Err(bad(line, "the state is not low or high")),
                },
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn maps_are_read_and_bad_lines_told() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("map.csv");
        let read = |text: &str| {
            std::fs::write(&path, text).unwrap();
            read_map(&path)
        };
        let header = "core,tile,row,column,side,state\n";
        let faults = read(&format!("{header}0,3,17,5,+,low\n1, 0, 2, 9, -, high\n\n")).unwrap();
        assert_eq!(faults[0], Fault { core: 0, tile: 3, row: 17, column: 5, side: 0, state: Stuck::Low });
        assert_eq!((faults[1].side, faults[1].state), (1, Stuck::High));
        for (text, cause) in [
            ("0,3,17,5,+,low\n".to_string(), "header"),
            (format!("{header}0,3,17,5,+\n"), "line 2"),
            (format!("{header}0,3,999,5,+,low\n"), "no index below 256"),
            (format!("{header}0,3,1,5,x,low\n"), "not + or -"),
            (format!("{header}0,3,1,5,+,open\n"), "not low or high"),
        ] {
            let error = read(&text).unwrap_err().to_string();
            assert!(error.contains(cause), "{error}");
        }
    }
}
