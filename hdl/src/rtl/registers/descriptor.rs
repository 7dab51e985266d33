//! The registers that describe a layer, and whether they are in range.

use super::super::{Widths, fit, registered};
use super::Port;
use crate::build::{Expr, Module, lit, zero};
use basisn_arch::{ChipConfig, registers as map};

/// The layer's descriptor. A value that the core can't work with is found before the start.
pub(super) fn descriptor(m: &mut Module, port: &mut Port, config: &ChipConfig) {
    let w = Widths::of(config);
    let half_words = config.psum_words() / 2;
    let most_positions = config.position_block().min(half_words);

    let positions = port.stored(m, "positions", map::POSITIONS, 32);
    let block_positions = port.stored(m, "block_positions", map::BLOCK_POSITIONS, 16);
    let subvectors = port.stored(m, "subvectors", map::SUBVECTORS, 16);
    let rows_used = port.stored(m, "rows_used", map::ROWS_USED, 16);
    let gain = port.stored(m, "gain", map::GAIN, 3);
    let kernels = port.stored(m, "kernels", map::KERNELS, 16);
    let tiles = port.stored(m, "tiles", map::TILES, 8);
    let clamp_low = port.stored(m, "clamp_low", map::CLAMP_LOW, 32);
    let clamp_high = port.stored(m, "clamp_high", map::CLAMP_HIGH, 32);
    let planes = port.stored_at(m, "planes", map::INPUT, 0, 4);
    let input_signed = port.stored_at(m, "input_signed", map::INPUT, 4, 1);
    port.read(map::INPUT, &[(0, &planes), (4, &input_signed)]);
    let shift = port.stored_at(m, "shift", map::REQUANTIZE, 0, 6);
    let raw = port.stored_at(m, "raw", map::REQUANTIZE, 8, 1);
    port.read(map::REQUANTIZE, &[(0, &shift), (8, &raw)]);

    let beyond = |value: &Expr, most: usize| value.eq_const(0).or(&value.ge_const(most as u64 + 1));
    let faults = [
        (map::POSITIONS, positions.eq_const(0)),
        (map::BLOCK_POSITIONS, beyond(&block_positions, most_positions)),
        (map::SUBVECTORS, subvectors.eq_const(0)),
        (map::ROWS_USED, beyond(&rows_used, config.rows())),
        (map::INPUT, beyond(&planes, config.input_bits())),
        (map::KERNELS, beyond(&kernels, config.kernels())),
        (map::REQUANTIZE, raw.not().and(&beyond(&shift, 46))),
        (map::TILES, beyond(&tiles, config.tiles())),
    ];
    let fault = m.register("descriptor_faulty", 1);
    let place = m.register("descriptor_faulty_at", 8);
    m.set(&fault.d(), &zero(1));
    for (address, wrong) in faults {
        m.when(&wrong, |m| {
            m.set(&fault.d(), &lit(1, 1));
            m.set(&place.d(), &lit(u64::from(address), 8));
        });
    }
    // The highest place in a psum half where the psums of a block's positions may begin.
    let last_base = m.register("last_base_register", w.psum_address);
    let room = lit(half_words as u64, w.psum_address + 1).sub(&fit(&block_positions, w.psum_address + 1));
    m.set(&last_base.d(), &room.trunc(w.psum_address));
    // The last tile in use, the group that drains it, and the tiles of that group; which tiles are in use.
    let last_tile = registered(m, "last_tile_register", &tiles.sub_const(1).trunc(w.tile));
    let place_bits = config.drain_width().trailing_zeros() as usize;
    let wide = last_tile.zext(w.tile + place_bits);
    let last_group = fit(&wide.bits(place_bits, w.tile), w.drain_group);
    let last_group_size =
        if place_bits == 0 { lit(1, 1) } else { fit(&wide.trunc(place_bits), w.drain_size).add_const(1) };
    let used: Vec<_> = (0..config.tiles()).map(|tile| tiles.ge_const(tile as u64 + 1)).collect();
    let tiles_used = registered(m, "tiles_used_register", &super::super::pack(&used));

    let described = [
        ("positions", positions),
        ("block_positions", block_positions.trunc(w.position_count)),
        ("subvectors", subvectors),
        ("rows_used", rows_used.trunc(w.row_count)),
        ("gain", gain),
        ("kernels", kernels.trunc(w.kernel_count)),
        ("last_tile", last_tile),
        ("tiles_used", tiles_used),
        ("last_group", last_group),
        ("last_group_size", last_group_size),
        ("clamp_low", clamp_low),
        ("clamp_high", clamp_high),
        ("top_plane", planes.trunc(w.plane).sub_const(1)),
        ("input_signed", input_signed),
        ("shift", shift),
        ("raw", raw),
        ("last_base", last_base.q()),
        ("descriptor_fault", fault.q()),
        ("descriptor_place", place.q()),
    ];
    for (name, value) in &described {
        let output = m.output(name, value.width());
        m.set(&output, value);
    }
}
