//! The program image: everything a chip must be told to run one network, and nothing else.
//!
//! [`Program`] is the checked form in memory; [`Program::to_bytes`] and [`Program::from_bytes`] convert it to and from the
//! safetensors file that `docs/program-image.md` describes field by field.

mod check;
mod file;
mod home;
mod step;

use serde::{Deserialize, Serialize};

pub use check::{in_range, is_name};
pub use home::{Vacancy, places, vacancies};
pub use step::{Add, AvgPool, Input, Step, StepOp, Value};

use crate::{ChipConfig, ConvShape, Error, Shape, Slot, Subvectors};

/// A network compiled for one crossbar geometry.
#[derive(Clone, Debug, PartialEq)]
pub struct Program {
    /// Name of the network.
    pub name: String,
    /// The geometry it was compiled for.
    pub geometry: Geometry,
    /// Cell levels, one `rows * columns` block in row-major order if all crossbars hold the same basis, else one for every tile.
    pub basis: Vec<Vec<i8>>,
    /// The image that the first steps read.
    pub input: Input,
    /// Steps in order of computation; the last one gives the result.
    pub steps: Vec<Step>,
    /// Matrix layers in the order in which the steps use them.
    pub layers: Vec<LayerProgram>,
}

/// What a program image and a chip must agree on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Geometry {
    /// Tiles of a core, N.
    pub tiles: usize,
    /// Rows R.
    pub rows: usize,
    /// Columns C.
    pub columns: usize,
    /// Cell bits m.
    pub cell_bits: usize,
    /// ADC lanes L.
    pub lanes: usize,
    /// ADC bits A.
    pub adc_bits: usize,
}

impl Geometry {
    /// Largest magnitude of a cell level.
    pub fn level_max(&self) -> i32 {
        if self.cell_bits == 1 { 1 } else { (1 << (self.cell_bits - 1)) - 1 }
    }

    /// See [`ChipConfig::verify_digits`].
    pub fn verify_digits(&self) -> i32 {
        self.adc_bits as i32 - 1 - self.cell_bits.saturating_sub(1).max(1) as i32
    }
}

impl From<&ChipConfig> for Geometry {
    fn from(c: &ChipConfig) -> Self {
        Geometry {
            tiles: c.tiles(),
            rows: c.rows(),
            columns: c.columns(),
            cell_bits: c.cell_bits(),
            lanes: c.lanes(),
            adc_bits: c.adc_bits(),
        }
    }
}

/// One layer of a program.
#[derive(Clone, Debug, PartialEq)]
pub struct LayerProgram {
    /// Name, unique in the program.
    pub name: String,
    /// Shape of the convolution.
    pub shape: ConvShape,
    /// Input planes X, 1..8.
    pub input_bits: usize,
    /// Two's complement input: the highest plane counts negative.
    pub signed: bool,
    /// Gain g: the ADC divides by 2^g; 0..7.
    pub gain: u32,
    /// Tiles that the layer uses, T: the first ones; 1..N.
    pub tiles: usize,
    /// Positions of a full block.
    pub block_positions: usize,
    /// Home q of every kernel, no two alike: tile `q % T`, lane `q / T % L`, psum row `q / (T L)`. Usually a permutation of 0..K-1; see
    /// [`LayerProgram::vacancies`].
    pub home: Vec<u32>,
    /// `slots[s][i][tile]`: slots of subvector s in order, for all tiles in use.
    pub slots: Vec<Vec<Vec<Slot>>>,
    /// From psums to results.
    pub requantize: Requantize,
}

/// `y = clamp((psum * m_k + b_k + (1 << (shift - 1))) >> shift, low, high)`, or `psum * m_k + b_k` if `raw`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Requantize {
    /// m_k of every kernel.
    pub multiplier: Vec<i16>,
    /// b_k of every kernel, within 48 bits.
    pub offset: Vec<i64>,
    /// Right shift, 1..46.
    pub shift: u32,
    /// Smallest result.
    pub low: i32,
    /// Largest result.
    pub high: i32,
    /// Leave out shift and clamp.
    pub raw: bool,
}

impl LayerProgram {
    /// Cut of this layer's kernels.
    pub fn subvectors(&self, rows: usize) -> Subvectors {
        Subvectors::new(self.shape.depth(), rows)
    }

    /// Slots of all subvectors, of one tile.
    pub fn slot_count(&self) -> usize {
        self.slots.iter().map(Vec::len).sum()
    }
}

impl Program {
    /// A program whose layers each take the result of the one before.
    pub fn chain(name: &str, config: &ChipConfig, basis: Vec<Vec<i8>>, layers: Vec<LayerProgram>) -> Self {
        let first = layers.first();
        let input = Input {
            shape: first
                .map_or(Shape::default(), |l| Shape::new(l.shape.in_channels, l.shape.in_height, l.shape.in_width)),
            bits: first.map_or(1, |l| l.input_bits),
            signed: first.is_some_and(|l| l.signed),
            scale: 1.0,
        };
        let step = |(i, layer): (usize, &LayerProgram)| Step {
            name: layer.name.clone(),
            inputs: vec![i],
            op: StepOp::Matrix { first: i, groups: 1 },
        };
        let steps = layers.iter().enumerate().map(step).collect();
        Program { name: name.into(), geometry: Geometry::from(config), basis, input, steps, layers }
    }

    /// The levels of one tile's crossbar.
    pub fn basis_of(&self, tile: usize) -> &[i8] {
        &self.basis[if self.basis.len() == 1 { 0 } else { tile }]
    }

    /// Checks that a chip can run this program exactly: every index in range, every rule of `docs/hardware.md` kept, no overflow.
    ///
    /// # Errors
    /// The first violation, with the layer, the limit and what would help.
    pub fn check(&self, config: &ChipConfig) -> Result<(), Error> {
        check::program(self, config)
    }
}
