//! Cells by pulses as a picture.

use std::fmt::Write as _;

const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 240.0;
const LEFT: f64 = 70.0;
const BOTTOM: f64 = 45.0;
const MARGIN: f64 = 20.0;

/// A bar for every number of pulses up to the largest, as high as it has cells. A self-contained SVG.
pub fn histogram(cells_by_pulses: &[u64]) -> String {
    let from = cells_by_pulses.iter().position(|&cells| cells > 0).unwrap_or(0);
    let bars = &cells_by_pulses[from..];
    let most = bars.iter().copied().max().unwrap_or(0).max(1);
    let (axis, step) = (HEIGHT - BOTTOM, (WIDTH - LEFT - MARGIN) / bars.len().max(1) as f64);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"cells by pulses\" \
         font-family=\"sans-serif\" font-size=\"12\">\n<rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"white\"/>\n"
    );
    for share in [0.0, 0.5, 1.0] {
        let y = axis - share * (axis - MARGIN);
        let cells = (share * most as f64).round();
        let _ = writeln!(svg, "<path d=\"M{LEFT} {y:.1}H{:.1}\" stroke=\"#ddd\"/>", WIDTH - MARGIN);
        let _ = writeln!(svg, "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{cells}</text>", LEFT - 6.0, y + 4.0);
    }
    // As many numbers below the bars as have room.
    let every = (24.0 / step).ceil().max(1.0) as usize;
    for (i, &cells) in bars.iter().enumerate() {
        let (x, height) = (LEFT + i as f64 * step, cells as f64 / most as f64 * (axis - MARGIN));
        let _ = writeln!(
            svg,
            "<rect x=\"{x:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{height:.1}\" fill=\"#1f77b4\"/>",
            axis - height,
            0.9 * step
        );
        if i % every == 0 {
            let middle = x + 0.45 * step;
            let _ = writeln!(
                svg,
                "<text x=\"{middle:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>",
                axis + 16.0,
                from + i
            );
        }
    }
    let _ = writeln!(
        svg,
        "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">pulses of a cell</text>\n</svg>",
        (LEFT + WIDTH - MARGIN) / 2.0,
        HEIGHT - 8.0
    );
    svg
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_are_as_high_as_their_cells() {
        let svg = histogram(&[0, 0, 50, 100, 0, 25]);
        // The background, and 2 to 5 pulses; the largest reaches from 20 to 195.
        assert_eq!(svg.matches("<rect").count(), 1 + 4);
        for part in
            ["height=\"87.5\"", "y=\"20.0\"", "height=\"175.0\"", "height=\"0.0\"", "height=\"43.8\"", ">5<", ">100<"]
        {
            assert!(svg.contains(part), "{part} in {svg}");
        }
        assert!(!histogram(&[]).contains("NaN"));
    }
}
