//! How far the integers of every step are from the float network's numbers.

use basisn_arch::Program;
use rayon::prelude::*;
use serde::Serialize;

use crate::fit::snr_db;
use crate::fitted::Code;
use crate::fuse::fuse;
use crate::{Error, Model, float};

/// A program beside the float network that it came from.
#[derive(Clone, Debug, PartialEq)]
pub struct Fidelity {
    /// The program's steps that the float network has too, in order: all but parts of a layer that was split.
    pub steps: Vec<StepFidelity>,
    /// Scores that the float network gives each image.
    pub outputs: Vec<Vec<f32>>,
}

/// One step, over all images.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct StepFidelity {
    /// Name of the step.
    pub name: String,
    /// Values compared.
    pub values: u64,
    /// Mean square of the float values over that of the difference, in dB. What one integer stands for is the number that makes
    /// it largest: a program does not say, and a factor common to all values of a step changes nothing.
    pub snr_db: f64,
}

/// Sums over the values of a step: of float times float, float times integer, integer times integer.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Sums {
    values: u64,
    float: f64,
    both: f64,
    integer: f64,
}

impl Sums {
    fn of(float: &[f32], integer: &[i64]) -> Self {
        let mut sums = Sums { values: float.len() as u64, ..Sums::default() };
        for (x, y) in float.iter().zip(integer) {
            let (x, y) = (f64::from(*x), *y as f64);
            sums.float += x * x;
            sums.both += x * y;
            sums.integer += y * y;
        }
        sums
    }

    fn add(&mut self, other: &Sums) {
        self.values += other.values;
        self.float += other.float;
        self.both += other.both;
        self.integer += other.integer;
    }

    /// With the step of the integers that leaves the smallest error, `both / integer`.
    fn snr_db(&self) -> f64 {
        let explained = if self.integer > 0.0 { self.both * self.both / self.integer } else { 0.0 };
        snr_db(self.float, (self.float - explained).max(0.0))
    }
}

/// Runs the float network on images of integers and compares. `results` are those of every step of the program, for every image.
///
/// # Errors
/// The program came from another network, or an image does not fit.
pub fn fidelity(
    model: &Model,
    program: &Program,
    images: &[Vec<i32>],
    results: &[&[Vec<i64>]],
) -> Result<Fidelity, Error> {
    let mut model = model.clone().folded();
    let input = program.input;
    model.graph.input = Some(Code { scale: input.scale, bits: input.bits, signed: input.signed });
    // Which step a node's result is, if it is one.
    let mut step_of = vec![None; model.graph.nodes.len()];
    for fused in fuse(&model.graph) {
        let name = &model.graph.nodes[fused.node].name;
        let step = program.steps.iter().position(|step| step.name == *name);
        let size = |step: usize| results.iter().all(|r| r[step].len() == model.graph.nodes[fused.result].shape.size());
        if step.is_none_or(|step| !size(step)) {
            let at = format!("network {}, node {name}", model.graph.name);
            let program = &program.name;
            let cause =
                format!("the program {program} has no step of this name and size: it came from another network");
            return Err(Error::Network { at, cause });
        }
        step_of[fused.result] = step;
    }
    let runs: Vec<(Vec<Sums>, Vec<f32>)> = images
        .par_iter()
        .zip(results)
        .map(|(image, results)| {
            let mut sums = vec![Sums::default(); program.steps.len()];
            let outputs = float::run(&model, &float::dequantize(&model.graph, image)?, &mut |node, values| {
                if let Some(step) = step_of[node] {
                    sums[step] = Sums::of(values, &results[step]);
                }
            });
            Ok((sums, outputs))
        })
        .collect::<Result<_, Error>>()?;
    let mut steps = Vec::new();
    for (index, step) in program.steps.iter().enumerate().filter(|(i, _)| step_of.contains(&Some(*i))) {
        let mut all = Sums::default();
        runs.iter().for_each(|(sums, _)| all.add(&sums[index]));
        steps.push(StepFidelity { name: step.name.clone(), values: all.values, snr_db: all.snr_db() });
    }
    Ok(Fidelity { steps, outputs: runs.into_iter().map(|(_, outputs)| outputs).collect() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_step_of_the_integers_does_not_count() {
        let float = [1.0, -2.0, 3.0, 0.0];
        for factor in [1, 10, -7] {
            let integer = [factor, -2 * factor, 3 * factor, 0];
            assert!(Sums::of(&float, &integer).snr_db() > 140.0);
        }
        // 100 times the signal that the orthogonal error has.
        let mut sums = Sums::of(&[10.0, 0.0], &[10, 1]);
        assert!((sums.snr_db() - 10.0 * 101f64.log10()).abs() < 1e-9, "{}", sums.snr_db());
        sums.add(&Sums::of(&[0.0], &[0]));
        assert_eq!(sums.values, 3);
        assert_eq!(Sums::of(&[1.0], &[0]).snr_db(), 0.0);
    }
}
