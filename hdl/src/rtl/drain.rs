//! Walks the psums of a finished block in the order of the result stream.

use super::{RESULTS_IN_FLIGHT, Widths, fit, one_hot, pack, registered, widths::index_bits};
use crate::build::{Expr, Header, Module, lit, zero};
use basisn_arch::ChipConfig;

const HEADER: Header = Header::new(
    "Reads a finished block's psums, up to W of the tiles in use at once: tiles fastest, then lane, then psum row.",
    "1 cycle from its choice to drain_read, 3 from there to psum_valid; a read a cycle.",
    "Reads only as many as the result fifo has room for.",
    "block_retired while idle or at the block before. block_drained one cycle before the block's last drain_read.",
);

/// The drain of a core.
pub fn drain(config: &ChipConfig) -> Module {
    let (w, width, tiles) = (Widths::of(config), config.drain_width(), config.tiles());
    let credit_bits = index_bits(RESULTS_IN_FLIGHT + 1);
    let mut m = Module::new("drain", HEADER);
    let start = m.input("start", 1);
    let positions = m.input("positions", 32);
    let block_positions = m.input("block_positions", w.position_count);
    let kernels = m.input("kernels", w.kernel_count);
    let last_group = m.input("last_group", w.drain_group);
    let last_group_size = m.input("last_group_size", w.drain_size);
    let block_retired = m.input("block_retired", 1);
    let result_taken = m.input("result_taken", 1);
    let last_base = m.input("last_base", w.psum_address);
    let flush = m.input("flush", 1);
    let block_drained = m.output("block_drained", 1);

    let block = m.child("drain_blocks", super::block_counter(config));
    let busy = m.register("busy", 1);
    let next_waits = m.register("next_waits", 1);
    let half = m.register("half", 1);
    let kernels_left = m.register("kernels_left", w.kernel_count);
    let kernel_group = m.register("kernel_group", w.kernel_group);
    let group = m.register("group", w.drain_group);
    let in_last_group = m.register("in_last_group", 1);
    let lane = m.register("lane", w.lane);
    let row_base = m.register("row_base", w.half_address);
    let position = m.register("position", w.position);
    let in_flight = m.register("in_flight", credit_bits);

    let room = m.define("room", &in_flight.q().ne_const(RESULTS_IN_FLIGHT as u64));
    let read = m.define("read", &busy.q().and(&room));
    let last_position = m.define("last_position", &position.q().eq(&block.output("last_position")));
    // As many as the kernels' number can hold are always more than W - 1.
    let wide_left = kernels_left.q().zext(w.kernel_count + 5);
    let size = m.select("group_size", &in_last_group.q(), &last_group_size, &lit(width as u64, w.drain_size));
    let wide_size = size.zext(wide_left.width());
    let last_kernel = m.define("last_kernel", &wide_left.gt(&wide_size).not());
    let block_end = m.define("block_end", &read.and(&last_position).and(&last_kernel));
    let last_lane = m.define("last_lane", &lane.q().eq_const(config.lanes() as u64 - 1));

    // The kernels have more rows of psums than a half holds: known when the drain comes to such a row.
    let next_row = row_base.q().zext(w.psum_address + 1).add(&fit(&block_positions, w.psum_address + 1));
    let no_row = m.define("no_row", &next_row.gt(&last_base.zext(w.psum_address + 1)));
    let row_end = m.define("row_end", &read.and(&last_position).and(&in_last_group.q()).and(&last_lane));
    let kernels_fault = m.output("kernels_fault", 1);
    m.set(&kernels_fault, &row_end.and(&last_kernel.not()).and(&no_row));

    // A block may be complete while the one before is still read.
    m.when(&block_retired, |m| {
        m.set(&busy.d(), &lit(1, 1));
        m.set(&next_waits.d(), &busy.q());
    });
    m.when(&read, |m| m.set(&position.d(), &position.q().add_const(1)));
    let next_group = m.define("next_group", &group.q().add_const(1));
    let one_group = m.define("one_group", &last_group.eq_const(0));
    m.when(&read.and(&last_position), |m| {
        m.set(&position.d(), &zero(w.position));
        m.set(&kernels_left.d(), &wide_left.sub(&wide_size).trunc(w.kernel_count));
        m.set(&kernel_group.d(), &kernel_group.q().add_const(1));
        m.set(&group.d(), &next_group);
        m.set(&in_last_group.d(), &next_group.eq(&last_group));
        m.when(&in_last_group.q(), |m| {
            m.set(&group.d(), &zero(w.drain_group));
            m.set(&in_last_group.d(), &one_group);
            m.set(&lane.d(), &lane.q().add_const(1));
            m.when(&last_lane, |m| {
                m.set(&lane.d(), &zero(w.lane));
                m.set(&row_base.d(), &next_row.trunc(w.half_address));
            });
        });
    });
    let first_kernel = |m: &mut Module| {
        m.set(&kernels_left.d(), &kernels);
        m.set(&kernel_group.d(), &zero(w.kernel_group));
        m.set(&group.d(), &zero(w.drain_group));
        m.set(&in_last_group.d(), &one_group);
        m.set(&lane.d(), &zero(w.lane));
        m.set(&row_base.d(), &zero(w.half_address));
    };
    m.when(&block_end, |m| {
        first_kernel(m);
        m.set(&busy.d(), &next_waits.q().or(&block_retired));
        m.set(&next_waits.d(), &zero(1));
        m.set(&half.d(), &half.q().not());
    });
    m.when(&start, |m| {
        first_kernel(m);
        m.set(&busy.d(), &zero(1));
        m.set(&next_waits.d(), &zero(1));
        m.set(&half.d(), &zero(1));
        m.set(&position.d(), &zero(w.position));
    });
    m.set(&block.input("start"), &start);
    m.set(&block.input("next_block"), &block_end);
    m.set(&block.input("positions"), &positions);
    m.set(&block.input("block_positions"), &block_positions);

    let one_more = m.define("one_more", &read.and(&result_taken.not()));
    let one_less = m.define("one_less", &result_taken.and(&read.not()));
    m.when(&one_more, |m| m.set(&in_flight.d(), &in_flight.q().add_const(1)));
    m.when(&one_less, |m| m.set(&in_flight.d(), &in_flight.q().sub_const(1)));

    m.when(&flush, |m| {
        m.set(&busy.d(), &zero(1));
        m.set(&next_waits.d(), &zero(1));
    });
    // What is still taken of a stopped layer was never counted: before a start there is nothing on its way.
    m.when(&start, |m| m.set(&in_flight.d(), &zero(credit_bits)));

    let groups = one_hot(&group.q(), config.drain_groups());
    let members: Vec<_> = (0..tiles).map(|tile| groups.bit(tile / width)).collect();
    let chosen = [
        ("drain_read", pack(&members).and(&read.repeat(tiles))),
        ("drain_lane", lane.q()),
        ("drain_half", half.q()),
        ("drain_address", row_base.q().add(&fit(&position.q(), w.half_address))),
    ];
    for (name, value) in chosen {
        let output = m.output(name, value.width());
        let register = registered(&mut m, &format!("{name}_1"), &value);
        m.set(&output, &register);
    }
    // The block's last psum is read two cycles later, the first update that this admits comes four later at least.
    m.set(&block_drained, &block_end);

    // What accompanies psums on their way to requantization; the last group of tiles or kernels may have fewer than W.
    let has = |i: u64| wide_left.ge_const(i + 1).and(&size.ge_const(i + 1));
    let there: Vec<Expr> =
        (0..config.pipelines()).map(|i| if i == 0 { read.clone() } else { read.and(&has(i as u64)) }).collect();
    let layer_end = m.define("layer_end", &block_end.and(&block.output("last_block")));
    let along = [
        ("psum_valid", pack(&there), 4),
        ("psum_last", layer_end, 4),
        ("psum_group", group.q(), 4),
        ("parameter_read", read, 3),
        ("parameter_kernel", kernel_group.q(), 3),
    ];
    for (name, mut value, cycles) in along {
        for cycle in 1..=cycles {
            value = registered(&mut m, &format!("{name}_{cycle}"), &value);
        }
        let output = m.output(name, value.width());
        m.set(&output, &value);
    }
    m
}
