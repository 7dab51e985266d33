//! Compares what RTL gave with the golden reference.

use basisn_arch::{Program, StepOp};
use basisn_models::{Mismatch, NetRun, golden};
use basisn_testbench::LayerRun;

use crate::Error;
use crate::engine::SingleRun;

/// A comparison of RTL with the golden reference.
#[derive(Debug, Default)]
pub struct Comparison {
    /// Compared values.
    pub values: usize,
    /// What differs, with its image and the cycle of the result.
    pub mismatches: Vec<String>,
}

impl Comparison {
    /// The error that a command ends with if something differs.
    ///
    /// # Errors
    /// A value differs.
    pub fn done(&self, command: &str) -> Result<(), Error> {
        match self.mismatches.first() {
            None => Ok(()),
            Some(first) => Err(Error::Mismatch {
                at: command.into(),
                count: self.mismatches.len(),
                values: self.values,
                first: first.clone(),
            }),
        }
    }
}

/// Compares every step of every image that RTL ran.
pub fn compare(program: &Program, golden: &[NetRun<golden::LayerRun>], rtl: &[NetRun<LayerRun>]) -> Comparison {
    let mut comparison = Comparison::default();
    for (image, (expected, got)) in golden.iter().zip(rtl).enumerate() {
        let (compared, mismatches) = basisn_models::compare(program, &expected.values, &got.values);
        comparison.values += compared;
        comparison.mismatches.extend(mismatches.iter().map(|m| describe(program, image, m, &got.layers)));
    }
    comparison
}

fn describe(program: &Program, image: usize, mismatch: &Mismatch, runs: &[LayerRun]) -> String {
    let step = program.steps.iter().find(|step| step.name == mismatch.step);
    let cycle = step.and_then(|step| match step.op {
        StepOp::Matrix { first, .. } => {
            let shape = program.layers[first].shape;
            let (group, kernel) = (mismatch.channel / shape.kernels, mismatch.channel % shape.kernels);
            runs.get(first + group)?.at_cycle.get(kernel * shape.positions() + mismatch.position)
        }
        _ => None,
    });
    format!("image {image}, {mismatch}, cycle {}", cycle.map_or("unknown".into(), u64::to_string))
}

/// Compares single layers.
pub fn compare_layers(program: &Program, golden: &[NetRun<golden::LayerRun>], rtl: &[SingleRun]) -> Comparison {
    let mut comparison = Comparison::default();
    for SingleRun { image, layer, run } in rtl {
        let expected = golden[*image].of_layer(program, *layer);
        let positions = program.layers[*layer].shape.positions();
        for i in 0..expected.len().max(run.values.len()) {
            comparison.values += 1;
            let (expected, got) = (expected.get(i).copied(), run.values.get(i).copied());
            if expected != got {
                let (channel, position) = (i / positions, i % positions);
                let step = program.layers[*layer].name.clone();
                let mismatch = Mismatch { step, position, channel, expected, got };
                let cycle = run.at_cycle.get(i).map_or("unknown".into(), u64::to_string);
                comparison.mismatches.push(format!("image {image}, {mismatch}, cycle {cycle}"));
            }
        }
    }
    comparison
}
