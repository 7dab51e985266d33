//! Modules built at run time on `rust_hdl::core`.
//!
//! A module is one ordered list of combinational statements, as in a Rust-HDL kernel; registers, memories and other modules are children.
//! Widths are values, not types, so any geometry comes from a configuration file. A mistake (a width that does not fit, an unknown port)
//! never panics: it is kept in the module and returned by [`crate::generate`].
//!
//! | file | what |
//! |---|---|
//! | `expression` | [`Expr`]: operations whose emitted Verilog has exactly the stated width |
//! | `resize` | where widths change: extensions, slices, concatenations |
//! | `net` | [`Net`], [`Register`], [`Memory`], [`Instance`], [`BlackBox`]: what is written and connected |
//! | `model` | what a module consists of: ports, children, statements |
//! | `module` | [`Module`]: declarations and statements |
//! | `hoist` | gives a name to every value that Verilog cannot nest exactly |
//! | `driven` | every bit is set on every path before it is read |
//! | `block` | the Rust-HDL `Block`, `Logic` and `Atom` of a module |

pub(crate) mod block;
pub(crate) mod driven;
mod expression;
mod hoist;
mod model;
mod module;
mod net;
mod resize;

pub(crate) use expression::{BinaryOp, Node, UnaryOp};
pub use expression::{Expr, lit, ones, zero};
pub use model::Header;
pub(crate) use model::{Child, ChildKind, Direction, Port, Statement};
pub use module::Module;
pub use net::{BlackBox, Instance, Memory, Net, Register};

/// Bits that an address of `words` words needs, at least 1.
pub(crate) fn address_bits(words: usize) -> usize {
    (usize::BITS - words.saturating_sub(1).leading_zeros()).max(1) as usize
}
