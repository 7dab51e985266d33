//! Named models of writing cells: how long a row or a cell takes, and the energy of a cell.

use serde::{Deserialize, Serialize};

use super::Values;

/// What is written in one step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WriteBy {
    /// All cells of a row at the same time.
    Row,
    /// One cell after the other.
    Cell,
}

/// A model of writing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WriteModel {
    /// Name.
    #[serde(default)]
    pub name: String,
    /// What is written in one step.
    pub by: WriteBy,
    /// Time of a step for 2-bit and for 4-bit cells; `None`: from the pulses of [`Values`].
    #[serde(default)]
    pub unit_ns: Option<[f64; 2]>,
    /// Energy of a cell that is written, for 2-bit and for 4-bit cells; `None`: from the pulses of [`Values`].
    #[serde(default)]
    pub cell_pj: Option<[f64; 2]>,
    /// Where it comes from.
    pub source: String,
    /// As of a constant.
    pub confidence: String,
}

impl WriteModel {
    /// Time of a step in ns: a row, or a cell.
    pub fn step_ns(&self, values: &Values, cell_bits: usize) -> f64 {
        let pulses = values.pulses * (values.pulse_ns + values.verify_ns);
        self.unit_ns.map_or(pulses, |of| of[usize::from(cell_bits > 2)])
    }

    /// Energy of a written cell in pJ.
    pub fn cell_pj(&self, values: &Values, cell_bits: usize) -> f64 {
        self.cell_pj.map_or(values.pulses * values.pulse_pj, |of| of[usize::from(cell_bits > 2)])
    }

    /// A row-parallel model of a given time a row, otherwise like this one.
    pub fn with_row_ns(&self, row_ns: f64) -> Self {
        WriteModel { by: WriteBy::Row, unit_ns: Some([row_ns; 2]), ..self.clone() }
    }
}
