//! The BasisN chip: time and energy of a network whose crossbars are written once.

use serde::Serialize;

use crate::activity::{self, Activity};
use crate::energy::{Energy, read_energy};
use crate::workload::{Layer, Workload};
use crate::{Chip, Values, WriteBy, WriteModel};

/// Share of the buffer that is kept for what streams in, slots or weights; the rest is for activations.
pub const STREAM_SHARE: f64 = 0.25;

/// What one layer takes, for one inference.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LayerCost {
    /// Name.
    pub name: String,
    /// Time in ns.
    pub time_ns: f64,
    /// Of this, time of the reads.
    pub read_ns: f64,
    /// Of this, time for the registers of the layer.
    pub setup_ns: f64,
    /// Of this, time of the work on single values after it.
    pub elementwise_ns: f64,
    /// Of this, time in which the layer waits for slots from off-chip.
    pub off_chip_ns: f64,
    /// Energy.
    pub energy: Energy,
    /// Bits from and to off-chip memory.
    pub off_chip_bits: f64,
    /// Counts of the batch.
    pub activity: Activity,
}

/// What a network takes, for one inference.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct BasisCost {
    /// Layer by layer.
    pub layers: Vec<LayerCost>,
    /// Time of one inference in ns.
    pub time_ns: f64,
    /// Energy of one inference, the one-time write spread over many.
    pub energy: Energy,
    /// Time of the one-time write in ns.
    pub write_once_ns: f64,
    /// Energy of the one-time write in pJ.
    pub write_once_pj: f64,
}

/// Time and energy of one inference, in batches of `batch`.
pub fn cost(chip: &Chip, workload: &Workload, batch: usize, write: &WriteModel, values: &Values) -> BasisCost {
    let storage: u64 = workload.layers.iter().map(|l| activity::layer(chip, l, batch, values).slot_storage_bits).sum();
    let resident = storage as f64 <= STREAM_SHARE * buffer_bits(values);
    let layers: Vec<_> = workload.layers.iter().map(|l| layer_cost(chip, l, batch, values, resident)).collect();
    let time_ns: f64 = layers.iter().map(|l| l.time_ns).sum();
    let mut energy = layers.iter().fold(Energy::default(), |sum, l| sum + l.energy);
    // Network input and output cross the edge of the chip.
    let edge = workload.layers.first().map_or(0, |l| 8 * l.inputs * l.groups)
        + workload.layers.last().map_or(0, |l| 8 * l.kernels * l.groups * l.positions);
    energy.off_chip += edge as f64 * values.dram_energy_pj_per_bit;
    energy.leakage += time_ns * converters(chip, values) * values.adc_leak_mw;
    energy.memory_leakage += time_ns * memory_kib(chip) * values.sram_leak_mw_per_kib;
    let cells = (chip.crossbars() * chip.cells()) as f64;
    let bits = chip.config.cell_bits();
    let write_once_pj = cells * write.cell_pj(values, bits);
    energy.writing += write_once_pj / values.inferences_per_basis;
    let rounds = (chip.crossbars() as f64 / values.crossbars_at_once).max(1.0);
    let steps = match write.by {
        WriteBy::Row => chip.config.rows() as f64,
        WriteBy::Cell => chip.cells() as f64,
    };
    BasisCost { layers, time_ns, energy, write_once_ns: rounds * steps * write.step_ns(values, bits), write_once_pj }
}

/// One layer; `resident`: the slots of all layers fit the buffer and come from off-chip only once in the chip's life.
fn layer_cost(chip: &Chip, layer: &Layer, batch: usize, values: &Values, resident: bool) -> LayerCost {
    let a = activity::layer(chip, layer, batch, values);
    let images = batch as f64;
    let per_image = |count: u64| count as f64 / images;
    let v = values;

    // Slots of a layer come once if they fit the buffer's share, else once a block; all cores take the same stream.
    let fits = a.slot_storage_bits as f64 <= STREAM_SHARE * buffer_bits(v);
    let slot_bits = match (resident, fits) {
        (true, _) => 0.0,
        (false, true) => a.slot_storage_bits as f64,
        (false, false) => a.slot_storage_bits as f64 * a.blocks as f64,
    };
    let off_chip_bits = slot_bits / images + spilled_bits(layer, batch, v);
    let stream_ns = off_chip_bits / 8.0 / v.dram_bandwidth_gbyte_s;
    let setup_ns = a.setup_cycles as f64 * chip.clock_ns / images;
    let read_ns = a.read_cycles as f64 * chip.clock_ns / images;
    let compute_ns = read_ns + (a.cycles - a.read_cycles) as f64 * chip.clock_ns / images;
    let elementwise_ns = layer.after.time_ns(v);
    let time_ns = compute_ns.max(stream_ns) + setup_ns + elementwise_ns;

    let mut energy =
        read_energy(v, a.wordlines, a.cells, a.conversions as f64, chip.config.adc_bits()) * (1.0 / images);
    energy.shift_add += per_image(a.psum_writes) * v.shift_add_pj;
    energy.psums =
        32.0 * (per_image(a.psum_reads) * v.sram_read_pj_per_bit + per_image(a.psum_writes) * v.sram_write_pj_per_bit);
    energy.requantize = per_image(a.results) * v.requantize_pj;
    energy.elementwise = layer.after.energy_pj(v);
    energy.switches = per_image(a.switch_changes) * 4.0 * v.switch_toggle_fj * 1e-3;
    let memory = v.buffer_energy_pj_per_bit + v.bus_energy_pj_per_bit;
    energy.coefficients = per_image(a.slot_bits) * (memory + v.sram_write_pj_per_bit + v.sram_read_pj_per_bit);
    energy.activations = per_image(a.activation_bits) * (memory + v.sram_write_pj_per_bit)
        + per_image(a.input_buffer_bits) * v.sram_read_pj_per_bit
        + 8.0 * per_image(a.results) * memory;
    energy.off_chip = off_chip_bits * v.dram_energy_pj_per_bit;
    LayerCost {
        name: layer.name.clone(),
        time_ns,
        read_ns,
        setup_ns,
        elementwise_ns,
        off_chip_ns: (stream_ns - compute_ns).max(0.0),
        energy,
        off_chip_bits,
        activity: a,
    }
}

/// Activations of a batch that do not fit beside the stream's share leave the chip and come back: bits for one inference.
pub fn spilled_bits(layer: &Layer, batch: usize, values: &Values) -> f64 {
    let bits = (8 * layer.groups * (layer.inputs + layer.kernels * layer.positions)) as f64;
    let room = (1.0 - STREAM_SHARE) * buffer_bits(values);
    if bits * batch as f64 <= room { 0.0 } else { bits }
}

/// Bits of the buffer.
pub fn buffer_bits(values: &Values) -> f64 {
    values.buffer_size_kib * 8192.0
}

/// Converters of all crossbars.
fn converters(chip: &Chip, values: &Values) -> f64 {
    (chip.crossbars() * values.hard_blocks().converters(&chip.config, values.read_cycle_ns)) as f64
}

/// Memories of the tiles and cores, and the registers of the slot words, in KiB.
fn memory_kib(chip: &Chip) -> f64 {
    let c = &chip.config;
    let tile_bits = c.lanes() * c.psum_words() * 32 + 2 * c.slot_word().word_bits();
    let core_bits = c.tiles() * tile_bits + 2 * c.position_block() * c.rows() * c.input_bits();
    (c.cores() * core_bits) as f64 / 8192.0
}
