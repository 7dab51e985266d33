//! Stimulus and expected results as text, one register write or stream beat a line in hexadecimal: Verilog's `$readmemh`, and any
//! other language in a line or two, reads them. The format is described in `docs/hardware.md`.

use std::fmt::Write as _;

use basisn_arch::registers as reg;
use basisn_arch::{ChipConfig, Program};

use crate::LayerStimulus;

/// The register writes that put the basis of a program into the crossbars: `program.hex`.
pub fn program(program: &Program) -> String {
    let mut text = String::new();
    for (tile, levels) in program.basis.iter().enumerate() {
        let select = if program.basis.len() == 1 { reg::PROGRAM_ALL_TILES } else { tile as u32 };
        let place = [(reg::PROGRAM_TILE, select), (reg::PROGRAM_CELL, 0)];
        let levels = levels.iter().map(|&level| (reg::PROGRAM_LEVEL, i32::from(level).cast_unsigned()));
        text.extend(place.into_iter().chain(levels).map(register_write));
    }
    text
}

/// Names and contents of the files of a layer on one core; the results, by their order in the stream, may be left out.
pub fn layer(config: &ChipConfig, stimulus: &LayerStimulus, results: Option<&[i64]>) -> Vec<(&'static str, String)> {
    let beat = config.activation_stream_bytes();
    let registers = stimulus.registers.iter().copied().map(register_write).collect();
    let slots = (0..stimulus.slot_beats()).map(|i| line(stimulus.slot_beat(i), 8)).collect();
    let activations = stimulus.activations.chunks(beat).map(|bytes| line(bytes, 2)).collect();
    let mut files = vec![("registers.hex", registers), ("slots.hex", slots), ("activations.hex", activations)];
    if let Some(results) = results {
        files.push(("results.hex", results.iter().map(|value| format!("{value:016x}\n")).collect()));
    }
    files
}

/// Address, then value.
fn register_write((address, value): (u32, u32)) -> String {
    format!("{address:02x}{value:08x}\n")
}

/// Pieces of `digits` digits, the first one lowest, as one number.
fn line<T: std::fmt::LowerHex>(pieces: &[T], digits: usize) -> String {
    let mut text = String::with_capacity(pieces.len() * digits + 1);
    for piece in pieces.iter().rev() {
        // Writing to a String cannot fail.
        let _ = write!(text, "{piece:0digits$x}");
    }
    text + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_piece_is_lowest() {
        assert_eq!(line(&[0x3u32, 0xabu32], 8), "000000ab00000003\n");
        assert_eq!(line(&[1u8, 0xff], 2), "ff01\n");
        assert_eq!(register_write((0x14, 7)), "1400000007\n");
    }
}
