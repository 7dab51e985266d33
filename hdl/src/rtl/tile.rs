//! One crossbar with what belongs to it.

use std::rc::Rc;

use super::{Nets, pack};
use crate::build::{BlackBox, Header, Module};
use basisn_arch::{ChipConfig, ProgramOp};

const HEADER: Header = Header {
    function: "RRAM macro, its switch setting, accumulation lanes and psum banks.",
    latency: "Read latency of the macro, then 3 cycles to the psum bank; 3 cycles from drain_read to psum.",
    handshake: "As the macro's for read_* and program_*; as the coefficient buffer's for load_* and slot_*.",
    invariants: "All tiles of a core run in lock step: read_valid is high for all of them or for none.",
};

/// The macro as the tile sees it: a hard block.
pub fn macro_black_box(config: &ChipConfig) -> BlackBox {
    BlackBox::new(config.macro_name())
        .input("program_valid", 1)
        .output("program_ready", 1)
        .input("program_row", config.row_address_bits())
        .input("program_column", config.column_address_bits())
        .input("program_level", config.level_bits())
        .input("program_op", ProgramOp::BITS)
        .input("read_valid", 1)
        .output("read_ready", 1)
        .input("wordlines", config.rows())
        .input("column_enable", config.columns())
        .input("column_negative", config.columns())
        .input("column_lane", config.columns() * config.lane_bits())
        .input("gain", 3)
        .output("code_valid", 1)
        .output("codes", config.lanes() * config.adc_bits())
}

/// One tile.
pub fn tile(config: &ChipConfig) -> Module {
    let (count, code_bits) = (config.lanes(), config.adc_bits());
    let mut m = Module::new("tile", HEADER);
    let buffer = m.child("coefficient_buffer", super::coefficient_buffer(config));
    let controller = m.child("tile_controller", super::tile_controller(config));
    let rram = m.black_box("rram_macro", macro_black_box(config));
    let (lane, bank) = (Rc::new(super::accumulation_lane(config)), Rc::new(super::psum_bank(config)));
    let lanes: Vec<_> = (0..count).map(|index| m.shared_child(&format!("lane_{index}"), &lane)).collect();
    let banks: Vec<_> = (0..count).map(|index| m.shared_child(&format!("bank_{index}"), &bank)).collect();
    let select = m.child("psum_select", super::psum_select(config));
    let check = m.child("slot_check", super::slot_check(config));

    let mut nets = Nets::default();
    for child in [&buffer, &controller, &rram, &select] {
        nets.add_outputs(child);
    }
    let psums: Vec<_> = banks.iter().map(|bank| bank.output("psum")).collect();
    nets.add("bank_psum", pack(&psums));
    for child in [&buffer, &controller, &rram, &select, &check] {
        nets.feed(&mut m, child, &[]);
    }
    for (index, (lane, bank)) in lanes.iter().zip(&banks).enumerate() {
        let item = |name: &str| {
            let width = lane.input(name).width();
            controller.output(name).bits(index * width, width)
        };
        let mut own = vec![("code", rram.output("codes").bits(index * code_bits, code_bits))];
        own.extend(["item_valid", "item_first", "item_plane", "item_base"].map(|name| (name, item(name))));
        if count > 1 {
            let next = &lanes[(index + 1) % count];
            own.push(("item_merge", item("item_merge")));
            own.extend([("next_merge", next.output("merge")), ("next_term", next.output("term"))]);
        }
        nets.feed(&mut m, lane, &own);
        let update = ["update_valid", "update_first", "update_address", "update_value"];
        let mut own: Vec<_> = update.map(|name| (name, lane.output(name))).into();
        own.push(("bank_read", select.output("bank_read").bit(index)));
        nets.feed(&mut m, bank, &own);
    }
    Nets::show(&mut m, &buffer, &["slot_loaded"]);
    Nets::show(&mut m, &controller, &["slot_last"]);
    Nets::show(&mut m, &rram, &["program_ready", "read_ready"]);
    Nets::show(&mut m, &select, &["psum"]);
    Nets::show(&mut m, &check, &["slot_fault"]);
    let verify_code = m.output("verify_code", code_bits);
    m.set(&verify_code, &rram.output("codes").trunc(code_bits));
    let saturated = m.output("saturated", count);
    m.set(&saturated, &pack(&lanes.iter().map(|lane| lane.output("saturated")).collect::<Vec<_>>()));
    m
}
