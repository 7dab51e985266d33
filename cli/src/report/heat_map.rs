//! Use of the columns as a picture: a row for every layer, a square for every column.

use std::fmt::Write as _;

/// Side of a square, height of a row, and room for the names, in pixels.
const SIDE: usize = 6;
const ROW: usize = 14;
const NAMES: usize = 260;

/// The share of slots in which each layer (name, shares 0..1) connects each column: white is never, black always. A self-contained SVG.
pub fn heat_map(layers: &[(&str, &[f64])]) -> String {
    let columns = layers.iter().map(|(_, shares)| shares.len()).max().unwrap_or(0);
    let (width, height) = (NAMES + columns * SIDE + 10, layers.len() * ROW + 30);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" \
         role=\"img\" aria-label=\"use of the columns\" font-family=\"sans-serif\" font-size=\"11\">\n\
         <rect width=\"{width}\" height=\"{height}\" fill=\"white\"/>\n\
         <text x=\"{NAMES}\" y=\"14\">columns 0 to {}: share of slots in which they are connected, white 0 %, black 100 %</text>\n",
        columns.saturating_sub(1)
    );
    for (row, (name, shares)) in layers.iter().enumerate() {
        let y = 20 + row * ROW;
        // Names have letters, digits, `_`, `-` and `.` only: nothing to escape.
        let _ = writeln!(svg, "<text x=\"{}\" y=\"{}\" text-anchor=\"end\">{name}</text>", NAMES - 6, y + ROW - 3);
        for (column, share) in shares.iter().enumerate() {
            let grey = (255.0 * (1.0 - share.clamp(0.0, 1.0))).round();
            let _ = write!(
                svg,
                "<rect x=\"{}\" y=\"{y}\" width=\"{SIDE}\" height=\"{}\" fill=\"rgb({grey},{grey},{grey})\"/>",
                NAMES + column * SIDE,
                ROW - 2
            );
        }
        svg.push('\n');
    }
    svg + "</svg>\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_dark_as_they_are_used() {
        let svg = heat_map(&[("conv1", &[0.0, 0.5, 1.0]), ("fc", &[0.2, 0.2, 0.2])]);
        assert_eq!(svg.matches("<rect").count(), 1 + 6);
        for part in [">conv1<", "rgb(255,255,255)", "rgb(128,128,128)", "rgb(0,0,0)", "columns 0 to 2"] {
            assert!(svg.contains(part), "{part} in {svg}");
        }
    }
}
