//! The register map: byte addresses on the register port, as in `docs/hardware.md`.

/// Who may do what with a register.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Read only.
    Read,
    /// Write only; reads give 0.
    Write,
    /// Read and write.
    ReadWrite,
}

/// One register.
#[derive(Clone, Copy, Debug)]
pub struct Register {
    /// Name in documentation and headers.
    pub name: &'static str,
    /// Byte address.
    pub address: u32,
    /// Access.
    pub access: Access,
    /// Contents, with bit positions.
    pub contents: &'static str,
}

/// Value of the ID register: "BSN1".
pub const ID_VALUE: u32 = 0x4253_4e31;
/// Bits of an address.
pub const ADDRESS_BITS: usize = 8;
/// `PROGRAM_TILE`: write all tiles at once.
pub const PROGRAM_ALL_TILES: u32 = 1 << 31;
/// `REQUANTIZE`: give `psum * m + b` unshifted.
pub const REQUANTIZE_RAW: u32 = 1 << 8;
/// `INPUT`: two's complement input.
pub const INPUT_SIGNED: u32 = 1 << 4;

macro_rules! registers {
    ($($name:ident $address:literal $access:ident $contents:literal;)*) => {
        $(#[doc = $contents] pub const $name: u32 = $address;)*
        /// Every register, by rising address.
        pub const MAP: &[Register] = &[$(Register {
            name: stringify!($name), address: $address, access: Access::$access, contents: $contents,
        },)*];
    };
}

registers! {
    ID 0x00 Read "0x42534E31 (\"BSN1\")";
    GEOMETRY0 0x04 Read "rows [15:0], columns [31:16]";
    GEOMETRY1 0x08 Read "tiles [7:0], lanes [15:8], ADC bits [19:16], cell bits [23:20], input bits [27:24], coefficient planes [31:28]";
    CONTROL 0x0c Write "start [0]";
    STATUS 0x10 Read "busy [0]";
    POSITIONS 0x14 ReadWrite "positions of the layer, at least 1 [31:0]";
    BLOCK_POSITIONS 0x18 ReadWrite "positions of a full block, 1..P";
    SUBVECTORS 0x1c ReadWrite "S, at least 1 [15:0]";
    ROWS_USED 0x20 ReadWrite "r, 1..R";
    INPUT 0x24 ReadWrite "planes X [3:0], signed [4]";
    GAIN 0x28 ReadWrite "g [2:0]";
    KERNELS 0x2c ReadWrite "K, at least 1 [15:0]";
    REQUANTIZE 0x30 ReadWrite "shift [5:0], raw [8]: give psum * m + b unshifted";
    CLAMP_LOW 0x34 ReadWrite "signed 32";
    CLAMP_HIGH 0x38 ReadWrite "signed 32";
    PARAMETER_ADDRESS 0x3c ReadWrite "q of the next parameter";
    PARAMETER_LOW 0x40 ReadWrite "b [31:0]";
    PARAMETER_HIGH 0x44 Write "b [47:32] in [15:0], m in [31:16]; stores the parameter, then PARAMETER_ADDRESS += 1";
    PROGRAM_TILE 0x48 ReadWrite "tile [7:0]; all [31]: write all tiles at once";
    PROGRAM_CELL 0x4c ReadWrite "row [15:0], column [31:16]";
    PROGRAM_LEVEL 0x50 Write "writes the level into the cell, then steps to the next column, after the last one to the next row";
    CYCLES 0x60 Read "cycles from start to the layer's last result";
    READS 0x64 Read "reads transferred";
    WAIT_SLOTS 0x68 Read "cycles without issue because a slot was not loaded";
    WAIT_ACTIVATIONS 0x6c Read "cycles without issue because the input bank was not full";
    WAIT_RESULTS 0x70 Read "cycles without issue because results had to leave first";
    WAIT_MACRO 0x74 Read "cycles without issue because a macro was not ready";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documentation_has_the_same_table() {
        let page = include_str!("../../docs/hardware.md");
        for r in MAP {
            let row = page
                .lines()
                .find(|l| l.contains(&format!("| {} |", r.name)))
                .unwrap_or_else(|| panic!("docs/hardware.md does not list {}", r.name));
            assert!(row.contains(&format!("0x{:02x}", r.address)), "{row}");
            let access = match r.access {
                Access::Read => "| r |",
                Access::Write => "| w |",
                Access::ReadWrite => "| rw |",
            };
            assert!(row.contains(access), "{row}");
        }
    }

    #[test]
    fn addresses_rise_and_fit() {
        assert!(MAP.windows(2).all(|w| w[0].address < w[1].address));
        assert!(MAP.iter().all(|r| r.address % 4 == 0 && r.address < 1 << ADDRESS_BITS));
    }
}
