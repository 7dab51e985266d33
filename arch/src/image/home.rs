//! Homes: the places of the drain order, and those of them that no kernel has.

use super::LayerProgram;
use crate::{ChipConfig, Slot};

/// A place without a kernel. It is drained as the others are, so its psum must have been written; its result is dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Vacancy {
    /// The place q: tile `q % T`, lane `q / T % L`, psum row `q / (T L)`, on the T tiles in use.
    pub place: usize,
    /// Subvector and slot in which an item without columns writes its psum.
    pub slot: [usize; 2],
}

/// Places of the drain order: as many as lead to the last kernel's home.
pub fn places(home: &[u32]) -> usize {
    home.iter().max().map_or(0, |&q| q as usize + 1)
}

/// The places without a kernel, for slots `[subvector][slot][tile]` of all tiles of `config`. The psum of each is written in the first slot in which its lane has no item
/// and writes no other such place; `None` if a place has no such slot.
pub fn vacancies<S: AsRef<[Vec<Slot>]>>(home: &[u32], slots: &[S], config: &ChipConfig) -> Option<Vec<Vacancy>> {
    let (tiles, lanes) = (config.tiles(), config.lanes());
    let mut has_kernel = vec![false; places(home)];
    home.iter().for_each(|&q| has_kernel[q as usize] = true);
    let mut found: Vec<Vacancy> = Vec::new();
    for place in (0..has_kernel.len()).filter(|&q| !has_kernel[q]) {
        let at = |q: usize| (q % tiles, q / tiles % lanes);
        let (tile, lane) = at(place);
        let is_taken = |slot| found.iter().any(|v| v.slot == slot && at(v.place) == (tile, lane));
        let mut free = slots.iter().enumerate().flat_map(|(s, slots)| {
            let is_free = move |tiles: &Vec<Slot>| tiles[tile].items[lane].is_none();
            slots.as_ref().iter().enumerate().filter(move |(_, tiles)| is_free(tiles)).map(move |(i, _)| [s, i])
        });
        let slot = free.find(|&slot| !is_taken(slot))?;
        found.push(Vacancy { place, slot });
    }
    Some(found)
}

impl LayerProgram {
    /// Places of the drain order, see [`places`].
    pub fn places(&self) -> usize {
        places(&self.home)
    }

    /// The places without a kernel, see [`vacancies`].
    pub fn vacancies(&self, config: &ChipConfig) -> Option<Vec<Vacancy>> {
        vacancies(&self.home, &self.slots, &config.using(self.tiles))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Item;

    #[test]
    fn places_without_a_kernel_are_written_where_their_lane_is_free() {
        // tiny with two tiles of four lanes: places 0, 2, 4, 6 and, in psum row 1, 8 are tile 0.
        let config = ChipConfig::load("tiny").unwrap().with("core.tiles", 2).unwrap();
        let slot = |kernels: &[usize]| {
            let mut slot = Slot::empty(&config);
            kernels.iter().enumerate().for_each(|(lane, &kernel)| slot.items[lane] = Some(Item { kernel, plane: 0 }));
            slot
        };
        let home = [2, 8, 1];
        let slots = [vec![vec![slot(&[0, 1]), slot(&[])], vec![slot(&[]), slot(&[])]]];
        let vacancy = |place, i| Vacancy { place, slot: [0, i] };
        let expected = [vacancy(0, 1), vacancy(3, 0), vacancy(4, 0), vacancy(5, 0), vacancy(6, 0), vacancy(7, 0)];
        assert_eq!(vacancies(&home, &slots, &config), Some(expected.into()));
        assert_eq!(places(&home), 9);
        // Two places of one lane do not share a slot, and a lane that is always busy has none.
        assert_eq!(vacancies(&[8, 16], &slots[..1], &config).map(|v| v.len()), None);
        assert_eq!(vacancies(&[1, 0, 2], &slots, &config), Some(Vec::new()));
    }
}
