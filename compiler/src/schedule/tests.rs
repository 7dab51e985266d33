//! The rules of a slot, the bound, and optimality on cases small enough to try everything.

use super::search::first_fit;
use super::*;
use crate::random::{Random, test_seed};

/// Random items of `kernels` kernels with `planes` planes, each column in a plane with probability `density`.
/// As with canonical digits, neighbouring planes of a kernel never share a column.
fn random_items(random: &mut Random, kernels: usize, planes: usize, columns: usize, percent: usize) -> Vec<PlaneItem> {
    let mut items = Vec::new();
    for kernel in 0..kernels {
        let mut before = vec![false; columns];
        for plane in 0..planes {
            let own: Vec<bool> = before.iter().map(|b| !b && random.below(100) < percent).collect();
            let chosen: Vec<_> = (0..columns).filter(|&c| own[c]).map(|c| (c, random.below(2) == 1)).collect();
            before = own;
            if !chosen.is_empty() {
                items.push(PlaneItem { kernel, plane, columns: chosen });
            }
        }
    }
    items
}

fn chip(tiles: usize, lanes: usize, columns: usize) -> ChipConfig {
    let chip = ChipConfig::load("digits").unwrap().with("arithmetic.group", 1).unwrap();
    let chip = chip.with("core.tiles", tiles).unwrap().with("adc.lanes", lanes).unwrap();
    chip.with("crossbar.columns", columns).unwrap()
}

fn identity(kernels: usize) -> Vec<u32> {
    (0..kernels as u32).collect()
}

/// Every item is there once with its columns and polarities, on its home lane or merged beside its home lane's item.
fn check(schedule: &SubvectorSchedule, items: &[PlaneItem], home: &[u32], config: &ChipConfig) {
    let (tiles, lanes) = (config.tiles(), config.lanes());
    let mut found = Vec::new();
    for slot in &schedule.slots {
        assert_eq!(slot.len(), tiles);
        for (tile, slot) in slot.iter().enumerate() {
            for (lane, item) in slot.items.iter().enumerate() {
                let Some(item) = item else { continue };
                let q = home[item.kernel] as usize;
                let home_lane = q / tiles % lanes;
                assert_eq!(q % tiles, tile);
                if lane != home_lane {
                    assert_eq!(lane, (home_lane + 1) % lanes);
                    assert_eq!(slot.items[home_lane].map(|i| i.kernel), Some(item.kernel));
                }
                let mine = |s: i8| usize::from(s.unsigned_abs()) == lane + 1;
                let columns =
                    slot.switches.iter().enumerate().filter(|(_, s)| mine(**s)).map(|(c, s)| (c, *s < 0)).collect();
                found.push(PlaneItem { kernel: item.kernel, plane: item.plane, columns });
            }
        }
    }
    found.sort_by_key(|i| (i.kernel, i.plane));
    assert_eq!(found, items);
    assert!(schedule.slots.len() >= schedule.lower_bound);
}

#[test]
fn random_schedules_obey_the_rules_and_improvement_never_costs_a_slot() {
    let mut random = Random::new(test_seed(11));
    for round in 0..60 {
        let [tiles, lanes, columns] = [1 + random.below(3), 1 + random.below(6), 8 + random.below(60)];
        let kernels = 1 + random.below(20);
        let (planes, percent) = (1 + random.below(4), 5 + random.below(50));
        let items = random_items(&mut random, kernels, planes, columns, percent);
        let (config, home) = (chip(tiles, lanes, columns), identity(kernels));
        let slots = |merge, effort| {
            let options = ScheduleOptions { merge, effort };
            let schedule = subvector(&items, &home, None, &config, options);
            check(&schedule, &items, &home, &config);
            schedule.slots.len()
        };
        for merge in [false, true] {
            let (greedy, improved) = (slots(merge, 0), slots(merge, 5000));
            assert!(improved <= greedy, "round {round}, merge {merge}: {improved} > {greedy}");
        }
        assert!(lanes > 1 || slots(true, 0) == slots(false, 0), "round {round}: one lane has nothing to merge");
    }
}

/// The fewest slots, by trying every place of every item.
fn fewest(problem: &TileProblem, order: &mut Vec<usize>, best: &mut usize) {
    let n = problem.items.len();
    if order.len() == n {
        *best = (*best).min(first_fit(problem, order).len());
        return;
    }
    for i in 0..n {
        if !order.contains(&i) {
            order.push(i);
            fewest(problem, order, best);
            order.pop();
        }
    }
}

#[test]
fn tiny_cases_are_scheduled_optimally_and_never_below_the_bound() {
    let mut random = Random::new(test_seed(12));
    for round in 0..60 {
        let (lanes, percent) = (1 + random.below(4), 15 + random.below(30));
        let mut items = random_items(&mut random, 3, 3, 10, percent);
        items.truncate(7);
        let home = identity(3);
        let problem = TileProblem {
            items: items.iter().map(|i| TileItem::new(i, home[i.kernel] as usize % lanes)).collect(),
            lanes,
            merge: true,
        };
        // Some order of the items makes first fit optimal.
        let mut best = usize::MAX;
        fewest(&problem, &mut Vec::new(), &mut best);
        let found = subvector(&items, &home, None, &chip(1, lanes, 10), ScheduleOptions::default());
        assert!(found.lower_bound <= best.max(1), "round {round}: bound {} above {best}", found.lower_bound);
        assert_eq!(found.slots.len(), best.max(1), "round {round}");
    }
}

