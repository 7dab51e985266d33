//! A module: declarations, and one ordered list of combinational statements.

use std::rc::Rc;

use super::expression::{Expr, Node, zero};
use super::hoist::Hoist;
use super::model::{Child, ChildKind, Direction, Header, Port, Statement};
use super::net::{BlackBox, Instance, Memory, Net, Register};
use super::{address_bits, driven};
use crate::error::Error;

/// A module under construction. It always has the inputs `clock` and `reset`.
#[derive(Clone, Debug, PartialEq)]
pub struct Module {
    pub(crate) name: String,
    pub(crate) header: Header,
    pub(crate) ports: Vec<Port>,
    pub(crate) locals: Vec<(String, usize)>,
    pub(crate) children: Vec<Child>,
    /// Locals that only a branch writes: they start as 0, so that they are no latches.
    pub(crate) branch_locals: Vec<Net>,
    /// Locals that only give a name to a part of an expression.
    pub(crate) parts: Vec<String>,
    /// The statement lists that are open: the module's own, and one for each enclosing branch.
    open: Vec<Vec<Statement>>,
    mistakes: Vec<Error>,
}

impl Module {
    /// An empty module.
    pub fn new(name: impl Into<String>, header: Header) -> Module {
        let mut module = Module {
            name: name.into(),
            header,
            ports: Vec::new(),
            locals: Vec::new(),
            children: Vec::new(),
            branch_locals: Vec::new(),
            parts: Vec::new(),
            open: vec![Vec::new()],
            mistakes: Vec::new(),
        };
        module.input("clock", 1);
        module.input("reset", 1);
        module
    }

    /// Declares an input.
    pub fn input(&mut self, name: &str, width: usize) -> Expr {
        self.ports.push(Port { name: name.into(), width, direction: Direction::Input });
        Expr::signal(name.into(), width)
    }

    /// Declares an output.
    pub fn output(&mut self, name: &str, width: usize) -> Net {
        self.ports.push(Port { name: name.into(), width, direction: Direction::Output });
        Net::new(name.into(), width)
    }

    /// Declares a local, to be set by statements.
    pub fn local(&mut self, name: &str, width: usize) -> Net {
        self.locals.push((name.into(), width));
        Net::new(name.into(), width)
    }

    /// A local with one value.
    pub fn define(&mut self, name: &str, value: &Expr) -> Expr {
        let net = self.local(name, value.width());
        match value.mistake() {
            Some(cause) => self.mistake(name, cause.to_string()),
            None => {
                let value = Hoist::new(self, name).whole(value);
                self.push_part(&net, Statement::Set { net: net.name.clone(), width: net.width, lo: 0, value });
            }
        }
        net.read()
    }

    /// Declares a register that is reset to 0 and keeps its value unless its next value is set.
    pub fn register(&mut self, name: &str, width: usize) -> Register {
        self.add_child(name, ChildKind::Register, &[("d".into(), width)], &[("q".into(), width)]);
        Register { name: name.into(), width }
    }

    /// Declares a memory with one write port and one registered read port.
    pub fn memory(&mut self, name: &str, words: usize, width: usize) -> Memory {
        let address = address_bits(words);
        let inputs = [
            ("write_enable".to_string(), 1),
            ("write_address".to_string(), address),
            ("write_data".to_string(), width),
            ("read_enable".to_string(), 1),
            ("read_address".to_string(), address),
        ];
        let outputs = [("read_data".to_string(), width)];
        let instance = self.add_child(name, ChildKind::Memory { words, width }, &inputs, &outputs);
        Memory {
            write_enable: instance.input("write_enable"),
            write_address: instance.input("write_address"),
            write_data: instance.input("write_data"),
            read_enable: instance.input("read_enable"),
            read_address: instance.input("read_address"),
            read_data: instance.output("read_data"),
        }
    }

    /// Adds a child module; clock and reset are connected.
    pub fn child(&mut self, name: &str, module: Module) -> Instance {
        self.shared_child(name, &Rc::new(module))
    }

