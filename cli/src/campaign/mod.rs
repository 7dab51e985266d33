//! Campaigns: many draws of the devices of one chip, each a trial over all images, at one or several values of a model's numbers.

mod plot;
mod record;
mod report;

use std::path::Path;

use basisn_arch::{ChipConfig, Program};
use basisn_models::golden::LayerRun;
use basisn_models::rram::{Device, MacroModel, TileMacro};
use basisn_models::{NetRun, fast};
use serde::{Deserialize, Serialize};

use crate::engine::progress;
use crate::output::{Staged, say};
use crate::{Error, scores};
use record::Records;

/// Images that run together: enough to fill every thread, few enough to keep in memory.
const BATCH: usize = 64;

/// What one image gave.
type Run = NetRun<LayerRun>;

/// What a campaign runs.
#[derive(Debug)]
pub struct Campaign<'a> {
    /// The chip.
    pub config: &'a ChipConfig,
    /// The network.
    pub program: &'a Program,
    /// Images of the first layer.
    pub images: &'a [Vec<i32>],
    /// Their labels.
    pub labels: Option<&'a [u16]>,
    /// The macro model.
    pub model: MacroModel,
    /// Seed of trial 0; trial t has `seed + t`.
    pub seed: u64,
    /// Trials at every point.
    pub trials: usize,
    /// Numbers that vary, each alone; without any there is one point.
    pub sweeps: Vec<Sweep>,
}

/// Values of one number of the model.
#[derive(Clone, Debug, PartialEq)]
pub struct Sweep {
    /// `section.key`.
    pub key: String,
    /// Its values.
    pub values: Vec<f64>,
}

impl std::str::FromStr for Sweep {
    type Err = String;

    /// `key=value,value,...`; the key may be given without its section if no earlier section has it.
    fn from_str(text: &str) -> Result<Self, String> {
        let (name, values) = text.split_once('=').ok_or("give key=value,value,...")?;
        let is_key = |key: &str| key == name || key.split_once('.').is_some_and(|(_, last)| last == name);
        let field = MacroModel::FIELDS.iter().find(|f| f.range.is_some() && is_key(f.key));
        let key = field.ok_or_else(|| format!("the macro model has no number {name}"))?.key.to_string();
        let values: Result<Vec<f64>, _> = values.split(',').map(|v| v.trim().parse()).collect();
        Ok(Sweep { key, values: values.map_err(|e| format!("{text}: {e}"))? })
    }
}

/// Model and place of a point: the number that is swept, and its value.
#[derive(Clone, Debug)]
struct Point {
    sweep: Option<(String, f64)>,
    model: MacroModel,
}

/// Result of one trial.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Trial {
    /// The number that is swept; none in a campaign without sweeps.
    pub key: Option<String>,
    /// Its value.
    pub value: Option<f64>,
    /// Seed of the devices: `basisn simulate --seed` replays the trial.
    pub seed: u64,
    /// Share of images whose label is found; needs labels.
    pub accuracy: Option<f64>,
    /// Share of images with the same answer as from ideal macros.
    pub agreement: f64,
    /// Signal to noise of every layer's results against ideal macros, in dB; none where there is no noise at all.
    pub snr_db: Vec<Option<f64>>,
    /// Share of each layer's codes that the ADC clamped.
    pub saturated: Vec<f64>,
    /// Programming pulses of all cells.
    pub pulses: u64,
    /// Cells that write-verify gave up, and stuck ones that are not where they should be.
    pub failed_cells: usize,
}

/// Mean, standard deviation of a sample, and smallest of some shares.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Statistics {
    /// Mean.
    pub mean: f64,
    /// Standard deviation, of a sample.
    pub std: f64,
    /// The smallest.
    pub worst: f64,
}

impl Statistics {
    /// Of at least one value.
    pub fn of(values: &[f64]) -> Self {
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        let variance = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (n - 1.0).max(1.0);
        Statistics { mean, std: variance.sqrt(), worst: values.iter().copied().fold(f64::INFINITY, f64::min) }
    }
}

