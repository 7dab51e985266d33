//! Expressions whose Verilog has exactly the stated width.
//!
//! Operands of an operation have one width, which is also the width that Verilog evaluates them in; widths change only by concatenation
//! and by slices of named nets. A mistake makes the expression *poisoned*: it goes on to the statement that uses it, which reports it.

use std::rc::Rc;

use super::address_bits;

/// A combinational value; cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expr {
    node: Rc<Node>,
    width: usize,
}

/// What an expression is.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Node {
    /// A mistake, in words.
    Poison(String),
    /// A net of the module, by its Rust-HDL name (`instance$port` for a child's).
    Signal(String),
    Literal(u64),
    Unary(UnaryOp, Expr),
    Binary(BinaryOp, Expr, Expr),
    /// Constant slice from bit `lo`; the width is the expression's.
    Slice {
        base: Expr,
        lo: usize,
    },
    /// Slice from a computed bit; the width is the expression's.
    Select {
        base: Expr,
        offset: Expr,
    },
    /// Most significant first.
    Concat(Vec<Expr>),
    Repeat(usize, Expr),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum UnaryOp {
    Not,
    Negate,
    Any,
    All,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BinaryOp {
    Add,
    Sub,
    Mul,
    MulSigned,
    And,
    Or,
    Xor,
    ShiftLeft,
    ShiftRight,
    ShiftRightSigned,
    Equal,
    NotEqual,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    LessSigned,
    LessEqualSigned,
    GreaterSigned,
    GreaterEqualSigned,
}

/// The constant `value` in `width` bits.
pub fn lit(value: u64, width: usize) -> Expr {
    if width < 64 && value >> width != 0 {
        return Expr::poison(width, format!("the constant {value} does not fit into {width} bits"));
    }
    Expr::checked(Node::Literal(value), width)
}

/// Zero in any number of bits.
pub fn zero(width: usize) -> Expr {
    Expr::checked(Node::Literal(0), width)
}

/// All bits one, in any number of bits.
pub fn ones(width: usize) -> Expr {
    if width <= 64 { lit(u64::MAX >> (64 - width.clamp(1, 64)), width) } else { lit(1, 1).repeat(width) }
}

macro_rules! same_width {
    ($($(#[$doc:meta])* $name:ident => $op:ident;)*) => {
        $($(#[$doc])* pub fn $name(&self, other: &Expr) -> Expr { self.binary(BinaryOp::$op, other, self.width) })*
    };
}

macro_rules! one_bit {
    ($($(#[$doc:meta])* $name:ident => $op:ident;)*) => {
        $($(#[$doc])* pub fn $name(&self, other: &Expr) -> Expr { self.binary(BinaryOp::$op, other, 1) })*
    };
}

macro_rules! with_constant {
    ($($(#[$doc:meta])* $name:ident => $op:ident;)*) => {
        $($(#[$doc])* pub fn $name(&self, value: u64) -> Expr { self.$op(&lit(value, self.width)) })*
    };
}

#[allow(clippy::should_implement_trait)] // A hardware `add` wraps and `not` keeps a width; the operators' names would hide that.
impl Expr {
    pub(crate) fn poison(width: usize, cause: String) -> Expr {
        Expr { node: Rc::new(Node::Poison(cause)), width: width.max(1) }
    }

    pub(crate) fn signal(name: String, width: usize) -> Expr {
        Expr::checked(Node::Signal(name), width)
    }

    /// An expression whose parts the caller has checked.
    pub(crate) fn checked(node: Node, width: usize) -> Expr {
        if width == 0 {
            return Expr::poison(1, "a value of 0 bits".into());
        }
        Expr { node: Rc::new(node), width }
    }

    pub(crate) fn node(&self) -> &Node {
        &self.node
    }

    /// Identity of the shared node, for naming a shared value once.
    pub(crate) fn address(&self) -> *const Node {
        Rc::as_ptr(&self.node)
    }

    /// The mistake that this expression carries.
    pub(crate) fn mistake(&self) -> Option<&str> {
        match self.node() {
            Node::Poison(cause) => Some(cause),
            _ => None,
        }
    }

    fn is_poison(&self) -> bool {
        self.mistake().is_some()
    }

    /// Width in bits.
    pub fn width(&self) -> usize {
        self.width
    }

    fn binary(&self, op: BinaryOp, other: &Expr, width: usize) -> Expr {
        if self.is_poison() {
            return Expr { node: self.node.clone(), width };
        }
        if other.is_poison() {
            return Expr { node: other.node.clone(), width };
        }
        if self.width != other.width {
            return Expr::poison(width, format!("{op:?} of {} bits and {} bits", self.width, other.width));
        }
        Expr::checked(Node::Binary(op, self.clone(), other.clone()), width)
    }

    fn unary(&self, op: UnaryOp, width: usize) -> Expr {
        if self.is_poison() {
            return Expr { node: self.node.clone(), width };
        }
        Expr::checked(Node::Unary(op, self.clone()), width)
    }

    same_width! {
        /// Sum, wrapping.
        add => Add;
        /// Difference, wrapping.
        sub => Sub;
        /// Bitwise and.
        and => And;
        /// Bitwise or.
        or => Or;
        /// Bitwise exclusive or.
        xor => Xor;
    }

    one_bit! {
        /// 1 when equal.
        eq => Equal;
        /// 1 when different.
        ne => NotEqual;
        /// Unsigned less than.
        lt => Less;
        /// Unsigned less than or equal.
        le => LessEqual;
        /// Unsigned greater than or equal.
        ge => GreaterEqual;
        /// Unsigned greater than.
        gt => Greater;
        /// Two's complement less than.
        lt_signed => LessSigned;
        /// Two's complement less than or equal.
        le_signed => LessEqualSigned;
        /// Two's complement greater than or equal.
        ge_signed => GreaterEqualSigned;
        /// Two's complement greater than.
        gt_signed => GreaterSigned;
    }

    with_constant! {
        /// 1 when equal to a constant.
        eq_const => eq;
        /// 1 when different from a constant.
        ne_const => ne;
        /// Unsigned less than a constant.
        lt_const => lt;
        /// Unsigned greater than or equal to a constant.
        ge_const => ge;
        /// Sum with a constant, wrapping.
        add_const => add;
        /// Difference to a constant, wrapping.
        sub_const => sub;
    }

    /// Bitwise complement.
    pub fn not(&self) -> Expr {
        self.unary(UnaryOp::Not, self.width)
    }

    /// Two's complement negation, wrapping.
    pub fn neg(&self) -> Expr {
        self.unary(UnaryOp::Negate, self.width)
    }

    /// 1 when any bit is set.
    pub fn any(&self) -> Expr {
        if self.width == 1 { self.clone() } else { self.unary(UnaryOp::Any, 1) }
    }

    /// 1 when all bits are set.
    pub fn all(&self) -> Expr {
        if self.width == 1 { self.clone() } else { self.unary(UnaryOp::All, 1) }
    }

    /// Zero-extended to `width` bits.
    pub fn zext(&self, width: usize) -> Expr {
        self.extend(width, |missing| zero(missing))
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
        if width == 0 || self.width % width != 0 {
            return Expr::poison(width, format!("elements of {width} bits of a value of {} bits", self.width));
        }
        if width == self.width {
            return self.clone();
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

    /// Shifted left by a constant, same width.
    pub fn shl(&self, n: usize) -> Expr {
        if n == 0 || self.is_poison() {
            self.clone()
        } else if n >= self.width {
            zero(self.width)
        } else {
            Expr::concat(&[&self.trunc(self.width - n), &zero(n)])
        }
    }

    /// Shifted left, same width.
    pub fn shl_by(&self, amount: &Expr) -> Expr {
        self.shift(BinaryOp::ShiftLeft, amount)
    }

    /// Shifted right with zeros, same width.
    pub fn shr_by(&self, amount: &Expr) -> Expr {
        self.shift(BinaryOp::ShiftRight, amount)
    }

    /// Shifted right arithmetically, same width.
    pub fn sra_by(&self, amount: &Expr) -> Expr {
        self.shift(BinaryOp::ShiftRightSigned, amount)
    }

    fn shift(&self, op: BinaryOp, amount: &Expr) -> Expr {
        if let Some(poison) = [self, amount].into_iter().find(|e| e.is_poison()) {
            return Expr { node: poison.node.clone(), width: self.width };
        }
        Expr::checked(Node::Binary(op, self.clone(), amount.clone()), self.width)
    }

    /// Two's complement product, its low `out_width` bits.
    pub fn mul_signed(&self, other: &Expr, out_width: usize) -> Expr {
        let fit = |e: &Expr| if e.width > out_width { e.trunc(out_width) } else { e.sext(out_width) };
        fit(self).binary(BinaryOp::MulSigned, &fit(other), out_width)
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
