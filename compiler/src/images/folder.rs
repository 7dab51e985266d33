//! A folder for each class, JPEG and PNG files in it: the layout of ImageNet and of many others.

use std::path::{Path, PathBuf};

use basisn_arch::Shape;
use image::imageops::FilterType;
use rayon::prelude::*;

use super::{Normalization, Pictures};
use crate::Error;

/// The shorter side before the crop, as a share of the crop: 256 for 224.
const RESIZE: f64 = 256.0 / 224.0;

/// Reads images spread evenly over all classes, at most `count`.
pub(crate) fn load(path: &Path, shape: Shape, count: usize) -> Result<Pictures, Error> {
    if shape.channels != 3 {
        return Err(Error::dataset(path, format!("pictures have 3 channels, and the network takes {shape}")));
    }
    let mut files: Vec<(PathBuf, u16)> = Vec::new();
    let classes: Vec<PathBuf> = entries(path)?.into_iter().filter(|entry| entry.is_dir()).collect();
    for (label, class) in classes.iter().enumerate() {
        let label = u16::try_from(label).map_err(|_| Error::dataset(path, "more than 65536 classes".into()))?;
        files.extend(entries(class)?.into_iter().filter(|file| is_picture(file)).map(|file| (file, label)));
    }
    let count = count.min(files.len());
    let chosen: Vec<_> = (0..count).map(|i| &files[i * files.len() / count]).collect();
    let images = chosen
        .par_iter()
        .map(|(file, _)| picture(file, shape).map_err(|cause| Error::dataset(file, cause)))
        .collect::<Result<_, Error>>()?;
    let labels = chosen.iter().map(|(_, label)| *label).collect();
    Ok(Pictures { shape, images, labels, normalization: Normalization::IMAGENET })
}

/// What is in a folder, in the order of names.
pub(crate) fn entries(path: &Path) -> Result<Vec<PathBuf>, Error> {
    let refuse = |e: std::io::Error| Error::read(path, &e);
    let entries = std::fs::read_dir(path).map_err(refuse)?;
    let mut paths = entries.map(|entry| entry.map(|e| e.path())).collect::<Result<Vec<_>, _>>().map_err(refuse)?;
    paths.sort();
    Ok(paths)
}

fn is_picture(path: &Path) -> bool {
    let extension = path.extension().map(|e| e.to_string_lossy().to_lowercase());
    matches!(extension.as_deref(), Some("jpg" | "jpeg" | "png"))
}

/// Resizes the shorter side, crops the middle.
fn picture(path: &Path, shape: Shape) -> Result<Vec<u8>, String> {
    let picture = image::open(path).map_err(|e| e.to_string())?.to_rgb8();
    let (width, height) = picture.dimensions();
    let wanted = [shape.height, shape.width].map(|side| (side as f64 * RESIZE).round());
    let scale = (wanted[0] / f64::from(height)).max(wanted[1] / f64::from(width));
    let size = [width, height].map(|side| (f64::from(side) * scale).round().max(1.0) as u32);
    let resized = image::imageops::resize(&picture, size[0], size[1], FilterType::Triangle);
    let (left, top) = ((size[0] - shape.width as u32) / 2, (size[1] - shape.height as u32) / 2);
    let mut values = Vec::with_capacity(shape.size());
    for channel in 0..3 {
        for y in 0..shape.height as u32 {
            for x in 0..shape.width as u32 {
                values.push(resized.get_pixel(left + x, top + y)[channel]);
            }
        }
    }
    Ok(values)
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::{Rgb, RgbImage};

    #[test]
    fn pictures_are_resized_cropped_and_labelled_by_folder() {
        let folder = tempfile::tempdir().unwrap();
        for (class, colour) in [("b", [0, 255, 0]), ("a", [255, 0, 0])] {
            std::fs::create_dir(folder.path().join(class)).unwrap();
            // A wide picture: the crop leaves out its black ends.
            let wide = RgbImage::from_fn(90, 40, |x, _| if (15..75).contains(&x) { Rgb(colour) } else { Rgb([0; 3]) });
            wide.save(folder.path().join(class).join("1.png")).unwrap();
            wide.save(folder.path().join(class).join("2.JPG")).unwrap();
            std::fs::write(folder.path().join(class).join("notes.txt"), "no picture").unwrap();
        }
        let shape = Shape::new(3, 28, 28);
        let images = load(folder.path(), shape, 100).unwrap();
        assert_eq!(images.labels, [0, 0, 1, 1], "classes in the order of their names");
        let red = (1.0 - 0.485) / 0.229;
        for image in &images.normalized(shape).unwrap().images[..2] {
            assert_eq!(image.len(), shape.size());
            assert!(image[..784].iter().all(|v| (v - red).abs() < 0.1), "within what JPEG changes");
        }
        assert_eq!(load(folder.path(), shape, 2).unwrap().labels, [0, 1], "spread over the classes");
        std::fs::write(folder.path().join("a/3.png"), "broken").unwrap();
        let error = load(folder.path(), shape, 100).unwrap_err().to_string();
        assert!(error.contains("3.png") && error.contains("cause:"), "{error}");
    }
}
