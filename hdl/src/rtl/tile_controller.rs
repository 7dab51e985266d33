//! A tile's switch setting and the items of its lanes.

use crate::build::{Header, Module};
use basisn_arch::ChipConfig;

const HEADER: Header = Header {
    function: "Holds the active switch setting, and the slot's items until its first codes reach the lanes.",
    latency: "1 cycle from slot_take to the columns, 1 cycle from code_slot_first to the items.",
    handshake: "slot_take when a slot's first read enters stage 2, code_slot_first with that read's codes.",
    invariants: "A slot is taken only when the items of the one before go to the lanes in that cycle or have gone before.",
};

/// The controller of a tile.
pub fn tile_controller(config: &ChipConfig) -> Module {
    let (lanes, columns, lane_bits) = (config.lanes(), config.columns(), config.lane_bits());
    let (base_bits, item_bits) = (config.psum_address_bits(), config.slot_word().item_bits());
    let column_bits = config.slot_word().column_bits();
    let mut m = Module::new("tile_controller", HEADER);
    let slot_take = m.input("slot_take", 1);
    let slot_word = m.input("slot_word", config.slot_word().word_bits());
    let code_slot_first = m.input("code_slot_first", 1);
    let slot_last = m.output("slot_last", 1);
    let column_enable = m.output("column_enable", columns);
    let column_negative = m.output("column_negative", columns);
    let column_lane = m.output("column_lane", columns * lane_bits);
    let item_valid = m.output("item_valid", lanes);
    let item_merge = m.output("item_merge", lanes);
    let item_first = m.output("item_first", lanes);
    let item_plane = m.output("item_plane", lanes * 3);
    let item_base = m.output("item_base", lanes * base_bits);

    // Unpacked when a slot is taken, once, rather than wired in every cycle: a simulation is a third faster.
    let active_enable = m.register("active_enable", columns);
    let active_negative = m.register("active_negative", columns);
    let active_lane = m.register("active_lane", columns * lane_bits);
    let waiting_items = m.register("waiting_items", lanes * item_bits);
    let active_items = m.register("active_items", lanes * item_bits);
    m.set(&slot_last, &slot_word.bit(0));
    m.when(&slot_take, |m| {
        m.set(&waiting_items.d(), &slot_word.bits(1, lanes * item_bits));
        for column in 0..columns {
            let lo = 1 + lanes * item_bits + column * column_bits;
            m.set_bits(&active_enable.d(), column, &slot_word.bit(lo));
            m.set_bits(&active_negative.d(), column, &slot_word.bit(lo + 1));
            m.set_bits(&active_lane.d(), column * lane_bits, &slot_word.bits(lo + 2, lane_bits));
        }
    });
    m.when(&code_slot_first, |m| m.set(&active_items.d(), &waiting_items.q()));

    for lane in 0..lanes {
        let (items, lo) = (active_items.q(), lane * item_bits);
        m.set_bits(&item_valid, lane, &items.bit(lo));
        m.set_bits(&item_merge, lane, &items.bit(lo + 1));
        m.set_bits(&item_first, lane, &items.bit(lo + 2));
        m.set_bits(&item_plane, lane * 3, &items.bits(lo + 3, 3));
        m.set_bits(&item_base, lane * base_bits, &items.bits(lo + 6, base_bits));
    }
    m.set(&column_enable, &active_enable.q());
    m.set(&column_negative, &active_negative.q());
    m.set(&column_lane, &active_lane.q());
    m
}
