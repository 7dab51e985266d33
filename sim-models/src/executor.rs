//! Whatever can run a program, and the comparison of what it gives with the reference.

use basisn_arch::{ChipConfig, Program};

use crate::golden;

/// What an executor reports when it cannot run a program.
pub type ExecutorError = Box<dyn std::error::Error + Send + Sync>;

/// A form of the chip that runs programs: golden reference, simulated RTL, ...
pub trait Executor {
    /// Name for reports.
    fn name(&self) -> &str;

    /// Runs a program; gives the results of every step, each in channel, row, column order.
    ///
    /// # Errors
    /// The program or the input is refused, or the executor itself fails.
    fn run(&mut self, config: &ChipConfig, program: &Program, input: &[i32]) -> Result<Vec<Vec<i64>>, ExecutorError>;
}

/// The golden reference as an executor.
#[derive(Clone, Copy, Debug, Default)]
pub struct Golden;

impl Executor for Golden {
    fn name(&self) -> &str {
        "golden reference"
    }

    fn run(&mut self, config: &ChipConfig, program: &Program, input: &[i32]) -> Result<Vec<Vec<i64>>, ExecutorError> {
        Ok(golden::run(config, program, input)?)
    }
}

/// A result that is not what the reference gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mismatch {
    /// Name of the step.
    pub step: String,
    /// Position, row-major in the step's output.
    pub position: usize,
    /// Channel; the kernel, for a matrix layer.
    pub channel: usize,
    /// The reference; `None` where there should be no result.
    pub expected: Option<i64>,
    /// What came; `None` where nothing came.
    pub got: Option<i64>,
}

impl std::fmt::Display for Mismatch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let value = |v: Option<i64>| v.map_or("nothing".to_string(), |v| v.to_string());
        write!(
            f,
            "layer {}, position {}, kernel {}: expected {}, got {}",
            self.step,
            self.position,
            self.channel,
            value(self.expected),
            value(self.got)
        )
    }
}

/// Compares results of every step with the reference; gives the number of values compared and all that differ.
/// Values that are missing or too many differ.
pub fn compare(program: &Program, expected: &[Vec<i64>], got: &[Vec<i64>]) -> (usize, Vec<Mismatch>) {
    let mut compared = 0;
    let mut mismatches = Vec::new();
    let values = program.values().unwrap_or_default();
    for (index, step) in program.steps.iter().enumerate() {
        let of_step = |of: &[Vec<i64>]| of.get(index).cloned().unwrap_or_default();
        let (expected, got) = (of_step(expected), of_step(got));
        let positions = values.get(index + 1).map_or(1, |v| v.shape.height * v.shape.width);
        for i in 0..expected.len().max(got.len()) {
            compared += 1;
            let (expected, got) = (expected.get(i).copied(), got.get(i).copied());
            if expected != got {
                let (channel, position) = (i / positions, i % positions);
                mismatches.push(Mismatch { step: step.name.clone(), position, channel, expected, got });
            }
        }
    }
    (compared, mismatches)
}
