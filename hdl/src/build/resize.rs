//! Where widths change: extensions, slices, concatenations. What is known while building is resolved, so that little needs a name.

use super::address_bits;
use super::expression::{BinaryOp, Expr, Node, lit, zero};

impl Expr {
    /// Zero-extended to `width` bits.
    pub fn zext(&self, width: usize) -> Expr {
        self.extend(width, zero)
    }

    /// Sign-extended to `width` bits.
    pub fn sext(&self, width: usize) -> Expr {
        self.extend(width, |missing| self.bit(self.width - 1).repeat(missing))
    }

    fn extend(&self, width: usize, upper: impl FnOnce(usize) -> Expr) -> Expr {
        if width == self.width || self.is_poison() {
            return Expr { node: self.node.clone(), width };
        }
        if width < self.width {
            return Expr::poison(width, format!("extension of {} bits to {width} bits", self.width));
        }
        Expr::concat(&[&upper(width - self.width), self])
    }

    /// The low `width` bits.
    pub fn trunc(&self, width: usize) -> Expr {
        self.bits(0, width)
    }

    /// Bit `i`.
    pub fn bit(&self, i: usize) -> Expr {
        self.bits(i, 1)
    }

    /// Bits `lo .. lo + width`.
    pub fn bits(&self, lo: usize, width: usize) -> Expr {
        if self.is_poison() {
            return Expr { node: self.node.clone(), width };
        }
        if width == 0 || lo + width > self.width {
            return Expr::poison(width, format!("bits {lo} to {} of a value of {} bits", lo + width, self.width));
        }
        if width == self.width {
            return self.clone();
        }
        match self.node() {
            Node::Literal(value) => {
                let shifted = if lo < 64 { value >> lo } else { 0 };
                let mask = if width < 64 { (1 << width) - 1 } else { u64::MAX };
                Expr::checked(Node::Literal(shifted & mask), width)
            }
            Node::Slice { base, lo: inner } => base.bits(inner + lo, width),
            Node::Concat(parts) => bits_of_parts(parts, lo, width),
            Node::Repeat(_, part) if part.width == 1 => part.repeat(width),
            _ => Expr::checked(Node::Slice { base: self.clone(), lo }, width),
        }
    }

    /// Bit number `index`; unspecified where there is no such bit.
    pub fn bit_at(&self, index: &Expr) -> Expr {
        self.bits_at(index, 1)
    }

    /// Element number `index` of elements of `width` bits, lowest first; unspecified where there is no such element.
    pub fn bits_at(&self, index: &Expr, width: usize) -> Expr {
        if let Some(poison) = [self, index].into_iter().find(|e| e.is_poison()) {
            return Expr { node: poison.node.clone(), width };
        }
        if width == 0 || !self.width.is_multiple_of(width) {
            return Expr::poison(width, format!("elements of {width} bits of a value of {} bits", self.width));
        }
        if width == self.width {
            return self.clone();
        }
        if let Node::Literal(number) = index.node() {
            let in_range = usize::try_from(*number).ok().filter(|number| *number < self.width / width);
            return match in_range {
                Some(number) => self.bits(number * width, width),
                None => Expr::poison(width, format!("element {number} of a value of {} bits", self.width)),
            };
        }
        // Exactly the width that a bit number of this value has, as the tools' width checks want it.
        let offset_bits = address_bits(self.width);
        let offset = if width.is_power_of_two() {
            let shift = width.trailing_zeros() as usize;
            let index = index.resized(offset_bits - shift);
            if shift == 0 { index } else { Expr::concat(&[&index, &zero(shift)]) }
        } else {
            index.resized(offset_bits).binary(BinaryOp::Mul, &lit(width as u64, offset_bits), offset_bits)
        };
        Expr::checked(Node::Select { base: self.clone(), offset }, width)
    }

    fn resized(&self, width: usize) -> Expr {
        if width <= self.width { self.trunc(width) } else { self.zext(width) }
    }

    /// Parts side by side, most significant first.
    pub fn concat(parts: &[&Expr]) -> Expr {
        let width = parts.iter().map(|part| part.width).sum();
        if let Some(poison) = parts.iter().find(|part| part.is_poison()) {
            return Expr { node: poison.node.clone(), width };
        }
        match parts {
            [] => Expr::poison(1, "a concatenation of nothing".into()),
            [part] => (*part).clone(),
            _ => Expr::checked(Node::Concat(parts.iter().map(|part| (*part).clone()).collect()), width),
        }
    }

    /// `n` copies side by side.
    pub fn repeat(&self, n: usize) -> Expr {
        match n {
            _ if self.is_poison() => Expr { node: self.node.clone(), width: (self.width * n).max(1) },
            1 => self.clone(),
            _ => Expr::checked(Node::Repeat(n, self.clone()), self.width * n),
        }
    }
}

/// Bits `lo .. lo + width` of a concatenation, taken from its parts.
fn bits_of_parts(parts: &[Expr], lo: usize, width: usize) -> Expr {
    let mut taken = Vec::new();
    let mut start = 0;
    for part in parts.iter().rev() {
        let from = lo.max(start);
        let to = (lo + width).min(start + part.width);
        if from < to {
            taken.push(part.bits(from - start, to - from));
        }
        start += part.width;
    }
    let taken: Vec<&Expr> = taken.iter().rev().collect();
    Expr::concat(&taken)
}
