//! Rust-HDL's text, line by line; a line of another form is refused.

use std::collections::BTreeMap;
use std::str::Lines;

use super::tokens::{Token, tokens};
use crate::build::block::REGISTER_BODY;
use crate::error::Error;

/// A net or a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Declaration {
    pub kind: &'static str,
    pub name: String,
    pub width: usize,
}

#[derive(Clone, Debug)]
pub(super) struct ParsedInstance {
    pub module: String,
    pub name: String,
    /// Port and net.
    pub connections: Vec<(String, String)>,
}

#[derive(Clone, Debug)]
pub(super) enum Statement {
    Set { net: String, bits: Option<(usize, usize)>, value: Vec<Token> },
    If { condition: Vec<Token>, then: Vec<Statement>, otherwise: Vec<Statement> },
}

#[derive(Clone, Debug, Default)]
pub(super) struct ParsedModule {
    pub declarations: Vec<Declaration>,
    pub instances: Vec<ParsedInstance>,
    pub statements: Vec<Statement>,
    /// The body is that of a register.
    pub is_register: bool,
}

const KINDS: [&str; 5] = ["input wire", "output reg", "output wire", "reg", "wire"];

pub(super) struct Parser<'a> {
    module: &'a str,
    lines: Lines<'a>,
}

impl<'a> Parser<'a> {
    /// All modules of the text, by name; `module` is named in errors.
    pub(super) fn parse(module: &'a str, text: &'a str) -> Result<BTreeMap<String, ParsedModule>, Error> {
        let mut parser = Parser { module, lines: text.lines() };
        let mut modules = BTreeMap::new();
        while let Some(line) = parser.next_line() {
            let name = line.strip_prefix("module ").and_then(|rest| rest.split_once('('));
            let (name, _) = name.ok_or_else(|| parser.error(line, "a module was expected"))?;
            let body = parser.module_body()?;
            if modules.insert(name.to_string(), body).is_some() {
                return Err(parser.error(line, "the module was there before"));
            }
        }
        Ok(modules)
    }

    /// The next line that is neither empty nor a comment.
    fn next_line(&mut self) -> Option<&'a str> {
        self.lines.by_ref().map(str::trim).find(|line| !line.is_empty() && !line.starts_with("//"))
    }

    fn need_line(&mut self) -> Result<&'a str, Error> {
        self.next_line().ok_or_else(|| self.error("the end", "the text ends too early"))
    }

    fn error(&self, line: &str, cause: &str) -> Error {
        Error::Text { module: self.module.into(), line: line.into(), cause: cause.into() }
    }

    fn module_body(&mut self) -> Result<ParsedModule, Error> {
        let mut module = ParsedModule::default();
        loop {
            let line = self.need_line()?;
            if line.starts_with("endmodule") {
                return Ok(module);
            } else if line == "always @(*) begin" {
                let (statements, end) = self.statements()?;
                if end != "end" {
                    return Err(self.error(end, "the end of the statements was expected"));
                }
                module.statements.extend(statements);
            } else if REGISTER_BODY.starts_with(line) {
                for expected in REGISTER_BODY.lines().map(str::trim).skip(1) {
                    let line = self.need_line()?;
                    if line != expected {
                        return Err(self.error(line, "the body of a register was expected"));
                    }
                }
                module.is_register = true;
            } else if let Some(declaration) = declaration(line) {
                module.declarations.push(declaration);
            } else if let Some((kind, name)) = line.strip_suffix('(').and_then(|head| head.split_once(' ')) {
                let connections = self.connections()?;
                module.instances.push(ParsedInstance { module: kind.into(), name: name.into(), connections });
            } else {
                return Err(self.error(line, "a declaration, an instance or statements were expected"));
            }
        }
    }

    fn connections(&mut self) -> Result<Vec<(String, String)>, Error> {
        let mut connections = Vec::new();
        loop {
            let line = self.need_line()?;
            if line == ");" {
                return Ok(connections);
            }
            let pair = line.strip_suffix(',').unwrap_or(line).strip_prefix('.').and_then(|l| l.strip_suffix(')'));
            match pair.and_then(|pair| pair.split_once('(')) {
                Some((port, net)) => connections.push((port.into(), net.into())),
                None => return Err(self.error(line, "a port connection was expected")),
            }
        }
    }

    /// Statements up to a line that begins with `end`, and that line.
    fn statements(&mut self) -> Result<(Vec<Statement>, &'a str), Error> {
        let mut all = Vec::new();
        let mut line = self.need_line()?;
        loop {
            if line == "end" {
                return Ok((all, line));
            }
            if let Some(condition) = line.strip_prefix("if (").and_then(|rest| rest.strip_suffix(") begin")) {
                let condition = self.tokens(condition)?;
                let (then, _) = self.statements()?;
                line = self.need_line()?;
                let mut otherwise = Vec::new();
                if line == "else begin" {
                    (otherwise, _) = self.statements()?;
                    line = self.need_line()?;
                }
                all.push(Statement::If { condition, then, otherwise });
                continue;
            }
            let sides = line.strip_suffix(';').and_then(|rest| rest.split_once(" = "));
            let (target, value) = sides.ok_or_else(|| self.error(line, "a statement was expected"))?;
            let (net, bits) = match self.tokens(target)?.as_slice() {
                [Token::Name(net)] => (net.clone(), None),
                [Token::Name(net), Token::Bits { lo, width }] => (net.clone(), Some((*lo, *width))),
                _ => return Err(self.error(line, "a net or a constant slice of it was expected on the left")),
            };
            all.push(Statement::Set { net, bits, value: self.tokens(value)? });
            line = self.need_line()?;
        }
    }

    fn tokens(&self, text: &str) -> Result<Vec<Token>, Error> {
        tokens(text).ok_or_else(|| self.error(text, "an expression was expected"))
    }
}

/// `<kind> [<width - 1>:0] <name>;`
fn declaration(line: &str) -> Option<Declaration> {
    let line = line.strip_suffix(';')?;
    let kind = KINDS.into_iter().find(|kind| line.strip_prefix(kind).is_some_and(|rest| rest.starts_with(' ')))?;
    let words: Vec<&str> = line[kind.len()..].split_whitespace().collect();
    let (width, name) = match words.as_slice() {
        [name] => (1, name),
        [range, name] => {
            let high: usize = range.strip_prefix('[')?.strip_suffix(":0]")?.parse().ok()?;
            (high + 1, name)
        }
        _ => return None,
    };
    Some(Declaration { kind, name: (*name).into(), width })
}
