//! Where time and energy go, and the layers.

use maud::{Markup, PreEscaped, html};

use super::super::bars::{Stack, key, stacks};
use super::super::lines::columns;
use super::super::number::{digits, energy, time};
use crate::study::{Against, Point, Report};
use crate::{Component, Energy};

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

fn energy_parts(of: &Energy) -> Vec<(usize, &'static str, f64)> {
    PARTS.iter().map(|(c, name, parts)| (*c, *name, parts.iter().map(|p| of[*p]).sum())).collect()
}

pub(super) fn energy_section(point: &Point) -> Markup {
    let row = |label: String, of: &Energy| Stack { label, parts: energy_parts(of), total: energy(of.total()) };
    let own = row("BasisN".into(), &point.energy);
    let rows: Vec<_> = [own]
        .into_iter()
        .chain(point.against.iter().map(|a| row(a.write_model.replace('_', " "), &a.cost.energy)))
        .collect();
    html! {
        section {
            h2 { "Where the energy goes" }
            p.dim { "Shares of one inference; the thin line below is the whole, all on one scale." }
            (key(&PARTS.map(|(c, name, _)| (c, name))))
            (stacks(&rows))
        }
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

pub(super) fn time_section(point: &Point) -> Markup {
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
        section {
            h2 { "Where the time goes" }
            (key(&NAMES))
            (stacks(&rows))
        }
        details {
            summary { "Formulas" }
            p { "BasisN: clock cycles of the cycle model, which equals the counters of the RTL, plus three cycles for every register write of a layer; "
                "slots that do not fit a quarter of the buffer stream in from off-chip while the layer runs, and count where they take longer." }
            p { "Reprogramming: a queue of phases; crossbars are written as soon as they are free, a phase computes when its crossbars are written and the phase before is done." }
        }
    }
}

pub(super) fn layers(report: &Report) -> Markup {
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
