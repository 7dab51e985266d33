//! Verilates RTL into a cached shared library, loads it, and drives it from Rust.
//!
//! - [`Build`] runs Verilator and the C++ compiler once for each distinct set of sources, options and tools; later
//!   builds find the library in a cache.
//! - [`Library`] is the loaded code. It makes any number of [`Model`]s.
//! - [`Model`] has port handles that are checked when they are taken and cost a memory access when they are used, a
//!   clock ([`Model::settle`], [`Model::tick`], [`Model::run`]), and waveforms (FST or VCD).
//! - Verilog can call Rust through DPI: [`Build::shim_source`], [`Library::symbol`].
//!
//! It works with Verilator 5.006 and later, and needs a C++17 compiler; `make` is not needed.
//!
//! ```no_run
//! use verilated::Build;
//! # fn main() -> verilated::Result<()> {
//! let counter = "module counter(input wire clock, input wire reset, output reg [7:0] count);
//!                  always @(posedge clock) count <= reset ? 8'd0 : count + 8'd1;
//!                endmodule";
//! let library = Build::new("counter").source(("counter.v", counter)).build()?;
//! let mut model = library.instantiate()?;
//! let (reset, count) = (model.input("reset")?, model.output("count")?);
//! model.set(reset, 1);
//! model.tick()?;
//! model.set(reset, 0);
//! model.run(10)?;
//! assert_eq!(model.get(count), 10);
//! # Ok(()) }
//! ```

mod build;
mod cache;
mod compile;
mod error;
mod fst;
mod handle;
mod library;
mod model;
mod ports;
mod shim;
mod source;
mod tools;

pub use build::{Build, Trace, lint};
pub use error::{Error, Result};
pub use handle::{Input, Output, WideInput, WideOutput};
pub use library::{Instance, Library};
pub use model::Model;
pub use ports::{Direction, PortInfo};
pub use source::Source;
