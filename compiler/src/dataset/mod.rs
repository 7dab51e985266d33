//! A labelled image set and its fixed split: training images to train and calibrate on, held-out ones to judge by.
//!
//! A folder of four NumPy files: `images.npy` (uint8, `[images, channels, height, width]`), `labels.npy` (uint8),
//! `train.npy` and `test.npy` (uint32, indices of images); without the last two every fifth image of a class is held out. Other
//! formats are in `open`.

mod open;

use std::path::Path;

use ndarray::{Array, Array4, Dimension, Ix1};
use ndarray_npy::{ReadableElement, ViewElement};

use crate::fitted::Code;
use crate::images::Normalization;
use crate::{Error, Graph, npy};

/// Of so many images of a class one is held out, where nothing else is said.
pub(crate) const HELD_OUT: usize = 5;

/// Labelled images with a fixed split. No image is in both parts.
#[derive(Clone, Debug)]
pub struct Dataset {
    /// Pixels as bytes, `[images, channels, height, width]`.
    pub images: Array4<u8>,
    /// Class of each image.
    pub labels: Vec<u8>,
    /// Indices of the images to train and calibrate on.
    pub train: Vec<usize>,
    /// Indices of the held-out images.
    pub test: Vec<usize>,
    /// How the bytes are normalized; none where they are the integers of the network.
    pub normalization: Option<Normalization>,
}

impl Dataset {
    /// Reads and checks the NumPy files of `dir`.
    ///
    /// # Errors
    /// A file cannot be read, has the wrong type or shape, or the split names an image twice or one that is not there.
    pub fn load(dir: &Path) -> Result<Self, Error> {
        let images: Array4<u8> = read(dir, "images.npy", "[images, channels, height, width]")?;
        let labels = read::<u8, Ix1>(dir, "labels.npy", "[images]")?.to_vec();
        let (train, test) = if dir.join("train.npy").exists() || dir.join("test.npy").exists() {
            (indices(dir, "train.npy")?, indices(dir, "test.npy")?)
        } else {
            split(&labels)
        };
        let dataset = Dataset { images, labels, train, test, normalization: None };
        dataset.check().map_err(|(file, cause)| Error::dataset(&dir.join(file), cause))?;
        Ok(dataset)
    }

    /// What the integers of the network mean: those of normalized bytes, or bytes of which the largest stands for 1.
    pub fn code(&self) -> Code {
        self.normalization.map_or_else(
            || {
                let largest = self.images.iter().copied().max().unwrap_or(0).max(1);
                let bits = (u8::BITS - largest.leading_zeros()) as usize;
                Code { scale: 1.0 / f64::from(largest), bits, signed: false }
            },
            |normalization| normalization.code(),
        )
    }

    /// The integers that the bytes of every channel are to a network, `[channel][byte]`.
    pub fn integers(&self) -> Vec<Vec<i32>> {
        let integer = |channel: usize, byte: u8| match self.normalization {
            None => i32::from(byte),
            Some(normalization) => normalization.code().quantize(f64::from(normalization.apply(channel, byte))),
        };
        (0..self.images.dim().1).map(|channel| (0..=u8::MAX).map(|byte| integer(channel, byte)).collect()).collect()
    }

    /// Checks that this set is one for a network: the images have its input shape and range, the labels are outputs of it.
    ///
    /// # Errors
    /// Names the first image that does not fit.
    pub fn check_fits(&self, graph: &Graph) -> Result<(), Error> {
        let shape = graph.input_shape();
        let wanted = [shape.channels, shape.height, shape.width];
        let found = &self.images.shape()[1..];
        if found != wanted {
            return Err(Error::dataset(
                Path::new("images.npy"),
                format!("images are {found:?}, the input of network {} is {wanted:?}", graph.name),
            ));
        }
        let code = graph.input.unwrap_or(Code { scale: 1.0, bits: 8, signed: false });
        if self.normalization.is_some() && graph.input != Some(self.code()) {
            let cause = format!("images are normalized, and network {} takes bytes", graph.name);
            return Err(Error::dataset(Path::new("images"), cause));
        }
        let max_pixel = if self.normalization.is_some() { u8::MAX.into() } else { code.range().1.unsigned_abs() };
        if let Some(((image, ..), pixel)) = self.images.indexed_iter().find(|&(_, &p)| u32::from(p) > max_pixel) {
            let signed = if code.signed { "signed" } else { "unsigned" };
            return Err(Error::dataset(
                Path::new("images.npy"),
                format!("image {image} has pixel {pixel}, the input has {} {signed} bits: 0..{max_pixel}", code.bits),
            ));
        }
        let classes = graph.output_shape().size();
        if let Some(image) = self.labels.iter().position(|&label| usize::from(label) >= classes) {
            return Err(Error::dataset(
                Path::new("labels.npy"),
                format!("image {image} has label {}, the last layer has {classes} outputs", self.labels[image]),
            ));
        }
        Ok(())
    }

