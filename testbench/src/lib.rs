//! Generated RTL under test: what a host sends, who runs it, and whether every value equals the golden reference.
//!
//! | module | what |
//! |---|---|
//! | [`stimulus`] | register writes and stream beats of a layer, as data |
//! | [`core`] | drives one verilated core, with monitors on every handshake |
//! | [`chip`] | builds, programs and runs a chip |
//! | [`dpi`] | connects the Rust macro model to the DPI body |
//! | [`program`] | writes the basis and takes the cells that failed |
//! | [`icarus`] | the same stimulus through Icarus Verilog |
//! | [`executor`] | the executors that the common suite compares |
//! | [`stalls`] | random stalls |
//! | [`vectors`] | the stimulus as text, for other simulators |

mod axi_lite;
pub mod chip;
pub mod core;
pub mod dpi;
mod error;
pub mod executor;
pub mod icarus;
pub mod program;
pub mod stalls;
pub mod stimulus;
pub mod vectors;

pub use axi_lite::Response;
pub use chip::{Chip, LayerRun};
pub use core::Core;
pub use error::Error;
pub use program::Programmed;
pub use stalls::Stalls;
pub use stimulus::LayerStimulus;
