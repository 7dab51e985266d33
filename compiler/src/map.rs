//! How a layer runs on a chip: on how many tiles, where its kernels live, how many positions a block has.

use basisn_arch::image::{places, vacancies};
use basisn_arch::{ChipConfig, LayerWork, Subvectors};

use crate::Error;
use crate::fitted::{FittedLayer, PlaneItem};
use crate::homes::{homes, whole_groups};
use crate::schedule::{ScheduleOptions, SubvectorSchedule, schedule_layer};

/// The most positions that a block of this layer can have on a chip.
///
/// # Errors
/// The psum memory does not hold one position of the layer, or the layer has more kernels than the chip has parameters.
pub fn most_positions(layer: &FittedLayer, config: &ChipConfig) -> Result<usize, Error> {
    most_of_places(layer, layer.shape.kernels, config, config)
}

/// The same for a layer with so many places in the drain order, on the tiles that `config` has of a chip.
fn most_of_places(layer: &FittedLayer, kernels: usize, config: &ChipConfig, chip: &ChipConfig) -> Result<usize, Error> {
    let at = || format!("layer {}", layer.name);
    if kernels > config.kernels() || !chip.has_parameters(config.tiles(), kernels) {
        return Err(Error::chip(
            at(),
            format!("{kernels} kernels, and core.kernels = {}", config.kernels()),
            format!("set core.kernels to at least {kernels}"),
        ));
    }
    let rows = kernels.div_ceil(config.tiles() * config.lanes());
    let most = config.position_block().min(config.psum_words() / 2 / rows);
    if most == 0 {
        return Err(Error::chip(
            at(),
            format!(
                "{kernels} kernels on {} lanes put {rows} partial sums into each half of a psum bank, and core.psum_words = {}",
                config.tiles() * config.lanes(),
                config.psum_words()
            ),
            format!("set core.psum_words to at least {}, or use more tiles or lanes", 2 * rows),
        ));
    }
    Ok(most)
}

/// Tiles, homes, slots and block size of a layer: what has the fewest cycles by the cycle model, and of equals the fewest tiles.
///
/// A tile more means one slot word more to load, which a layer of few positions waits for. A layer whose reads take nearly all cycles on all
/// tiles is not tried on fewer.
pub(crate) fn arrange(
    layer: &FittedLayer,
    items: &[Vec<PlaneItem>],
    bases: usize,
    chip: &ChipConfig,
    options: ScheduleOptions,
) -> Result<Arrangement, Error> {
    most_positions(layer, chip)?;
    let on = |tiles: usize| arrange_on(layer, items, bases, &chip.using(tiles), chip, options);
    let all = on(chip.tiles());
    let positions = layer.shape.positions().div_ceil(chip.cores());
    let reads = |a: &Arrangement| {
        let slots: usize = a.schedule.iter().map(|s| s.slots.len()).sum();
        (slots * positions * layer.input.bits * chip.read_interval_cycles()) as f64
    };
    let is_busy = |a: &Arrangement| reads(a) > READS_OF_A_BUSY_LAYER * a.cycles as f64;
    let fewer =
        if all.as_ref().is_some_and(is_busy) { Vec::new() } else { fewer_tiles(layer.shape.kernels, bases, chip) };
    let found = all.into_iter().chain(fewer.into_iter().filter_map(on));
    found.min_by_key(|a| (a.cycles, a.tiles)).ok_or_else(|| unplaced(layer))
}

/// Share of cycles with a read from which on fewer tiles could hardly be faster.
const READS_OF_A_BUSY_LAYER: f64 = 0.98;

/// Numbers of tiles below all of them that a layer may be faster on: the fewest that have so many kernels each, from as few as all have to a few
/// more, then twice as many each time. Every basis has as many of them as the others.
fn fewer_tiles(kernels: usize, bases: usize, chip: &ChipConfig) -> Vec<usize> {
    let least = kernels.div_ceil(chip.tiles());
    let doubled = std::iter::successors(Some(2 * least), |each| (each / 2 < kernels).then_some(2 * each));
    let mut tiles: Vec<usize> = (least..least + 4)
        .chain(doubled)
        .map(|each| kernels.div_ceil(each).next_multiple_of(bases))
        .filter(|&tiles| tiles < chip.tiles())
        .collect();
    tiles.sort_unstable();
    tiles.dedup();
    tiles
}

