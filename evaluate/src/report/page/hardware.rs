//! What BasisN adds to a chip, and what the answer hangs on.

use maud::{Markup, html};

use super::super::bars::{Dots, decades, dots};
use super::super::number::{area, digits, ratio, ratio_tick};
use super::reference;
use crate::area::overhead;
use crate::study::{Point, REFERENCE_MODEL, Report};

pub(super) fn hardware(report: &Report, point: &Point) -> Markup {
    let total: f64 = report.area.iter().map(|p| p.um2).sum();
    let overhead = overhead(&report.area, &point.energy);
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
                td { (area(p.um2)) } td { (format!("{:.1}%", 100.0 * p.um2 / total)) } td { (p.source) }
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

pub(super) fn sensitivity(report: &Report) -> Markup {
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

pub(super) fn background(report: &Report) -> Markup {
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
            " G multiply-accumulates. Models, not measurements, but for the cycles of BasisN, which equal those of the RTL. The accuracy of this network is not measured." }
    }
}
