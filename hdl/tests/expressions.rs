//! Every operation of an expression, alone and nested, against its meaning in Rust: Icarus evaluates the emitted text.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

mod support;

use std::fmt::Write;
use std::rc::Rc;

use basisn_hdl::build::{Expr, Module, lit, ones, zero};
use rand::Rng;
use rand::rngs::StdRng;

const INPUT_WIDTHS: [usize; 9] = [1, 3, 4, 8, 8, 13, 16, 33, 48];
const VECTORS: usize = 60;

type Meaning = Rc<dyn Fn(&[u64]) -> u128>;

/// An expression and what it means.
#[derive(Clone)]
struct Value {
    expr: Expr,
    meaning: Meaning,
}

fn mask(value: u128, width: usize) -> u128 {
    value & (u128::MAX >> (128 - width))
}

fn signed(value: u128, width: usize) -> i128 {
    ((value << (128 - width)) as i128) >> (128 - width)
}

impl Value {
    fn new(expr: Expr, meaning: impl Fn(&[u64]) -> u128 + 'static) -> Value {
        let width = expr.width();
        Value { expr, meaning: Rc::new(move |inputs| mask(meaning(inputs), width)) }
    }

    fn width(&self) -> usize {
        self.expr.width()
    }

    fn map(&self, expr: Expr, f: impl Fn(u128) -> u128 + 'static) -> Value {
        let meaning = self.meaning.clone();
        Value::new(expr, move |inputs| f(meaning(inputs)))
    }

    fn with(&self, other: &Value, expr: Expr, f: impl Fn(u128, u128) -> u128 + 'static) -> Value {
        let (a, b) = (self.meaning.clone(), other.meaning.clone());
        Value::new(expr, move |inputs| f(a(inputs), b(inputs)))
    }

    /// Same value or its extension or its cut, in `width` bits.
    fn fit(&self, width: usize, random: &mut StdRng) -> Value {
        let (e, own) = (&self.expr, self.width());
        if width < own {
            let lo = if random.random() { 0 } else { random.random_range(0..=own - width) };
            self.map(e.bits(lo, width), move |v| v >> lo)
        } else if random.random() {
            self.map(e.zext(width), |v| v)
        } else {
            self.map(e.sext(width), move |v| signed(v, own) as u128)
        }
    }
}

type Binary = fn(&Expr, &Expr) -> Expr;
type Arithmetic = fn(u128, u128) -> u128;
type Compare = fn(i128, i128) -> bool;

const SAME_WIDTH: [(Binary, Arithmetic); 5] = [
    (Expr::add, u128::wrapping_add),
    (Expr::sub, u128::wrapping_sub),
    (Expr::and, |a, b| a & b),
    (Expr::or, |a, b| a | b),
    (Expr::xor, |a, b| a ^ b),
];
const COMPARE: [(Binary, Compare, bool); 10] = [
    (Expr::eq, |a, b| a == b, false),
    (Expr::ne, |a, b| a != b, false),
    (Expr::lt, |a, b| a < b, false),
    (Expr::le, |a, b| a <= b, false),
    (Expr::ge, |a, b| a >= b, false),
    (Expr::gt, |a, b| a > b, false),
    (Expr::lt_signed, |a, b| a < b, true),
    (Expr::le_signed, |a, b| a <= b, true),
    (Expr::ge_signed, |a, b| a >= b, true),
    (Expr::gt_signed, |a, b| a > b, true),
];
/// Operations that `operation` knows.
const OPERATIONS: usize = 32;

