//! Gives a name to every value that Verilog cannot nest exactly.
//!
//! Slices apply to names only; products and arithmetic shifts are exact only as the whole right-hand side of an assignment of their own
//! width; the parts of a concatenation are names because Rust-HDL has no concatenation: its text is composed of names.

use std::collections::HashMap;

use super::expression::{BinaryOp, Expr, Node};
use super::model::Statement;
use super::module::Module;

/// The naming of parts for one statement.
pub(super) struct Hoist<'a> {
    module: &'a mut Module,
    target: String,
    /// Parts that have a name already; a shared part is named once.
    named: HashMap<*const Node, Expr>,
}

impl<'a> Hoist<'a> {
    pub(super) fn new(module: &'a mut Module, target: &str) -> Hoist<'a> {
        Hoist { module, target: target.replace('$', "_"), named: HashMap::new() }
    }

    /// The expression as the whole right-hand side of an assignment of its width.
    pub(super) fn whole(&mut self, e: &Expr) -> Expr {
        let node = match e.node() {
            Node::Poison(_) | Node::Signal(_) | Node::Literal(_) => return e.clone(),
            Node::Unary(op, a) => Node::Unary(*op, self.operand(a)),
            Node::Binary(op @ BinaryOp::ShiftRightSigned, a, b) => Node::Binary(*op, self.name(a), self.name(b)),
            Node::Binary(op, a, b) => Node::Binary(*op, self.operand(a), self.operand(b)),
            Node::Slice { base, lo } => Node::Slice { base: self.signal(base), lo: *lo },
            Node::Select { base, offset } => Node::Select { base: self.signal(base), offset: self.operand(offset) },
            Node::Concat(parts) => Node::Concat(parts.iter().map(|part| self.part(part)).collect()),
            Node::Repeat(n, part) => Node::Repeat(*n, self.part(part)),
        };
        Expr::checked(node, e.width())
    }

    /// As an operand: Verilog's context has its width.
    pub(super) fn operand(&mut self, e: &Expr) -> Expr {
        match e.node() {
            Node::Binary(BinaryOp::MulSigned | BinaryOp::ShiftRightSigned, ..) => self.signal(e),
            _ => self.whole(e),
        }
    }

    /// As a part of a concatenation.
    fn part(&mut self, e: &Expr) -> Expr {
        match e.node() {
            Node::Concat(_) | Node::Repeat(..) => self.whole(e),
            _ => self.name(e),
        }
    }

    /// A name or a constant.
    fn name(&mut self, e: &Expr) -> Expr {
        match e.node() {
            Node::Literal(_) => e.clone(),
            _ => self.signal(e),
        }
    }

    /// A name.
    fn signal(&mut self, e: &Expr) -> Expr {
        if let Node::Signal(_) = e.node() {
            return e.clone();
        }
        if let Some(named) = self.named.get(&e.address()) {
            return named.clone();
        }
        let value = self.whole(e);
        let name = (1..).map(|i| format!("{}_part{i}", self.target)).find(|name| !self.module.is_declared(name));
        let net = self.module.local(&name.unwrap_or_default(), e.width());
        self.module.parts.push(net.name.clone());
        self.module.push_part(&net, Statement::Set { net: net.name.clone(), width: net.width, lo: 0, value });
        self.named.insert(e.address(), net.read());
        net.read()
    }
}
