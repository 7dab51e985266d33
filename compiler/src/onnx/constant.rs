//! Constants of an ONNX file: initializers inside it or in a file beside it, and the small integer tensors that shapes are computed with.

use std::io::{Read, Seek, SeekFrom};
use std::path::{Component, Path};

use super::proto::TensorProto;

/// A constant tensor. Integers are kept as such: they are shapes and axes.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Constant {
    pub dims: Vec<usize>,
    pub data: Data,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Data {
    Floats(Vec<f32>),
    Integers(Vec<i64>),
}

impl Constant {
    pub(super) fn integers(values: Vec<i64>) -> Self {
        Constant { dims: vec![values.len()], data: Data::Integers(values) }
    }

    pub(super) fn as_floats(&self) -> Option<&[f32]> {
        if let Data::Floats(values) = &self.data { Some(values) } else { None }
    }

    pub(super) fn as_integers(&self) -> Option<&[i64]> {
        if let Data::Integers(values) = &self.data { Some(values) } else { None }
    }

    /// Reads a tensor; `folder` is where the model file is.
    pub(super) fn read(tensor: &TensorProto, folder: &Path) -> Result<Self, String> {
        let dims: Option<Vec<usize>> = tensor.dims.iter().map(|&d| usize::try_from(d).ok()).collect();
        let dims = dims.ok_or("a negative extent")?;
        let size = dims.iter().try_fold(1usize, |p, &d| p.checked_mul(d)).ok_or("too large")?;
        let external;
        let raw = if tensor.data_location == 1 {
            external = read_external(tensor, folder, size)?;
            &external
        } else {
            &tensor.raw_data
        };
        let data = match tensor.data_type {
            1 if raw.is_empty() => Data::Floats(tensor.float_data.clone()),
            1 => Data::Floats(values(raw, f32::from_le_bytes)),
            6 if raw.is_empty() => Data::Integers(tensor.int32_data.iter().map(|&v| i64::from(v)).collect()),
            6 => Data::Integers(values(raw, |b| i64::from(i32::from_le_bytes(b)))),
            7 if raw.is_empty() => Data::Integers(tensor.int64_data.clone()),
            7 => Data::Integers(values(raw, i64::from_le_bytes)),
            10 if raw.is_empty() => Data::Floats(tensor.int32_data.iter().map(|&v| half(v as u16)).collect()),
            10 => Data::Floats(values(raw, |b| half(u16::from_le_bytes(b)))),
            11 if raw.is_empty() => Data::Floats(tensor.double_data.iter().map(|&v| v as f32).collect()),
            11 => Data::Floats(values(raw, |b| f64::from_le_bytes(b) as f32)),
            16 => Data::Floats(values(raw, |b| f32::from_bits(u32::from(u16::from_le_bytes(b)) << 16))),
            other => {
                return Err(format!(
                    "elements of type number {other}; float, float16, bfloat16, double, int32 and int64 are read"
                ));
            }
        };
        let found = match &data {
            Data::Floats(v) => v.len(),
            Data::Integers(v) => v.len(),
        };
        if found == size { Ok(Constant { dims, data }) } else { Err(format!("{found} values for shape {dims:?}")) }
    }
}

fn values<T, const N: usize>(bytes: &[u8], value: impl Fn([u8; N]) -> T) -> Vec<T> {
    bytes.as_chunks::<N>().0.iter().map(|b| value(*b)).collect()
}

/// IEEE 754 binary16.
fn half(bits: u16) -> f32 {
    let (exponent, fraction) = (i32::from(bits >> 10 & 0x1f), f32::from(bits & 0x3ff));
    let magnitude = match exponent {
        0 => fraction * 2f32.powi(-24),
        31 if fraction == 0.0 => f32::INFINITY,
        31 => f32::NAN,
        _ => (1.0 + fraction / 1024.0) * 2f32.powi(exponent - 15),
    };
    if bits >> 15 == 1 { -magnitude } else { magnitude }
}

/// Bytes of an element of a type.
fn width(data_type: i32) -> usize {
    match data_type {
        10 | 16 => 2,
        7 | 11 => 8,
        _ => 4,
    }
}

