//! What a training gives: float weights, or a fitted network that the compiler lowers.

use basisn_compiler::basis::Basis;
use basisn_compiler::network::LayerKind;
use basisn_compiler::{Fitted, Model};

use crate::Error;
use crate::coefficients::Limit;
use crate::files::NamedTensor;
use crate::train::Training;

/// The weights of a float training, `<layer>.weight` and `<layer>.bias`, in order of the layers.
/// Convolutions are `[out, in, kernel, kernel]`, linear layers `[out, in]`.
///
/// # Errors
/// The framework cannot read a parameter back.
pub fn weights(training: &Training) -> Result<Vec<NamedTensor>, Error> {
    let mut tensors = Vec::with_capacity(training.parameters.len());
    for layer in &training.model.layers {
        let (s, weight, bias) = (&layer.shape, &training.parameters[layer.weight], &training.parameters[layer.bias]);
        let shape = match layer.kind {
            LayerKind::Conv => {
                let [height, width] = s.window.kernel;
                vec![s.kernels, s.in_channels, height, width]
            }
            LayerKind::Linear => vec![s.kernels, s.depth()],
        };
        tensors.push(NamedTensor { name: weight.name.clone(), shape, values: weight.values()? });
        tensors.push(NamedTensor { name: bias.name.clone(), shape: vec![s.kernels], values: bias.values()? });
    }
    Ok(tensors)
}

/// The coefficients of a training as a fitted network. Its signal to noise ratios are relative to the weights of `float`.
///
/// # Errors
/// The training has no coefficients, or the framework cannot read a parameter back.
pub fn fitted(training: &Training, float: &Model) -> Result<Fitted, Error> {
    let cause = || Error::Options { at: "--from", cause: "a float training has no coefficients".into() };
    let mut fitted = training.template.clone().ok_or_else(cause)?;
    let Some(basis) = fitted.bases.first().cloned() else { return Ok(fitted) };
    for (layer, result) in training.model.layers.iter().zip(&mut fitted.layers) {
        let Some(own) = &layer.basis else { continue };
        let coefficients = own.rule.apply(&training.parameters[layer.weight].values()?).values;
        let logs = training.parameters[own.log_scale].values()?;
        let weight = float.parameters.values(&layer.name, "weight");
        result.code = own.rule.code;
        result.coefficients = coefficients.into_iter().map(|c| c as i8).collect();
        result.scale = logs.iter().map(|&log| f64::from(log).exp()).collect();
        result.bias = training.parameters[layer.bias].values()?.into_iter().map(f64::from).collect();
        result.groups = match &own.rule.limit {
            Limit::Groups(groups) => Some(groups.clone()),
            _ => None,
        };
        (result.input, result.output, result.range) = (own.input, own.output, own.range);
        (result.gain, result.clipped_share) = (own.gain, 0.0);
        result.weight_error = weight_error(&result.coefficients, &result.scale, weight, layer.shape.depth(), &basis);
    }
    Ok(fitted)
}

/// Sum of squares of what coefficients and scales leave of the weights `[kernel][depth]`.
fn weight_error(coefficients: &[i8], scale: &[f64], weight: &[f32], depth: usize, basis: &Basis) -> f64 {
    let cut = basisn_arch::Subvectors::new(depth, basis.rows);
    let mut error = 0.0;
    for (kernel, weights) in weight.chunks(depth).enumerate() {
        for (place, &weight) in weights.iter().enumerate() {
            let (subvector, row) = (place / cut.length, place % cut.length);
            let own = &coefficients[(kernel * cut.count + subvector) * basis.columns..][..basis.columns];
            let sum: i32 = own.iter().zip(basis.row(row)).map(|(&c, &v)| i32::from(c) * i32::from(v)).sum();
            error += (f64::from(weight) - scale[kernel] * f64::from(sum)).powi(2);
        }
    }
    error
}
