//! The registers and their fields.

use super::{Access, Field, Register};

/// Value of the ID register: "BSN1".
pub const ID_VALUE: u32 = 0x4253_4e31;
/// Bits of an address.
pub const ADDRESS_BITS: usize = 9;
/// `CONTROL`: start the layer.
pub const CONTROL_START: u32 = 1 << 0;
/// `CONTROL`: stop what runs, forget everything that was loaded, clear the error.
pub const CONTROL_CLEAR: u32 = 1 << 1;
/// `STATUS`: a layer runs, or a clear is not over.
pub const STATUS_BUSY: u32 = 1 << 0;
/// `STATUS`: an error has stopped the core.
pub const STATUS_ERROR: u32 = 1 << 1;
/// `IRQ_ENABLE`, `IRQ_PENDING`: the layer's last result was taken.
pub const IRQ_DONE: u32 = 1 << 0;
/// `IRQ_ENABLE`, `IRQ_PENDING`: an error has stopped the core.
pub const IRQ_ERROR: u32 = 1 << 1;
/// `STATUS`: a cell is being written, or a failed cell waits to be taken.
pub const STATUS_PROGRAMMING: u32 = 1 << 2;
/// `IRQ_ENABLE`, `IRQ_PENDING`: a cell could not be written.
pub const IRQ_CELL_FAILED: u32 = 1 << 2;
/// `PROGRAM_FAILED`: a cell could not be written; a 1 takes it.
pub const PROGRAM_FAILED_VALID: u32 = 1 << 31;
/// `PROGRAM_TILE`: write all tiles at once.
pub const PROGRAM_ALL_TILES: u32 = 1 << 31;
/// `REQUANTIZE`: give `psum * m + b` unshifted.
pub const REQUANTIZE_RAW: u32 = 1 << 8;
/// `INPUT`: two's complement input.
pub const INPUT_SIGNED: u32 = 1 << 4;

