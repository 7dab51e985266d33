//! The golden reference: runs a program integer by integer, in the order of work of `docs/hardware.md`.
//!
//! It is written to be read. What a step computes is in [`crate::arithmetic`]; here is only the order.

use std::ops::Range;

use basisn_arch::{ChipConfig, Geometry, LayerProgram, Program, nonzero_planes};
use rayon::prelude::*;

use crate::Error;
use crate::arithmetic::{accumulate, adc_range, all_planes, input_range, plane_weight, requantize, update_psum};
use crate::im2col::{Patches, wordlines};
use crate::rram::{Device, Read, TileMacro};
use crate::steps::{self, NetRun};

/// What one layer gave, and what it took.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LayerRun {
    /// Results in `[kernel][position]` order, which is channel, row, column; of a layer in a network they are moved to [`NetRun`].
    pub values: Vec<i64>,
    /// Reads of each crossbar of a core: positions x input planes x slots, less what is skipped.
    pub reads: u64,
    /// ADC codes that were used: one for every item of every read, all tiles together.
    pub codes: u64,
    /// How many of these codes the ADC clamped to its lowest.
    pub saturated_low: u64,
    /// How many of these codes the ADC clamped to its highest.
    pub saturated_high: u64,
}

/// A chip whose crossbars hold the basis of a checked program.
#[derive(Debug)]
pub struct Core<'a> {
    config: &'a ChipConfig,
    program: &'a Program,
    /// Macros of every tile, by core; all cores share one set if it is ideal.
    macros: Vec<Vec<TileMacro>>,
    inference: u32,
}

impl<'a> Core<'a> {
    /// Checks the program and writes its basis into the crossbars, once.
    ///
    /// # Errors
    /// The program breaks a rule of [`Program::check`].
    pub fn new(config: &'a ChipConfig, program: &'a Program) -> Result<Self, Error> {
        Self::with_device(config, program, None)
    }

    /// As [`Core::new`], with the errors of a device.
    ///
    /// # Errors
    /// As [`Core::new`].
    pub fn with_device(config: &'a ChipConfig, program: &'a Program, device: Option<&Device>) -> Result<Self, Error> {
        program.check(config)?;
        let macros = write_macros(config, program, device);
        Ok(Core { config, program, macros, inference: 0 })
    }

    /// Number of the inference that runs next: read noise depends on it. It counts up with every [`Core::run`].
    pub fn set_inference(&mut self, inference: u32) {
        self.inference = inference;
    }

    /// Runs all steps of the program on an image.
    ///
    /// # Errors
    /// The image does not fit the program.
    pub fn run(&mut self, image: &[i32]) -> Result<NetRun<LayerRun>, Error> {
        let run = steps::run(self.program, image, |index, input| {
            let mut run = self.run_layer(index, input)?;
            Ok::<_, Error>((std::mem::take(&mut run.values), run))
        })?;
        self.inference = self.inference.wrapping_add(1);
        Ok(run)
    }

    /// Runs one layer on an input in `[channel][row][column]` order.
    ///
    /// # Errors
    /// There is no such layer, or the input does not fit it.
    pub fn run_layer(&mut self, index: usize, input: &[i32]) -> Result<LayerRun, Error> {
        let layers = self.program.layers.len();
        let layer = self.program.layers.get(index).ok_or(Error::NoLayer { index, layers })?;
        check_input(layer, input)?;
        let patches = Patches::new(&layer.shape, layer.subvectors(self.config.rows()), input);
        let positions = patches.positions();
        let mut run = LayerRun { values: vec![0; layer.shape.kernels * positions], ..LayerRun::default() };
        for (core, share) in self.config.shares(positions).into_iter().enumerate() {
            let before = run.reads;
            for start in share.clone().step_by(layer.block_positions) {
                let block = start..share.end.min(start + layer.block_positions);
                let done = (run.reads - before) as u32;
                let first = Read { inference: self.inference, layer: index as u32, number: done };
                let psums = self.run_block(core, layer, &patches, block.clone(), first, &mut run);
                let r = &layer.requantize;
                for (kernel, psums) in psums.chunks_exact(block.len()).enumerate() {
                    let (m, b) = (r.multiplier[kernel], r.offset[kernel]);
                    for (position, &psum) in block.clone().zip(psums) {
                        run.values[kernel * positions + position] =
                            requantize(psum, m, b, r.shift, r.low, r.high, r.raw);
                    }
                }
            }
        }
        Ok(run)
    }

    /// The input planes of a subvector that are read, plane i in bit i.
    fn planes_read(&self, layer: &LayerProgram, values: &[i32]) -> u8 {
        if self.config.skips_zero_planes() {
            nonzero_planes(values.iter().copied(), layer.input_bits)
        } else {
            all_planes(layer.input_bits)
        }
    }

