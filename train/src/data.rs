//! From a dataset to batches: the validation split, the shift, the scale, the smoothed targets.
//!
//! All randomness comes from the generator that is passed in, so a seed fixes every batch.

use basisn_compiler::{Dataset, Network};
use burn::tensor::{Device, Tensor, TensorData};
use rand::Rng;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;

/// How far an image is moved for training, in pixels, in each direction.
const MAX_SHIFT: i8 = 1;

/// Training images, split by class: those to fit and those to watch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Split {
    /// Images that give gradients.
    pub fit: Vec<usize>,
    /// Images that only report how training goes.
    pub validation: Vec<usize>,
}

/// Splits the training images of `dataset`; the validation part takes `share` of every class, rounded.
pub fn split_validation(dataset: &Dataset, share: f64, rng: &mut StdRng) -> Split {
    let mut split = Split { fit: Vec::new(), validation: Vec::new() };
    for class in 0..=u8::MAX {
        let mut members: Vec<usize> = dataset.train.iter().copied().filter(|&i| dataset.labels[i] == class).collect();
        members.shuffle(rng);
        let count = (members.len() as f64 * share).round() as usize;
        split.validation.extend(members.drain(..count));
        split.fit.extend(members);
    }
    split.fit.sort_unstable();
    split.validation.sort_unstable();
    split
}

/// The offset of an augmented image, in pixels: down and to the right where positive.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Shift {
    /// Rows.
    pub down: i8,
    /// Columns.
    pub right: i8,
}

impl Shift {
    /// A uniformly drawn shift of at most one pixel.
    pub fn draw(rng: &mut StdRng) -> Self {
        Shift { down: rng.random_range(-MAX_SHIFT..=MAX_SHIFT), right: rng.random_range(-MAX_SHIFT..=MAX_SHIFT) }
    }
}

/// Turns image indices into tensors for one network.
#[derive(Clone, Copy, Debug)]
pub struct Batcher<'a> {
    dataset: &'a Dataset,
    scale: f64,
    classes: usize,
}

impl<'a> Batcher<'a> {
    /// For the input scale and the classes of `network`.
    pub fn new(dataset: &'a Dataset, network: &Network) -> Self {
        let classes = network.layers.last().map_or(0, |layer| layer.out);
        Batcher { dataset, scale: network.input.scale, classes }
    }

    /// Value of one integer step of a pixel.
    pub fn scale(&self) -> f64 {
        self.scale
    }

    /// The images as they are: integers, or the values that they stand for.
    pub fn images(&self, indices: &[usize], integers: bool, device: &Device) -> Tensor<4> {
        self.shifted(indices.iter().map(|&index| (index, Shift::default())), integers, device)
    }

    /// The images, each moved by its own drawn shift: integers, or the values that they stand for.
    pub fn augmented(&self, indices: &[usize], integers: bool, rng: &mut StdRng, device: &Device) -> Tensor<4> {
        self.shifted(indices.iter().map(|&index| (index, Shift::draw(rng))), integers, device)
    }

    /// Draws what augmenting so many images draws.
    pub fn skip(&self, images: usize, rng: &mut StdRng) {
        for _ in 0..images {
            let _ = Shift::draw(rng);
        }
    }

    /// Target probabilities `[images, classes]`: `1 - smoothing` on the label, `smoothing` spread over all classes.
    pub fn targets(&self, indices: &[usize], smoothing: f32, device: &Device) -> Tensor<2> {
        let mut values = vec![smoothing / self.classes as f32; indices.len() * self.classes];
        for (row, &index) in indices.iter().enumerate() {
            values[row * self.classes + usize::from(self.dataset.labels[index])] += 1.0 - smoothing;
        }
        Tensor::from_data(TensorData::new(values, [indices.len(), self.classes]), device)
    }

    fn shifted(
        &self,
        items: impl ExactSizeIterator<Item = (usize, Shift)>,
        integers: bool,
        device: &Device,
    ) -> Tensor<4> {
        let scale = if integers { 1.0 } else { self.scale };
        let (_, channels, height, width) = self.dataset.images.dim();
        let shape = [items.len(), channels, height, width];
        let mut values = Vec::with_capacity(shape.iter().product());
        for (index, shift) in items {
            for c in 0..channels {
                for y in 0..height {
                    for x in 0..width {
                        values.push((f64::from(self.pixel(index, c, y, x, shift)) * scale) as f32);
                    }
                }
            }
        }
        Tensor::from_data(TensorData::new(values, shape), device)
    }

    /// A pixel of the shifted image; zero where the shift uncovers what was outside.
    fn pixel(&self, image: usize, channel: usize, row: usize, column: usize, shift: Shift) -> u8 {
        let source =
            (row.checked_add_signed(-isize::from(shift.down)), column.checked_add_signed(-isize::from(shift.right)));
        match source {
            (Some(y), Some(x)) => self.dataset.images.get((image, channel, y, x)).copied().unwrap_or(0),
            _ => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::Array4;
    use rand::SeedableRng;

    /// One image a class; the pixel at row y, column x is 10 y + x.
    fn dataset(images: usize) -> Dataset {
        Dataset {
            images: Array4::from_shape_fn((images, 1, 3, 3), |(_, _, y, x)| (10 * y + x) as u8),
            labels: (0..images).map(|i| (i % 2) as u8).collect(),
            train: (0..images - 1).collect(),
            test: vec![images - 1],
        }
    }

    fn batcher(dataset: &Dataset) -> Batcher<'_> {
        Batcher { dataset, scale: 0.5, classes: 2 }
    }

    #[test]
    fn validation_takes_its_share_of_every_class() {
        let dataset = dataset(42);
        let split = split_validation(&dataset, 0.1, &mut StdRng::seed_from_u64(1));
        assert_eq!((split.fit.len(), split.validation.len()), (37, 4));
        assert_eq!(split.validation.iter().filter(|&&i| dataset.labels[i] == 0).count(), 2);
        let mut all = [split.fit.clone(), split.validation.clone()].concat();
        all.sort_unstable();
        assert_eq!(all, dataset.train);
        assert_eq!(split_validation(&dataset, 0.1, &mut StdRng::seed_from_u64(1)), split);
        assert!(split_validation(&dataset, 0.0, &mut StdRng::seed_from_u64(1)).validation.is_empty());
    }

    #[test]
    fn a_shift_moves_the_image_and_fills_with_zeros() {
        let dataset = dataset(2);
        let tensor = batcher(&dataset).shifted([(0, Shift { down: 1, right: -1 })].into_iter(), false, &Device::flex());
        let values = tensor.into_data().try_to_vec::<f32>().unwrap();
        assert_eq!(values, [0.0, 0.0, 0.0, 0.5, 1.0, 0.0, 5.5, 6.0, 0.0]);
    }

    #[test]
    fn targets_sum_to_one() {
        let dataset = dataset(3);
        let targets = batcher(&dataset).targets(&[0, 1], 0.1, &Device::flex()).into_data().try_to_vec::<f32>().unwrap();
        for (found, wanted) in targets.into_iter().zip([0.95, 0.05, 0.05, 0.95]) {
            assert!((found - wanted).abs() < 1e-6, "{found} {wanted}");
        }
    }
}
