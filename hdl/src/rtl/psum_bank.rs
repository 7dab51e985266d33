//! The partial sums of one lane's kernels.

use super::Widths;
use crate::build::{Expr, Header, Module, zero};
use basisn_arch::ChipConfig;

const HEADER: Header = Header {
    function: "Adds the lane's results to psums in one of two memories, while the drain reads the other.",
    latency: "2 cycles from update_valid to the psum in the memory, 1 cycle from bank_read to psum.",
    handshake: "None: an update and a bank_read a cycle. bank_read and updates are never in the same half.",
    invariants: "Updates of one psum are at least 2 cycles apart: a slot has one, and slots begin 3 cycles apart.",
};

/// The psum bank of a lane.
pub fn psum_bank(config: &ChipConfig) -> Module {
    let w = Widths::of(config);
    let mut m = Module::new("psum_bank", HEADER);
    let update_valid = m.input("update_valid", 1);
    let update_first = m.input("update_first", 1);
    let update_address = m.input("update_address", w.psum_address);
    let update_value = m.input("update_value", 32);
    let bank_read = m.input("bank_read", 1);
    let bank_half = m.input("bank_half", 1);
    let bank_address = m.input("bank_address", w.half_address);
    let psum = m.output("psum", 32);

    let half_words = config.psum_words() / 2;
    let halves = ["lower", "upper"].map(|name| m.memory(name, half_words, 32));
    let write = m.register("write", 1);
    let write_first = m.register("write_first", 1);
    let write_half = m.register("write_half", 1);
    let write_address = m.register("write_address", w.half_address);
    let write_value = m.register("write_value", 32);
    let shown_half = m.register("shown_half", 1);

    let update_half = m.define("update_half", &update_address.ge_const(half_words as u64));
    let in_upper = update_address.sub_const(half_words as u64);
    let in_half = m.select("address_in_half", &update_half, &in_upper, &update_address);
    let update_place = m.define("update_place", &in_half.trunc(w.half_address));
    m.when(&bank_read, |m| m.set(&shown_half.d(), &bank_half));
    m.set(&write.d(), &update_valid);
    m.when(&update_valid, |m| {
        m.set(&write_first.d(), &update_first);
        m.set(&write_half.d(), &update_half);
        m.set(&write_address.d(), &update_place);
        m.set(&write_value.d(), &update_value);
    });

    let [lower, upper] = &halves;
    let shown = m.select("shown_psum", &shown_half.q(), &upper.read_data, &lower.read_data);
    m.set(&psum, &shown);
    let stored = m.select("stored", &write_half.q(), &upper.read_data, &lower.read_data);
    let earlier = m.select("earlier", &write_first.q(), &zero(32), &stored);
    let updated = m.define("updated", &earlier.add(&write_value.q()));
    for (half, memory) in halves.iter().enumerate() {
        let in_this = |other: &Expr| if half == 1 { other.clone() } else { other.not() };
        let updates = m.define(&format!("updates_{half}"), &update_valid.and(&in_this(&update_half)));
        let drains = bank_read.and(&in_this(&bank_half));
        let address = m.select(&format!("read_address_{half}"), &updates, &update_place, &bank_address);
        m.set(&memory.read_enable, &updates.or(&drains));
        m.set(&memory.read_address, &address);
        m.set(&memory.write_enable, &write.q().and(&in_this(&write_half.q())));
        m.set(&memory.write_address, &write_address.q());
        m.set(&memory.write_data, &updated);
    }
    m
}
