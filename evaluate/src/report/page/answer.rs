//! The answer: ratios under every write model, and how fast writing may be.

use maud::{Markup, PreEscaped, html};

use super::super::bars::{Dots, decades, dots};
use super::super::lines::{Chart, Line, Scale, chart};
use super::super::number::{area, digits, energy, ratio, ratio_tick, time};
use super::reference;
use crate::study::{Against, Point, REFERENCE_MODEL, Report};

pub(super) fn answer(report: &Report, point: &Point) -> Markup {
    let typical = reference(point);
    let wins = point.against.iter().filter(|a| a.time_ratio < 1.0).count();
    let edp_wins = point.against.iter().filter(|a| a.edp_ratio < 1.0).count();
    let best = point.against.iter().min_by(|a, b| a.time_ratio.total_cmp(&b.time_ratio));
    let worst = point.against.iter().max_by(|a, b| a.time_ratio.total_cmp(&b.time_ratio));
    let images = if point.batch == 1 { "one image at a time".into() } else { format!("batches of {}", point.batch) };
    html! {
        p.dim { (report.network) " on " (report.chip) ", " (point.crossbars) " crossbars, " (images) }
        h1 { (ratio(typical.time_ratio)) " of the time, " (ratio(typical.edp_ratio)) " of the energy-delay product of reprogramming" }
        p.lead {
            "An inference takes " b { (time(point.time_ns)) } " and " b { (energy(point.energy.total())) }
            "; the ratios are to a chip that rewrites the same crossbars, under the write model " i { (typical.write_model) } ". "
            @if let (Some(best), Some(worst)) = (best, worst) {
                "Over all write models the time is " (ratio(best.time_ratio)) " (" (best.write_model) ") to "
                (ratio(worst.time_ratio)) " (" (worst.write_model) "): BasisN is faster under " (wins) " of "
                (point.against.len()) ", and has the lower energy-delay product under " (edp_wins) "."
            }
        }
        div.tiles {
            (tile(&time(point.time_ns), "time of an inference"))
            (tile(&energy(point.energy.total()), "energy of an inference"))
            (tile(&area(point.area_um2), "area of the chip"))
            (tile(&point.break_even_row_ns.map_or("none".into(), time), "row-write time at which both are equally fast"))
            (tile(&point.one_percent_row_ns.map_or("none".into(), time), "row-write time from which BasisN takes under 1%"))
            (tile(&typical.lifetime_inferences.map_or("no limit".into(), digits), "inferences until the rewritten cells are worn out; BasisN's are written once"))
        }
    }
}

fn tile(value: &str, what: &str) -> Markup {
    html! { div { b { (value) } span { (what) } } }
}

