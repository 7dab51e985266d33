//! The fitted network as a safetensors file: small numbers in the metadata, arrays as tensors.

use std::collections::HashMap;
use std::path::Path;

use basisn_arch::image::Input;
use basisn_arch::{ConvShape, Step, file};
use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use serde::{Deserialize, Serialize};

use super::{Code, Fitted, FittedLayer};
use crate::Error;
use crate::basis::Basis;
use crate::coefficient::CoefficientCode;

/// Version of the format that this code writes and reads.
pub const FORMAT: u32 = 1;
/// Key of the metadata entry that holds the header.
const HEADER: &str = "basisn-fitted";
/// Group of a kernel in a file of a layer without groups.
const NO_GROUP: u32 = u32::MAX;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    format: u32,
    name: String,
    adc_bits: usize,
    input: Input,
    steps: Vec<Step>,
    layers: Vec<LayerHeader>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct LayerHeader {
    name: String,
    shape: ConvShape,
    code: CoefficientCode,
    input: Code,
    output: Option<Code>,
    range: Option<(i32, i32)>,
    gain: u32,
    clipped_share: f64,
    weight_signal: f64,
    weight_error: f64,
}

impl Fitted {
    /// The file's bytes; the same fit gives the same bytes.
    ///
    /// # Errors
    /// The fit is damaged, see [`Fitted::check`].
    pub fn to_bytes(&self) -> Result<Vec<u8>, Error> {
        self.check()?;
        let basis = &self.bases[0];
        let levels: Vec<u8> = self.bases.iter().flat_map(|b| &b.levels).map(|l| l.cast_unsigned()).collect();
        let mut tensors =
            vec![("bases".to_string(), Dtype::I8, vec![self.bases.len(), basis.rows, basis.columns], levels)];
        let mut layers = Vec::new();
        for (i, layer) in self.layers.iter().enumerate() {
            let kernels = layer.shape.kernels;
            let mut push =
                |part: &str, dtype, shape, bytes| tensors.push((format!("layers.{i}.{part}"), dtype, shape, bytes));
            let coefficients = layer.coefficients.iter().map(|c| c.cast_unsigned()).collect();
            push("coefficients", Dtype::I8, vec![kernels, layer.cut(basis.rows).count, basis.columns], coefficients);
            push("scale", Dtype::F64, vec![kernels], layer.scale.iter().flat_map(|v| v.to_le_bytes()).collect());
            push("bias", Dtype::F64, vec![kernels], layer.bias.iter().flat_map(|v| v.to_le_bytes()).collect());
            let mut group_of = vec![NO_GROUP; kernels];
            for (number, group) in layer.groups.iter().flatten().enumerate() {
                group.iter().for_each(|&kernel| group_of[kernel] = number as u32);
            }
            push("group", Dtype::U32, vec![kernels], group_of.iter().flat_map(|v| v.to_le_bytes()).collect());
            layers.push(LayerHeader {
                name: layer.name.clone(),
                shape: layer.shape,
                code: layer.code,
                input: layer.input,
                output: layer.output,
                range: layer.range,
                gain: layer.gain,
                clipped_share: layer.clipped_share,
                weight_signal: layer.weight_signal,
                weight_error: layer.weight_error,
            });
        }
        let (input, steps) = (self.input, self.steps.clone());
        let header = Header { format: FORMAT, name: self.name.clone(), adc_bits: self.adc_bits, input, steps, layers };
        let header = serde_json::to_string(&header).map_err(|e| bad("header", &e))?;
        let views = tensors
            .iter()
            .map(|(name, dtype, shape, bytes)| Ok((name.as_str(), TensorView::new(*dtype, shape.clone(), bytes)?)))
            .collect::<Result<Vec<_>, safetensors::SafeTensorError>>();
        views
            .and_then(|views| safetensors::serialize(views, Some(HashMap::from([(HEADER.to_string(), header)]))))
            .map_err(|e| bad("tensors", &e))
    }

