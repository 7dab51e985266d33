//! Random slots that obey every rule: kernels on their homes, merged neighbours, no psum that can overflow.

use basisn_arch::{ChipConfig, Item, LayerProgram, Slot};
use rand::Rng;
use rand::seq::{IndexedMutRandom, IndexedRandom, SliceRandom};

use super::Random;

/// Fills `layer.slots`; all other fields are set. A subvector gets 1..=`slots` slots, and more where kernels would else have no item.
pub(super) fn fill(rng: &mut Random, config: &ChipConfig, basis: &[Vec<i8>], layer: &mut LayerProgram, slots: usize) {
    let mut filler = Filler::new(rng, config, basis, layer);
    let subvectors = layer.subvectors(config.rows()).count;
    layer.slots = (0..subvectors)
        .map(|_| {
            let count = rng.random_range(1..=slots);
            (0..count).map(|_| (0..config.tiles()).map(|tile| filler.slot(rng, tile)).collect()).collect()
        })
        .collect();
    for kernel in 0..layer.shape.kernels {
        if !filler.written[kernel] {
            place(rng, config, layer, filler.home(layer, kernel), kernel);
        }
    }
    while layer.vacancies(config).is_none() {
        let empty = vec![Slot::empty(config); config.tiles()];
        layer.slots[0].push(empty);
    }
}

/// Gives a kernel an item without columns: in a slot where its lane is free, else in a new slot.
fn place(rng: &mut Random, config: &ChipConfig, layer: &mut LayerProgram, (tile, lane): (usize, usize), kernel: usize) {
    let item = Some(Item { kernel, plane: rng.random_range(0..config.coefficient_planes()) });
    if let Some(free) = layer.slots.iter_mut().flatten().find(|tiles| tiles[tile].items[lane].is_none()) {
        free[tile].items[lane] = item;
        return;
    }
    let mut tiles = vec![Slot::empty(config); config.tiles()];
    tiles[tile].items[lane] = item;
    if let Some(subvector) = layer.slots.choose_mut(rng) {
        subvector.push(tiles);
    }
}

struct Filler<'a> {
    config: &'a ChipConfig,
    /// Kernels at `tile * L + lane` that may get items with columns.
    residents: Vec<Vec<usize>>,
    /// Sign of the sum of every column, by tile: columns that agree drive the lane sums to the rails.
    column_signs: Vec<Vec<i8>>,
    /// Largest |psum| that one item on plane 0 can add.
    item_max: i64,
    /// What is left of a psum's 32 bits.
    room: Vec<i64>,
    written: Vec<bool>,
}

impl<'a> Filler<'a> {
    fn new(rng: &mut Random, config: &'a ChipConfig, basis: &[Vec<i8>], layer: &LayerProgram) -> Self {
        let kernels = layer.shape.kernels;
        let item_max = ((1i64 << layer.input_bits) - 1) << (config.adc_bits() - 1);
        let mut filler = Filler {
            config,
            residents: vec![Vec::new(); config.tiles() * config.lanes()],
            column_signs: basis.iter().map(|levels| column_signs(config, levels)).collect(),
            item_max,
            // The item without columns that a kernel may need counts too.
            room: vec![i64::from(i32::MAX) - (item_max << (config.coefficient_planes() - 1)); kernels],
            written: vec![false; kernels],
        };
        for kernel in 0..kernels {
            // Some kernels never get a column.
            if rng.random_bool(0.9) {
                let (tile, lane) = filler.home(layer, kernel);
                filler.residents[tile * config.lanes() + lane].push(kernel);
            }
        }
        filler
    }

    fn home(&self, layer: &LayerProgram, kernel: usize) -> (usize, usize) {
        let q = layer.home[kernel] as usize;
        (q % self.config.tiles(), q / self.config.tiles() % self.config.lanes())
    }

    fn slot(&mut self, rng: &mut Random, tile: usize) -> Slot {
        let lanes = self.config.lanes();
        let mut slot = Slot::empty(self.config);
        if rng.random_bool(0.1) {
            return slot;
        }
        let mut order: Vec<usize> = (0..lanes).collect();
        order.shuffle(rng);
        for lane in order {
            if slot.items[lane].is_some() || rng.random_bool(0.2) {
                continue;
            }
            let Some(&kernel) = self.residents[tile * lanes + lane].choose(rng) else { continue };
            slot.items[lane] = self.item(rng, kernel);
            let next = (lane + 1) % lanes;
            if slot.items[lane].is_some() && slot.items[next].is_none() && rng.random_bool(0.3) {
                slot.items[next] = self.item(rng, kernel);
            }
        }
        self.connect(rng, tile, &mut slot);
        slot
    }

    fn item(&mut self, rng: &mut Random, kernel: usize) -> Option<Item> {
        let plane = rng.random_range(0..self.config.coefficient_planes());
        let need = self.item_max << plane;
        if self.room[kernel] < need {
            return None;
        }
        self.room[kernel] -= need;
        self.written[kernel] = true;
        Some(Item { kernel, plane })
    }

    fn connect(&self, rng: &mut Random, tile: usize, slot: &mut Slot) {
        let busy: Vec<usize> = (0..slot.items.len()).filter(|&lane| slot.items[lane].is_some()).collect();
        // Polarity of a lane's columns: random (0), or so that their sums agree (+1, -1).
        let bias: Vec<i8> = slot.items.iter().map(|_| rng.random_range(-1..=1)).collect();
        let signs = &self.column_signs[if self.column_signs.len() == 1 { 0 } else { tile }];
        for (switch, &sign) in slot.switches.iter_mut().zip(signs) {
            let Some(&lane) = busy.choose(rng) else { return };
            if rng.random_bool(0.15) {
                continue;
            }
            let polarity = match bias[lane] {
                0 => [-1, 1].choose(rng).copied().unwrap_or(1),
                bias => bias * sign,
            };
            *switch = polarity * (lane as i8 + 1);
        }
    }
}

fn column_signs(config: &ChipConfig, levels: &[i8]) -> Vec<i8> {
    let mut sums = vec![0i32; config.columns()];
    for row in levels.chunks_exact(config.columns()) {
        for (sum, &level) in sums.iter_mut().zip(row) {
            *sum += i32::from(level);
        }
    }
    sums.iter().map(|&sum| if sum < 0 { -1 } else { 1 }).collect()
}
