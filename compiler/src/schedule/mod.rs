//! Contest-aware list scheduling: which items share a slot.
//!
//! A column carries one current, so the items of a slot own disjoint columns; a lane has one item. An item runs on its kernel's
//! home lane, or beside an item of the same kernel on the next lane, whose result is merged.
//!
//! | module | what |
//! |---|---|
//! | `tile` | one subvector of one tile: the problem, its lower bound, a slot being filled |
//! | `search` | first fit and its improvement |
//! | `contention` | what a schedule's slots are for: lanes, or contests for columns |

mod contention;
mod search;
mod tile;

use basisn_arch::{ChipConfig, Item, Slot};
use rayon::prelude::*;

use crate::fitted::PlaneItem;
pub use contention::Contention;
pub(crate) use tile::{TileItem, TileProblem};

/// Settings of the scheduler.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScheduleOptions {
    /// Let two planes of a kernel share a slot on neighbouring lanes.
    pub merge: bool,
    /// Item placements to spend on improving one subvector of one tile; 0 gives plain first fit.
    pub effort: usize,
}

impl Default for ScheduleOptions {
    fn default() -> Self {
        ScheduleOptions { merge: true, effort: 100_000 }
    }
}

/// The slots of one subvector.
#[derive(Clone, Debug, PartialEq)]
pub struct SubvectorSchedule {
    /// `slots[i][tile]`; tiles with less to do end with empty slots.
    pub slots: Vec<Vec<Slot>>,
    /// No schedule can have fewer.
    pub lower_bound: usize,
}

/// Schedules a layer: `items[s]` are the items of subvector s, `home[kernel]` the homes, `groups` the kernels known to be free of contests.
pub fn schedule_layer(
    items: &[Vec<PlaneItem>],
    home: &[u32],
    groups: Option<&[Vec<usize>]>,
    config: &ChipConfig,
    options: ScheduleOptions,
) -> Vec<SubvectorSchedule> {
    let mut group_of = vec![0; home.len()];
    for (g, group) in groups.unwrap_or_default().iter().enumerate() {
        group.iter().for_each(|&kernel| group_of[kernel] = g);
    }
    items
        .par_iter()
        .map(|items| subvector(items, home, groups.is_some().then_some(&group_of), config, options))
        .collect()
}

fn subvector(
    items: &[PlaneItem],
    home: &[u32],
    group_of: Option<&Vec<usize>>,
    config: &ChipConfig,
    options: ScheduleOptions,
) -> SubvectorSchedule {
    let (tiles, lanes) = (config.tiles(), config.lanes());
    let mut of_tile: Vec<Vec<&PlaneItem>> = vec![Vec::new(); tiles];
    for item in items {
        of_tile[home[item.kernel] as usize % tiles].push(item);
    }
    if let Some(group_of) = group_of {
        // First fit in this order puts every plane of a group into one slot.
        of_tile.iter_mut().for_each(|items| items.sort_by_key(|i| (group_of[i.kernel], i.plane)));
    }
    let problems: Vec<TileProblem> = of_tile
        .iter()
        .map(|items| {
            let items = items.iter().map(|i| TileItem::new(i, home[i.kernel] as usize / tiles % lanes)).collect();
            TileProblem { items, lanes, merge: options.merge }
        })
        .collect();
    let bounds: Vec<usize> = problems.iter().map(TileProblem::lower_bound).collect();
    // A subvector has at least one slot, also if there is nothing to do.
    let lower_bound = bounds.iter().copied().max().unwrap_or(0).max(1);
    // Tiles wait for the slowest: no tile is improved beyond what another one needs anyway.
    let mut order: Vec<usize> = (0..tiles).collect();
    order.sort_by_key(|&t| std::cmp::Reverse(bounds[t]));
    let mut count = lower_bound;
    let mut found = vec![Vec::new(); tiles];
    for tile in order {
        found[tile] = search::schedule(&problems[tile], count, options.effort, tile as u64);
        count = count.max(found[tile].len());
    }
    let slots = (0..count)
        .map(|i| {
            let slot = |tile: usize| match found[tile].get(i) {
                Some(members) => fill(members, &of_tile[tile], &problems[tile], config),
                None => Slot::empty(config),
            };
            (0..tiles).map(slot).collect()
        })
        .collect();
    SubvectorSchedule { slots, lower_bound }
}

fn fill(members: &[usize], items: &[&PlaneItem], problem: &TileProblem, config: &ChipConfig) -> Slot {
    let mut slot = Slot::empty(config);
    for &member in members {
        let (item, home) = (items[member], problem.items[member].lane);
        let lane = if slot.items[home].is_none() { home } else { (home + 1) % problem.lanes };
        slot.items[lane] = Some(Item { kernel: item.kernel, plane: item.plane });
        for &(column, negative) in &item.columns {
            let number = lane as i8 + 1;
            slot.switches[column] = if negative { -number } else { number };
        }
    }
    slot
}

#[cfg(test)]
mod tests;
