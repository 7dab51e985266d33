//! What a module consists of.

use std::rc::Rc;

use super::expression::Expr;
use super::module::Module;

/// The four keyed lines above an emitted module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// What it does.
    pub function: &'static str,
    /// Cycles from input to output.
    pub latency: &'static str,
    /// How it takes and gives data.
    pub handshake: &'static str,
    /// What always holds.
    pub invariants: &'static str,
}

impl Header {
    /// The four lines in their order.
    pub const fn new(
        function: &'static str,
        latency: &'static str,
        handshake: &'static str,
        invariants: &'static str,
    ) -> Header {
        Header { function, latency, handshake, invariants }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    Input,
    Output,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Port {
    pub name: String,
    pub width: usize,
    pub direction: Direction,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum ChildKind {
    Register,
    Memory { words: usize, width: usize },
    Module(Rc<Module>),
    BlackBox(String),
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Child {
    pub name: String,
    pub kind: ChildKind,
    pub ports: Vec<Port>,
}

/// A statement whose expressions hold only what Verilog nests exactly.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Statement {
    /// Bits `lo .. lo + value.width()` of a net of `width` bits.
    Set { net: String, width: usize, lo: usize, value: Expr },
    /// Both branches; the second may be empty.
    If { condition: Expr, then: Vec<Statement>, otherwise: Vec<Statement> },
}
