//! The psum that the drain reads, of the tile's lanes.

use super::{Widths, element, one_hot, registered};
use crate::build::{Header, Module};
use basisn_arch::ChipConfig;

const HEADER: Header = Header {
    function: "Reads the psum bank of one lane for the drain.",
    latency: "1 cycle from drain_read to bank_read, 3 to psum.",
    handshake: "None: one read a cycle.",
    invariants: "psum is stable from one read to the next.",
};

/// The selection of a tile's psum bank.
pub fn psum_select(config: &ChipConfig) -> Module {
    let (w, lanes) = (Widths::of(config), config.lanes());
    let mut m = Module::new("psum_select", HEADER);
    let drain_read = m.input("drain_read", 1);
    let drain_lane = m.input("drain_lane", w.lane);
    let drain_half = m.input("drain_half", 1);
    let drain_address = m.input("drain_address", w.half_address);
    let bank_psum = m.input("bank_psum", 32 * lanes);
    let psum = m.output("psum", 32);

    // The drain reaches all tiles; from here on, every net stays in one.
    let of_lane = one_hot(&drain_lane, lanes).and(&drain_read.repeat(lanes));
    for (name, value) in [("bank_read", of_lane), ("bank_half", drain_half), ("bank_address", drain_address)] {
        let output = m.output(name, value.width());
        let register = registered(&mut m, &format!("{name}_1"), &value);
        m.set(&output, &register);
    }
    let asked = registered(&mut m, "asked", &drain_read);
    let asked_lane = registered(&mut m, "asked_lane", &drain_lane);
    let reading = registered(&mut m, "reading", &asked);
    let lane = registered(&mut m, "lane", &asked_lane);
    let selected_psum = m.register("selected_psum", 32);
    m.when(&reading, |m| m.set(&selected_psum.d(), &element(&bank_psum, &lane, 32)));
    m.set(&psum, &selected_psum.q());
    m
}
