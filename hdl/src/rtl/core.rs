//! The core: N tiles in lock step.

use std::rc::Rc;

use super::{Nets, element, pack};
use crate::build::{Expr, Header, Instance, Module};
use basisn_arch::{ChipConfig, registers as map};

const HEADER: Header = Header {
    function: "One BasisN core: RRAM crossbars that run in lock step on the same activations, each with its own kernels.",
    latency: "A read of all macros a cycle; results of a block leave while the next block is computed.",
    handshake: "Register port and three streams: a transfer when valid and ready are high; data holds until then.",
    invariants: "Layer registers don't change while busy. Streams carry what layer registers and slot words say.",
};

/// The top module, `basisn_core`.
pub fn core(config: &ChipConfig) -> Module {
    let mut m = Module::new("basisn_core", HEADER);
    let mut nets = Nets::default();
    nets.input(&mut m, "reg_valid", 1);
    nets.input(&mut m, "reg_write", 1);
    nets.input(&mut m, "reg_address", map::ADDRESS_BITS);
    nets.input(&mut m, "reg_write_data", 32);
    nets.input(&mut m, "slot_valid", 1);
    let slot_data = m.input("slot_data", config.slot_stream_bits());
    nets.input(&mut m, "activation_valid", 1);
    nets.input(&mut m, "activation_data", 8 * config.activation_stream_bytes());
    nets.input(&mut m, "result_ready", 1);

    let registers = m.child("registers", super::registers(config));
    let sequencer = m.child("sequencer", super::sequencer(config));
    let input_buffer = m.child("input_buffer", super::input_buffer(config));
    let slot_loader = m.child("slot_loader", super::slot_loader(config));
    let tag_delay = m.child("tag_delay", super::tag_delay(config));
    let tile = Rc::new(super::tile(config));
    let tiles: Vec<_> = (0..config.tiles()).map(|index| m.shared_child(&format!("tile_{index}"), &tile)).collect();
    let drain = m.child("drain", super::drain(config));
    let requantize = m.child("requantize", super::requantize(config));
    let result_fifo = m.child("result_fifo", super::result_fifo());

    let singles = [&registers, &sequencer, &input_buffer, &slot_loader, &tag_delay, &drain, &requantize, &result_fifo];
    for child in singles {
        nets.add_outputs(child);
    }
    let all = |name: &str| pack(&tiles.iter().map(|tile| tile.output(name)).collect::<Vec<_>>());
    nets.add("slot_loaded", all("slot_loaded"));
    nets.add("slots_loaded", all("slot_loaded").all());
    nets.add("slot_last", tiles[0].output("slot_last"));
    nets.add("macros_ready", all("read_ready").all());
    nets.add("program_ready", all("program_ready"));
    nets.add("psum", element(&all("psum"), &drain.output("psum_tile"), 32));
    for child in singles {
        nets.feed(&mut m, child, &[]);
    }
    for (index, tile) in tiles.iter().enumerate() {
        feed_tile(&mut m, &mut nets, index, tile, &slot_data, [&slot_loader, &registers, &drain]);
    }

    Nets::show(&mut m, &registers, &["reg_ready", "reg_read_data"]);
    Nets::show(&mut m, &slot_loader, &["slot_ready"]);
    Nets::show(&mut m, &input_buffer, &["activation_ready"]);
    Nets::show(&mut m, &result_fifo, &["result_valid", "result_data", "result_last"]);
    m
}

/// What a tile alone gets, and what all get.
fn feed_tile(m: &mut Module, nets: &mut Nets, index: usize, tile: &Instance, slot_data: &Expr, from: [&Instance; 3]) {
    let beat_bits = tile.input("load_data").width();
    if index == 0 && beat_bits < slot_data.width() {
        m.define("unused_slot_bits", &slot_data.bits(beat_bits, slot_data.width() - beat_bits).any());
    }
    let mut own = vec![("load_data", slot_data.trunc(beat_bits))];
    for (name, child) in ["load_valid", "program_valid", "drain_read"].into_iter().zip(from) {
        own.push((name, child.output(name).bit(index)));
    }
    nets.feed(m, tile, &own);
}
