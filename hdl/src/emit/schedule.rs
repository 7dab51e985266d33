//! One ordered list of statements as independent processes.
//!
//! In the list a net may have a value that a later statement replaces. A net each of whose bits is set once, unconditionally, is *steady*:
//! who reads it always reads its final value, so its statements stand alone as `assign`. Other statements stay together with those that
//! set the same net, or that replace a value they read. Separate processes keep simulators from seeing loops that are none.

use std::collections::{BTreeMap, BTreeSet};

use super::parse::Statement;
use super::tokens::{Token, for_each_read};

/// What drives nets.
#[derive(Clone, Debug)]
pub(super) enum Process {
    /// `assign net = value`
    Assign { net: String, bits: Option<(usize, usize)>, value: Vec<Token> },
    /// `assign net = condition ? yes : no`
    Choose { net: String, condition: Vec<Token>, yes: Vec<Token>, no: Vec<Token> },
    /// `always @(*)`
    Always(Vec<Statement>),
}

/// Nets that the statement writes.
pub(super) fn writes<'a>(statement: &'a Statement, nets: &mut BTreeSet<&'a str>) {
    match statement {
        Statement::Set { net, .. } => {
            nets.insert(net);
        }
        Statement::If { then, otherwise, .. } => then.iter().chain(otherwise).for_each(|inner| writes(inner, nets)),
    }
}

/// Calls `f` for every net that the statement reads.
pub(super) fn reads<'a>(statement: &'a Statement, f: &mut impl FnMut(&'a str, Option<(usize, usize)>)) {
    match statement {
        Statement::Set { value, .. } => for_each_read(value, f),
        Statement::If { condition, then, otherwise } => {
            for_each_read(condition, f);
            then.iter().chain(otherwise).for_each(|inner| reads(inner, f));
        }
    }
}

/// Where each net is written.
struct Writers<'a> {
    of: BTreeMap<&'a str, Vec<usize>>,
    steady: BTreeSet<&'a str>,
}

