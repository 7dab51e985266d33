//! The program image as a safetensors file: small numbers in the metadata, arrays as tensors.

use std::collections::HashMap;
use std::path::Path;

use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use serde::{Deserialize, Serialize};

use super::{Geometry, Input, LayerProgram, Program, Requantize, Step};
use crate::{ConvShape, Error, Item, Slot, file};

/// Version of the format that this code writes and reads.
pub const FORMAT: u32 = 3;
/// Key of the metadata entry that holds the header.
const HEADER: &str = "basisn";
const FIX: &str = "compile the network again; docs/program-image.md describes the format";

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    format: u32,
    name: String,
    geometry: Geometry,
    input: Input,
    steps: Vec<Step>,
    layers: Vec<LayerHeader>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct LayerHeader {
    name: String,
    shape: ConvShape,
    input_bits: usize,
    signed: bool,
    gain: u32,
    tiles: usize,
    block_positions: usize,
    slots_per_subvector: Vec<usize>,
    shift: u32,
    low: i32,
    high: i32,
    raw: bool,
}

struct Tensor {
    name: String,
    dtype: Dtype,
    shape: Vec<usize>,
    bytes: Vec<u8>,
}

impl Program {
    /// The image file's bytes; the same program gives the same bytes.
    ///
    /// # Errors
    /// The program's parts do not have the sizes that its geometry demands.
    pub fn to_bytes(&self) -> Result<Vec<u8>, Error> {
        let g = self.geometry;
        let mut tensors = vec![Tensor {
            name: "basis".into(),
            dtype: Dtype::I8,
            shape: vec![self.basis.len(), g.rows, g.columns],
            bytes: self.basis.iter().flatten().map(|l| l.cast_unsigned()).collect(),
        }];
        let mut layers = Vec::new();
        for (i, layer) in self.layers.iter().enumerate() {
            let (kernels, total) = (layer.shape.kernels, layer.slot_count());
            let all = || layer.slots.iter().flatten().flatten();
            let mut push = |name: &str, dtype, shape, bytes| {
                tensors.push(Tensor { name: format!("layers.{i}.{name}"), dtype, shape, bytes })
            };
            push("home", Dtype::U32, vec![kernels], bytes_of(&layer.home, |v| v.to_le_bytes()));
            push("multiplier", Dtype::I16, vec![kernels], bytes_of(&layer.requantize.multiplier, |v| v.to_le_bytes()));
            push("offset", Dtype::I64, vec![kernels], bytes_of(&layer.requantize.offset, |v| v.to_le_bytes()));
            let switches = all().flat_map(|s| s.switches.iter().map(|v| v.cast_unsigned())).collect();
            push("switches", Dtype::I8, vec![total, layer.tiles, g.columns], switches);
            let items: Vec<_> = all().flat_map(|s| s.items.iter().copied()).collect();
            let kernel = |i: &Option<Item>| i.map_or(-1i32, |i| i.kernel as i32);
            push(
                "item_kernel",
                Dtype::I32,
                vec![total, layer.tiles, g.lanes],
                bytes_of(&items, |i| kernel(i).to_le_bytes()),
            );
            push(
                "item_plane",
                Dtype::U8,
                vec![total, layer.tiles, g.lanes],
                bytes_of(&items, |i| [i.map_or(0, |i| i.plane as u8)]),
            );
            layers.push(LayerHeader {
                name: layer.name.clone(),
                shape: layer.shape,
                input_bits: layer.input_bits,
                signed: layer.signed,
                gain: layer.gain,
                tiles: layer.tiles,
                block_positions: layer.block_positions,
                slots_per_subvector: layer.slots.iter().map(Vec::len).collect(),
                shift: layer.requantize.shift,
                low: layer.requantize.low,
                high: layer.requantize.high,
                raw: layer.requantize.raw,
            });
        }
        let (input, steps) = (self.input, self.steps.clone());
        let header = Header { format: FORMAT, name: self.name.clone(), geometry: g, input, steps, layers };
        let header = serde_json::to_string(&header).map_err(|e| Error::image("header", e.to_string(), FIX))?;
        let views = tensors
            .iter()
            .map(|t| Ok((t.name.as_str(), TensorView::new(t.dtype, t.shape.clone(), &t.bytes)?)))
            .collect::<Result<Vec<_>, safetensors::SafeTensorError>>();
        views
            .and_then(|views| safetensors::serialize(views, Some(HashMap::from([(HEADER.to_string(), header)]))))
            .map_err(|e| Error::image("tensors", e.to_string(), FIX))
    }

