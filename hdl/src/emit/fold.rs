//! A parsed module as it will be emitted: registers folded in, clock and reset connected directly, final names.

use std::collections::BTreeMap;

use super::names::Names;
use super::parse::{Declaration, ParsedInstance, ParsedModule, Statement};
use super::tokens::Token;
use crate::error::Error;

/// A register, its next value and its width.
#[derive(Clone, Debug)]
pub(super) struct FoldedRegister {
    pub name: String,
    pub next: String,
    pub width: usize,
}

#[derive(Clone, Debug, Default)]
pub(super) struct FoldedModule {
    pub ports: Vec<Declaration>,
    pub registers: Vec<FoldedRegister>,
    /// Nets that statements or instances drive.
    pub nets: Vec<Declaration>,
    pub instances: Vec<ParsedInstance>,
    pub statements: Vec<Statement>,
}

/// Folds the module `top` of what Rust-HDL wrote.
pub(super) fn fold(module: &str, parsed: &BTreeMap<String, ParsedModule>) -> Result<FoldedModule, Error> {
    let error = |line: &str, cause: &str| Error::Text { module: module.into(), line: line.into(), cause: cause.into() };
    let Some(top) = parsed.get("top") else { return Err(error("the end", "the module is missing")) };
    let mut folded = FoldedModule::default();
    let mut names = Names::new(module);
    let mut registers = BTreeMap::new();
    for instance in &top.instances {
        match parsed.get(&instance.module) {
            Some(child) if child.is_register => {
                registers.insert(format!("{}$q", instance.name), instance.name.clone());
                registers.insert(format!("{}$d", instance.name), format!("{}_next", instance.name));
            }
            Some(_) => return Err(error(&instance.module, "only registers are written as children")),
            None => names.take(&instance.name)?,
        }
    }
    let copies =
        ["clock", "reset"].map(|name| move |net: &str| net.strip_suffix(name).is_some_and(|i| i.ends_with('$')));
    let is_copy = |net: &str| copies.iter().any(|copy| copy(net));
    for declaration in top.declarations.iter().filter(|declaration| !is_copy(&declaration.name)) {
        let Declaration { kind, name, width } = declaration;
        let emitted = registers.get(name).cloned().unwrap_or_else(|| name.replace('$', "_"));
        let emitted = names.add(name, emitted)?;
        let declaration = Declaration { kind, name: emitted.clone(), width: *width };
        if kind.starts_with("input") || kind.starts_with("output") {
            folded.ports.push(declaration);
        } else if registers.contains_key(name) && name.ends_with("$q") {
            let instance = name.trim_end_matches("$q");
            folded.registers.push(FoldedRegister { next: format!("{instance}_next"), name: emitted, width: *width });
        } else {
            folded.nets.push(declaration);
        }
    }
    for instance in top.instances.iter().filter(|instance| !parsed.contains_key(&instance.module)) {
        let mut instance = instance.clone();
        for (port, net) in &mut instance.connections {
            *net = if is_copy(net) { port.clone() } else { names.get(net)? };
        }
        folded.instances.push(instance);
    }
    for statement in &top.statements {
        match statement {
            Statement::Set { net, bits, value } if is_copy(net) => {
                let expected = Token::Name(net.rsplit('$').next().unwrap_or_default().into());
                if bits.is_some() || value.as_slice() != [expected] {
                    return Err(error(net, "a child's clock and reset are those of its parent"));
                }
            }
            other => folded.statements.push(other.clone()),
        }
    }
    names.rename(&mut folded.statements)?;
    names.take("unused_bits")?;
    Ok(folded)
}
