//! Homes of kernels: spread over all tiles, or group by group.

use basisn_arch::ChipConfig;

/// Home of every kernel. Without groups `q(k) = k`: kernels spread over the tiles, and over the lanes of a tile.
/// Kernels of a group get one tile and different lanes of it, as far as the tiles' sizes allow.
/// Tile t holds basis `t mod bases`, where `bases` divides the number of tiles, so that every kernel finds its own.
pub fn homes(kernels: usize, groups: Option<&[Vec<usize>]>, bases: usize, config: &ChipConfig) -> Vec<u32> {
    let mut home: Vec<u32> = (0..kernels as u32).collect();
    let Some(groups) = groups else { return home };
    let tiles = config.tiles();
    let capacity = |tile: usize| (kernels + tiles - 1 - tile) / tiles;
    let mut members: Vec<Vec<usize>> = vec![Vec::new(); tiles];
    let mut waiting: Vec<&[usize]> = groups.iter().map(Vec::as_slice).collect();
    // Largest first into the emptiest tile; the sort is stable, so that equal groups keep their order.
    waiting.sort_by_key(|group| std::cmp::Reverse(group.len()));
    for group in waiting {
        let room = |tile: &usize, members: &[Vec<usize>]| capacity(*tile) - members[*tile].len();
        let mut rest = group;
        while !rest.is_empty() {
            let mine = (0..tiles).filter(|t| t % bases == group[0] % bases);
            let fits = mine.clone().filter(|t| room(t, &members) >= rest.len());
            let tile = fits.min_by_key(|&t| members[t].len()).or_else(|| mine.max_by_key(|t| room(t, &members)));
            let Some(tile) = tile.filter(|t| room(t, &members) > 0) else { break };
            let (now, later) = rest.split_at(rest.len().min(room(&tile, &members)));
            members[tile].extend(now);
            rest = later;
        }
    }
    for (tile, members) in members.iter().enumerate() {
        for (place, &kernel) in members.iter().enumerate() {
            home[kernel] = (place * tiles + tile) as u32;
        }
    }
    home
}

/// Homes that leave every group whole, `ceil(groups / N)` at most on a tile. Where groups end unevenly, some places between the homes have no
/// kernel; they are drained with the others, see [`LayerProgram::vacancies`](basisn_arch::LayerProgram::vacancies).
pub fn whole_groups(kernels: usize, groups: &[Vec<usize>], bases: usize, config: &ChipConfig) -> Vec<u32> {
    let tiles = config.tiles();
    let mut members: Vec<Vec<usize>> = vec![Vec::new(); tiles];
    let mut count = vec![0; tiles];
    let mut waiting: Vec<&Vec<usize>> = groups.iter().filter(|group| !group.is_empty()).collect();
    waiting.sort_by_key(|group| std::cmp::Reverse(group.len()));
    for group in waiting {
        let mine = (0..tiles).filter(|t| t % bases == group[0] % bases);
        let Some(tile) = mine.min_by_key(|&t| (count[t], members[t].len())) else { break };
        members[tile].extend(group);
        count[tile] += 1;
    }
    let mut home = vec![0; kernels];
    for (tile, members) in members.iter().enumerate() {
        for (place, &kernel) in members.iter().enumerate() {
            home[kernel] = (place * tiles + tile) as u32;
        }
    }
    home
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn homes_are_a_permutation_and_keep_groups_together() {
        let chip = ChipConfig::load("digits").unwrap();
        assert_eq!(homes(5, None, 1, &chip), [0, 1, 2, 3, 4]);
        for kernels in [1, 10, 32, 37] {
            let groups: Vec<Vec<usize>> = (0..kernels).collect::<Vec<_>>().chunks(4).map(<[usize]>::to_vec).collect();
            let home = homes(kernels, Some(&groups), 1, &chip);
            let mut sorted = home.clone();
            sorted.sort_unstable();
            assert_eq!(sorted, (0..kernels as u32).collect::<Vec<_>>());
            if kernels == 32 {
                for group in groups {
                    let lanes: std::collections::BTreeSet<_> = group.iter().map(|&k| home[k] / 4 % 8).collect();
                    let tiles: std::collections::BTreeSet<_> = group.iter().map(|&k| home[k] % 4).collect();
                    assert_eq!((lanes.len(), tiles.len()), (4, 1));
                }
            }
        }
    }
}