/// Operation number `op` of operands that are fitted to it.
fn operation(op: usize, a: &Value, b: &Value, random: &mut StdRng) -> Value {
    let width = a.width();
    let same = |random: &mut StdRng| b.fit(width, random);
    // Wide enough to shift everything out.
    let amount = |random: &mut StdRng| b.fit(random.random_range(1..=7), random);
    let e = &a.expr;
    match op {
        0..5 => {
            let (build, meaning) = SAME_WIDTH[op];
            let b = same(random);
            a.with(&b, build(e, &b.expr), meaning)
        }
        5..15 => {
            let (build, meaning, is_signed) = COMPARE[op - 5];
            let b = same(random);
            let read = move |v| if is_signed { signed(v, width) } else { v as i128 };
            a.with(&b, build(e, &b.expr), move |a, b| meaning(read(a), read(b)) as u128)
        }
        15 => a.map(e.not(), |v| !v),
        16 => a.map(e.neg(), u128::wrapping_neg),
        17 => a.map(e.any(), |v| (v != 0) as u128),
        18 => a.map(e.all(), move |v| (v == mask(u128::MAX, width)) as u128),
        19 => {
            let n = random.random_range(0..=width);
            a.map(e.shl(n), move |v| v << n)
        }
        20 => {
            let b = amount(random);
            a.with(&b, e.shl_by(&b.expr), |a, n| if n < 128 { a << n } else { 0 })
        }
        21 => {
            let b = amount(random);
            a.with(&b, e.shr_by(&b.expr), |a, n| if n < 128 { a >> n } else { 0 })
        }
        22 => {
            let b = amount(random);
            a.with(&b, e.sra_by(&b.expr), move |a, n| (signed(a, width) >> n.min(127)) as u128)
        }
        23 => {
            let (wb, out) = (b.width(), random.random_range(1..=48));
            a.with(b, e.mul_signed(&b.expr, out), move |a, b| signed(a, width).wrapping_mul(signed(b, wb)) as u128)
        }
        24 => {
            let low = b.fit(random.random_range(1..=20), random);
            let bits = low.width();
            a.with(&low, Expr::concat(&[e, &low.expr]), move |a, b| a << bits | b)
        }
        25 => {
            let (n, a) = (random.random_range(1..=3), a.fit(width.min(40), random));
            let width = a.width();
            a.map(a.expr.repeat(n), move |v| (0..n).fold(0, |all, _| all << width | v))
        }
        26 => {
            // As many elements as the index can name, so that each is there.
            let index_bits = random.random_range(1..=3);
            let element = random.random_range(1..=5);
            let vector = a.fit(element << index_bits, random);
            let index = b.fit(index_bits, random);
            let expr = vector.expr.bits_at(&index.expr, element);
            vector.with(&index, expr, move |v, i| v >> (i as usize * element))
        }
        27 => {
            let vector = a.fit(8, random);
            let index = b.fit(3, random);
            vector.with(&index, vector.expr.bit_at(&index.expr), |v, i| v >> i)
        }
        28 => {
            let i = random.random_range(0..width);
            a.map(e.bit(i), move |v| v >> i)
        }
        29 => a.map(e.add_const(1), |v| v.wrapping_add(1)),
        30 => a.map(e.sub_const(1), |v| v.wrapping_sub(1)),
        _ => {
            let constant = random.random_range(0..1u64 << width.min(20));
            a.map(e.lt_const(constant), move |v| (v < constant as u128) as u128)
        }
    }
}

/// A random expression of at most that depth and a handy width.
fn tree(depth: usize, inputs: &[Value], random: &mut StdRng) -> Value {
    if depth == 0 {
        let pick = random.random_range(0..inputs.len() + 2);
        return match pick.checked_sub(inputs.len()) {
            None => inputs[pick].clone(),
            Some(0) => {
                let (width, value) = (random.random_range(1..=20), random.random::<u64>());
                let value = mask(value.into(), width);
                Value::new(lit(value as u64, width), move |_| value)
            }
            _ => {
                let width = random.random_range(1..=40);
                if random.random() { Value::new(zero(width), |_| 0) } else { Value::new(ones(width), |_| u128::MAX) }
            }
        };
    }
    let a = tree(depth - 1, inputs, random);
    let b = if random.random_range(0..4) == 0 { a.clone() } else { tree(depth - 1, inputs, random) };
    let value = operation(random.random_range(0..OPERATIONS), &a, &b, random);
    if value.width() > 40 { value.fit(random.random_range(1..=40), random) } else { value }
}