    /// Reads a file's bytes and checks them.
    ///
    /// # Errors
    /// Truncated, not of this format or version, a tensor missing or of another type or shape, or what [`Fitted::check`] refuses.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        let tensors = SafeTensors::deserialize(bytes).map_err(|e| bad("file", &e))?;
        let (_, metadata) = SafeTensors::read_metadata(bytes).map_err(|e| bad("file", &e))?;
        let Some(header) = metadata.metadata().as_ref().and_then(|m| m.get(HEADER)) else {
            return Err(bad(
                "metadata",
                &format!("there is no entry `{HEADER}`: `basisn fit` did not write this file"),
            ));
        };
        let version: serde_json::Value = serde_json::from_str(header).map_err(|e| bad("metadata", &e))?;
        if version["format"] != FORMAT {
            return Err(bad(
                "metadata",
                &format!("format {} in the file, {FORMAT} in this program", version["format"]),
            ));
        }
        let mut header: Header = serde_json::from_str(header).map_err(|e| bad("metadata", &e))?;
        let levels = tensors.tensor("bases").map_err(|e| bad("bases", &e))?;
        let &[_, rows, columns] = levels.shape() else {
            return Err(bad("bases", &format!("{:?} found, three dimensions expected", levels.shape())));
        };
        if levels.dtype() != Dtype::I8 || levels.data().is_empty() {
            return Err(bad("bases", &"they are not levels of type I8"));
        }
        let bases = levels
            .data()
            .chunks_exact(rows * columns)
            .map(|l| Basis { rows, columns, levels: l.iter().map(|l| l.cast_signed()).collect() })
            .collect();
        let layers = std::mem::take(&mut header.layers).into_iter().enumerate();
        let layers = layers.map(|(i, l)| layer(&tensors, rows, columns, i, l)).collect::<Result<_, _>>()?;
        let Header { name, adc_bits, input, steps, .. } = header;
        let fitted = Fitted { name, bases, adc_bits, input, steps, layers };
        fitted.check()?;
        Ok(fitted)
    }

    /// Writes the file, all or nothing.
    ///
    /// # Errors
    /// As [`Fitted::to_bytes`], or the file cannot be written.
    pub fn save(&self, path: &Path) -> Result<(), Error> {
        let bytes = self.to_bytes()?;
        file::write_whole(path, &bytes).map_err(|e| bad(&path.display().to_string(), &format!("cannot write: {e}")))
    }

    /// Reads a file and checks it.
    ///
    /// # Errors
    /// As [`Fitted::from_bytes`], or the file cannot be read.
    pub fn load(path: &Path) -> Result<Self, Error> {
        let bytes = std::fs::read(path).map_err(|e| Error::read(path, &e))?;
        Self::from_bytes(&bytes).map_err(|e| match e {
            Error::Fitted { at, cause } => Error::Fitted { at: format!("{}, {at}", path.display()), cause },
            other => other,
        })
    }
}

fn layer(
    tensors: &SafeTensors,
    rows: usize,
    columns: usize,
    index: usize,
    h: LayerHeader,
) -> Result<FittedLayer, Error> {
    let name = |part: &str| format!("layers.{index}.{part}");
    let s = &h.shape;
    if !basisn_arch::image::in_range(s) {
        return Err(bad(&format!("layer {}", h.name), &"its shape is out of range"));
    }
    let subvectors = basisn_arch::Subvectors::new(s.depth(), rows).count;
    let kernels = s.kernels;
    let coefficients = read(tensors, &name("coefficients"), Dtype::I8, &[kernels, subvectors, columns])?;
    let numbers = |part| -> Result<Vec<f64>, Error> {
        let bytes = read(tensors, &name(part), Dtype::F64, &[kernels])?;
        Ok(bytes.as_chunks::<8>().0.iter().map(|b| f64::from_le_bytes(*b)).collect())
    };
    let group_of = read(tensors, &name("group"), Dtype::U32, &[kernels])?;
    let group_of: Vec<u32> = group_of.as_chunks::<4>().0.iter().map(|b| u32::from_le_bytes(*b)).collect();
    Ok(FittedLayer {
        coefficients: coefficients.iter().map(|c| c.cast_signed()).collect(),
        scale: numbers("scale")?,
        bias: numbers("bias")?,
        groups: groups(&group_of).map_err(|cause| bad(&name("group"), &cause))?,
        name: h.name,
        shape: h.shape,
        code: h.code,
        input: h.input,
        output: h.output,
        range: h.range,
        gain: h.gain,
        clipped_share: h.clipped_share,
        weight_signal: h.weight_signal,
        weight_error: h.weight_error,
    })
}

/// Kernels of every group, from the group of every kernel.
fn groups(group_of: &[u32]) -> Result<Option<Vec<Vec<usize>>>, &'static str> {
    if group_of.iter().all(|g| *g == NO_GROUP) {
        return Ok(None);
    }
    let mut groups = vec![Vec::new(); group_of.len()];
    for (kernel, &group) in group_of.iter().enumerate() {
        // There are no more groups than kernels.
        groups.get_mut(group as usize).ok_or("a group's number is out of range")?.push(kernel);
    }
    groups.retain(|group| !group.is_empty());
    Ok(Some(groups))
}

fn read<'a>(tensors: &SafeTensors<'a>, name: &str, dtype: Dtype, shape: &[usize]) -> Result<&'a [u8], Error> {
    let view = tensors.tensor(name).map_err(|e| bad(name, &e))?;
    if view.dtype() != dtype || view.shape() != shape {
        let cause = format!("{:?} {:?} found, {dtype:?} {shape:?} expected", view.dtype(), view.shape());
        return Err(bad(name, &cause));
    }
    Ok(view.data())
}

