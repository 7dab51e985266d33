//! A module as Rust-HDL sees it: `Block`, `Logic` and `Atom` with widths that are values.

use std::collections::HashSet;

use rust_hdl::core::ast::{
    BlackBox, Verilog, VerilogBlock, VerilogBlockOrConditional, VerilogConditional, VerilogExpression, VerilogLiteral,
    VerilogOp, VerilogOpUnary, VerilogStatement,
};
use rust_hdl::core::atom::{Atom, AtomKind};
use rust_hdl::core::block::Block;
use rust_hdl::core::constraint::PinConstraint;
use rust_hdl::core::logic::Logic;
use rust_hdl::core::probe::Probe;
use rust_hdl::core::synth::VCDValue;
use rust_hdl::core::type_descriptor::{TypeDescriptor, TypeKind};

use super::{BinaryOp, Child, ChildKind, Direction, Expr, Module, Node, Port, Statement, UnaryOp, driven};

/// One signal.
struct Signal {
    id: usize,
    width: usize,
    kind: AtomKind,
    connected: bool,
}

impl Atom for Signal {
    fn bits(&self) -> usize {
        self.width
    }
    fn connected(&self) -> bool {
        self.connected
    }
    fn changed(&self) -> bool {
        false
    }
    fn kind(&self) -> AtomKind {
        self.kind
    }
    fn descriptor(&self) -> TypeDescriptor {
        TypeDescriptor { name: format!("Bits::<{}>", self.width), kind: TypeKind::Bits(self.width) }
    }
    fn vcd(&self) -> VCDValue {
        VCDValue::String(String::new())
    }
    fn id(&self) -> usize {
        self.id
    }
    fn verilog(&self) -> VerilogLiteral {
        0u32.into()
    }
    fn constraints(&self) -> Vec<PinConstraint> {
        Vec::new()
    }
}

/// One module with its children as leaves: registers with their body, all others as black boxes.
pub(crate) struct HdlBlock {
    name: String,
    code: Verilog,
    signals: Vec<(String, Signal)>,
    children: Vec<HdlBlock>,
}

impl HdlBlock {
    /// A module that is emitted from its statements.
    pub(crate) fn of_module(module: &Module, statements: &[Statement]) -> HdlBlock {
        let mut written = HashSet::new();
        driven::written(statements, &mut written);
        let mut code = VerilogBlock::new();
        for child in &module.children {
            for port in child.ports.iter().map(|port| port.name.as_str()).filter(|port| is_global(port)) {
                let target = VerilogExpression::Signal(format!("{}${port}", child.name));
                code.push(VerilogStatement::Assignment(target, VerilogExpression::Signal(port.into())));
            }
        }
        code.extend(statements.iter().map(statement));
        let locals = module.locals.iter().map(|(name, width)| (name.clone(), *width, AtomKind::LocalSignal));
        let all = ports(&module.ports).chain(locals);
        HdlBlock {
            name: module.name.clone(),
            code: Verilog::Combinatorial(code),
            signals: signals(all, |name, kind| *kind == AtomKind::InputParameter || written.contains(name)),
            children: module.children.iter().map(|child| HdlBlock::of_child(child, &written)).collect(),
        }
    }

    fn of_child(child: &Child, written: &HashSet<&str>) -> HdlBlock {
        let code = match &child.kind {
            ChildKind::Register => Verilog::Custom(REGISTER_BODY.into()),
            kind => Verilog::Blackbox(BlackBox { name: kind.module_name(), code: String::new() }),
        };
        let connected = |name: &str, kind: &AtomKind| {
            *kind == AtomKind::OutputParameter
                || is_global(name)
                || written.contains(format!("{}${name}", child.name).as_str())
        };
        let signals = signals(ports(&child.ports), connected);
        HdlBlock { name: child.name.clone(), code, signals, children: Vec::new() }
    }
}

/// Every module has these and hands them on by itself.
fn is_global(port: &str) -> bool {
    port == "clock" || port == "reset"
}

/// The body of every register; the emitter folds it into the parent.
pub(crate) const REGISTER_BODY: &str = "always @(posedge clock) begin\n    if (reset) q <= 0; else q <= d;\nend";

impl ChildKind {
    /// The emitted module that an instance refers to; registers have none.
    pub(crate) fn module_name(&self) -> String {
        match self {
            ChildKind::Register => String::new(),
            ChildKind::Memory { words, width } => format!("memory_{words}x{width}"),
            ChildKind::Module(module) => module.name.clone(),
            ChildKind::BlackBox(name) => name.clone(),
        }
    }
}

fn ports(ports: &[Port]) -> impl Iterator<Item = (String, usize, AtomKind)> {
    ports.iter().map(|port| {
        let kind = match port.direction {
            Direction::Input => AtomKind::InputParameter,
            Direction::Output => AtomKind::OutputParameter,
        };
        (port.name.clone(), port.width, kind)
    })
}

fn signals(
    all: impl Iterator<Item = (String, usize, AtomKind)>,
    connected: impl Fn(&str, &AtomKind) -> bool,
) -> Vec<(String, Signal)> {
    let signal = |(id, (name, width, kind)): (usize, (String, usize, AtomKind))| {
        let connected = connected(&name, &kind);
        (name, Signal { id, width, kind, connected })
    };
    all.enumerate().map(signal).collect()
}

impl Logic for HdlBlock {
    fn update(&mut self) {}
    fn hdl(&self) -> Verilog {
        self.code.clone()
    }
}

