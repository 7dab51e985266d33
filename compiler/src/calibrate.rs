//! Scales of the activations and gain of the ADC, measured on training images.

use basisn_arch::Subvectors;
use ndarray::Axis;
use rayon::prelude::*;

use crate::basis::Basis;
use crate::fitted::{Code, PlaneItem};
use crate::fuse::{FusedStep, can_be_negative, classes, keeps_scale};
use crate::{Dataset, Error, Model, float};

/// Share of the activations that the clipped scale leaves unclipped.
const PERCENTILE: f64 = 0.999;
/// Activations of a step that its scale is chosen on, spread evenly over images and places.
const SAMPLE: usize = 1 << 16;
/// Bits of values that no matrix layer reads: sums and normalizations before the next layer lose nothing.
const WIDE_BITS: usize = 16;
/// Room that wide values have beyond what calibration saw.
const WIDE_HEADROOM: f64 = 2.0;
/// Images that patches are taken from.
const PATCH_IMAGES: usize = 64;
/// Patches of a layer, and integers in them.
const PATCHES: usize = 2048;
const PATCH_VALUES: usize = 1 << 22;
/// Patches that the gain is measured on, spread evenly over images and positions: fewer for large layers.
const GAIN_PATCHES: std::ops::RangeInclusive<usize> = 64..=1024;
/// Column currents to add up for all patches together.
const GAIN_WORK: usize = 1 << 29;
/// Gains that the ADC has: 0..7.
const GAINS: usize = 8;

/// Images of a dataset as integer pixels, in the order of `indices`, each an image of the set.
pub fn pixels(dataset: &Dataset, indices: &[usize]) -> Vec<Vec<i32>> {
    indices.iter().map(|&i| dataset.images.index_axis(Axis(0), i).iter().map(|&p| i32::from(p)).collect()).collect()
}

/// What the integers between the steps of a network mean, and what its matrix layers see.
pub(crate) struct Calibration {
    /// One for every value: the image, then the result of every step.
    pub codes: Vec<Code>,
    /// One for every matrix layer, groups one by one.
    pub patches: Vec<Patches>,
}

/// Integer input patches of a layer, spread evenly over images and positions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Patches {
    depth: usize,
    /// `[patch][D]`
    values: Vec<i16>,
}

impl Patches {
    fn count(&self) -> usize {
        self.values.len() / self.depth.max(1)
    }

