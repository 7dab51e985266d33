//! One cell: the conductance that a level asks for, how it is written, its error, and what time and temperature do to it.

use super::config::{Encoding, MacroModel, Programming};

/// The conductances, in uS, that a level asks of a cell pair; with an offset column, of the cell and of its row's offset cell: levels are
/// spaced evenly between g_min and g_max (pairs as in Wan et al., Nature 608, 2022; the offset column as in ISAAC, ISCA 2016, whose weights are biased).
pub fn target_us(level: i32, level_max: i32, model: &MacroModel) -> [f64; 2] {
    let low = model.cell.g_min_us;
    let at = |share: f64| low + share * model.range_us();
    let share = f64::from(level) / f64::from(level_max);
    match model.cell.encoding {
        Encoding::Differential => [at(share.max(0.0)), at((-share).max(0.0))],
        Encoding::OffsetColumn => [at(0.5 + share / 2.0), at(0.5)],
    }
}

/// The difference of conductances, in uS, that counts as one level.
pub fn level_us(level_max: i32, model: &MacroModel) -> f64 {
    match model.cell.encoding {
        Encoding::Differential => model.range_us() / f64::from(level_max),
        Encoding::OffsetColumn => model.range_us() / f64::from(2 * level_max),
    }
}

/// Standard deviation of a cell after programming, in uS: the root of the summed squares of the constant share, the polynomial
/// (NeuRRAM: 1.536e-4 G^3 - 1.167e-2 G^2 + 0.2374 G + 1.053, as in CrossSim's RRAM_Wan) and the table.
pub fn programming_sigma_us(g_us: f64, programming: &Programming, range_us: f64) -> f64 {
    let polynomial = programming.polynomial_us.iter().rev().fold(0.0, |sum, c| sum * g_us + c).max(0.0);
    let table = interpolate(&programming.table_us, g_us);
    let share = programming.sigma * range_us;
    (share * share + polynomial * polynomial + table * table).sqrt()
}

/// Linear between the points, constant beyond; 0 without points.
fn interpolate(points: &[[f64; 2]], x: f64) -> f64 {
    match points.iter().position(|p| p[0] >= x) {
        None => points.last().map_or(0.0, |p| p[1]),
        Some(0) => points[0][1],
        Some(i) => {
            let ([x0, y0], [x1, y1]) = (points[i - 1], points[i]);
            y0 + (y1 - y0) * (x - x0) / (x1 - x0)
        }
    }
}

/// What the write-verify loop did to one cell.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Written {
    /// Conductance, in uS.
    pub g_us: f64,
    /// Pulses.
    pub pulses: u32,
    /// Whether the conductance was accepted.
    pub accepted: bool,
}

/// Write-verify: from g_min, pulses toward the target until the conductance is within the tolerance; each changes it by the step,
/// with spread. `normal(n)` is the draw of pulse n. Without pulses the target is met at once. (Pulse, verify, repeat as Wan et al. write their
/// chip; the Gaussian step is a simplification of ours.)
pub fn write_verify(target_us: f64, model: &MacroModel, normal: impl Fn(u32) -> f64) -> Written {
    let (loop_, range) = (&model.write_verify, model.range_us());
    let mut written = Written { g_us: model.cell.g_min_us, pulses: 0, accepted: true };
    if loop_.max_pulses == 0 {
        return Written { g_us: target_us, ..written };
    }
    while (written.g_us - target_us).abs() > loop_.tolerance * range {
        if written.pulses == loop_.max_pulses {
            written.accepted = false;
            break;
        }
        let change = loop_.step * range * (1.0 + loop_.spread * normal(written.pulses));
        written.g_us = (written.g_us + change * (target_us - written.g_us).signum()).max(0.0);
        written.pulses += 1;
    }
    written
}

/// Relaxation, drift and temperature: a cell `time_s` after programming.
///
/// Relaxation widens the distribution with the decades of time (aihwkit's ReRAM data after Wan et al.: about 1 % of the range in a
/// day); drift is the power law of the ageing of resistive cells, G(t) = G (t / 1 s)^-v; temperature scales.
pub fn aged_us(g_us: f64, model: &MacroModel, relaxation: f64, exponent: f64) -> f64 {
    let a = &model.aging;
    let decades = libm::log10(a.time_s);
    let relaxed = g_us + relaxation * a.relaxation_per_decade * decades * model.range_us();
    let drifted = relaxed * libm::pow(a.time_s, -(a.drift_exponent + a.drift_spread * exponent));
    (drifted * (1.0 + a.temperature_per_k * (a.temperature_k - 300.0))).max(0.0)
}
