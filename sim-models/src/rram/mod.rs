//! The RRAM macro with its errors: each a small function of (input, model, draw), composed in the order of physics.
//!
//! | module | what |
//! |---|---|
//! | [`config`] | the model's TOML file and presets |
//! | [`noise`] | random numbers by counter |
//! | [`conductance`] | one cell: from level to conductance, write-verify, errors, ageing |
//! | [`cell`] | the cells of a tile |
//! | [`program_report`] | what programming took |
//! | [`faults`] | stuck cells |
//! | [`lanes`] | switches and leakage: one row vector for each lane |
//! | [`ir_drop`] | the fast approximation of wire resistance |
//! | [`nodal`] | the exact solver of wire resistance |
//! | [`adc`] | gain, offset, non-linearity |
//! | [`crossbar`] | all of it: one macro |
//! | [`verify`] | program-and-verify through the ADCs, as the core does it |
//! | [`tile`] | a macro, ideal or not |
//!
//! Effective levels and lane sums are integers in units of 2^-8 level ([`cell::FRACTION_BITS`]), so golden reference, DPI model and
//! Verilog body add the same numbers in any order. `docs/macro-models.md` has every formula with its source.

pub mod adc;
pub mod cell;
pub mod conductance;
pub mod config;
pub mod crossbar;
pub mod faults;
pub mod ir_drop;
pub mod lanes;
pub mod nodal;
pub mod noise;
pub mod program_report;
pub mod tile;
pub mod verify;

pub use config::MacroModel;
pub use crossbar::{Device, DeviceMacro, Read};
pub use tile::TileMacro;
