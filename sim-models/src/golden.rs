//! The golden reference: runs a program integer by integer, in the order of work of `docs/hardware.md`.
//!
//! It is written to be read. What a step computes is in [`crate::arithmetic`]; here is only the order.

use basisn_arch::{ChipConfig, LayerProgram, Program};

use crate::arithmetic::{accumulate, adc_code, adc_saturates, input_range, plane_weight, requantize, update_psum};
use crate::im2col::{Patches, wordlines};
use crate::steps::{self, NetRun};
use crate::{Error, IdealMacro};

/// What one layer gave, and what it took.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LayerRun {
    /// Results in `[kernel][position]` order, which is channel, row, column; of a layer in a network they are moved to [`NetRun`].
    pub values: Vec<i64>,
    /// Reads of each crossbar of a core: positions x input planes x slots.
    pub reads: u64,
    /// ADC codes that were used: one for every item of every read, all tiles together.
    pub codes: u64,
    /// How many of these codes the ADC clamped to its lowest.
    pub saturated_low: u64,
    /// How many of these codes the ADC clamped to its highest.
    pub saturated_high: u64,
}

/// A core whose crossbars hold the basis of a checked program.
#[derive(Debug)]
pub struct Core<'a> {
    config: &'a ChipConfig,
    program: &'a Program,
    crossbars: Vec<IdealMacro>,
}

impl<'a> Core<'a> {
    /// Checks the program and writes its basis into the crossbars, once.
    ///
    /// # Errors
    /// The program breaks a rule of [`Program::check`].
    pub fn new(config: &'a ChipConfig, program: &'a Program) -> Result<Self, Error> {
        program.check(config)?;
        let crossbars = (0..config.tiles())
            .map(|tile| {
                let mut crossbar = IdealMacro::new(config);
                crossbar.program_all(program.basis_of(tile));
                crossbar
            })
            .collect();
        Ok(Core { config, program, crossbars })
    }

    /// Runs all steps of the program on an image.
    ///
    /// # Errors
    /// The image does not fit the program.
    pub fn run(&mut self, image: &[i32]) -> Result<NetRun<LayerRun>, Error> {
        steps::run(self.program, image, |index, input| {
            let mut run = self.run_layer(index, input)?;
            Ok((std::mem::take(&mut run.values), run))
        })
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
        for block_start in (0..positions).step_by(layer.block_positions) {
            let block = block_start..positions.min(block_start + layer.block_positions);
            let psums = self.run_block(layer, &patches, block.clone(), &mut run);
            let r = &layer.requantize;
            for (kernel, psums) in psums.chunks_exact(block.len()).enumerate() {
                for (position, &psum) in block.clone().zip(psums) {
                    let (m, b) = (r.multiplier[kernel], r.offset[kernel]);
                    run.values[kernel * positions + position] = requantize(psum, m, b, r.shift, r.low, r.high, r.raw);
                }
            }
        }
        Ok(run)
    }

    /// Partial sums of a block of positions, in `[kernel][position of the block]` order.
    fn run_block(
        &mut self,
        layer: &LayerProgram,
        patches: &Patches,
        block: std::ops::Range<usize>,
        run: &mut LayerRun,
    ) -> Vec<i32> {
        let adc_bits = self.config.adc_bits();
        let mut psums = vec![0i32; layer.shape.kernels * block.len()];
        let mut sums = vec![0i32; self.config.lanes()];
        let mut accs = vec![0i32; self.config.lanes()];
        for (subvector, slots) in layer.slots.iter().enumerate() {
            let planes: Vec<Vec<Vec<u64>>> = block
                .clone()
                .map(|position| patches.subvector(position, subvector))
                .map(|values| (0..layer.input_bits).map(|plane| wordlines(values, plane)).collect())
                .collect();
            for tiles in slots {
                let reads = (block.len() * layer.input_bits) as u64;
                run.reads += reads;
                for (slot, crossbar) in tiles.iter().zip(&mut self.crossbars) {
                    crossbar.set_switches(&slot.switches);
                    run.codes += reads * slot.items.iter().flatten().count() as u64;
                    for (position, planes) in planes.iter().enumerate() {
                        accs.fill(0);
                        for (plane, wordlines) in planes.iter().enumerate().rev() {
                            crossbar.lane_sums(wordlines, &mut sums);
                            let weight = plane_weight(plane, layer.input_bits, layer.signed);
                            for (acc, &sum) in accs.iter_mut().zip(&sums) {
                                *acc = accumulate(*acc, weight, adc_code(sum, layer.gain, adc_bits));
                            }
                            let saturates = |sum| adc_saturates(sum, layer.gain, adc_bits);
                            // Few reads saturate: one test of all lanes is cheaper than a count of each.
                            if sums.iter().fold(false, |any, &sum| any | saturates(sum)) {
                                for (&sum, _) in sums.iter().zip(&slot.items).filter(|(_, item)| item.is_some()) {
                                    run.saturated_low += u64::from(saturates(sum) && sum < 0);
                                    run.saturated_high += u64::from(saturates(sum) && sum > 0);
                                }
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

fn check_input(layer: &LayerProgram, input: &[i32]) -> Result<(), Error> {
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
