//! The partial sums of one lane's kernels.

use super::Widths;
use crate::build::{Header, Module, zero};
use basisn_arch::ChipConfig;

const HEADER: Header = Header {
    function: "Adds the lane's results to psums in one memory; the drain reads them from there.",
    latency: "2 cycles from update_valid to the psum in the memory, 1 cycle from drain_read to psum.",
    handshake: "None: one update a cycle. No drain_read in a cycle with an update.",
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
    let drain_read = m.input("drain_read", 1);
    let drain_address = m.input("drain_address", w.psum_address);
    let psum = m.output("psum", 32);

    let memory = m.memory("psums", config.psum_words(), 32);
    let write = m.register("write", 1);
    let write_first = m.register("write_first", 1);
    let write_address = m.register("write_address", w.psum_address);
    let write_value = m.register("write_value", 32);

    m.set(&psum, &memory.read_data);
    let read_address = m.select("read_address", &update_valid, &update_address, &drain_address);
    m.set(&memory.read_enable, &update_valid.or(&drain_read));
    m.set(&memory.read_address, &read_address);
    m.set(&write.d(), &update_valid);
    m.when(&update_valid, |m| {
        m.set(&write_first.d(), &update_first);
        m.set(&write_address.d(), &update_address);
        m.set(&write_value.d(), &update_value);
    });

    let earlier = m.select("earlier", &write_first.q(), &zero(32), &memory.read_data);
    let updated = m.define("updated", &earlier.add(&write_value.q()));
    m.set(&memory.write_enable, &write.q());
    m.set(&memory.write_address, &write_address.q());
    m.set(&memory.write_data, &updated);
    m
}
