//! Cuts the positions of a layer into blocks.

use super::Widths;
use crate::build::{Header, Module};
use basisn_arch::ChipConfig;

const HEADER: Header = Header {
    function: "Last position and lastness of the current block: full blocks, then what remains of the layer.",
    latency: "1 cycle from start or next_block to the block's figures.",
    handshake: "start: first block of a layer. next_block: the following block. Both are single-cycle strobes.",
    invariants: "positions and block_positions are at least 1 and don't change during a layer; no next_block after the last block.",
};

/// The block counter that input buffer, sequencer and drain each have, as each is at a block of its own.
pub fn block_counter(config: &ChipConfig) -> Module {
    let w = Widths::of(config);
    let mut m = Module::new("block_counter", HEADER);
    let start = m.input("start", 1);
    let next_block = m.input("next_block", 1);
    let positions = m.input("positions", 32);
    let block_positions = m.input("block_positions", w.position_count);
    let last_position_out = m.output("last_position", w.position);
    let last_block_out = m.output("last_block", 1);

    let remaining = m.register("remaining", 32);
    let last_position = m.register("current_last_position", w.position);
    let last_block = m.register("current_last_block", 1);
    m.set(&last_position_out, &last_position.q());
    m.set(&last_block_out, &last_block.q());

    let left = m.select("left", &start, &positions, &remaining.q());
    let fits = m.define("fits", &left.le(&block_positions.zext(32)));
    let length = m.select("length", &fits, &left.trunc(w.position), &block_positions.trunc(w.position));
    m.when(&start.or(&next_block), |m| {
        m.set(&last_block.d(), &fits);
        m.set(&last_position.d(), &length.sub_const(1));
        m.set(&remaining.d(), &left.sub(&block_positions.zext(32)));
    });
    m
}
