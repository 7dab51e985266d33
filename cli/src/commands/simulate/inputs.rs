//! What a simulation starts from: the chip, the images, their labels, the layers to run.

use std::num::NonZeroUsize;
use std::path::Path;

use basisn_arch::{ChipConfig, Geometry, LayerProgram, Program};
use basisn_compiler::fitted::Code;
use basisn_compiler::images::{Images, Part};
use basisn_models::arithmetic::input_range;

use super::Arguments;
use crate::campaign::Sweep;
use crate::{Error, tensor};

/// The chip named, or the preset whose geometry the program was compiled for.
pub fn config_for(program: &Program, named: Option<&str>) -> Result<ChipConfig, Error> {
    if let Some(name) = named {
        return Ok(ChipConfig::load(name)?);
    }
    for preset in ChipConfig::presets() {
        let config = ChipConfig::load(preset)?;
        if Geometry::from(&config) == program.geometry {
            return Ok(config);
        }
    }
    Err(Error::Input {
        at: "--config".into(),
        cause: "no preset has the geometry of this program".into(),
        fix: "name the chip that it was compiled for: --config chip.toml".into(),
    })
}

/// Images as the program takes them.
pub(super) struct Inputs {
    pub images: Vec<Vec<i32>>,
    /// Their classes, where the format or `--labels` has them.
    pub labels: Option<Vec<u16>>,
}

/// Reads images and labels.
pub(super) fn images(arguments: &Arguments, program: &Program) -> Result<Inputs, Error> {
    let input = &program.input;
    let named = arguments.input.to_string_lossy();
    let count = arguments.images.map_or(usize::MAX, NonZeroUsize::get);
    let (mut images, own) = if named.ends_with(".npy") {
        (tensor::images(&arguments.input, &tensor::read(&arguments.input)?, input.shape)?, Vec::new())
    } else {
        let code = Code { scale: input.scale, bits: input.bits, signed: input.signed };
        let loaded = Images::load(&named, Part::HeldOut, input.shape, count)?;
        (loaded.quantize(&code), loaded.labels)
    };
    images.truncate(count);
    let (low, high) = input_range(input.bits, input.signed);
    for (i, image) in images.iter().enumerate() {
        if let Some(value) = image.iter().find(|v| !(low..=high).contains(*v)) {
            return Err(Error::Input {
                at: format!("{}, image {i}", arguments.input.display()),
                cause: format!("the value {value}, and the network takes {low}..{high}"),
                fix: "quantize the images as those that the network was trained on".into(),
            });
        }
    }
    let labels = match &arguments.labels {
        Some(path) => Some(labels(path, images.len())?),
        None => Some(own).filter(|own| !own.is_empty()),
    };
    Ok(Inputs { images, labels })
}

/// The layers that `--layers` names: all that are written out, or the first of every distinct shape.
pub(super) fn layers(program: &Program, text: &str) -> Result<Vec<usize>, Error> {
    if text == "distinct" {
        let key = |l: &LayerProgram| (l.shape, l.input_bits, l.signed, l.requantize.raw);
        let first = |&i: &usize| program.layers[..i].iter().all(|l| key(l) != key(&program.layers[i]));
        return Ok((0..program.layers.len()).filter(first).collect());
    }
    let number = |name: &str| program.layers.iter().position(|l| l.name == name);
    let found: Result<Vec<usize>, &str> = text.split(',').map(|name| number(name).ok_or(name)).collect();
    found.map_err(|name| Error::Input {
        at: "--layers".into(),
        cause: format!("the program has no layer {name}"),
        fix: "name layers as `basisn inspect` shows them, joined by commas, or write `distinct`".into(),
    })
}

/// A sweep of a campaign.
pub(super) fn sweep(text: &str) -> Result<Sweep, Error> {
    text.parse().map_err(|cause| Error::Input {
        at: format!("--sweep {text}"),
        cause,
        fix: "name a number of the macro model and its values, such as sigma=0,0.05,0.1".into(),
    })
}

fn labels(path: &Path, images: usize) -> Result<Vec<u16>, Error> {
    let array = tensor::read(path)?;
    let refuse = |cause: String| Error::Input {
        at: path.display().to_string(),
        cause,
        fix: "give one label 0..65535 for every image".into(),
    };
    if array.len() < images {
        return Err(refuse(format!("{} labels for {images} images", array.len())));
    }
    array.iter().take(images).map(|&v| u16::try_from(v).map_err(|_| refuse(format!("the label {v}")))).collect()
}
