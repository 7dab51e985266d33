//! Tells the lanes which read the macros' codes belong to.

use super::{Widths, concat};
use crate::build::{Expr, Header, Module};
use basisn_arch::ChipConfig;

const HEADER: Header = Header {
    function: "Delays what the sequencer knows of a read until its codes are there, and on to its update of the psums.",
    latency: "code_*: the macros' read latency. term_* and block_retired: one cycle more.",
    handshake: "None: a read a cycle, taken when read_valid is high.",
    invariants: "slot_handed_over comes no later than two cycles before code_slot_first, or with its read_valid.",
};

/// The delay of the tags of all reads in flight; the tiles run in lock step and share it.
pub fn tag_delay(config: &ChipConfig) -> Module {
    let (w, latency) = (Widths::of(config), config.read_latency_cycles());
    let mut m = Module::new("tag_delay", HEADER);
    let read_valid = m.input("read_valid", 1);
    let read_slot_first = m.input("read_slot_first", 1);
    let read_block_last = m.input("read_block_last", 1);
    let read_last_plane = m.input("read_last_plane", 1);
    let read_first_plane = m.input("read_first_plane", 1);
    let read_negative = m.input("read_negative", 1);
    let read_position = m.input("read_position", w.psum_position);
    let code_slot_first = m.output("code_slot_first", 1);
    let code_first_plane = m.output("code_first_plane", 1);
    let code_negative = m.output("code_negative", 1);
    let term_load = m.output("term_load", 1);
    let term_position = m.output("term_position", w.psum_position);
    let block_retired = m.output("block_retired", 1);
    let slot_handed_over = m.output("slot_handed_over", 1);

    let slot_first = m.define("slot_first", &read_valid.and(&read_slot_first));
    let mut parts = vec![
        read_position,
        read_negative,
        read_first_plane,
        read_valid.and(&read_last_plane),
        read_valid.and(&read_block_last),
        slot_first.clone(),
    ];
    if config.skips_zero_planes() {
        parts.insert(0, m.input("read_plane", w.plane));
    }
    let tag = m.define("tag", &concat(&parts));
    let tags = m.register("tags", latency * tag.width());
    let entering =
        if latency == 1 { tag.clone() } else { Expr::concat(&[&tags.q().trunc((latency - 1) * tag.width()), &tag]) };
    m.set(&tags.d(), &entering);

    // Two cycles pass from the issue of the next slot's first read to the setting it brings along.
    let handed_over = if latency > 2 { tags.q().bit((latency - 3) * tag.width()) } else { slot_first };
    m.set(&slot_handed_over, &handed_over);

    let code = m.define("code_tag", &tags.q().bits((latency - 1) * tag.width(), tag.width()));
    m.set(&code_slot_first, &code.bit(0));
    m.set(&code_first_plane, &code.bit(3));
    m.set(&code_negative, &code.bit(4));
    if config.skips_zero_planes() {
        let code_plane = m.output("code_plane", w.plane);
        m.set(&code_plane, &code.bits(5 + w.psum_position, w.plane));
    }

    let load = m.register("load", 1);
    let position = m.register("position", w.psum_position);
    let block_last = m.register("block_last", 1);
    m.set(&load.d(), &code.bit(2));
    m.set(&position.d(), &code.bits(5, w.psum_position));
    m.set(&block_last.d(), &code.bit(1));
    m.set(&term_load, &load.q());
    m.set(&term_position, &position.q());
    // Its last psum is written two cycles later, and its first read three.
    m.set(&block_retired, &block_last.q());
    m
}
