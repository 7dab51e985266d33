//! Images as networks of colour pictures take them: read in the formats that data sets come in, resized, cropped and normalized.
//!
//! | what is given | format |
//! |---|---|
//! | a folder of folders | one folder for each class, in the order of their names; JPEG and PNG files in them |
//! | `*.bin` | CIFAR-10 or CIFAR-100, binary version |
//! | `*images-idx3-ubyte` | MNIST; the labels are in the file of the same name with `labels-idx1` |
//! | `*.npy` | float32 `[images, channels, height, width]`, normalized already |
//! | `synthetic:CLASSES:IMAGES:SEED` | drawn images, see [`synthetic`](crate::synthetic) |
//! | `random:COUNT` | seeded random images, to size a network without data |

pub(crate) mod binary;
pub(crate) mod folder;
mod normalization;

use std::path::Path;

use basisn_arch::Shape;

use crate::fitted::Code;
use crate::random::Random;
use crate::synthetic::Synthetic;
use crate::{Error, npy};
pub use normalization::Normalization;

/// Normalized images, each in channel, row, column order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Images {
    /// Values; a network's training defines what they mean.
    pub images: Vec<Vec<f32>>,
    /// Class of each image; empty where the format has none.
    pub labels: Vec<u16>,
}

/// Images as bytes, as data sets are distributed.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Pictures {
    /// Extents of every image.
    pub shape: Shape,
    /// Bytes `[channel][row][column]`.
    pub images: Vec<Vec<u8>>,
    /// Class of each image.
    pub labels: Vec<u16>,
    /// What the bytes are to a network.
    pub normalization: Normalization,
}

/// Which images of data that are split are wanted; files without a split give the same for both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Those to train and calibrate on.
    Training,
    /// Those to judge by.
    HeldOut,
}

impl Pictures {
    /// The images as numbers, if they have the shape that a network takes.
    fn normalized(&self, wanted: Shape) -> Result<Images, String> {
        if self.shape != wanted {
            return Err(format!("the images are {}, and the network takes {wanted}", self.shape));
        }
        let plane = self.shape.height * self.shape.width;
        let values = |bytes: &Vec<u8>| {
            bytes.iter().enumerate().map(|(i, &byte)| self.normalization.apply(i / plane, byte)).collect()
        };
        Ok(Images { images: self.images.iter().map(values).collect(), labels: self.labels.clone() })
    }
}

impl Images {
    /// Reads at most `count` images of `shape`; `source` is one of those in the table above, and `part` decides where the data are split.
    ///
    /// # Errors
    /// A file cannot be read, is damaged, or holds images of another shape.
    pub fn load(source: &str, part: Part, shape: Shape, count: usize) -> Result<Self, Error> {
        let path = Path::new(source);
        let name = path.file_name().map_or(String::new(), |n| n.to_string_lossy().into_owned());
        if let Some(number) = source.strip_prefix("random:") {
            let number: usize =
                number.parse().map_err(|_| Error::dataset(path, "random: is followed by a number of images".into()))?;
            return Ok(Self::random(shape, number.min(count)));
        }
        let read = |path: &Path| std::fs::read(path).map_err(|e| Error::read(path, &e));
        let refuse = |cause: String| Error::dataset(path, cause);
        let images = if let Some(synthetic) = Synthetic::from_name(source) {
            synthetic?.pictures(part, count).normalized(shape)
        } else if path.is_dir() {
            folder::load(path, shape, count)?.normalized(shape)
        } else if name.ends_with(".npy") {
            numpy(&read(path)?, shape, count)
        } else if name.contains("images-idx3") {
            let labels = path.with_file_name(name.replace("images-idx3", "labels-idx1"));
            binary::mnist(&read(path)?, &read(&labels)?, count).and_then(|pictures| pictures.normalized(shape))
        } else {
            binary::cifar(&read(path)?, count).and_then(|pictures| pictures.normalized(shape))
        }
        .map_err(refuse)?;
        if images.images.is_empty() {
            return Err(Error::dataset(path, "it holds no images".into()));
        }
        Ok(images)
    }

    /// Random images: smooth enough to look like pictures to a network, the same for every run.
    fn random(shape: Shape, count: usize) -> Self {
        let mut random = Random::new(0xb515);
        let mut image = || {
            // A few waves and some noise.
            let waves: Vec<[f64; 4]> = (0..4).map(|_| [0; 4].map(|_: i32| random.signed_unit())).collect();
            let mut values = Vec::with_capacity(shape.size());
            for c in 0..shape.channels {
                for y in 0..shape.height {
                    for x in 0..shape.width {
                        let wave = |w: &[f64; 4]| {
                            (w[0] * 0.4 * y as f64 + w[1] * 0.4 * x as f64 + 6.0 * w[2] + c as f64 * w[3]).sin()
                        };
                        let noise = 0.4 * random.signed_unit();
                        values.push((waves.iter().map(wave).sum::<f64>() * 0.6 + noise) as f32);
                    }
                }
            }
            values
        };
        Images { images: (0..count).map(|_| image()).collect(), labels: Vec::new() }
    }

