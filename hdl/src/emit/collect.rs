//! The distinct modules below a top.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::names;
use crate::build::{ChildKind, Module, Port};
use crate::error::Error;

/// What a module name stands for.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Definition {
    Module(Rc<Module>),
    Memory { words: usize, width: usize },
    BlackBox(Vec<Port>),
}

/// All distinct definitions, children before their parents; two that differ under one name are refused.
pub(super) fn collect(top: Module) -> Result<Vec<Definition>, Error> {
    let mut all = Collection::default();
    let name = top.name.clone();
    all.add(&name, Definition::Module(Rc::new(top)))?;
    Ok(all.ordered)
}

#[derive(Default)]
struct Collection {
    by_name: BTreeMap<String, Definition>,
    ordered: Vec<Definition>,
}

impl Collection {
    fn add(&mut self, name: &str, definition: Definition) -> Result<(), Error> {
        if let Some(present) = self.by_name.get(name) {
            return match difference(present, &definition) {
                None => Ok(()),
                Some(cause) => Err(Error::Collision { module: name.into(), cause: cause.into() }),
            };
        }
        check_name(name, name)?;
        self.by_name.insert(name.into(), definition.clone());
        match &definition {
            Definition::Module(module) => self.add_children(module)?,
            Definition::BlackBox(ports) => ports.iter().try_for_each(|port| check_name(name, &port.name))?,
            Definition::Memory { .. } => {}
        }
        self.ordered.push(definition);
        Ok(())
    }

    fn add_children(&mut self, module: &Module) -> Result<(), Error> {
        let ports = module.ports.iter().map(|port| &port.name);
        let locals = module.locals.iter().map(|(local, _)| local);
        let children = module.children.iter().map(|child| &child.name);
        ports.chain(locals).chain(children).try_for_each(|name| check_name(&module.name, name))?;
        for child in &module.children {
            if child.ports.iter().any(|port| port.name == "next") {
                let cause = "Rust-HDL takes a port of this name for something else".into();
                return Err(Error::Name { module: module.name.clone(), name: format!("{}.next", child.name), cause });
            }
            let name = child.kind.module_name();
            match &child.kind {
                ChildKind::Register => {}
                ChildKind::Memory { words, width } => {
                    self.add(&name, Definition::Memory { words: *words, width: *width })?
                }
                ChildKind::Module(inner) => self.add(&name, Definition::Module(inner.clone()))?,
                ChildKind::BlackBox(_) => self.add(&name, Definition::BlackBox(child.ports.clone()))?,
            }
        }
        Ok(())
    }
}

fn difference(a: &Definition, b: &Definition) -> Option<&'static str> {
    match (a, b) {
        _ if a == b => None,
        (Definition::Module(a), Definition::Module(b)) if a.ports == b.ports => Some("their bodies differ"),
        (Definition::Module(_), Definition::Module(_)) | (Definition::BlackBox(_), Definition::BlackBox(_)) => {
            Some("their ports differ")
        }
        _ => Some("they are of different kinds"),
    }
}

fn check_name(module: &str, name: &str) -> Result<(), Error> {
    match names::mistake(name) {
        None => Ok(()),
        Some(cause) => Err(Error::Name { module: module.into(), name: name.into(), cause: cause.into() }),
    }
}
