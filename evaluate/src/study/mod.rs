//! A whole evaluation: both sides for every number of crossbars, batch and write model, and how the answer depends on everything.

mod report;

pub use report::{AdcRow, Against, CurvePoint, LayerRow, Point, Report, Sensitivity};

use crate::constants::FIELDS;
use crate::reprogram::{self, Concessions, Options};
use crate::variants::variants;
use crate::{Chip, Constants, Error, Values, Workload, WriteModel, area, basis};

/// What to evaluate.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// Numbers of crossbars; the first is the one that details are shown for.
    pub crossbars: Vec<usize>,
    /// Batch sizes; the first is the one that details are shown for.
    pub batches: Vec<usize>,
    /// Names of write models.
    pub write_models: Vec<String>,
    /// Concessions to the reprogramming chip.
    pub concessions: Concessions,
}

/// The write model that sensitivity and details use: the only one whose parts are constants.
pub const REFERENCE_MODEL: &str = "typical";

struct Study<'a> {
    workload: &'a Workload,
    chip: Chip,
    constants: &'a Constants,
    concessions: Concessions,
}

/// Evaluates a network on a chip; `chip_name` is for the report.
///
/// # Errors
/// The chip has no room for a layer, a number of crossbars does not make whole cores, or there is no such write model.
pub fn evaluate(
    workload: &Workload,
    chip: &Chip,
    chip_name: &str,
    constants: &Constants,
    request: &Request,
) -> Result<Report, Error> {
    let models: Vec<_> = request.write_models.iter().map(|m| constants.write_model(m)).collect::<Result<_, _>>()?;
    let study = Study { workload, chip: chip.clone(), constants, concessions: request.concessions };
    let mut points = Vec::new();
    for &crossbars in &request.crossbars {
        for &batch in &request.batches {
            points.push(study.point(crossbars, batch, &models)?);
        }
    }
    let (crossbars, batch) = points.first().map_or((chip.crossbars(), 1), |p| (p.crossbars, p.batch));
    let first = chip.with_crossbars(crossbars)?;
    Ok(Report {
        network: workload.name.clone(),
        weights: workload.weights(),
        macs: workload.macs(),
        chip: chip_name.into(),
        config: first.config.to_toml(),
        clock_mhz: 1e3 / first.clock_ns,
        concessions: request.concessions,
        points,
        curve: study.curve(&first, batch)?,
        layers: study.layers(&first, batch)?,
        area: area::basis(&first, constants.logic(), constants.values()),
        adc: study.adc(&first, batch, &models)?,
        sensitivity: study.sensitivity(&first, batch)?,
        variants: variants(&first, workload, &study.options(crossbars, batch), &models, constants)?,
        constants: constants.all.clone(),
        write_models: models.into_iter().cloned().collect(),
    })
}

