//! What lanes and columns ask of a schedule: the slots that each needs by itself, and the contests for columns between them.

use basisn_arch::{ChipConfig, LayerProgram};

/// Slots of a layer and what they are for, summed over its subvectors.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Contention {
    /// Slots that the layer has.
    pub slots: usize,
    /// Slots that it would need if no column were wanted twice: every lane has one item a slot.
    pub lane_bound: usize,
    /// Slots that no schedule can undercut, as lanes and the most wanted column stand.
    pub bound: usize,
    /// Items that must wait for a column: of those that want the same one in the same tile, all but the first.
    pub contests: usize,
    /// For every column, the slots of all tiles in which it is connected.
    pub column_use: Vec<usize>,
}

impl Contention {
    /// Of a layer of a checked program.
    pub fn new(layer: &LayerProgram, config: &ChipConfig) -> Self {
        let mut all = Contention { column_use: vec![0; config.columns()], ..Contention::default() };
        let mut items = vec![0; layer.shape.kernels];
        for subvector in &layer.slots {
            let (mut lane_bound, mut column_bound) = (1, 0);
            for tile in 0..layer.tiles {
                let mut load = vec![0; config.columns()];
                let mut kernels = Vec::new();
                for slot in subvector.iter().filter_map(|tiles| tiles.get(tile)) {
                    for (load, switch) in load.iter_mut().zip(&slot.switches) {
                        *load += usize::from(*switch != 0);
                    }
                    for item in slot.items.iter().flatten() {
                        if items[item.kernel] == 0 {
                            kernels.push(item.kernel);
                        }
                        items[item.kernel] += 1;
                    }
                }
                let mut of_lane = vec![0; config.lanes()];
                let mut total = 0usize;
                for &kernel in &kernels {
                    let own = std::mem::take(&mut items[kernel]);
                    total += own;
                    // Two items of a kernel can run side by side, on its home lane and the next.
                    let slots = if config.lanes() > 1 { own.div_ceil(2) } else { own };
                    of_lane[layer.home[kernel] as usize / layer.tiles % config.lanes()] += slots;
                }
                let lanes = total.div_ceil(config.lanes()).max(of_lane.into_iter().max().unwrap_or(0));
                lane_bound = lanes.max(lane_bound);
                column_bound = load.iter().copied().max().unwrap_or(0).max(column_bound);
                all.contests += load.iter().map(|load| load.saturating_sub(1)).sum::<usize>();
                all.column_use.iter_mut().zip(&load).for_each(|(all, load)| *all += load);
            }
            all.slots += subvector.len();
            all.lane_bound += lane_bound;
            all.bound += lane_bound.max(column_bound);
        }
        all
    }

    /// Slots that the layer has because of contests.
    pub fn contest_slots(&self) -> usize {
        self.slots.saturating_sub(self.lane_bound)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use basisn_arch::{Item, Requantize, Slot};
    use basisn_models::random::mvm_shape;

    #[test]
    fn contests_and_bounds_are_counted_by_hand() {
        // tiny: one tile, four lanes, 16 columns. Kernels 0 and 1 want column 3, kernel 4 shares lane 0 with kernel 0.
        let config = ChipConfig::load("tiny").unwrap();
        let slot = |items: &[(usize, usize, &[usize])]| {
            let mut slot = Slot::empty(&config);
            for &(lane, kernel, columns) in items {
                slot.items[lane] = Some(Item { kernel, plane: 0 });
                columns.iter().for_each(|&c| slot.switches[c] = lane as i8 + 1);
            }
            vec![slot]
        };
        let first =
            vec![slot(&[(0, 0, &[3, 5])]), slot(&[(1, 1, &[3]), (0, 4, &[6])]), slot(&[(2, 2, &[3]), (3, 3, &[])])];
        let layer = LayerProgram {
            name: "a".into(),
            shape: mvm_shape(8, 1, 5),
            input_bits: 8,
            signed: false,
            gain: 0,
            tiles: 1,
            block_positions: 1,
            home: (0..5).collect(),
            slots: vec![first],
            requantize: Requantize {
                multiplier: vec![1; 5],
                offset: vec![0; 5],
                shift: 1,
                low: 0,
                high: 1,
                raw: false,
            },
        };
        let found = Contention::new(&layer, &config);
        assert_eq!((found.slots, found.lane_bound, found.bound, found.contests), (3, 2, 3, 2));
        assert_eq!((found.contest_slots(), found.column_use[3], found.column_use[5]), (1, 3, 1));
    }
}