    /// Partial sums of a block of positions on a core, in `[kernel][position of the block]` order.
    fn run_block(
        &mut self,
        core: usize,
        layer: &LayerProgram,
        patches: &Patches,
        block: Range<usize>,
        mut read: Read,
        run: &mut LayerRun,
    ) -> Vec<i32> {
        let (low, high) = adc_range(self.config.adc_bits());
        let set = core.min(self.macros.len() - 1);
        let mut psums = vec![0i32; layer.shape.kernels * block.len()];
        let mut codes = vec![0i32; self.config.lanes()];
        let mut accs = vec![0i32; self.config.lanes()];
        for (subvector, slots) in layer.slots.iter().enumerate() {
            let planes: Vec<Vec<(usize, Vec<u64>)>> = block
                .clone()
                .map(|position| patches.subvector(position, subvector))
                .map(|values| {
                    let read = self.planes_read(layer, values);
                    (0..layer.input_bits)
                        .filter(|plane| read >> plane & 1 == 1)
                        .map(|plane| (plane, wordlines(values, plane)))
                        .collect()
                })
                .collect();
            let reads = planes.iter().map(|planes| planes.len() as u64).sum::<u64>();
            for tiles in slots {
                run.reads += reads;
                // The tiles read at the same time.
                let slot_start = read.number;
                for (slot, tile_macro) in tiles.iter().zip(&mut self.macros[set]) {
                    read.number = slot_start;
                    tile_macro.set_switches(&slot.switches);
                    run.codes += reads * slot.items.iter().flatten().count() as u64;
                    for (position, planes) in planes.iter().enumerate() {
                        accs.fill(0);
                        for &(plane, ref wordlines) in planes.iter().rev() {
                            tile_macro.unlimited_codes(wordlines, layer.gain, read, &mut codes);
                            read.number += 1;
                            let weight = plane_weight(plane, layer.input_bits, layer.signed);
                            for (acc, &code) in accs.iter_mut().zip(&codes) {
                                *acc = accumulate(*acc, weight, code.clamp(low, high));
                            }
                            for (&code, _) in codes.iter().zip(&slot.items).filter(|(_, item)| item.is_some()) {
                                run.saturated_low += u64::from(code < low);
                                run.saturated_high += u64::from(code > high);
                            }
                        }
                        for (item, &acc) in slot.items.iter().zip(&accs) {
                            if let Some(item) = item {
                                let psum = &mut psums[item.kernel * block.len() + position];
                                *psum = update_psum(*psum, acc, item.plane);
                            }
                        }
                    }
                }
            }
        }
        psums
    }
}

/// Runs one layer of a program; see [`Core::run_layer`].
///
/// # Errors
/// The program breaks a rule, there is no such layer, or the input does not fit it.
pub fn run_layer(config: &ChipConfig, program: &Program, index: usize, input: &[i32]) -> Result<LayerRun, Error> {
    Core::new(config, program)?.run_layer(index, input)
}

/// Runs a program; gives the results of every step, each in channel, row, column order.
///
/// # Errors
/// The program breaks a rule, or the image does not fit it.
pub fn run(config: &ChipConfig, program: &Program, input: &[i32]) -> Result<Vec<Vec<i64>>, Error> {
    Ok(Core::new(config, program)?.run(input)?.values)
}

/// Macros with the basis written: of every tile, by core; all cores share one set if it is ideal.
pub(crate) fn write_macros(config: &ChipConfig, program: &Program, device: Option<&Device>) -> Vec<Vec<TileMacro>> {
    let sets = if device.is_some() { config.cores() } else { 1 };
    let written = |core: usize, tile: usize| {
        let mut tile_macro = TileMacro::new(Geometry::from(config), device, core, tile);
        tile_macro.program_all(program.basis_of(tile));
        tile_macro
    };
    (0..sets).map(|core| (0..config.tiles()).into_par_iter().map(|tile| written(core, tile)).collect()).collect()
}

pub(crate) fn check_input(layer: &LayerProgram, input: &[i32]) -> Result<(), Error> {
    let expected = layer.shape.inputs();
    if input.len() != expected {
        return Err(Error::InputLength { layer: layer.name.clone(), given: input.len(), expected });
    }
    let (low, high) = input_range(layer.input_bits, layer.signed);
    match input.iter().position(|v| !(low..=high).contains(v)) {
        None => Ok(()),
        Some(index) => {
            Err(Error::InputRange { layer: layer.name.clone(), index, value: i64::from(input[index]), low, high })
        }
    }
}