/// The seven nested expressions that `#[hdl_gen]` of Rust-HDL gets wrong, and those like them.
fn traps(inputs: &[Value]) -> Vec<Value> {
    let (a, b, n) = (&inputs[3], &inputs[4], &inputs[1]);
    let (ea, eb) = (&a.expr, &b.expr);
    let sum = a.with(b, ea.add(eb), u128::wrapping_add);
    let s8 = |v: u128| signed(v & 255, 8);
    vec![
        a.map(ea.not().zext(16), |v| !v & 255),
        a.with(n, ea.shl_by(&n.expr).shr_by(&n.expr).zext(16), |v, n| (v << n & 255) >> n),
        a.with(n, ea.sext(16).shl_by(&n.expr), move |v, n| (s8(v) << n) as u128),
        sum.map(sum.expr.zext(16), |v| v),
        {
            let low = (ea.trunc(4), eb.trunc(4));
            a.with(b, low.0.add(&low.1).zext(8), |a, b| (a + b) & 15)
        },
        a.with(b, ea.and(eb).eq(eb), |a, b| (a & b == b) as u128),
        a.with(b, ea.sub_const(1).gt(eb), |a, b| (a.wrapping_sub(1) & 255 > b) as u128),
        a.with(b, ea.neg().lt_signed(eb), move |a, b| (s8(a.wrapping_neg()) < s8(b)) as u128),
        a.with(b, ea.neg().sext(16).sub(&eb.sext(16)), move |a, b| (s8(a.wrapping_neg()) - s8(b)) as u128),
        sum.map(sum.expr.bits(3, 4), |v| v >> 3),
        a.with(n, ea.sra_by(&n.expr).zext(12), move |v, n| (s8(v) >> n) as u128 & 255),
        a.with(b, ea.sub(eb).sra_by(&lit(2, 2)).add(eb), move |a, b| {
            ((s8(a.wrapping_sub(b)) >> 2) as u128).wrapping_add(b)
        }),
    ]
}

/// Sets an output by one of the ways to write a value.
fn drive(m: &mut Module, name: &str, value: &Value, way: usize) {
    let out = m.output(name, value.width());
    let other = value.expr.not();
    match way {
        0 => m.set(&out, &value.expr),
        1 => {
            let defined = m.define(&format!("{name}_value"), &value.expr);
            m.set(&out, &defined);
        }
        2 => {
            let odd = value.expr.eq(&value.expr);
            let chosen = m.select(&format!("{name}_choice"), &odd, &value.expr, &other);
            m.set(&out, &chosen);
        }
        3 => {
            let (low, high) = (value.width() / 2, value.width() - value.width() / 2);
            if low > 0 {
                m.set_bits(&out, 0, &value.expr.trunc(low));
            }
            m.set_bits(&out, low, &value.expr.bits(low, high));
        }
        4 => m.when_else(&value.expr.any(), |m| m.set(&out, &value.expr), |m| m.set(&out, &zero(out.width()))),
        _ => {
            // A later statement replaces a value that has been read meanwhile.
            m.set(&out, &other);
            let read = m.define(&format!("{name}_before"), &out.read().not());
            m.when(&read.eq(&value.expr), |m| {
                let inner = m.define(&format!("{name}_inner"), &out.read());
                m.set(&out, &zero(value.width()));
                let again = m.define(&format!("{name}_again"), &out.read().or(&inner.add_const(1)).sub_const(1));
                m.set(&out, &again.not());
            });
        }
    }
}

