//! Assembles a tile's next slot word while the current one is in use.

use super::Widths;
use crate::build::{Header, Module, lit, zero};
use basisn_arch::ChipConfig;

const HEADER: Header = Header {
    function: "Assembles a slot word from its beats and keeps it until the tile takes it.",
    latency: "1 cycle from the last beat to slot_loaded.",
    handshake: "Beats come only while slot_loaded is low; slot_take comes only while it is high; it lowers it, and so does discard.",
    invariants: "slot_word is stable while slot_loaded is high.",
};

/// The coefficient buffer of a tile.
pub fn coefficient_buffer(config: &ChipConfig) -> Module {
    let w = Widths::of(config);
    let (word_bits, beats) = (config.slot_word().word_bits(), config.slot_word().beats());
    let beat_bits = config.slot_stream_bits().min(word_bits);
    let mut m = Module::new("coefficient_buffer", HEADER);
    let load_valid = m.input("load_valid", 1);
    let load_beat = m.input("load_beat", w.beat);
    let load_data = m.input("load_data", beat_bits);
    let slot_take = m.input("slot_take", 1);
    let discard = m.input("discard", 1);
    let slot_loaded = m.output("slot_loaded", 1);
    let slot_word = m.output("slot_word", word_bits);

    let loaded = m.register("loaded", 1);
    let word = m.register("word", word_bits);
    m.set(&slot_loaded, &loaded.q());
    m.set(&slot_word, &word.q());

    m.when(&slot_take, |m| m.set(&loaded.d(), &zero(1)));
    for beat in 0..beats {
        let lo = beat * beat_bits;
        m.when(&load_valid.and(&load_beat.eq_const(beat as u64)), |m| {
            m.set_bits(&word.d(), lo, &load_data.trunc(beat_bits.min(word_bits - lo)));
            if beat + 1 == beats {
                m.set(&loaded.d(), &lit(1, 1));
            }
        });
    }
    m.when(&discard, |m| m.set(&loaded.d(), &zero(1)));
    m
}
