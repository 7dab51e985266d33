//! Which input planes of a position are read where zero planes are skipped.

use super::{Widths, add_all, one_hot};
use crate::build::{Expr, Header, Module, lit, zero};
use basisn_arch::ChipConfig;

const HEADER: Header = Header {
    function: "Keeps which planes of every position have a one, and names the next one to read, the highest first.",
    latency: "0 cycles from input_read to the next read's plane; the planes of the next position are fetched ahead.",
    handshake: "None: nonzero_write with a position's last beat, input_read with a read of next_plane.",
    invariants: "Of a position without any one plane 0 is read. A bank is read no earlier than two cycles after its last beat.",
};

/// The plane finder of a core.
pub fn plane_finder(config: &ChipConfig) -> Module {
    let (w, planes) = (Widths::of(config), config.input_bits());
    let mut m = Module::new("plane_finder", HEADER);
    let nonzero_write = m.input("nonzero_write", 1);
    let nonzero_bank = m.input("nonzero_bank", 1);
    let nonzero_position = m.input("nonzero_position", w.position);
    let nonzero_planes = m.input("nonzero_planes", planes);
    let top_plane = m.input("top_plane", w.plane);
    let bank_in_turn = m.input("bank_in_turn", 1);
    let bank_release = m.input("bank_release", 1);
    let input_read = m.input("input_read", 1);
    let input_position = m.input("input_position", w.position);
    let slot_opens = m.input("slot_opens", 1);
    let slot_ends = m.input("slot_ends", 1);
    let next_plane = m.output("next_plane", w.plane);
    let next_first_plane = m.output("next_first_plane", 1);
    let next_last_plane = m.output("next_last_plane", 1);
    let skipped_planes = m.output("skipped_planes", w.plane);

    // Every psum of a slot is written: a position has one read at least.
    let none = m.define("none", &nonzero_planes.any().not());
    let written = m.define("written_planes", &nonzero_planes.or(&none.zext(planes)));
    let first = [0, 1].map(|bank| m.register(&format!("first_position_{bank}"), planes));
    let of_first = m.define("of_first_position", &nonzero_write.and(&nonzero_position.eq_const(0)));
    for (bank, first) in first.iter().enumerate() {
        let this = if bank == 1 { nonzero_bank.clone() } else { nonzero_bank.not() };
        m.when(&of_first.and(&this), |m| m.set(&first.d(), &written));
    }

    // The planes of the position in turn, and of the one after it at the read port of the memory.
    let left = m.register("planes_left", planes);
    let at_first = m.register("at_first_plane", 1);
    let [lower, upper] = &first;
    let opening = m.select("opening_planes", &bank_in_turn, &upper.q(), &lower.q());
    let now = m.select("planes_now", &slot_opens, &opening, &left.q());
    let plane = m.local("highest", w.plane);
    m.set(&plane, &zero(w.plane));
    for index in 1..planes {
        m.when(&now.bit(index), |m| m.set(&plane, &lit(index as u64, w.plane)));
    }
    let last = m.define("last", &now.and(&now.sub_const(1)).any().not());
    let opened = m.define("opened", &slot_opens.or(&at_first.q()));
    let moves = m.define("moves", &input_read.and(&last));
    let memory = m.memory("nonzero", 2 << w.position, planes);
    m.when(&input_read, |m| {
        m.set(&left.d(), &now.and(&one_hot(&plane.read(), planes).not()));
        m.set(&at_first.d(), &last);
    });
    m.when(&moves, |m| m.set(&left.d(), &memory.read_data));

    let waits = m.define("waits", &slot_opens.and(&input_read.not()));
    let second = m.define("second_position", &waits.or(&slot_ends));
    // Of two positions at most, none comes after the next.
    let after_next = if w.position == 1 { input_position } else { input_position.add_const(2) };
    let place = m.select("fetch_position", &second, &lit(1, w.position), &after_next);
    m.set(&memory.write_enable, &nonzero_write);
    m.set(&memory.write_address, &Expr::concat(&[&nonzero_bank, &nonzero_position]));
    m.set(&memory.write_data, &written);
    m.set(&memory.read_enable, &moves.or(&waits));
    m.set(&memory.read_address, &Expr::concat(&[&bank_in_turn.xor(&bank_release), &place]));

    let bits: Vec<_> = (0..planes).map(|index| now.bit(index).zext(w.plane + 1)).collect();
    let all = m.define("all_planes", &top_plane.zext(w.plane + 1).add_const(1));
    let spared = m.define("spared", &all.sub(&add_all(&bits)));
    let skipped = m.register("skipped", w.plane);
    m.set(&skipped.d(), &zero(w.plane));
    m.when(&input_read.and(&opened), |m| m.set(&skipped.d(), &spared.trunc(w.plane)));

    m.set(&next_plane, &plane.read());
    m.set(&next_first_plane, &opened);
    m.set(&next_last_plane, &last);
    m.set(&skipped_planes, &skipped.q());
    m
}
