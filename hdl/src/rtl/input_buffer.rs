//! The activations of a block and subvector, as wordlines.

use super::{Widths, element, fit, one_hot, pack, widths::index_bits};
use crate::build::{Expr, Header, Module, lit, ones, zero};
use basisn_arch::{ChipConfig, clog2};

const HEADER: Header = Header {
    function: "Two banks of a block's positions: one is filled from the stream, the other gives one input plane a read.",
    latency: "1 cycle from a bank's last beat to bank_full; 2 advancing cycles from input_read to wordlines.",
    handshake: "activation_ready is high while a bank is empty and activations of the layer are missing, and while beats are discarded.",
    invariants: "input_read only while bank_full; plane belongs to the read one advancing cycle before. Rows not used are 0.",
};

/// The input buffer. Values are kept with their bits grouped by plane, so that a plane is one slice of the word.
pub fn input_buffer(config: &ChipConfig) -> Module {
    let w = Widths::of(config);
    let (rows, beat_rows, planes) = (config.rows(), config.activation_stream_bytes(), config.input_bits());
    let (position_block, skips) = (config.position_block(), config.skips_zero_planes());
    let mut m = Module::new("input_buffer", HEADER);
    let start = m.input("start", 1);
    let positions = m.input("positions", 32);
    let block_positions = m.input("block_positions", w.position_count);
    let subvectors = m.input("subvectors", 16);
    let rows_used = m.input("rows_used", w.row_count);
    let activation_valid = m.input("activation_valid", 1);
    let activation_data = m.input("activation_data", 8 * beat_rows);
    let activation_tlast = m.input("activation_tlast", 1);
    let flush = m.input("flush", 1);
    let discard = m.input("discard", 1);
    let activation_ready = m.output("activation_ready", 1);
    let advance = m.input("advance", 1);
    let input_read = m.input("input_read", 1);
    let input_position = m.input("input_position", w.position);
    let bank_release = m.input("bank_release", 1);
    let plane = if planes == 1 { zero(1) } else { m.input("plane", w.plane) };
    let bank_full = m.output("bank_full", 1);
    let wordlines_out = m.output("wordlines", rows);

    let block = m.child("load_blocks", super::block_counter(config));
    let loading = m.register("loading", 1);
    let row = m.register("row", clog2(rows + beat_rows));
    let position = m.register("position", w.position);
    let subvector = m.register("subvector", 16);
    let load_bank = m.register("load_bank", 1);
    let read_bank = m.register("read_bank", 1);
    let full = m.register("full", 2);

    // Loading: rows, then positions, subvectors and blocks.
    let load_full = m.select("load_full", &load_bank.q(), &full.q().bit(1), &full.q().bit(0));
    let ready = m.define("ready", &loading.q().and(&load_full.not()));
    let beat = m.define("beat", &activation_valid.and(&ready));
    m.set(&activation_ready, &ready.or(&discard));
    let memories = rows.div_ceil(beat_rows);
    let next_row = m.define("next_row", &row.q().add_const(beat_rows as u64));
    let last_beat = if memories == 1 { lit(1, 1) } else { next_row.ge(&rows_used.zext(next_row.width())) };
    let position_loaded = m.define("position_loaded", &beat.and(&last_beat));
    let bank_loaded = m.define("bank_loaded", &position_loaded.and(&position.q().eq(&block.output("last_position"))));
    let last_subvector = m.define("last_subvector", &subvector.q().add_const(1).eq(&subvectors));
    let block_loaded = m.define("block_loaded", &bank_loaded.and(&last_subvector));
    let layer_loaded = m.define("layer_loaded", &block_loaded.and(&block.output("last_block")));
    let early = m.output("activation_early", 1);
    let late = m.output("activation_late", 1);
    // Registered: what an error stops is all over the core.
    let tlast_early = m.register("tlast_early", 1);
    let tlast_late = m.register("tlast_late", 1);
    m.set(&tlast_early.d(), &beat.and(&activation_tlast).and(&layer_loaded.not()));
    m.set(&tlast_late.d(), &layer_loaded.and(&activation_tlast.not()));
    m.set(&early, &tlast_early.q());
    m.set(&late, &tlast_late.q());
    m.set(&block.input("start"), &start);
    m.set(&block.input("next_block"), &block_loaded);
    m.set(&block.input("positions"), &positions);
    m.set(&block.input("block_positions"), &block_positions);
    m.when(&beat, |m| m.set(&row.d(), &next_row));
    m.when(&position_loaded, |m| {
        m.set(&row.d(), &zero(next_row.width()));
        m.set(&position.d(), &position.q().add_const(1));
    });
    m.when(&bank_loaded, |m| {
        m.set(&position.d(), &zero(w.position));
        m.set(&subvector.d(), &subvector.q().add_const(1));
        m.set(&load_bank.d(), &load_bank.q().not());
    });
    m.when(&block_loaded, |m| {
        m.set(&subvector.d(), &zero(16));
        m.set(&loading.d(), &block.output("last_block").not());
    });

    // Two banks: a set and a clear of one bank never meet.
    let set = m.define("set_full", &one_hot(&load_bank.q(), 2).and(&bank_loaded.repeat(2)));
    let clear = m.define("clear_full", &one_hot(&read_bank.q(), 2).and(&bank_release.repeat(2)));
    m.set(&full.d(), &full.q().or(&set).and(&clear.not()));
    m.when(&bank_release, |m| m.set(&read_bank.d(), &read_bank.q().not()));
    // The planes to read of a bank's first positions are there a cycle after the activations.
    let readable = if skips { m.register("readable", 2) } else { full.clone() };
    if skips {
        m.set(&readable.d(), &full.q().and(&clear.not()));
    }
    let read_full = m.select("read_full", &read_bank.q(), &readable.q().bit(1), &readable.q().bit(0));
    m.set(&bank_full, &read_full);
    m.when(&start, |m| {
        m.set(&loading.d(), &lit(1, 1));
        for (register, width) in [(&row, row.q().width()), (&position, w.position), (&subvector, 16), (&full, 2)] {
            m.set(&register.d(), &zero(width));
        }
        m.set(&load_bank.d(), &zero(1));
        m.set(&read_bank.d(), &zero(1));
    });
    m.when(&flush, |m| {
        m.set(&loading.d(), &zero(1));
        m.set(&full.d(), &zero(2));
    });
    if skips {
        m.when(&start.or(&flush), |m| m.set(&readable.d(), &zero(2)));
    }

    // Transposition into planes is wiring.
    let used_rows = beat_rows.min(rows);
    let beat_planes: Vec<_> = (0..planes)
        .map(|plane| {
            let bits: Vec<_> = (0..used_rows).map(|row| activation_data.bit(8 * row + plane)).collect();
            m.define(&format!("beat_plane_{plane}"), &pack(&bits))
        })
        .collect();
    if skips {
        // Rows that are not used don't count, whatever the stream carries; planes that are not used neither.
        let top_plane = m.input("top_plane", w.plane);
        let rows_left = m.define("rows_left", &fit(&rows_used, next_row.width()).sub(&row.q()));
        let used: Vec<_> = (0..used_rows).map(|row| rows_left.ge_const(row as u64 + 1)).collect();
        let used = m.define("rows_in_use", &pack(&used));
        let ones_in: Vec<_> = beat_planes.iter().map(|rows| rows.and(&used).any()).collect();
        let plane_mask = m.register("plane_mask", planes);
        m.set(&plane_mask.d(), &ones(planes).shl_by(&top_plane.zext(w.plane + 1).add_const(1)).not());
        let seen = m.register("planes_seen", planes);
        let nonzero = m.define("planes_with_ones", &seen.q().or(&pack(&ones_in).and(&plane_mask.q())));
        m.when(&beat, |m| m.set(&seen.d(), &nonzero));
        m.when(&position_loaded.or(&start), |m| m.set(&seen.d(), &zero(planes)));
        let outputs = [
            ("nonzero_write", position_loaded.clone()),
            ("nonzero_bank", load_bank.q()),
            ("nonzero_position", position.q()),
            ("nonzero_planes", nonzero),
            ("bank_in_turn", read_bank.q()),
        ];
        for (name, value) in &outputs {
            let output = m.output(name, value.width());
            m.set(&output, value);
        }
    }
    let mut ignored: Vec<_> = Vec::new();
    if planes < 8 {
        ignored.extend((0..used_rows).map(|row| activation_data.bits(8 * row + planes, 8 - planes)));
    }
    if used_rows < beat_rows {
        ignored.push(activation_data.bits(8 * used_rows, 8 * (beat_rows - used_rows)));
    }
    if !ignored.is_empty() {
        m.define("unused_activation_bits", &pack(&ignored).any());
    }

    let address_bits = index_bits(2 * position_block);
    let bank_base = |m: &mut Module, name: &str, bank: &Expr| {
        m.select(name, bank, &lit(position_block as u64, address_bits), &zero(address_bits))
    };
    let write_base = bank_base(&mut m, "write_base", &load_bank.q());
    let read_base = bank_base(&mut m, "read_base", &read_bank.q());
    let write_address = m.define("write_address", &write_base.add(&position.q().zext(address_bits)));
    let read_address = m.define("read_address", &read_base.add(&input_position.zext(address_bits)));
    let mut plane_rows = Vec::new();
    for index in 0..memories {
        let width = beat_rows.min(rows - index * beat_rows);
        let memory = m.memory(&format!("rows_{}", index * beat_rows), 2 * position_block, width * planes);
        let selected = beat.and(&row.q().eq_const((index * beat_rows) as u64));
        m.set(&memory.write_enable, &selected);
        m.set(&memory.write_address, &write_address);
        let word: Vec<_> = beat_planes.iter().map(|rows| fit(rows, width)).collect();
        m.set(&memory.write_data, &pack(&word));
        m.set(&memory.read_enable, &input_read);
        m.set(&memory.read_address, &read_address);
        let name = format!("rows_{}_plane", index * beat_rows);
        plane_rows.push(m.define(&name, &element(&memory.read_data, &plane, width)));
    }

    let row_mask = m.register("row_mask", rows);
    m.set(&row_mask.d(), &ones(rows).shl_by(&rows_used).not());
    let wordlines = m.register("held_wordlines", rows);
    m.when(&advance, |m| m.set(&wordlines.d(), &pack(&plane_rows).and(&row_mask.q())));
    m.set(&wordlines_out, &wordlines.q());
    m
}
