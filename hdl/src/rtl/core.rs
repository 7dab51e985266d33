//! The core: N tiles in lock step.

use std::rc::Rc;

use super::{Nets, element, pack};
use crate::build::{Expr, Header, Instance, Module, zero};
use basisn_arch::ChipConfig;

const HEADER: Header = Header {
    function: "One BasisN core: RRAM crossbars that run in lock step on the same activations, each with its own kernels.",
    latency: "A read of all macros a cycle; results of a block leave while the next block is computed.",
    handshake: "AXI4-Lite registers, AXI4-Stream slots, activations and results; no ready depends on its valid.",
    invariants: "Layer registers don't change while busy. Streams carry what layer registers and slot words say.",
};

/// The top module, `basisn_core`.
pub fn core(config: &ChipConfig) -> Module {
    let mut m = Module::new("basisn_core", HEADER);
    let mut nets = Nets::default();
    let axi_lite = m.child("axi_lite", super::axi_lite());
    for (name, width) in &axi_lite.inputs {
        if name.starts_with("s_axil_") {
            nets.input(&mut m, name, *width);
        }
    }
    let slot_data = m.input("s_axis_slot_tdata", config.slot_stream_bits());
    let streams = [
        ("slot_valid", "s_axis_slot_tvalid", 1),
        ("slot_tlast", "s_axis_slot_tlast", 1),
        ("activation_data", "s_axis_act_tdata", 8 * config.activation_stream_bytes()),
        ("activation_valid", "s_axis_act_tvalid", 1),
        ("activation_tlast", "s_axis_act_tlast", 1),
        ("result_ready", "m_axis_out_tready", 1),
    ];
    for (signal, port, width) in streams {
        let value = m.input(port, width);
        nets.add(signal, value);
    }

    let registers = m.child("registers", super::registers(config));
    let program_controller = m.child("program_controller", super::program_controller(config));
    let layer_control = m.child("layer_control", super::layer_control(config));
    let sequencer = m.child("sequencer", super::sequencer(config));
    let input_buffer = m.child("input_buffer", super::input_buffer(config));
    let slot_loader = m.child("slot_loader", super::slot_loader(config));
    let tag_delay = m.child("tag_delay", super::tag_delay(config));
    let tile = Rc::new(super::tile(config));
    let tiles: Vec<_> = (0..config.tiles()).map(|index| m.shared_child(&format!("tile_{index}"), &tile)).collect();
    let drain = m.child("drain", super::drain(config));
    let width = config.drain_width();
    let module = Rc::new(super::requantize(config));
    let requantizers: Vec<_> =
        (0..config.pipelines()).map(|i| m.shared_child(&format!("requantize_{i}"), &module)).collect();
    let result_fifo = m.child("result_fifo", super::result_fifo(config));

    let plane_finder = config.skips_zero_planes().then(|| m.child("plane_finder", super::plane_finder(config)));

    let mut singles = vec![
        &axi_lite,
        &registers,
        &program_controller,
        &layer_control,
        &sequencer,
        &input_buffer,
        &slot_loader,
        &tag_delay,
        &drain,
        &result_fifo,
    ];
    singles.extend(&plane_finder);
    for child in &singles {
        nets.add_outputs(child);
    }
    let all = |name: &str| pack(&tiles.iter().map(|tile| tile.output(name)).collect::<Vec<_>>());
    nets.add("slot_loaded", all("slot_loaded"));
    nets.add("slots_loaded", all("slot_loaded").all());
    nets.add("slot_last", tiles[0].output("slot_last"));
    nets.add("slot_faults", all("slot_fault"));
    nets.add("slot_faulty", all("slot_fault").any());
    nets.add("saturated", all("saturated"));
    nets.add("macros_ready", all("read_ready").all());
    nets.add("program_ready", all("program_ready"));
    nets.add("verify_codes", all("verify_code"));
    for (i, requantize) in requantizers.iter().enumerate() {
        // The tiles whose kernels come to this pipeline, in turn.
        let mut psums: Vec<_> = tiles.iter().skip(i).step_by(width).map(|tile| tile.output("psum")).collect();
        psums.resize(config.drain_groups(), zero(32));
        let psum = element(&pack(&psums), &drain.output("psum_group"), 32);
        let one_of = |child: &Instance, name: &str| child.output(name).bit(i);
        let own = [
            ("psum", psum),
            ("psum_valid", one_of(&drain, "psum_valid")),
            ("parameter_write", one_of(&registers, "parameter_write")),
        ];
        nets.feed(&mut m, requantize, &own);
    }
    // A beat may have room for more results than there are tiles.
    let results = |name: &str| {
        let mut results: Vec<_> = requantizers.iter().map(|r| r.output(name)).collect();
        results.resize(width, zero(results[0].width()));
        pack(&results)
    };
    nets.add("requantized_valid", results("requantized_valid"));
    nets.add("requantized_last", requantizers[0].output("requantized_last"));
    nets.add("requantized", results("requantized"));
    for child in &singles {
        nets.feed(&mut m, child, &[]);
    }
    for (index, tile) in tiles.iter().enumerate() {
        feed_tile(&mut m, &mut nets, index, tile, &slot_data, [&slot_loader, &program_controller, &drain, &registers]);
    }

    let replies = ["awready", "wready", "bresp", "bvalid", "arready", "rdata", "rresp", "rvalid"];
    Nets::show(&mut m, &axi_lite, &replies.map(|name| format!("s_axil_{name}")));
    let mut shown = vec![
        ("s_axis_slot_tready", &slot_loader, "slot_ready"),
        ("s_axis_act_tready", &input_buffer, "activation_ready"),
        ("m_axis_out_tdata", &result_fifo, "result_data"),
        ("m_axis_out_tvalid", &result_fifo, "result_valid"),
        ("m_axis_out_tlast", &result_fifo, "result_last"),
        ("irq", &registers, "irq"),
    ];
    if width > 1 {
        shown.push(("m_axis_out_tkeep", &result_fifo, "result_keep"));
    }
    for (port, child, signal) in shown {
        let value = child.output(signal);
        let output = m.output(port, value.width());
        m.set(&output, &value);
    }
    m
}

/// What a tile alone gets, and what all get.
fn feed_tile(m: &mut Module, nets: &mut Nets, index: usize, tile: &Instance, slot_data: &Expr, from: [&Instance; 4]) {
    let beat_bits = tile.input("load_data").width();
    if index == 0 && beat_bits < slot_data.width() {
        m.define("unused_slot_bits", &slot_data.bits(beat_bits, slot_data.width() - beat_bits).any());
    }
    // A tile that is not in use loads zeros. Tile 0 always is.
    let data = slot_data.trunc(beat_bits);
    let used = || from[3].output("tiles_used").bit(index).repeat(beat_bits);
    let mut own = vec![("load_data", if index == 0 { data } else { data.and(&used()) })];
    for (name, child) in ["load_valid", "program_valid", "drain_read"].into_iter().zip(from) {
        own.push((name, child.output(name).bit(index)));
    }
    let op_bits = tile.input("program_op").width();
    own.push(("program_op", from[1].output("program_op").bits(index * op_bits, op_bits)));
    nets.feed(m, tile, &own);
}
