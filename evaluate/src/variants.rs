//! How far the chip can be pushed: one change at a time, and all together. What helps both sides is given to both.

use serde::{Deserialize, Serialize};

use crate::accuracy::{self, Accuracy};
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
    /// Accuracy of the digits with this change, where it was measured.
    pub accuracy: Option<Accuracy>,
    /// No other is at least as fast, as frugal and as accurate, and better in one of these.
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
    adc_bits: Option<usize>,
}

const BASE: Change =
    Change { name: "", group: None, tiles: None, input_bits: None, skip: false, read_cycle_ns: None, adc_bits: None };

const CHANGES: [Change; 12] = [
    Change { name: "as configured", ..BASE },
    Change { name: "groups of 4", group: Some(4), ..BASE },
    Change { name: "groups of 16, 16 lanes", group: Some(16), ..BASE },
    Change { name: "4 tiles a core", tiles: Some(4), ..BASE },
    Change { name: "2 tiles a core", tiles: Some(2), ..BASE },
    Change { name: "4-bit inputs", input_bits: Some(4), ..BASE },
    Change { name: "zero planes skipped", skip: true, ..BASE },
    Change { name: "reads in 50 ns", read_cycle_ns: Some(50.0), ..BASE },
    Change { name: "reads in 50 ns, 7-bit ADC", read_cycle_ns: Some(50.0), adc_bits: Some(7), ..BASE },
    Change { name: "reads in 10 ns, 6-bit ADC", read_cycle_ns: Some(10.0), adc_bits: Some(6), ..BASE },
    Change { name: "reads in 10 ns, 5-bit ADC", read_cycle_ns: Some(10.0), adc_bits: Some(5), ..BASE },
    Change {
        name: "all of it, reads in 50 ns",
        group: Some(16),
        tiles: Some(4),
        input_bits: Some(4),
        skip: true,
        read_cycle_ns: Some(50.0),
        adc_bits: None,
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
            chip = chip.with("core.skip_zero_planes", 1).ok()?;
        }
        if let Some(read) = self.read_cycle_ns {
            chip = chip.with_read_cycle(read).ok()?;
            values.read_cycle_ns = read;
            // The converter keeps up: all columns in one read.
            values.adc_rate_gsps = values.adc_rate_gsps.max(chip.config.columns() as f64 / read);
        }
        if let Some(bits) = self.adc_bits {
            chip = chip.with("adc.bits", bits).ok()?;
        }
        workload.check(&chip.config).ok()?;
        Some((chip, workload, values))
    }

    /// What it does to the accuracy of the digits on a chip with groups of `group` kernels and inputs of `bits` bits.
    ///
    /// # Errors
    /// A file of measurements cannot be used.
    fn accuracy(&self, group: usize, bits: usize) -> Result<Option<Accuracy>, Error> {
        let Some(unchanged) = accuracy::trained(group, bits)? else { return Ok(None) };
        let is = |one: Change| *self == Change { name: self.name, ..one };
        let trained = |groups: usize, bits: usize, before: Option<f64>| {
            let how = format!(
                "trained in groups of {groups} with ternary coefficients and {bits}-bit inputs, mean of the seeds"
            );
            let percent = accuracy::trained(groups, bits)?;
            let both = percent.zip(before);
            Ok(both.map(|(percent, unchanged_percent)| Accuracy { percent, unchanged_percent, how }))
        };
        let same = |how: &str| Accuracy { percent: unchanged, unchanged_percent: unchanged, how: how.into() };
        let measured = accuracy::measured()?;
        let of = |percent: Option<&f64>, before: Option<&f64>, how: &str| {
            let (percent, unchanged_percent) = (*percent?, *before?);
            Some(Accuracy { percent, unchanged_percent, how: how.into() })
        };
        Ok(match self {
            _ if is(BASE) => trained(group, bits, Some(unchanged))?,
            Change { group: Some(groups), .. } if is(Change { group: self.group, ..BASE }) => {
                trained(*groups, bits, Some(unchanged))?
            }
            // Trained in groups of 4 only.
            Change { input_bits: Some(bits), .. } if is(Change { input_bits: self.input_bits, ..BASE }) => {
                trained(4, *bits, accuracy::trained(4, 8)?)?
            }
            Change { tiles: Some(tiles), .. } if is(Change { tiles: self.tiles, ..BASE }) => of(
                measured.tiles.get(tiles),
                measured.adc_bits.get(&8),
                "golden reference with coefficients of four planes: one fit gives the same integers on any number of tiles",
            ),
            _ if is(Change { skip: true, ..BASE }) => {
                Some(same("bit for bit the same: a plane without ones adds nothing"))
            }
            Change { adc_bits: Some(bits), .. }
                if is(Change { read_cycle_ns: self.read_cycle_ns, adc_bits: self.adc_bits, ..BASE }) =>
            {
                of(
                    measured.adc_bits.get(bits),
                    measured.adc_bits.get(&8),
                    "golden reference with coefficients of four planes and so many bits of a conversion; noise of faster reads is not modelled",
                )
            }
            _ if is(Change { read_cycle_ns: self.read_cycle_ns, ..BASE }) => Some(same(
                "the same integers if cells and converters settle in time; noise of faster reads is not modelled",
            )),
            // Neither tiles nor skipped planes nor the time of a read change an integer.
            Change { group: Some(groups), input_bits: Some(bits), adc_bits: None, .. } => {
                trained(*groups, *bits, Some(unchanged))?
            }
            _ => None,
        })
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
    let (before, unchanged) = (chip, workload);
    let mut rows = Vec::new();
    for change in CHANGES.iter().filter(|c| !compiled || (c.group, c.tiles, c.input_bits) == (None, None, None)) {
        let Some((chip, workload, values)) = change.apply(chip, workload, values) else { continue };
        let own = basis::cost(&chip, &workload, options.batch, reference, &values);
        let other = |m: &&WriteModel| reprogram::best(&chip, &workload, options, m, &values);
        let others: Vec<_> = models.iter().map(other).collect();
        let edp = own.time_ns * own.energy.total();
        let as_given = (before.config.group(), before.config.adc_bits(), input_bits(unchanged));
        let accuracy = if compiled || as_given.1 != 8 { None } else { change.accuracy(as_given.0, as_given.2)? };
        rows.push(Variant {
            name: change.name.into(),
            group: chip.config.group(),
            input_bits: input_bits(&workload),
            time_ns: own.time_ns,
            energy_pj: own.energy.total(),
            area_um2: area::basis(&chip, constants.logic(), &values).iter().map(|p| p.um2).sum(),
            time_ratios: others.iter().map(|o| own.time_ns / o.time_ns).collect(),
            edp_ratios: others.iter().map(|o| edp / o.edp()).collect(),
            accuracy,
            best: false,
        });
    }
    // Time, energy, loss of accuracy: less is better; what was not measured counts as the greatest loss.
    let loss = |v: &Variant| v.accuracy.as_ref().map_or(f64::INFINITY, |a| a.unchanged_percent - a.percent);
    let points: Vec<_> = rows.iter().map(|v| [v.time_ns, v.energy_pj, loss(v)]).collect();
    let better = |a: &[f64; 3], b: &[f64; 3]| a != b && a.iter().zip(b).all(|(a, b)| a <= b);
    for (row, own) in rows.iter_mut().zip(&points) {
        row.best = !points.iter().any(|other| better(other, own));
    }
    Ok(rows)
}

fn input_bits(workload: &Workload) -> usize {
    workload.layers.iter().map(|l| l.input_bits).max().unwrap_or(0)
}
