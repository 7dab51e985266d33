//! The HTML page: the answer first, then what it hangs on; formula and constants on demand. Nothing from elsewhere.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::bars::{Dots, Stack, decades, dots, key, stacks};
use super::lines::{Chart, Line, chart, columns};
use super::number::{area as area_text, digits, energy, ratio, time};
use crate::study::{Against, Point, REFERENCE_MODEL, Report};
use crate::{Component, Energy, area};

const STYLE: &str = include_str!("style.css");

/// Parts of energy bars: colour, name, components.
const PARTS: [(usize, &str, &[Component]); 8] = [
    (0, "crossbar: cells, wordlines", &[Component::Array, Component::Wordlines]),
    (1, "ADC", &[Component::Adc]),
    (
        4,
        "accumulate, requantize, pool, add",
        &[Component::ShiftAdd, Component::Psums, Component::Requantize, Component::Elementwise],
    ),
    (2, "coefficients, switches", &[Component::Coefficients, Component::Switches]),
    (3, "activations", &[Component::Activations]),
    (5, "off-chip", &[Component::OffChip]),
    (6, "leakage", &[Component::Leakage, Component::MemoryLeakage]),
    (7, "writing cells", &[Component::Writing]),
];

/// The page of a report.
pub fn page(report: &Report) -> String {
    let Some(point) = report.points.first() else { return String::new() };
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { "BasisN evaluation: " (report.network) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                (answer(report, point))
                (ratios(report, point))
                (break_even(report, point))
                (energy_section(point))
                (time_section(point))
                (layers(report))
                (scaling(report, point))
                (pushed(report, point))
                (lifetime(point))
                (hardware(report, point))
                (sensitivity(report))
                (background(report))
            }
        }
    }
    .into_string()
}

fn reference(point: &Point) -> &Against {
    point.against.iter().find(|a| a.write_model == REFERENCE_MODEL).unwrap_or(&point.compute_only)
}

fn answer(report: &Report, point: &Point) -> Markup {
    let typical = reference(point);
    let wins = point.against.iter().filter(|a| a.time_ratio < 1.0).count();
    let edp_wins = point.against.iter().filter(|a| a.edp_ratio < 1.0).count();
    let best = point.against.iter().min_by(|a, b| a.time_ratio.total_cmp(&b.time_ratio));
    let worst = point.against.iter().max_by(|a, b| a.time_ratio.total_cmp(&b.time_ratio));
    let images = if point.batch == 1 { "one image at a time".into() } else { format!("batches of {}", point.batch) };
    html! {
        p.dim { (report.network) " on " (report.chip) ", " (point.crossbars) " crossbars, " (images) }
        h1 { (time(point.time_ns)) " and " (energy(point.energy.total())) " an inference" }
        p.lead {
            "That is " b { (ratio(typical.time_ratio)) } " of the time and " b { (ratio(typical.edp_ratio)) }
            " of the energy-delay product of a chip that rewrites the same crossbars, under the write model "
            i { (typical.write_model) } ". "
            @if let (Some(best), Some(worst)) = (best, worst) {
                "Over all write models the time is " (ratio(best.time_ratio)) " (" (best.write_model) ") to "
                (ratio(worst.time_ratio)) " (" (worst.write_model) "): BasisN is faster under " (wins) " of "
                (point.against.len()) ", and has the lower energy-delay product under " (edp_wins) "."
            }
        }
        div.tiles {
            (tile(&time(point.time_ns), "time of an inference"))
            (tile(&energy(point.energy.total()), "energy of an inference"))
            (tile(&area_text(point.area_um2), "area of the chip"))
            (tile(&point.break_even_row_ns.map_or("none".into(), time), "row-write time at which both are equally fast"))
            (tile(&point.one_percent_row_ns.map_or("none".into(), time), "row-write time from which BasisN takes under 1%"))
            (tile(&typical.lifetime_inferences.map_or("no limit".into(), digits), "inferences until the rewritten cells are worn out; BasisN's are written once"))
        }
    }
}

fn tile(value: &str, what: &str) -> Markup {
    html! { div { b { (value) } span { (what) } } }
}

