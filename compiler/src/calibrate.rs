//! Scales of the activations and gain of the ADC, measured on training images.

use basisn_arch::{ConvShape, Subvectors};
use ndarray::Axis;
use rayon::prelude::*;

use crate::basis::Basis;
use crate::fitted::{Code, PlaneItem};
use crate::float::FloatNetwork;
use crate::{Dataset, Error, Network};

/// Share of the activations that the clipped scale leaves unclipped.
const PERCENTILE: f64 = 0.999;
/// Patches that the gain is measured on, spread evenly over images and positions: fewer for large layers.
const GAIN_PATCHES: std::ops::RangeInclusive<usize> = 64..=1024;
/// Column currents to add up for all patches together.
const GAIN_WORK: usize = 1 << 30;
/// Gains that the ADC has: 0..7.
const GAINS: usize = 8;

/// Images of a dataset as integer pixels, in the order of `indices`, each an image of the set.
pub fn pixels(dataset: &Dataset, indices: &[usize]) -> Vec<Vec<i32>> {
    indices.iter().map(|&i| dataset.images.index_axis(Axis(0), i).iter().map(|&p| i32::from(p)).collect()).collect()
}

/// What the integers between layers mean: element l is the input of layer l, the last one the output of the last layer.
///
/// The network description gives the first; the others are scaled so that the 99.9 percentile of the layer's output,
/// or its maximum if that leaves a smaller squared error, is the largest integer of `bits` bits.
///
/// # Errors
/// No images, one of the wrong size or with a pixel out of range, or activations that are not finite.
pub fn codes(network: &Network, float: &FloatNetwork, images: &[Vec<i32>], bits: usize) -> Result<Vec<Code>, Error> {
    let input = &network.input;
    let first = Code { scale: input.scale, bits: input.bits as usize, signed: input.signed };
    check_images(images, &first)?;
    let activations: Vec<Vec<Vec<f64>>> =
        images.par_iter().map(|image| float.activations(image)).collect::<Result<_, _>>()?;
    let mut codes = vec![first];
    for (i, layer) in network.layers.iter().enumerate() {
        let values: Vec<f64> = activations.iter().flat_map(|a| a[i].iter().copied()).collect();
        if values.iter().any(|v| !v.is_finite()) {
            return Err(Error::calibration(
                format!("layer {}", layer.name),
                "an activation is not finite",
                "use weights whose activations stay in range",
            ));
        }
        codes.push(code(&values, bits, !layer.relu));
    }
    Ok(codes)
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

fn code(values: &[f64], bits: usize, signed: bool) -> Code {
    let top = f64::from(Code { scale: 1.0, bits, signed }.range().1.max(1));
    let index = ((values.len() as f64 * PERCENTILE) as usize).min(values.len() - 1);
    let mut magnitudes: Vec<f64> = values.iter().map(|v| v.abs()).collect();
    let percentile = *magnitudes.select_nth_unstable_by(index, f64::total_cmp).1;
    let max = magnitudes.iter().fold(0.0f64, |m, v| m.max(*v));
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

/// The integer inputs of layer `index` for some images: quantized outputs of the float layer before.
///
/// # Errors
/// An image has the wrong size.
pub(crate) fn layer_inputs(
    float: &FloatNetwork,
    images: &[Vec<i32>],
    index: usize,
    code: &Code,
) -> Result<Vec<Vec<i32>>, Error> {
    let Some(before) = index.checked_sub(1) else { return Ok(images.to_vec()) };
    images
        .par_iter()
        .map(|image| {
            let outputs = float.activations(image)?;
            Ok(outputs[before].iter().map(|v| code.quantize(*v)).collect())
        })
        .collect()
}

/// Patches that second moments are measured on, spread evenly over images and positions.
const MOMENT_PATCHES: usize = 4096;
/// Share of the mean moment that is added to every input's own: inputs that calibration never saw still count a little.
const MOMENT_RIDGE: f64 = 1e-3;

/// Second moments `E[x x^T]` of the inputs of every subvector, `[row][row]`.
pub(crate) fn moments(shape: &ConvShape, cut: &Subvectors, inputs: &[Vec<i32>]) -> Vec<Vec<f64>> {
    let positions = shape.positions();
    let total = inputs.len() * positions;
    let count = total.min(MOMENT_PATCHES);
    let patches: Vec<Vec<f64>> = (0..count)
        .into_par_iter()
        .map(|i| {
            let index = (2 * i + 1) * total / (2 * count);
            let mut patch = vec![0; shape.depth()];
            shape.fill_patch(&inputs[index / positions], index % positions, &mut patch);
            patch.resize(cut.count * cut.length, 0);
            patch.into_iter().map(f64::from).collect()
        })
        .collect();
    let length = cut.length;
    (0..cut.count)
        .into_par_iter()
        .map(|s| {
            let mut sums = vec![0.0; length * length];
            for patch in &patches {
                let x = &patch[s * length..(s + 1) * length];
                for (x_row, sums) in x.iter().zip(sums.chunks_exact_mut(length)).filter(|(x, _)| **x != 0.0) {
                    sums.iter_mut().zip(x).for_each(|(sum, x)| *sum += x_row * x);
                }
            }
            let mean = (0..length).map(|i| sums[i * (length + 1)]).sum::<f64>() / length as f64;
            let ridge = if mean > 0.0 { MOMENT_RIDGE * mean } else { 1.0 };
            (0..length).for_each(|i| sums[i * (length + 1)] += ridge);
            sums.iter().map(|sum| sum / count as f64).collect()
        })
        .collect()
}

/// A layer whose gain is to be chosen.
pub(crate) struct GainProblem<'a> {
    pub shape: &'a ConvShape,
    /// Kernel k has basis `k mod bases`.
    pub bases: &'a [Basis],
    pub items: &'a [Vec<PlaneItem>],
    pub scale: &'a [f64],
    pub input: Code,
    pub adc_bits: usize,
}

/// A gain, and what it costs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Gain {
    pub gain: u32,
    pub clipped_share: f64,
}