    /// At most `count` patches, spread evenly, each filled with zeros to whole subvectors.
    fn some(&self, count: usize, cut: Subvectors) -> Vec<Vec<i32>> {
        let (total, count) = (self.count(), count.min(self.count()));
        let patch = |i: usize| {
            let from = (2 * i + 1) * total / (2 * count) * self.depth;
            let mut patch: Vec<i32> = self.values[from..from + self.depth].iter().map(|&v| i32::from(v)).collect();
            patch.resize(cut.count * cut.length, 0);
            patch
        };
        (0..count).map(patch).collect()
    }
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
    let patches = patches(model, steps, &codes, images)?;
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

/// Quantized input patches of every matrix layer.
fn patches(model: &Model, steps: &[FusedStep], codes: &[Code], images: &[Vec<i32>]) -> Result<Vec<Patches>, Error> {
    let images = spread(images, PATCH_IMAGES);
    let value_at = value_at(model, steps);
    let layers: Vec<_> = steps.iter().filter_map(|s| Some((s.inputs[0], model.graph.matrix_layer(s.node)?))).collect();
    let runs: Vec<Vec<Vec<i16>>> = images
        .par_iter()
        .enumerate()
        .map(|(number, image)| {
            let mut found: Vec<Vec<i16>> = vec![Vec::new(); layers.iter().map(|(_, l)| l.groups).sum()];
            float::run(model, &float::dequantize(&model.graph, image)?, &mut |node, values| {
                let mut index = 0;
                for (input, layer) in &layers {
                    if value_at[node] == Some(*input) {
                        let (positions, depth) = (layer.shape.positions(), layer.shape.depth());
                        let total = images.len() * positions;
                        let count = total.min(PATCHES).min((PATCH_VALUES / depth).max(1));
                        let mut patch = vec![0.0f32; depth];
                        // Patch i of the layer is at place (2 i + 1) total / (2 count); here are those of this image.
                        let places = (0..count).map(|i| (2 * i + 1) * total / (2 * count));
                        for place in places.filter(|place| place / positions == number) {
                            for (group, values) in values.chunks_exact(layer.shape.inputs()).enumerate() {
                                layer.shape.fill_patch(values, place % positions, &mut patch);
                                let integers = patch.iter().map(|&v| codes[*input].quantize(f64::from(v)) as i16);
                                found[index + group].extend(integers);
                            }
                        }
                    }
                    index += layer.groups;
                }
            });
            Ok(found)
        })
        .collect::<Result<_, Error>>()?;
    let depths = layers.iter().flat_map(|(_, layer)| std::iter::repeat_n(layer.shape.depth(), layer.groups));
    let of_layer = |(i, depth): (usize, usize)| Patches {
        depth,
        values: runs.iter().flat_map(|run| run[i].iter().copied()).collect(),
    };
    Ok(depths.enumerate().map(of_layer).collect())
}

/// At most `count` of `images`, spread evenly.
fn spread(images: &[Vec<i32>], count: usize) -> Vec<&Vec<i32>> {
    let count = count.min(images.len());
    (0..count).map(|i| &images[i * images.len() / count]).collect()
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

/// Patches that second moments are measured on, spread evenly over images and positions.
const MOMENT_PATCHES: usize = 4096;
/// Share of the mean moment that is added to every input's own: inputs that calibration never saw still count a little.
const MOMENT_RIDGE: f64 = 1e-3;

/// Second moments `E[x x^T]` of the inputs of every subvector, `[row][row]`.
pub(crate) fn moments(patches: &Patches, cut: Subvectors) -> Vec<Vec<f64>> {
    let patches: Vec<Vec<f64>> =
        patches.some(MOMENT_PATCHES, cut).into_iter().map(|p| p.into_iter().map(f64::from).collect()).collect();
    let count = patches.len().max(1);
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
    pub cut: Subvectors,
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
    pub(crate) fn choose(&self, patches: &Patches) -> Gain {
        let columns: usize = self.items.iter().flatten().map(|item| item.columns.len()).sum();
        let affordable = GAIN_WORK / (columns * self.input.bits).max(1);
        let patches = patches.some(affordable.clamp(*GAIN_PATCHES.start(), *GAIN_PATCHES.end()), self.cut);
        let costs: Vec<Cost> = patches.par_iter().map(|patch| self.patch_cost(patch)).collect();
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

    fn patch_cost(&self, patch: &[i32]) -> Cost {
        let limit = 1i64 << (self.adc_bits - 1);
        let mut cost = Cost::default();
        let mut errors = vec![[0i64; GAINS]; self.scale.len()];
        let mut sums = vec![vec![0i32; self.bases[0].columns]; self.bases.len()];
        for (x, items) in patch.chunks_exact(self.cut.length).zip(self.items) {
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

    #[test]
    fn moments_are_those_of_the_patches() {
        // Four positions of 3 inputs in two subvectors of 2; the last place of the second one is never used.
        let patches = |values: &[i16]| Patches { depth: 3, values: values.to_vec() };
        let cut = Subvectors::new(3, 2);
        let found = moments(&patches(&[1, 0, 5, 2, 0, 5, 3, 0, 5, 4, 0, 5]), cut);
        let first = [7.5 + 0.00375, 0.0, 0.0, 0.00375];
        let second = [25.0 + 0.0125, 0.0, 0.0, 0.0125];
        for (found, wanted) in found.iter().zip([first, second]) {
            assert!(found.iter().zip(wanted).all(|(f, w)| (f - w).abs() < 1e-9), "{found:?}");
        }
        assert_eq!(moments(&patches(&[0; 12]), cut)[0], [0.25, 0.0, 0.0, 0.25]);
    }

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

    fn gain(adc_bits: usize, columns: usize) -> Gain {
        let chip = ChipConfig::load("tiny").unwrap();
        let mut basis = Basis::hadamard(&chip);
        basis.levels.fill(1);
        let columns = (0..columns).map(|c| (c, false)).collect();
        let items = [vec![PlaneItem { kernel: 0, plane: 0, columns }]];
        let input = Code { scale: 1.0, bits: 8, signed: false };
        let values = [[255; 16], [254; 16]].as_flattened().to_vec();
        let cut = Subvectors::new(16, 16);
        GainProblem { cut, bases: &[basis], items: &items, scale: &[0.5], input, adc_bits }
            .choose(&Patches { depth: 16, values })
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
