//! How far the chip can be pushed: one change at a time, and all together. What helps both sides is given to both.

use serde::{Deserialize, Serialize};

use crate::reprogram::{self, Options};
use crate::study::REFERENCE_MODEL;
use crate::{Chip, Constants, Error, Values, Workload, WriteModel, area, basis};

/// A changed chip, network or circuit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Variant {
    /// What is changed.
    pub name: String,
    /// Kernels of a group.
    pub group: usize,
    /// Input bits of all layers that had eight.
    pub input_bits: usize,
    /// BasisN's time of an inference in ns.
    pub time_ns: f64,
    /// BasisN's energy in pJ.
    pub energy_pj: f64,
    /// BasisN's area in um^2.
    pub area_um2: f64,
    /// Time ratio for each write model.
    pub time_ratios: Vec<f64>,
    /// EDP ratio for each write model.
    pub edp_ratios: Vec<f64>,
    /// Nothing else is both faster and needs less energy.
    pub best: bool,
}

/// Changes of a variant; what is `None` stays.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Change {
    name: &'static str,
    group: Option<usize>,
    tiles: Option<usize>,
    input_bits: Option<usize>,
    skip: bool,
    read_cycle_ns: Option<f64>,
}

const BASE: Change = Change { name: "", group: None, tiles: None, input_bits: None, skip: false, read_cycle_ns: None };

const CHANGES: [Change; 10] = [
    Change { name: "as configured", ..BASE },
    Change { name: "groups of 4", group: Some(4), ..BASE },
    Change { name: "groups of 16, 16 lanes", group: Some(16), ..BASE },
    Change { name: "4 tiles a core", tiles: Some(4), ..BASE },
    Change { name: "2 tiles a core", tiles: Some(2), ..BASE },
    Change { name: "4-bit inputs", input_bits: Some(4), ..BASE },
    Change { name: "zero planes skipped", skip: true, ..BASE },
    Change { name: "reads in 50 ns", read_cycle_ns: Some(50.0), ..BASE },
    Change { name: "reads in 10 ns", read_cycle_ns: Some(10.0), ..BASE },
    Change {
        name: "all of it, reads in 50 ns",
        group: Some(16),
        tiles: Some(4),
        input_bits: Some(4),
        skip: true,
        read_cycle_ns: Some(50.0),
    },
];

impl Change {
    /// The changed chip, network and values; `None` if the chip cannot be changed so.
    fn apply(&self, chip: &Chip, workload: &Workload, values: &Values) -> Option<(Chip, Workload, Values)> {
        let (crossbars, mut chip) = (chip.crossbars(), chip.clone());
        let (mut workload, mut values) = (workload.clone(), *values);
        if let Some(group) = self.group {
            let lanes = chip.config.lanes().max(group);
            chip = chip.with("adc.lanes", lanes).and_then(|c| c.with("arithmetic.group", group)).ok()?;
        }
        if let Some(tiles) = self.tiles {
            // As many partial sums on the chip: a lane has those of the tiles that are no longer there.
            let psums = chip.config.psum_words() * chip.config.tiles() / tiles;
            chip = chip.with("core.tiles", tiles).and_then(|c| c.with("core.psum_words", psums)).ok()?;
            chip = chip.with_crossbars(crossbars).ok()?;
        }
        if let Some(bits) = self.input_bits {
            for layer in &mut workload.layers {
                layer.input_bits = layer.input_bits.min(bits);
            }
        }
        if self.skip {
            values.skipped_share = values.zero_planes_share;
        }
        if let Some(read) = self.read_cycle_ns {
            chip = chip.with_read_cycle(read).ok()?;
            values.read_cycle_ns = read;
            // The converter keeps up: all columns in one read.
            values.adc_rate_gsps = values.adc_rate_gsps.max(chip.config.columns() as f64 / read);
        }
        workload.check(&chip.config).ok()?;
        Some((chip, workload, values))
    }
}

/// Evaluates the variants that the chip allows; programs keep their slots, so only those of networks have all.
///
/// # Errors
/// None that the chip as configured does not give.
pub fn variants(
    chip: &Chip,
    workload: &Workload,
    options: &Options,
    models: &[&WriteModel],
    constants: &Constants,
) -> Result<Vec<Variant>, Error> {
    let (reference, values) = (constants.write_model(REFERENCE_MODEL)?, constants.values());
    let compiled = workload.layers.iter().any(|l| l.program.is_some());
    let mut rows = Vec::new();
    for change in CHANGES.iter().filter(|c| !compiled || (c.group, c.tiles, c.input_bits) == (None, None, None)) {
        let Some((chip, workload, values)) = change.apply(chip, workload, values) else { continue };
        let own = basis::cost(&chip, &workload, options.batch, reference, &values);
        let other = |m: &&WriteModel| reprogram::best(&chip, &workload, options, m, &values);
        let others: Vec<_> = models.iter().map(other).collect();
        let edp = own.time_ns * own.energy.total();
        rows.push(Variant {
            name: change.name.into(),
            group: chip.config.group(),
            input_bits: workload.layers.iter().map(|l| l.input_bits).max().unwrap_or(0),
            time_ns: own.time_ns,
            energy_pj: own.energy.total(),
            area_um2: area::basis(&chip, constants.logic(), &values).iter().map(|p| p.um2).sum(),
            time_ratios: others.iter().map(|o| own.time_ns / o.time_ns).collect(),
            edp_ratios: others.iter().map(|o| edp / o.edp()).collect(),
            best: false,
        });
    }
    let points: Vec<_> = rows.iter().map(|r| (r.time_ns, r.energy_pj)).collect();
    for row in &mut rows {
        row.best = !points.iter().any(|&(t, e)| t < row.time_ns && e < row.energy_pj);
    }
    Ok(rows)
}
