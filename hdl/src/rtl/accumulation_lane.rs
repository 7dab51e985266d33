//! Codes of one ADC lane to updates of its psum bank.

use super::Widths;
use crate::build::{Header, Module, zero};
use basisn_arch::ChipConfig;

const HEADER: Header = Header {
    function: "Sums the codes of the input planes, highest plane first, shifts by the coefficient plane, merges the next lane.",
    latency: "2 cycles from the last plane's code to update_valid.",
    handshake: "None: code_* with a code, term_load one cycle after the code of a position's last plane, term_position with it.",
    invariants: "Exact: no sum overflows. A lane that is merged into its neighbour doesn't update its own bank.",
};

/// One accumulation lane. With one lane there is no neighbour and no merging.
pub fn accumulation_lane(config: &ChipConfig) -> Module {
    let w = Widths::of(config);
    let (code_bits, sum_bits) = (config.adc_bits(), config.adc_bits() + config.input_bits());
    let term_bits = term_bits(config);
    let mut m = Module::new("accumulation_lane", HEADER);
    let code_valid = m.input("code_valid", 1);
    let code = m.input("code", code_bits);
    let code_first_plane = m.input("code_first_plane", 1);
    let code_negative = m.input("code_negative", 1);
    let term_load = m.input("term_load", 1);
    let term_position = m.input("term_position", w.psum_position);
    let item_valid = m.input("item_valid", 1);
    let item_first = m.input("item_first", 1);
    let item_plane = m.input("item_plane", 3);
    let item_base = m.input("item_base", w.psum_address);
    let update_valid = m.output("update_valid", 1);
    let update_first = m.output("update_first", 1);
    let update_address = m.output("update_address", w.psum_address);
    let update_value = m.output("update_value", 32);
    let saturated = m.output("saturated", 1);

    let sum = m.register("sum", sum_bits);
    let wide_code = m.define("wide_code", &code.sext(sum_bits));
    let signed_code = m.select("signed_code", &code_negative, &wide_code.neg(), &wide_code);
    // Where planes are skipped, a code says its plane; else the next one is half as much.
    let (earlier, weighted) = if config.skips_zero_planes() {
        let code_plane = m.input("code_plane", w.plane);
        (sum.q(), m.define("weighted_code", &signed_code.shl_by(&code_plane)))
    } else {
        (sum.q().shl(1), signed_code)
    };
    let higher_planes = m.select("higher_planes", &code_first_plane, &zero(sum_bits), &earlier);
    m.when(&code_valid, |m| m.set(&sum.d(), &higher_planes.add(&weighted)));

    // The items of a slot come one cycle after its first code.
    let at_end = m.register("at_end", 1);
    let (lowest, highest) = (1 << (code_bits - 1), (1 << (code_bits - 1)) - 1);
    m.set(&at_end.d(), &code_valid.and(&code.eq_const(lowest).or(&code.eq_const(highest))));
    m.set(&saturated, &at_end.q().and(&item_valid));

    let term = m.register("shifted_sum", term_bits);
    let valid = m.register("term_valid", 1);
    let first = m.register("term_first", 1);
    let address = m.register("term_address", w.psum_address);
    m.set(&valid.d(), &term_load.and(&item_valid));
    m.when(&term_load, |m| {
        m.set(&term.d(), &sum.q().sext(term_bits).shl_by(&item_plane));
        m.set(&first.d(), &item_first);
        m.set(&address.d(), &item_base.add(&term_position.zext(w.psum_address)));
    });
    m.set(&update_first, &first.q());
    m.set(&update_address, &address.q());

    if config.lanes() == 1 {
        m.set(&update_valid, &valid.q());
        m.set(&update_value, &term.q().sext(32));
    } else {
        let item_merge = m.input("item_merge", 1);
        let next_merge = m.input("next_merge", 1);
        let next_term = m.input("next_term", term_bits);
        let merge_out = m.output("merge", 1);
        let term_out = m.output("term", term_bits);
        let merge = m.register("term_merge", 1);
        m.set(&merge.d(), &term_load.and(&item_valid).and(&item_merge));
        m.set(&merge_out, &merge.q());
        m.set(&term_out, &term.q());
        let neighbour = m.select("neighbour", &next_merge, &next_term, &zero(term_bits));
        m.set(&update_valid, &valid.q().and(&merge.q().not()));
        m.set(&update_value, &term.q().sext(32).add(&neighbour.sext(32)));
    }
    m
}

/// Bits of a position's sum over the input planes, shifted by the highest coefficient plane.
pub(super) fn term_bits(config: &ChipConfig) -> usize {
    config.adc_bits() + config.input_bits() + config.coefficient_planes() - 1
}
