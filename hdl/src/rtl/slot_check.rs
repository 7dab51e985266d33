//! Whether a tile's next slot word names only what is there.

use super::Widths;
use crate::build::{Expr, Header, Module, zero};
use basisn_arch::ChipConfig;

const HEADER: Header = Header::new(
    "Checks the lanes, coefficient planes and psum addresses in the slot word that waits to be taken.",
    "1 cycle from slot_word, 0 from slot_half.",
    "None: slot_fault (bit 0: lane, 1: plane, 2: psum) belongs to the word of the cycle before.",
    "A slot is taken no earlier than one cycle after it is loaded.",
);

/// The check of a tile's slot words.
pub fn slot_check(config: &ChipConfig) -> Module {
    let w = Widths::of(config);
    let (layout, half_words) = (config.slot_word(), config.psum_words() as u64 / 2);
    let mut m = Module::new("slot_check", HEADER);
    let word = m.input("slot_word", layout.word_bits());
    let last_base = m.input("last_base", w.psum_address);
    let slot_half = m.input("slot_half", 1);
    let slot_fault = m.output("slot_fault", 3);

    // A column's bits can name more lanes than there are, unless their number is a power of two; one lane has no neighbour to merge into.
    let mut lane_faults: Vec<Expr> = Vec::new();
    if config.lanes() < 1 << w.lane {
        let columns = (0..config.columns()).map(|column| layout.columns_offset() + column * layout.column_bits());
        let no_lane = |lo| word.bits(lo + 2, w.lane).ge_const(config.lanes() as u64);
        lane_faults.extend(columns.map(|lo| word.bit(lo).and(&no_lane(lo))));
    }
    let (mut plane_faults, mut beyond, mut below, mut above) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for lane in 0..config.lanes() {
        let lo = layout.items_offset() + lane * layout.item_bits();
        let (valid, merge, plane) = (word.bit(lo), word.bit(lo + 1), word.bits(lo + 3, 3));
        let base = word.bits(lo + 6, w.psum_address);
        if config.lanes() == 1 {
            lane_faults.push(valid.and(&merge));
        }
        plane_faults.push(valid.and(&plane.ge_const(config.coefficient_planes() as u64)));
        // A merged item goes to the psum of its neighbour.
        let writes = valid.and(&merge.not());
        let upper = m.define(&format!("upper_{lane}"), &base.ge_const(half_words));
        let inside = m.select(&format!("inside_{lane}"), &upper, &base.sub_const(half_words), &base);
        beyond.push(writes.and(&inside.gt(&last_base)));
        below.push(writes.and(&upper.not()));
        above.push(writes.and(&upper));
    }
    let mut registered = |name: &str, faults: &[Expr]| {
        let register = m.register(name, 1);
        m.set(&register.d(), &super::pack(faults).any());
        register.q()
    };
    let lane = if lane_faults.is_empty() { zero(1) } else { registered("lane_fault", &lane_faults) };
    let plane = registered("plane_fault", &plane_faults);
    let beyond = registered("beyond_half", &beyond);
    let [below, above] = [registered("in_lower_half", &below), registered("in_upper_half", &above)];
    let wrong_half = m.select("wrong_half", &slot_half, &below, &above);
    m.set(&slot_fault, &super::pack(&[lane, plane, beyond.or(&wrong_half)]));
    m
}
