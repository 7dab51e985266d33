//! A data set without a download: coloured shapes filled with textures, in front of clutter and behind an occluder.
//!
//! A class is a pair of shape and texture, so neither alone is enough; colours, place, size, rotation, shear, background, clutter,
//! occlusion and noise are drawn for every image and say nothing about the class. A seed fixes every pixel, whatever the number of threads.
//!
//! | module | what |
//! |---|---|
//! | `scene` | background and figures, from back to front |
//! | `shape` | which points of the plane are inside |
//! | `texture` | which of two colours a point of a shape has |

mod scene;
mod shape;
mod texture;

use ndarray::Array4;
use rayon::prelude::*;

use crate::dataset::HELD_OUT;
use crate::images::{Normalization, Part, Pictures};
use crate::random::Random;
use crate::{Dataset, Error};
use scene::{Scene, range};
use shape::Shape;
use texture::Texture;

/// Side of an image in pixels.
pub const SIDE: usize = 32;
/// Smallest and largest number of classes.
pub const CLASSES: std::ops::RangeInclusive<usize> = 2..=Shape::ALL.len() * Texture::ALL.len();

/// What to draw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Synthetic {
    /// Classes, within [`CLASSES`].
    pub classes: usize,
    /// Images, as many of each class as can be; every fifth is held out.
    pub images: usize,
    /// Fixes every pixel.
    pub seed: u64,
}

impl Synthetic {
    /// From `synthetic:CLASSES`, `synthetic:CLASSES:IMAGES` or `synthetic:CLASSES:IMAGES:SEED`; none if `text` does not begin so.
    /// Unless told otherwise there are 10,000 images of seed 0.
    ///
    /// # Errors
    /// Something else than numbers in range.
    pub fn from_name(text: &str) -> Option<Result<Self, Error>> {
        let numbers: Vec<Option<u64>> = text.strip_prefix("synthetic:")?.split(':').map(|n| n.parse().ok()).collect();
        let wrong = |cause: String| Err(Error::Dataset { at: text.into(), cause });
        let (classes, images, seed) = match *numbers.as_slice() {
            [Some(classes)] => (classes, 10_000, 0),
            [Some(classes), Some(images)] => (classes, images, 0),
            [Some(classes), Some(images), Some(seed)] => (classes, images, seed),
            _ => {
                return Some(wrong(
                    "write synthetic:CLASSES:IMAGES:SEED, all of them numbers; the last two may be left out".into(),
                ));
            }
        };
        let (classes, images) = (classes as usize, images as usize);
        if !CLASSES.contains(&classes) || !(HELD_OUT * classes..=1_000_000).contains(&images) {
            let cause = format!(
                "{classes} classes and {images} images; classes are {} to {}, images {HELD_OUT} of each class to 1000000",
                CLASSES.start(),
                CLASSES.end()
            );
            return Some(wrong(cause));
        }
        Some(Ok(Synthetic { classes, images, seed }))
    }

    /// Draws the images.
    pub fn dataset(&self) -> Dataset {
        let pixels: Vec<u8> = (0..self.images).into_par_iter().flat_map_iter(|image| self.image(image)).collect();
        let (test, train) = (0..self.images).partition(|&image| self.is_held_out(image));
        Dataset {
            // One pixel for every place: the shape fits by construction.
            images: Array4::from_shape_vec((self.images, 3, SIDE, SIDE), pixels).unwrap_or_default(),
            labels: (0..self.images).map(|image| self.class(image) as u8).collect(),
            train,
            test,
            normalization: Some(Normalization::DRAWN),
        }
    }

    /// Draws at most `count` images of one part.
    pub(crate) fn pictures(&self, part: Part, count: usize) -> Pictures {
        let wanted = |image: &usize| self.is_held_out(*image) == (part == Part::HeldOut);
        let chosen: Vec<usize> = (0..self.images).filter(wanted).take(count).collect();
        Pictures {
            shape: basisn_arch::Shape::new(3, SIDE, SIDE),
            images: chosen.par_iter().map(|&image| self.image(image)).collect(),
            labels: chosen.iter().map(|&image| self.class(image) as u16).collect(),
            normalization: Normalization::DRAWN,
        }
    }

    /// The images of a class are every `classes`-th one.
    fn class(&self, image: usize) -> usize {
        image % self.classes
    }

    /// Every fifth image of a class is.
    fn is_held_out(&self, image: usize) -> bool {
        image / self.classes % HELD_OUT == HELD_OUT - 1
    }

    /// One image, `[channel][row][column]`.
    fn image(&self, image: usize) -> Vec<u8> {
        let mut random = Random::new(
            self.seed.wrapping_mul(0x2545_f491_4f6c_dd1d) ^ (image as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15),
        );
        let scene = Scene::draw(self.class(image), &mut random);
        let noise = range(&mut random, 2.0, 14.0);
        let mut pixels = vec![0; 3 * SIDE * SIDE];
        for row in 0..SIDE {
            for column in 0..SIDE {
                let color = scene.pixel(row, column);
                for (channel, value) in color.into_iter().enumerate() {
                    // The sum of two uniform numbers is a triangular one: noise of a sensor, near enough.
                    let off = noise * (range(&mut random, -1.0, 1.0) + range(&mut random, -1.0, 1.0));
                    pixels[(channel * SIDE + row) * SIDE + column] =
                        (255.0 * value + off).round().clamp(0.0, 255.0) as u8;
                }
            }
        }
        pixels
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(seed: u64) -> Dataset {
        Synthetic { classes: 20, images: 200, seed }.dataset()
    }

    #[test]
    fn a_seed_fixes_every_pixel_and_another_seed_changes_them() {
        let (first, again, other) = (set(1), set(1), set(2));
        assert_eq!(first.images, again.images);
        let same = first.images.iter().zip(&other.images).filter(|(a, b)| a == b).count();
        assert!(same < first.images.len() / 20, "{same} of {} pixels", first.images.len());
    }

    #[test]
    fn every_class_is_in_both_parts_and_no_image_twice() {
        let set = set(3);
        let count = |part: &[usize], class: u8| part.iter().filter(|&&i| set.labels[i] == class).count();
        assert!((0..20).all(|class| count(&set.train, class) == 8 && count(&set.test, class) == 2));
        let mut all = [set.train.clone(), set.test.clone()].concat();
        all.sort_unstable();
        assert_eq!(all, (0..200).collect::<Vec<_>>());
    }

    #[test]
    fn pixels_use_the_whole_range() {
        let images = set(4).images;
        assert_eq!((images.iter().min(), images.iter().max()), (Some(&0), Some(&255)));
    }

    #[test]
    fn names_are_read_and_wrong_ones_refused() {
        let read = |text: &str| Synthetic::from_name(text).unwrap();
        assert_eq!(read("synthetic:100").unwrap(), Synthetic { classes: 100, images: 10_000, seed: 0 });
        assert_eq!(read("synthetic:20:500:7").unwrap(), Synthetic { classes: 20, images: 500, seed: 7 });
        assert!(Synthetic::from_name("examples/digits").is_none());
        for (text, cause) in [
            ("synthetic:many", "all of them numbers"),
            ("synthetic:101", "101 classes"),
            ("synthetic:20:99", "99 images"),
        ] {
            let error = read(text).unwrap_err().to_string();
            assert!(error.contains(text) && error.contains(cause), "{error}");
        }
    }
}
