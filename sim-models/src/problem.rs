//! Problems with a reference answer: a chip, a program and inputs.

use basisn_arch::{ChipConfig, ConvShape, Program};
use rand::Rng;

use crate::random::{
    Corners, Random, conv_shape, mvm_shape, random_image, random_input, random_kernels, random_network, random_program,
};
use crate::{Error, golden};

/// One matrix, some vectors: a layer with 1 x 1 kernels, one vector at each position.
#[derive(Clone, Debug)]
pub struct MvmProblem {
    /// The chip.
    pub config: ChipConfig,
    /// A program of one layer.
    pub program: Program,
    /// The vectors, in `[element][position]` order.
    pub input: Vec<i32>,
}

impl MvmProblem {
    /// A random problem: one to three subvectors, one position up to several blocks.
    pub fn random(rng: &mut Random, config: &ChipConfig) -> Self {
        let depth = rng.random_range(1..=3 * config.rows());
        let positions = rng.random_range(1..=2 * config.position_block().min(16) + 1);
        let kernels = random_kernels(rng, config);
        Self::with_size(rng, config, depth, positions, kernels, &Corners::default())
    }

    /// A random problem of a given size; one subvector is `depth <= config.rows()`.
    pub fn with_size(
        rng: &mut Random,
        config: &ChipConfig,
        depth: usize,
        positions: usize,
        kernels: usize,
        corners: &Corners,
    ) -> Self {
        let problem = ConvProblem::with_shape(rng, config, mvm_shape(depth, positions, kernels), corners);
        MvmProblem { config: problem.config, program: problem.program, input: problem.input }
    }

    /// The reference results, in `[kernel][position]` order.
    ///
    /// # Errors
    /// The program or the input is refused; not for random problems of sizes that the chip has room for.
    pub fn reference(&self) -> Result<Vec<i64>, Error> {
        Ok(golden::run_layer(&self.config, &self.program, 0, &self.input)?.values)
    }
}

/// One convolution of one input.
#[derive(Clone, Debug)]
pub struct ConvProblem {
    /// The chip.
    pub config: ChipConfig,
    /// A program of one layer.
    pub program: Program,
    /// The input, in `[channel][row][column]` order.
    pub input: Vec<i32>,
}

impl ConvProblem {
    /// A random small convolution.
    pub fn random(rng: &mut Random, config: &ChipConfig) -> Self {
        let input = (rng.random_range(1..=6), rng.random_range(1..=8), rng.random_range(1..=8));
        let shape = conv_shape(rng, config, input);
        Self::with_shape(rng, config, shape, &Corners::default())
    }

    /// A random problem of a given shape.
    pub fn with_shape(rng: &mut Random, config: &ChipConfig, shape: ConvShape, corners: &Corners) -> Self {
        let program = random_program(rng, config, shape, corners);
        let input = program.layers.first().map(|layer| random_input(rng, layer)).unwrap_or_default();
        ConvProblem { config: config.clone(), program, input }
    }

    /// The reference results, in `[kernel][position]` order.
    ///
    /// # Errors
    /// The program or the input is refused; not for random problems of shapes that the chip has room for.
    pub fn reference(&self) -> Result<Vec<i64>, Error> {
        Ok(golden::run_layer(&self.config, &self.program, 0, &self.input)?.values)
    }
}

/// A network and some inputs.
#[derive(Clone, Debug)]
pub struct NetProblem {
    /// The chip.
    pub config: ChipConfig,
    /// The network's program.
    pub program: Program,
    /// Images, each in `[channel][row][column]` order.
    pub inputs: Vec<Vec<i32>>,
}

impl NetProblem {
    /// A random network of `layers` matrix layers (at least 1), with integer operations between them, and `inputs` inputs.
    pub fn random(rng: &mut Random, config: &ChipConfig, layers: usize, inputs: usize) -> Self {
        let program = random_network(rng, config, layers.max(1));
        let inputs = (0..inputs).map(|_| random_image(rng, &program)).collect();
        NetProblem { config: config.clone(), program, inputs }
    }

    /// The reference results: for every input, for every step, in channel, row, column order.
    ///
    /// # Errors
    /// The program or an input is refused; not for random problems.
    pub fn reference(&self) -> Result<Vec<Vec<Vec<i64>>>, Error> {
        self.inputs.iter().map(|input| golden::run(&self.config, &self.program, input)).collect()
    }
}
