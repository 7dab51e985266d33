//! How far the chip can be pushed, and what that does to accuracy.

use maud::{Markup, PreEscaped, html};

use super::super::lines::{Chart, Line, Scale, chart};
use super::super::number::{area, energy, ratio, time};
use crate::study::{Point, REFERENCE_MODEL, Report};
use crate::variants::Variant;

pub(super) fn pushed(report: &Report, point: &Point) -> Markup {
    let reference = point.against.iter().position(|a| a.write_model == REFERENCE_MODEL);
    let measured: Vec<_> = report.variants.iter().filter_map(|v| v.accuracy.as_ref()).collect();
    html! {
        h2 { "Pushing it" }
        p.dim { "One change at a time, and all together. 4-bit inputs, skipped planes and faster reads are given to reprogramming, too. Accuracy is that of the digits, "
            "the network that is trained here, with the same change: what a change does to " (report.network) " has to be measured there." }
        div.pair {
            (PreEscaped(picture(report, "energy of an inference", Scale::Log(energy), |v| Some((v.time_ns, v.energy_pj)), "time of an inference", time)))
            @if !measured.is_empty() {
                (PreEscaped(picture(report, "accuracy of the digits, change in points", Scale::Linear(points), |v| Some((v.time_ns, gain(v)?)), "time of an inference", time)))
                (PreEscaped(picture(report, "accuracy of the digits, change in points", Scale::Linear(points), |v| Some((v.energy_pj, gain(v)?)), "energy of an inference", energy)))
            }
        }
        div.scroll { table {
            tr {
                th { "change" } th { "time" } th { "energy" } th { "area" } th { "digits" } th { "without the change" }
                @if reference.is_some() { th { "time ratio" } th { "EDP ratio" } }
            }
            @for (i, v) in report.variants.iter().enumerate() { tr {
                td { (i + 1) ". " (v.name) @if v.best { " *" } } td { (time(v.time_ns)) } td { (energy(v.energy_pj)) } td { (area(v.area_um2)) }
                @match &v.accuracy {
                    Some(a) => { td title=(a.how) { (percent(a.percent)) } td { (percent(a.unchanged_percent)) } }
                    None => { td { "-" } td { "-" } }
                }
                @if let Some(r) = reference { td { (ratio(v.time_ratios[r])) } td { (ratio(v.edp_ratios[r])) } }
            } }
        } }
        p.dim { "* none of the others is at least as fast, as frugal and as accurate (dark in the pictures). Ratios: " (REFERENCE_MODEL) "." }
        details {
            summary { "How accuracy was measured" }
            ul { @for (i, v) in report.variants.iter().enumerate() { @if let Some(a) = &v.accuracy { li { (i + 1) ". " (a.how) } } } }
            p { "Zero planes: " code { "signal.zero_planes_share" } " of the planes, measured on the digits and assumed for every other network; cycles by the cycle model of the RTL, "
                "which reads one plane of a position even if all are zero." }
        }
    }
}

/// What the change does to the accuracy of the digits, in points.
fn gain(variant: &Variant) -> Option<f64> {
    variant.accuracy.as_ref().map(|a| a.percent - a.unchanged_percent)
}

fn points(value: f64) -> String {
    format!("{value:+.1}").replace("+0.0", "0").replace("-0.0", "0")
}

fn percent(value: f64) -> String {
    format!("{value:.1}%")
}

fn picture(
    report: &Report,
    y_label: &str,
    y_scale: Scale,
    at: fn(&Variant) -> Option<(f64, f64)>,
    x_label: &str,
    x_text: fn(f64) -> String,
) -> String {
    let mark = |(i, v): (usize, &Variant)| {
        let colour = (!v.best).then_some(6);
        Some(Line { name: (i + 1).to_string(), colour, points: vec![at(v)?], marks_only: true })
    };
    let lines: Vec<_> = report.variants.iter().enumerate().filter_map(mark).collect();
    chart(&Chart { x_label, y_label, x_ticks: None, x_text, y_scale, levels: &[], lines: &lines })
}
