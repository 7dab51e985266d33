//! From a dataset to batches: the validation split, the shift, the scale, the smoothed targets.
//!
//! All randomness comes from the generator that is passed in, so a seed fixes every batch.

use basisn_compiler::images::Normalization;
use basisn_compiler::{Dataset, Graph};
use burn::tensor::{Device, Tensor, TensorData};
use rand::Rng;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;

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

/// How training images are varied.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Augmentation {
    /// Pixels that an image is moved by at most, in each direction.
    pub shift: u8,
    /// Whether every second image is mirrored.
    pub flip: bool,
}

/// How one image is shown: moved down and to the right, then mirrored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct View {
    /// Rows, up where negative.
    pub down: i16,
    /// Columns, to the left where negative.
    pub right: i16,
    /// Left and right change places.
    pub mirrored: bool,
}

impl Augmentation {
    /// What each data set is customarily trained with: pictures are cropped out of a frame of an eighth of their height and mirrored, MNIST is
    /// moved by two pixels, other arrays by one. Coefficients of arrays see the images as they are: few coefficients have no room for more
    /// views of an image than there are, and a shift costs the digits 1 to 2 points.
    pub fn customary(dataset: &Dataset, coefficients: bool) -> Self {
        let height = dataset.images.dim().2;
        match dataset.normalization {
            None => Augmentation { shift: u8::from(!coefficients), flip: false },
            Some(Normalization::MNIST) => Augmentation { shift: 2, flip: false },
            Some(_) => Augmentation { shift: (height / 8).min(u8::MAX.into()) as u8, flip: true },
        }
    }

    /// A view drawn uniformly.
    pub fn draw(self, rng: &mut StdRng) -> View {
        let most = i16::from(self.shift);
        View {
            down: rng.random_range(-most..=most),
            right: rng.random_range(-most..=most),
            mirrored: self.flip && rng.random(),
        }
    }
}

/// Turns image indices into tensors for one network.
#[derive(Clone, Debug)]
pub struct Batcher<'a> {
    dataset: &'a Dataset,
    /// What the bytes of every channel are to the network, `[channel][byte]`.
    integers: Vec<Vec<i32>>,
    scale: f64,
    classes: usize,
    augmentation: Augmentation,
}

impl<'a> Batcher<'a> {
    /// For the input scale and the classes of `graph`.
    pub fn new(dataset: &'a Dataset, graph: &Graph, augmentation: Augmentation) -> Self {
        let scale = graph.input.map_or(1.0, |code| code.scale);
        Batcher { dataset, integers: dataset.integers(), scale, classes: graph.output_shape().channels, augmentation }
    }

    /// Value of one integer step of a pixel.
    pub fn scale(&self) -> f64 {
        self.scale
    }

    /// The images as they are: integers, or the values that they stand for.
    pub fn images(&self, indices: &[usize], integers: bool, device: &Device) -> Tensor<4> {
        self.views(indices.iter().map(|&index| (index, View::default())), integers, device)
    }

    /// The images, each in a view drawn for it: integers, or the values that they stand for.
    pub fn augmented(&self, indices: &[usize], integers: bool, rng: &mut StdRng, device: &Device) -> Tensor<4> {
        self.views(indices.iter().map(|&index| (index, self.augmentation.draw(rng))), integers, device)
    }

    /// Draws what augmenting so many images draws.
    pub fn skip(&self, images: usize, rng: &mut StdRng) {
        for _ in 0..images {
            let _ = self.augmentation.draw(rng);
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

    fn views(&self, items: impl ExactSizeIterator<Item = (usize, View)>, integers: bool, device: &Device) -> Tensor<4> {
        let scale = if integers { 1.0 } else { self.scale };
        let (_, channels, height, width) = self.dataset.images.dim();
        let shape = [items.len(), channels, height, width];
        let mut values = Vec::with_capacity(shape.iter().product());
        for (index, view) in items {
            for (c, integers) in self.integers.iter().enumerate() {
                for y in 0..height {
                    for x in 0..width {
                        let integer = integers[usize::from(self.pixel(index, c, y, x, view))];
                        values.push((f64::from(integer) * scale) as f32);
                    }
                }
            }
        }
        Tensor::from_data(TensorData::new(values, shape), device)
    }

    /// A byte of a view; zero where it shows what was outside of the image.
    fn pixel(&self, image: usize, channel: usize, row: usize, column: usize, view: View) -> u8 {
        let column = if view.mirrored { self.dataset.images.dim().3 - 1 - column } else { column };
        match (row.checked_add_signed(-isize::from(view.down)), column.checked_add_signed(-isize::from(view.right))) {
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
            normalization: None,
        }
    }

    fn batcher(dataset: &Dataset) -> Batcher<'_> {
        Batcher { dataset, integers: dataset.integers(), scale: 0.5, classes: 2, augmentation: Augmentation::default() }
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
    fn a_view_moves_the_image_fills_with_zeros_and_mirrors() {
        let dataset = dataset(2);
        let view = View { down: 1, right: -1, mirrored: false };
        let views = [(0, view), (0, View { mirrored: true, ..view })];
        let tensor = batcher(&dataset).views(views.into_iter(), false, &Device::flex());
        let values = tensor.into_data().try_to_vec::<f32>().unwrap();
        assert_eq!(values[..9], [0.0, 0.0, 0.0, 0.5, 1.0, 0.0, 5.5, 6.0, 0.0]);
        assert_eq!(values[9..], [0.0, 0.0, 0.0, 0.0, 1.0, 0.5, 0.0, 6.0, 5.5]);
    }

    #[test]
    fn normalized_images_are_black_where_a_view_shows_what_was_outside() {
        let dataset = Dataset { normalization: Some(Normalization::MNIST), ..dataset(2) };
        let view = View { down: 3, right: 0, mirrored: false };
        let values = batcher(&dataset).views([(0, view), (0, View::default())].into_iter(), true, &Device::flex());
        let values = values.into_data().try_to_vec::<f32>().unwrap();
        let integer = |byte: u8| Normalization::MNIST.code().quantize(f64::from(Normalization::MNIST.apply(0, byte)));
        assert_eq!(values[..9], [integer(0) as f32; 9]);
        assert_eq!(values[9 + 8], integer(22) as f32);
        let customary = |coefficients| Augmentation::customary(&dataset, coefficients).shift;
        assert_eq!((customary(false), customary(true)), (2, 2));
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
