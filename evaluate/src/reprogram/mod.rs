//! The other way: the same crossbars hold 8-bit weights and are rewritten layer after layer, with every fair concession.
//!
//! | module | what |
//! |---|---|
//! | [`cells`] | a weight in differential cells; how many of them a new weight changes |
//! | [`plan`] | which tiles stay, how often a layer is replicated, how large a round is |
//! | [`schedule`] | the time of a plan, event by event |

pub mod cells;
pub mod plan;
pub mod schedule;

use serde::{Deserialize, Serialize};

use crate::activity::{REGISTER_WRITE_CYCLES, layer_registers};
use crate::basis::{STREAM_SHARE, buffer_bits, spilled_bits};
use crate::energy::{Energy, conversion_pj, read_energy};
use crate::workload::{Layer, Workload};
use crate::{Chip, Values, WriteBy, WriteModel};
use cells::Slicing;
use plan::{Matrix, Plan};

/// What the reprogramming chip is granted; all on by default.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Concessions {
    /// A layer may be written several times into idle crossbars, which then share its positions.
    pub replicate: bool,
    /// Crossbars that are not needed any more are written while others compute.
    pub overlap: bool,
    /// Cells whose level stays the same are not written.
    pub skip_unchanged: bool,
    /// Layers and copies share a crossbar column by column.
    pub pack_columns: bool,
    /// Some tiles stay for good, and the others take turns in the rest of the crossbars.
    pub keep_tiles: bool,
}

impl Default for Concessions {
    fn default() -> Self {
        Concessions { replicate: true, overlap: true, skip_unchanged: true, pack_columns: true, keep_tiles: true }
    }
}

/// How the reprogramming chip works.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Options {
    /// Crossbars; those of the BasisN chip unless the areas are to be equal.
    pub crossbars: usize,
    /// Images that are computed before the crossbars are rewritten.
    pub batch: usize,
    /// Bits of a cell; a weight takes `ceil(7 / bits)` differential columns.
    pub cell_bits: usize,
    /// Bits of a conversion; `None`: as many as keep the accuracy, [`needed_adc_bits`].
    pub adc_bits: Option<usize>,
    /// Concessions.
    pub concessions: Concessions,
}

/// What a network takes, for one inference.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReprogramCost {
    /// Bits of a cell.
    pub cell_bits: usize,
    /// Bits of a conversion.
    pub adc_bits: usize,
    /// Crossbars that hold every weight once; nothing is written if there are as many.
    pub crossbars_to_fit: f64,
    /// Time of one inference in ns, inference after inference.
    pub time_ns: f64,
    /// Of this, time in which crossbars compute or activations pass the edge of the chip.
    pub compute_ns: f64,
    /// Energy of one inference.
    pub energy: Energy,
    /// Whole crossbars written for one inference.
    pub crossbars_written: f64,
    /// Writes of an average cell for one inference.
    pub writes_per_cell: f64,
    /// Crossbars whose contents stay.
    pub crossbars_kept: f64,
    /// Copies of a layer, on average over the crossbars that are written.
    pub copies: f64,
}

impl ReprogramCost {
    /// Energy-delay product in pJ ns.
    pub fn edp(&self) -> f64 {
        self.energy.total() * self.time_ns
    }
}

/// The cost with the cell width, 2 or 4 bits, that is faster.
pub fn best(chip: &Chip, w: &Workload, options: &Options, write: &WriteModel, values: &Values) -> ReprogramCost {
    let [two, four] = [2, 4].map(|cell_bits| cost(chip, w, &Options { cell_bits, ..*options }, write, values));
    if four.time_ns < two.time_ns { four } else { two }
}

/// Bits of a conversion that keep the accuracy: `cell bits + log2(rows) - 3`. That is two bits less than a lossless conversion with
/// ISAAC's weight coding needs; the digits network loses nothing with it, as `evaluate/tests/conversions.rs` shows.
pub fn needed_adc_bits(cell_bits: usize, rows: usize) -> usize {
    (cell_bits + basisn_arch::clog2(rows)).saturating_sub(3).max(4)
}

/// Time and energy of one inference.
pub fn cost(chip: &Chip, workload: &Workload, options: &Options, write: &WriteModel, values: &Values) -> ReprogramCost {
    let granted = with_packing(chip, workload, options, write, values);
    if !options.concessions.pack_columns || write.by == WriteBy::Row {
        return granted;
    }
    // Where cells are written one by one, crossbars that are not quite full can be faster.
    let concessions = Concessions { pack_columns: false, ..options.concessions };
    let plain = with_packing(chip, workload, &Options { concessions, ..*options }, write, values);
    if plain.time_ns < granted.time_ns { plain } else { granted }
}