#[test]
fn adjacent_planes_of_a_kernel_share_a_slot_only_with_merging() {
    let item = |plane, column| PlaneItem { kernel: 0, plane, columns: vec![(column, false)] };
    let items = [item(0, 1), item(1, 0), item(2, 1)];
    let count = |lanes, merge| {
        let options = ScheduleOptions { merge, effort: 1000 };
        subvector(&items, &[0], None, &chip(1, lanes, 8), options).slots.len()
    };
    assert_eq!([count(4, true), count(4, false), count(1, true)], [2, 3, 3]);
}

#[test]
fn groups_that_own_disjoint_columns_take_one_slot_each() {
    let mut random = Random::new(test_seed(13));
    for (kernels, tiles, group) in [(32, 4, 4), (32, 4, 8), (10, 4, 4), (10, 4, 8), (64, 2, 8), (16, 4, 4), (33, 2, 4)]
    {
        let config = chip(tiles, 8, 64);
        // Groups in the tiles' own order: kernel k belongs to tile k mod N.
        let groups: Vec<Vec<usize>> = (0..tiles)
            .flat_map(|tile| {
                let own: Vec<usize> = (tile..kernels).step_by(tiles).collect();
                own.chunks(group).map(<[usize]>::to_vec).collect::<Vec<_>>()
            })
            .collect();
        let items = disjoint_items(&mut random, &groups);
        let home = crate::homes::homes(kernels, Some(&groups), 1, &config);
        let schedule = subvector(
            &items,
            &home,
            Some(&group_numbers(&groups, kernels)),
            &config,
            ScheduleOptions { merge: true, effort: 0 },
        );
        check(&schedule, &items, &home, &config);
        assert_eq!(schedule.slots.len(), kernels.div_ceil(tiles).div_ceil(group), "K {kernels} N {tiles} G {group}");
    }
}

#[test]
fn whole_groups_take_as_few_slots_as_can_be_on_any_number_of_tiles() {
    let mut random = Random::new(test_seed(14));
    for (kernels, group, tiles) in [10, 24, 64, 100, 129]
        .into_iter()
        .flat_map(|kernels| [(kernels, 4), (kernels, 8)])
        .flat_map(|(kernels, group)| (1..=16).chain([64]).map(move |tiles| (kernels, group, tiles)))
    {
        let config = chip(tiles, 8, 64);
        let groups = crate::fit::pursuit::groups(kernels, group, 1);
        let items = disjoint_items(&mut random, &groups);
        let home = crate::homes::whole_groups(kernels, &groups, 1, &config);
        let numbers = group_numbers(&groups, kernels);
        let options = ScheduleOptions { merge: true, effort: 0 };
        let schedule = subvector(&items, &home, Some(&numbers), &config, options);
        check(&schedule, &items, &home, &config);
        assert_eq!(schedule.slots.len(), kernels.div_ceil(tiles).div_ceil(group), "K {kernels} G {group} N {tiles}");
        let vacancies = basisn_arch::image::vacancies(&home, &[&schedule.slots[..]], &config);
        let places = basisn_arch::image::places(&home);
        assert_eq!(vacancies.map(|v| v.len()), Some(places - kernels), "K {kernels} G {group} N {tiles}");
    }
}

/// The kernels of a group own all columns together.
fn disjoint_items(random: &mut Random, groups: &[Vec<usize>]) -> Vec<PlaneItem> {
    let mut items = Vec::new();
    for group in groups {
        let mut columns: Vec<usize> = (0..64).collect();
        random.shuffle(&mut columns);
        for (kernel, own) in group.iter().zip(columns.chunks(64 / group.len())) {
            let mut columns: Vec<_> = own.iter().map(|&c| (c, random.below(2) == 1)).collect();
            columns.sort_unstable();
            items.push(PlaneItem { kernel: *kernel, plane: 0, columns });
        }
    }
    items.sort_by_key(|i| i.kernel);
    items
}

fn group_numbers(groups: &[Vec<usize>], kernels: usize) -> Vec<usize> {
    let mut of = vec![0; kernels];
    groups.iter().enumerate().for_each(|(g, group)| group.iter().for_each(|&k| of[k] = g));
    of
}

#[test]
fn nothing_to_do_is_one_empty_slot() {
    let config = chip(2, 4, 8);
    let schedule = subvector(&[], &[], None, &config, ScheduleOptions::default());
    assert_eq!(schedule.slots, vec![vec![Slot::empty(&config), Slot::empty(&config)]]);
    assert_eq!(schedule.lower_bound, 1);
}