impl Study<'_> {
    fn values(&self) -> &Values {
        self.constants.values()
    }

    fn options(&self, crossbars: usize, batch: usize) -> Options {
        Options { crossbars, batch, cell_bits: 2, adc_bits: None, concessions: self.concessions }
    }

    fn point(&self, crossbars: usize, batch: usize, models: &[&WriteModel]) -> Result<Point, Error> {
        let (chip, v) = (self.chip.with_crossbars(crossbars)?, self.values());
        self.workload.check(&chip.config)?;
        let reference = self.constants.write_model(REFERENCE_MODEL)?;
        let own = basis::cost(&chip, self.workload, batch, reference, v);
        let against = |model: &WriteModel| self.against(&chip, batch, model, own.time_ns, own.energy.total());
        let time_at = |row_ns: f64| {
            let model = reference.with_row_ns(row_ns);
            reprogram::best(&chip, self.workload, &self.options(crossbars, batch), &model, v).time_ns
        };
        let sum = |of: fn(&basis::LayerCost) -> f64| own.layers.iter().map(of).sum();
        Ok(Point {
            crossbars,
            batch,
            time_ns: own.time_ns,
            time_parts_ns: [sum(|l| l.read_ns), sum(|l| l.setup_ns), sum(|l| l.off_chip_ns), sum(|l| l.elementwise_ns)],
            energy: own.energy,
            write_once_ns: own.write_once_ns,
            area_um2: area::basis(&chip, self.constants.logic(), v).iter().map(|p| p.um2).sum(),
            against: models.iter().map(|m| against(m)).collect(),
            compute_only: Against { write_model: "no writing time".into(), ..against(&reference.with_row_ns(0.0)) },
            break_even_row_ns: crossing(time_at, own.time_ns),
            one_percent_row_ns: crossing(time_at, 100.0 * own.time_ns),
        })
    }

    fn against(&self, chip: &Chip, batch: usize, model: &WriteModel, time_ns: f64, energy_pj: f64) -> Against {
        let v = self.values();
        let of = |crossbars| reprogram::best(chip, self.workload, &self.options(crossbars, batch), model, v);
        let cost = of(chip.crossbars());
        let equal_area_crossbars = area::crossbars_of_equal_area(chip, cost.adc_bits, self.constants.logic(), v);
        let equal = of(equal_area_crossbars);
        Against {
            write_model: model.name.clone(),
            time_ratio: time_ns / cost.time_ns,
            energy_ratio: energy_pj / cost.energy.total(),
            edp_ratio: time_ns * energy_pj / cost.edp(),
            lifetime_inferences: (cost.writes_per_cell > 0.0).then(|| v.endurance / cost.writes_per_cell),
            equal_area_crossbars,
            equal_area_time_ratio: time_ns / equal.time_ns,
            equal_area_edp_ratio: time_ns * energy_pj / equal.edp(),
            cost,
        }
    }

    fn curve(&self, chip: &Chip, batch: usize) -> Result<Vec<CurvePoint>, Error> {
        let (v, reference) = (self.values(), self.constants.write_model(REFERENCE_MODEL)?);
        let own = basis::cost(chip, self.workload, batch, reference, v);
        let at = |row_ns: f64| {
            let options = self.options(chip.crossbars(), batch);
            let other = reprogram::best(chip, self.workload, &options, &reference.with_row_ns(row_ns), v);
            let edp_ratio = own.time_ns * own.energy.total() / other.edp();
            CurvePoint { row_ns, time_ratio: own.time_ns / other.time_ns, edp_ratio }
        };
        Ok((0..=24).map(|i| at(10f64.powf(f64::from(i) / 4.0 + 1.0))).collect())
    }

    fn layers(&self, chip: &Chip, batch: usize) -> Result<Vec<LayerRow>, Error> {
        let reference = self.constants.write_model(REFERENCE_MODEL)?;
        let own = basis::cost(chip, self.workload, batch, reference, self.values());
        let row = |(layer, cost): (&crate::Layer, basis::LayerCost)| LayerRow {
            name: cost.name,
            kernels: layer.kernels * layer.groups,
            depth: layer.depth,
            positions: layer.positions,
            cycles: cost.activity.cycles,
            read_cycles: cost.activity.read_cycles,
            time_ns: cost.time_ns,
            energy_pj: cost.energy.total(),
            slot_bits: cost.activity.slot_storage_bits,
        };
        Ok(self.workload.layers.iter().zip(own.layers).map(row).collect())
    }

    fn adc(&self, chip: &Chip, batch: usize, models: &[&WriteModel]) -> Result<Vec<AdcRow>, Error> {
        let v = self.values();
        let reference = self.constants.write_model(REFERENCE_MODEL)?;
        let options = self.options(chip.crossbars(), batch);
        let other = |options: &Options, m: &WriteModel| reprogram::best(chip, self.workload, options, m, v).edp();
        let needed: Vec<_> = models.iter().map(|m| other(&options, m)).collect();
        let mut rows = Vec::new();
        for bits in 4..=10 {
            let narrow = chip.with("adc.bits", bits)?;
            let own = basis::cost(&narrow, self.workload, batch, reference, v);
            let edp = own.time_ns * own.energy.total();
            let same = Options { adc_bits: Some(bits), ..options };
            rows.push(AdcRow {
                bits,
                energy_pj: own.energy.total(),
                edp_ratios: needed.iter().map(|other| edp / other).collect(),
                edp_ratios_same_bits: models.iter().map(|m| edp / other(&same, m)).collect(),
            });
        }
        Ok(rows)
    }

    fn sensitivity(&self, chip: &Chip, batch: usize) -> Result<Vec<Sensitivity>, Error> {
        let reference = self.constants.write_model(REFERENCE_MODEL)?;
        let options = self.options(chip.crossbars(), batch);
        let ratios = |values: &Values| -> Result<[f64; 2], Error> {
            let chip = chip.with_read_cycle(values.read_cycle_ns)?;
            let own = basis::cost(&chip, self.workload, batch, reference, values);
            let other = reprogram::best(&chip, self.workload, &options, reference, values);
            Ok([own.time_ns / other.time_ns, own.time_ns * own.energy.total() / other.edp()])
        };
        let mut rows = Vec::new();
        for (index, constant) in self.constants.all.iter().enumerate() {
            let low = ratios(&self.constants.with(index, constant.low))?;
            let high = ratios(&self.constants.with(index, constant.high))?;
            rows.push(Sensitivity {
                key: FIELDS[index].key.into(),
                time_ratio: [low[0], high[0]],
                edp_ratio: [low[1], high[1]],
            });
        }
        let swing = |s: &Sensitivity| (s.edp_ratio[0] / s.edp_ratio[1]).ln().abs();
        rows.sort_by(|a, b| swing(b).total_cmp(&swing(a)));
        Ok(rows)
    }
}

/// Slowest writing of a row that is looked at.
const MOST_ROW_NS: f64 = 1e7;

/// The row-write time, 0.01 ns to 10 ms, at which a rising time reaches `target`.
fn crossing(time_at: impl Fn(f64) -> f64, target: f64) -> Option<f64> {
    let (mut low, mut high) = (1e-2f64, MOST_ROW_NS);
    if time_at(low) > target || time_at(high) < target {
        return None;
    }
    for _ in 0..16 {
        let middle = (low * high).sqrt();
        if time_at(middle) < target { low = middle } else { high = middle }
    }
    Some((low * high).sqrt())
}