fn bad(at: &str, cause: &dyn std::fmt::Display) -> Error {
    Error::Fitted { at: at.into(), cause: cause.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Random, test_seed};
    use basisn_models::random::mvm_shape;

    fn fitted(grouped: bool) -> Fitted {
        let layer = |name: &str, depth, kernels: usize| {
            let shape = mvm_shape(depth, 2, kernels);
            FittedLayer {
                name: name.into(),
                shape,
                code: CoefficientCode::power_of_two(2),
                coefficients: (0..kernels * shape.depth().div_ceil(4) * 6).map(|i| [0, 1, -2][i / 6 % 3]).collect(),
                scale: (0..kernels).map(|k| 0.1 * k as f64).collect(),
                bias: vec![-1.5; kernels],
                groups: grouped.then(|| (0..kernels).map(|k| vec![k]).collect()),
                input: Code { scale: 0.3, bits: 8, signed: false },
                output: Some(Code { scale: 0.7, bits: 4, signed: true }),
                range: None,
                gain: 2,
                clipped_share: 0.01,
                weight_signal: 3.0,
                weight_error: 0.25,
            }
        };
        let basis = |level| Basis { rows: 4, columns: 6, levels: vec![level; 24] };
        Fitted {
            name: "net".into(),
            bases: vec![basis(1), basis(-1)],
            adc_bits: 8,
            input: Input { shape: basisn_arch::Shape::new(7, 1, 2), bits: 8, signed: false, scale: 0.3 },
            steps: vec![Step { name: "a".into(), inputs: vec![0], op: basisn_arch::StepOp::Flatten }],
            layers: vec![layer("a", 7, 3), layer("b", 4, 5)],
        }
    }

    #[test]
    fn what_is_written_is_read_and_the_same_fit_gives_the_same_bytes() {
        let folder = tempfile::tempdir().unwrap();
        for grouped in [false, true] {
            let fitted = fitted(grouped);
            let path = folder.path().join("f.safetensors");
            fitted.save(&path).unwrap();
            assert_eq!(Fitted::load(&path).unwrap(), fitted);
            assert_eq!(fitted.to_bytes().unwrap(), fitted.to_bytes().unwrap());
        }
    }

    #[test]
    fn damaged_files_are_refused_and_never_panic() {
        let bytes = fitted(true).to_bytes().unwrap();
        for length in 0..bytes.len() {
            assert!(Fitted::from_bytes(&bytes[..length]).is_err(), "{length} bytes");
        }
        let mut random = Random::new(test_seed(51));
        let (mut refused, rounds) = (0, 4000);
        for _ in 0..rounds {
            let mut damaged = bytes.clone();
            for _ in 0..1 + random.below(3) {
                let place = random.below(damaged.len());
                damaged[place] = random.below(256) as u8;
            }
            refused += usize::from(Fitted::from_bytes(&damaged).is_err());
        }
        // What is left alone is a number that is still in range.
        assert!(refused > rounds / 2, "{refused} of {rounds}");
    }

    #[test]
    fn each_rule_of_the_file_has_its_message() {
        let bytes = fitted(true).to_bytes().unwrap();
        let (length, _) = SafeTensors::read_metadata(&bytes).unwrap();
        // The header is text of `length` bytes after its own length; changes keep the number of bytes.
        let refused = |from: &str, to: &str| {
            let header = String::from_utf8(bytes[8..8 + length].to_vec()).unwrap();
            assert!(header.contains(from) && from.len() == to.len(), "{header}");
            let mut damaged = bytes.clone();
            damaged[8..8 + length].copy_from_slice(header.replace(from, to).as_bytes());
            Fitted::from_bytes(&damaged).unwrap_err().to_string()
        };
        let version = refused(r#"\"format\":1"#, r#"\"format\":9"#);
        assert!(
            version.contains("format 9 in the file, 1 in this program") && version.contains("fit the network again")
        );
        assert!(refused("basisn-fitted", "basisn-fitter").contains("no entry `basisn-fitted`"));
        assert!(refused("adc_bits", "adc_bitz").contains("adc_bitz"));
        assert!(refused("layers.1.scale", "layers.1.scald").contains("at:    layers.1.scale"));
        assert!(refused(r#"\"kernels\":5"#, r#"\"kernels\":4"#).contains("[5, 1, 6] found, I8 [4, 1, 6] expected"));
        assert!(refused(r#"\"stride\":[1"#, r#"\"stride\":[0"#).contains("its shape is out of range"));
        let nothing = Fitted::load(Path::new("no/such/file")).unwrap_err().to_string();
        assert!(nothing.contains("no/such/file"), "{nothing}");
    }
}