macro_rules! registers {
    ($($name:ident $address:literal $access:ident $(* $count:literal)? $meaning:literal {
        $($field:ident $lsb:literal $width:literal $contents:literal)*
    })*) => {
        $(#[doc = $meaning] pub const $name: u32 = $address;)*
        /// Every register, by rising address.
        pub const MAP: &[Register] = &[$(Register {
            name: stringify!($name),
            address: $address,
            access: Access::$access,
            count: 1 $(* $count)?,
            meaning: $meaning,
            fields: &[$(Field { name: stringify!($field), lsb: $lsb, width: $width, meaning: $contents },)*],
        },)*];
    };
}

registers! {
    ID 0x00 Read "identification" {
        id 0 32 "0x42534e31, `BSN1`"
    }
    GEOMETRY0 0x04 Read "crossbar" {
        rows 0 16 "R"
        columns 16 16 "C"
    }
    GEOMETRY1 0x08 Read "core" {
        tiles 0 8 "N"
        lanes 8 8 "L"
        adc_bits 16 4 "A"
        cell_bits 20 4 "m"
        input_bits 24 4 "most input planes"
        coefficient_planes 28 4 "J"
    }
    CONTROL 0x0c Write "commands" {
        start 0 1 "start the layer"
        clear 1 1 "stop what runs, forget what was loaded, clear the error"
    }
    STATUS 0x10 Read "state" {
        busy 0 1 "a layer runs, or a clear is not over"
        error 1 1 "an error has stopped the core"
        programming 2 1 "a cell is being written, or a failed cell waits to be taken"
    }
    POSITIONS 0x14 ReadWrite "positions of the layer" {
        positions 0 32 "at least 1"
    }
    BLOCK_POSITIONS 0x18 ReadWrite "positions of a full block" {
        block_positions 0 16 "1 to P"
    }
    SUBVECTORS 0x1c ReadWrite "subvectors of the layer" {
        subvectors 0 16 "S, at least 1"
    }
    ROWS_USED 0x20 ReadWrite "rows of a subvector" {
        rows_used 0 16 "r, 1 to R"
    }
    INPUT 0x24 ReadWrite "input values" {
        planes 0 4 "X, 1 to the most input planes"
        signed 4 1 "two's complement"
    }
    GAIN 0x28 ReadWrite "gain of the ADCs" {
        gain 0 3 "g"
    }
    KERNELS 0x2c ReadWrite "kernels of the layer" {
        kernels 0 16 "K, at least 1"
    }
    REQUANTIZE 0x30 ReadWrite "form of the results" {
        shift 0 6 "sh, 1 to 46"
        raw 8 1 "give psum * m + b unshifted"
    }
    CLAMP_LOW 0x34 ReadWrite "least result" {
        low 0 32 "two's complement"
    }
    CLAMP_HIGH 0x38 ReadWrite "greatest result" {
        high 0 32 "two's complement"
    }
    PARAMETER_ADDRESS 0x3c ReadWrite "place of the next parameter" {
        place 0 16 "W for each beat of results at one position, also where a beat has fewer; grows by 1 with every parameter"
    }
    PARAMETER_LOW 0x40 ReadWrite "first half of a parameter" {
        offset_low 0 32 "b [31:0]"
    }
    PARAMETER_HIGH 0x44 Write "second half of a parameter, which stores it" {
        offset_high 0 16 "b [47:32]"
        multiplier 16 16 "m"
    }
    PROGRAM_TILE 0x48 ReadWrite "tile of the next cell" {
        tile 0 8 "tile"
        all 31 1 "write all tiles at once"
    }
    PROGRAM_CELL 0x4c ReadWrite "place of the next cell" {
        row 0 16 "row"
        column 16 16 "column; steps with every level, after the last one to the next row"
    }
    PROGRAM_LEVEL 0x50 Write "writes a level into the cell; waits while one is being written" {
        level 0 8 "two's complement"
    }
    IRQ_ENABLE 0x54 ReadWrite "events that raise the interrupt" {
        done 0 1 "the layer's last result was taken"
        error 1 1 "an error has stopped the core"
        cell_failed 2 1 "a cell could not be written"
    }
    IRQ_PENDING 0x58 WriteOneToClear "events since they were cleared" {
        done 0 1 "the layer's last result was taken"
        error 1 1 "an error has stopped the core"
        cell_failed 2 1 "a cell could not be written"
    }
    ERROR 0x5c Read "the first error since the last clear" {
        code 0 8 "what, 0: none"
        place 8 8 "where"
    }
    CYCLES 0x60 Read "cycles from start to the layer's last result" {
        count 0 32 "cleared by start"
    }
    READS 0x64 Read "reads transferred" {
        count 0 32 "cleared by start"
    }
    WAIT_SLOTS 0x68 Read "cycles without issue because a slot was not loaded" {
        count 0 32 "cleared by start"
    }
    WAIT_ACTIVATIONS 0x6c Read "cycles without issue because the input bank was not full" {
        count 0 32 "cleared by start"
    }
    WAIT_RESULTS 0x70 Read "cycles without issue because results had to leave first" {
        count 0 32 "cleared by start"
    }
    WAIT_MACRO 0x74 Read "cycles without issue because a macro was not ready" {
        count 0 32 "cleared by start"
    }
    SLOTS 0x78 Read "slots that have begun" {
        count 0 32 "cleared by start"
    }
    SKIPPED_PLANES 0x7c Read "reads spared because no row of the input plane had a one" {
        count 0 32 "cleared by start; 0 where the chip has core.skip_zero_planes = 0"
    }
    PROGRAM_VERIFY 0x80 ReadWrite "how cells are written; a write clears the counters below" {
        max_pulses 0 16 "most pulses of a cell; 0: the macro writes by itself, without verification"
        tolerance 16 8 "what a read-back may differ from the level, in codes of a verify read"
    }
    PROGRAM_FAILED 0x84 WriteOneToClear "a cell that could not be written; until it is taken no other is written" {
        level 0 8 "wanted, two's complement"
        code 8 12 "of the last verify read, two's complement"
        tile 20 8 "tile"
        valid 31 1 "there is one; a 1 takes it"
    }
    PROGRAM_FAILED_CELL 0x88 Read "its place" {
        row 0 16 "row"
        column 16 16 "column"
    }
    PROGRAM_PULSES 0x8c Read "pulses, of all tiles together" {
        count 0 32 "cleared by PROGRAM_VERIFY"
    }
    PROGRAM_CYCLES 0x90 Read "cycles of pulses and verify reads" {
        count 0 32 "cleared by PROGRAM_VERIFY"
    }
    PROGRAM_FAILURES 0x94 Read "cells that could not be written" {
        count 0 32 "cleared by PROGRAM_VERIFY"
    }
    TILES 0x98 ReadWrite "tiles that the layer uses; slot words come for these only" {
        tiles 0 8 "T, 1 to N: the first ones"
    }
    SATURATED 0x100 Read * 64 "codes of a lane, in all tiles, at either end of the ADC's range" {
        count 0 32 "cleared by start"
    }
}
