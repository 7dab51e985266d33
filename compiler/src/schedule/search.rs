//! First fit, and its improvement: slots are emptied in a new order and filled again. A slot's items still fit together,
//! so first fit in the order of the slots never needs more slots than before, and often fewer (Culberson's iterated greedy).

use super::tile::{Filling, TileProblem};
use crate::random::Random;

/// Part of the result's definition: the same input gives the same schedule.
const SEED: u64 = 0x736c_6f74;

/// Slots as lists of items. Never more than plain first fit; stops early at `enough`, and after `effort` item placements.
pub(super) fn schedule(problem: &TileProblem, enough: usize, effort: usize, stream: u64) -> Vec<Vec<usize>> {
    let given: Vec<usize> = (0..problem.items.len()).collect();
    let mut best = first_fit(problem, &given);
    if effort == 0 || best.len() <= enough {
        return best;
    }
    // Largest first: what is hard to place goes where there is still room.
    let mut largest = given;
    largest.sort_by_key(|&i| std::cmp::Reverse(problem.items[i].columns.count()));
    let other = first_fit(problem, &largest);
    if other.len() < best.len() {
        best = other;
    }
    let mut random = Random::new(SEED ^ stream);
    let mut current = best.clone();
    for step in 0..effort / problem.items.len().max(1) {
        if best.len() <= enough {
            break;
        }
        reorder(problem, &mut current, step, &mut random);
        current = first_fit(problem, &current.concat());
        if current.len() < best.len() {
            best.clone_from(&current);
        }
    }
    best
}

/// Every item into the first slot where it fits.
pub(super) fn first_fit(problem: &TileProblem, order: &[usize]) -> Vec<Vec<usize>> {
    let mut slots: Vec<(Filling, Vec<usize>)> = Vec::new();
    for &i in order {
        let item = &problem.items[i];
        match slots.iter_mut().find_map(|(slot, members)| slot.place(item, problem.merge).then_some(members)) {
            Some(members) => members.push(i),
            None => {
                let mut slot = Filling::new(problem);
                slot.place(item, problem.merge);
                slots.push((slot, vec![i]));
            }
        }
    }
    slots.into_iter().map(|(_, members)| members).collect()
}

/// A new order of the slots: shuffled, reversed, or the fullest first.
fn reorder(problem: &TileProblem, slots: &mut [Vec<usize>], step: usize, random: &mut Random) {
    match step % 4 {
        0 => slots.reverse(),
        1 => slots.sort_by_key(|members| {
            std::cmp::Reverse(members.iter().map(|&i| problem.items[i].columns.count()).sum::<u32>())
        }),
        _ => random.shuffle(slots),
    }
    slots.iter_mut().for_each(|members| random.shuffle(members));
}