/// The same on all tiles that `config` has of a chip. Groups are kept, spread evenly or each as a whole, unless all kernels scheduled freely
/// are faster. `None` where the chip has no room for that.
fn arrange_on(
    layer: &FittedLayer,
    items: &[Vec<PlaneItem>],
    bases: usize,
    config: &ChipConfig,
    chip: &ChipConfig,
    options: ScheduleOptions,
) -> Option<Arrangement> {
    let (kernels, tiles) = (layer.shape.kernels, config.tiles());
    let of = |home: Vec<u32>, groups: Option<&[Vec<usize>]>| {
        let most = most_of_places(layer, places(&home), config, chip).ok()?;
        let schedule = schedule_layer(items, &home, groups, config, options);
        let slots: Vec<usize> = schedule.iter().map(|s| s.slots.len()).collect();
        let block_positions = block_positions(layer, places(&home), slots.clone(), most, config);
        let cycles = work(layer, places(&home), slots, block_positions, config).counters(config).cycles;
        let of_subvectors: Vec<_> = schedule.iter().map(|s| &s.slots[..]).collect();
        vacancies(&home, &of_subvectors, config)?;
        Some(Arrangement { tiles, home, schedule, block_positions, cycles })
    };
    let groups = layer.groups.as_deref();
    let mut found: Vec<Arrangement> = of(homes(kernels, groups, bases, config), groups).into_iter().collect();
    if let Some(groups) = groups {
        let size = groups.iter().map(Vec::len).max().unwrap_or(1);
        let fewest = kernels.div_ceil(tiles).div_ceil(size);
        if !found.iter().any(|a| a.schedule.iter().all(|s| s.slots.len() <= fewest)) {
            found.extend(of(whole_groups(kernels, groups, bases, config), Some(groups)));
            found.extend(of(homes(kernels, None, bases, config), None));
        }
    }
    // Of equals the first.
    found.into_iter().min_by_key(|a| a.cycles)
}

/// Homes without gaps always have their slots; without one there is nothing to choose from.
fn unplaced(layer: &FittedLayer) -> Error {
    Error::Fitted { at: format!("layer {}", layer.name), cause: "no arrangement of its kernels fits the chip".into() }
}

/// How a layer runs on a chip.
pub(crate) struct Arrangement {
    /// Tiles in use: the first ones.
    pub tiles: usize,
    pub home: Vec<u32>,
    pub schedule: Vec<SubvectorSchedule>,
    pub block_positions: usize,
    /// Cycles of the core with the most positions.
    pub cycles: u64,
}

fn work(
    layer: &FittedLayer,
    places: usize,
    slots: Vec<usize>,
    block_positions: usize,
    config: &ChipConfig,
) -> LayerWork {
    let positions = layer.shape.positions().div_ceil(config.cores());
    let rows_used = Subvectors::new(layer.shape.depth(), config.rows()).length;
    LayerWork {
        tiles: config.tiles(),
        positions,
        block_positions,
        slots,
        rows_used,
        planes: layer.input.bits,
        kernels: places,
    }
}

