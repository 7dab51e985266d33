//! The macro of a tile: ideal, or with the errors of a device.

use basisn_arch::{Geometry, ProgramOp};

use super::crossbar::{Device, DeviceMacro, Read};
use crate::IdealMacro;
use crate::arithmetic::adc_unlimited;

/// A macro of either kind.
#[derive(Clone, Debug)]
pub enum TileMacro {
    /// The arithmetic contract.
    Ideal(IdealMacro),
    /// With errors.
    Device(Box<DeviceMacro>),
}

impl TileMacro {
    /// The macro of a tile of a core, unwritten; ideal without a device.
    pub fn new(geometry: Geometry, device: Option<&Device>, core: usize, tile: usize) -> Self {
        match device {
            None => TileMacro::Ideal(IdealMacro::new(geometry)),
            Some(device) => TileMacro::Device(Box::new(DeviceMacro::new(geometry, device, core, tile))),
        }
    }

    /// The macro of the same tile of another core, with the same levels written.
    pub fn on_core(&self, core: usize) -> Self {
        match self {
            TileMacro::Ideal(ideal) => TileMacro::Ideal(ideal.clone()),
            TileMacro::Device(device) => TileMacro::Device(Box::new(device.on_core(core))),
        }
    }

    /// Writes a cell; a level out of range becomes the nearest that a cell can hold; a cell that isn't there stays so.
    pub fn program(&mut self, row: usize, column: usize, level: i32) {
        match self {
            TileMacro::Ideal(ideal) => ideal.program(row, column, level),
            TileMacro::Device(device) => device.program(row, column, level),
        }
    }

    /// Writes all cells from row-major levels.
    pub fn program_all(&mut self, levels: &[i8]) {
        match self {
            TileMacro::Ideal(ideal) => ideal.program_all(levels),
            TileMacro::Device(device) => device.program_all(levels),
        }
    }

    /// A pulse to a cell on its way to a level: an ideal cell is there at once.
    pub fn pulse(&mut self, row: usize, column: usize, level: i32, op: ProgramOp) {
        match self {
            TileMacro::Ideal(ideal) => ideal.program(row, column, if op == ProgramOp::Erase { 0 } else { level }),
            TileMacro::Device(device) => device.pulse(row, column, level, op),
        }
    }

    /// A verify read: the code of one cell before the ADC of lane 0 clamps it, at the scale of [`Geometry::verify_code`].
    pub fn verify(&mut self, row: usize, column: usize) -> i32 {
        match self {
            TileMacro::Ideal(ideal) => ideal.geometry().verify_code(ideal.level(row, column)),
            TileMacro::Device(device) => device.verify(row, column),
        }
    }

    /// Sets the switches; see [`IdealMacro::set_switches`].
    pub fn set_switches(&mut self, switches: &[i8]) {
        match self {
            TileMacro::Ideal(ideal) => ideal.set_switches(switches),
            TileMacro::Device(device) => device.set_switches(switches),
        }
    }

    /// One read: the codes of all lanes before the ADC clamps them.
    pub fn unlimited_codes(&mut self, wordlines: &[u64], gain: u32, read: Read, codes: &mut [i32]) {
        match self {
            TileMacro::Ideal(ideal) => {
                ideal.lane_sums(wordlines, codes);
                codes.iter_mut().for_each(|code| *code = adc_unlimited(*code, gain));
            }
            TileMacro::Device(device) => device.unlimited_codes(wordlines, gain, read, codes),
        }
    }
}
