//! Room for every result that the drain has started.

use super::{RESULTS_IN_FLIGHT, concat, pack, widths::index_bits};
use crate::build::{Header, Module, lit, zero};
use basisn_arch::ChipConfig;

const HEADER: Header = Header {
    function: "First in, first out, between the requantization pipeline and the result stream.",
    latency: "2 cycles when empty; a result a cycle.",
    handshake: "Takes a result in any cycle; the drain never starts more than there is room for. result_data holds until taken.",
    invariants: "Never overflows: at most as many results as it has words are between the psum banks and the result stream.",
};

/// The result fifo: a memory and the register that its read port is.
pub fn result_fifo(config: &ChipConfig) -> Module {
    let width = config.drain_width();
    let (index, count_bits) = (index_bits(RESULTS_IN_FLIGHT), index_bits(RESULTS_IN_FLIGHT + 1));
    let mut m = Module::new("result_fifo", HEADER);
    let requantized_valid = m.input("requantized_valid", width);
    let requantized_last = m.input("requantized_last", 1);
    let requantized = m.input("requantized", 64 * width);
    let result_ready = m.input("result_ready", 1);
    let flush = m.input("flush", 1);
    let end_results = m.input("end_results", 1);
    let result_valid = m.output("result_valid", 1);
    let result_last = m.output("result_last", 1);
    let result_data = m.output("result_data", 64 * width);
    let result_taken = m.output("result_taken", 1);

    // Data, which of the results are there, last.
    let word_bits = 64 * width + if width > 1 { width } else { 0 } + 1;
    let memory = m.memory("results", RESULTS_IN_FLIGHT, word_bits);
    let write_index = m.register("write_index", index);
    let read_index = m.register("read_index", index);
    let stored = m.register("stored", count_bits);
    let shown = m.register("shown", 1);

    let taken = m.define("taken", &shown.q().and(&result_ready));
    let fetch = m.define("fetch", &stored.q().ne_const(0).and(&flush.not()).and(&shown.q().not().or(&result_ready)));
    // The result on show stays until it is taken, even while all others are forgotten.
    // A layer that was stopped ends its stream with one more beat.
    let write = m.define("write", &requantized_valid.bit(0).or(&end_results));
    m.set(&memory.write_enable, &write);
    m.set(&memory.write_address, &write_index.q());
    let mut word = vec![requantized_last.or(&end_results), requantized];
    if width > 1 {
        word.insert(1, requantized_valid.and(&end_results.not().repeat(width)));
        let keep = m.output("result_keep", 8 * width);
        let there = memory.read_data.bits(64 * width, width);
        m.set(&keep, &pack(&(0..width).map(|i| there.bit(i).repeat(8)).collect::<Vec<_>>()));
    }
    m.set(&memory.write_data, &concat(&word));
    m.set(&memory.read_enable, &fetch);
    m.set(&memory.read_address, &read_index.q());

    m.when(&write, |m| m.set(&write_index.d(), &write_index.q().add_const(1)));
    m.when(&taken, |m| m.set(&shown.d(), &zero(1)));
    m.when(&fetch, |m| {
        m.set(&shown.d(), &lit(1, 1));
        m.set(&read_index.d(), &read_index.q().add_const(1));
    });
    let one_more = m.define("one_more", &write.and(&fetch.not()));
    let one_less = m.define("one_less", &fetch.and(&write.not()));
    m.when(&one_more, |m| m.set(&stored.d(), &stored.q().add_const(1)));
    m.when(&one_less, |m| m.set(&stored.d(), &stored.q().sub_const(1)));

    m.when(&flush, |m| {
        m.set(&stored.d(), &zero(count_bits));
        m.set(&write_index.d(), &zero(index));
        m.set(&read_index.d(), &zero(index));
    });
    let empty = m.output("results_empty", 1);
    m.set(&empty, &stored.q().eq_const(0).and(&shown.q().not()));

    m.set(&result_valid, &shown.q());
    m.set(&result_data, &memory.read_data.trunc(64 * width));
    m.set(&result_last, &memory.read_data.bit(word_bits - 1));
    m.set(&result_taken, &taken);
    m
}
