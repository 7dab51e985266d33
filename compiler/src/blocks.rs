//! Layers with more kernels than a chip holds at once become blocks of kernels: matrix layers on the same input, and a concatenation.

use std::borrow::Cow;
use std::ops::Range;

use basisn_arch::{ChipConfig, Step, StepOp};

use crate::Error;
use crate::basis::Basis;
use crate::fitted::{Code, Fitted, FittedLayer};
use crate::map::most_positions;

/// Bits of the scores of a last layer in blocks: what steps may read. A last layer of one block gives them unshifted.
const SCORE_BITS: usize = 24;

/// The network with every layer that does not fit the chip's psum memories or requantize parameters in as few blocks as possible,
/// called NAME.block0 and so on; the concatenation has the layer's name.
///
/// # Errors
/// A group of a grouped convolution does not fit: its blocks would be layers with parts of the input channels.
pub(crate) fn split<'a>(fitted: &'a Fitted, config: &ChipConfig) -> Result<Cow<'a, Fitted>, Error> {
    let bases = fitted.bases.len();
    let most = kernels_at_once(config) / bases * bases;
    if fitted.layers.iter().all(|layer| most_positions(layer, config).is_ok()) {
        return Ok(Cow::Borrowed(fitted));
    }
    let mut split = Fitted { steps: Vec::new(), layers: Vec::new(), ..fitted.clone() };
    // Number of every value in the new program.
    let mut number = vec![0];
    for step in &fitted.steps {
        let inputs: Vec<usize> = step.inputs.iter().map(|&value| number[value]).collect();
        let StepOp::Matrix { first, groups } = step.op else {
            split.steps.push(Step { inputs, ..step.clone() });
            number.push(split.steps.len());
            continue;
        };
        let layers = &fitted.layers[first..first + groups];
        let at = split.layers.len();
        let (1, Err(refusal)) = (groups, most_positions(&layers[0], config)) else {
            layers.iter().try_for_each(|layer| most_positions(layer, config).map(drop))?;
            split.layers.extend_from_slice(layers);
            split.steps.push(Step { inputs, op: StepOp::Matrix { first: at, groups }, ..step.clone() });
            number.push(split.steps.len());
            continue;
        };
        if most == 0 {
            return Err(refusal);
        }
        let whole = with_output(&layers[0], &fitted.bases[0], fitted.adc_bits);
        let mut blocks = Vec::new();
        for (i, kernels) in blocks_of(whole.shape.kernels, most, bases).into_iter().enumerate() {
            let block = block(&whole, kernels, format!("{}.block{i}", whole.name));
            let op = StepOp::Matrix { first: split.layers.len(), groups: 1 };
            split.steps.push(Step { name: block.name.clone(), inputs: inputs.clone(), op });
            blocks.push(split.steps.len());
            split.layers.push(block);
        }
        split.steps.push(Step { name: step.name.clone(), inputs: blocks, op: StepOp::Concat });
        number.push(split.steps.len());
    }
    Ok(Cow::Owned(split))
}

/// Kernels whose psums at one position fit the memories, and whose requantize parameters do.
fn kernels_at_once(config: &ChipConfig) -> usize {
    (config.psum_words() / 2 * config.tiles() * config.lanes()).min(config.kernels())
}

/// As few blocks as possible, of nearly one size; every one starts at a kernel of the first basis.
fn blocks_of(kernels: usize, most: usize, bases: usize) -> Vec<Range<usize>> {
    let size = kernels.div_ceil(kernels.div_ceil(most)).next_multiple_of(bases);
    (0..kernels.div_ceil(size)).map(|i| i * size..((i + 1) * size).min(kernels)).collect()
}

fn block(whole: &FittedLayer, kernels: Range<usize>, name: String) -> FittedLayer {
    let width = whole.coefficients.len() / whole.shape.kernels;
    let groups = whole.groups.as_ref().map(|groups| {
        let inside = |group: &Vec<usize>| -> Vec<usize> {
            group.iter().filter(|k| kernels.contains(k)).map(|k| k - kernels.start).collect()
        };
        groups.iter().map(inside).filter(|group| !group.is_empty()).collect()
    });
    let mut block = FittedLayer {
        name,
        coefficients: whole.coefficients[kernels.start * width..kernels.end * width].to_vec(),
        scale: whole.scale[kernels.clone()].to_vec(),
        bias: whole.bias[kernels.clone()].to_vec(),
        groups,
        ..whole.clone()
    };
    block.shape.kernels = kernels.len();
    block
}

/// The layer with shifted results, which a concatenation can read, in place of unshifted ones: the largest possible one, with every
/// ADC code at its most negative, uses all bits.
fn with_output(layer: &FittedLayer, basis: &Basis, adc_bits: usize) -> FittedLayer {
    let mut layer = layer.clone();
    if layer.output.is_none() {
        let item = ((1u64 << layer.input.bits) - 1) as f64 * f64::from(1u32 << (adc_bits - 1));
        let mut psum = vec![0.0; layer.shape.kernels];
        layer.items(basis).iter().flatten().for_each(|i| psum[i.kernel] += item * f64::from(1u32 << i.plane));
        let step = f64::from(1u32 << layer.gain) * layer.input.scale;
        let value = |(psum, (scale, bias)): (&f64, (&f64, &f64))| psum * step * scale.abs() + bias.abs();
        let largest = psum.iter().zip(layer.scale.iter().zip(&layer.bias)).map(value).fold(0.0, f64::max);
        let code = Code { scale: 1.0, bits: SCORE_BITS, signed: true };
        let scale = if largest > 0.0 { largest / f64::from(code.range().1) } else { 1.0 };
        layer.output = Some(Code { scale, ..code });
    }
    layer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_few_and_equal_and_start_at_the_first_basis() {
        assert_eq!(blocks_of(70, 64, 1), [0..35, 35..70]);
        assert_eq!(blocks_of(9, 4, 1), [0..3, 3..6, 6..9]);
        assert_eq!(blocks_of(10, 8, 4), [0..8, 8..10]);
    }

    #[test]
    fn groups_stay_together_inside_a_block() {
        let mut layer = crate::map::tests::layer(4, 1, Some(vec![vec![0, 3], vec![2, 1]]));
        (layer.coefficients, layer.scale) = ((0..8).collect(), vec![1.0, 2.0, 3.0, 4.0]);
        let part = block(&layer, 1..4, "a.block1".into());
        assert_eq!((part.shape.kernels, &part.coefficients[..], part.scale[2]), (3, &[2, 3, 4, 5, 6, 7][..], 4.0));
        assert_eq!(part.groups, Some(vec![vec![2], vec![1, 0]]));
    }
}
