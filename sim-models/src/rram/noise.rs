//! Random numbers that depend on what they are for and on nothing else: not on order, not on threads, not on the machine.
//!
//! Philox4x32-10 (Salmon, Moraes, Dror, Shaw: Parallel random numbers: as easy as 1, 2, 3; SC 2011) turns a key and a counter into
//! 128 random bits. The key is the seed; the counter names the draw: kind, core, tile, and a place (a device, a lane, a read).

/// What a draw is for; different kinds never share numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Kind {
    /// Conductance after programming.
    Programming,
    /// Pulses of write-verify.
    Pulse,
    /// Stuck cells.
    Fault,
    /// Relaxation since programming.
    Relaxation,
    /// Drift exponent of a device.
    Drift,
    /// Leakage of an open switch.
    Leakage,
    /// Offset and gain of an ADC.
    Adc,
    /// Code widths of an ADC.
    CodeWidth,
    /// One read of one lane.
    Read,
    /// One verify read of one cell.
    Verify,
}

/// The draws of one kind on one tile.
#[derive(Clone, Copy, Debug)]
pub struct Stream {
    key: [u32; 2],
    id: u32,
}

impl Stream {
    /// Draws of a kind for a tile (below 64) of a core (below 64).
    pub fn new(seed: u64, kind: Kind, core: usize, tile: usize) -> Self {
        Stream { key: [seed as u32, (seed >> 32) as u32], id: kind as u32 | (core as u32) << 4 | (tile as u32) << 10 }
    }

    /// Four draws at a place.
    pub fn four(&self, a: u32, b: u32, c: u32) -> [u32; 4] {
        philox([a, b, c, self.id], self.key)
    }

    /// One draw, uniform in (0, 1).
    pub fn uniform(&self, a: u32, b: u32, c: u32) -> f64 {
        probability(self.four(a, b, c)[0])
    }

    /// One draw of the standard normal distribution.
    pub fn normal(&self, a: u32, b: u32, c: u32) -> f64 {
        normal(self.four(a, b, c)[0])
    }
}

/// Philox4x32-10.
pub fn philox(mut counter: [u32; 4], mut key: [u32; 2]) -> [u32; 4] {
    for _ in 0..10 {
        let product = |factor: u32, word: u32| u64::from(factor) * u64::from(word);
        let (a, b) = (product(0xd251_1f53, counter[0]), product(0xcd9e_8d57, counter[2]));
        counter = [(b >> 32) as u32 ^ counter[1] ^ key[0], b as u32, (a >> 32) as u32 ^ counter[3] ^ key[1], a as u32];
        key = [key[0].wrapping_add(0x9e37_79b9), key[1].wrapping_add(0xbb67_ae85)];
    }
    counter
}

fn probability(bits: u32) -> f64 {
    (f64::from(bits) + 0.5) / 4_294_967_296.0
}

/// The standard normal deviate of 32 random bits: the inverse of the distribution function, to 7 digits, up to 6.2 sigma
/// (Wichura: Algorithm AS 241, PPND7; Applied Statistics 37, 1988).
pub fn normal(bits: u32) -> f64 {
    let p = probability(bits);
    let q = p - 0.5;
    if q.abs() <= 0.425 {
        let r = 0.180_625 - q * q;
        return q * (((59.109_374_720 * r + 159.291_132_02) * r + 50.434_271_938) * r + 3.387_132_717_9)
            / (((67.187_563_600 * r + 78.757_757_664) * r + 17.895_169_469) * r + 1.0);
    }
    // The software logarithm gives the same bits on every machine.
    let r = (-libm::log(p.min(1.0 - p))).sqrt();
    let tail = if r <= 5.0 {
        let r = r - 1.6;
        (((0.170_238_211_03 * r + 1.306_728_481_6) * r + 2.756_815_390_0) * r + 1.423_437_277_7)
            / ((0.120_211_329_75 * r + 0.737_001_642_50) * r + 1.0)
    } else {
        let r = r - 5.0;
        (((0.017_337_203_997 * r + 0.428_682_943_37) * r + 3.081_226_386_0) * r + 6.657_905_115_0)
            / ((0.012_258_202_635 * r + 0.241_978_942_25) * r + 1.0)
    };
    tail.copysign(q)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn philox_gives_the_published_numbers() {
        // Known answers of the authors' Random123.
        assert_eq!(philox([0; 4], [0; 2]), [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]);
        assert_eq!(
            philox([0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344], [0xa409_3822, 0x299f_31d0]),
            [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1]
        );
    }

    #[test]
    fn normal_deviates_are_the_known_quantiles() {
        for (p, z) in [(0.5, 0.0), (0.8413447, 1.0), (0.975, 1.959_964), (0.999, 3.090_232), (1e-6, -4.753_424)] {
            let bits = (p * 4_294_967_296.0f64 - 0.5).round() as u32;
            assert!((normal(bits) - z).abs() < 1e-4, "{p}: {} instead of {z}", normal(bits));
        }
        assert!(normal(u32::MAX) > 6.2 && normal(0) == -normal(u32::MAX));
    }

    #[test]
    fn deviates_have_mean_zero_and_variance_one_and_streams_differ() {
        let streams = [(Kind::Read, 0, 0), (Kind::Read, 0, 1), (Kind::Read, 1, 0), (Kind::Adc, 0, 0)];
        let n = 40_000;
        let draws = streams.map(|(kind, core, tile)| {
            let stream = Stream::new(7, kind, core, tile);
            (0..n).map(|i| stream.normal(i, 3, 5)).collect::<Vec<_>>()
        });
        for (i, a) in draws.iter().enumerate() {
            let mean = a.iter().sum::<f64>() / f64::from(n);
            let variance = a.iter().map(|x| x * x).sum::<f64>() / f64::from(n);
            assert!(mean.abs() < 0.025 && (variance - 1.0).abs() < 0.035, "{mean} {variance}");
            for b in &draws[i + 1..] {
                let correlation = a.iter().zip(b).map(|(x, y)| x * y).sum::<f64>() / f64::from(n);
                assert!(correlation.abs() < 0.025, "{correlation}");
            }
        }
    }
}