impl<'a> Writers<'a> {
    fn new(statements: &'a [Statement]) -> Writers<'a> {
        let mut of: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (i, statement) in statements.iter().enumerate() {
            let mut nets = BTreeSet::new();
            writes(statement, &mut nets);
            nets.into_iter().for_each(|net| of.entry(net).or_default().push(i));
        }
        let is_steady = |list: &[usize]| {
            let mut ranges = Vec::new();
            for &i in list {
                match &statements[i] {
                    Statement::Set { bits, .. } => ranges.push(bits.unwrap_or((0, usize::MAX))),
                    Statement::If { .. } => return choice(&statements[i]).is_some() && list.len() == 1,
                }
            }
            ranges.sort_unstable();
            ranges.windows(2).all(|pair| pair[0].1 != usize::MAX && pair[0].0 + pair[0].1 <= pair[1].0)
        };
        let steady = of.iter().filter(|(_, list)| is_steady(list)).map(|(net, _)| *net).collect();
        Writers { of, steady }
    }

    /// Whether what statement `i` reads of the net is the net's final value.
    fn is_final(&self, net: &str, i: usize) -> bool {
        self.steady.contains(net) || self.of.get(net).and_then(|list| list.last()).is_none_or(|&last| last < i)
    }

    fn reads_final(&self, statement: &Statement, i: usize) -> bool {
        let mut all = true;
        reads(statement, &mut |net, _| all &= self.is_final(net, i));
        all
    }
}

/// The net, condition and values of a statement that only chooses between two values of one net. Not with an arithmetic shift: beside an
/// unsigned value, `?:` would make it a logical one.
fn choice(statement: &Statement) -> Option<Process> {
    let Statement::If { condition, then, otherwise } = statement else { return None };
    if values(statement).iter().any(|value| value.contains(&Token::Sign(">>>"))) {
        return None;
    }
    match (then.as_slice(), otherwise.as_slice()) {
        ([Statement::Set { net, bits: None, value: yes }], [Statement::Set { net: other, bits: None, value: no }])
            if net == other =>
        {
            Some(Process::Choose { net: net.clone(), condition: condition.clone(), yes: yes.clone(), no: no.clone() })
        }
        _ => None,
    }
}

/// Puts constant slices that only have a name because of a concatenation back into it.
pub(super) fn inline_slices(statements: &mut Vec<Statement>, parts: &BTreeSet<&str>) {
    let writers = Writers::new(statements);
    let mut slices: BTreeMap<String, [Token; 2]> = BTreeMap::new();
    for (i, statement) in statements.iter().enumerate() {
        if let Statement::Set { net, bits: None, value } = statement
            && let [base @ Token::Name(_), slice @ Token::Bits { .. }] = value.as_slice()
            && parts.contains(net.as_str())
            && writers.steady.contains(net.as_str())
            && writers.reads_final(statement, i)
        {
            slices.insert(net.clone(), [base.clone(), slice.clone()]);
        }
    }
    // A computed index needs a name before it.
    let mut indexed = BTreeSet::new();
    for statement in statements.iter() {
        indexed_nets(statement, &mut indexed);
    }
    slices.retain(|net, _| !indexed.contains(net));
    statements.retain(|statement| !matches!(statement, Statement::Set { net, .. } if slices.contains_key(net)));
    statements.iter_mut().for_each(|statement| inline(statement, &slices));
}

fn values(statement: &Statement) -> Vec<&Vec<Token>> {
    match statement {
        Statement::Set { value, .. } => vec![value],
        Statement::If { condition, then, otherwise } => {
            let inner = then.iter().chain(otherwise).flat_map(values);
            std::iter::once(condition).chain(inner).collect()
        }
    }
}

fn indexed_nets(statement: &Statement, nets: &mut BTreeSet<String>) {
    for value in values(statement) {
        for pair in value.windows(2) {
            if let [Token::Name(net), Token::Sign("[") | Token::Bits { .. }] = pair {
                nets.insert(net.clone());
            }
        }
    }
}

fn inline(statement: &mut Statement, slices: &BTreeMap<String, [Token; 2]>) {
    let replace = |value: &mut Vec<Token>| {
        let expand = |token: Token| match &token {
            Token::Name(net) => slices.get(net).map_or_else(|| vec![token.clone()], |slice| slice.to_vec()),
            _ => vec![token],
        };
        *value = std::mem::take(value).into_iter().flat_map(expand).collect();
    };
    match statement {
        Statement::Set { value, .. } => replace(value),
        Statement::If { condition, then, otherwise } => {
            replace(condition);
            then.iter_mut().chain(otherwise).for_each(|inner| inline(inner, slices));
        }
    }
}

/// The processes, in the order of their first statements.
pub(super) fn schedule(statements: &[Statement]) -> Vec<Process> {
    let writers = Writers::new(statements);
    let mut groups = Groups((0..statements.len()).collect());
    for (net, list) in &writers.of {
        if !writers.steady.contains(net) {
            list.iter().for_each(|&i| groups.join(list[0], i));
        }
    }
    for (i, statement) in statements.iter().enumerate() {
        reads(statement, &mut |net, _| {
            if let Some(list) = writers.of.get(net).filter(|_| !writers.is_final(net, i)) {
                groups.join(list[0], i);
            }
        });
    }
    // A net is driven either by `assign` or by one `always`, so what is joined takes its other writers along.
    loop {
        let sizes = groups.sizes();
        let mut changed = false;
        for list in writers.of.values() {
            let joined = list.iter().any(|&i| sizes[groups.root(i)] > 1);
            for &i in list.iter().filter(|_| joined) {
                changed |= groups.root(list[0]) != groups.root(i);
                groups.join(list[0], i);
            }
        }
        if !changed {
            break;
        }
    }
    let mut members: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    (0..statements.len()).for_each(|i| members.entry(groups.root(i)).or_default().push(i));
    let mut ordered: Vec<Vec<usize>> = members.into_values().collect();
    ordered.sort();
    ordered.into_iter().map(|list| process(list.iter().map(|&i| statements[i].clone()).collect())).collect()
}

fn process(statements: Vec<Statement>) -> Process {
    match statements.as_slice() {
        [Statement::Set { net, bits, value }] => {
            Process::Assign { net: net.clone(), bits: *bits, value: value.clone() }
        }
        [only] => choice(only).unwrap_or(Process::Always(statements)),
        _ => Process::Always(statements),
    }
}

/// Disjoint sets of statements.
struct Groups(Vec<usize>);

impl Groups {
    fn root(&self, mut i: usize) -> usize {
        while self.0[i] != i {
            i = self.0[i];
        }
        i
    }

    fn join(&mut self, a: usize, b: usize) {
        let (a, b) = (self.root(a), self.root(b));
        self.0[a.max(b)] = a.min(b);
    }

    fn sizes(&self) -> Vec<usize> {
        let mut sizes = vec![0; self.0.len()];
        (0..self.0.len()).for_each(|i| sizes[self.root(i)] += 1);
        sizes
    }
}
