//! A line plot as SVG: mean with its spread, and the worst.

use std::fmt::Write;

use super::Statistics;

const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 300.0;
const LEFT: f64 = 60.0;
const BOTTOM: f64 = 45.0;
const MARGIN: f64 = 15.0;

/// Statistics of a share (0..1) against a number, in percent.
pub fn svg(x_label: &str, y_label: &str, points: &[(f64, Statistics)]) -> String {
    let xs: Vec<f64> = points.iter().map(|p| p.0).collect();
    let (low, high) = bounds(&xs);
    // Times and the like span decades.
    let log = low > 0.0 && high / low >= 50.0;
    let place = |x: f64| if log { (x / low).ln() / (high / low).ln() } else { (x - low) / (high - low).max(1e-300) };
    let x = |v: f64| LEFT + place(v) * (WIDTH - LEFT - MARGIN);
    let least = points.iter().map(|(_, s)| s.worst.min(s.mean - s.std)).fold(1.0, f64::min);
    let y_low = (least * 20.0).floor().max(0.0) / 20.0;
    let y =
        |v: f64| HEIGHT - BOTTOM - (v.clamp(y_low, 1.0) - y_low) / (1.0 - y_low).max(0.05) * (HEIGHT - BOTTOM - MARGIN);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" font-family=\"sans-serif\" font-size=\"12\">\n"
    );
    for i in 0..=4 {
        let v = y_low + (1.0 - y_low).max(0.05) * f64::from(i) / 4.0;
        let at = y(v);
        let _ = writeln!(svg, "<path d=\"M{LEFT} {at:.1}H{:.1}\" stroke=\"#ddd\"/>", WIDTH - MARGIN);
        let _ = writeln!(
            svg,
            "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{:.1}</text>",
            LEFT - 6.0,
            at + 4.0,
            100.0 * v
        );
    }
    let axis = HEIGHT - BOTTOM;
    for value in &xs {
        let at = x(*value);
        let _ = writeln!(
            svg,
            "<text x=\"{at:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>",
            axis + 16.0,
            number(*value)
        );
    }
    let line = |of: &dyn Fn(&Statistics) -> f64| {
        points.iter().map(|(v, s)| format!("{:.1},{:.1}", x(*v), y(of(s)))).collect::<Vec<_>>()
    };
    let mut band = line(&|s| s.mean + s.std);
    band.extend(line(&|s| s.mean - s.std).into_iter().rev());
    let _ = writeln!(svg, "<polygon points=\"{}\" fill=\"#1f77b4\" opacity=\"0.2\"/>", band.join(" "));
    for (of, colour) in [(line(&|s| s.mean), "#1f77b4"), (line(&|s| s.worst), "#d62728")] {
        let _ = writeln!(
            svg,
            "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"/>",
            of.join(" ")
        );
        for point in &of {
            if let Some((px, py)) = point.split_once(',') {
                let _ = writeln!(svg, "<circle cx=\"{px}\" cy=\"{py}\" r=\"3\" fill=\"{colour}\"/>");
            }
        }
    }
    let middle = (LEFT + WIDTH - MARGIN) / 2.0;
    let _ = writeln!(
        svg,
        "<text x=\"{middle}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>",
        HEIGHT - 8.0,
        escape(x_label)
    );
    let _ = writeln!(
        svg,
        "<text transform=\"translate(14 {:.1}) rotate(-90)\" text-anchor=\"middle\">{}</text>\n</svg>",
        axis / 2.0,
        escape(y_label)
    );
    svg
}

fn bounds(values: &[f64]) -> (f64, f64) {
    values.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), &v| (low.min(v), high.max(v)))
}

fn number(value: f64) -> String {
    if value != 0.0 && !(1e-3..1e5).contains(&value.abs()) { format!("{value:e}") } else { format!("{value}") }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_where_the_axes_say() {
        let s = |mean, worst| Statistics { mean, std: 0.0, worst };
        let linear = svg("sigma", "accuracy (%)", &[(0.0, s(1.0, 1.0)), (0.1, s(0.9, 0.8))]);
        assert!(
            linear.contains("<polyline points=\"60.0,15.0 625.0,135.0\" fill=\"none\" stroke=\"#1f77b4\""),
            "{linear}"
        );
        assert!(
            linear.contains("<polyline points=\"60.0,15.0 625.0,255.0\" fill=\"none\" stroke=\"#d62728\""),
            "{linear}"
        );
        let decades = svg("time", "a<b", &[(1.0, s(1.0, 1.0)), (100.0, s(1.0, 1.0)), (1e4, s(0.5, 0.5))]);
        assert!(decades.contains("cx=\"342.5\"") && decades.contains("a&lt;b"), "{decades}");
        // One point is no line, and still a plot.
        assert!(!svg("x", "y", &[(3.0, s(1.0, 1.0))]).contains("NaN"));
    }
}