fn ratios(report: &Report, point: &Point) -> Markup {
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

fn ratio_tick(value: f64) -> String {
    match value {
        v if v >= 10.0 => format!("{v:.0} x"),
        v if v >= 1e-5 => format!("{}%", 100.0 * v).replace("0000000001", ""),
        v => format!("{:.0e}%", 100.0 * v),
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

fn break_even(report: &Report, point: &Point) -> Markup {
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
        y_text: ratio_tick,
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

fn energy_parts(of: &Energy) -> Vec<(usize, &'static str, f64)> {
    PARTS.iter().map(|(c, name, parts)| (*c, *name, parts.iter().map(|p| of[*p]).sum())).collect()
}

fn energy_section(point: &Point) -> Markup {
    let row = |label: String, of: &Energy| Stack { label, parts: energy_parts(of), total: energy(of.total()) };
    let own = row("BasisN".into(), &point.energy);
    let rows: Vec<_> = [own]
        .into_iter()
        .chain(point.against.iter().map(|a| row(a.write_model.replace('_', " "), &a.cost.energy)))
        .collect();
    html! {
        h2 { "Where the energy goes" }
        p.dim { "Shares of one inference; the thin line below is the whole, all on one scale." }
        (key(&PARTS.map(|(c, name, _)| (c, name))))
        (stacks(&rows))
        details {
            summary { "Formulas and figures" }
            div.scroll { table.words {
                tr { th { "component" } th { "BasisN" } @for a in &point.against { th { (a.write_model) } } th { "formula" } }
                @for &c in Component::ALL { tr {
                    td { (c.label()) } td { (energy(point.energy[c])) }
                    @for a in &point.against { td { (energy(a.cost.energy[c])) } }
                    td { (c.formula()) }
                } }
            } }
        }
    }
}

fn time_section(point: &Point) -> Markup {
    let [read, setup, off_chip, elementwise] = point.time_parts_ns;
    let rest = (point.time_ns - read - setup - off_chip - elementwise).max(0.0);
    const NAMES: [(usize, &str); 6] = [
        (0, "reading, computing"),
        (2, "registers of a layer"),
        (5, "waiting for off-chip"),
        (3, "other waiting"),
        (7, "waiting for writes"),
        (4, "pooling, adds"),
    ];
    let part = |i: usize, ns: f64| (NAMES[i].0, NAMES[i].1, ns);
    let own = Stack {
        label: "BasisN".into(),
        parts: vec![part(0, read), part(1, setup), part(2, off_chip), part(3, rest), part(5, elementwise)],
        total: time(point.time_ns),
    };
    let other = |a: &Against| Stack {
        label: a.write_model.replace('_', " "),
        parts: vec![part(0, a.cost.compute_ns), part(4, (a.cost.time_ns - a.cost.compute_ns).max(0.0))],
        total: time(a.cost.time_ns),
    };
    let rows: Vec<_> = [own].into_iter().chain(point.against.iter().map(other)).collect();
    html! {
        h2 { "Where the time goes" }
        (key(&NAMES))
        (stacks(&rows))
        details {
            summary { "Formulas" }
            p { "BasisN: clock cycles of the cycle model, which equals the counters of the RTL, plus three cycles for every register write of a layer; "
                "slots that do not fit a quarter of the buffer stream in from off-chip while the layer runs, and count where they take longer." }
            p { "Reprogramming: a queue of phases; crossbars are written as soon as they are free, a phase computes when its crossbars are written and the phase before is done." }
        }
    }
}

fn layers(report: &Report) -> Markup {
    let bars: Vec<_> = report
        .layers
        .iter()
        .map(|l| {
            (format!("{}: {} cycles, {}", l.name, l.cycles, time(l.time_ns)), l.cycles as f64, l.read_cycles as f64)
        })
        .collect();
    let ends = (report.layers.first(), report.layers.last());
    let most = report.layers.iter().map(|l| l.cycles).max().unwrap_or(0);
    html! {
        h2 { "Layer by layer" }
        p.key { span { i.c0 {} "cycles with a read" } span { i.c3 {} "cycles without" } span { "highest column: " (digits(most as f64)) " cycles" } }
        (PreEscaped(columns(&bars)))
        @if let (Some(first), Some(last)) = ends { div.ends { span { (first.name) } span { (report.layers.len()) " layers" } span { (last.name) } } }
        details {
            summary { "Table" }
            div.scroll { table {
                tr { @for h in ["layer", "kernels", "depth", "positions", "cycles", "reading", "time", "energy", "slots, KiB"] { th { (h) } } }
                @for l in &report.layers { tr {
                    td { (l.name) } td { (l.kernels) } td { (l.depth) } td { (l.positions) } td { (l.cycles) }
                    td { (format!("{:.1}%", 100.0 * l.read_cycles as f64 / l.cycles.max(1) as f64)) } td { (time(l.time_ns)) }
                    td { (energy(l.energy_pj)) } td { (digits(l.slot_bits as f64 / 8192.0)) }
                } }
            } }
        }
    }
}

/// Colours of the write models in line charts.
fn model_key(point: &Point) -> Markup {
    html! { p.key { span { i.kown {} "BasisN" } @for (i, a) in point.against.iter().enumerate() { span { i class={ "k" (i % 8) } {} (a.write_model) } } } }
}

fn scaling(report: &Report, first: &Point) -> Markup {
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
            y_text: time,
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
            y_text: ratio_tick,
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

fn pushed(report: &Report, point: &Point) -> Markup {
    let mark = |(i, v): (usize, &crate::variants::Variant)| Line {
        name: (i + 1).to_string(),
        colour: (!v.best).then_some(6),
        points: vec![(v.time_ns, v.energy_pj)],
        marks_only: true,
    };
    let lines: Vec<_> = report.variants.iter().enumerate().map(mark).collect();
    let drawn = chart(&Chart {
        x_label: "time of an inference",
        y_label: "energy of an inference",
        x_ticks: None,
        x_text: time,
        y_text: energy,
        levels: &[],
        lines: &lines,
    });
    let reference = point.against.iter().position(|a| a.write_model == REFERENCE_MODEL);
    html! {
        h2 { "Pushing it" }
        p.dim { "One change at a time, and all together; 4-bit inputs, skipped planes and faster reads are given to reprogramming, too. "
            "What a change does to accuracy has to be measured for each network." }
        div.picture { (PreEscaped(drawn)) }
        div.scroll { table {
            tr {
                th { "change" } th { "time" } th { "energy" } th { "area" } th { "group" } th { "input bits" }
                @if reference.is_some() { th { "time ratio" } th { "EDP ratio" } }
            }
            @for (i, v) in report.variants.iter().enumerate() { tr {
                td { (i + 1) ". " (v.name) @if v.best { " *" } } td { (time(v.time_ns)) } td { (energy(v.energy_pj)) } td { (area_text(v.area_um2)) }
                td { (v.group) } td { (v.input_bits) }
                @if let Some(r) = reference { td { (ratio(v.time_ratios[r])) } td { (ratio(v.edp_ratios[r])) } }
            } }
        } }
        p.dim { "* nothing else is both faster and needs less energy (dark in the picture). Ratios: " (REFERENCE_MODEL) "." }
    }
}

fn lifetime(point: &Point) -> Markup {
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

fn hardware(report: &Report, point: &Point) -> Markup {
    let total: f64 = report.area.iter().map(|p| p.um2).sum();
    let overhead = area::overhead(&report.area, &point.energy);
    let percent = |share: f64| format!("{:.0}%", 100.0 * share);
    let mut parts: Vec<_> = report.area.iter().collect();
    parts.sort_by(|a, b| b.um2.total_cmp(&a.um2));
    let largest = parts.first().map_or(1.0, |p| p.um2);
    html! {
        h2 { "What BasisN adds to a chip" }
        p { "Switches, their settings and coefficient buffers are " b { (percent(overhead.of_tiles)) } " of the tiles' area; with the psum banks, of which "
            "reprogramming has none here either, " b { (percent(overhead.with_psums_of_tiles)) } ". All of it is " (percent(overhead.of_chip))
            " of the chip, and takes " (percent(overhead.of_energy)) " of the energy, with the leakage of its memories " (percent(overhead.with_leakage_of_energy)) ". "
            "A reprogramming chip as large as this one has " (reference(point).equal_area_crossbars) " crossbars instead of " (point.crossbars) "." }
        p.key { span { i.c2 {} "only BasisN has it" } span { i.c0 {} "both have it" } }
        div.scroll { table {
            tr { th { "part" } th {} th { "area" } th { "share" } th { "from" } }
            @for p in &parts { tr {
                td { (p.name) }
                td { div.swing { i class=(if p.overhead { "c2" } else { "c0" }) style=(format!("width:{:.1}%", 100.0 * p.um2 / largest)) {} } }
                td { (area_text(p.um2)) } td { (format!("{:.1}%", 100.0 * p.um2 / total)) } td { (p.source) }
            } }
        } }
        h2 { "With equal area instead of equal crossbars" }
        div.scroll { table {
            tr { th { "write model" } th { "crossbars" } th { "time ratio" } th { "EDP ratio" } }
            @for a in &point.against { tr {
                td { (a.write_model) } td { (a.equal_area_crossbars) } td { (ratio(a.equal_area_time_ratio)) } td { (ratio(a.equal_area_edp_ratio)) }
            } }
        } }
        details { summary { "Formula" }
            p { "Hard blocks from the constants: cells " code { "2 R C x crossbar.cell_area_f2" } ", " code { "C (4 + 2 L)" } " gates of " code { "switch.area_um2" }
                ", as many converters as give every lane its code in a read, memories " code { "bits x sram.area_um2_per_bit" } "." }
            p { "Logic from our synthesis of the generated Verilog (" code { "scripts/synth" } ", 180 nm): its area in NAND gates, on a straight line through two presets by the size "
                "that each block depends on, times " code { "digital.gate_area_um2" } ". The reprogramming chip has all that both have, and its own converters; write "
                "drivers are not counted on either side." }
        }
    }
}

fn sensitivity(report: &Report) -> Markup {
    let shown: Vec<_> =
        report.sensitivity.iter().filter(|s| (s.edp_ratio[0] / s.edp_ratio[1]).ln().abs() > 0.005).take(20).collect();
    let (low, high) = decades(shown.iter().flat_map(|s| s.edp_ratio));
    let middle = report.points.first().map_or(1.0, |p| reference(p).edp_ratio);
    let row = |s: &&crate::study::Sensitivity| Dots {
        label: s.key.replace('_', " "),
        dots: vec![
            ("low", format!("low: {}", ratio(s.edp_ratio[0])), s.edp_ratio[0]),
            ("high", format!("high: {}", ratio(s.edp_ratio[1])), s.edp_ratio[1]),
        ],
        text: html! { (ratio(s.edp_ratio[0])) " – " (ratio(s.edp_ratio[1])) },
    };
    html! {
        h2 { "What the answer hangs on" }
        p.dim { "EDP ratio under " (REFERENCE_MODEL) " as one constant after the other takes its low and its high value; the line is the ratio with typical ones." }
        p.key { span { i.c1 {} "constant low" } span { i.c0 {} "constant high" } }
        div.tornado { (dots(&shown.iter().map(row).collect::<Vec<_>>(), low, high, &[(middle, "typical", "")], ratio_tick)) }
        details {
            summary { "All constants: time and EDP ratio" }
            div.scroll { table {
                tr { th { "constant" } th { "time, low" } th { "time, high" } th { "EDP, low" } th { "EDP, high" } }
                @for s in &report.sensitivity { tr { td { (s.key) } @for r in s.time_ratio.iter().chain(&s.edp_ratio) { td { (ratio(*r)) } } } }
            } }
        }
    }
}

fn background(report: &Report) -> Markup {
    html! {
        h2 { "Assumptions" }
        details {
            summary { "Constants, with sources" }
            div.scroll { table.words {
                tr { th { "constant" } th { "low" } th { "typical" } th { "high" } th { "unit, source [confidence]" } }
                @for c in &report.constants { tr {
                    td { (c.key) } td { (digits(c.low)) } td { (digits(c.typical)) } td { (digits(c.high)) }
                    td { (c.unit) ". " (c.source) " [" (c.confidence) "]" }
                } }
            } }
            p.dim { "A: read in the source. B: known, not read again. C: derived or uncertain. Replace any of them with --constants my.toml." }
        }
        details {
            summary { "Chip" }
            pre { (report.config) }
            p { "Clock " (digits(report.clock_mhz)) " MHz: crossbar.read_interval_cycles in crossbar.read_cycle_ns." }
        }
        p.dim { (report.network) ": " (digits(report.weights as f64 * 1e-6)) " M weights, " (digits(report.macs as f64 * 1e-9))
            " G multiply-accumulates. Models, not measurements, but for the cycles of BasisN, which equal those of the RTL. Accuracy is not part of this page." }
    }
}
