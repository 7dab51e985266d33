//! Chips with the errors of real devices: what a network is worth on them, and the levels that are read back from one.

use std::sync::Arc;

use basisn_arch::{ChipConfig, Geometry, Program};
use basisn_compiler::float::argmax;
use basisn_compiler::{Dataset, Fitted};
use basisn_models::fast::Core;
use basisn_models::rram::cell::FRACTION_BITS;
use basisn_models::rram::{Device, DeviceMacro, MacroModel};

use crate::Error;
use crate::adc::Levels;

/// The classes that the golden reference gives images, on ideal crossbars or on those of a device.
///
/// # Errors
/// The program does not run on the chip.
pub fn predictions(
    program: &Program,
    config: &ChipConfig,
    device: Option<&Device>,
    dataset: &Dataset,
    images: &[usize],
) -> Result<Vec<usize>, Error> {
    let pixels = basisn_compiler::pixels(dataset, images);
    let runs = Core::new(config, program, device)?.run(&pixels, 0)?;
    Ok(runs.iter().map(|run| run.values.last().map_or(0, |scores| argmax(scores))).collect())
}

/// Accuracy on some chips of a model, 0..1 each; the seeds are `seeds`.
///
/// # Errors
/// The program does not run on the chip.
pub fn accuracies(
    program: &Program,
    config: &ChipConfig,
    model: &Arc<MacroModel>,
    seeds: std::ops::Range<u64>,
    dataset: &Dataset,
    images: &[usize],
) -> Result<Vec<f64>, Error> {
    let accuracy = |seed| {
        let device = Device { model: Arc::clone(model), seed };
        let classes = predictions(program, config, Some(&device), dataset, images)?;
        let right =
            images.iter().zip(classes).filter(|&(&image, class)| class == usize::from(dataset.labels[image])).count();
        Ok(right as f64 / images.len().max(1) as f64)
    };
    seeds.map(accuracy).collect()
}

/// The levels of every tile of the first core of a chip, read back after `levels` (`[row][column]`) were written.
pub fn measured(config: &ChipConfig, device: &Device, levels: &[i8]) -> Vec<Levels> {
    let geometry = Geometry::from(config);
    (0..config.tiles()).map(|tile| effective(&written(geometry, device, tile, levels))).collect()
}

/// The tile that runs each kernel of each fitted layer, by the program that it was compiled to. A layer of the network may be several of
/// the program, one for each block of its kernels.
pub fn tiles_of(fitted: &Fitted, program: &Program) -> Vec<Vec<usize>> {
    let mut tiles = program.layers.iter().flat_map(|l| l.home.iter().map(|&home| home as usize % l.tiles));
    fitted.layers.iter().map(|layer| tiles.by_ref().take(layer.shape.kernels).collect()).collect()
}

/// The crossbar of a tile of the first core of a chip, with `levels` (`[row][column]`) written.
pub fn written(geometry: Geometry, device: &Device, tile: usize, levels: &[i8]) -> DeviceMacro {
    let mut written = DeviceMacro::new(geometry, device, 0, tile);
    written.program_all(levels);
    written
}

/// What the cells of a crossbar are worth.
pub fn effective(written: &DeviceMacro) -> Levels {
    let Geometry { rows, columns, .. } = *written.geometry();
    let levels = written.effective_levels();
    let level = |cell: usize| levels[cell % columns * rows + cell / columns] as f32 / (1 << FRACTION_BITS) as f32;
    Levels { rows, columns, values: (0..rows * columns).map(level).collect() }
}
