//! Scales of the activations and gain of the ADC, measured on training images.
//!
//! | module | what |
//! |---|---|
//! | here | what the integers between the steps mean |
//! | `patches` | what the matrix layers see |
//! | `moments` | second moments of it, for the fit |
//! | `gain` | the ADC's gain |

mod gain;
mod moments;
mod patches;

use ndarray::Axis;
use rayon::prelude::*;

use crate::fitted::Code;
use crate::fuse::{FusedStep, can_be_negative, classes, keeps_scale};
use crate::{Dataset, Error, Model, float};
pub(crate) use gain::GainProblem;
pub(crate) use moments::moments;
pub(crate) use patches::Patches;

/// Share of the activations that the clipped scale leaves unclipped.
const PERCENTILE: f64 = 0.999;
/// Activations of a step that its scale is chosen on, spread evenly over images and places.
const SAMPLE: usize = 1 << 16;
/// Bits of values that no matrix layer reads: sums and normalizations before the next layer lose nothing.
const WIDE_BITS: usize = 16;
/// Room that wide values have beyond what calibration saw.
const WIDE_HEADROOM: f64 = 2.0;
/// Images of a dataset as the integers that a network takes, in the order of `indices`, each an image of the set.
pub fn pixels(dataset: &Dataset, indices: &[usize]) -> Vec<Vec<i32>> {
    let integers = dataset.integers();
    let image = |&i: &usize| {
        let image = dataset.images.index_axis(Axis(0), i);
        image.indexed_iter().map(|((channel, ..), &byte)| integers[channel][usize::from(byte)]).collect()
    };
    indices.iter().map(image).collect()
}

/// What the integers between the steps of a network mean, and what its matrix layers see.
pub(crate) struct Calibration {
    /// One for every value: the image, then the result of every step.
    pub codes: Vec<Code>,
    /// One for every matrix layer, groups one by one.
    pub patches: Vec<Patches>,
}

/// Runs a folded model on images and chooses what its integers mean.
///
/// The network says what the image's integers mean. The values of a class, see [`classes`], share a scale: if a matrix layer
/// reads one of them, `bits` bits, and the 99.9 percentile of the results, or their maximum if that leaves a smaller squared error,
/// is the largest integer; otherwise 16 bits, and twice the maximum.
///
/// # Errors
/// No images, one of the wrong size or with a pixel out of range, or activations that are not finite.
pub(crate) fn calibrate(
    model: &Model,
    steps: &[FusedStep],
    images: &[Vec<i32>],
    bits: usize,
) -> Result<Calibration, Error> {
    let Some(image_code) = model.graph.input else {
        let fix = "set Graph::input to the code that the images were quantized with";
        return Err(Error::calibration("images", "the network does not say what their integers mean", fix));
    };
    check_images(images, &image_code)?;
    let seen = observe(model, steps, images)?;
    let class = classes(&model.graph, steps);
    let negative = can_be_negative(&model.graph, steps, image_code.signed);
    let mut narrow = vec![false; class.len()];
    for step in steps.iter().filter(|step| model.graph.matrix_layer(step.node).is_some()) {
        narrow[class[step.inputs[0]]] = true;
    }
    let mut codes = vec![image_code; class.len()];
    for first in (1..class.len()).filter(|&i| class[i] == i) {
        let members: Vec<usize> = (first..class.len()).filter(|&i| class[i] == first).collect();
        // What only selects or collects values has nothing of its own to say.
        let producers = || members.iter().filter(|&&i| !keeps_scale(&model.graph.nodes[steps[i - 1].node].op));
        let values: Vec<f64> = producers().flat_map(|&i| &seen[i].sample).map(|&v| f64::from(v)).collect();
        let largest = producers().map(|&i| f64::from(seen[i].largest)).fold(0.0, f64::max);
        let signed = members.iter().any(|&i| negative[i]);
        let found = if narrow[first] { code(&values, largest, bits, signed) } else { wide(largest, signed) };
        members.iter().for_each(|&i| codes[i] = found);
    }
    let patches = patches::patches(model, steps, &codes, images)?;
    Ok(Calibration { codes, patches })
}

/// What calibration saw of a value.
#[derive(Clone, Debug, Default)]
struct Seen {
    largest: f32,
    sample: Vec<f32>,
}

