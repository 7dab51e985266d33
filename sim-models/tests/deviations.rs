//! Every standard deviation and rate of the macro models, measured: right as it is, and seen to be wrong where it is wrong by a tenth.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use basisn_arch::ProgramOp;
use basisn_models::rram::MacroModel;
use basisn_models::rram::adc::of_tile;
use basisn_models::rram::cell::Cells;
use basisn_models::rram::config::Adc;
use basisn_models::rram::lanes::{leakage, leakage_stream};
use common::{SEED, cells, geometry, model, moments, read_sigma, side, tile};

/// Measurements know their number to 1 % or better.
const TOLERANCE: f64 = 0.04;
const A_DAY: (&str, f64) = ("aging.time_s", 1e5);

/// What is measured when the model has `factor` times its number, and what is right for 1.
struct Deviation {
    what: &'static str,
    right: f64,
    measure: fn(factor: f64) -> f64,
}

const DEVIATIONS: &[Deviation] = &[
    Deviation {
        what: "programming error, a share of the range",
        right: 0.05 * 36.0,
        measure: |f| side(&cells(&model(&[("programming.sigma", 0.05 * f)]), 3), 0).1,
    },
    Deviation {
        what: "programming error of NeuRRAM at 28 uS",
        right: 1.536e-4 * 21952.0 - 1.167e-2 * 784.0 + 0.2374 * 28.0 + 1.053,
        measure: |f| {
            let mut neurram = model(&[]);
            let formula = MacroModel::load("neurram").unwrap().programming.polynomial_us;
            neurram.programming.polynomial_us = formula.iter().map(|c| c * f).collect();
            side(&cells(&neurram, 2), 0).1
        },
    },
    Deviation {
        what: "programming error from a table, at 16 uS",
        right: 1.3,
        measure: |f| {
            let mut table = model(&[]);
            table.programming.table_us = vec![[10.0, f], [30.0, 2.0 * f]];
            side(&cells(&table, 1), 0).1
        },
    },
    Deviation {
        what: "a pulse of the macro's own write-verify",
        right: 0.2 * 18.0,
        measure: |f| side(&cells(&model(&one_pulse(f)), 3), 0).1,
    },
    Deviation {
        what: "a pulse of the program controller",
        right: 0.2 * 18.0,
        measure: |f| {
            let (g, model) = (geometry(), model(&one_pulse(f)));
            let mut cells = Cells::new(&g, &model, SEED, 0, 0);
            (0..g.rows * g.columns).for_each(|c| cells.pulse(c / g.columns, c % g.columns, 3, ProgramOp::Up));
            side(&cells, 0).1
        },
    },
    Deviation {
        what: "relaxation over five decades",
        right: 0.05 * 36.0,
        measure: |f| side(&cells(&model(&[A_DAY, ("aging.relaxation_per_decade", 0.01 * f)]), 3), 0).1,
    },
    Deviation {
        what: "exponents of drift",
        right: 0.005,
        measure: |f| side(&cells(&model(&[A_DAY, ("aging.drift_spread", 0.005 * f)]), 3), 0).1 / 40.0 / 1e5f64.ln(),
    },
    Deviation { what: "cells stuck low", right: 0.3, measure: |f| stuck([0.3 * f, 0.2], 0, 4.0) },
    Deviation { what: "cells stuck high", right: 0.2, measure: |f| stuck([0.3, 0.2 * f], 1, 40.0) },
    Deviation {
        // 16 rows x 8 columns x 2 cells of 0.1 x 36 uS, in levels of 12 uS.
        what: "thermal noise of a read",
        right: 16.0 * 0.1 * 3.0,
        measure: |f| read_sigma(&[("read.sigma", 0.1 * f)]),
    },
    Deviation {
        // 128 cells of 40 uS and as many of 4 uS.
        what: "noise of a read in proportion to the conductance",
        right: 3.790_045_440_947_172_7,
        measure: |f| read_sigma(&[("read.relative_sigma", 0.1 * f)]),
    },
    Deviation { what: "noise of an ADC", right: 3.0, measure: |f| read_sigma(&[("adc.noise_lsb", 3.0 * f)]) },
    Deviation {
        // Two cells of 0.1 x 36 uS, in levels of 12 uS and 512 codes.
        what: "noise of a verify read",
        right: std::f64::consts::SQRT_2 * 0.3 * 512.0,
        measure: |f| verify_sigma(("read.sigma", 0.1 * f)),
    },
    Deviation {
        what: "noise of the ADC in a verify read",
        right: 30.0,
        measure: |f| verify_sigma(("adc.noise_lsb", 30.0 * f)),
    },
    Deviation {
        what: "leakage of open columns",
        right: 0.01 * 0.5,
        measure: |f| {
            let model = model(&[("switches.leakage", 0.01), ("switches.leakage_spread", 0.5 * f)]);
            moments(leakage(&cells(&model, 3), &geometry(), leakage_stream(SEED, 0, 0)).into_iter()).1
        },
    },
    Deviation {
        what: "gain of the ADCs",
        right: 20.0,
        measure: |f| adc_sigma(12, 1000, |adc| adc.gain_sigma = 0.02 * f),
    },
    Deviation {
        what: "offset of the ADCs",
        right: 15.0,
        measure: |f| adc_sigma(12, 0, |adc| adc.offset_sigma_lsb = 15.0 * f),
    },
    Deviation {
        // A walk of 255 code widths tied at both ends has the deviation sigma sqrt(255 / 4) in its middle.
        what: "code widths of the ADCs",
        right: 15.968_719_422_671_31,
        measure: |f| adc_sigma(8, 0, |adc| adc.code_width_sigma_lsb = 2.0 * f),
    },
];

