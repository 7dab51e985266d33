//! Expressions as tokens: enough to rename nets, to write constant slices in the usual form and to see what is read.

/// One token of an expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token {
    /// A net.
    Name(String),
    /// A number, sized or not, or a system function.
    Word(String),
    /// An operator or a bracket.
    Sign(&'static str),
    /// Constant bits `lo .. lo + width` of the net before it.
    Bits { lo: usize, width: usize },
}

/// Longest first.
const SIGNS: [&str; 25] = [
    ">>>", "<<", ">>", "<=", ">=", "==", "!=", "+:", "(", ")", "[", "]", "{", "}", ",", "+", "-", "*", "&", "|", "^",
    "~", "<", ">", "?",
];

/// Splits an expression; `None` where a character has no meaning here.
pub(super) fn tokens(text: &str) -> Option<Vec<Token>> {
    let mut all = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let end = |ok: fn(char) -> bool| rest.find(|c| !ok(c)).unwrap_or(rest.len());
        let length = if first.is_ascii_alphabetic() || first == '_' {
            let length = end(|c| c.is_ascii_alphanumeric() || c == '_' || c == '$');
            all.push(Token::Name(rest[..length].into()));
            length
        } else if first.is_ascii_digit() || first == '$' {
            let length = end(|c| c.is_ascii_alphanumeric() || c == '\'' || c == '$');
            all.push(Token::Word(rest[..length].into()));
            length
        } else {
            let sign = SIGNS.iter().find(|sign| rest.starts_with(**sign))?;
            all.push(Token::Sign(sign));
            sign.len()
        };
        rest = rest[length..].trim_start();
    }
    Some(constant_bits(&all))
}

/// `[(32'h<lo>)+:(<width>)]` becomes constant bits.
fn constant_bits(all: &[Token]) -> Vec<Token> {
    let mut out = Vec::new();
    let mut rest = all;
    while let Some((first, tail)) = rest.split_first() {
        match rest {
            [
                Token::Sign("["),
                Token::Sign("("),
                Token::Word(lo),
                Token::Sign(")"),
                Token::Sign("+:"),
                Token::Sign("("),
                Token::Word(width),
                Token::Sign(")"),
                Token::Sign("]"),
                after @ ..,
            ] => {
                match (number(lo), number(width)) {
                    (Some(lo), Some(width)) => out.push(Token::Bits { lo, width }),
                    _ => out.extend_from_slice(&rest[..9]),
                }
                rest = after;
            }
            _ => {
                out.push(first.clone());
                rest = tail;
            }
        }
    }
    out
}

/// A decimal number, or a sized hexadecimal one.
fn number(text: &str) -> Option<usize> {
    match text.split_once("'h") {
        Some((_, digits)) => usize::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    }
}

/// Calls `f` for every net that is read, with its bits where they are constant.
pub(super) fn for_each_read<'a>(value: &'a [Token], f: &mut impl FnMut(&'a str, Option<(usize, usize)>)) {
    for (i, token) in value.iter().enumerate() {
        if let Token::Name(name) = token {
            let bits = match value.get(i + 1) {
                Some(Token::Bits { lo, width }) => Some((*lo, *width)),
                _ => None,
            };
            f(name, bits);
        }
    }
}

/// `[7:4]` or `[3]`.
pub(super) fn bits_text(lo: usize, width: usize) -> String {
    if width == 1 { format!("[{lo}]") } else { format!("[{}:{lo}]", lo + width - 1) }
}

/// The expression as text: binary operators between spaces, the others tight.
pub(super) fn text(value: &[Token]) -> String {
    let mut out = String::new();
    // Whether an operand comes next, so that `-`, `&` and the like are prefixes.
    let mut prefix = true;
    for token in value {
        match token {
            Token::Name(word) | Token::Word(word) => out.push_str(word),
            Token::Bits { lo, width } => out.push_str(&bits_text(*lo, *width)),
            Token::Sign(",") => out.push_str(", "),
            Token::Sign(sign @ ("(" | ")" | "[" | "]" | "{" | "}")) => out.push_str(sign),
            Token::Sign(sign) if prefix => out.push_str(sign),
            Token::Sign(sign) => {
                out.push(' ');
                out.push_str(sign);
                out.push(' ');
            }
        }
        prefix = matches!(token, Token::Sign(sign) if !matches!(*sign, ")" | "]" | "}"));
    }
    out
}
