//! What a campaign found: text, CSV, JSON and one page.

use basisn_evaluate::report::head;
use maud::{DOCTYPE, PreEscaped, html};

use super::{Campaign, Run, Statistics, Trial, plot};
use crate::scores;

const STYLE: &str = "
body{font:15px sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}
table{border-collapse:collapse;display:block;overflow-x:auto}
td,th{padding:.2rem .6rem;text-align:right;border-bottom:1px solid #ddd}
pre{background:#f6f6f6;padding:1rem;overflow-x:auto}
";

/// Results by point.
#[derive(Debug)]
pub struct Report<'a> {
    layers: Vec<&'a str>,
    trials: &'a [Trial],
    points: Vec<Point<'a>>,
    /// What the shares are of: right answers, or answers like those of ideal macros.
    measure: &'static str,
    ideal: f64,
    images: usize,
    model: String,
}

#[derive(Debug)]
struct Point<'a> {
    sweep: Option<(&'a str, f64)>,
    trials: &'a [Trial],
    statistics: Statistics,
}

impl Point<'_> {
    fn name(&self) -> String {
        self.sweep.map_or("model as given".into(), |(key, value)| format!("{key} = {value}"))
    }

    fn snr_db(&self, layer: usize) -> Option<f64> {
        let values: Vec<f64> = self.trials.iter().filter_map(|t| t.snr_db[layer]).collect();
        (!values.is_empty()).then(|| Statistics::of(&values).mean)
    }

    fn saturated(&self, layer: usize) -> f64 {
        Statistics::of(&self.trials.iter().map(|t| t.saturated[layer]).collect::<Vec<_>>()).mean
    }
}

impl<'a> Report<'a> {
    /// Of the trials of all points in order.
    pub fn new(campaign: &'a Campaign, trials: &'a [Trial], ideal: &[Run]) -> Self {
        let share = |t: &Trial| t.accuracy.unwrap_or(t.agreement);
        let point = |trials: &'a [Trial]| Point {
            sweep: trials[0].key.as_deref().zip(trials[0].value),
            trials,
            statistics: Statistics::of(&trials.iter().map(share).collect::<Vec<_>>()),
        };
        let outputs = ideal.iter().filter_map(|run| run.values.last()).map(Vec::as_slice);
        Report {
            layers: campaign.program.layers.iter().map(|l| l.name.as_str()).collect(),
            trials,
            points: trials.chunks(campaign.trials).map(point).collect(),
            measure: if campaign.labels.is_some() { "accuracy" } else { "agreement" },
            ideal: campaign.labels.map_or(1.0, |labels| scores::accuracy(outputs, labels)),
            images: campaign.images.len(),
            model: campaign.model.to_toml(),
        }
    }

    /// One line for each point.
    pub fn lines(&self) -> Vec<String> {
        let mut lines = vec![
            format!("ideal macros: {} {:.2}% of {} images", self.measure, 100.0 * self.ideal, self.images),
            format!("{:34} {:>6} {:>8} {:>7} {:>8}", self.measure, "trials", "mean", "std", "worst"),
        ];
        for point in &self.points {
            let s = point.statistics;
            let (mean, std, worst) = (100.0 * s.mean, 100.0 * s.std, 100.0 * s.worst);
            lines.push(format!("{:34} {:>6} {mean:>7.2}% {std:>6.2}% {worst:>7.2}%", point.name(), point.trials.len()));
        }
        lines
    }

    /// One row for each trial.
    pub fn csv(&self) -> String {
        let mut text = "key,value,seed,accuracy,agreement,pulses,failed_cells".to_string();
        for layer in &self.layers {
            text.push_str(&format!(",snr_db_{layer},saturated_{layer}"));
        }
        let optional = |v: Option<f64>| v.map_or(String::new(), |v| v.to_string());
        for t in self.trials {
            let (key, accuracy) = (t.key.as_deref().unwrap_or(""), optional(t.accuracy));
            text.push_str(&format!("\n{key},{},{},{accuracy},{},", optional(t.value), t.seed, t.agreement));
            text.push_str(&format!("{},{}", t.pulses, t.failed_cells));
            for (snr, saturated) in t.snr_db.iter().zip(&t.saturated) {
                text.push_str(&format!(",{},{saturated}", optional(*snr)));
            }
        }
        text + "\n"
    }

    /// Everything.
    pub fn json(&self) -> String {
        let layer = |point: &Point, i: usize| serde_json::json!({"name": self.layers[i], "snr_db": point.snr_db(i), "saturated": point.saturated(i)});
        let point = |point: &Point| {
            serde_json::json!({
                "key": point.sweep.map(|s| s.0),
                "value": point.sweep.map(|s| s.1),
                self.measure: point.statistics,
                "layers": (0..self.layers.len()).map(|i| layer(point, i)).collect::<Vec<_>>(),
                "trials": point.trials,
            })
        };
        let all = serde_json::json!({
            "images": self.images,
            "ideal": self.ideal,
            "model": self.model,
            "points": self.points.iter().map(point).collect::<Vec<_>>(),
        });
        format!("{all:#}")
    }

    /// A plot for each sweep: its key, and SVG.
    pub fn plots(&self) -> Vec<(&str, String)> {
        let mut sweeps: Vec<(&str, Vec<(f64, Statistics)>)> = Vec::new();
        for point in &self.points {
            let Some((key, value)) = point.sweep else { continue };
            match sweeps.last_mut() {
                Some((last, points)) if *last == key => points.push((value, point.statistics)),
                _ => sweeps.push((key, vec![(value, point.statistics)])),
            }
        }
        let y_label = format!("{} (%)", self.measure);
        sweeps.iter().map(|(key, points)| (*key, plot::svg(key, &y_label, points))).collect()
    }

    /// One page with a plot for each sweep.
    pub fn html(&self) -> String {
        let percent = |v: f64| format!("{:.2}", 100.0 * v);
        html! {
            (DOCTYPE)
            html lang="en" {
                (head("BasisN campaign", STYLE))
                body {
                    h1 { "Campaign on non-ideal macros" }
                    p { "With ideal macros: " (self.measure) " " (percent(self.ideal)) " % of " (self.images) " images. "
                        "Blue: mean of the trials with one standard deviation; red: the worst." }
                    @for (key, plot) in self.plots() {
                        h2 { (key) }
                        (PreEscaped(plot))
                    }
                    h2 { "Points" }
                    table {
                        tr { th { "point" } th { "trials" } th { "mean %" } th { "std %" } th { "worst %" }
                            @for layer in &self.layers { th { (layer) " SNR dB" } th { (layer) " clamped %" } } }
                        @for point in &self.points {
                            tr { td { (point.name()) } td { (point.trials.len()) } td { (percent(point.statistics.mean)) }
                                td { (percent(point.statistics.std)) } td { (percent(point.statistics.worst)) }
                                @for i in 0..self.layers.len() {
                                    td { (point.snr_db(i).map_or("no noise".into(), |v| format!("{v:.1}"))) }
                                    td { (percent(point.saturated(i))) }
                                } }
                        }
                    }
                    h2 { "Model" }
                    pre { (self.model) }
                }
            }
        }
        .into_string()
    }
}