    /// The 8-bit code whose largest integer is the largest value of these images.
    pub fn code(&self) -> Code {
        let all = || self.images.iter().flatten();
        let largest = all().fold(0.0f32, |m, v| m.max(v.abs()));
        let signed = all().any(|v| *v < 0.0);
        let code = Code { scale: 1.0, bits: 8, signed };
        let scale = if largest > 0.0 { f64::from(largest) / f64::from(code.range().1) } else { 1.0 };
        Code { scale, ..code }
    }

    /// The images as integers of a code.
    pub fn quantize(&self, code: &Code) -> Vec<Vec<i32>> {
        self.images.iter().map(|image| image.iter().map(|&v| code.quantize(f64::from(v))).collect()).collect()
    }
}

fn numpy(bytes: &[u8], shape: Shape, count: usize) -> Result<Images, String> {
    let array = npy::read::<f32>(bytes).map_err(|e| e.to_string())?;
    let wanted = [shape.channels, shape.height, shape.width];
    if array.shape().strip_suffix(&wanted).is_none_or(|rest| rest.len() > 1) {
        return Err(format!("shape {:?}, and the network takes images of {shape}", array.shape()));
    }
    let values: Vec<f32> = array.iter().copied().collect();
    if values.iter().any(|v| !v.is_finite()) {
        return Err("a value is not finite".into());
    }
    Ok(Images { images: values.chunks(shape.size()).take(count).map(<[f32]>::to_vec).collect(), labels: Vec::new() })
}

/// Rank of a label among scores, 0 for the largest: top-1 is rank 0, top-5 is rank 0 to 4. Of equal scores the first counts.
pub fn rank<T: PartialOrd>(scores: &[T], label: usize) -> Option<usize> {
    let own = scores.get(label)?;
    let better = |(i, score): (usize, &T)| score > own || i < label && score == own;
    Some(scores.iter().enumerate().filter(|&(i, s)| better((i, s))).count())
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::Array4;
    use ndarray_npy::write_npy;

    #[test]
    fn arrays_are_read_as_they_are() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.npy");
        write_npy(&path, &Array4::from_shape_fn((3, 1, 2, 2), |(n, _, y, x)| (n + 10 * y + x) as f32)).unwrap();
        let source = path.to_string_lossy().into_owned();
        let images = Images::load(&source, Part::HeldOut, Shape::new(1, 2, 2), 2).unwrap();
        assert_eq!(images.images, [[0.0, 1.0, 10.0, 11.0], [1.0, 2.0, 11.0, 12.0]]);
        assert_eq!(images.code(), Code { scale: 12.0 / 255.0, bits: 8, signed: false });
        assert_eq!(images.quantize(&images.code())[1][3], 255);
        let other = Images::load(&source, Part::HeldOut, Shape::new(2, 2, 2), 2).unwrap_err().to_string();
        assert!(other.contains("shape [3, 1, 2, 2], and the network takes images of 2 x 2 x 2"), "{other}");
        assert!(
            Images::load("no/such.npy", Part::Training, Shape::new(1, 2, 2), 1)
                .unwrap_err()
                .to_string()
                .contains("no/such.npy")
        );
    }

    #[test]
    fn random_images_are_the_same_every_time() {
        let shape = Shape::new(3, 8, 8);
        let images = Images::load("random:3", Part::Training, shape, 100).unwrap();
        assert_eq!((images.images.len(), images.images[0].len()), (3, 192));
        assert_eq!(images, Images::load("random:3", Part::Training, shape, 100).unwrap());
        assert!(images.images[0] != images.images[1] && images.code().signed);
        assert!(
            Images::load("random:x", Part::Training, shape, 1).is_err()
                && Images::load("random:0", Part::Training, shape, 1).unwrap().images.is_empty()
        );
    }

    #[test]
    fn drawn_images_are_split() {
        let shape = Shape::new(3, 32, 32);
        let load = |part| Images::load("synthetic:4:40", part, shape, 100).unwrap();
        let (training, held_out) = (load(Part::Training), load(Part::HeldOut));
        assert_eq!((training.images.len(), held_out.images.len()), (32, 8));
        assert_eq!(held_out.labels, [0, 1, 2, 3, 0, 1, 2, 3]);
        assert!(held_out.images.iter().all(|image| !training.images.contains(image)));
        assert_eq!(Images::load("synthetic:4:40", Part::Training, shape, 3).unwrap().images, training.images[..3]);
        let error = Images::load("synthetic:4:40", Part::Training, Shape::new(1, 8, 8), 3).unwrap_err().to_string();
        assert!(error.contains("the images are 3 x 32 x 32, and the network takes 1 x 8 x 8"), "{error}");
    }

    #[test]
    fn ranks_count_what_is_better() {
        let scores = [3, 9, 3, 1];
        assert_eq!([0, 1, 2, 3].map(|label| rank(&scores, label)), [Some(1), Some(0), Some(2), Some(3)]);
        assert_eq!(rank(&scores, 4), None);
    }
}
