//! The golden reference, fast: the same results and counts, many positions at a time.
//!
//! | module | what |
//! |---|---|
//! | `rows` | a slot's columns added up to one row vector for each item, once for all reads |
//! | `gather` | im2col straight into vectors of positions |
//! | `order` | which planes are read, and the numbers of the reads |
//! | `dots` | one row vector against an input plane of many positions |
//! | `chunk` | all reads of a few dozen positions |
//!
//! What makes it fast: the switches of a slot stay for all positions, so its columns are added up once; the lane sums of an input plane
//! of 64 positions are then products of bits and bytes, for which processors have instructions; chunks of positions run on all threads. Every read still has its own ADC code, and non-ideal macros their own noise: [`crate::golden`] is the definition, and
//! `sim-models/tests/fast.rs` compares the two on every kind of problem.

mod chunk;
mod dots;
mod gather;
mod order;
mod rows;

use std::sync::OnceLock;

use basisn_arch::{ChipConfig, LayerProgram, Program};
use rayon::prelude::*;

use crate::Error;
use crate::arithmetic::{all_planes, requantize};
use crate::golden::{LayerRun, check_input, write_macros};
use crate::rram::{Device, TileMacro};
use crate::steps::{self, NetRun};

use chunk::{Chunk, Place, Psums};
use dots::CHUNK;
use gather::{Gather, Padded};
use order::Order;
use rows::TileSlot;

/// A chip whose crossbars hold the basis of a checked program.
#[derive(Debug)]
pub struct Core<'a> {
    config: &'a ChipConfig,
    program: &'a Program,
    /// Macros of every tile, by core; all cores share one set if it is ideal.
    macros: Vec<Vec<TileMacro>>,
    /// By layer and set of macros; made when a layer first runs.
    prepared: Vec<Vec<OnceLock<Vec<TileSlot>>>>,
}

impl<'a> Core<'a> {
    /// Checks the program and writes its basis into the crossbars, once; ideal without a device.
    ///
    /// # Errors
    /// The program breaks a rule of [`Program::check`].
    pub fn new(config: &'a ChipConfig, program: &'a Program, device: Option<&Device>) -> Result<Self, Error> {
        program.check(config)?;
        let macros = write_macros(config, program, device);
        let prepared = program.layers.iter().map(|_| macros.iter().map(|_| OnceLock::new()).collect()).collect();
        Ok(Core { config, program, macros, prepared })
    }

    /// The macros of a core's tiles.
    pub fn macros(&self, core: usize) -> &[TileMacro] {
        &self.macros[core.min(self.macros.len() - 1)]
    }

    /// Runs all steps of the program on images; image i is inference `first + i`.
    ///
    /// # Errors
    /// An image does not fit the program.
    pub fn run(&self, images: &[Vec<i32>], first: u32) -> Result<Vec<NetRun<LayerRun>>, Error> {
        steps::run_all(self.program, images, |index, inputs| {
            let runs = self.run_layer(index, inputs, first)?;
            Ok(runs.into_iter().map(|mut run| (std::mem::take(&mut run.values), run)).collect())
        })
    }

    /// Runs one layer on its inputs, each in `[channel][row][column]` order.
    ///
    /// # Errors
    /// There is no such layer, or an input does not fit it.
    pub fn run_layer(&self, index: usize, inputs: &[Vec<i32>], first: u32) -> Result<Vec<LayerRun>, Error> {
        let layers = self.program.layers.len();
        let layer = self.program.layers.get(index).ok_or(Error::NoLayer { index, layers })?;
        inputs.iter().try_for_each(|input| check_input(layer, input))?;
        let padded: Vec<Padded> = inputs.iter().map(|input| Padded::new(&layer.shape, input)).collect();
        let gather = Gather::new(&layer.shape, layer.subvectors(self.config.rows()));
        let orders: Vec<Order> = if self.config.skips_zero_planes() {
            let planes =
                |input, position, subvector| gather.nonzero_planes(input, position, subvector, layer.input_bits);
            let order =
                |input| Order::new(self.config, layer, |position, subvector| planes(input, position, subvector));
            padded.par_iter().map(order).collect()
        } else {
            vec![Order::new(self.config, layer, |_, _| all_planes(layer.input_bits))]
        };
        let mut runs: Vec<LayerRun> =
            (0..inputs.len()).map(|image| empty_run(layer, &orders[image % orders.len()])).collect();
        for (set, places) in self.places(layer, inputs.len()).into_iter().enumerate() {
            let slots = self.prepared[index][set].get_or_init(|| rows::prepare(self.config, layer, &self.macros[set]));
            let macros = &self.macros[set];
            let (config, gather, orders, dots) = (self.config, &gather, &orders[..], dots::best());
            let chunk = Chunk { config, layer, index, slots, macros, gather, orders, first, dots };
            // Chunks of one size: what a read of noise costs grows with its places, and threads shall end together.
            let size = places.len().div_ceil(places.len().div_ceil(CHUNK).max(1)).max(1);
            let psums: Vec<Psums> = places.par_chunks(size).map(|places| chunk.run(&padded, places)).collect();
            for (psums, places) in psums.iter().zip(places.chunks(size)) {
                store(layer, places, psums, &mut runs);
            }
        }
        Ok(runs)
    }

    /// All positions of all inputs, by set of macros.
    fn places(&self, layer: &LayerProgram, inputs: usize) -> Vec<Vec<Place>> {
        let mut sets: Vec<Vec<Place>> = self.macros.iter().map(|_| Vec::new()).collect();
        for (core, share) in self.config.shares(layer.shape.positions()).into_iter().enumerate() {
            let set = &mut sets[core.min(self.macros.len() - 1)];
            for image in 0..inputs {
                set.extend(share.clone().map(|position| Place { image, position }));
            }
        }
        sets
    }
}

/// The counts of a layer, and room for its results.
fn empty_run(layer: &LayerProgram, order: &Order) -> LayerRun {
    let mut run = LayerRun { values: vec![0; layer.shape.kernels * layer.shape.positions()], ..LayerRun::default() };
    for (slots, reads) in layer.slots.iter().zip(order.of_subvectors()) {
        run.reads += reads * slots.len() as u64;
        run.codes += reads * slots.iter().flatten().map(|slot| slot.items.iter().flatten().count() as u64).sum::<u64>();
    }
    run
}

/// Requantizes the partial sums of a chunk into the results of its images.
fn store(layer: &LayerProgram, places: &[Place], psums: &Psums, runs: &mut [LayerRun]) {
    let (r, positions) = (&layer.requantize, layer.shape.positions());
    for (kernel, psums) in psums.of_kernel.iter().enumerate() {
        let (m, b) = (r.multiplier[kernel], r.offset[kernel]);
        for (place, &psum) in places.iter().zip(psums) {
            runs[place.image].values[kernel * positions + place.position] =
                requantize(psum, m, b, r.shift, r.low, r.high, r.raw);
        }
    }
    for ((place, low), high) in places.iter().zip(&psums.saturated_low).zip(&psums.saturated_high) {
        runs[place.image].saturated_low += u64::from(*low);
        runs[place.image].saturated_high += u64::from(*high);
    }
}
