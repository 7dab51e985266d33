//! Random programs.

use basisn_arch::{ChipConfig, ConvShape, LayerProgram, Program, Requantize, Window};
use rand::Rng;
use rand::seq::{IndexedRandom, SliceRandom};

use super::{Random, slots};

/// Choices of a layer that a caller may force; what is `None` is random. Values beyond what the chip has are lowered to it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Corners {
    /// Most slots of a subvector, at least 1.
    pub slots: Option<usize>,
    /// Positions of a full block.
    pub block_positions: Option<usize>,
    /// Gain, 0..7.
    pub gain: Option<u32>,
    /// Input planes.
    pub input_bits: Option<usize>,
    /// Two's complement input.
    pub signed: Option<bool>,
    /// Results without shift and clamp.
    pub raw: Option<bool>,
    /// Places of the drain order without a kernel, as far as the chip has room for them.
    pub vacancies: usize,
}

/// The layer of a matrix-vector product: vectors of `depth` integers at `positions` positions, `kernels` kernels.
pub fn mvm_shape(depth: usize, positions: usize, kernels: usize) -> ConvShape {
    ConvShape { in_channels: depth, in_height: 1, in_width: positions, kernels, window: Window::square(1, 1, 0) }
}

/// A random small convolution on an input of `(channels, height, width)`.
pub fn conv_shape(rng: &mut Random, config: &ChipConfig, input: (usize, usize, usize)) -> ConvShape {
    let (in_channels, in_height, in_width) = input;
    let kernel = [in_height, in_width].map(|size| rng.random_range(1..=size.min(3)));
    let dense = rng.random_bool(0.8);
    let dilation = kernel.map(|k| if dense || k == 1 { 1 } else { rng.random_range(1..=2) });
    let extent = [0, 1].map(|axis| (kernel[axis] - 1) * dilation[axis] + 1);
    // Enough zeros for one position, and otherwise fewer than the kernel is large.
    let size = [in_height, in_width];
    let pad =
        |rng: &mut Random, axis: usize| rng.random_range(extent[axis].saturating_sub(size[axis])..extent[axis].max(1));
    let padding = [0, 1, 0, 1].map(|axis| pad(rng, axis));
    let stride = [0; 2].map(|_: usize| rng.random_range(1..=2));
    ConvShape {
        in_channels,
        in_height,
        in_width,
        kernels: random_kernels(rng, config),
        window: Window { kernel, stride, padding, dilation },
    }
}

/// Kernels of a layer: fewer than lanes, a multiple of them or not, on one psum row or several.
pub(crate) fn random_kernels(rng: &mut Random, config: &ChipConfig) -> usize {
    let homes = config.tiles() * config.lanes();
    let most = config.kernels().min(homes * config.psum_words() / 2).min(3 * homes + 2);
    let kernels = if rng.random_bool(0.2) { homes } else { rng.random_range(1..=most) };
    kernels.min(most)
}

/// A program of one layer.
pub fn random_program(rng: &mut Random, config: &ChipConfig, shape: ConvShape, corners: &Corners) -> Program {
    let basis = random_basis(rng, config);
    let layer = random_layer(rng, config, &basis, "layer", shape, corners);
    Program::chain("random", config, basis, vec![layer])
}

/// One basis for all crossbars, or one for each; some columns are all high or all low, so that lane sums meet the ADC's rails.
pub(super) fn random_basis(rng: &mut Random, config: &ChipConfig) -> Vec<Vec<i8>> {
    let max = config.level_max();
    let blocks = if rng.random_bool(0.5) { 1 } else { config.tiles() };
    (0..blocks)
        .map(|_| {
            let styles: Vec<u32> = (0..config.columns()).map(|_| rng.random_range(0..6)).collect();
            (0..config.rows() * config.columns())
                .map(|cell| match styles[cell % config.columns()] {
                    0 => max,
                    1 => -max,
                    _ if config.cell_bits() == 1 => [-1, 1][rng.random_range(0..2)],
                    _ => rng.random_range(-max..=max),
                })
                .collect()
        })
        .collect()
}

