//! The ADCs of one tile: static errors of each lane, and the conversion of a lane sum with 2^-8 fractions. Terms as in IEEE Std 1241;
//! non-linearity is a table, or the sum of random code widths.

use super::cell::{FRACTION_BITS, round};
use super::config::Adc;
use super::noise::{Kind, Stream};
use crate::arithmetic::adc_range;

/// Fractional bits of a gain error.
const GAIN_BITS: u32 = 20;

/// Static errors of the lanes of a tile.
#[derive(Clone, Debug)]
pub struct Adcs {
    adc_bits: usize,
    /// Low bits of a code that are not resolved.
    dropped: u32,
    /// Relative gain error of every lane in 2^-20; empty without any error.
    gain: Vec<i64>,
    /// Offset of every lane in 2^-8 LSB.
    offset: Vec<i64>,
    /// Integral non-linearity in 2^-8 LSB, `[lane << adc_bits | code - lowest]`; empty if there is none.
    inl: Vec<i64>,
}

impl Adcs {
    /// The ADCs of a tile; `gain` and `code_width` give the draws.
    pub fn new(adc: &Adc, lanes: usize, adc_bits: usize, gain: Stream, code_width: Stream) -> Self {
        let dropped = if adc.bits == 0 { 0 } else { (adc_bits as u32).saturating_sub(adc.bits) };
        let mut adcs = Adcs { adc_bits, dropped, gain: Vec::new(), offset: Vec::new(), inl: Vec::new() };
        if adc.gain_sigma == 0.0
            && adc.offset_sigma_lsb == 0.0
            && adc.code_width_sigma_lsb == 0.0
            && adc.inl_lsb.is_empty()
        {
            return adcs;
        }
        for lane in 0..lanes as u32 {
            adcs.gain.push(i64::from(round(adc.gain_sigma * gain.normal(lane, 0, 0) * f64::from(1 << GAIN_BITS))));
            adcs.offset
                .push(i64::from(round(adc.offset_sigma_lsb * gain.normal(lane, 1, 0) * f64::from(1 << FRACTION_BITS))));
        }
        if adc.code_width_sigma_lsb > 0.0 || !adc.inl_lsb.is_empty() {
            for lane in 0..lanes as u32 {
                adcs.inl.extend(non_linearity(adc, adc_bits, |code| code_width.normal(lane, code, 0)));
            }
        }
        adcs
    }

    /// The code of a lane sum in 2^-8 levels, before the ADC clamps it:
    /// `(v (1 + gain) + (offset + inl) 2^g + 2^(g+7)) >> (g + 8)`. Without errors and for whole levels this is the contract's
    /// `(z + ((1 << g) >> 1)) >> g`.
    pub fn unlimited(&self, lane: usize, sum: i32, gain: u32) -> i32 {
        let mut v = i64::from(sum);
        let shift = FRACTION_BITS + gain;
        let code = |v: i64| (v + (1 << (shift - 1))) >> shift;
        if let Some(error) = self.gain.get(lane) {
            v += ((v * error) >> GAIN_BITS) + (self.offset[lane] << gain);
            if !self.inl.is_empty() {
                let (low, high) = adc_range(self.adc_bits);
                let index = (code(v).clamp(low.into(), high.into()) - i64::from(low)) as usize;
                v += self.inl[lane << self.adc_bits | index] << gain;
            }
        }
        // A coarser ADC over the same range.
        ((v + (1 << (shift + self.dropped - 1))) >> (shift + self.dropped) << self.dropped) as i32
    }

    /// Whether all lanes are without error.
    pub fn is_ideal(&self) -> bool {
        self.gain.is_empty() && self.dropped == 0
    }
}