fn read_external(tensor: &TensorProto, folder: &Path, size: usize) -> Result<Vec<u8>, String> {
    let entry = |key: &str| tensor.external_data.iter().find(|e| e.key == key).map(|e| e.value.as_str());
    let location = entry("location").ok_or("its values are in another file, which is not named")?;
    // A file must not make us read what is not its own.
    if !Path::new(location).components().all(|c| matches!(c, Component::Normal(_))) {
        return Err(format!("its values are in {location}, which is not in the folder of the model"));
    }
    let path = folder.join(location);
    let refuse = |e: std::io::Error| format!("its values are in {}: {e}", path.display());
    let offset = entry("offset").unwrap_or("0").parse::<u64>().map_err(|e| e.to_string())?;
    let mut file = std::fs::File::open(&path).map_err(refuse)?;
    let there = file.metadata().map_err(refuse)?.len();
    let length = size.checked_mul(width(tensor.data_type)).ok_or("too large")? as u64;
    if offset.checked_add(length).is_none_or(|end| end > there) {
        return Err(format!(
            "its values are {length} bytes at {offset} of {}, which has {there} bytes",
            path.display()
        ));
    }
    file.seek(SeekFrom::Start(offset)).map_err(refuse)?;
    let mut bytes = vec![0; length as usize];
    file.read_exact(&mut bytes).map_err(refuse)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::onnx::proto::StringStringEntryProto;

    fn raw(data_type: i32, dims: &[i64], raw_data: Vec<u8>) -> TensorProto {
        TensorProto { data_type, dims: dims.to_vec(), raw_data, ..TensorProto::default() }
    }

    #[test]
    fn every_type_of_elements_is_read() {
        let here = Path::new(".");
        let floats = |t: &TensorProto| Constant::read(t, here).unwrap().as_floats().unwrap().to_vec();
        assert_eq!(floats(&raw(1, &[1], 1.5f32.to_le_bytes().to_vec())), [1.5]);
        assert_eq!(floats(&raw(11, &[1], (-0.25f64).to_le_bytes().to_vec())), [-0.25]);
        // 1.5, -2, the smallest subnormal, 65504.
        let halves: Vec<u8> = [0x3e00u16, 0xc000, 0x0001, 0x7bff].iter().flat_map(|v| v.to_le_bytes()).collect();
        assert_eq!(floats(&raw(10, &[4], halves)), [1.5, -2.0, 2f32.powi(-24), 65504.0]);
        assert_eq!(floats(&raw(16, &[1], 0x3fc0u16.to_le_bytes().to_vec())), [1.5]);
        let whole = raw(7, &[2], [3i64, -1].iter().flat_map(|v| v.to_le_bytes()).collect());
        assert_eq!(Constant::read(&whole, here).unwrap().as_integers().unwrap(), [3, -1]);
        assert!(Constant::read(&raw(8, &[0], vec![]), here).unwrap_err().contains("type number 8"));
        assert!(Constant::read(&raw(1, &[3], vec![0; 8]), here).unwrap_err().contains("2 values for shape [3]"));
        assert!(Constant::read(&raw(1, &[-3], vec![0; 8]), here).is_err());
        assert!(Constant::read(&raw(1, &[i64::MAX, i64::MAX], vec![0; 8]), here).unwrap_err().contains("too large"));
    }

    #[test]
    fn values_beside_the_model_are_read_and_no_others() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("w.bin"), [[0u8; 4], 2.5f32.to_le_bytes()].concat()).unwrap();
        let tensor = |location: &str, offset: &str| TensorProto {
            data_type: 1,
            dims: vec![1],
            data_location: 1,
            external_data: [("location", location), ("offset", offset)]
                .map(|(key, value)| StringStringEntryProto { key: key.into(), value: value.into() })
                .to_vec(),
            ..TensorProto::default()
        };
        let read = |location, offset| Constant::read(&tensor(location, offset), folder.path());
        assert_eq!(read("w.bin", "4").unwrap().as_floats().unwrap(), [2.5]);
        assert!(read("w.bin", "6").unwrap_err().contains("4 bytes at 6"));
        assert!(read("absent.bin", "0").unwrap_err().contains("absent.bin"));
        for outside in ["../w.bin", "/etc/hostname"] {
            assert!(read(outside, "0").unwrap_err().contains("not in the folder of the model"));
        }
    }
}
