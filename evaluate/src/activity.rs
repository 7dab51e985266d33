//! What the circuits of a BasisN chip do for a layer: counts, without any constant of a technology.

use basisn_arch::{ChipConfig, LayerWork};
use serde::{Deserialize, Serialize};

use crate::workload::Layer;
use crate::{Chip, Values};

/// Counts of one layer for one batch, all cores together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Activity {
    /// Clock cycles from start to the last result, of the slowest core.
    pub cycles: u64,
    /// Of these, cycles in which the crossbars are busy with a read.
    pub read_cycles: u64,
    /// Clock cycles for the registers of the layer.
    pub setup_cycles: u64,
    /// Reads of single crossbars.
    pub reads: u64,
    /// Conversions: every lane of every read; of planes that are skipped there is none.
    pub conversions: u64,
    /// Codes that belong to an item.
    pub codes: u64,
    /// Rows that are on, of every crossbar that is read.
    pub wordlines: f64,
    /// Cells that carry current.
    pub cells: f64,
    /// Columns whose switch changes.
    pub switch_changes: u64,
    /// Psums that are read, by lanes and drain.
    pub psum_reads: u64,
    /// Psums that are written.
    pub psum_writes: u64,
    /// Bits on the slot streams.
    pub slot_bits: u64,
    /// Bits into the input buffers.
    pub activation_bits: u64,
    /// Bits out of the input buffers.
    pub input_buffer_bits: u64,
    /// Results.
    pub results: u64,
    /// Bits of slots of all tiles of one core, for one block: what the layer needs from memory.
    pub slot_storage_bits: u64,
    /// Blocks of the slowest core.
    pub blocks: u64,
}

/// Clock cycles of one register write over AXI4-Lite, as a host that asks for one thing at a time makes them.
pub const REGISTER_WRITE_CYCLES: u64 = 3;

/// Register writes of a layer: thirteen, and two for every parameter, see [`ChipConfig::parameter_place`].
pub fn layer_registers(parameters: usize) -> u64 {
    2 * parameters as u64 + 13
}

/// What one layer does for `batch` images.
pub fn layer(chip: &Chip, layer: &Layer, batch: usize, values: &Values) -> Activity {
    let config = &chip.config;
    let positions = layer.positions * batch;
    let share = positions.div_ceil(config.cores());
    let (full, rest) = (positions / share, positions % share);
    let mut sum = core(config, layer, share, values);
    let one = sum;
    for _ in 1..full {
        sum = beside(sum, one);
    }
    if rest > 0 {
        sum = beside(sum, core(config, layer, rest, values));
    }
    let groups = layer.groups as u64;
    times(sum, groups)
}

/// The counts of one core with `positions` of the layer's positions.
fn core(config: &ChipConfig, layer: &Layer, positions: usize, values: &Values) -> Activity {
    let cut = layer.subvectors(config.rows());
    let slots = Slots::new(config, layer, values);
    let places = layer.program.as_ref().map_or(layer.kernels, |p| p.places);
    let used = layer.program.as_ref().map_or(config.tiles(), |p| p.tiles);
    let rows = places.div_ceil(used * config.lanes());
    let most = config.position_block().min(config.psum_words() / 2 / rows).max(1);
    let block = layer.program.as_ref().map_or(most, |p| p.block_positions).min(positions);
    let work = LayerWork {
        tiles: used,
        positions,
        block_positions: block,
        slots: slots.of_subvector.clone(),
        rows_used: cut.length,
        planes: layer.input_bits,
        kernels: places,
    };
    let counts = if config.skips_zero_planes() {
        work.counters_of(config, &planes_read(positions * cut.count, layer.input_bits, values.zero_planes_share))
    } else {
        work.counters(config)
    };
    let blocks = positions.div_ceil(block) as u64;
    let (n, planes, tiles) = (positions as u64, layer.input_bits as u64, config.tiles() as u64);
    let slot_count = slots.of_subvector.iter().sum::<usize>() as u64;
    let reads = counts.reads * tiles;
    // Planes that are skipped have no row that is on.
    let planes_of_all = n * planes * slot_count * tiles;
    let on = values.ones_share * layer.depth as f64 / cut.count as f64;
    let word_bits = (config.slot_word().beats() * config.slot_stream_bits()) as u64;
    let beat = config.activation_stream_bytes();
    Activity {
        cycles: counts.cycles,
        read_cycles: counts.reads * config.read_interval_cycles() as u64,
        setup_cycles: REGISTER_WRITE_CYCLES * layer_registers(config.parameter_place(used, places - 1) + 1),
        reads,
        conversions: reads * config.lanes() as u64,
        codes: n * planes * slots.items * reads / planes_of_all.max(1),
        wordlines: on * planes_of_all as f64,
        cells: 2.0 * on * (n * planes) as f64 * slots.closed,
        switch_changes: blocks * slots.changes,
        // All updates but the first of every place, and the drain.
        psum_reads: n * slots.updates,
        psum_writes: n * slots.updates,
        slot_bits: blocks * slot_count * used as u64 * word_bits,
        activation_bits: n * (cut.count * cut.length.next_multiple_of(beat) * 8) as u64,
        input_buffer_bits: n * slot_count * (config.rows() * config.input_bits()) as u64,
        results: n * places as u64,
        slot_storage_bits: slot_count * used as u64 * word_bits,
        blocks,
    }
}