pub(super) fn random_layer(
    rng: &mut Random,
    config: &ChipConfig,
    basis: &[Vec<i8>],
    name: &str,
    shape: ConvShape,
    corners: &Corners,
) -> LayerProgram {
    let kernels = shape.kernels;
    let fits = |tiles: usize, places: usize| {
        places <= tiles * config.lanes() * (config.psum_words() / 2) && config.has_parameters(tiles, places)
    };
    // Often all tiles, else the first ones, as many as hold the kernels; not always more where few do.
    let enough: Vec<usize> = (1..=config.tiles()).filter(|&tiles| fits(tiles, kernels)).collect();
    let all = config.tiles() == 1 || rng.random_bool(0.7);
    let some = if all { None } else { enough.choose(rng) };
    let tiles = some.copied().unwrap_or(config.tiles());
    let homes = tiles * config.lanes();
    let most = (kernels..=config.kernels().min(kernels + corners.vacancies)).rev().find(|&places| fits(tiles, places));
    let places = most.unwrap_or(kernels);
    let psum_rows = places.div_ceil(homes);
    let block_max = config.position_block().min(config.psum_words() / 2 / psum_rows).max(1);
    let block = corners.block_positions.unwrap_or_else(|| rng.random_range(1..=block_max));
    let input_bits = corners.input_bits.unwrap_or_else(|| rng.random_range(1..=config.input_bits()));
    let gain = if rng.random_bool(0.4) { 0 } else { rng.random_range(0..=7) };
    let mut home: Vec<u32> = (0..places as u32).collect();
    home.shuffle(rng);
    home.truncate(kernels);
    let mut layer = LayerProgram {
        name: name.into(),
        shape,
        input_bits: input_bits.clamp(1, config.input_bits()),
        signed: corners.signed.unwrap_or_else(|| rng.random_bool(0.3)),
        gain: corners.gain.unwrap_or(gain).min(7),
        tiles,
        block_positions: block.clamp(1, block_max),
        home,
        slots: Vec::new(),
        requantize: random_requantize(rng, config, kernels, input_bits, corners.raw),
    };
    slots::fill(rng, &config.using(tiles), basis, &mut layer, corners.slots.unwrap_or(5).max(1));
    layer
}

/// Parameters that spread results over the clamp's range, with the extremes of every field among them.
fn random_requantize(
    rng: &mut Random,
    config: &ChipConfig,
    kernels: usize,
    input_bits: usize,
    raw: Option<bool>,
) -> Requantize {
    let raw = raw.unwrap_or_else(|| rng.random_bool(0.2));
    let (low, high) = match rng.random_range(0..4) {
        0 => (0, 255),
        1 => (-128, 127),
        2 => (i32::MIN, i32::MAX),
        _ => (rng.random_range(-1000..=0), rng.random_range(0..=1000)),
    };
    // Typical psums times a typical m, down to about 8 bits.
    let product_bits = config.adc_bits() + input_bits + 12;
    let shift = (product_bits as i32 - rng.random_range(4..=12)).clamp(1, 46) as u32;
    let shift = if rng.random_bool(0.1) { rng.random_range(1..=46) } else { shift };
    let multiplier = (0..kernels).map(|_| match rng.random_range(0..12) {
        0 => i16::MIN,
        1 => i16::MAX,
        2 => 0,
        _ => rng.random_range(-16384..=16384),
    });
    let multiplier = multiplier.collect();
    let reach = 1i64 << (shift + 7).min(47);
    let offset = (0..kernels).map(|_| match rng.random_range(0..12) {
        0 => -(1 << 47),
        1 => (1 << 47) - 1,
        2 => 0,
        _ => rng.random_range(-reach..reach),
    });
    Requantize { multiplier, offset: offset.collect(), shift, low, high, raw }
}