#[test]
fn emitted_expressions_have_their_meaning() {
    let mut random = support::random();
    let mut m = Module::new("expressions", support::HEADER);
    let inputs: Vec<Value> = INPUT_WIDTHS
        .iter()
        .enumerate()
        .map(|(i, &width)| Value::new(m.input(&format!("i{i}"), width), move |inputs| inputs[i].into()))
        .collect();
    let mut cases = traps(&inputs);
    for op in 0..OPERATIONS {
        for (a, b) in [(0, 0), (3, 4), (4, 1), (5, 6), (7, 2), (8, 3), (6, 6)] {
            cases.push(operation(op, &inputs[a], &inputs[b], &mut random));
        }
    }
    for i in 0..250 {
        cases.push(tree(2 + i % 3, &inputs, &mut random));
    }
    for (i, case) in cases.iter().enumerate() {
        // A constant that is set in steps is refused.
        let is_constant = !format!("{:?}", case.expr).contains("Signal");
        let way = if i < 12 + 7 * OPERATIONS || is_constant { 0 } else { i % 6 };
        drive(&mut m, &format!("o{i}"), case, way);
    }
    let files = basisn_hdl::generate(m).unwrap();
    let folder = tempfile::tempdir().unwrap();
    support::write(folder.path(), &files);

    let vectors: Vec<Vec<u64>> = (0..VECTORS)
        .map(|_| {
            let value = |&width: &usize| match random.random_range(0..5) {
                0 => 0,
                1 => u64::MAX >> (64 - width),
                2 => 1 << (width - 1),
                _ => random.random::<u64>() >> (64 - width),
            };
            INPUT_WIDTHS.iter().map(value).collect()
        })
        .collect();
    std::fs::write(folder.path().join("bench.v"), bench(&cases, &vectors)).unwrap();
    support::tool(folder.path(), "iverilog", &["-g2001", "-Wall", "-o", "bench", "bench.v", "expressions.v"]);
    let printed = support::tool(folder.path(), "vvp", &["-n", "bench"]);
    let mut checked = 0;
    let mut lines = printed.lines();
    for (v, vector) in vectors.iter().enumerate() {
        for (i, case) in cases.iter().enumerate() {
            let expected = format!("{v} {i} {:x}", (case.meaning)(vector));
            let line = lines.next().unwrap_or("nothing");
            assert_eq!(line, expected, "inputs {vector:x?}, output o{i} of\n{}", files[0].text);
            checked += 1;
        }
    }
    assert_eq!(checked, VECTORS * cases.len());
    // Constants of random trees make some comparisons and indices constant; all else must be clean.
    let constants = ["-Wno-CMPCONST", "-Wno-UNSIGNED", "-Wno-UNUSEDSIGNAL"];
    support::tool(
        folder.path(),
        "verilator",
        &[&["--lint-only", "-Wall"], &constants[..], &["expressions.v"]].concat(),
    );
}

fn bench(cases: &[Value], vectors: &[Vec<u64>]) -> String {
    let mut text = String::from("module bench;\n    reg clock = 0, reset = 0;\n");
    let mut ports = String::from(".clock(clock), .reset(reset)");
    for (i, width) in INPUT_WIDTHS.iter().enumerate() {
        let _ = writeln!(text, "    reg [{}:0] i{i};", width - 1);
        let _ = write!(ports, ", .i{i}(i{i})");
    }
    for (i, case) in cases.iter().enumerate() {
        let _ = writeln!(text, "    wire [{}:0] o{i};", case.width() - 1);
        let _ = write!(ports, ", .o{i}(o{i})");
    }
    let _ = writeln!(text, "    expressions dut ({ports});\n    initial begin");
    for (v, vector) in vectors.iter().enumerate() {
        for (i, value) in vector.iter().enumerate() {
            let _ = writeln!(text, "        i{i} = {}'h{value:x};", INPUT_WIDTHS[i]);
        }
        text.push_str("        #1;\n");
        for i in 0..cases.len() {
            let _ = writeln!(text, "        $display(\"{v} {i} %0h\", o{i});");
        }
    }
    text.push_str("    end\nendmodule\n");
    text
}
