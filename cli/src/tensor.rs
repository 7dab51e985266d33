//! Integer tensors in `.npy` files.

use std::fs::File;
use std::path::Path;

use ndarray::{ArrayD, IxDyn};
use ndarray_npy::{ReadNpyError, ReadNpyExt, WriteNpyExt};

use crate::Error;

/// Reads an integer array of any of NumPy's usual integer types.
///
/// # Errors
/// Unreadable, truncated, not an integer array, or a value beyond 32 bits.
pub fn read(path: &Path) -> Result<ArrayD<i32>, Error> {
    let array = typed::<u8>(path)
        .or_else(|e| if wrong_type(&e) { typed::<i8>(path) } else { Err(e) })
        .or_else(|e| if wrong_type(&e) { typed::<i16>(path) } else { Err(e) })
        .or_else(|e| if wrong_type(&e) { typed::<i32>(path) } else { Err(e) })
        .or_else(|e| if wrong_type(&e) { typed::<i64>(path) } else { Err(e) })
        .map_err(|e| refuse(path, e.to_string()))?;
    if let Some(value) = array.iter().find(|v| i32::try_from(**v).is_err()) {
        return Err(refuse(path, format!("the value {value} does not fit 32 bits")));
    }
    Ok(array.mapv(|v| v as i32))
}

fn typed<T: ndarray_npy::ReadableElement + Copy + Into<i64>>(path: &Path) -> Result<ArrayD<i64>, ReadNpyError> {
    let file = File::open(path).map_err(ReadNpyError::Io)?;
    Ok(ArrayD::<T>::read_npy(std::io::BufReader::new(file))?.mapv(Into::into))
}

fn wrong_type(error: &ReadNpyError) -> bool {
    matches!(error, ReadNpyError::WrongDescriptor(_))
}

/// The bytes of a `.npy` file of 64-bit integers.
///
/// # Errors
/// `values` does not have the size of `shape`.
pub fn npy(shape: &[usize], values: Vec<i64>) -> Result<Vec<u8>, Error> {
    let refuse = |cause: String| Error::Input { at: format!("tensor {shape:?}"), cause, fix: "report it".into() };
    let array = ArrayD::from_shape_vec(IxDyn(shape), values).map_err(|e| refuse(e.to_string()))?;
    let mut bytes = Vec::new();
    array.write_npy(&mut bytes).map_err(|e| refuse(e.to_string()))?;
    Ok(bytes)
}

/// Cuts an array into images of `size` integers: one image, or many along the first axis.
///
/// # Errors
/// The array is not a whole number of such images.
pub fn images(path: &Path, array: &ArrayD<i32>, size: usize, shape: &str) -> Result<Vec<Vec<i32>>, Error> {
    let count = if array.len() == size { 1 } else { array.shape().first().copied().unwrap_or(0) };
    if count == 0 || count * size != array.len() {
        return Err(Error::Input {
            at: path.display().to_string(),
            cause: format!("shape {:?}, and the network takes images of {shape}", array.shape()),
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
        std::fs::write(&path, npy(&[2, 2], vec![1, -2, 3, 4]).unwrap()).unwrap();
        assert_eq!(read(&path).unwrap().iter().copied().collect::<Vec<_>>(), [1, -2, 3, 4]);
        std::fs::write(&path, npy(&[1], vec![1 << 40]).unwrap()).unwrap();
        assert!(read(&path).unwrap_err().to_string().contains("does not fit 32 bits"));
        let mut floats = Vec::new();
        ndarray::Array1::from(vec![1.5f32]).write_npy(&mut floats).unwrap();
        std::fs::write(&path, &floats).unwrap();
        assert!(read(&path).unwrap_err().to_string().contains("cause:"));
        let whole = npy(&[100], vec![7; 100]).unwrap();
        std::fs::write(&path, &whole[..300]).unwrap();
        assert!(read(&path).is_err(), "truncated");
    }

    #[test]
    fn images_of_another_size_are_refused() {
        let path = Path::new("x.npy");
        let array = ArrayD::from_shape_vec(IxDyn(&[2, 1, 2, 2]), vec![0; 8]).unwrap();
        assert_eq!(images(path, &array, 4, "1 x 2 x 2").unwrap().len(), 2);
        let error = images(path, &array, 9, "1 x 3 x 3").unwrap_err().to_string();
        assert!(error.contains("the network takes images of 1 x 3 x 3"), "{error}");
    }
}
