//! One subvector of one tile: which items can share a slot, and how many slots are needed at least.

use std::cmp::Reverse;

use crate::fitted::PlaneItem;

/// Words of a set of columns; a crossbar has at most 512.
const WORDS: usize = 8;

/// Items that the clique bound looks at, the largest first: its time grows with their square.
const CLIQUE_ITEMS: usize = 512;

/// A set of columns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Columns([u64; WORDS]);

impl Columns {
    fn insert(&mut self, column: usize) {
        self.0[column / 64] |= 1 << (column % 64);
    }

    pub(crate) fn meets(&self, other: &Columns) -> bool {
        self.0.iter().zip(&other.0).any(|(a, b)| a & b != 0)
    }

    fn add(&mut self, other: &Columns) {
        self.0.iter_mut().zip(&other.0).for_each(|(a, b)| *a |= b);
    }

    pub(crate) fn count(&self) -> u32 {
        self.0.iter().map(|w| w.count_ones()).sum()
    }
}

/// An item as the scheduler sees it.
#[derive(Clone, Debug)]
pub(crate) struct TileItem {
    pub kernel: usize,
    /// Home lane of the kernel.
    pub lane: usize,
    pub columns: Columns,
}

impl TileItem {
    pub(crate) fn new(item: &PlaneItem, lane: usize) -> Self {
        let mut columns = Columns::default();
        item.columns.iter().for_each(|(column, _)| columns.insert(*column));
        TileItem { kernel: item.kernel, lane, columns }
    }
}

/// The items of one subvector of one tile.
#[derive(Clone, Debug)]
pub(crate) struct TileProblem {
    pub items: Vec<TileItem>,
    pub lanes: usize,
    pub merge: bool,
}

/// A slot being filled.
#[derive(Clone, Debug)]
pub(crate) struct Filling {
    columns: Columns,
    /// Kernel of every lane.
    owner: Vec<Option<usize>>,
}

impl Filling {
    pub(crate) fn new(problem: &TileProblem) -> Self {
        Filling { columns: Columns::default(), owner: vec![None; problem.lanes] }
    }

    /// Puts `item` into the slot if it fits there.
    pub(crate) fn place(&mut self, item: &TileItem, merge: bool) -> bool {
        if self.columns.meets(&item.columns) {
            return false;
        }
        let next = (item.lane + 1) % self.owner.len();
        let lane = match self.owner[item.lane] {
            None => item.lane,
            // `next` is the home lane itself on a crossbar with one lane.
            Some(kernel) if merge && kernel == item.kernel && self.owner[next].is_none() => next,
            Some(_) => return false,
        };
        self.owner[lane] = Some(item.kernel);
        self.columns.add(&item.columns);
        true
    }
}

impl TileProblem {
    /// A number of slots that no schedule can undercut: the largest of four bounds.
    pub(crate) fn lower_bound(&self) -> usize {
        let area = self.items.len().div_ceil(self.lanes);
        self.column_bound().max(area).max(self.home_lane_bound()).max(self.clique_bound())
    }

    /// Items that use the same column take turns.
    fn column_bound(&self) -> usize {
        let load =
            |column: usize| self.items.iter().filter(|i| i.columns.0[column / 64] >> (column % 64) & 1 == 1).count();
        (0..WORDS * 64).map(load).max().unwrap_or(0)
    }

    /// Kernels with the same home lane take turns there, each for as many slots as its own items need.
    fn home_lane_bound(&self) -> usize {
        let mut of_lane = vec![0; self.lanes];
        let mut kernels: Vec<usize> = self.items.iter().map(|i| i.kernel).collect();
        kernels.sort_unstable();
        kernels.dedup();
        for kernel in kernels {
            let own: Vec<&TileItem> = self.items.iter().filter(|i| i.kernel == kernel).collect();
            let pairs = if self.merge && self.lanes > 1 { most_pairs(&own) } else { 0 };
            of_lane[own[0].lane] += own.len() - pairs;
        }
        of_lane.into_iter().max().unwrap_or(0)
    }

    /// Items of which no two can share a slot; collected greedily from every start.
    fn clique_bound(&self) -> usize {
        let mut order: Vec<usize> = (0..self.items.len()).collect();
        order.sort_by_key(|&i| Reverse(self.items[i].columns.count()));
        order.truncate(CLIQUE_ITEMS);
        let degree = |i: usize| order.iter().filter(|&&j| self.conflict(i, j)).count();
        let mut ranked: Vec<(usize, usize)> = order.iter().map(|&i| (degree(i), i)).collect();
        ranked.sort_by_key(|&(degree, _)| Reverse(degree));
        let mut best = 0;
        for &(degree, start) in &ranked {
            if degree < best {
                break;
            }
            let mut members = vec![start];
            for &(_, i) in &ranked {
                if members.iter().all(|&m| self.conflict(m, i)) {
                    members.push(i);
                }
            }
            best = best.max(members.len());
        }
        best
    }

    fn conflict(&self, a: usize, b: usize) -> bool {
        let (x, y) = (&self.items[a], &self.items[b]);
        let merged = self.merge && self.lanes > 1 && x.kernel == y.kernel;
        a != b && (x.columns.meets(&y.columns) || x.lane == y.lane && !merged)
    }
}

/// The most disjoint pairs of items with disjoint columns; a kernel has at most six items.
fn most_pairs(items: &[&TileItem]) -> usize {
    let Some((first, rest)) = items.split_first() else { return 0 };
    let mut best = most_pairs(rest);
    for (i, partner) in rest.iter().enumerate() {
        if !first.columns.meets(&partner.columns) {
            let mut others = rest.to_vec();
            others.remove(i);
            best = best.max(1 + most_pairs(&others));
        }
    }
    best
}
