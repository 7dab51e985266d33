//! Against crossbars, batch and bits of a conversion; lifetime.

use maud::{Markup, PreEscaped, html};

use super::super::bars::{Dots, decades, dots};
use super::super::lines::{Chart, Line, Scale, chart};
use super::super::number::{digits, ratio_tick, time};
use crate::study::{Against, Point, Report};

/// Colours of the write models in line charts.
fn model_key(point: &Point) -> Markup {
    html! { p.key { span { i.kown {} "BasisN" } @for (i, a) in point.against.iter().enumerate() { span { i class={ "k" (i % 8) } {} (a.write_model) } } } }
}

pub(super) fn scaling(report: &Report, first: &Point) -> Markup {
    let series = |points: &[&Point], x: fn(&Point) -> f64| {
        let mut lines: Vec<Line> = (0..first.against.len())
            .map(|i| Line {
                name: first.against[i].write_model.clone(),
                colour: Some(i % 8),
                points: points.iter().map(|p| (x(p), p.against[i].cost.time_ns)).collect(),
                marks_only: false,
            })
            .collect();
        let own = points.iter().map(|p| (x(p), p.time_ns)).collect();
        lines.push(Line { name: "BasisN".into(), colour: None, points: own, marks_only: false });
        lines
    };
    let draw = |points: Vec<&Point>, x: fn(&Point) -> f64, x_label: &str, y_label: &str| {
        let mut ticks: Vec<f64> = points.iter().map(|p| x(p)).collect();
        ticks.sort_by(f64::total_cmp);
        let mut sorted = points;
        sorted.sort_by(|a, b| x(a).total_cmp(&x(b)));
        let lines = series(&sorted, x);
        chart(&Chart {
            x_label,
            y_label,
            x_ticks: Some(ticks),
            x_text: digits,
            y_scale: Scale::Log(time),
            levels: &[],
            lines: &lines,
        })
    };
    let same_batch: Vec<_> = report.points.iter().filter(|p| p.batch == first.batch).collect();
    let same_chip: Vec<_> = report.points.iter().filter(|p| p.crossbars == first.crossbars).collect();
    let adc_lines = |same: bool| -> Vec<Line> {
        (0..first.against.len())
            .map(|i| Line {
                name: first.against[i].write_model.clone(),
                colour: Some(i % 8),
                points: report
                    .adc
                    .iter()
                    .map(|r| (r.bits as f64, if same { r.edp_ratios_same_bits[i] } else { r.edp_ratios[i] }))
                    .collect(),
                marks_only: false,
            })
            .collect()
    };
    let adc = |same: bool, y_label: &str| {
        chart(&Chart {
            x_label: if same { "bits of a conversion, both" } else { "bits of a conversion, BasisN" },
            y_label,
            x_ticks: Some(report.adc.iter().map(|r| r.bits as f64).collect()),
            x_text: digits,
            y_scale: Scale::Log(ratio_tick),
            levels: &[(1.0, "equal")],
            lines: &adc_lines(same),
        })
    };
    html! {
        h2 { "Against crossbars, batch and ADC bits" }
        (model_key(first))
        div.pair {
            @if same_batch.len() > 1 { (PreEscaped(draw(same_batch, |p| p.crossbars as f64, "crossbars", "time of an inference"))) }
            @if same_chip.len() > 1 { (PreEscaped(draw(same_chip, |p| p.batch as f64, "images in a batch", "time of an inference"))) }
            (PreEscaped(adc(false, "EDP ratio, reprogramming as needed")))
            (PreEscaped(adc(true, "EDP ratio, both with as many bits")))
        }
        details {
            summary { "What changes" }
            p { "More crossbars are more cores: BasisN shares the positions of a layer among them. A batch writes once for all its images, and keeps their "
                "activations, off-chip where the buffer is too small. Bits of a conversion change its energy by adc.energy_growth each; how many a "
                "network needs is a question of accuracy, which this chart does not answer." }
        }
    }
}

pub(super) fn lifetime(point: &Point) -> Markup {
    let row = |a: &Against| {
        let life = a.lifetime_inferences.unwrap_or(f64::INFINITY);
        Dots {
            label: a.write_model.replace('_', " "),
            dots: if life.is_finite() { vec![("life", digits(life), life)] } else { Vec::new() },
            text: html! { @if life.is_finite() { (digits(life)) " · " (time(life * a.cost.time_ns)) } @else { "no writes" } },
        }
    };
    let (low, high) = decades(point.against.iter().filter_map(|a| a.lifetime_inferences));
    html! {
        h2 { "Lifetime" }
        p { "Rewritten cells wear out after so many inferences, and after so much time without a pause. BasisN writes every cell once: endurance sets no limit." }
        (dots(&point.against.iter().map(row).collect::<Vec<_>>(), low, high, &[], digits))
        details { summary { "Formula" } p { code { "write.endurance / writes of an average cell for one inference" } ", with perfect wear levelling over all crossbars and unchanged cells skipped. "
            "Disturbance by reads is not modelled on either side." } }
    }
}