pub(super) fn ratios(report: &Report, point: &Point) -> Markup {
    let rows = || point.against.iter().chain([&point.compute_only]);
    let (low, high) = decades(rows().flat_map(|a| [a.time_ratio, a.edp_ratio]).chain([0.01, 1.0]));
    let floor = point.compute_only.time_ratio;
    let row = |a: &Against| Dots {
        label: a.write_model.replace('_', " "),
        dots: vec![
            ("time", format!("time {}", ratio(a.time_ratio)), a.time_ratio),
            ("edp", format!("EDP {}", ratio(a.edp_ratio)), a.edp_ratio),
        ],
        text: html! { (ratio(a.time_ratio)) " · " (ratio(a.edp_ratio)) },
    };
    let marks = [(1.0, "equal", ""), (0.01, "1%", "claim"), (floor, "writing takes no time", "soft")];
    html! {
        h2 { "BasisN over reprogramming" }
        p.dim { "Left of the solid line BasisN is better. The dashed line is the floor: what reprogramming would take if writing took no time." }
        p.key {
            span { i.swatch.time {} "time" } span { i.swatch.edp {} "energy-delay product" }
            span { i.rule {} "equal" } span { i.rule.claim {} "1%" } span { i.rule.soft {} "compute-only floor, time" }
        }
        (dots(&rows().map(row).collect::<Vec<_>>(), low, high, &marks, ratio_tick))
        details {
            summary { "Formula, and what the other chip is granted" }
            p { "ratio = time (or energy x time) of one BasisN inference / that of one inference by reprogramming, inference after inference. "
                "The other chip has the same crossbars, converters, buffer and wires, holds 8-bit weights in 2- or 4-bit differential cells, "
                "whichever is faster, and takes the best of a few hundred schedules." }
            p { "Granted: " @for (name, on) in concessions(report) { (name) @if !on { " (switched off)" } "; " }
                "every crossbar has write drivers of its own; its leakage counts converters only, no memories, and only while it computes; partial sums between rounds are free. "
                "Its converters have two bits less than a lossless conversion needs, with which the digits network loses nothing (measured)." }
            div.scroll { table {
                tr { @for h in ["write model", "cells", "ADC", "time", "computing", "energy", "crossbars to fit", "written", "kept", "copies", "time ratio", "energy ratio", "EDP ratio"] { th { (h) } } }
                @for a in rows() { tr {
                    td { (a.write_model) } td { (a.cost.cell_bits) " bits" } td { (a.cost.adc_bits) " bits" } td { (time(a.cost.time_ns)) }
                    td { (time(a.cost.compute_ns)) } td { (energy(a.cost.energy.total())) } td { (digits(a.cost.crossbars_to_fit.ceil())) }
                    td { (digits(a.cost.crossbars_written)) } td { (digits(a.cost.crossbars_kept)) } td { (digits(a.cost.copies)) }
                    td { (ratio(a.time_ratio)) } td { (ratio(a.energy_ratio)) } td { (ratio(a.edp_ratio)) }
                } }
            } }
            div.scroll { table.words {
                tr { th { "write model" } th { "step" } th { "cell" } th { "source" } }
                @for m in &report.write_models { tr {
                    td { (m.name) }
                    td { @match m.unit_ns { Some([two, four]) => { (time(two)) @if four != two { " (4-bit " (time(four)) ")" } }, None => "pulses" }
                        " a " @match m.by { crate::WriteBy::Row => "row", crate::WriteBy::Cell => "cell" } }
                    td { @match m.cell_pj { Some([pj, _]) => (energy(pj)), None => "pulses" } } td { (m.source) " [" (m.confidence) "]" }
                } }
            } }
        }
    }
}

fn concessions(report: &Report) -> [(&'static str, bool); 5] {
    let c = report.concessions;
    [
        ("copies of a layer in idle crossbars", c.replicate),
        ("writing overlaps with computing", c.overlap),
        ("cells that stay the same are not written", c.skip_unchanged),
        ("layers share crossbars column by column", c.pack_columns),
        ("tiles may stay for good", c.keep_tiles),
    ]
}

pub(super) fn break_even(report: &Report, point: &Point) -> Markup {
    let line = |name: &str, colour, of: fn(&crate::study::CurvePoint) -> f64| Line {
        name: name.into(),
        colour,
        points: report.curve.iter().map(|p| (p.row_ns, of(p))).collect(),
        marks_only: false,
    };
    let lines = [line("time", Some(0), |p| p.time_ratio), line("energy-delay product", Some(2), |p| p.edp_ratio)];
    let drawn = chart(&Chart {
        x_label: "time to write a row",
        y_label: "BasisN / reprogramming",
        x_ticks: None,
        x_text: time,
        y_scale: Scale::Log(ratio_tick),
        levels: &[(1.0, "equal"), (0.01, "1%")],
        lines: &lines,
    });
    html! {
        h2 { "How fast may writing be?" }
        div.pair {
            div {
                p {
                    @match point.break_even_row_ns {
                        Some(row) => { "Both are equally fast when a row is written in " b { (time(row)) } ". Slower writing, and BasisN wins." }
                        None => { @if point.compute_only.time_ratio < 1.0 { "BasisN is faster even if writing takes no time." } @else { "Reprogramming is faster whatever writing takes: all or nearly all weights fit the crossbars." } }
                    }
                }
                p { @match point.one_percent_row_ns {
                    Some(row) => { "BasisN takes less than 1% of the time from " b { (time(row)) } " a row on." }
                    None => "No row-write time up to 10 ms makes it less than 1% of the time.",
                } }
                p.dim { "Rows in parallel across all columns, energy of a cell as in " (REFERENCE_MODEL) ", everything else as above." }
                p.key { span { i.k0 {} "time" } span { i.k2 {} "energy-delay product" } }
            }
            (PreEscaped(drawn))
        }
    }
}