/// Integral non-linearity of one ADC in 2^-8 LSB: the table of the model, and a random walk of code widths with its ends tied to 0.
fn non_linearity(adc: &Adc, adc_bits: usize, normal: impl Fn(u32) -> f64) -> Vec<i64> {
    let codes = 1usize << adc_bits;
    let mut walk = Vec::with_capacity(codes);
    let mut sum = 0.0;
    for code in 0..codes {
        walk.push(sum);
        sum += adc.code_width_sigma_lsb * normal(code as u32);
    }
    let last = codes - 1;
    let end = walk[last];
    let table = |code: usize| {
        let x = (adc.inl_lsb.len().saturating_sub(1) * code) as f64 / last as f64;
        let (i, rest) = (x as usize, x.fract());
        let at = |i: usize| adc.inl_lsb.get(i).or(adc.inl_lsb.last()).copied().unwrap_or(0.0);
        at(i) + (at(i + 1) - at(i)) * rest
    };
    let value = |(code, w): (usize, f64)| w - end * code as f64 / last as f64 + table(code);
    walk.into_iter().enumerate().map(|c| i64::from(round(value(c) * f64::from(1 << FRACTION_BITS)))).collect()
}

/// The ADCs of a tile, from the seed.
pub fn of_tile(adc: &Adc, lanes: usize, adc_bits: usize, seed: u64, core: usize, tile: usize) -> Adcs {
    let stream = |kind| Stream::new(seed, kind, core, tile);
    Adcs::new(adc, lanes, adc_bits, stream(Kind::Adc), stream(Kind::CodeWidth))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arithmetic::adc_code;
    use crate::rram::MacroModel;

    #[test]
    fn without_errors_whole_levels_give_the_codes_of_the_contract() {
        let model = MacroModel::load("ideal").unwrap();
        let adcs = of_tile(&model.adc, 3, 8, 1, 0, 0);
        assert!(adcs.is_ideal());
        for gain in 0..8 {
            for z in -5000..5000 {
                assert_eq!(adcs.unlimited(2, z << FRACTION_BITS, gain).clamp(-128, 127), adc_code(z, gain, 8));
            }
        }
    }

    #[test]
    fn gain_offset_and_table_move_the_codes() {
        let ideal = MacroModel::load("ideal").unwrap();
        let mut adc = ideal.adc.clone();
        adc.inl_lsb = vec![0.0, 4.0, 0.0];
        let adcs = of_tile(&adc, 1, 8, 1, 0, 0);
        let codes = [-128, -64, 0, 64, 127].map(|z| adcs.unlimited(0, z << FRACTION_BITS, 0));
        assert_eq!(codes, [-128, -62, 4, 66, 127], "a bow of 4 LSB in the middle");
        let coarse = of_tile(&Adc { bits: 6, ..ideal.adc.clone() }, 1, 8, 1, 0, 0);
        let codes = [-6, -3, -2, 1, 2, 5, 6].map(|z| coarse.unlimited(0, z << FRACTION_BITS, 0));
        assert_eq!(codes, [-4, -4, 0, 0, 4, 4, 8], "six of eight bits");
        let spread = |adc: &Adc, z: i32| {
            let adcs = of_tile(adc, 2000, 12, 5, 0, 0);
            let codes: Vec<f64> = (0..2000).map(|l| f64::from(adcs.unlimited(l, z << FRACTION_BITS, 0) - z)).collect();
            (codes.iter().map(|c| c * c).sum::<f64>() / 2000.0).sqrt()
        };
        let near = |value: f64, wanted: f64| assert!((value / wanted - 1.0).abs() < 0.05, "{value}, not {wanted}");
        adc.inl_lsb.clear();
        near(spread(&Adc { gain_sigma: 0.02, ..adc.clone() }, 1000), 20.0);
        near(spread(&Adc { offset_sigma_lsb: 15.0, ..adc.clone() }, 0), 15.0);
        // A walk of 4095 steps tied at both ends has the deviation sigma sqrt(n / 4) in its middle.
        near(spread(&Adc { code_width_sigma_lsb: 0.5, ..adc.clone() }, 0), 0.5 * (4095f64 / 4.0).sqrt());
    }
}