/// Runs all images; gives what was seen of every value.
fn observe(model: &Model, steps: &[FusedStep], images: &[Vec<i32>]) -> Result<Vec<Seen>, Error> {
    let value_at = value_at(model, steps);
    let quota = (SAMPLE / images.len()).max(16);
    let runs: Vec<Vec<Seen>> = images
        .par_iter()
        .enumerate()
        .map(|(number, image)| {
            let mut seen = vec![Seen::default(); steps.len() + 1];
            float::run(model, &float::dequantize(&model.graph, image)?, &mut |node, values| {
                if let Some(value) = value_at[node] {
                    let step = values.len().div_ceil(quota);
                    // Another place in every image; the factor is prime.
                    let start = number * 7919 % step;
                    seen[value].largest = values.iter().fold(0.0f32, |m, v| if v.abs() <= m { m } else { v.abs() });
                    seen[value].sample = values.iter().skip(start).step_by(step).copied().collect();
                }
            });
            Ok(seen)
        })
        .collect::<Result<_, Error>>()?;
    let mut all = vec![Seen::default(); steps.len() + 1];
    for seen in runs {
        for (i, (all, seen)) in all.iter_mut().zip(seen).enumerate() {
            if !seen.largest.is_finite() {
                let node = i.checked_sub(1).map_or(0, |i| steps[i].result);
                return Err(Error::calibration(
                    format!("node {}", model.graph.nodes[node].name),
                    "an activation is not finite",
                    "use weights whose activations stay in range",
                ));
            }
            all.largest = all.largest.max(seen.largest);
            all.sample.extend(seen.sample);
        }
    }
    Ok(all)
}

/// Which value a node's result is, if it is one.
fn value_at(model: &Model, steps: &[FusedStep]) -> Vec<Option<usize>> {
    let mut value_at = vec![None; model.graph.nodes.len()];
    value_at[0] = Some(0);
    for (i, step) in steps.iter().enumerate() {
        value_at[step.result] = Some(i + 1);
    }
    value_at
}

fn wide(largest: f64, signed: bool) -> Code {
    let code = Code { scale: 1.0, bits: WIDE_BITS, signed };
    let scale = if largest > 0.0 { WIDE_HEADROOM * largest / f64::from(code.range().1) } else { 1.0 };
    Code { scale, ..code }
}

fn check_images(images: &[Vec<i32>], code: &Code) -> Result<(), Error> {
    if images.is_empty() {
        return Err(Error::calibration("images", "there are none", "give some of the training images"));
    }
    let (low, high) = code.range();
    for (i, image) in images.iter().enumerate() {
        if let Some(pixel) = image.iter().find(|p| !(low..=high).contains(*p)) {
            return Err(Error::calibration(
                format!("image {i}"),
                format!("pixel {pixel}, and the network's input is {low}..{high}"),
                "correct the images, or the bits of the network's input",
            ));
        }
    }
    Ok(())
}

fn code(values: &[f64], max: f64, bits: usize, signed: bool) -> Code {
    let top = f64::from(Code { scale: 1.0, bits, signed }.range().1.max(1));
    if values.is_empty() {
        return Code { scale: 1.0, bits, signed };
    }
    let index = ((values.len() as f64 * PERCENTILE) as usize).min(values.len() - 1);
    let mut magnitudes: Vec<f64> = values.iter().map(|v| v.abs()).collect();
    let percentile = *magnitudes.select_nth_unstable_by(index, f64::total_cmp).1;
    let error = |scale: f64| {
        let code = Code { scale, bits, signed };
        values.iter().map(|v| f64::from(code.quantize(*v)) * scale - v).map(|e| e * e).sum::<f64>()
    };
    let scale = [percentile, max]
        .into_iter()
        .filter(|v| *v > 0.0)
        .map(|v| v / top)
        .min_by(|a, b| error(*a).total_cmp(&error(*b)))
        .unwrap_or(1.0);
    Code { scale, bits, signed }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outliers_are_clipped_only_if_that_helps() {
        let mut values: Vec<f64> = (0..10_000).map(|i| f64::from(i % 100)).collect();
        assert_eq!(code(&values, 99.0, 8, false), Code { scale: 99.0 / 255.0, bits: 8, signed: false });
        // A single outlier twenty times as large: a coarser step would cost all the others more.
        values[0] = -128.0;
        let clipped = code(&values, 128.0, 4, true);
        assert_eq!(clipped, Code { scale: 99.0 / 7.0, bits: 4, signed: true });
        assert_eq!(code(&[0.0; 10], 0.0, 8, false).scale, 1.0);
    }

    #[test]
    fn bad_images_are_refused() {
        let code = Code { scale: 1.0, bits: 5, signed: false };
        assert!(check_images(&[], &code).unwrap_err().to_string().contains("there are none"));
        let error = check_images(&[vec![0, 31], vec![32]], &code).unwrap_err().to_string();
        assert!(error.contains("at:    image 1") && error.contains("pixel 32") && error.contains("0..31"), "{error}");
    }
}