/// One pulse from 4 uS, of half the range.
fn one_pulse(factor: f64) -> [(&'static str, f64); 4] {
    let (step, spread) = (("write_verify.step", 0.5), ("write_verify.spread", 0.2 * factor));
    [("write_verify.tolerance", 1e-3), step, spread, ("write_verify.max_pulses", 1.0)]
}

/// Share of the cells of a side that have this conductance; at level 1 they should have 16 uS and 4 uS, and errors tell stuck ones apart.
fn stuck([low, high]: [f64; 2], side: usize, us: f64) -> f64 {
    let faults = [("faults.stuck_low", low), ("faults.stuck_high", high), ("programming.sigma", 0.01)];
    let (g, cells) = (geometry(), cells(&model(&faults), 1));
    let found = (0..g.rows * g.columns).filter(|c| cells.pair_us(c / g.columns, c % g.columns)[side] == us);
    found.count() as f64 / (g.rows * g.columns) as f64
}

/// Standard deviation of one verify read of every cell of an unwritten crossbar.
fn verify_sigma(noise: (&str, f64)) -> f64 {
    let (g, mut tile) = (geometry(), tile(&[noise]));
    let codes: Vec<f64> =
        (0..g.rows * g.columns).map(|c| f64::from(tile.verify(c / g.columns, c % g.columns))).collect();
    moments(codes.into_iter()).1
}

/// Standard deviation of the error of 20000 ADCs at a sum of `z` levels.
fn adc_sigma(bits: usize, z: i32, change: impl Fn(&mut Adc)) -> f64 {
    let mut adc = model(&[]).adc;
    change(&mut adc);
    let adcs = of_tile(&adc, 20_000, bits, SEED, 0, 0);
    moments((0..20_000).map(|lane| f64::from(adcs.unlimited(lane, z << 8, 0) - z))).1
}

#[test]
fn deviations_are_right_and_seen_to_be_wrong_by_a_tenth() {
    for Deviation { what, right, measure } in DEVIATIONS {
        let off = |factor| (measure(factor) / right - 1.0).abs();
        assert!(off(1.0) < TOLERANCE, "{what}: {} instead of {right}", measure(1.0));
        for wrong in [0.9, 1.1] {
            assert!(off(wrong) > TOLERANCE, "{what}: {wrong} times the number goes unseen");
        }
    }
}