impl Campaign<'_> {
    /// Runs what `folder` does not hold already, and writes `trials.csv`, `campaign.json`, `campaign.html` and a plot for each sweep there.
    ///
    /// # Errors
    /// A value of a sweep is refused, the folder belongs to another campaign, or it cannot be written.
    pub fn run(&self, folder: &Path, json: bool) -> Result<(), Error> {
        let points = self.points()?;
        // Told before any work is done.
        let staged = Staged::new(folder)?;
        let mut records = Records::open(folder, self)?;
        let bar = progress("trials", points.len() * self.trials);
        let ideal = self.all_images(&fast::Core::new(self.config, self.program, None)?)?;
        let mut trials = Vec::new();
        for point in &points {
            for seed in (self.seed..).take(self.trials) {
                let trial = match records.find(point, seed) {
                    Some(known) => known,
                    None => records.add(self.trial(point, seed, &ideal)?)?,
                };
                trials.push(trial);
                bar.inc(1);
            }
        }
        bar.finish_and_clear();
        let report = report::Report::new(self, &trials, &ideal);
        staged.write("trials.csv", report.csv())?;
        staged.write("campaign.json", report.json())?;
        staged.write("campaign.html", report.html())?;
        for (key, plot) in report.plots() {
            staged.write(&format!("{key}.svg"), plot)?;
        }
        staged.publish()?;
        if json {
            say!("{}", report.json());
        } else {
            report.lines().iter().for_each(|line| say!("{line}"));
            say!("report: {}", folder.join("campaign.html").display());
        }
        Ok(())
    }

    fn points(&self) -> Result<Vec<Point>, Error> {
        if self.sweeps.is_empty() {
            return Ok(vec![Point { sweep: None, model: self.model.clone() }]);
        }
        let values = self.sweeps.iter().flat_map(|sweep| sweep.values.iter().map(|&value| (sweep.key.clone(), value)));
        values
            .map(|(key, value)| Ok(Point { model: self.model.with(&key, value)?, sweep: Some((key, value)) }))
            .collect()
    }

    fn all_images(&self, core: &fast::Core) -> Result<Vec<Run>, Error> {
        let mut runs = Vec::with_capacity(self.images.len());
        for batch in self.images.chunks(BATCH) {
            runs.extend(core.run(batch, runs.len() as u32)?);
        }
        Ok(runs)
    }

    /// Runs all images on the devices of a seed.
    fn trial(&self, point: &Point, seed: u64, ideal: &[Run]) -> Result<Trial, Error> {
        let device = Device { model: point.model.clone().into(), seed };
        let core = fast::Core::new(self.config, self.program, Some(&device))?;
        let runs = self.all_images(&core)?;
        let (mut pulses, mut failed_cells) = (0, 0);
        for tile_macro in (0..self.config.cores()).flat_map(|c| core.macros(c)) {
            if let TileMacro::Device(device) = tile_macro {
                pulses += device.cells().report().pulses();
                failed_cells += device.cells().report().failed.len();
            }
        }
        let outputs =
            |runs: &[Run]| -> Vec<Vec<i64>> { runs.iter().filter_map(|run| run.values.last().cloned()).collect() };
        let (got, wanted) = (outputs(&runs), outputs(ideal));
        let layers = 0..self.program.layers.len();
        Ok(Trial {
            key: point.sweep.as_ref().map(|s| s.0.clone()),
            value: point.sweep.as_ref().map(|s| s.1),
            seed,
            accuracy: self.labels.map(|labels| scores::accuracy(got.iter().map(Vec::as_slice), labels)),
            agreement: scores::agreement(&got, &wanted),
            snr_db: layers.clone().map(|layer| snr_db(self.program, &runs, ideal, layer)).collect(),
            saturated: layers.map(|layer| saturated(&runs, layer)).collect(),
            pulses,
            failed_cells,
        })
    }
}

/// `10 log10(sum of ideal^2 / sum of (got - ideal)^2)` over all images.
fn snr_db(program: &Program, runs: &[Run], ideal: &[Run], layer: usize) -> Option<f64> {
    let (mut signal, mut noise) = (0.0, 0.0);
    for (run, ideal) in runs.iter().zip(ideal) {
        for (&got, &wanted) in run.of_layer(program, layer).iter().zip(ideal.of_layer(program, layer)) {
            signal += (wanted as f64).powi(2);
            noise += ((got - wanted) as f64).powi(2);
        }
    }
    (noise > 0.0 && signal > 0.0).then(|| 10.0 * (signal / noise).log10())
}

/// Share of a layer's codes that the ADC clamped.
fn saturated(runs: &[Run], layer: usize) -> f64 {
    let of = |count: fn(&LayerRun) -> u64| runs.iter().map(|run| count(&run.layers[layer])).sum::<u64>() as f64;
    of(|run| run.saturated_low + run.saturated_high) / of(|run| run.codes).max(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sweeps_name_numbers_of_the_model() {
        let sweep = |text: &str| text.parse::<Sweep>();
        assert_eq!(sweep("sigma=0, 0.05").unwrap(), Sweep { key: "programming.sigma".into(), values: vec![0.0, 0.05] });
        assert_eq!(sweep("read.sigma=1e-2").unwrap().key, "read.sigma");
        assert!(sweep("encoding=1").unwrap_err().contains("no number encoding"));
        assert!(sweep("sigma=a").unwrap_err().contains("sigma=a"));
        assert!(sweep("sigma").is_err());
    }

    #[test]
    fn statistics_are_those_of_a_sample() {
        assert_eq!(Statistics::of(&[0.5]), Statistics { mean: 0.5, std: 0.0, worst: 0.5 });
        let four = Statistics::of(&[1.0, 2.0, 3.0, 6.0]);
        assert!(four.mean == 3.0 && (four.std - (14.0f64 / 3.0).sqrt()).abs() < 1e-12 && four.worst == 1.0);
    }
}
