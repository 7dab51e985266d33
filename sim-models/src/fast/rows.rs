//! A slot's columns added up to one row vector for each item: done once for all reads of the slot.

use basisn_arch::{ChipConfig, LayerProgram, Slot};
use rayon::prelude::*;

use crate::rram::TileMacro;

/// What one tile does in one slot.
#[derive(Clone, Debug)]
pub struct TileSlot {
    /// Items with their lanes.
    pub items: Vec<LaneItem>,
    /// Their row vectors.
    pub rows: Rows,
}

/// An item and its lane.
#[derive(Clone, Copy, Debug)]
pub struct LaneItem {
    /// Lane.
    pub lane: usize,
    /// Kernel.
    pub kernel: usize,
    /// Coefficient plane.
    pub plane: usize,
}

/// Row vectors of the items of a slot; the first r rows of a crossbar, all that the layer uses.
#[derive(Clone, Debug)]
pub enum Rows {
    /// In levels, two items a vector `[item / 2 * r + row][item % 2]`; every lane sum fits 16 bits.
    Narrow(Vec<[i16; 2]>),
    /// In levels, `[item * r + row]`.
    Wide(Vec<[i32; 1]>),
    /// Of a device, in 2^-8 level, `[item * r + row]`, with the variances of read noise, if any.
    Device(Vec<[i32; 1]>, Vec<f32>),
}

/// Prepares all slots of a layer: `[subvector][slot][tile]`, flat.
pub fn prepare(config: &ChipConfig, layer: &LayerProgram, macros: &[TileMacro]) -> Vec<TileSlot> {
    let used = layer.subvectors(config.rows()).length;
    let slots: Vec<_> = layer.slots.iter().flatten().flat_map(|tiles| tiles.iter().zip(macros)).collect();
    slots.into_par_iter().map(|(slot, tile_macro)| TileSlot::new(config, slot, tile_macro, used)).collect()
}

impl TileSlot {
    fn new(config: &ChipConfig, slot: &Slot, tile_macro: &TileMacro, used: usize) -> Self {
        let rows = config.rows();
        let lane_item = |(lane, item): (usize, &Option<basisn_arch::Item>)| {
            item.map(|item| LaneItem { lane, kernel: item.kernel, plane: item.plane })
        };
        let items: Vec<LaneItem> = slot.items.iter().enumerate().filter_map(lane_item).collect();
        let of_items = |weights: &[i32]| -> Vec<[i32; 1]> {
            items.iter().flat_map(|item| weights[item.lane * rows..][..used].iter().map(|&w| [w])).collect()
        };
        let rows = match tile_macro {
            TileMacro::Ideal(ideal) => narrowed(of_items(&ideal.lane_rows(&slot.switches)), used),
            TileMacro::Device(device) => {
                let lanes = device.lane_rows(&slot.switches);
                let variance =
                    |item: &LaneItem| lanes.variance.get(item.lane * rows..item.lane * rows + used).unwrap_or(&[]);
                Rows::Device(of_items(&lanes.weights), items.iter().flat_map(variance).copied().collect())
            }
        };
        TileSlot { items, rows }
    }
}

/// Rows of 16 bits where no lane sum, with the ADC's rounding of up to 64, can exceed them.
fn narrowed(wide: Vec<[i32; 1]>, used: usize) -> Rows {
    let fits = |row: &[[i32; 1]]| row.iter().map(|w| w[0].abs()).sum::<i32>() <= i32::from(i16::MAX) - 64;
    if !wide.chunks(used.max(1)).all(fits) {
        return Rows::Wide(wide);
    }
    let mut narrow = Vec::with_capacity(wide.len());
    for pair in wide.chunks(2 * used.max(1)) {
        let (first, second) = pair.split_at(used);
        let second = second.iter().map(|w| w[0] as i16).chain(std::iter::repeat(0));
        narrow.extend(first.iter().zip(second).map(|(first, second)| [first[0] as i16, second]));
    }
    Rows::Narrow(narrow)
}
