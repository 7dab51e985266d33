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
            let cause = match (present, &definition) {
                _ if *present == definition => return Ok(()),
                (Definition::Module(a), Definition::Module(b)) if a.ports == b.ports => "their bodies differ",
                (Definition::Module(_), Definition::Module(_)) | (Definition::BlackBox(_), Definition::BlackBox(_)) => {
                    "their ports differ"
                }
                _ => "they are of different kinds",
            };
            return Err(Error::Collision { module: name.into(), cause: cause.into() });
        }
        let error = |port: &str, cause: &str| Error::Name { module: name.into(), name: port.into(), cause: cause.into() };
        if let Some(cause) = names::mistake(name) {
            return Err(error(name, cause));
        }
        self.by_name.insert(name.into(), definition.clone());
        if let Definition::Module(module) = &definition {
            for child in &module.children {
                let next = child.ports.iter().find(|port| port.name == "next");
                if let Some(port) = next {
                    return Err(error(&format!("{}.{}", child.name, port.name), "Rust-HDL gives ports of this name a meaning"));
                }
                match &child.kind {
                    ChildKind::Register => {}
                    ChildKind::Memory { words, width } => {
                        let memory = Definition::Memory { words: *words, width: *width };
                        self.add(&child.kind.module_name(), memory)?;
                    }
                    ChildKind::Module(inner) => self.add(&inner.name, Definition::Module(inner.clone()))?,
                    ChildKind::BlackBox(name) => self.add(name, Definition::BlackBox(child.ports.clone()))?,
                }
            }
        }
        self.ordered.push(definition);
        Ok(())
    }
}