/// Planes that are read of so many subvectors at positions, if a share of all planes has no ones: as evenly as can be, at least one each.
fn planes_read(subvectors: usize, planes: usize, zero_share: f64) -> Vec<u8> {
    let mean = planes as f64 * (1.0 - zero_share);
    let until = |i: usize| (i as f64 * mean).floor() as usize;
    (0..subvectors).map(|i| (until(i + 1) - until(i)).clamp(1, planes) as u8).collect()
}

/// The slots of a layer for one block.
struct Slots {
    of_subvector: Vec<usize>,
    items: u64,
    updates: u64,
    closed: f64,
    changes: u64,
}

impl Slots {
    fn new(config: &ChipConfig, layer: &Layer, values: &Values) -> Self {
        if let Some(p) = &layer.program {
            let of_subvector = p.slots.clone();
            return Slots {
                of_subvector,
                items: p.items,
                updates: p.updates,
                closed: p.closed as f64,
                changes: p.changes,
            };
        }
        let (tiles, kernels, subvectors) = (config.tiles(), layer.kernels, layer.subvectors(config.rows()).count);
        // Groups of one tile run one after the other; tiles beyond the kernels idle.
        let groups = |kernels: usize| kernels.div_ceil(config.group());
        let busy: usize = (0..tiles).map(|tile| groups((kernels + tiles - 1 - tile) / tiles)).sum();
        let columns = (busy * subvectors * config.columns()) as f64;
        let items = (kernels * subvectors) as u64;
        Slots {
            of_subvector: vec![groups(kernels.div_ceil(tiles)); subvectors],
            items,
            updates: items,
            closed: values.closed_share * columns,
            changes: columns as u64,
        }
    }
}

/// Another core that works at the same time.
fn beside(a: Activity, b: Activity) -> Activity {
    Activity {
        cycles: a.cycles.max(b.cycles),
        read_cycles: a.read_cycles.max(b.read_cycles),
        // All cores take the same parameters from one broadcast.
        setup_cycles: a.setup_cycles,
        reads: a.reads + b.reads,
        conversions: a.conversions + b.conversions,
        codes: a.codes + b.codes,
        wordlines: a.wordlines + b.wordlines,
        cells: a.cells + b.cells,
        switch_changes: a.switch_changes + b.switch_changes,
        psum_reads: a.psum_reads + b.psum_reads,
        psum_writes: a.psum_writes + b.psum_writes,
        slot_bits: a.slot_bits + b.slot_bits,
        activation_bits: a.activation_bits + b.activation_bits,
        input_buffer_bits: a.input_buffer_bits + b.input_buffer_bits,
        results: a.results + b.results,
        slot_storage_bits: a.slot_storage_bits,
        blocks: a.blocks.max(b.blocks),
    }
}

/// The same again and again, one after the other; slots are those of other kernels each time.
fn times(a: Activity, n: u64) -> Activity {
    Activity {
        cycles: a.cycles * n,
        read_cycles: a.read_cycles * n,
        setup_cycles: a.setup_cycles * n,
        reads: a.reads * n,
        conversions: a.conversions * n,
        codes: a.codes * n,
        wordlines: a.wordlines * n as f64,
        cells: a.cells * n as f64,
        switch_changes: a.switch_changes * n,
        psum_reads: a.psum_reads * n,
        psum_writes: a.psum_writes * n,
        slot_bits: a.slot_bits * n,
        activation_bits: a.activation_bits * n,
        input_buffer_bits: a.input_buffer_bits * n,
        results: a.results * n,
        slot_storage_bits: a.slot_storage_bits * n,
        blocks: a.blocks,
    }
}
