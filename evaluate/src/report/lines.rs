//! Line charts on logarithmic or linear axes, as inline SVG.

use std::fmt::Write as _;

use super::axis::Axis;

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

/// How values lie on the vertical axis, and its numbers.
pub enum Scale {
    /// Logarithmic.
    Log(fn(f64) -> String),
    /// Linear.
    Linear(fn(f64) -> String),
}

/// A chart.
pub struct Chart<'a> {
    /// What is below the axis.
    pub x_label: &'a str,
    /// What is above the axis.
    pub y_label: &'a str,
    /// Positions that are written below; `None`: round numbers.
    pub x_ticks: Option<Vec<f64>>,
    /// Numbers at the horizontal axis, which is logarithmic.
    pub x_text: fn(f64) -> String,
    /// The vertical axis.
    pub y_scale: Scale,
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

/// Draws a chart.
pub fn chart(chart: &Chart) -> String {
    let all = || chart.lines.iter().flat_map(|l| l.points.iter().copied());
    let heights = all().map(|p| p.1).chain(chart.levels.iter().map(|l| l.0));
    let (y_axis, y_text) = match chart.y_scale {
        Scale::Log(text) => (Axis::log(heights), text),
        Scale::Linear(text) => (Axis::linear(heights), text),
    };
    let x_axis = match &chart.x_ticks {
        Some(ticks) => Axis::log_at(ticks.clone()),
        None => Axis::log(all().map(|p| p.0)),
    };
    let x = |v: f64| LEFT + (RIGHT - LEFT) * x_axis.place(v);
    let y = |v: f64| BOTTOM - (BOTTOM - TOP) * y_axis.place(v);
    let mut svg =
        format!("<svg viewBox='0 0 {WIDTH} {HEIGHT}' class='lines' role='img' aria-label='{}'>", chart.y_label);
    // Writing to a String cannot fail.
    for &t in &y_axis.ticks {
        let (at, text) = (y(t), y_text(t));
        let _ = write!(svg, "<path class='grid' d='M{LEFT} {at:.1}H{RIGHT}'/>");
        let _ = write!(svg, "<text x='{:.1}' y='{:.1}' class='end'>{text}</text>", LEFT - 6.0, at + 4.0);
    }
    for &t in &x_axis.ticks {
        let (at, text) = (x(t), (chart.x_text)(t));
        let _ = write!(svg, "<path class='grid' d='M{at:.1} {TOP}V{BOTTOM}'/>");
        let _ = write!(svg, "<text x='{at:.1}' y='{:.1}' class='middle'>{text}</text>", BOTTOM + 17.0);
    }
    for (level, _) in chart.levels {
        let _ = write!(svg, "<path class='level' d='M{LEFT} {:.1}H{RIGHT}'/>", y(*level));
    }
    for line in chart.lines.iter().filter(|l| !l.marks_only) {
        draw(&mut svg, line, &x, &y);
    }
    for (level, name) in chart.levels {
        let _ = write!(svg, "<text x='{:.1}' y='{:.1}' class='end soft'>{name}</text>", RIGHT - 4.0, y(*level) - 5.0);
    }
    let marks: Vec<_> = chart.lines.iter().filter(|l| l.marks_only).collect();
    draw_marks(&mut svg, &marks, &x, &y);
    let _ = write!(svg, "<text x='{LEFT}' y='14'>{}</text>", chart.y_label);
    let _ = write!(svg, "<text x='{RIGHT}' y='{:.1}' class='end'>{}</text>", BOTTOM + 37.0, chart.x_label);
    svg + "</svg>"
}

fn class(line: &Line) -> String {
    line.colour.map_or("own".to_string(), |c| format!("l{c}"))
}

fn draw(svg: &mut String, line: &Line, x: &impl Fn(f64) -> f64, y: &impl Fn(f64) -> f64) {
    let mut path = String::new();
    for (i, p) in line.points.iter().enumerate() {
        let _ = write!(path, "{}{:.1} {:.1}", if i == 0 { "M" } else { "L" }, x(p.0), y(p.1));
    }
    let _ = write!(svg, "<path class='line {}' d='{path}'><title>{}</title></path>", class(line), line.name);
    if line.points.len() < 12 {
        for p in &line.points {
            spot(svg, line, x(p.0), y(p.1));
        }
    }
}

fn spot(svg: &mut String, line: &Line, x: f64, y: f64) {
    let (class, name) = (class(line), &line.name);
    let _ = write!(svg, "<circle class='spot {class}' cx='{x:.1}' cy='{y:.1}' r='4'><title>{name}</title></circle>");
}

/// Points with their names, each where it covers no other name or point if there is such a place.
fn draw_marks(svg: &mut String, marks: &[&Line], x: &impl Fn(f64) -> f64, y: &impl Fn(f64) -> f64) {
    let spots: Vec<_> = marks.iter().flat_map(|l| l.points.iter().map(move |p| (*l, x(p.0), y(p.1)))).collect();
    let mut taken: Vec<_> = spots.iter().map(|&(_, x, y)| (x, y)).collect();
    for &(line, x, y) in &spots {
        spot(svg, line, x, y);
    }
    for &(line, x, y) in &spots {
        let width = 7.0 * line.name.len() as f64;
        let places = [
            (10.0, 0.0),
            (-10.0, 0.0),
            (0.0, -13.0),
            (0.0, 13.0),
            (12.0, -11.0),
            (-12.0, 11.0),
            (12.0, 11.0),
            (-12.0, -11.0),
        ];
        let centre =
            |(dx, dy): (f64, f64)| (x + dx + 0.4 * width * f64::from((dx > 0.0) as i8 - (dx < 0.0) as i8), y + dy);
        let free = |&(cx, cy): &(f64, f64)| {
            let inside = (LEFT..RIGHT).contains(&cx) && (TOP..BOTTOM).contains(&cy);
            inside && taken.iter().all(|&(ox, oy)| (ox - cx).abs() > 7.0 + 0.5 * width || (oy - cy).abs() > 11.0)
        };
        let (cx, cy) = places.map(centre).into_iter().find(free).unwrap_or_else(|| centre(places[0]));
        taken.push((cx, cy));
        let _ = write!(svg, "<text class='middle' x='{cx:.1}' y='{:.1}'>{}</text>", cy + 4.0, line.name);
    }
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
