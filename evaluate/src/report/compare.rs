//! Two reports side by side: two chips, two programs, two sets of constants.

use maud::{DOCTYPE, html};
use serde::Serialize;

use super::head;
use super::number::{area, energy, ratio, time};
use crate::study::Report;

/// One figure of two reports.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Row {
    /// What it is.
    pub what: String,
    /// Unit of the values: ns, pJ, um^2, or none for ratios.
    pub unit: &'static str,
    /// The first report's.
    pub a: f64,
    /// The second report's.
    pub b: f64,
}

/// Two reports side by side, where they have the same number of crossbars and batch, or else at their first points.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Comparison {
    /// Names.
    pub names: [String; 2],
    /// Figures.
    pub rows: Vec<Row>,
    /// Keys of the chips' configurations and constants that differ: key, first, second.
    pub differences: Vec<[String; 3]>,
}

/// Compares two reports.
pub fn compare(a: &Report, b: &Report) -> Comparison {
    let mut rows = Vec::new();
    for (i, p) in a.points.iter().enumerate() {
        let same = b.points.iter().find(|q| (q.crossbars, q.batch) == (p.crossbars, p.batch));
        let Some(q) = same.or(b.points.first().filter(|_| i == 0)) else { continue };
        let place = if same.is_some() {
            format!("{} crossbars, batch {}", p.crossbars, p.batch)
        } else {
            format!("{} and {} crossbars, batch {} and {}", p.crossbars, q.crossbars, p.batch, q.batch)
        };
        let mut row = |what: &str, unit, a, b| rows.push(Row { what: format!("{place}: {what}"), unit, a, b });
        row("time", "ns", p.time_ns, q.time_ns);
        row("energy", "pJ", p.energy.total(), q.energy.total());
        row("area", "um^2", p.area_um2, q.area_um2);
        for x in &p.against {
            if let Some(y) = q.against.iter().find(|y| y.write_model == x.write_model) {
                row(&format!("time ratio, {}", x.write_model), "", x.time_ratio, y.time_ratio);
                row(&format!("EDP ratio, {}", x.write_model), "", x.edp_ratio, y.edp_ratio);
            }
        }
    }
    let name = |r: &Report| format!("{} on {}", r.network, r.chip);
    Comparison { names: [name(a), name(b)], rows, differences: differences(a, b) }
}

fn differences(a: &Report, b: &Report) -> Vec<[String; 3]> {
    let mut found = Vec::new();
    for (x, y) in a.config.lines().zip(b.config.lines()).filter(|(x, y)| x != y) {
        let value = |line: &str| line.split_once(" = ").map_or(String::new(), |(_, v)| v.to_string());
        found.push([x.split(" = ").next().unwrap_or(x).to_string(), value(x), value(y)]);
    }
    for (x, y) in a.constants.iter().zip(&b.constants).filter(|(x, y)| x.typical != y.typical) {
        found.push([x.key.clone(), x.typical.to_string(), y.typical.to_string()]);
    }
    found
}

fn value(row: &Row, value: f64) -> String {
    match row.unit {
        "ns" => time(value),
        "pJ" => energy(value),
        "um^2" => area(value),
        _ => ratio(value),
    }
}

/// As text.
pub fn text(comparison: &Comparison) -> String {
    let mut text = format!("A: {}\nB: {}\n", comparison.names[0], comparison.names[1]);
    for [key, a, b] in &comparison.differences {
        text.push_str(&format!("{key}: {a} -> {b}\n"));
    }
    text.push_str(&format!("{:52} {:>10} {:>10} {:>8}\n", "", "A", "B", "B / A"));
    for row in &comparison.rows {
        let (a, b) = (value(row, row.a), value(row, row.b));
        text.push_str(&format!("{:52} {a:>10} {b:>10} {:>8.3}\n", row.what, row.b / row.a));
    }
    text
}

/// As one HTML page.
pub fn page(comparison: &Comparison) -> String {
    let [a, b] = &comparison.names;
    let largest = |row: &Row| (row.b / row.a).ln().abs();
    let scale = comparison.rows.iter().map(largest).fold(0.1, f64::max);
    html! {
        (DOCTYPE)
        html lang="en" {
            (head(&format!("BasisN: {a}, {b}"), include_str!("style.css")))
            body {
                p.dim { "BasisN, two evaluations" }
                h1 { "A: " (a) br; "B: " (b) }
                @if !comparison.differences.is_empty() {
                    h2 { "What differs" }
                    div.scroll { table { tr { th { "key" } th { "A" } th { "B" } }
                        @for d in &comparison.differences { tr { @for cell in d { td { (cell) } } } } } }
                }
                h2 { "What comes of it" }
                p.dim { "Bars to the left: B is smaller." }
                div.scroll { table { tr { th { "figure" } th { "A" } th { "B" } th { "B / A" } th {} }
                    @for row in &comparison.rows {
                        @let swing = (row.b / row.a).ln() / scale;
                        tr {
                            td { (row.what) } td { (value(row, row.a)) } td { (value(row, row.b)) } td { (format!("{:.3}", row.b / row.a)) }
                            td { div.swing { i class=(if swing < 0.0 { "c4" } else { "c7" })
                                style=(format!("left:{:.1}%;width:{:.1}%", 50.0 + 50.0 * swing.min(0.0), 50.0 * swing.abs())) {} } }
                        }
                    }
                } }
            }
        }
    }
    .into_string()
}
