//! Local fits; and the pursuit's tests below.

mod learn;
mod pursuit;

use super::*;
use crate::csd::coefficient_max;
use crate::random::{Random, test_seed};
use basisn_arch::ChipConfig;

fn basis(rows: usize, columns: usize) -> Basis {
    let chip = ChipConfig::load("digits").unwrap();
    Basis::hadamard(&chip.with("crossbar.rows", rows).unwrap().with("crossbar.columns", columns).unwrap())
}

/// Sum of uniform numbers: close to a normal distribution, as trained weights are.
fn normal(random: &mut Random, count: usize) -> Vec<f32> {
    (0..count).map(|_| (0..6).map(|_| random.signed_unit()).sum::<f64>() as f32).collect()
}

/// A local fit with canonical signed digits.
fn local(weight: &[f32], depth: usize, basis: &Basis, planes: usize) -> LayerFit {
    let options = LayerOptions { code: CoefficientCode::csd(planes), group: None, nonzeros: None };
    fit_layer(&Target::new(weight, depth), std::slice::from_ref(basis), 1, &options)
}

fn snr(weight: &[f32], depth: usize, basis: &Basis, planes: usize) -> f64 {
    let fit = local(weight, depth, basis, planes);
    let max = coefficient_max(planes);
    assert!(fit.coefficients.iter().all(|c| i32::from(c.abs()) <= max));
    snr_db(fit.signal, fit.error)
}

#[test]
fn more_planes_and_more_columns_leave_less() {
    let mut random = Random::new(test_seed(5));
    let weight = normal(&mut random, 8 * 128);
    let by_planes: Vec<f64> = (1..=6).map(|j| snr(&weight, 128, &basis(64, 64), j)).collect();
    // What a uniform quantizer of as many levels reaches for a normal distribution, less a margin for the sample.
    for (found, least) in by_planes.iter().zip([6.9, 10.4, 16.3, 21.3, 27.0, 32.5]) {
        assert!(*found > least, "{by_planes:?}");
    }
    let by_columns: Vec<f64> = [32, 64, 96, 128].map(|c| snr(&weight, 128, &basis(64, c), 4)).to_vec();
    assert!(by_columns.windows(2).all(|w| w[0] < w[1]), "{by_columns:?}");
    assert!(by_columns[0] > 2.0, "{by_columns:?}");
}

#[test]
fn what_the_basis_represents_exactly_is_found_exactly() {
    let basis = basis(16, 16);
    let vectors = basis.vectors(16);
    let coefficients: Vec<i8> = (0..16).map(|c| [0, 10, -9, 3][c % 4]).collect();
    let weight: Vec<f32> = (0..16)
        .map(|i| 0.125 * coefficients.iter().zip(&vectors).map(|(&c, v)| f64::from(c) * v[i]).sum::<f64>() as f32)
        .collect();
    let fit = local(&weight, 16, &basis, 4);
    assert_eq!(fit.coefficients, coefficients);
    assert!((fit.scale[0] - 0.125).abs() < 1e-9 && snr_db(fit.signal, fit.error) > 100.0);
}

#[test]
fn zero_kernels_get_no_coefficients() {
    let fit = local(&[0.0; 20], 10, &basis(16, 16), 4);
    assert_eq!((fit.coefficients, fit.scale, fit.error), (vec![0; 32], vec![0.0; 2], 0.0));
    assert_eq!(snr_db(0.0, 0.0), 0.0);
    assert_eq!(snr_db(1.0, 0.0), 300.0);
}
