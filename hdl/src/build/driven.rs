//! Every bit that is written is written on every path, and before it is read: no latch, no reading of a stale value.

use std::collections::{HashMap, HashSet};

use super::expression::{Expr, Node};
use super::model::{Direction, Statement};
use super::module::Module;
use crate::error::Error;

/// Calls `f(name, lo, width)` for all bits of a net that the expression reads.
pub(crate) fn for_each_read(e: &Expr, f: &mut impl FnMut(&str, usize, usize)) {
    match e.node() {
        Node::Poison(_) | Node::Literal(_) => {}
        Node::Signal(name) => f(name, 0, e.width()),
        Node::Unary(_, a) | Node::Repeat(_, a) => for_each_read(a, f),
        Node::Binary(_, a, b) => {
            for_each_read(a, f);
            for_each_read(b, f);
        }
        Node::Slice { base, lo } => match base.node() {
            Node::Signal(name) => f(name, *lo, e.width()),
            _ => for_each_read(base, f),
        },
        Node::Select { base, offset } => {
            for_each_read(base, f);
            for_each_read(offset, f);
        }
        Node::Concat(parts) => parts.iter().for_each(|part| for_each_read(part, f)),
    }
}

fn reads(e: &Expr, net: &str) -> bool {
    let mut found = false;
    for_each_read(e, &mut |name, _, _| found |= name == net);
    found
}

/// Whether the statement reads what one of the statements writes.
pub(super) fn depends_on(statement: &Statement, before: &[Statement]) -> bool {
    let mut nets = HashSet::new();
    written(before, &mut nets);
    reads_any(statement, &nets)
}

/// Adds the nets that the statements write.
pub(super) fn written<'a>(statements: &'a [Statement], nets: &mut HashSet<&'a str>) {
    for statement in statements {
        match statement {
            Statement::Set { net, .. } => {
                nets.insert(net);
            }
            Statement::If { then, otherwise, .. } => {
                written(then, nets);
                written(otherwise, nets);
            }
        }
    }
}

fn reads_any(statement: &Statement, nets: &HashSet<&str>) -> bool {
    let mut found = false;
    let mut look = |name: &str, _, _| found |= nets.contains(name);
    match statement {
        Statement::Set { value, .. } => for_each_read(value, &mut look),
        Statement::If { condition, then, otherwise } => {
            for_each_read(condition, &mut look);
            return found || then.iter().chain(otherwise).any(|inner| reads_any(inner, nets));
        }
    }
    found
}

fn touches(statement: &Statement, net: &str) -> bool {
    match statement {
        Statement::Set { net: target, value, .. } => target == net || reads(value, net),
        Statement::If { condition, then, otherwise } => {
            reads(condition, net) || then.iter().chain(otherwise).any(|inner| touches(inner, net))
        }
    }
}

/// The first statement that has to do with the net sets all of it, unconditionally.
pub(super) fn is_set_first(statements: &[Statement], net: &str) -> bool {
    match statements.iter().find(|statement| touches(statement, net)) {
        Some(Statement::Set { net: target, width, value, .. }) => {
            target == net && value.width() == *width && !reads(value, net)
        }
        _ => false,
    }
}

/// Which bits of each net are set on every path so far.
type Coverage = HashMap<String, Vec<bool>>;

/// Refuses nets that are not driven as combinational logic needs it.
pub(super) fn check(module: &Module, statements: &[Statement]) -> Result<(), Error> {
    let outputs = module.ports.iter().filter(|port| port.direction == Direction::Output);
    let child_inputs = module.children.iter().flat_map(|child| {
        let inputs = child.ports.iter().filter(|port| port.direction == Direction::Input);
        inputs
            .filter(|port| port.name != "clock" && port.name != "reset")
            .map(|port| (format!("{}${}", child.name, port.name), port.width))
    });
    let mut coverage: Coverage = outputs
        .map(|port| (port.name.clone(), port.width))
        .chain(module.locals.iter().cloned())
        .chain(child_inputs)
        .map(|(name, width)| (name, vec![false; width]))
        .collect();
    let error =
        |net: &str, cause: String| Error::Driver { module: module.name.clone(), net: net.replace('$', "."), cause };
    cover(statements, &mut coverage).map_err(|(net, cause)| error(&net, cause))?;
    let mut open: Vec<_> = coverage.iter().filter(|(_, bits)| bits.contains(&false)).collect();
    open.sort();
    match open.first() {
        None => Ok(()),
        Some((net, bits)) => {
            let cause = match bits.iter().position(|&set| !set) {
                _ if !bits.contains(&true) => "it is not set on every path".to_string(),
                bit => format!("bit {} is not set on every path", bit.unwrap_or(0)),
            };
            Err(error(net, cause))
        }
    }
}

fn cover(statements: &[Statement], coverage: &mut Coverage) -> Result<(), (String, String)> {
    for statement in statements {
        match statement {
            Statement::Set { net, lo, value, .. } => {
                check_reads(value, coverage)?;
                match coverage.get_mut(net) {
                    Some(bits) => bits.iter_mut().skip(*lo).take(value.width()).for_each(|bit| *bit = true),
                    None => return Err((net.clone(), "it is not a net of this module that may be written".into())),
                }
            }
            Statement::If { condition, then, otherwise } => {
                check_reads(condition, coverage)?;
                let mut other = coverage.clone();
                cover(then, coverage)?;
                cover(otherwise, &mut other)?;
                for (net, bits) in coverage.iter_mut() {
                    if let Some(other) = other.get(net) {
                        bits.iter_mut().zip(other).for_each(|(bit, other)| *bit &= other);
                    }
                }
            }
        }
    }
    Ok(())
}

fn check_reads(e: &Expr, coverage: &Coverage) -> Result<(), (String, String)> {
    let mut stale = None;
    for_each_read(e, &mut |name, lo, width| {
        if coverage.get(name).is_some_and(|bits| bits.iter().skip(lo).take(width).any(|&set| !set)) {
            stale = Some(name.to_string());
        }
    });
    stale.map_or(Ok(()), |net| Err((net, "it is read before it is set on every path".into())))
}
