//! `.npy` arrays, read without trusting what their heads promise: a size is believed only when the bytes are there.

use ndarray::{ArrayD, ArrayViewD};
use ndarray_npy::{ReadNpyExt, ReadableElement, ViewElement, ViewNpyError, ViewNpyExt};

/// Reads an array from a file's bytes.
///
/// # Errors
/// Not a `.npy` file, another element type or byte order, or too few or too many bytes for the shape.
pub fn read<T: ReadableElement + ViewElement + Clone>(bytes: &[u8]) -> Result<ArrayD<T>, ViewNpyError> {
    match ArrayViewD::<T>::view_npy(bytes) {
        Ok(view) => Ok(view.to_owned()),
        // The length was compared first, so reading allocates no more than the file has.
        Err(ViewNpyError::MisalignedData) => {
            ArrayD::<T>::read_npy(bytes).map_err(|e| ViewNpyError::InvalidData(Box::new(e)))
        }
        Err(e) => Err(e),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray_npy::WriteNpyExt;

    #[test]
    fn arrays_are_read_at_any_address_and_promises_are_not_believed() {
        let array = ArrayD::from_shape_vec(vec![2, 2], vec![1i64, -2, 3, 1 << 40]).unwrap();
        let mut file = Vec::new();
        array.write_npy(&mut file).unwrap();
        for shift in 0..8 {
            let moved = [vec![0; shift], file.clone()].concat();
            assert_eq!(read::<i64>(&moved[shift..]).unwrap(), array);
        }
        assert!(matches!(read::<i64>(&file[..file.len() - 3]), Err(ViewNpyError::MissingBytes(3))));
        assert!(matches!(read::<u8>(&file), Err(ViewNpyError::WrongDescriptor(_))));
        let at = file.windows(6).position(|w| w == b"(2, 2)").unwrap();
        let huge = b"(99999999999, 2)";
        file[at..at + huge.len()].copy_from_slice(huge);
        file[at + huge.len()] = b'}';
        assert!(read::<i64>(&file).is_err());
    }
}
