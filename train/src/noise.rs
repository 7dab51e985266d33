//! Cells that do not hold what was written.

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use crate::adc::Levels;

/// Levels of one chip whose cells are off by `sigma` of full scale, normally distributed. A level is the difference of the
/// two cells of a pair, so its deviation is sqrt(2) as large.
pub fn disturbed(levels: &Levels, sigma: f64, seed: u64, draw: u64) -> Levels {
    // Odd, so that every draw of a seed has a stream of its own.
    let mut rng = StdRng::seed_from_u64(seed ^ draw.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let full_scale = levels.values.iter().fold(0.0f32, |m, v| m.max(v.abs()));
    let deviation = std::f64::consts::SQRT_2 * sigma * f64::from(full_scale);
    let values = levels.values.iter().map(|&level| level + (deviation * normal(&mut rng)) as f32).collect();
    Levels { values, ..*levels }
}

/// A standard normal number (Box and Muller 1958).
fn normal(rng: &mut StdRng) -> f64 {
    let (radius, angle): (f64, f64) = (1.0 - rng.random::<f64>(), rng.random());
    (-2.0 * radius.ln()).sqrt() * (std::f64::consts::TAU * angle).cos()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_error_has_the_deviation_asked_for() {
        let levels = Levels { rows: 100, columns: 100, values: vec![-3.0; 10_000] };
        let off = disturbed(&levels, 0.1, 5, 0);
        let errors: Vec<f64> = off.values.iter().map(|v| f64::from(v + 3.0)).collect();
        let mean = errors.iter().sum::<f64>() / 1e4;
        let deviation = (errors.iter().map(|e| (e - mean) * (e - mean)).sum::<f64>() / 1e4).sqrt();
        assert!(mean.abs() < 0.02 && (deviation - 0.3 * std::f64::consts::SQRT_2).abs() < 0.02, "{mean} {deviation}");
        assert_eq!(disturbed(&levels, 0.1, 5, 0), off);
        assert_ne!(disturbed(&levels, 0.1, 5, 1), off);
        assert_ne!(disturbed(&levels, 0.1, 6, 0), off);
    }
}
