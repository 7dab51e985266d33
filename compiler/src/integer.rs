//! The steps between the matrix layers as integers: scales become a multiplier of 16 bits and a shift.

use basisn_arch::image::{Add, AvgPool};
use basisn_arch::{Step, StepOp, Window};

use crate::fitted::Code;
use crate::fuse::FusedStep;
use crate::graph::{MatrixLayer, Op, Pool};
use crate::model::batch_norm_affine;
use crate::requantize::affine;
use crate::{Error, Model};

/// Largest multiplier.
const MULTIPLIER_MAX: f64 = i16::MAX as f64;
/// Largest shift of a pooling or a sum.
const SHIFT_MAX: u32 = 30;

/// The integer steps of a folded model. `codes` are those of the values; matrix layers are numbered in order.
///
/// # Errors
/// Scales that differ so much that no multiplier fits.
pub(crate) fn steps(model: &Model, fused: &[FusedStep], codes: &[Code]) -> Result<Vec<Step>, Error> {
    let mut layers = 0;
    let mut steps = Vec::with_capacity(fused.len());
    for (i, step) in fused.iter().enumerate() {
        let name = model.graph.nodes[step.node].name.clone();
        let op = match model.graph.matrix_layer(step.node) {
            Some(MatrixLayer { groups, .. }) => {
                layers += groups;
                StepOp::Matrix { first: layers - groups, groups }
            }
            None => {
                let inputs: Vec<Code> = step.inputs.iter().map(|&v| codes[v]).collect();
                between(model, step, &inputs, &codes[i + 1]).map_err(|cause| {
                    let fix = "calibrate on images whose activations are as large as the network's weights, or train again with weight decay";
                    Error::chip(format!("node {name}"), cause, fix)
                })?
            }
        };
        steps.push(Step { name, inputs: step.inputs.clone(), op });
    }
    Ok(steps)
}

/// Integer range of a result: that of its code, cut to what it is clipped to.
pub(crate) fn range(code: &Code, clip: Option<(f64, f64)>) -> (i32, i32) {
    let (low, high) = code.range();
    match clip {
        None => (low, high),
        Some((from, to)) => {
            let at = |value: f64| (value / code.scale).round().clamp(f64::from(low), f64::from(high)) as i32;
            (at(from), at(to))
        }
    }
}

fn between(model: &Model, step: &FusedStep, inputs: &[Code], output: &Code) -> Result<StepOp, String> {
    let node = &model.graph.nodes[step.node];
    let (low, high) = range(output, step.clip);
    let ratios: Vec<f64> = inputs.iter().map(|code| code.scale / output.scale).collect();
    let pool = |window: Window, count_padding: bool| {
        let (multiplier, shift) = scaled(&ratios, 0)?;
        Ok(StepOp::AvgPool(AvgPool { window, count_padding, multiplier: multiplier[0], shift, low, high }))
    };
    match &node.op {
        Op::MaxPool(window) => Ok(StepOp::MaxPool(*window)),
        Op::AvgPool(Pool { window, count_padding }) => pool(*window, *count_padding),
        Op::GlobalAvgPool => {
            let shape = model.graph.in_shape(step.node);
            pool(Window::covering(shape.height, shape.width), true)
        }
        Op::Concat => Ok(StepOp::Concat),
        Op::Flatten => Ok(StepOp::Flatten),
        Op::Add => {
            let (multiplier, shift) = scaled(&ratios, 1)?;
            Ok(StepOp::Add(Add { multiplier, shift, low, high }))
        }
        Op::BatchNorm { epsilon } => {
            let parts = batch_norm_affine(&model.parameters, &node.name, *epsilon);
            let factor: Vec<f64> = parts.iter().map(|(scale, _)| scale * ratios[0]).collect();
            let offset: Vec<f64> = parts.iter().map(|(_, offset)| offset / output.scale).collect();
            Ok(StepOp::Affine(affine(&factor, &offset, Some((low, high)))?))
        }
        // A clip of its own; the other operations have no integer form of their own.
        _ => {
            let channels = node.shape.channels;
            Ok(StepOp::Affine(affine(&vec![ratios[0]; channels], &vec![0.0; channels], Some((low, high)))?))
        }
    }
}

/// Multipliers and the largest shift, at least `least`, that fit `ratio ~ multiplier / 2^shift`.
fn scaled(ratios: &[f64], least: u32) -> Result<(Vec<i16>, u32), String> {
    let largest = ratios.iter().fold(0.0f64, |m, r| m.max(*r));
    let fits = |shift: &u32| (largest * f64::from(1u32 << shift)).round() <= MULTIPLIER_MAX;
    let shift = (least..=SHIFT_MAX).rev().find(fits);
    let shift = shift.ok_or_else(|| format!("an input counts {largest:.3e} output steps: too many for 16 bits"))?;
    Ok((ratios.iter().map(|r| (r * f64::from(1u32 << shift)).round() as i16).collect(), shift))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ratios_use_all_bits_of_the_multiplier() {
        assert_eq!(scaled(&[1.0, -0.5], 1).unwrap(), (vec![16384, -8192], 14));
        assert_eq!(scaled(&[1e-9], 0).unwrap(), (vec![1], 30));
        assert_eq!(scaled(&[32767.0], 0).unwrap(), (vec![32767], 0));
        assert!(scaled(&[32767.0], 1).unwrap_err().contains("3.277e4"));
    }

    #[test]
    fn clips_cut_the_range_of_a_code() {
        let code = Code { scale: 0.5, bits: 8, signed: true };
        assert_eq!(range(&code, None), (-128, 127));
        assert_eq!(range(&code, Some((0.0, f64::INFINITY))), (0, 127));
        assert_eq!(range(&code, Some((0.0, 6.0))), (0, 12));
    }
}
