//! What a training gives: float weights, or a fitted network that the compiler lowers.

use basisn_compiler::basis::Basis;
use basisn_compiler::parameters::expected;
use basisn_compiler::{Fitted, Model};

use crate::Error;
use crate::coefficients::Limit;
use crate::files::NamedTensor;
use crate::parameter::Parameter;
use crate::train::Training;

/// The parameters of a float training as a PyTorch state dict has them: `<node>.weight`, `<node>.bias`, of batch norms also
/// `<node>.running_mean` and `<node>.running_var`, in order of the nodes. Convolutions are `[out, in, kernel, kernel]`, linear layers `[out, in]`.
///
/// # Errors
/// The framework cannot read a parameter back.
pub fn weights(training: &Training) -> Result<Vec<NamedTensor>, Error> {
    let shapes = expected(&training.graph).into_iter();
    let tensor = |(parameter, (name, shape)): (&Parameter, (String, Vec<usize>))| {
        Ok(NamedTensor { name, shape, values: parameter.values()? })
    };
    training.parameters.iter().zip(shapes).map(tensor).collect()
}

/// The coefficients of a training as a fitted network. Its signal to noise ratios are relative to the weights of `float`,
/// batch norms folded.
///
/// # Errors
/// The training has no coefficients, or the framework cannot read a parameter back.
pub fn fitted(training: &Training, float: &Model) -> Result<Fitted, Error> {
    let cause = || Error::Options { at: "--from", cause: "a float training has no coefficients".into() };
    let mut fitted = training.template.clone().ok_or_else(cause)?;
    let float = float.clone().folded();
    if let (Some(_), [basis], [levels]) = (training.cells(), fitted.bases.as_mut_slice(), training.levels.as_slice()) {
        basis.levels = levels.values.iter().map(|&level| level as i8).collect();
    }
    let Some(basis) = fitted.bases.first().cloned() else { return Ok(fitted) };
    for (layer, result) in training.model.layers.iter().zip(&mut fitted.layers) {
        let Some(own) = &layer.basis else { continue };
        let coefficients = own.rule.apply(&training.parameters[layer.weight].values()?).values;
        let logs = training.parameters[own.log_scale].values()?;
        let weight = float.parameters.values(&layer.name, "weight");
        result.code = own.rule.code;
        result.coefficients = coefficients.into_iter().map(|c| c as i8).collect();
        result.scale = logs.iter().map(|&log| f64::from(log).exp()).collect();
        if let Some(bias) = layer.bias {
            result.bias = training.parameters[bias].values()?.into_iter().map(f64::from).collect();
        }
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