    /// Reads an image file's bytes. [`Program::check`] must pass before the program is run.
    ///
    /// # Errors
    /// Truncated, not of this format or version, a tensor missing or of another type or shape.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        let broken = |e: safetensors::SafeTensorError| Error::image("file", e.to_string(), FIX);
        let (_, metadata) = SafeTensors::read_metadata(bytes).map_err(broken)?;
        let header = metadata.metadata().as_ref().and_then(|m| m.get(HEADER)).ok_or_else(|| {
            Error::image(
                "metadata",
                "there is no entry `basisn`: this is no program image",
                "give a file that `basisn compile` wrote",
            )
        })?;
        let version: serde_json::Value =
            serde_json::from_str(header).map_err(|e| Error::image("metadata", e.to_string(), FIX))?;
        if version["format"] != FORMAT {
            let cause = format!("format {} in the file, {FORMAT} in this program", version["format"]);
            return Err(Error::image("metadata", cause, "compile the network with this version"));
        }
        let header: Header = serde_json::from_str(header).map_err(|e| Error::image("metadata", e.to_string(), FIX))?;
        let tensors = SafeTensors::deserialize(bytes).map_err(broken)?;
        let g = header.geometry;
        if [g.tiles, g.rows, g.columns, g.lanes].contains(&0) {
            // Empty tensors would agree with any number of slots.
            return Err(Error::image("geometry", "a chip has tiles, rows, columns and lanes", FIX));
        }
        let basis_size = tensors.tensor("basis").map(|t| t.shape().first().copied().unwrap_or(0)).map_err(broken)?;
        let basis = read(&tensors, "basis", Dtype::I8, &[basis_size, g.rows, g.columns])?;
        let basis = basis
            .chunks(g.rows.saturating_mul(g.columns))
            .map(|b| b.iter().map(|v| v.cast_signed()).collect())
            .collect();
        let layers =
            header.layers.into_iter().enumerate().map(|(i, l)| layer(&tensors, g, i, l)).collect::<Result<_, _>>()?;
        Ok(Program { name: header.name, geometry: g, basis, input: header.input, steps: header.steps, layers })
    }

    /// Writes the image file, all or nothing.
    ///
    /// # Errors
    /// As [`Program::to_bytes`], or the file cannot be written.
    pub fn save(&self, path: &Path) -> Result<(), Error> {
        let bytes = self.to_bytes()?;
        file::write_whole(path, &bytes).map_err(|e| {
            Error::image(
                path.display().to_string(),
                format!("cannot write: {e}"),
                "choose a folder that exists, is writable and has room",
            )
        })
    }

    /// Reads an image file.
    ///
    /// # Errors
    /// As [`Program::from_bytes`], or the file cannot be read.
    pub fn load(path: &Path) -> Result<Self, Error> {
        let at = path.display().to_string();
        let bytes = std::fs::read(path)
            .map_err(|e| Error::image(&at, format!("cannot read: {e}"), "give a file that `basisn compile` wrote"))?;
        Self::from_bytes(&bytes).map_err(|e| match e {
            Error::Image { at: inside, cause, fix } => Error::Image { at: format!("{at}, {inside}"), cause, fix },
            other => other,
        })
    }
}

fn layer(tensors: &SafeTensors, g: Geometry, index: usize, h: LayerHeader) -> Result<LayerProgram, Error> {
    let name = |part: &str| format!("layers.{index}.{part}");
    let (kernels, tiles) = (h.shape.kernels, h.tiles);
    if tiles == 0 {
        // As with a chip without tiles.
        return Err(Error::image(name("tiles"), "a layer uses at least one tile", FIX));
    }
    let total = h
        .slots_per_subvector
        .iter()
        .try_fold(0usize, |sum, &n| sum.checked_add(n))
        .ok_or_else(|| Error::image(name("slots"), "the number of slots is out of range", FIX))?;
    let home = read(tensors, &name("home"), Dtype::U32, &[kernels])?;
    let multiplier = read(tensors, &name("multiplier"), Dtype::I16, &[kernels])?;
    let offset = read(tensors, &name("offset"), Dtype::I64, &[kernels])?;
    let switches = read(tensors, &name("switches"), Dtype::I8, &[total, tiles, g.columns])?;
    let kernel =
        values_of(read(tensors, &name("item_kernel"), Dtype::I32, &[total, tiles, g.lanes])?, i32::from_le_bytes);
    let plane = read(tensors, &name("item_plane"), Dtype::U8, &[total, tiles, g.lanes])?;
    let mut all = switches.chunks(g.columns).zip(kernel.chunks(g.lanes).zip(plane.chunks(g.lanes))).map(
        |(switches, (kernels, planes))| Slot {
            items: kernels
                .iter()
                .zip(planes)
                .map(|(&k, &p)| usize::try_from(k).ok().map(|kernel| Item { kernel, plane: usize::from(p) }))
                .collect(),
            switches: switches.iter().map(|v| v.cast_signed()).collect(),
        },
    );
    // The tensors' shapes were compared with `total`, so the sizes below are those of data that is there.
    let slots =
        h.slots_per_subvector.iter().map(|&n| (0..n).map(|_| all.by_ref().take(tiles).collect()).collect()).collect();
    Ok(LayerProgram {
        name: h.name,
        shape: h.shape,
        input_bits: h.input_bits,
        signed: h.signed,
        gain: h.gain,
        tiles,
        block_positions: h.block_positions,
        home: values_of(home, u32::from_le_bytes),
        slots,
        requantize: Requantize {
            multiplier: values_of(multiplier, i16::from_le_bytes),
            offset: values_of(offset, i64::from_le_bytes),
            shift: h.shift,
            low: h.low,
            high: h.high,
            raw: h.raw,
        },
    })
}

fn read<'a>(tensors: &SafeTensors<'a>, name: &str, dtype: Dtype, shape: &[usize]) -> Result<&'a [u8], Error> {
    let view = tensors.tensor(name).map_err(|e| Error::image(name, e.to_string(), FIX))?;
    if view.dtype() != dtype || view.shape() != shape {
        let cause = format!("{:?} {:?} found, {dtype:?} {shape:?} expected", view.dtype(), view.shape());
        return Err(Error::image(name, cause, FIX));
    }
    Ok(view.data())
}

fn bytes_of<T, const N: usize>(values: &[T], bytes: impl Fn(&T) -> [u8; N]) -> Vec<u8> {
    values.iter().flat_map(bytes).collect()
}

fn values_of<T, const N: usize>(bytes: &[u8], value: impl Fn([u8; N]) -> T) -> Vec<T> {
    bytes.as_chunks::<N>().0.iter().map(|b| value(*b)).collect()
}
