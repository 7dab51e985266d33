//! Input patches of the matrix layers, as integers.

use basisn_arch::Subvectors;
use rayon::prelude::*;

use super::value_at;
use crate::fitted::Code;
use crate::fuse::FusedStep;
use crate::{Error, Model, float};

/// Images that patches are taken from.
const PATCH_IMAGES: usize = 64;
/// Patches of a layer, and integers in them.
const PATCHES: usize = 2048;
const PATCH_VALUES: usize = 1 << 22;
/// Integer input patches of a layer, spread evenly over images and positions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Patches {
    pub(super) depth: usize,
    /// `[patch][D]`
    pub(super) values: Vec<i16>,
}

impl Patches {
    fn count(&self) -> usize {
        self.values.len() / self.depth.max(1)
    }

    /// At most `count` patches, spread evenly, each filled with zeros to whole subvectors.
    pub(super) fn some(&self, count: usize, cut: Subvectors) -> Vec<Vec<i32>> {
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

/// Quantized input patches of every matrix layer.
pub(super) fn patches(
    model: &Model,
    steps: &[FusedStep],
    codes: &[Code],
    images: &[Vec<i32>],
) -> Result<Vec<Patches>, Error> {
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
