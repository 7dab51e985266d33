//! A crossbar with its non-idealities: cells, switches, reads.

use std::sync::{Arc, OnceLock};

use basisn_arch::{Geometry, ProgramOp};

use super::adc::{self, Adcs};
use super::cell::{Cells, fixed};
use super::config::MacroModel;
use super::ir_drop::Bitlines;
use super::lanes::{LaneRows, adc_variance, leakage, leakage_stream, noise};
use super::noise::{Kind, Stream, normal};

/// The devices of one chip: a model and the seed of its draws.
#[derive(Clone, Debug)]
pub struct Device {
    /// What is not ideal.
    pub model: Arc<MacroModel>,
    /// Seed of every draw.
    pub seed: u64,
}

/// Names one read of a tile: draws of read noise depend on it, and on nothing that came before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Read {
    /// Inference: number of the image.
    pub inference: u32,
    /// Layer.
    pub layer: u32,
    /// Read of the tile in this layer, in the order of `docs/hardware.md`.
    pub number: u32,
}

/// A crossbar of non-ideal devices.
#[derive(Clone, Debug)]
pub struct DeviceMacro {
    geometry: Geometry,
    device: Device,
    core: usize,
    tile: usize,
    cells: Cells,
    /// Effective levels, `[column * rows + row]`.
    levels: Vec<i32>,
    adcs: Adcs,
    leakage: Vec<f64>,
    switches: Vec<i8>,
    /// For the present cells; not known after cells were written.
    bitlines: OnceLock<Option<Bitlines>>,
    /// For the present switches; `None` after cells were written.
    lanes: Option<LaneRows>,
}

impl DeviceMacro {
    /// The macro of a tile of a core, unwritten and with open columns.
    pub fn new(geometry: Geometry, device: &Device, core: usize, tile: usize) -> Self {
        Self::with_cells(geometry, device, core, tile, Cells::new(&geometry, &device.model, device.seed, core, tile))
    }

    /// The macro of the same tile of another core, with the same levels written.
    pub fn on_core(&self, core: usize) -> Self {
        let cells = self.cells.on_core(&self.geometry, core);
        Self::with_cells(self.geometry, &self.device, core, self.tile, cells)
    }

    fn with_cells(geometry: Geometry, device: &Device, core: usize, tile: usize, cells: Cells) -> Self {
        let (rows, columns) = (geometry.rows, geometry.columns);
        DeviceMacro {
            geometry,
            device: device.clone(),
            core,
            tile,
            levels: (0..rows * columns).map(|cell| cells.effective_level(cell % rows, cell / rows)).collect(),
            adcs: adc::of_tile(&device.model.adc, geometry.lanes, geometry.adc_bits, device.seed, core, tile),
            leakage: leakage(&cells, &geometry, leakage_stream(device.seed, core, tile)),
            cells,
            switches: vec![0; columns],
            bitlines: OnceLock::new(),
            lanes: None,
        }
    }

    /// Writes a cell; see [`Cells::program`].
    pub fn program(&mut self, row: usize, column: usize, level: i32) {
        if row < self.geometry.rows && column < self.geometry.columns {
            self.cells.program(row, column, level);
            self.changed(row, column);
        }
    }

    fn changed(&mut self, row: usize, column: usize) {
        self.levels[column * self.geometry.rows + row] = self.cells.effective_level(row, column);
        self.bitlines = OnceLock::new();
        self.lanes = None;
    }

    /// A pulse of the core; see [`Cells::pulse`].
    pub fn pulse(&mut self, row: usize, column: usize, level: i32, op: ProgramOp) {
        if row < self.geometry.rows && column < self.geometry.columns {
            self.cells.pulse(row, column, level, op);
            self.changed(row, column);
        }
    }

    /// A verify read: the code of one cell as it was just written, before the ADC of lane 0 clamps it, with the noise of cell and ADC. What
    /// other cells and wires add is left out.
    pub fn verify(&mut self, row: usize, column: usize) -> i32 {
        if row >= self.geometry.rows || column >= self.geometry.columns {
            return 0;
        }
        let (digits, m) = (self.geometry.verify_digits(), &self.device.model);
        let mut v = fixed(self.cells.written_level(row, column));
        let (scale, gain) = (digits.max(0), (-digits).max(0) as u32);
        let cells = self.cells.pair_variance(self.cells.written_pair_us(row, column));
        let variance = cells + adc_variance(m.adc.noise_lsb, gain) / f64::from(1u32 << (2 * scale));
        let number = self.cells.count_verify(row, column);
        if variance > 0.0 {
            let stream = Stream::new(self.device.seed, Kind::Verify, self.core, self.tile);
            v += noise(variance, stream.normal((column * self.geometry.rows + row) as u32, number, 0));
        }
        self.adcs.unlimited(0, v << scale, gain)
    }