    /// The file at fault, and what is wrong with it.
    fn check(&self) -> Result<(), (&'static str, String)> {
        let images = self.images.shape()[0];
        if self.images.is_empty() {
            return Err(("images.npy", format!("shape {:?} has no pixels", self.images.shape())));
        }
        if self.labels.len() != images {
            return Err(("labels.npy", format!("{} labels for {images} images", self.labels.len())));
        }
        let mut owner: Vec<Option<&str>> = vec![None; images];
        for (file, part) in [("train.npy", &self.train), ("test.npy", &self.test)] {
            if part.is_empty() {
                return Err((file, "no indices".into()));
            }
            for &index in part {
                let Some(slot) = owner.get_mut(index) else {
                    return Err((file, format!("index {index} of {images} images")));
                };
                if let Some(first) = slot.replace(file) {
                    return Err((file, format!("image {index} is named twice; first in {first}")));
                }
            }
        }
        Ok(())
    }
}

/// Training and held-out images where nothing says which: every fifth of a class is held out.
fn split(labels: &[u8]) -> (Vec<usize>, Vec<usize>) {
    let mut seen = [0; 1 << u8::BITS];
    let mut place = |image: usize| {
        let seen = &mut seen[usize::from(labels[image])];
        *seen += 1;
        *seen % HELD_OUT != 0
    };
    (0..labels.len()).partition(|&image| place(image))
}

fn indices(dir: &Path, file: &str) -> Result<Vec<usize>, Error> {
    Ok(read::<u32, Ix1>(dir, file, "[indices]")?.iter().map(|&index| index as usize).collect())
}

