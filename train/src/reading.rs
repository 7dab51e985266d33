//! Reads of a chip that is not ideal: fresh noise of cells and ADCs, and the static errors of the ADCs.
//!
//! The formulas are those of the macro model in the golden reference. Training does not know yet on which lane a kernel will be: lanes are
//! handed out in turn.

use basisn_models::arithmetic::adc_range;
use basisn_models::rram::DeviceMacro;
use basisn_models::rram::cell::FRACTION_BITS;
use basisn_models::rram::lanes::noise;
use basisn_models::rram::noise::normal;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use crate::adc::{Adc, Levels};

/// A written crossbar and the draws of its reads.
#[derive(Clone, Debug)]
pub struct Reading {
    written: DeviceMacro,
    seed: u64,
}

impl Reading {
    /// Reads of a crossbar; `seed` fixes the fresh noise.
    pub fn new(written: DeviceMacro, seed: u64) -> Self {
        Reading { written, seed }
    }

    /// Variance of every cell pair in one read, `[row][column]`, in the unit of the macro model.
    pub fn variance(&self) -> Levels {
        let (geometry, cells) = (self.written.geometry(), self.written.cells());
        let (rows, columns) = (geometry.rows, geometry.columns);
        let values = (0..rows * columns).map(|i| cells.read_variance(i / columns, i % columns) as f32).collect();
        Levels { rows, columns, values }
    }

    /// Whether reads have no fresh noise.
    pub fn is_quiet(&self) -> bool {
        self.written.read_noise(0).is_none
    }

    /// The draws of one image.
    pub fn draws(&self, image: usize) -> StdRng {
        StdRng::seed_from_u64(self.seed ^ (image as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    /// The code of a lane sum in levels, whose cells have a summed variance.
    pub fn code(&self, kernel: usize, sum: f32, variance: f32, adc: Adc, draws: &mut StdRng) -> f32 {
        let mut v = (sum * (1u32 << FRACTION_BITS) as f32).round() as i32;
        let fresh = self.written.read_noise(adc.gain);
        if !fresh.is_none {
            v += noise(fresh.variance(variance as i32), normal(draws.random()));
        }
        let (low, high) = adc_range(adc.bits);
        self.written.adcs().unlimited(kernel % self.written.geometry().lanes, v, adc.gain).clamp(low, high) as f32
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::chip::{effective, written};
    use basisn_arch::Geometry;
    use basisn_models::rram::{Device, MacroModel};

    const GEOMETRY: Geometry = Geometry { tiles: 1, rows: 8, columns: 8, cell_bits: 1, lanes: 4, adc_bits: 8 };

    fn reading(changes: &[(&str, f64)]) -> Reading {
        let ideal = MacroModel::load("ideal").unwrap();
        let model = changes.iter().fold(ideal, |model, (key, value)| model.with(key, *value).unwrap());
        Reading::new(written(GEOMETRY, &Device { model: Arc::new(model), seed: 3 }, 0, &[1; 64]), 5)
    }

    #[test]
    fn an_ideal_chip_reads_as_the_arithmetic_says() {
        let reading = reading(&[]);
        let adc = Adc { bits: 8, gain: 1 };
        for sum in -400..400 {
            assert_eq!(reading.code(1, sum as f32, 0.0, adc, &mut reading.draws(0)), adc.code(sum as f32));
        }
        assert!(reading.is_quiet() && effective(&reading.written).values == [1.0; 64]);
    }

    #[test]
    fn noise_has_the_deviation_of_cells_and_adc_and_errors_of_an_adc_stay() {
        let adc = Adc { bits: 12, gain: 0 };
        let deviation = |reading: &Reading, cells: f32| {
            let mut draws = reading.draws(1);
            let codes: Vec<f64> =
                (0..4000).map(|_| f64::from(reading.code(0, 100.0, cells, adc, &mut draws)) - 100.0).collect();
            (codes.iter().map(|code| code * code).sum::<f64>() / 4000.0).sqrt()
        };
        let near = |found: f64, wanted: f64| assert!((found / wanted - 1.0).abs() < 0.06, "{found}, not {wanted}");
        near(deviation(&reading(&[("adc.noise_lsb", 5.0)]), 0.0), 5.0);
        let noisy = reading(&[("read.sigma", 0.5)]);
        let of_a_pair = noisy.variance().values[0];
        // 64 pairs of two cells with half a level each.
        near(deviation(&noisy, 64.0 * of_a_pair), (64.0f64 * 2.0).sqrt() * 0.5);
        let wide = reading(&[("adc.offset_sigma_lsb", 30.0)]);
        let codes: Vec<f32> = (0..8).map(|kernel| wide.code(kernel, 0.0, 0.0, adc, &mut wide.draws(0))).collect();
        assert!(codes[..4] == codes[4..] && codes[0] != codes[1], "a lane has its own error: {codes:?}");
    }
}