/// Error of the psums and number of clipped codes, for every gain.
#[derive(Clone, Copy, Default)]
struct Cost {
    error: [f64; GAINS],
    clipped: [u64; GAINS],
    codes: u64,
}

impl GainProblem<'_> {
    /// The gain with the smallest mean squared error of the scaled psums; the smallest of equals.
    pub(crate) fn choose(&self, inputs: &[Vec<i32>]) -> Gain {
        let positions = self.shape.positions();
        let total = inputs.len() * positions;
        let columns: usize = self.items.iter().flatten().map(|item| item.columns.len()).sum();
        let affordable = GAIN_WORK / (columns * self.input.bits).max(1);
        let count = total.min(affordable.clamp(*GAIN_PATCHES.start(), *GAIN_PATCHES.end()));
        let costs: Vec<Cost> = (0..count)
            .into_par_iter()
            .map(|i| {
                let index = (2 * i + 1) * total / (2 * count);
                self.patch_cost(&inputs[index / positions], index % positions)
            })
            .collect();
        let mut sum = Cost::default();
        for cost in &costs {
            (0..GAINS).for_each(|g| {
                sum.error[g] += cost.error[g];
                sum.clipped[g] += cost.clipped[g];
            });
            sum.codes += cost.codes;
        }
        let gain = (0..GAINS).min_by(|a, b| sum.error[*a].total_cmp(&sum.error[*b])).unwrap_or(0);
        Gain { gain: gain as u32, clipped_share: sum.clipped[gain] as f64 / sum.codes.max(1) as f64 }
    }

    fn patch_cost(&self, input: &[i32], position: usize) -> Cost {
        let cut = Subvectors::new(self.shape.depth(), self.bases[0].rows);
        let mut patch = vec![0; self.shape.depth()];
        self.shape.fill_patch(input, position, &mut patch);
        patch.resize(cut.count * cut.length, 0);
        let limit = 1i64 << (self.adc_bits - 1);
        let mut cost = Cost::default();
        let mut errors = vec![[0i64; GAINS]; self.scale.len()];
        let mut sums = vec![vec![0i32; self.bases[0].columns]; self.bases.len()];
        for (x, items) in patch.chunks_exact(cut.length).zip(self.items) {
            for plane in 0..self.input.bits {
                for (sums, basis) in sums.iter_mut().zip(self.bases) {
                    sums.fill(0);
                    for (row, _) in x.iter().enumerate().filter(|(_, x)| *x >> plane & 1 == 1) {
                        sums.iter_mut().zip(basis.row(row)).for_each(|(sum, level)| *sum += i32::from(*level));
                    }
                }
                for item in items {
                    let sums = &sums[item.kernel % self.bases.len()];
                    let z: i64 = item.columns.iter().map(|&(c, n)| i64::from(if n { -sums[c] } else { sums[c] })).sum();
                    for (g, error) in errors[item.kernel].iter_mut().enumerate() {
                        let rounded = (z + ((1 << g) >> 1)) >> g;
                        let code = rounded.clamp(-limit, limit - 1);
                        cost.clipped[g] += u64::from(code != rounded);
                        let weight = if self.input.signed && plane + 1 == self.input.bits { -1i64 } else { 1 };
                        *error += (weight * ((code << g) - z)) << (plane + item.plane);
                    }
                    cost.codes += 1;
                }
            }
        }
        for (errors, scale) in errors.iter().zip(self.scale) {
            for (sum, error) in cost.error.iter_mut().zip(errors) {
                let error = *error as f64 * scale;
                *sum += error * error;
            }
        }
        cost
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use basisn_arch::ChipConfig;
    use basisn_models::random::mvm_shape;

    #[test]
    fn moments_are_those_of_the_patches() {
        // Four positions of 3 inputs in two subvectors of 2; the last place of the second one is never used.
        let shape = mvm_shape(3, 4, 1);
        let input: Vec<i32> = vec![1, 2, 3, 4, 0, 0, 0, 0, 5, 5, 5, 5];
        let cut = Subvectors::new(3, 2);
        let found = moments(&shape, &cut, &[input]);
        let first = [7.5 + 0.00375, 0.0, 0.0, 0.00375];
        let second = [25.0 + 0.0125, 0.0, 0.0, 0.0125];
        for (found, wanted) in found.iter().zip([first, second]) {
            assert!(found.iter().zip(wanted).all(|(f, w)| (f - w).abs() < 1e-9), "{found:?}");
        }
        assert_eq!(moments(&shape, &cut, &[vec![0; 12]])[0], [0.25, 0.0, 0.0, 0.25]);
    }

    #[test]
    fn outliers_are_clipped_only_if_that_helps() {
        let mut values: Vec<f64> = (0..10_000).map(|i| f64::from(i % 100)).collect();
        assert_eq!(code(&values, 8, false), Code { scale: 99.0 / 255.0, bits: 8, signed: false });
        // A single outlier twenty times as large: a coarser step would cost all the others more.
        values[0] = -128.0;
        let clipped = code(&values, 4, true);
        assert_eq!(clipped, Code { scale: 99.0 / 7.0, bits: 4, signed: true });
        assert_eq!(code(&[0.0; 10], 8, false).scale, 1.0);
    }

    fn gain(adc_bits: usize, columns: usize) -> Gain {
        let chip = ChipConfig::load("tiny").unwrap();
        let mut basis = Basis::hadamard(&chip);
        basis.levels.fill(1);
        let shape = mvm_shape(16, 1, 1);
        let columns = (0..columns).map(|c| (c, false)).collect();
        let items = [vec![PlaneItem { kernel: 0, plane: 0, columns }]];
        let input = Code { scale: 1.0, bits: 8, signed: false };
        GainProblem { shape: &shape, bases: &[basis], items: &items, scale: &[0.5], input, adc_bits }
            .choose(&[vec![255; 16], vec![254; 16]])
    }

    #[test]
    fn the_gain_is_the_smallest_that_does_not_clip() {
        assert_eq!(gain(8, 7), Gain { gain: 0, clipped_share: 0.0 });
        // 16 rows on 16 columns: lane sums up to 256.
        assert_eq!(gain(10, 16), Gain { gain: 0, clipped_share: 0.0 });
        assert_eq!(gain(8, 14), Gain { gain: 1, clipped_share: 0.0 });
        assert_eq!(gain(6, 15), Gain { gain: 3, clipped_share: 0.0 });
    }

    #[test]
    fn bad_images_are_refused() {
        let code = Code { scale: 1.0, bits: 5, signed: false };
        assert!(check_images(&[], &code).unwrap_err().to_string().contains("there are none"));
        let error = check_images(&[vec![0, 31], vec![32]], &code).unwrap_err().to_string();
        assert!(error.contains("at:    image 1") && error.contains("pixel 32") && error.contains("0..31"), "{error}");
    }
}
