//! What the chip computes, as Rust: the reference that every other form of the chip is compared with.
//!
//! | module | what |
//! |---|---|
//! | [`arithmetic`] | the contract, one function a step |
//! | [`crossbar`] | the ideal RRAM macro |
//! | [`rram`] | the RRAM macro with its errors: programming, faults, ageing, noise, wires, ADC |
//! | [`im2col`] | from a layer's input to the vectors at the wordlines |
//! | [`signal`] | bits and zero planes of real activations |
//! | [`steps`] | a program step by step, and the integer operations between its layers |
//! | [`golden`] | the golden reference: a layer on the crossbars |
//! | [`fast`] | the same results, many positions at a time |
//! | [`executor`] | whatever can run a program, and the comparison of results |
//! | [`problem`] | problems with a reference answer |
//! | [`random`] | random chips, programs and inputs that obey every rule |
//! | [`verilog`] | bodies of the RRAM macro in Verilog |
//! | [`dpi`] | the Rust model behind a Verilog macro |

pub mod arithmetic;
pub mod crossbar;
pub mod dpi;
mod error;
pub mod executor;
pub mod fast;
pub mod golden;
pub mod im2col;
pub mod problem;
pub mod random;
pub mod rram;
pub mod signal;
pub mod steps;
pub mod verilog;

pub use crossbar::IdealMacro;
pub use error::Error;
pub use executor::{Executor, ExecutorError, Golden, Mismatch, compare};
pub use golden::LayerRun;
pub use problem::{ConvProblem, MvmProblem, NetProblem};
pub use steps::NetRun;
