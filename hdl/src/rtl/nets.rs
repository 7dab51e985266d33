//! Connections by name: a signal has the same name in every module that it passes through.

use crate::build::{Expr, Instance, Module};

/// The signals of a module that only connects its children.
#[derive(Default)]
pub(super) struct Nets {
    known: Vec<(String, Expr)>,
}

impl Nets {
    /// Gives a signal its name.
    pub fn add(&mut self, name: &str, value: Expr) {
        self.known.push((name.into(), value));
    }

    /// An input of the module.
    pub fn input(&mut self, m: &mut Module, name: &str, width: usize) -> Expr {
        let value = m.input(name, width);
        self.add(name, value.clone());
        value
    }

    /// All outputs of a child.
    pub fn add_outputs(&mut self, child: &Instance) {
        for (name, _) in &child.outputs {
            self.add(name, child.output(name));
        }
    }

    /// Connects the inputs of a child: to `own` signals of this child, else to those known, else to a new input of the module.
    pub fn feed(&mut self, m: &mut Module, child: &Instance, own: &[(&str, Expr)]) {
        for (name, width) in &child.inputs {
            let own = own.iter().find(|(known, _)| known == name).map(|(_, value)| value);
            let known = || self.known.iter().find(|(known, _)| known == name).map(|(_, value)| value);
            let value = match own.or_else(known) {
                Some(value) => value.clone(),
                None => self.input(m, name, *width),
            };
            m.set(&child.input(name), &value);
        }
    }

    /// Makes outputs of the module from outputs of a child.
    pub fn show(m: &mut Module, child: &Instance, names: &[impl AsRef<str>]) {
        for name in names.iter().map(AsRef::as_ref) {
            let value = child.output(name);
            let output = m.output(name, value.width());
            m.set(&output, &value);
        }
    }
}
