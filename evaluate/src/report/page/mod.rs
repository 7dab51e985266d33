//! The HTML page: the answer first, then what it hangs on; formula and constants on demand. Nothing from elsewhere.
//!
//! | file | what |
//! |---|---|
//! | `answer` | ratios under every write model; how fast writing may be |
//! | `costs` | time and energy by component, layers |
//! | `scaling` | against crossbars, batch, bits of a conversion; lifetime |
//! | `pushed` | variants, with accuracy |
//! | `hardware` | area and what BasisN adds; sensitivity; assumptions |

mod answer;
mod costs;
mod hardware;
mod pushed;
mod scaling;

use maud::{DOCTYPE, html};

use super::head;
use crate::study::{Against, Point, REFERENCE_MODEL, Report};

const STYLE: &str = include_str!("../style.css");

/// The page of a report.
pub fn page(report: &Report) -> String {
    let Some(point) = report.points.first() else { return String::new() };
    html! {
        (DOCTYPE)
        html lang="en" {
            (head(&format!("BasisN evaluation: {}", report.network), STYLE))
            body {
                (answer::answer(report, point))
                (answer::ratios(report, point))
                (answer::break_even(report, point))
                (costs::energy_section(point))
                (costs::time_section(point))
                (costs::layers(report))
                (scaling::scaling(report, point))
                (pushed::pushed(report, point))
                (scaling::lifetime(point))
                (hardware::hardware(report, point))
                (hardware::sensitivity(report))
                (hardware::background(report))
            }
        }
    }
    .into_string()
}

fn reference(point: &Point) -> &Against {
    point.against.iter().find(|a| a.write_model == REFERENCE_MODEL).unwrap_or(&point.compute_only)
}
