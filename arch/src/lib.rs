//! The single source of what the chip is: RTL generator, models, compiler and documentation all read it here.
//!
//! | module | what |
//! |---|---|
//! | [`config`] | the chip configuration: geometry and timing |
//! | [`shape`] | the shape of a layer |
//! | [`slot`] | one setting of the switches, and its bits on the slot stream |
//! | [`image`] | the program image: what the compiler gives to every executor |
//! | [`programming`] | program-and-verify of cells |
//! | [`registers`] | the register map |
//! | [`settings`] | TOML files and presets |
//! | [`hard_blocks`] | area of macro and memories |
//! | [`cycles`] | the cycle model: the counters after a layer, without simulation |

pub mod config;
pub mod cycles;
mod drain;
mod error;
pub mod file;
pub mod hard_blocks;
pub mod image;
pub mod programming;
pub mod registers;
pub mod settings;
pub mod shape;
pub mod slot;

pub use config::{ChipConfig, clog2};
pub use cycles::{Counters, LayerWork, nonzero_planes, planes_read};
pub use error::Error;
pub use hard_blocks::{HardBlocks, MacroArea};
pub use image::{Geometry, LayerProgram, Program, Requantize, Step, StepOp};
pub use programming::{ProgramOp, Verification};
pub use shape::{ConvShape, Shape, Subvectors, Window};
pub use slot::{Item, ItemWord, Slot, SlotWord};
