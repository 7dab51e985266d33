//! Line charts on logarithmic or linear axes, as inline SVG.

use std::fmt::Write as _;

use super::bars::{decades, ticks};

/// One line.
pub struct Line {
    /// Name, for the key and on demand.
    pub name: String,
    /// Class of its colour, 0..7; `None`: the text colour.
    pub colour: Option<usize>,
    /// Points.
    pub points: Vec<(f64, f64)>,
    /// Only the points, each with the name beside it.
    pub marks_only: bool,
}

/// A chart.
pub struct Chart<'a> {
    /// What is below the axis.
    pub x_label: &'a str,
    /// What is above the axis.
    pub y_label: &'a str,
    /// Positions that are written below; `None`: powers of ten.
    pub x_ticks: Option<Vec<f64>>,
    /// Numbers at the axes.
    pub x_text: fn(f64) -> String,
    /// Numbers at the axes.
    pub y_text: fn(f64) -> String,
    /// Horizontal lines, with their names.
    pub levels: &'a [(f64, &'static str)],
    /// The lines.
    pub lines: &'a [Line],
}

const WIDTH: f64 = 480.0;
const HEIGHT: f64 = 290.0;
const LEFT: f64 = 58.0;
const RIGHT: f64 = 456.0;
const TOP: f64 = 26.0;
const BOTTOM: f64 = 246.0;

/// Draws a chart with logarithmic axes.
pub fn chart(chart: &Chart) -> String {
    let all = || chart.lines.iter().flat_map(|l| l.points.iter().copied());
    let levels = chart.levels.iter().map(|l| l.0);
    let (y_low, y_high) = decades(all().map(|p| p.1).chain(levels));
    let fold = |f: fn(f64, f64) -> f64, start| all().map(|p| p.0).fold(start, f);
    let (x_low, x_high) = match &chart.x_ticks {
        Some(_) => (fold(f64::min, f64::INFINITY), fold(f64::max, 0.0)),
        None => decades(all().map(|p| p.0)),
    };
    let x = |v: f64| LEFT + (RIGHT - LEFT) * share(v, x_low, x_high);
    let y = |v: f64| BOTTOM - (BOTTOM - TOP) * share(v, y_low, y_high);
    let mut svg =
        format!("<svg viewBox='0 0 {WIDTH} {HEIGHT}' class='lines' role='img' aria-label='{}'>", chart.y_label);
    // Writing to a String cannot fail.
    for t in ticks(y_low, y_high) {
        let _ = write!(svg, "<path class='grid' d='M{LEFT} {0:.1}H{RIGHT}'/>", y(t));
        let _ =
            write!(svg, "<text x='{:.1}' y='{:.1}' class='end'>{}</text>", LEFT - 6.0, y(t) + 4.0, (chart.y_text)(t));
    }
    for t in chart.x_ticks.clone().unwrap_or_else(|| ticks(x_low, x_high)) {
        let _ = write!(svg, "<path class='grid' d='M{0:.1} {TOP}V{BOTTOM}'/>", x(t));
        let _ =
            write!(svg, "<text x='{:.1}' y='{:.1}' class='middle'>{}</text>", x(t), BOTTOM + 17.0, (chart.x_text)(t));
    }
    for (level, name) in chart.levels {
        let _ = write!(svg, "<path class='level' d='M{LEFT} {0:.1}H{RIGHT}'/>", y(*level));
        let _ = write!(svg, "<text x='{:.1}' y='{:.1}' class='end soft'>{name}</text>", RIGHT - 4.0, y(*level) - 5.0);
    }
    for line in chart.lines {
        draw(&mut svg, line, &x, &y);
    }
    let _ = write!(svg, "<text x='{LEFT}' y='14'>{}</text>", chart.y_label);
    let _ = write!(svg, "<text x='{RIGHT}' y='{:.1}' class='end'>{}</text>", BOTTOM + 37.0, chart.x_label);
    svg + "</svg>"
}

fn draw(svg: &mut String, line: &Line, x: &impl Fn(f64) -> f64, y: &impl Fn(f64) -> f64) {
    let class = line.colour.map_or("own".to_string(), |c| format!("l{c}"));
    let mut path = String::new();
    for (i, p) in line.points.iter().enumerate() {
        let _ = write!(path, "{}{:.1} {:.1}", if i == 0 { "M" } else { "L" }, x(p.0), y(p.1));
    }
    if !line.marks_only {
        let _ = write!(svg, "<path class='line {class}' d='{path}'><title>{}</title></path>", line.name);
    }
    if line.marks_only || line.points.len() < 12 {
        for p in &line.points {
            let _ = write!(
                svg,
                "<circle class='spot {class}' cx='{:.1}' cy='{:.1}' r='4'><title>{}</title></circle>",
                x(p.0),
                y(p.1),
                line.name
            );
        }
    }
    if let (true, Some(p)) = (line.marks_only, line.points.first()) {
        let (side, shift) = if x(p.0) > 0.7 * RIGHT { ("end", -8.0) } else { ("", 8.0) };
        let _ =
            write!(svg, "<text class='{side}' x='{:.1}' y='{:.1}'>{}</text>", x(p.0) + shift, y(p.1) + 4.0, line.name);
    }
}

fn share(value: f64, low: f64, high: f64) -> f64 {
    let span = (high / low).ln();
    if span > 0.0 { ((value.max(f64::MIN_POSITIVE) / low).ln() / span).clamp(0.0, 1.0) } else { 0.5 }
}

/// Columns, one for each of many, of which a part is set apart. It fills its box.
pub fn columns(values: &[(String, f64, f64)]) -> String {
    let largest = values.iter().map(|v| v.1).fold(f64::MIN_POSITIVE, f64::max);
    let count = values.len().max(1);
    let mut svg = format!(
        "<svg viewBox='0 0 {} 100' preserveAspectRatio='none' class='columns' role='img' aria-label='layers'>",
        10 * count
    );
    for (i, (name, whole, part)) in values.iter().enumerate() {
        let (h, p) = (100.0 * whole / largest, 100.0 * part / largest);
        let _ = write!(
            svg,
            "<g><title>{name}</title><rect class='rest' x='{0}' y='{1:.2}' width='8' height='{2:.2}'/>\
             <rect class='part' x='{0}' y='{3:.2}' width='8' height='{4:.2}'/></g>",
            10 * i + 1,
            100.0 - h,
            h - p.min(h),
            100.0 - p.min(h),
            p.min(h)
        );
    }
    svg + "</svg>"
}
