//! A counter of steps of more than one.

use super::Widths;
use crate::build::{Expr, Header, Module, zero};
use basisn_arch::ChipConfig;

const HEADER: Header = Header::new(
    "Adds up steps since the last clear: their lowest eight bits at once, the carry a cycle later.",
    "2 cycles from step to count.",
    "None: a step a cycle.",
    "count is never between two sums: the lowest bits are shown when their carry has been added.",
);

/// Bits that are added at once.
const LOW: usize = 8;

/// A counter of 32 bits, without an adder of 32 bits.
pub fn step_counter(config: &ChipConfig) -> Module {
    let w = Widths::of(config);
    let mut m = Module::new("step_counter", HEADER);
    let clear = m.input("clear", 1);
    let step = m.input("step", w.count_step);
    let count = m.output("count", 32);

    let low = m.register("low", LOW);
    let carry = m.register("carry", 1);
    let shown = m.register("shown_low", LOW);
    let high = m.register("high", 32 - LOW);
    let sum = m.define("sum", &low.q().zext(LOW + 1).add(&step.zext(LOW + 1)));
    m.set(&low.d(), &sum.trunc(LOW));
    m.set(&carry.d(), &sum.bit(LOW));
    m.set(&shown.d(), &low.q());
    m.when(&carry.q(), |m| m.set(&high.d(), &high.q().add_const(1)));
    m.when(&clear, |m| {
        for register in [&low, &carry, &shown, &high] {
            m.set(&register.d(), &zero(register.q().width()));
        }
    });
    m.set(&count, &Expr::concat(&[&high.q(), &shown.q()]));
    m
}
