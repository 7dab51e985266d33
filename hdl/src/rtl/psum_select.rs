//! The psum that the drain reads, of the tile's lanes.

use super::{Widths, element, one_hot};
use crate::build::{Header, Module};
use basisn_arch::ChipConfig;

const HEADER: Header = Header {
    function: "Reads the psum bank of one lane for the drain.",
    latency: "2 cycles from drain_read to psum.",
    handshake: "None: one read a cycle.",
    invariants: "psum is stable from one read to the next.",
};

/// The selection of a tile's psum bank.
pub fn psum_select(config: &ChipConfig) -> Module {
    let (w, lanes) = (Widths::of(config), config.lanes());
    let mut m = Module::new("psum_select", HEADER);
    let drain_read = m.input("drain_read", 1);
    let drain_lane = m.input("drain_lane", w.lane);
    let bank_psum = m.input("bank_psum", 32 * lanes);
    let bank_read = m.output("bank_read", lanes);
    let psum = m.output("psum", 32);

    m.set(&bank_read, &one_hot(&drain_lane, lanes).and(&drain_read.repeat(lanes)));

    let reading = m.register("reading", 1);
    let lane = m.register("lane", w.lane);
    let selected_psum = m.register("selected_psum", 32);
    m.set(&reading.d(), &drain_read);
    m.set(&lane.d(), &drain_lane);
    m.when(&reading.q(), |m| m.set(&selected_psum.d(), &element(&bank_psum, &lane.q(), 32)));
    m.set(&psum, &selected_psum.q());
    m
}
