//! Learned bases: better than fixed ones where they can be, in the cells' range, and always the same.

use basisn_arch::ChipConfig;

use crate::basis::{Basis, BasisKind, BasisOptions};
use crate::coefficient::CoefficientCode;
use crate::fit::{FitOptions, LayerOptions, Lesson, Target, bases, fit_layer, snr_db};
use crate::random::{Random, test_seed};

const ROWS: usize = 32;

fn chip(columns: usize, cell_bits: usize) -> ChipConfig {
    let chip = ChipConfig::load("digits").unwrap().with("crossbar.rows", ROWS).unwrap();
    chip.with("crossbar.columns", columns).unwrap().with("crossbar.cell_bits", cell_bits).unwrap()
}

/// Kernels that are sums of a few hidden vectors: there is something to learn.
fn weights(random: &mut Random, kernels: usize, depth: usize) -> Vec<f32> {
    let hidden: Vec<Vec<f64>> = (0..40).map(|_| (0..depth).map(|_| random.signed_unit()).collect()).collect();
    (0..kernels)
        .flat_map(|_| {
            let chosen: Vec<(usize, f64)> = (0..3).map(|_| (random.below(40), random.signed_unit())).collect();
            let value = |i: usize| chosen.iter().map(|(h, x)| x * hidden[*h][i]).sum::<f64>();
            (0..depth).map(|i| (value(i) + 0.05 * random.signed_unit()) as f32).collect::<Vec<_>>()
        })
        .collect()
}

fn options(kind: BasisKind, count: usize, default: LayerOptions) -> FitOptions {
    let basis = BasisOptions { kind, count, seed: 3 };
    FitOptions { basis, default, tiles: count, ..FitOptions::grouped(4, 1) }
}

fn sparse(planes: usize) -> LayerOptions {
    LayerOptions { code: CoefficientCode::csd(planes), group: None, nonzeros: Some(6) }
}

fn snr(lessons: &[Lesson], bases: &[Basis]) -> f64 {
    let fits = lessons.iter().map(|l| fit_layer(&l.target, bases, bases.len(), &l.options));
    let (signal, error) = fits.fold((0.0, 0.0), |sums, fit| (sums.0 + fit.signal, sums.1 + fit.error));
    snr_db(signal, error)
}

#[test]
fn hidden_structure_is_found_with_cells_of_any_size() {
    let mut random = Random::new(test_seed(61));
    let (a, b) = (weights(&mut random, 200, 64), weights(&mut random, 100, 28));
    for (cell_bits, gain_db) in [(1, 0.0), (2, 0.5), (3, 2.0), (4, 2.5), (5, 2.5)] {
        let chip = chip(64, cell_bits);
        let lesson = |weight, depth| Lesson { target: Target::new(weight, depth), options: sparse(3) };
        let lessons = [lesson(&a, 64), lesson(&b, 28)];
        let of = |kind| bases(&lessons, &chip, &options(kind, 1, sparse(3)), &|_| {});
        let (learned, fixed) = (of(BasisKind::Learned), of(BasisKind::Hadamard));
        let max = chip.level_max();
        assert!(learned[0].levels.iter().all(|l| l.abs() <= max && (cell_bits > 1 || *l != 0)));
        let (learned, fixed) = (snr(&lessons, &learned), snr(&lessons, &fixed));
        println!("{cell_bits} bits: learned {learned:.2} dB, Hadamard {fixed:.2} dB");
        assert!(learned >= fixed + gain_db, "{cell_bits} bits: {learned} {fixed}");
    }
}

#[test]
fn groups_and_several_bases_learn_too_and_threads_change_nothing() {
    let mut random = Random::new(test_seed(62));
    let weight = weights(&mut random, 96, 64);
    let chip = chip(64, 3).with("core.tiles", 2).unwrap();
    let grouped = LayerOptions { code: CoefficientCode::TERNARY, group: Some(4), nonzeros: None };
    let dense = LayerOptions { code: CoefficientCode::TERNARY, group: None, nonzeros: None };
    for layer in [grouped, dense] {
        let lessons = [Lesson { target: Target::new(&weight, 64), options: layer }];
        let run = |kind, threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| bases(&lessons, &chip, &options(kind, 2, layer), &|_| {}))
        };
        let learned = run(BasisKind::Learned, 1);
        assert!(learned == run(BasisKind::Learned, 3) && learned.len() == 2 && learned[0] != learned[1]);
        let (learned, fixed) = (snr(&lessons, &learned), snr(&lessons, &run(BasisKind::Hadamard, 1)));
        println!("{layer:?}: learned {learned:.2} dB, Hadamard {fixed:.2} dB");
        assert!(learned > fixed + 0.2, "{layer:?}: {learned} {fixed}");
    }
}

#[test]
fn progress_rises_to_its_end_and_columns_that_nobody_needs_do_no_harm() {
    // Four different kernels and 64 columns.
    let mut random = Random::new(test_seed(63));
    let weight = weights(&mut random, 4, 32);
    let chip = chip(64, 4);
    let lessons = [Lesson { target: Target::new(&weight, 32), options: sparse(2) }];
    let seen = std::sync::Mutex::new(Vec::new());
    let found =
        bases(&lessons, &chip, &options(BasisKind::Learned, 1, sparse(2)), &|share| seen.lock().unwrap().push(share));
    assert!(snr(&lessons, &found) > 10.0);
    let seen = seen.into_inner().unwrap();
    assert!(!seen.is_empty() && seen.windows(2).all(|w| w[0] <= w[1]) && seen.iter().all(|s| (0.0..=1.0).contains(s)));
    let silent = [0.0f32; 64];
    let lessons = [Lesson { target: Target::new(&silent, 32), options: sparse(2) }];
    let options = options(BasisKind::Learned, 1, sparse(2));
    assert_eq!(bases(&lessons, &chip, &options, &|_| {})[0].levels.len(), 32 * 64);
}