impl Block for HdlBlock {
    fn connect_all(&mut self) {}
    fn update_all(&mut self) {}
    fn has_changed(&self) -> bool {
        false
    }
    fn accept(&self, name: &str, probe: &mut dyn Probe) {
        probe.visit_start_scope(name, self);
        for (name, signal) in &self.signals {
            probe.visit_atom(name, signal);
        }
        for child in &self.children {
            child.accept(&child.name, probe);
        }
        probe.visit_end_scope(name, self);
    }
}

fn statement(statement: &Statement) -> VerilogStatement {
    match statement {
        Statement::Set { net, width, value, .. } if value.width() == *width => {
            VerilogStatement::Assignment(VerilogExpression::Signal(net.clone()), expression(value))
        }
        Statement::Set { net, lo, value, .. } => VerilogStatement::SliceAssignment {
            base: VerilogExpression::Signal(net.clone()),
            width: value.width(),
            offset: bit_number(*lo),
            replacement: expression(value),
        },
        Statement::If { condition, then, otherwise } => VerilogStatement::If(VerilogConditional {
            test: expression(condition),
            then: then.iter().map(self::statement).collect(),
            otherwise: match otherwise.as_slice() {
                [] => VerilogBlockOrConditional::None,
                list => VerilogBlockOrConditional::Block(list.iter().map(self::statement).collect()),
            },
        }),
    }
}

fn bit_number(lo: usize) -> VerilogExpression {
    VerilogExpression::Literal(VerilogLiteral::from(lo as u32))
}

/// Names, constants, concatenations of them: what Rust-HDL has no tree for is composed as text, without brackets.
fn text(e: &Expr) -> String {
    match e.node() {
        Node::Signal(name) => name.clone(),
        Node::Literal(value) => format!("{}'h{value:x}", e.width()),
        Node::Repeat(n, part) => format!("{{{n}{{{}}}}}", text(part)),
        Node::Concat(parts) => format!("{{{}}}", parts.iter().map(text).collect::<Vec<_>>().join(", ")),
        // `hoist` has given all else a name.
        _ => String::new(),
    }
}

fn operand(e: &Expr) -> VerilogExpression {
    match e.node() {
        Node::Binary(..) | Node::Unary(..) => VerilogExpression::Paren(Box::new(expression(e))),
        _ => expression(e),
    }
}

fn signed(e: &Expr) -> VerilogExpression {
    VerilogExpression::Signed(Box::new(expression(e)))
}

fn expression(e: &Expr) -> VerilogExpression {
    match e.node() {
        Node::Poison(_) | Node::Signal(_) | Node::Literal(_) | Node::Repeat(..) | Node::Concat(_) => {
            VerilogExpression::Signal(text(e))
        }
        Node::Unary(op, a) => {
            let op = match op {
                UnaryOp::Not => VerilogOpUnary::Not,
                UnaryOp::Negate => VerilogOpUnary::Neg,
                UnaryOp::Any => VerilogOpUnary::Any,
                UnaryOp::All => VerilogOpUnary::All,
            };
            VerilogExpression::Unary(op, Box::new(operand(a)))
        }
        Node::Binary(BinaryOp::ShiftRightSigned, a, b) => {
            VerilogExpression::Signal(format!("$signed({}) >>> {}", text(a), text(b)))
        }
        Node::Binary(op, a, b) => {
            let (op, is_signed) = operator(*op);
            let (a, b) = if is_signed { (signed(a), signed(b)) } else { (operand(a), operand(b)) };
            VerilogExpression::Binary(Box::new(a), op, Box::new(b))
        }
        Node::Slice { base, lo } => {
            VerilogExpression::Slice(Box::new(expression(base)), e.width(), Box::new(bit_number(*lo)))
        }
        Node::Select { base, offset } => {
            VerilogExpression::Slice(Box::new(expression(base)), e.width(), Box::new(expression(offset)))
        }
    }
}

/// Verilog's operator, and whether the operands are read as two's complement.
fn operator(op: BinaryOp) -> (VerilogOp, bool) {
    match op {
        BinaryOp::Add => (VerilogOp::Add, false),
        BinaryOp::Sub => (VerilogOp::Sub, false),
        BinaryOp::Mul => (VerilogOp::Mul, false),
        BinaryOp::MulSigned => (VerilogOp::Mul, true),
        BinaryOp::And => (VerilogOp::BitAnd, false),
        BinaryOp::Or => (VerilogOp::BitOr, false),
        BinaryOp::Xor => (VerilogOp::BitXor, false),
        BinaryOp::ShiftLeft => (VerilogOp::Shl, false),
        BinaryOp::ShiftRight => (VerilogOp::Shr, false),
        BinaryOp::ShiftRightSigned => (VerilogOp::Shr, true),
        BinaryOp::Equal => (VerilogOp::Eq, false),
        BinaryOp::NotEqual => (VerilogOp::Ne, false),
        BinaryOp::Less => (VerilogOp::Lt, false),
        BinaryOp::LessEqual => (VerilogOp::Le, false),
        BinaryOp::Greater => (VerilogOp::Gt, false),
        BinaryOp::GreaterEqual => (VerilogOp::Ge, false),
        BinaryOp::LessSigned => (VerilogOp::Lt, true),
        BinaryOp::LessEqualSigned => (VerilogOp::Le, true),
        BinaryOp::GreaterSigned => (VerilogOp::Gt, true),
        BinaryOp::GreaterEqualSigned => (VerilogOp::Ge, true),
    }
}
