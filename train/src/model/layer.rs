//! One matrix layer: with float weights, or with coefficients of the basis as the chip computes it.
//!
//! Between layers with coefficients the activations are integers, so that a convolution gives the partial sums of the chip times
//! scales: what training believes is what the golden reference computes.

use basisn_arch::{ConvShape, Subvectors, Window};
use basisn_compiler::fitted::{Code, FittedLayer};
use basisn_compiler::requantize::requantize;
use burn::tensor::module::conv2d;
use burn::tensor::ops::ConvOptions;
use burn::tensor::{Tensor, TensorData};

use super::Surroundings;
use super::between::straight_through;
use crate::Error;
use crate::adc::{Adc, LayerSums, Levels};
use crate::coefficients::{Coefficients, Rule};
use crate::parameter::read;

/// Bits of an ADC that clips nothing that 32-bit floats hold exactly.
const ADC_WITHOUT_LIMITS: usize = 24;
/// Gains that the ADC has.
const GAINS: u32 = 8;

/// One layer with weights. Parameters are named by their place in a list.
#[derive(Clone, Debug)]
pub struct Layer {
    /// Name.
    pub name: String,
    /// Shape.
    pub shape: ConvShape,
    /// Multiplies its whole input at once: no window slides.
    pub linear: bool,
    /// Weights `[kernel][depth]`, or latents `[kernel][subvector][column]`.
    pub weight: usize,
    /// Bias of every kernel, if there is one; always with coefficients.
    pub bias: Option<usize>,
    /// How the latents become weights, if they are latents.
    pub basis: Option<BasisLayer>,
}

/// A layer whose weights are coefficients of a basis.
#[derive(Clone, Debug)]
pub struct BasisLayer {
    /// Logarithm of the scale of every kernel.
    pub log_scale: usize,
    /// How latents become coefficients.
    pub rule: Rule,
    /// Kernels that compete for columns: the groups, or without groups all with the same home.
    pub compete: Vec<Vec<usize>>,
    /// How kernels are cut.
    pub cut: Subvectors,
    /// What an input integer means.
    pub input: Code,
    /// What an output integer means; none where the result is a score.
    pub output: Option<Code>,
    /// Smallest and largest output integer; none where the result is a score.
    pub range: Option<(i32, i32)>,
    /// Gain g of the ADC.
    pub gain: u32,
    /// The tile that every kernel is on; all zero as long as all crossbars are the same.
    pub tiles: Vec<usize>,
}

impl BasisLayer {
    /// What the requantize step makes of partial sums `[image][kernel][position]`: integers, or scores.
    fn results(
        &self,
        (name, shape): (&str, &ConvShape),
        psums: &[f32],
        log_scale: &[f32],
        bias: &[f32],
    ) -> Result<Vec<f32>, Error> {
        // Only scales and codes matter here.
        let step = requantize(&FittedLayer {
            name: name.into(),
            shape: *shape,
            code: self.rule.code,
            coefficients: Vec::new(),
            scale: log_scale.iter().map(|&log| f64::from(log).exp()).collect(),
            bias: bias.iter().map(|&bias| f64::from(bias)).collect(),
            groups: None,
            input: self.input,
            output: self.output,
            range: self.range,
            gain: self.gain,
            clipped_share: 0.0,
            weight_signal: 0.0,
            weight_error: 0.0,
        })?;
        let unit = (1u64 << step.shift) as f64;
        let result = |(i, &psum): (usize, &f32)| {
            let kernel = i / shape.positions() % log_scale.len();
            // Lane sums of a gain g count 2^g; exact, as all these integers fit into 53 bits.
            let codes = f64::from(psum) / f64::from(1u32 << self.gain);
            let value = (codes * f64::from(step.multiplier[kernel]) + step.offset[kernel] as f64) / unit;
            match self.range {
                None => value as f32,
                Some((low, high)) => (value + 0.5).floor().clamp(low.into(), high.into()) as f32,
            }
        };
        Ok(psums.iter().enumerate().map(result).collect())
    }

    /// The first rows of the crossbar of every kernel, transposed: `[kernel][column][row]`, or `[column][row]` if there is one for all.
    fn transposed(&self, levels: &[Levels]) -> Vec<f32> {
        match levels {
            [one] => one.transposed(self.cut.length),
            _ => self.tiles.iter().flat_map(|&tile| levels[tile].transposed(self.cut.length)).collect(),
        }
    }
}

