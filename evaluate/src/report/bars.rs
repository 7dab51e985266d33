//! Bars and dots in HTML, so that their text keeps its size on any screen.

use maud::{Markup, html};

/// Position on a logarithmic axis, in percent.
pub fn place(value: f64, low: f64, high: f64) -> f64 {
    let share = (value.max(f64::MIN_POSITIVE) / low).ln() / (high / low).ln();
    100.0 * share.clamp(0.0, 1.0)
}

/// Bounds of a logarithmic axis: the powers of ten around all values.
pub fn decades(values: impl IntoIterator<Item = f64>) -> (f64, f64) {
    let (mut low, mut high) = (f64::INFINITY, 0.0f64);
    for value in values.into_iter().filter(|v| *v > 0.0 && v.is_finite()) {
        (low, high) = (low.min(value), high.max(value));
    }
    if low > high {
        return (0.1, 10.0);
    }
    let (low, high) = (10f64.powf(low.log10().floor()), 10f64.powf(high.log10().ceil()));
    (low, if high > low { high } else { 10.0 * low })
}

/// Powers of ten from `low` to `high`.
pub fn ticks(low: f64, high: f64) -> Vec<f64> {
    let (from, to) = (low.log10().round() as i32, high.log10().round() as i32);
    let step = ((to - from) / 6 + 1).max(1) as usize;
    (from..=to).step_by(step).map(|e| 10f64.powi(e)).collect()
}

/// A bar of parts, each with its share, and beneath it a thin one as long as the whole is of the largest.
pub struct Stack {
    /// What it is of.
    pub label: String,
    /// Class of the colour, name and size of each part.
    pub parts: Vec<(usize, &'static str, f64)>,
    /// The whole as text.
    pub total: String,
}

/// Stacked bars; parts below 0.2 % are not drawn.
pub fn stacks(stacks: &[Stack]) -> Markup {
    let sum = |s: &Stack| s.parts.iter().map(|p| p.2).sum::<f64>();
    let largest = stacks.iter().map(sum).fold(f64::MIN_POSITIVE, f64::max);
    html! {
        div.stacks {
            @for s in stacks {
                @let whole = sum(s).max(f64::MIN_POSITIVE);
                div.row {
                span.label { (s.label) }
                div.bar {
                    div.stack { @for (colour, name, part) in &s.parts {
                        @if *part > 0.002 * whole {
                            i class={ "c" (colour) } style={ "width:" (format!("{:.2}", 100.0 * part / whole)) "%" }
                                title={ (name) ": " (format!("{:.1}%", 100.0 * part / whole)) } {}
                        }
                    } }
                    div.whole { i style={ "width:" (format!("{:.3}", 100.0 * whole / largest)) "%" } {} }
                }
                b { (s.total) }
                }
            }
        }
    }
}

/// The colours of parts, explained.
pub fn key(parts: &[(usize, &'static str)]) -> Markup {
    html! { p.key { @for (colour, name) in parts { span { i class={ "c" (colour) } {} (name) } } } }
}

/// One row of dots on a logarithmic axis.
pub struct Dots {
    /// What it is of.
    pub label: String,
    /// Class of the mark, name and value of each.
    pub dots: Vec<(&'static str, String, f64)>,
    /// Values as text.
    pub text: Markup,
}

/// Rows of dots over one axis with vertical lines: position, name, class.
pub fn dots(
    rows: &[Dots],
    low: f64,
    high: f64,
    marks: &[(f64, &'static str, &'static str)],
    tick: fn(f64) -> String,
) -> Markup {
    let at = |value: f64| format!("left:{:.2}%", place(value, low, high));
    html! {
        div.dots {
            div.row.axes { span {} div.axis { @for t in ticks(low, high) { small style=(at(t)) { (tick(t)) } } } span {} }
            @for row in rows {
                div.row {
                    span.label { (row.label) }
                    div.track {
                        @for (value, name, class) in marks { i class={ "mark " (class) } style=(at(*value)) title=(name) {} }
                        @for (class, name, value) in &row.dots { i class={ "dot " (class) } style=(at(*value)) title=(name) {} }
                    }
                    span.text { (row.text) }
                }
            }
        }
    }
}