fn with_packing(
    chip: &Chip,
    workload: &Workload,
    options: &Options,
    write: &WriteModel,
    values: &Values,
) -> ReprogramCost {
    let v = values;
    let slicing = Slicing::new(options.cell_bits, v.weight_sigma);
    let adc_bits = options.adc_bits.unwrap_or_else(|| needed_adc_bits(options.cell_bits, chip.config.rows()));
    let batch = options.batch as f64;
    let weight_bits = (8 * workload.weights()) as f64;
    let resident = weight_bits <= STREAM_SHARE * buffer_bits(v);
    let changed = if options.concessions.skip_unchanged { slicing.changed } else { 1.0 };
    let matrices: Vec<_> =
        workload.layers.iter().map(|l| matrix(chip, l, options, &slicing, changed, write, v, resident)).collect();
    let crossbars = options.crossbars as f64;
    let plan = plan::best(&matrices, crossbars, options, v.crossbars_at_once, 8.0 * v.dram_bandwidth_gbyte_s);
    let time_ns = plan.time.period_ns / batch;

    let mut energy = Energy::default();
    for layer in &workload.layers {
        energy += compute_energy(chip, layer, options, &slicing, adc_bits, v);
    }
    let edge = workload.layers.first().map_or(0, |l| 8 * l.inputs * l.groups)
        + workload.layers.last().map_or(0, |l| 8 * l.kernels * l.groups * l.positions);
    energy.off_chip += edge as f64 * v.dram_energy_pj_per_bit;
    let Plan { written, written_bits, .. } = plan;
    let stream_pj = if resident { v.buffer_energy_pj_per_bit } else { v.dram_energy_pj_per_bit };
    energy.off_chip += written_bits / batch * (stream_pj + v.bus_energy_pj_per_bit);
    energy.writing = plan.written_cells / batch * changed * write.cell_pj(v, options.cell_bits);
    let leak_mw = v.adc_leak_mw * conversion_pj(v, adc_bits) / conversion_pj(v, 8);
    // Converters are switched off while crossbars only wait for writes.
    energy.leakage = plan.time.compute_ns / batch * crossbars * leak_mw;
    let cells = crossbars * chip.cells() as f64;
    ReprogramCost {
        cell_bits: options.cell_bits,
        adc_bits,
        crossbars_to_fit: matrices.iter().map(|m| m.crossbars).sum(),
        time_ns,
        compute_ns: plan.time.compute_ns / batch,
        energy,
        crossbars_written: written / batch,
        writes_per_cell: plan.written_cells / batch * changed / cells,
        crossbars_kept: plan.kept,
        copies: plan.copies,
    }
}

/// What the plan needs to know of one matrix of a layer.
#[allow(clippy::too_many_arguments, reason = "one call, all independent")]
fn matrix(
    chip: &Chip,
    layer: &Layer,
    options: &Options,
    slicing: &Slicing,
    changed: f64,
    write: &WriteModel,
    values: &Values,
    resident: bool,
) -> Matrix {
    let (rows, columns) = (chip.config.rows(), chip.config.columns());
    let cut = layer.subvectors(rows);
    let needed = layer.kernels * slicing.slices;
    let width =
        if options.concessions.pack_columns { needed as f64 / columns as f64 } else { needed.div_ceil(columns) as f64 };
    let used = if options.concessions.pack_columns { columns } else { needed.div_ceil(needed.div_ceil(columns)) };
    let step = write.step_ns(values, options.cell_bits);
    let cells_of_row = 2.0 * used as f64;
    let write_ns = cut.length as f64
        * match write.by {
            // A row is skipped if none of its cells changes.
            WriteBy::Row => step * (1.0 - (1.0 - changed).powf(cells_of_row)),
            WriteBy::Cell => step * cells_of_row * changed,
        };
    // Groups have inputs of their own, so those in one crossbar are read in turn, and those in several at the same time.
    let groups = layer.groups as f64;
    let at_once = (groups * width).clamp(1.0, groups);
    let weights = layer.weights();
    Matrix {
        crossbars: groups * cut.count as f64 * width,
        whole: !options.concessions.pack_columns,
        positions: ((layer.positions * options.batch) as f64 * groups / at_once).ceil() as usize,
        // One converter a crossbar takes the columns one after the other.
        position_ns: read_share(chip, values)
            * layer.input_bits as f64
            * values.read_cycle_ns.max(used as f64 / values.adc_rate_gsps),
        write_ns,
        setup_ns: (REGISTER_WRITE_CYCLES * layer_registers(used / slicing.slices)) as f64 * chip.clock_ns,
        elementwise_ns: layer.after.time_ns(values) * options.batch as f64,
        cells: (2 * slicing.slices * weights) as f64,
        bits: if resident { 0.0 } else { (8 * weights) as f64 },
        stored_bits: (8 * weights) as f64,
        spill_bits: spilled_bits(layer, options.batch, values) * options.batch as f64,
    }
}

/// Share of the input planes that are read: the other chip skips those without ones if BasisN does.
fn read_share(chip: &Chip, values: &Values) -> f64 {
    if chip.config.skips_zero_planes() { 1.0 - values.zero_planes_share } else { 1.0 }
}

/// Energy of computing one layer for one inference.
fn compute_energy(
    chip: &Chip,
    layer: &Layer,
    options: &Options,
    slicing: &Slicing,
    adc_bits: usize,
    v: &Values,
) -> Energy {
    let columns = layer.kernels * slicing.slices;
    let subvectors = layer.subvectors(chip.config.rows()).count;
    let reads = (layer.positions * layer.input_bits * layer.groups) as f64;
    let on = v.ones_share * layer.depth as f64;
    let conversions = read_share(chip, v) * reads * (subvectors * columns) as f64;
    let crossbars_wide = columns as f64 / chip.config.columns() as f64;
    let wordlines = reads * on * crossbars_wide.max(1.0);
    let mut energy = read_energy(v, wordlines, 2.0 * reads * on * columns as f64, conversions, adc_bits);
    let results = (layer.positions * layer.kernels * layer.groups) as f64;
    energy.shift_add += results * (subvectors * slicing.slices) as f64 * v.shift_add_pj;
    energy.requantize = results * v.requantize_pj;
    energy.elementwise = layer.after.energy_pj(v);
    let memory = v.buffer_energy_pj_per_bit + v.bus_energy_pj_per_bit;
    let bits_in = (8 * layer.positions * layer.depth * layer.groups) as f64;
    energy.activations = bits_in * (memory + v.sram_write_pj_per_bit + v.sram_read_pj_per_bit) + 8.0 * results * memory;
    energy.off_chip = spilled_bits(layer, options.batch, v) * v.dram_energy_pj_per_bit;
    energy
}
