//! From float scales to the integers of the requantize step: `(psum * m_k + b_k) >> shift`.
//!
//! A psum counts `2^gain * kernel scale * input scale`; an output integer counts the output scale, or 1 where the result is raw.

use basisn_arch::Requantize;

use crate::Error;
use crate::fitted::FittedLayer;

const SHIFT: std::ops::RangeInclusive<u32> = 1..=46;
const OFFSET_MAX: f64 = (1u64 << 47) as f64 - 1.0;

/// Multipliers, offsets and shift of a layer.
///
/// # Errors
/// The scales differ so much that no shift fits multipliers into 16 bits and offsets into 48.
pub fn requantize(layer: &FittedLayer) -> Result<Requantize, Error> {
    let output_scale = layer.output.map_or(1.0, |code| code.scale);
    let step = f64::from(1u32 << layer.gain) * layer.input.scale / output_scale;
    let factor: Vec<f64> = layer.scale.iter().map(|s| s * step).collect();
    let offset: Vec<f64> = layer.bias.iter().map(|b| b / output_scale).collect();
    let range = layer.output.map(|code| layer.range.unwrap_or_else(|| code.range()));
    affine(&factor, &offset, range).map_err(|cause| {
        let fix = "calibrate on images whose activations are as large as the layer's weights and biases, or train again with weight decay";
        Error::chip(format!("layer {}", layer.name), cause, fix)
    })
}

/// The integers of `clamp(x * factor + offset)`, one for each channel; without a range the result is raw.
/// The error says why no shift fits.
pub(crate) fn affine(factor: &[f64], offset: &[f64], range: Option<(i32, i32)>) -> Result<Requantize, String> {
    let fits = |shift: u32| {
        let unit = (1u64 << shift) as f64;
        let multiplier = factor.iter().all(|f| (f * unit).round().abs() <= f64::from(i16::MAX));
        multiplier && offset.iter().all(|b| (b * unit).round().abs() <= OFFSET_MAX)
    };
    let Some(shift) = SHIFT.rev().find(|s| fits(*s)) else {
        let largest = |values: &[f64]| values.iter().fold(0.0f64, |m, v| m.max(v.abs()));
        return Err(format!(
            "an input integer counts up to {:.3e} and the offsets up to {:.3e} output steps: too much for 16-bit multipliers and 48-bit offsets",
            largest(factor),
            largest(offset)
        ));
    };
    let unit = (1u64 << shift) as f64;
    let (low, high) = range.unwrap_or((i32::MIN, i32::MAX));
    Ok(Requantize {
        multiplier: factor.iter().map(|f| (f * unit).round() as i16).collect(),
        offset: offset.iter().map(|b| (b * unit).round() as i64).collect(),
        shift,
        low,
        high,
        raw: range.is_none(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fitted::Code;

    fn layer(scale: Vec<f64>, bias: Vec<f64>, output: Option<Code>) -> FittedLayer {
        let mut layer = crate::map::tests::layer(scale.len(), 1, None);
        layer.coefficients = vec![0; scale.len() * 8];
        (layer.input.scale, layer.gain) = (0.5, 1);
        (layer.scale, layer.bias, layer.output) = (scale, bias, output);
        layer
    }

    #[test]
    fn gain_and_scales_are_folded_into_the_multiplier() {
        let output = Some(Code { scale: 0.25, bits: 8, signed: false });
        // Factors 2 * 0.5 * scale / 0.25 = 1 and -3; 3 * 2^13 is the largest that fits 16 bits.
        let r = requantize(&layer(vec![0.25, -0.75], vec![1.0, -0.5], output)).unwrap();
        assert_eq!((r.shift, &r.multiplier[..], &r.offset[..]), (13, &[8192, -24576][..], &[32768, -16384][..]));
        assert_eq!((r.low, r.high, r.raw), (0, 255, false));
        let raw = requantize(&layer(vec![0.25], vec![1.0], None)).unwrap();
        assert_eq!((raw.shift, raw.multiplier[0], raw.offset[0], raw.raw), (16, 16384, 65536, true));
    }

    #[test]
    fn offsets_limit_the_shift_and_dead_layers_pass() {
        let large = requantize(&layer(vec![1e-9], vec![1e9], None)).unwrap();
        assert_eq!((large.shift, large.multiplier[0]), (17, 0));
        let dead = requantize(&layer(vec![0.0], vec![0.0], None)).unwrap();
        assert_eq!((dead.shift, dead.multiplier[0], dead.offset[0]), (46, 0, 0));
    }

    #[test]
    fn impossible_scales_are_refused() {
        let error = requantize(&layer(vec![1e6], vec![0.0], None)).unwrap_err().to_string();
        assert!(error.contains("at:    layer a") && error.contains("up to 1.000e6"), "{error}");
        assert!(requantize(&layer(vec![0.0], vec![1e14], None)).is_err());
    }
}
