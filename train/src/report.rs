//! The training report: one HTML file without anything from elsewhere.

use basisn_compiler::report::LayerReport;
use basisn_compiler::{Compiled, Fitted};
use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::agreement::Agreement;
use crate::train::{Epoch, Training};

const STYLE: &str = "
:root{color-scheme:light dark;--fg:#1c2430;--bg:#fff;--dim:#667085;--line:#d6dbe3;--a:#1f5fbf;--b:#d9772b;--soft:#eef1f5}
@media(prefers-color-scheme:dark){:root{--fg:#e6e9ef;--bg:#14181f;--dim:#98a2b3;--line:#313845;--a:#6aa5ff;--b:#f0a060;--soft:#1e242e}}
body{font:16px/1.5 system-ui,sans-serif;color:var(--fg);background:var(--bg);margin:0 auto;max-width:62rem;padding:1.5rem}
h1{font-size:1.6rem;margin:.2rem 0}h2{font-size:1.15rem;margin:2rem 0 .4rem}p{margin:.4rem 0}.dim{color:var(--dim)}
.scroll{overflow-x:auto}table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
th,td{padding:.3rem .6rem;text-align:right;border-bottom:1px solid var(--line);white-space:nowrap}th:first-child,td:first-child{text-align:left}
svg{display:block;width:100%;background:var(--soft);border-radius:.3rem}polyline{fill:none;stroke-width:1.5;vector-effect:non-scaling-stroke}
.a{stroke:var(--a)}.b{stroke:var(--b)}rect{fill:var(--a)}
.key:before{content:'';display:inline-block;width:.8em;height:.8em;margin:0 .35em 0 .8em;background:var(--k)}
";

/// What a grouped or ungrouped coefficient training adds to the page.
pub struct CoefficientPart<'a> {
    /// The result.
    pub fitted: &'a Fitted,
    /// The result on a chip.
    pub compiled: &'a Compiled,
    /// Training graph and golden reference on the held-out images.
    pub test: &'a Agreement,
}

/// The page.
pub fn page(network: &str, training: &Training, test_accuracy: f64, part: Option<&CoefficientPart>) -> String {
    let epochs = &training.epochs;
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { "BasisN training: " (network) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                p.dim { "BasisN training: " (network) ", seed " (training.options.seed) ", " (epochs.len()) " epochs" }
                h1 { (percent(test_accuracy)) " of the held-out images" }
                @if let Some(part) = part {
                    p { "On the golden reference. Training graph and golden reference differ on " (part.test.differences.len())
                        " of " (part.test.images) " images." }
                }
                h2 { "Loss" }
                p.dim { (key("a", "training, with augmentation, smoothing and teacher")) (key("b", "validation, cross entropy")) }
                (curves(&[("a", &series(epochs, |e| Some(e.train_loss))), ("b", &series(epochs, |e| e.validation.map(|v| v.loss)))]))
                h2 { "Accuracy" }
                p.dim { (key("a", "training images as augmented")) (key("b", "validation images")) }
                (curves(&[
                    ("a", &series(epochs, |e| Some(100.0 * e.train_accuracy))),
                    ("b", &series(epochs, |e| e.validation.map(|v| 100.0 * v.accuracy()))),
                ]))
                @if epochs.iter().any(|e| e.contests.is_some()) {
                    h2 { "Contests" }
                    p.dim { "Columns that a kernel would use, by its latent, and another one of its group owns." }
                    (curves(&[("a", &series(epochs, |e| e.contests.map(|c| c as f64)))]))
                }
                @if let Some(part) = part {
                    h2 { "Layers" }
                    div.scroll { (layers(part)) }
                    h2 { "Columns" }
                    p.dim { "How many kernels and subvectors use each column of the basis, layer by layer; the same scale for all columns of a layer." }
                    @for layer in &part.fitted.layers {
                        p { (layer.name) }
                        (columns(&layer.coefficients, part.fitted.bases.first().map_or(1, |basis| basis.columns)))
                    }
                }
            }
        }
    }
    .into_string()
}

fn percent(share: f64) -> String {
    format!("{:.2} %", 100.0 * share)
}

fn key(class: &str, text: &str) -> Markup {
    html! { span.key style=(format!("--k:var(--{class})")) { (text) } }
}

/// Epoch numbers and values, as far as there are any.
fn series(epochs: &[Epoch], value: impl Fn(&Epoch) -> Option<f64>) -> Vec<(f64, f64)> {
    epochs.iter().filter_map(|epoch| value(epoch).map(|v| (epoch.number as f64, v))).collect()
}

const WIDTH: f64 = 600.0;
const HEIGHT: f64 = 160.0;

/// Curves over the epochs; the range of values is written beside.
fn curves(curves: &[(&str, &Vec<(f64, f64)>)]) -> Markup {
    let values = || curves.iter().flat_map(|(_, points)| points.iter());
    let last = values().fold(2.0f64, |m, p| m.max(p.0));
    let (low, high) = values().fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), p| (l.min(p.1), h.max(p.1)));
    let height = (high - low).max(f64::MIN_POSITIVE);
    let place = |&(x, y): &(f64, f64)| {
        format!("{:.1},{:.1} ", (x - 1.0) / (last - 1.0) * WIDTH, HEIGHT - 5.0 - (y - low) / height * (HEIGHT - 10.0))
    };
    html! {
        svg viewBox=(format!("0 0 {WIDTH} {HEIGHT}")) preserveAspectRatio="none" height="160" role="img" {
            @for (class, points) in curves {
                polyline class=(class) points=(points.iter().map(place).collect::<String>()) {}
            }
        }
        @if low.is_finite() { p.dim { "from " (format!("{low:.4}")) " to " (format!("{high:.4}")) ", epochs 1 to " (format!("{last}")) } }
    }
}

fn layers(part: &CoefficientPart) -> Markup {
    let row = |report: &LayerReport| {
        html! {
            tr {
                td { (report.name) }
                td { (format!("{:.1}", report.snr_db)) }
                td { (format!("{:.1} %", 100.0 * report.coefficients_nonzero as f64 / report.coefficients.max(1) as f64)) }
                td { (report.items) }
                td { (report.slots) }
                td { (report.slots_lower_bound) }
                td { (report.gain) }
            }
        }
    };
    html! {
        table {
            tr { th { "layer" } th { "SNR, dB" } th { "not zero" } th { "items" } th { "slots" } th { "bound" } th { "gain" } }
            @for report in &part.compiled.report.layers { (row(report)) }
        }
    }
}

fn columns(coefficients: &[i8], columns: usize) -> Markup {
    let mut used = vec![0usize; columns];
    coefficients.iter().enumerate().filter(|(_, c)| **c != 0).for_each(|(i, _)| used[i % columns] += 1);
    let most = used.iter().copied().max().unwrap_or(1).max(1) as f64;
    html! {
        svg viewBox=(format!("0 0 {columns} 20")) preserveAspectRatio="none" height="40" role="img" {
            @for (column, &count) in used.iter().enumerate() {
                @let height = 20.0 * count as f64 / most;
                rect x=(column) y=(format!("{:.2}", 20.0 - height)) width="0.8" height=(format!("{height:.2}")) {}
            }
        }
    }
}