    /// Writes all cells from row-major levels, as the model says: by the macro itself, or by the core's program controller.
    pub fn program_all(&mut self, levels: &[i8]) {
        if let Some(verification) = self.device.model.verification(&self.geometry) {
            return super::verify::program_all(self, levels, &verification);
        }
        for (cell, &level) in levels.iter().enumerate() {
            self.program(cell / self.geometry.columns, cell % self.geometry.columns, i32::from(level));
        }
    }

    /// Sets the switches; see [`crate::IdealMacro::set_switches`].
    pub fn set_switches(&mut self, switches: &[i8]) {
        self.switches.fill(0);
        self.switches.iter_mut().zip(switches).for_each(|(own, given)| *own = *given);
        self.lanes = None;
    }

    /// The rows of every lane for a setting of the switches.
    pub fn lane_rows(&self, switches: &[i8]) -> LaneRows {
        let bitlines = self.bitlines.get_or_init(|| Bitlines::new(&self.cells, &self.geometry));
        LaneRows::new(&self.cells, &self.levels, &self.leakage, bitlines.as_ref(), &self.geometry, switches)
    }

    /// One read: the codes of all lanes before the ADC clamps them. Bit `r % 64` of word `r / 64` of `wordlines` is row r.
    pub fn unlimited_codes(&mut self, wordlines: &[u64], gain: u32, read: Read, codes: &mut [i32]) {
        let rows = self.geometry.rows;
        let lanes = self.lanes.take().unwrap_or_else(|| self.lane_rows(&self.switches));
        let active = |row: &usize| wordlines[row / 64] >> (row % 64) & 1 == 1;
        let fresh = self.read_noise(gain);
        for (lane, code) in codes.iter_mut().enumerate().take(self.geometry.lanes) {
            let range = lane * rows..(lane + 1) * rows;
            let weights = &lanes.weights[range.clone()];
            let mut sum: i32 = (0..rows).filter(active).map(|r| weights[r]).sum();
            if !fresh.is_none {
                let variance = lanes.variance.get(range);
                let variance = variance.map_or(0, |v| (0..rows).filter(active).map(|r| v[r]).sum());
                sum += noise(fresh.variance(variance), normal(fresh.four(lane / 4, read)[lane % 4]));
            }
            *code = self.adcs.unlimited(lane, sum, gain);
        }
        self.lanes = Some(lanes);
    }

    /// The noise of reads at a gain.
    pub fn read_noise(&self, gain: u32) -> ReadNoise {
        let m = &self.device.model;
        ReadNoise {
            adc_variance: adc_variance(m.adc.noise_lsb, gain),
            variance_unit: self.cells.variance_unit(),
            is_none: m.adc.noise_lsb == 0.0 && m.read.sigma == 0.0 && m.read.relative_sigma == 0.0,
            seed: self.device.seed,
            core: self.core,
            tile: self.tile,
        }
    }

    /// The ADCs.
    pub fn adcs(&self) -> &Adcs {
        &self.adcs
    }

    /// The geometry.
    pub fn geometry(&self) -> &Geometry {
        &self.geometry
    }

    /// The cells, to note what writing them took.
    pub(super) fn cells_mut(&mut self) -> &mut Cells {
        &mut self.cells
    }

    /// The cells.
    pub fn cells(&self) -> &Cells {
        &self.cells
    }

    /// Effective levels in 2^-8 level, `[column * rows + row]`.
    pub fn effective_levels(&self) -> &[i32] {
        &self.levels
    }
}

/// Fresh noise of the reads of a tile: Gaussian errors of cells and ADC add up to one draw a lane, with the sum of their variances.
#[derive(Clone, Copy, Debug)]
pub struct ReadNoise {
    adc_variance: f64,
    variance_unit: f64,
    /// No noise at all.
    pub is_none: bool,
    seed: u64,
    core: usize,
    tile: usize,
}

impl ReadNoise {
    /// Variance of a lane in a read in (2^-8 level)^2, from that of its cells.
    #[inline]
    pub fn variance(&self, cells: i32) -> f64 {
        f64::from(cells) * self.variance_unit + self.adc_variance
    }

    /// The random bits of lanes `4 group` to `4 group + 3` in a read.
    pub fn four(&self, group: usize, read: Read) -> [u32; 4] {
        let stream = Stream::new(self.seed, Kind::Read, self.core, self.tile);
        stream.four(group as u32 | read.layer << 4, read.number, read.inference)
    }
}