/// Positions of a full block, at most `most`: the size with the fewest cycles for a layer with these slots in its subvectors.
/// Large blocks hide the slot stream; small ones leave fewer results to drain after the last read.
fn block_positions(layer: &FittedLayer, places: usize, slots: Vec<usize>, most: usize, config: &ChipConfig) -> usize {
    let mut work = work(layer, places, slots, 1, config);
    let positions = work.positions;
    let mut cycles = |size| {
        work.block_positions = size;
        work.counters(config).cycles
    };
    // Of equals the largest, which needs the fewest slot words.
    (1..=most.min(positions)).rev().min_by_key(|&size| cycles(size)).unwrap_or(1)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::coefficient::CoefficientCode;
    use crate::fitted::Code;
    use basisn_models::random::mvm_shape;

    pub(crate) fn layer(kernels: usize, positions: usize, groups: Option<Vec<Vec<usize>>>) -> FittedLayer {
        let shape = mvm_shape(1, positions, kernels);
        FittedLayer {
            name: "a".into(),
            shape,
            coefficients: Vec::new(),
            scale: vec![1.0; kernels],
            bias: vec![0.0; kernels],
            groups,
            code: CoefficientCode::TERNARY,
            input: Code { scale: 1.0, bits: 8, signed: false },
            output: None,
            range: None,
            gain: 0,
            clipped_share: 0.0,
            weight_signal: 1.0,
            weight_error: 0.0,
        }
    }

    #[test]
    fn blocks_fit_the_psum_memory() {
        // tiny: 4 lanes, blocks of at most 4 positions, 16 psum words in each half.
        let chip = ChipConfig::load("tiny").unwrap();
        let most = |kernels| most_positions(&layer(kernels, 10, None), &chip).unwrap();
        assert_eq!([most(4), most(17), most(20), most(64)], [4, 3, 3, 1]);
    }

    #[test]
    fn blocks_are_small_enough_to_drain_and_large_enough_to_hide_the_slot_stream() {
        let chip = ChipConfig::load("digits").unwrap();
        // One slot word is 7 beats, 28 for the four tiles, and 2 cycles more to load the next: 4 positions of 8 planes hide it.
        // Three blocks of 20 and one of 4 are the fewest blocks that end with 4.
        let size = |positions, slots| block_positions(&layer(32, positions, None), 32, vec![slots], 64, &chip);
        assert_eq!((size(64, 48), size(1, 48)), (20, 1));
        // With one slot a block computes 8 cycles a position and drains 32: only the first block's start is gained by cutting.
        let one_slot = size(64, 1);
        assert!((2..64).contains(&one_slot), "{one_slot}");
    }

    #[test]
    fn layers_that_do_not_fit_are_refused_with_the_limit() {
        let chip = ChipConfig::load("tiny").unwrap();
        let many = most_positions(&layer(65, 1, None), &chip).unwrap_err().to_string();
        assert!(many.contains("65 kernels, and core.kernels = 64") && many.contains("to at least 65"), "{many}");
        let small = chip.with("core.psum_words", 30).unwrap();
        let psums = most_positions(&layer(64, 1, None), &small).unwrap_err().to_string();
        assert!(psums.contains("16 partial sums") && psums.contains("core.psum_words to at least 32"), "{psums}");
    }

    /// 20 kernels in groups of 4 that own all 64 columns together; kernels of neighbouring groups always want some column both.
    fn grouped(positions: usize) -> (FittedLayer, Vec<Vec<PlaneItem>>) {
        let item = |k: usize| {
            let owns = |c: &usize| c / [1, 4, 16][k / 4 % 3] % 4 == k % 4;
            PlaneItem { kernel: k, plane: 0, columns: (0..64).filter(owns).map(|c| (c, false)).collect() }
        };
        let groups = (0..5).map(|g| (4 * g..4 * g + 4).collect()).collect();
        (layer(20, positions, Some(groups)), vec![(0..20).map(item).collect()])
    }

    #[test]
    fn groups_stay_whole_where_that_is_faster() {
        let chip = |tiles: usize| ChipConfig::load("digits").unwrap().with("core.tiles", tiles).unwrap();
        let found = |tiles, input_bits| {
            let (mut layer, items) = grouped(1024);
            layer.input.bits = input_bits;
            let found = arrange(&layer, &items, 1, &chip(tiles), ScheduleOptions::default()).unwrap();
            (found.schedule[0].slots.len(), places(&found.home))
        };
        // Three tiles: two groups, two and one. Seven kernels, seven and six take three slots.
        assert_eq!(found(3, 8), (2, 23));
        // Reading one plane takes less time than draining places without a kernel.
        assert_eq!(found(3, 1), (3, 20));
        // Seven tiles drain 26 places in as many beats as 20.
        assert_eq!(found(7, 8), (1, 26));
        assert_eq!((1..=6).map(|tiles| found(tiles, 8).0).collect::<Vec<_>>(), [5, 3, 2, 2, 1, 1]);
    }

    #[test]
    fn layers_that_wait_for_slot_words_use_fewer_tiles() {
        let chip = |tiles: usize| ChipConfig::load("digits").unwrap().with("core.tiles", tiles).unwrap();
        let found = |tiles, positions| {
            let (layer, items) = grouped(positions);
            let found = arrange(&layer, &items, 1, &chip(tiles), ScheduleOptions::default()).unwrap();
            (found.tiles, found.cycles)
        };
        // One position: 8 reads a slot, and a word takes 7 beats. Five groups on three tiles take two slots, on five one.
        let cycles: Vec<u64> = (1..=16).map(|tiles| found(tiles, 1).1).collect();
        assert!(cycles.is_sorted_by(|a, b| a >= b), "{cycles:?}");
        assert!(found(64, 1).0 <= 5 && found(5, 1024).0 == 5, "{:?} {:?}", found(64, 1), found(5, 1024));
    }

    #[test]
    fn numbers_of_tiles_leave_every_basis_as_many() {
        let chip = |tiles: usize| ChipConfig::load("digits").unwrap().with("core.tiles", tiles).unwrap();
        assert_eq!(fewer_tiles(10, 1, &chip(64)), [1, 2, 3, 4, 5, 10]);
        assert_eq!(fewer_tiles(32, 1, &chip(7)), [1, 2, 4, 5, 6]);
        assert_eq!(fewer_tiles(10, 4, &chip(8)), [4]);
        assert_eq!(fewer_tiles(10, 1, &chip(1)), [0; 0]);
    }
}
