//! Program-and-verify: what the program controller asks of a macro, and how it decides.

use crate::{ChipConfig, Geometry};

/// What a transfer on the macro's programming port asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum ProgramOp {
    /// Write the level; how is up to the macro.
    Write = 0,
    /// A pulse that takes the cell toward level 0.
    Erase = 1,
    /// A pulse that raises the level.
    Up = 2,
    /// A pulse that lowers the level.
    Down = 3,
    /// Read this cell alone, on lane 0, with codes of [`Geometry::verify_code`].
    Verify = 4,
}

impl ProgramOp {
    /// Bits on the port.
    pub const BITS: usize = 3;

    /// The operation of a value on the port.
    pub fn of(value: u32) -> Option<Self> {
        [Self::Write, Self::Erase, Self::Up, Self::Down, Self::Verify].into_iter().find(|op| *op as u32 == value)
    }
}

/// How the program controller writes: the fields of PROGRAM_VERIFY.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verification {
    /// Most pulses of a cell, 1 to 65535.
    pub max_pulses: u16,
    /// What a code may differ from the level's.
    pub tolerance_codes: u8,
}

impl Verification {
    /// The value of PROGRAM_VERIFY.
    pub fn register(&self) -> u32 {
        u32::from(self.max_pulses) | u32::from(self.tolerance_codes) << 16
    }
}

impl Geometry {
    /// The code that a verify read gives for a level: `level * 2^v` with v = [`Geometry::verify_digits`], rounded half up.
    pub fn verify_code(&self, level: i32) -> i32 {
        match self.verify_digits() {
            digits @ 0.. => level << digits,
            _ => (level + 1) >> 1,
        }
    }

    /// The pulse that brings a cell of this code nearer to a level; `None` if it is near enough. A cell whose code has the other sign is
    /// erased first.
    pub fn correction(&self, level: i32, code: i32, tolerance_codes: u8) -> Option<ProgramOp> {
        let (wanted, tolerance) = (self.verify_code(level), i32::from(tolerance_codes));
        let other_sign = match level.signum() {
            1 => code < -tolerance,
            0 => true,
            _ => code > tolerance,
        };
        match code - wanted {
            difference if difference.abs() <= tolerance => None,
            _ if other_sign => Some(ProgramOp::Erase),
            difference if difference > 0 => Some(ProgramOp::Down),
            _ => Some(ProgramOp::Up),
        }
    }
}

impl ChipConfig {
    /// Clock cycles that the program controller takes for a cell of so many pulses; for a cell of several tiles, of the most pulses among
    /// them.
    pub fn program_verify_cycles(&self, pulses: u64) -> u64 {
        (pulses + 1) * (self.read_latency_cycles() as u64 + 2) + pulses * (self.program_cycles() as u64 + 1)
    }
}