    /// Adds one more instance of a module that is built once; clock and reset are connected.
    pub fn shared_child(&mut self, name: &str, module: &Rc<Module>) -> Instance {
        let of = |direction: Direction| -> Vec<(String, usize)> {
            let ports = module.ports.iter().filter(|port| port.direction == direction);
            ports.map(|port| (port.name.clone(), port.width)).collect()
        };
        let inputs: Vec<_> = of(Direction::Input).into_iter().skip(2).collect();
        self.add_child(name, ChildKind::Module(module.clone()), &inputs, &of(Direction::Output))
    }

    /// Adds a module whose body comes from elsewhere; clock and reset are connected.
    pub fn black_box(&mut self, name: &str, black_box: BlackBox) -> Instance {
        let BlackBox { module_name, inputs, outputs } = black_box;
        self.add_child(name, ChildKind::BlackBox(module_name), &inputs, &outputs)
    }

    fn add_child(
        &mut self,
        name: &str,
        kind: ChildKind,
        inputs: &[(String, usize)],
        outputs: &[(String, usize)],
    ) -> Instance {
        let port =
            |direction| move |(name, width): &(String, usize)| Port { name: name.clone(), width: *width, direction };
        let mut ports = vec![Port { name: "clock".into(), width: 1, direction: Direction::Input }];
        if !matches!(kind, ChildKind::Memory { .. }) {
            ports.push(Port { name: "reset".into(), width: 1, direction: Direction::Input });
        }
        ports.extend(inputs.iter().map(port(Direction::Input)));
        ports.extend(outputs.iter().map(port(Direction::Output)));
        self.children.push(Child { name: name.into(), kind, ports });
        Instance { name: name.into(), inputs: inputs.to_vec(), outputs: outputs.to_vec() }
    }

    /// Sets a net to a value of its width.
    pub fn set(&mut self, net: &Net, value: &Expr) {
        if net.mistake.is_none() && value.mistake().is_none() && value.width() != net.width {
            self.mistake(&net.name, format!("a value of {} bits for a net of {} bits", value.width(), net.width));
            return;
        }
        self.set_bits(net, 0, value);
    }

    /// Sets bits `lo .. lo + value.width()` of a net.
    pub fn set_bits(&mut self, net: &Net, lo: usize, value: &Expr) {
        if let Some(cause) = net.mistake.as_deref().or(value.mistake()) {
            let cause = cause.to_string();
            self.mistake(&net.name, cause);
        } else if lo + value.width() > net.width {
            let to = lo + value.width();
            self.mistake(&net.name, format!("bits {lo} to {to} of a net of {} bits", net.width));
        } else {
            let value = Hoist::new(self, &net.name).whole(value);
            self.push(Statement::Set { net: net.name.clone(), width: net.width, lo, value });
        }
    }

    /// Statements that hold when the condition (1 bit) is 1.
    pub fn when(&mut self, condition: &Expr, then: impl FnOnce(&mut Module)) {
        self.when_else(condition, then, |_| {});
    }

    /// Statements that hold when the condition (1 bit) is 1, and others when it is 0.
    pub fn when_else(&mut self, condition: &Expr, then: impl FnOnce(&mut Module), otherwise: impl FnOnce(&mut Module)) {
        let mut condition = condition.clone();
        if let Some(cause) = condition.mistake() {
            let cause = cause.to_string();
            self.mistake("a condition", cause);
            condition = zero(1);
        } else if condition.width() != 1 {
            self.mistake("a condition", format!("a condition of {} bits", condition.width()));
            condition = zero(1);
        }
        // What a configuration decides needs no logic, and a process without inputs would never run.
        match condition.node() {
            Node::Literal(0) => return otherwise(self),
            Node::Literal(_) => return then(self),
            _ => {}
        }
        let condition = Hoist::new(self, "condition").whole(&condition);
        let then = self.branch(then);
        let otherwise = self.branch(otherwise);
        self.push(Statement::If { condition, then, otherwise });
    }

