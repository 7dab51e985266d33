//! An 8-bit weight in differential cells.

/// How weights are cut into cells, and how many of the cells a new weight changes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Slicing {
    /// Differential columns of a weight: seven magnitude bits in cells of so many bits.
    pub slices: usize,
    /// Share of the cells whose level is another one after an independent weight was written.
    pub changed: f64,
}

impl Slicing {
    /// For cells of `cell_bits` bits and normal weights whose standard deviation is `sigma` of the largest weight.
    pub fn new(cell_bits: usize, sigma: f64) -> Self {
        let slices = 7usize.div_ceil(cell_bits);
        let probability = weights(sigma);
        let mut same = 0.0;
        for slice in 0..slices {
            for positive in [true, false] {
                let mut levels = vec![0.0; 1 << cell_bits];
                for (weight, p) in (-127i32..).zip(&probability) {
                    let digit = weight.unsigned_abs() >> (slice * cell_bits) & ((1 << cell_bits) - 1);
                    let level = if (weight > 0) == positive { digit } else { 0 };
                    levels[level as usize] += p;
                }
                same += levels.iter().map(|p| p * p).sum::<f64>();
            }
        }
        Slicing { slices, changed: 1.0 - same / (2 * slices) as f64 }
    }
}

/// Probability of every weight -127..127: normal, clamped.
fn weights(sigma: f64) -> Vec<f64> {
    let scale = 127.0 * sigma;
    let density = |w: i32| (-0.5 * (f64::from(w) / scale).powi(2)).exp();
    let sum: f64 = (-127..=127).map(density).sum();
    (-127..=127).map(|w| density(w) / sum).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_top_slice_of_small_weights_stays() {
        assert_eq!((Slicing::new(2, 0.2).slices, Slicing::new(4, 0.2).slices), (4, 2));
        // Weights of at most one step: only the lowest cell of each sign is ever used.
        let tiny = Slicing::new(2, 0.003);
        assert!(tiny.changed < 0.05, "{tiny:?}");
        let [narrow, wide] = [0.05, 0.3].map(|sigma| Slicing::new(2, sigma).changed);
        assert!(0.1 < narrow && narrow < wide && wide < 0.75, "{narrow} {wide}");
        // Uniform weights in cells of one bit: a cell is 0 in three of four cases, so it stays with 10 of 16.
        let uniform = Slicing::new(1, 1000.0).changed;
        assert!((uniform - 6.0 / 16.0).abs() < 0.01, "{uniform}");
    }
}