impl Layer {
    /// The result for `x`, and the coefficients that it was computed with.
    pub(super) fn forward(
        &self,
        leaves: &[Tensor<1>],
        x: Tensor<4>,
        around: Surroundings,
    ) -> Result<(Tensor<4>, Option<Coefficients>), Error> {
        let (kernels, depth) = (self.shape.kernels, self.shape.depth());
        let (Some(basis), Some(first)) = (&self.basis, around.levels.first()) else {
            let weight = leaves[self.weight].clone().reshape([kernels, depth]);
            return Ok((self.product(x, weight, self.bias.map(|bias| leaves[bias].clone())), None));
        };
        let latents = leaves[self.weight].clone();
        let found = basis.rule.apply(&read(latents.clone().detach(), "reading latents")?);
        let output_scale = basis.output.map_or(1.0, |code| code.scale);
        let factor = leaves[basis.log_scale].clone().exp().mul_scalar(basis.input.scale / output_scale);
        let bias = &leaves[self.bias.unwrap_or(basis.log_scale)];
        let offset = bias.clone().div_scalar(output_scale);

        let integers =
            Tensor::<1>::from_data(TensorData::new(found.values.clone(), [found.values.len()]), around.device);
        // The gradient of a coefficient goes to its latent, and to the latents of those that lost the column.
        let coefficients = integers + (latents.clone() - latents.detach());
        let subvectors = basis.cut.count;
        let (columns, length) = (first.columns, basis.cut.length);
        let crossbars = if around.levels.len() == 1 { 1 } else { kernels };
        let transposed = TensorData::new(basis.transposed(around.levels), [crossbars, columns, length]);
        let mut transposed = Tensor::<3>::from_data(transposed, around.device);
        if let Some(cells) = around.cells {
            // The gradient of a level goes to what it is rounded from.
            let cells = leaves[cells].clone().reshape([first.rows, columns]).slice([0..length, 0..columns]).transpose();
            transposed = transposed + (cells.clone() - cells.detach()).unsqueeze::<3>();
        }
        let weight = coefficients.reshape([crossbars, kernels * subvectors / crossbars, columns]).matmul(transposed);
        let weight = weight.reshape([kernels, subvectors * length]).slice([0..kernels, 0..depth]);
        let weight = weight * factor.clone().reshape([kernels, 1]);
        let mut y = self.product(x.clone(), weight, Some(offset));
        if let Some(bits) = around.adc_bits {
            let sums = LayerSums::new(self.shape, &found.values, basis.rule.code.planes, around.levels, &basis.tiles);
            let sums = match around.reading {
                Some(reading) => sums.noisy(&found.values, reading),
                None => sums,
            };
            let inputs = read(x.detach(), "reading activations")?;
            let psums = sums.psums(&inputs, &basis.input, Adc { bits, gain: basis.gain }, around.reading);
            let scale = read(leaves[basis.log_scale].clone().detach(), "reading scales")?;
            let bias = read(bias.clone().detach(), "reading biases")?;
            let results = basis.results((&self.name, &self.shape), &psums, &scale, &bias)?;
            y = straight_through(y, results, around.device);
        }
        Ok((basis.range.map_or(y.clone(), |range| round(y, range)), Some(found)))
    }

    /// Gives the ADC the gain whose partial sums are nearest to those of an ADC without limits; the smallest of equals.
    pub(super) fn choose_gain(
        &mut self,
        leaves: &[Tensor<1>],
        x: &Tensor<4>,
        levels: &[Levels],
        bits: usize,
    ) -> Result<(), Error> {
        let Some(basis) = &mut self.basis else { return Ok(()) };
        let coefficients = basis.rule.apply(&read(leaves[self.weight].clone(), "reading latents")?);
        let sums = LayerSums::new(self.shape, &coefficients.values, basis.rule.code.planes, levels, &basis.tiles);
        let inputs = read(x.clone(), "reading activations")?;
        let log_scale = read(leaves[basis.log_scale].clone(), "reading scales")?;
        let exact = sums.psums(&inputs, &basis.input, Adc { bits: ADC_WITHOUT_LIMITS, gain: 0 }, None);
        let error = |gain| {
            let found = sums.psums(&inputs, &basis.input, Adc { bits, gain }, None);
            let of_kernel = |(kernel, (found, exact)): (usize, (&[f32], &[f32]))| {
                let squares = found.iter().zip(exact).map(|(f, e)| f64::from(f - e).powi(2)).sum::<f64>();
                squares * f64::from(2.0 * log_scale[kernel % log_scale.len()]).exp()
            };
            let positions = self.shape.positions();
            found.chunks(positions).zip(exact.chunks(positions)).enumerate().map(of_kernel).sum::<f64>()
        };
        let errors: Vec<f64> = (0..GAINS).map(error).collect();
        basis.gain = (0..GAINS).min_by(|&a, &b| errors[a as usize].total_cmp(&errors[b as usize])).unwrap_or(0);
        Ok(())
    }

    fn product(&self, x: Tensor<4>, weight: Tensor<2>, bias: Option<Tensor<1>>) -> Tensor<4> {
        let shape = &self.shape;
        if self.linear {
            let [images, ..] = x.dims();
            let mut y = x.reshape([images, shape.depth()]).matmul(weight.transpose());
            if let Some(bias) = bias {
                y = y + bias.unsqueeze::<2>();
            }
            return y.reshape([images, shape.kernels, 1, 1]);
        }
        let Window { kernel: [height, width], stride, padding: [top, left, bottom, right], dilation } = shape.window;
        let weight = weight.reshape([shape.kernels, shape.in_channels, height, width]);
        let options = ConvOptions::new_with_padding(stride, [(top, bottom), (left, right)], dilation, 1);
        conv2d(x, weight, bias, options)
    }
}

/// The nearest integer within a range, half up, as the requantize step rounds; inside of the range the gradient passes.
fn round(y: Tensor<4>, (low, high): (i32, i32)) -> Tensor<4> {
    let clamped = y.clamp(low, high);
    let integers = clamped.clone().detach().add_scalar(0.5).floor();
    integers + (clamped.clone() - clamped.detach())
}