    fn branch(&mut self, body: impl FnOnce(&mut Module)) -> Vec<Statement> {
        self.open.push(Vec::new());
        body(self);
        self.open.pop().unwrap_or_default()
    }

    /// A local that is `yes` when the condition is 1, else `no`.
    pub fn select(&mut self, name: &str, condition: &Expr, yes: &Expr, no: &Expr) -> Expr {
        let net = self.local(name, yes.width());
        let mistake = [condition, yes, no].into_iter().find_map(|e| e.mistake()).map(str::to_string);
        let mistake = mistake.or_else(|| match (condition.width(), yes.width(), no.width()) {
            (1, yes, no) if yes == no => None,
            (1, yes, no) => Some(format!("a choice of {yes} bits and {no} bits")),
            (condition, ..) => Some(format!("a condition of {condition} bits")),
        });
        if let Some(cause) = mistake {
            self.mistake(name, cause);
            return net.read();
        }
        if let Node::Literal(chosen) = condition.node() {
            let value = if *chosen == 0 { no } else { yes };
            let value = Hoist::new(self, name).whole(value);
            self.push_part(&net, Statement::Set { net: net.name.clone(), width: net.width, lo: 0, value });
            return net.read();
        }
        let mut hoist = Hoist::new(self, name);
        let condition = hoist.whole(condition);
        let mut set = |value| {
            vec![Statement::Set { net: net.name.clone(), width: net.width, lo: 0, value: hoist.operand(value) }]
        };
        let (then, otherwise) = (set(yes), set(no));
        self.push_part(&net, Statement::If { condition, then, otherwise });
        net.read()
    }

    fn push(&mut self, statement: Statement) {
        if let Some(list) = self.open.last_mut() {
            list.push(statement);
        }
    }

    /// Adds the statement that gives a new local its only value as far out as what it reads allows: there it is no latch, and computed once.
    pub(super) fn push_part(&mut self, net: &Net, statement: Statement) {
        let mut depth = self.open.len() - 1;
        while depth > 0 && !driven::depends_on(&statement, &self.open[depth]) {
            depth -= 1;
        }
        if depth > 0 {
            self.branch_locals.push(net.clone());
        }
        self.open[depth].push(statement);
    }

    pub(super) fn is_declared(&self, name: &str) -> bool {
        self.locals.iter().any(|(local, _)| local == name)
            || self.ports.iter().any(|port| port.name == name)
            || self.children.iter().any(|child| child.name == name)
    }

    fn mistake(&mut self, at: &str, cause: String) {
        self.mistakes.push(Error::Width { module: self.name.clone(), at: at.replace('$', "."), cause });
    }

    /// The mistakes made while building, then those of the whole; the defaults of registers and branch locals come first in the list.
    pub(crate) fn finish(&self) -> Result<Vec<Statement>, Error> {
        if let Some(mistake) = self.mistakes.first() {
            return Err(mistake.clone());
        }
        let body = self.open.first().map(Vec::as_slice).unwrap_or_default();
        let mut statements = Vec::new();
        for net in &self.branch_locals {
            if !driven::is_set_first(body, &net.name) {
                statements.push(Statement::Set {
                    net: net.name.clone(),
                    width: net.width,
                    lo: 0,
                    value: zero(net.width),
                });
            }
        }
        for child in self.children.iter().filter(|child| child.kind == ChildKind::Register) {
            let Some(width) = child.ports.last().map(|port| port.width) else { continue };
            let net = format!("{}$d", child.name);
            if !driven::is_set_first(body, &net) {
                let value = Expr::signal(format!("{}$q", child.name), width);
                statements.push(Statement::Set { net, width, lo: 0, value });
            }
        }
        statements.extend_from_slice(body);
        driven::check(self, &statements)?;
        Ok(statements)
    }
}
