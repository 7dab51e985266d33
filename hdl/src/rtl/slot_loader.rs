//! Deals the beats of the slot stream to the tiles.

use super::{Widths, one_hot};
use crate::build::{Header, Module, lit, zero};
use basisn_arch::ChipConfig;

const HEADER: Header = Header {
    function: "Hands the beats of the slot words to the tiles in use in turn; the others load with tile 0, which is given no data for them.",
    latency: "0 cycles: a beat goes straight into the tile's coefficient buffer.",
    handshake: "From start to tlast, slot_ready is high while the coefficient buffer of the tile in turn is empty; and while beats are discarded.",
    invariants: "At most one tile in use has load_valid. Slots of the next layer wait on the stream for its start.",
};

/// The slot loader.
pub fn slot_loader(config: &ChipConfig) -> Module {
    let w = Widths::of(config);
    let mut m = Module::new("slot_loader", HEADER);
    let slot_valid = m.input("slot_valid", 1);
    let slot_tlast = m.input("slot_tlast", 1);
    let discard = m.input("discard", 1);
    let start = m.input("start", 1);
    let slot_loaded = m.input("slot_loaded", config.tiles());
    let last_tile = m.input("last_tile", w.tile);
    let tiles_used = m.input("tiles_used", config.tiles());
    let slot_ready = m.output("slot_ready", 1);
    let load_valid = m.output("load_valid", config.tiles());
    let load_beat = m.output("load_beat", w.beat);

    let tile = m.register("tile", w.tile);
    let beat = m.register("beat", w.beat);
    m.set(&load_beat, &beat.q());

    let in_turn = m.define("in_turn", &one_hot(&tile.q(), config.tiles()));
    let receiving = m.register("receiving", 1);
    let empty = in_turn.and(&slot_loaded).any().not();
    let ready = m.define("ready", &empty.and(&start.or(&receiving.q())));
    let transfer = m.define("transfer", &slot_valid.and(&ready).and(&discard.not()));
    m.set(&slot_ready, &ready.or(&discard));
    let idle_too = tiles_used.not().and(&in_turn.bit(0).repeat(config.tiles()));
    m.set(&load_valid, &in_turn.or(&idle_too).and(&transfer.repeat(config.tiles())));
    m.when(&start, |m| m.set(&receiving.d(), &lit(1, 1)));
    m.when(&transfer.and(&slot_tlast).or(&discard), |m| m.set(&receiving.d(), &zero(1)));

    let last_beat = m.define("last_beat", &beat.q().eq_const(config.slot_word().beats() as u64 - 1));
    let last_tile = m.define("at_last_tile", &tile.q().eq(&last_tile));
    m.when(&transfer, |m| {
        m.set(&beat.d(), &beat.q().add_const(1));
        m.when(&last_beat, |m| {
            m.set(&beat.d(), &zero(w.beat));
            m.set(&tile.d(), &tile.q().add_const(1));
            m.when(&last_tile, |m| m.set(&tile.d(), &zero(w.tile)));
        });
    });
    m.when(&discard, |m| {
        m.set(&beat.d(), &zero(w.beat));
        m.set(&tile.d(), &zero(w.tile));
    });

    // Kept with the slot until all tiles take it, so before the next slot's last beat.
    let group_end = m.define("group_end", &transfer.and(&last_beat).and(&last_tile));
    let tlast = m.register("tlast", 1);
    m.when(&group_end, |m| m.set(&tlast.d(), &slot_tlast));
    let group_tlast = m.output("group_tlast", 1);
    let inside = m.output("slot_tlast_inside", 1);
    m.set(&group_tlast, &tlast.q());
    // Registered: what an error stops is all over the core.
    let tlast_inside = m.register("tlast_inside", 1);
    m.set(&tlast_inside.d(), &transfer.and(&slot_tlast).and(&group_end.not()));
    m.set(&inside, &tlast_inside.q());
    m
}
