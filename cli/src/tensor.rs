//! Integer tensors in `.npy` files.

use std::path::Path;

use basisn_arch::Shape;
use basisn_compiler::npy;
use ndarray::{ArrayD, IxDyn};
use ndarray_npy::{ReadableElement, ViewElement, ViewNpyError, WriteNpyExt};

use crate::Error;

/// Reads an integer array of any of NumPy's usual integer types.
///
/// # Errors
/// Unreadable, truncated, not an integer array, or a value beyond 32 bits.
pub fn read(path: &Path) -> Result<ArrayD<i32>, Error> {
    let bytes = std::fs::read(path).map_err(|e| refuse(path, e.to_string()))?;
    let array = typed::<u8>(&bytes)
        .or_else(|e| if wrong_type(&e) { typed::<i8>(&bytes) } else { Err(e) })
        .or_else(|e| if wrong_type(&e) { typed::<i16>(&bytes) } else { Err(e) })
        .or_else(|e| if wrong_type(&e) { typed::<i32>(&bytes) } else { Err(e) })
        .or_else(|e| if wrong_type(&e) { typed::<i64>(&bytes) } else { Err(e) })
        .map_err(|e| refuse(path, e.to_string()))?;
    if let Some(value) = array.iter().find(|v| i32::try_from(**v).is_err()) {
        return Err(refuse(path, format!("the value {value} does not fit 32 bits")));
    }
    Ok(array.mapv(|v| v as i32))
}

fn typed<T: ReadableElement + ViewElement + Copy + Into<i64>>(bytes: &[u8]) -> Result<ArrayD<i64>, ViewNpyError> {
    Ok(npy::read::<T>(bytes)?.mapv(Into::into))
}

fn wrong_type(error: &ViewNpyError) -> bool {
    matches!(error, ViewNpyError::WrongDescriptor(_))
}

/// The bytes of a `.npy` file of 64-bit integers.
///
/// # Errors
/// `values` does not have the size of `shape`.
pub fn to_npy(shape: &[usize], values: Vec<i64>) -> Result<Vec<u8>, Error> {
    let refuse = |cause: String| Error::Input { at: format!("tensor {shape:?}"), cause, fix: "report it".into() };
    let array = ArrayD::from_shape_vec(IxDyn(shape), values).map_err(|e| refuse(e.to_string()))?;
    let mut bytes = Vec::new();
    array.write_npy(&mut bytes).map_err(|e| refuse(e.to_string()))?;
    Ok(bytes)
}

/// Cuts an array into the images that a network takes: one, or many along a first axis. An image is `[channels, height, width]`,
/// flat, or, with one channel, `[height, width]`.
///
/// # Errors
/// The array is not a whole number of such images.
pub fn images(path: &Path, array: &ArrayD<i32>, shape: Shape) -> Result<Vec<Vec<i32>>, Error> {
    let full = [shape.channels, shape.height, shape.width];
    let size = shape.size();
    let plane = if shape.channels == 1 { &full[1..] } else { &full[..] };
    let fits = [&full[..], plane, &[size]]
        .iter()
        .any(|image| array.shape().strip_suffix(*image).is_some_and(|rest| rest.len() <= 1 && !rest.contains(&0)));
    if !fits {
        let [channels, height, width] = full;
        return Err(Error::Input {
            at: path.display().to_string(),
            cause: format!(
                "shape {:?}, and the network takes images of {channels} x {height} x {width}",
                array.shape()
            ),
            fix: "give images of the size that the network was trained on".into(),
        });
    }
    let values: Vec<i32> = array.iter().copied().collect();
    Ok(values.chunks(size).map(<[i32]>::to_vec).collect())
}

fn refuse(path: &Path, cause: String) -> Error {
    Error::Input {
        at: path.display().to_string(),
        cause,
        fix: "give a .npy file of integers, such as examples/digits/images.npy".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integer_types_are_read_and_others_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.npy");
        std::fs::write(&path, to_npy(&[2, 2], vec![1, -2, 3, 4]).unwrap()).unwrap();
        assert_eq!(read(&path).unwrap().iter().copied().collect::<Vec<_>>(), [1, -2, 3, 4]);
        std::fs::write(&path, to_npy(&[1], vec![1 << 40]).unwrap()).unwrap();
        assert!(read(&path).unwrap_err().to_string().contains("does not fit 32 bits"));
        let mut floats = Vec::new();
        ndarray::Array1::from(vec![1.5f32]).write_npy(&mut floats).unwrap();
        std::fs::write(&path, &floats).unwrap();
        assert!(read(&path).unwrap_err().to_string().contains("cause:"));
        let whole = to_npy(&[100], vec![7; 100]).unwrap();
        std::fs::write(&path, &whole[..300]).unwrap();
        assert!(read(&path).is_err(), "truncated");
    }

    #[test]
    fn images_of_another_size_are_refused() {
        let image = Shape::new(1, 2, 3);
        let cut = |image: Shape, shape: &[usize]| {
            let size = shape.iter().product();
            images(Path::new("x.npy"), &ArrayD::from_shape_vec(IxDyn(shape), vec![0; size]).unwrap(), image)
        };
        for (shape, count) in
            [(&[4, 1, 2, 3][..], 4), (&[1, 2, 3], 1), (&[4, 2, 3], 4), (&[2, 3], 1), (&[5, 6], 5), (&[6], 1)]
        {
            assert_eq!(cut(image, shape).unwrap().len(), count, "{shape:?}");
        }
        for shape in [&[4, 1, 3, 2][..], &[4, 1, 1, 6], &[3, 2], &[0, 1, 2, 3], &[2, 2, 1, 2, 3], &[24], &[]] {
            let error = cut(image, shape).unwrap_err().to_string();
            assert!(error.contains("the network takes images of 1 x 2 x 3"), "{error}");
        }
        let colour = Shape { channels: 2, ..image };
        assert!(cut(colour, &[2, 2, 3]).is_ok() && cut(colour, &[4, 2, 3]).is_err());
    }
}
