//! The loops of a layer: blocks, subvectors, slots, positions, input planes.

use super::Widths;
use crate::build::{Header, Module, lit, zero};
use basisn_arch::ChipConfig;

const HEADER: Header = Header {
    function: "Chooses one read a cycle (stage 0), reads the input buffer (stage 1), reads all macros at once (stage 2).",
    latency: "2 advancing cycles from the choice of a read to read_valid.",
    handshake: "read_valid is high only while macros_ready is: all macros accept in the same cycle; until then all stages hold.",
    invariants: "At most one slot is on its way from its choice to its hand-over. A read of a lowest plane, which changes psums, goes out only after the block two before is drained. A refused slot is never read.",
};

/// The sequencer of a core.
pub fn sequencer(config: &ChipConfig) -> Module {
    let w = Widths::of(config);
    let mut m = Module::new("sequencer", HEADER);
    let start = m.input("start", 1);
    let positions = m.input("positions", 32);
    let block_positions = m.input("block_positions", w.position_count);
    let subvectors = m.input("subvectors", 16);
    let top_plane = m.input("top_plane", w.plane);
    let input_signed = m.input("input_signed", 1);
    let bank_full = m.input("bank_full", 1);
    let slots_loaded = m.input("slots_loaded", 1);
    let slot_last = m.input("slot_last", 1);
    let slot_handed_over = m.input("slot_handed_over", 1);
    let block_drained = m.input("block_drained", 1);
    let macros_ready = m.input("macros_ready", 1);
    let slot_faulty = m.input("slot_faulty", 1);
    let group_tlast = m.input("group_tlast", 1);
    let flush = m.input("flush", 1);

    let block = m.child("read_blocks", super::block_counter(config));
    let running = m.register("running", 1);
    let skips = config.skips_zero_planes();
    let own_plane = (!skips).then(|| m.register("issue_plane", w.plane));
    let position = m.register("issue_position", w.position);
    let subvector = m.register("issue_subvector", 16);
    let slot_start = m.register("slot_start", 1);
    let last_slot = m.register("last_slot", 1);
    let slot_waiting = m.register("slot_waiting", 1);
    let drain_waiting = m.register("drain_waiting", 1);
    let both_waiting = m.register("both_waiting", 1);
    let stage1_valid = m.register("stage1_valid", 1);
    let stage2_valid = m.register("stage2_valid", 1);

    // Where in the loops the next read is.
    let (plane, first_plane, last_plane) = match &own_plane {
        Some(plane) => {
            let last = m.define("last_plane", &plane.q().eq_const(0));
            (plane.q(), m.define("first_plane", &plane.q().eq(&top_plane)), last)
        }
        None => (m.input("next_plane", w.plane), m.input("next_first_plane", 1), m.input("next_last_plane", 1)),
    };
    let last_position = m.define("last_position", &position.q().eq(&block.output("last_position")));
    let slot_end = m.define("slot_end", &last_plane.and(&last_position));
    let in_last_slot = m.select("in_last_slot", &slot_start.q(), &slot_last, &last_slot.q());
    let subvector_end = m.define("subvector_end", &slot_end.and(&in_last_slot));
    let last_subvector = m.define("last_subvector", &subvector.q().add_const(1).eq(&subvectors));
    let block_end = m.define("block_end", &subvector_end.and(&last_subvector));
    let last_of_layer = m.define("last_of_layer", &in_last_slot.and(&last_subvector).and(&block.output("last_block")));

    // A lowest plane changes psums: until the block two before has been drained, its read waits in stage 2.
    let (stage2_last_plane, stage2_block_last) =
        (m.register("stage2_last_plane", 1), m.register("stage2_block_last", 1));
    let half_blocked = m.define("half_blocked", &stage2_last_plane.q().and(&both_waiting.q()));
    let goes = m.define("goes", &macros_ready.and(&half_blocked.not()));
    let read_valid = m.define("goes_out", &stage2_valid.q().and(&goes));

    // Whether the next one may be issued.
    let advance = m.define("stages_advance", &stage2_valid.q().not().or(&goes));
    let slot_missing = m.define("slot_missing", &slot_start.q().and(&slots_loaded.not()));
    let slot_blocked = m.define("slot_blocked", &slot_start.q().and(&slot_waiting.q()));
    let blocked = m.define("blocked", &slot_missing.or(&slot_blocked).or(&bank_full.not()));
    let issue = m.define("issue", &running.q().and(&advance).and(&blocked.not()));

    m.when(&issue, |m| {
        m.set(&slot_start.d(), &slot_end);
        m.set(&last_slot.d(), &in_last_slot);
        if let Some(plane) = &own_plane {
            m.set(&plane.d(), &plane.q().sub_const(1));
            m.when(&last_plane, |m| m.set(&plane.d(), &top_plane));
        }
        m.when(&last_plane, |m| m.set(&position.d(), &position.q().add_const(1)));
        m.when(&slot_end, |m| m.set(&position.d(), &zero(w.position)));
        m.when(&subvector_end, |m| m.set(&subvector.d(), &subvector.q().add_const(1)));
        m.when(&block_end, |m| {
            m.set(&subvector.d(), &zero(16));
            m.set(&running.d(), &block.output("last_block").not());
        });
    });
    let block_issued = m.define("block_issued", &issue.and(&block_end));
    m.set(&block.input("start"), &start);
    m.set(&block.input("next_block"), &block_issued);
    m.set(&block.input("positions"), &positions);
    m.set(&block.input("block_positions"), &block_positions);

    // A slot waits from its choice until its items go to the lanes.
    m.when(&slot_handed_over, |m| m.set(&slot_waiting.d(), &zero(1)));
    m.when(&issue.and(&slot_start.q()), |m| m.set(&slot_waiting.d(), &lit(1, 1)));
    // A block waits from its last read until it is drained; while two do, no psum may change.
    let block_read = m.define("block_read", &read_valid.and(&stage2_block_last.q()));
    m.when(&block_drained.and(&block_read.not()), |m| {
        m.set(&drain_waiting.d(), &both_waiting.q());
        m.set(&both_waiting.d(), &zero(1));
    });
    m.when(&block_read.and(&block_drained.not()), |m| {
        m.set(&both_waiting.d(), &drain_waiting.q());
        m.set(&drain_waiting.d(), &lit(1, 1));
    });
    // The half of the psums that the block computes.
    let half = m.register("half", 1);
    m.when(&block_issued, |m| m.set(&half.d(), &half.q().not()));
    m.when(&start, |m| {
        m.set(&running.d(), &lit(1, 1));
        m.set(&slot_start.d(), &lit(1, 1));
        if let Some(plane) = &own_plane {
            m.set(&plane.d(), &top_plane);
        }
        m.set(&position.d(), &zero(w.position));
        m.set(&subvector.d(), &zero(16));
        m.set(&drain_waiting.d(), &zero(1));
        m.set(&both_waiting.d(), &zero(1));
        m.set(&half.d(), &zero(1));
    });

    // Stages 1 and 2: what belongs to a read goes on to the lanes; its plane only where planes are skipped.
    let negative = if skips { plane.eq(&top_plane) } else { first_plane.clone() };
    let mut tags = vec![
        ("slot_first", slot_start.q()),
        ("block_last", block_end.clone()),
        ("last_plane", last_plane.clone()),
        ("first_plane", first_plane.clone()),
        ("negative", negative.and(&input_signed)),
        ("position", position.q().trunc(w.psum_position)),
    ];
    if skips {
        tags.push(("plane", plane.clone()));
    }
    let staged: Vec<_> = tags
        .into_iter()
        .map(|(name, value)| {
            let stage1 = m.register(&format!("stage1_{name}"), value.width());
            let stage2 = match name {
                "last_plane" => stage2_last_plane.clone(),
                "block_last" => stage2_block_last.clone(),
                _ => m.register(&format!("stage2_{name}"), value.width()),
            };
            let output = m.output(&format!("read_{name}"), value.width());
            m.set(&output, &stage2.q());
            (value, stage1, stage2)
        })
        .collect();
    // At a slot's first read: what its word should say.
    let stage1_half = m.register("stage1_half", 1);
    let stage1_last_of_layer = m.register("stage1_last_of_layer", 1);
    let stage1_plane = (config.input_bits() > 1 && !skips).then(|| m.register("stage1_plane", w.plane));
    let of_stage1 = |tag: usize| staged[tag].1.q();
    let slot_begins = m.define("slot_begins", &advance.and(&stage1_valid.q()).and(&of_stage1(0)));
    let tlast_wrong = m.define("tlast_wrong", &group_tlast.xor(&stage1_last_of_layer.q()));
    let refused = m.define("refused", &slot_begins.and(&slot_faulty.or(&tlast_wrong)));
    m.when(&advance, |m| {
        m.set(&stage1_valid.d(), &issue);
        m.set(&stage2_valid.d(), &stage1_valid.q().and(&refused.not()));
        m.set(&stage1_half.d(), &half.q());
        m.set(&stage1_last_of_layer.d(), &last_of_layer);
        for (value, stage1, stage2) in &staged {
            m.set(&stage1.d(), value);
            m.set(&stage2.d(), &stage1.q());
        }
        if let Some(stage1_plane) = &stage1_plane {
            m.set(&stage1_plane.d(), &plane);
        }
    });
    if config.input_bits() > 1 {
        let output = m.output("plane", w.plane);
        m.set(&output, &stage1_plane.map_or_else(|| of_stage1(staged.len() - 1), |register| register.q()));
    }
    m.when(&flush, |m| {
        for register in [&running, &slot_waiting, &drain_waiting, &both_waiting, &stage1_valid, &stage2_valid] {
            m.set(&register.d(), &zero(1));
        }
    });

    // Why nothing is issued: at most one reason a cycle, in this order.
    let held = stage2_valid.q().and(&macros_ready.not());
    let no_half = stage2_valid.q().and(&macros_ready).and(&half_blocked).or(&advance.and(&running.q().not()));
    let no_slot = running.q().and(&advance).and(&slot_missing);
    let no_input = running.q().and(&advance).and(&slot_missing.not()).and(&bank_full.not());
    let mut outputs = vec![
        ("advance", advance.clone()),
        ("slot_take", slot_begins.and(&refused.not())),
        ("slot_refused", refused),
        ("slot_half", stage1_half.q()),
        ("input_read", issue.clone()),
        ("input_position", position.q()),
        ("bank_release", issue.and(&subvector_end)),
        ("read_valid", read_valid),
        ("wait_macro", held),
        ("wait_slots", no_slot),
        ("wait_activations", no_input),
        ("wait_results", no_half),
    ];
    if skips {
        outputs.extend([("slot_opens", slot_start.q()), ("slot_ends", slot_end)]);
    }
    for (name, value) in &outputs {
        let output = m.output(name, value.width());
        m.set(&output, value);
    }
    m
}
