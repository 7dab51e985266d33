//! One setting of the switches: the cells of all columns on a lane, added up row by row.
//!
//! A lane sum is linear in the wordlines once the switches are set, so a read needs only `sum over active rows of weights[lane][row]`,
//! however many columns and errors there are.

use basisn_arch::Geometry;

use super::cell::{Cells, FRACTION_BITS, round};
use super::ir_drop::Bitlines;
use super::noise::{Kind, Stream};

/// What a read of every lane needs, in units of 2^-8 level. Vectors are `[lane * rows + row]`; those that are not needed are empty.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LaneRows {
    /// Sum of the effective levels of the lane's columns.
    pub weights: Vec<i32>,
    /// Variance of read noise, in units of [`Cells::variance_unit`].
    pub variance: Vec<i32>,
}

/// Leakage of every column to every lane, `[column * lanes + lane]`: the share of its current that arrives where it is not connected. The form is
/// ours: the off-current of a transistor at the same voltage, with a spread from one transistor to the next.
pub fn leakage(cells: &Cells, geometry: &Geometry, stream: Stream) -> Vec<f64> {
    let s = &cells.model().switches;
    if s.leakage == 0.0 {
        return Vec::new();
    }
    let draw = |i: usize| s.leakage * (1.0 + s.leakage_spread * stream.normal(i as u32, 0, 0));
    (0..geometry.columns * geometry.lanes).map(draw).collect()
}

/// The draws of a tile's leakage.
pub fn leakage_stream(seed: u64, core: usize, tile: usize) -> Stream {
    Stream::new(seed, Kind::Leakage, core, tile)
}

/// Lane and polarity of a column, `None` if it is open; see [`basisn_arch::Slot::switches`].
pub fn connection(switch: i8, lanes: usize) -> Option<(usize, i32)> {
    let lane = usize::from(switch.unsigned_abs()).checked_sub(1)?;
    (lane < lanes).then_some((lane, i32::from(switch.signum())))
}

impl LaneRows {
    /// Adds up the columns of each lane. `levels` are the effective levels `[column * rows + row]`.
    pub fn new(
        cells: &Cells,
        levels: &[i32],
        leakage: &[f64],
        bitlines: Option<&Bitlines>,
        geometry: &Geometry,
        switches: &[i8],
    ) -> Self {
        let (rows, lanes) = (geometry.rows, geometry.lanes);
        let model = cells.model();
        let noisy = model.read.sigma > 0.0 || model.read.relative_sigma > 0.0;
        let mut of = LaneRows { weights: vec![0; lanes * rows], ..LaneRows::default() };
        if noisy {
            of.variance = vec![0; lanes * rows];
        }
        for (column, levels) in levels.chunks_exact(rows).enumerate() {
            let switch = switches.get(column).copied().unwrap_or(0);
            let Some((lane, sign)) = connection(switch, lanes) else { continue };
            let range = lane * rows..(lane + 1) * rows;
            for (sum, &level) in of.weights[range.clone()].iter_mut().zip(levels) {
                *sum += sign * level;
            }
            if noisy {
                for (row, sum) in of.variance[range].iter_mut().enumerate() {
                    *sum += cells.read_variance(row, column);
                }
            }
        }
        if let Some(bitlines) = bitlines {
            of.weights = bitlines.weights(switches, lanes);
        }
        if !leakage.is_empty() {
            of.add_leakage(levels, leakage, rows, lanes, switches);
        }
        of
    }

    fn add_leakage(&mut self, levels: &[i32], leakage: &[f64], rows: usize, lanes: usize, switches: &[i8]) {
        let mut leaked = vec![0.0; lanes * rows];
        for (column, levels) in levels.chunks_exact(rows).enumerate() {
            let own = connection(switches.get(column).copied().unwrap_or(0), lanes).map(|(lane, _)| lane);
            for (lane, share) in leakage[column * lanes..(column + 1) * lanes].iter().enumerate() {
                if own != Some(lane) {
                    let sums = &mut leaked[lane * rows..(lane + 1) * rows];
                    sums.iter_mut().zip(levels).for_each(|(sum, &level)| *sum += share * f64::from(level));
                }
            }
        }
        for (weight, leaked) in self.weights.iter_mut().zip(leaked) {
            *weight += round(leaked);
        }
    }
}

/// Noise of a variance, from a draw of the standard normal distribution, in 2^-8 level.
#[inline]
pub fn noise(variance: f64, normal: f64) -> i32 {
    round(normal * variance.sqrt())
}

/// Variance of an ADC's own noise at a gain, in (2^-8 level)^2.
pub fn adc_variance(noise_lsb: f64, gain: u32) -> f64 {
    let sigma = noise_lsb * f64::from(1u32 << (gain + FRACTION_BITS));
    sigma * sigma
}
