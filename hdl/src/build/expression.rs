//! Expressions whose Verilog has exactly the stated width.
//!
//! Operands of an operation have one width, which is also the width that Verilog evaluates them in; widths change only by concatenation
//! and by slices of named nets. A mistake makes the expression *poisoned*: it goes on to the statement that uses it, which reports it.

use std::rc::Rc;

/// A combinational value; cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expr {
    pub(super) node: Rc<Node>,
    pub(super) width: usize,
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

    pub(super) fn is_poison(&self) -> bool {
        self.mistake().is_some()
    }

    /// Width in bits.
    pub fn width(&self) -> usize {
        self.width
    }

    pub(super) fn binary(&self, op: BinaryOp, other: &Expr, width: usize) -> Expr {
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
}