fn read<T: ReadableElement + ViewElement + Clone, D: Dimension>(
    dir: &Path,
    file: &str,
    form: &str,
) -> Result<Array<T, D>, Error> {
    let path = dir.join(file);
    let bytes = std::fs::read(&path).map_err(|e| Error::read(&path, &e))?;
    let array = npy::read::<T>(&bytes).map_err(|e| Error::dataset(&path, e.to_string()))?;
    let shape = array.shape().to_vec();
    array.into_dimensionality().map_err(|_| Error::dataset(&path, format!("shape {shape:?}, expected {form}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::Array1;
    use ndarray_npy::write_npy;
    use tempfile::TempDir;

    /// Six 1 x 2 x 3 images of classes 0..3.
    fn folder(train: &[u32], test: &[u32]) -> TempDir {
        let dir = tempfile::tempdir().unwrap();
        let images = Array4::from_shape_fn((6, 1, 2, 3), |(n, _, y, x)| (n + y + x) as u8);
        write_npy(dir.path().join("images.npy"), &images).unwrap();
        write_npy(dir.path().join("labels.npy"), &Array1::from(vec![0u8, 1, 2, 0, 1, 2])).unwrap();
        write_npy(dir.path().join("train.npy"), &Array1::from(train.to_vec())).unwrap();
        write_npy(dir.path().join("test.npy"), &Array1::from(test.to_vec())).unwrap();
        dir
    }

    fn refusal(dir: &TempDir) -> String {
        Dataset::load(dir.path()).unwrap_err().to_string()
    }

    fn network(height: usize, bits: u32, classes: usize) -> Graph {
        let text = format!(
            "name = \"n\"\n[input]\nchannels = 1\nheight = {height}\nwidth = 3\nscale = 1.0\nbits = {bits}\n\
             [[layers]]\nname = \"fc\"\nkind = \"linear\"\nout = {classes}\nrelu = false\n"
        );
        toml::from_str::<crate::Network>(&text).unwrap().graph().unwrap()
    }

    #[test]
    fn loads_what_was_written() {
        let dataset = Dataset::load(folder(&[0, 2, 5], &[1, 3]).path()).unwrap();
        assert_eq!(dataset.images.shape(), [6, 1, 2, 3]);
        assert_eq!(dataset.images[[5, 0, 1, 2]], 8);
        assert_eq!(dataset.labels, [0, 1, 2, 0, 1, 2]);
        assert_eq!((dataset.train, dataset.test), (vec![0, 2, 5], vec![1, 3]));
    }

    #[test]
    fn without_a_split_every_fifth_image_of_a_class_is_held_out() {
        let dir = folder(&[0], &[1]);
        write_npy(dir.path().join("labels.npy"), &Array1::from(vec![7u8, 1, 7, 7, 7, 7])).unwrap();
        ["train.npy", "test.npy"].iter().for_each(|file| std::fs::remove_file(dir.path().join(file)).unwrap());
        let dataset = Dataset::load(dir.path()).unwrap();
        assert_eq!((dataset.train, dataset.test), (vec![0, 1, 2, 3, 4], vec![5]));
    }

    #[test]
    fn refuses_an_overlapping_split() {
        let text = refusal(&folder(&[0, 2, 5], &[1, 2]));
        assert!(text.contains("test.npy\n  cause: image 2 is named twice; first in train.npy"), "{text}");
        let text = refusal(&folder(&[0, 0], &[1]));
        assert!(text.contains("image 0 is named twice; first in train.npy"), "{text}");
    }

    #[test]
    fn refuses_indices_out_of_range_and_empty_parts() {
        let text = refusal(&folder(&[0, 6], &[1]));
        assert!(text.contains("train.npy\n  cause: index 6 of 6 images"), "{text}");
        let text = refusal(&folder(&[0], &[]));
        assert!(text.contains("test.npy\n  cause: no indices"), "{text}");
    }

    #[test]
    fn refuses_a_truncated_file() {
        let dir = folder(&[0], &[1]);
        let path = dir.path().join("images.npy");
        let bytes = std::fs::read(&path).unwrap();
        std::fs::write(&path, &bytes[..bytes.len() - 1]).unwrap();
        let text = refusal(&dir);
        assert!(text.starts_with("the dataset cannot be used\n  at:    ") && text.contains("images.npy"), "{text}");
    }

    #[test]
    fn refuses_wrong_shapes_types_and_counts() {
        let dir = folder(&[0], &[1]);
        write_npy(dir.path().join("labels.npy"), &Array1::from(vec![0u8, 1])).unwrap();
        let text = refusal(&dir);
        assert!(text.contains("labels.npy\n  cause: 2 labels for 6 images"), "{text}");
        write_npy(dir.path().join("labels.npy"), &Array1::from(vec![0i64; 6])).unwrap();
        assert!(refusal(&dir).contains("labels.npy"));
        write_npy(dir.path().join("images.npy"), &Array1::from(vec![0u8; 6])).unwrap();
        let text = refusal(&dir);
        assert!(text.contains("cause: shape [6], expected [images, channels, height, width]"), "{text}");
    }

    #[test]
    fn refuses_a_missing_file() {
        let dir = folder(&[0], &[1]);
        std::fs::remove_file(dir.path().join("test.npy")).unwrap();
        assert!(refusal(&dir).starts_with("cannot read a file\n  at:    "));
    }

    #[test]
    fn fits_only_a_network_of_its_shape_range_and_classes() {
        let dataset = Dataset::load(folder(&[0], &[1]).path()).unwrap();
        dataset.check_fits(&network(2, 4, 3)).unwrap();
        for (network, cause) in [
            (network(4, 4, 3), "images are [1, 2, 3], the input of network n is [1, 4, 3]"),
            (network(2, 3, 3), "image 5 has pixel 8, the input has 3 unsigned bits: 0..7"),
            (network(2, 4, 2), "image 2 has label 2, the last layer has 2 outputs"),
        ] {
            let text = dataset.check_fits(&network).unwrap_err().to_string();
            assert!(text.contains(cause), "{text}");
        }
    }
}
