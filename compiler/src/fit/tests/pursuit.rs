//! The rules of groups, and what the competition is worth.

use crate::basis::Basis;
use crate::coefficient::CoefficientCode;
use crate::fit::pursuit::*;
use crate::fit::{LayerFit, snr_db};
use crate::random::{Random, test_seed};
use basisn_arch::{ChipConfig, Subvectors};

fn basis(rows: usize, columns: usize) -> Basis {
    let chip = ChipConfig::load("digits").unwrap();
    Basis::hadamard(&chip.with("crossbar.rows", rows).unwrap().with("crossbar.columns", columns).unwrap())
}

fn normal(random: &mut Random, count: usize) -> Vec<f32> {
    (0..count).map(|_| (0..6).map(|_| random.signed_unit()).sum::<f64>() as f32).collect()
}

fn snr(pursuit: &Pursuit) -> f64 {
    snr_db(pursuit.fit.signal, pursuit.fit.error)
}

/// Squared error of the weights that coefficients and scales stand for.
fn error_of(target: &Target, basis: &Basis, fit: &LayerFit) -> f64 {
    let cut = Subvectors::new(target.depth, basis.rows);
    let vectors = basis.vectors(cut.length);
    (0..target.kernels())
        .map(|k| {
            let weights = target.kernel(k, &cut);
            let coefficients = &fit.coefficients[k * cut.count * basis.columns..];
            (0..cut.count * cut.length)
                .map(|i| {
                    let c = &coefficients[i / cut.length * basis.columns..][..basis.columns];
                    let sum: f64 = c.iter().zip(&vectors).map(|(&c, v)| f64::from(c) * v[i % cut.length]).sum();
                    (f64::from(weights[i]) - fit.scale[k] * sum).powi(2)
                })
                .sum::<f64>()
        })
        .sum()
}

#[test]
fn groups_own_disjoint_columns_within_their_quota_and_errors_are_those_of_the_weights() {
    let mut random = Random::new(test_seed(41));
    for (kernels, depth, size, code, nonzeros) in [
        (8, 64, 4, CoefficientCode::TERNARY, None),
        (10, 144, 4, CoefficientCode::TERNARY, None),
        (9, 70, 3, CoefficientCode::power_of_two(3), None),
        (16, 64, 8, CoefficientCode::csd(4), None),
        (6, 100, 2, CoefficientCode::TERNARY, Some(9)),
        (3, 20, 1, CoefficientCode::TERNARY, Some(16)),
    ] {
        let weight = normal(&mut random, kernels * depth);
        let (target, basis) = (Target::new(&weight, depth), basis(64, 64));
        let groups = groups(kernels, size, 1);
        let found = grouped(&target, &basis, &groups, code, nonzeros);
        let subvectors = depth.div_ceil(64);
        let of = |k: usize, s: usize| &found.fit.coefficients[(k * subvectors + s) * 64..][..64];
        let quota = nonzeros.unwrap_or(usize::MAX).min(2 * 64 / size);
        assert!(found.fit.coefficients.iter().all(|&c| code.contains(c)));
        for (s, group) in (0..subvectors).flat_map(|s| groups.iter().map(move |g| (s, g))) {
            assert!((0..64).all(|c| group.iter().filter(|&&k| of(k, s)[c] != 0).count() <= 1), "a contest");
            assert!(group.iter().all(|&k| of(k, s).iter().filter(|c| **c != 0).count() <= quota), "quota");
        }
        let wanted = error_of(&target, &basis, &found.fit);
        assert!((found.fit.error - wanted).abs() < 1e-6 * found.fit.signal, "{} {wanted}", found.fit.error);
        assert!(snr(&found) > 1.0, "{} dB", snr(&found));
    }
}

#[test]
fn competition_beats_an_ordinary_pursuit_whose_columns_the_winner_takes() {
    let mut random = Random::new(test_seed(42));
    let weight = normal(&mut random, 16 * 128);
    let (target, basis) = (Target::new(&weight, 128), basis(64, 64));
    let groups = groups(16, 4, 1);
    let joint = grouped(&target, &basis, &groups, CoefficientCode::TERNARY, None);
    let alone = plain(&target, &basis, CoefficientCode::TERNARY, 16);
    let taken = winner_take_all(&target, &basis, &groups, CoefficientCode::TERNARY, &alone);
    println!("joint {:.2} dB, alone {:.2} dB, winner takes all {:.2} dB", snr(&joint), snr(&alone), snr(&taken));
    let wanted = error_of(&target, &basis, &taken.fit);
    assert!((taken.fit.error - wanted).abs() < 1e-6 * taken.fit.signal);
    assert!(snr(&alone) > snr(&joint) && snr(&joint) > snr(&taken) + 0.1);
    // Nobody's coefficient is new, and somebody lost one.
    let (before, after) = (&alone.fit.coefficients, &taken.fit.coefficients);
    assert!(before.iter().zip(after).all(|(b, a)| *a == 0 || a == b) && before != after);
}

#[test]
fn correlations_are_what_a_change_of_the_coefficient_would_take_away() {
    let mut random = Random::new(test_seed(43));
    let weight = normal(&mut random, 4 * 48);
    let (target, basis) = (Target::new(&weight, 48), basis(64, 64));
    let found = grouped(&target, &basis, &groups(4, 4, 1), CoefficientCode::TERNARY, None);
    // Columns of 48 rows are not orthogonal: a correlation is exact for one change at a time.
    for place in [0, 17, 64 + 5, 3 * 64 + 60] {
        let changed = |by: f64| {
            let vectors = basis.vectors(48);
            let kernel = place / 64;
            (0..48)
                .map(|i| {
                    let sum: f64 = (0..64)
                        .map(|c| {
                            let extra = if c == place % 64 { by } else { 0.0 };
                            (f64::from(found.fit.coefficients[kernel * 64 + c]) + extra) * vectors[c][i]
                        })
                        .sum();
                    (f64::from(weight[kernel * 48 + i]) - found.fit.scale[kernel] * sum).powi(2)
                })
                .sum::<f64>()
        };
        let best = f64::from(found.correlation[place]);
        assert!(changed(best) <= changed(best + 1e-3) && changed(best) <= changed(best - 1e-3));
    }
    let latents = found.latents();
    for (latent, &c) in latents.iter().zip(&found.fit.coefficients) {
        assert!(if c == 0 { latent.abs() <= 0.45 } else { *latent == f32::from(c) });
    }
}

#[test]
fn moments_make_important_inputs_matter() {
    let mut random = Random::new(test_seed(44));
    let weight = normal(&mut random, 8 * 32);
    let basis = basis(32, 32);
    let mut moments = vec![0.0; 32 * 32];
    (0..32).for_each(|i| moments[i * 33] = if i < 8 { 10.0 } else { 0.1 });
    let groups = groups(8, 4, 1);
    let weighted_error = |fit: &LayerFit| -> f64 {
        let vectors = basis.vectors(32);
        (0..8 * 32)
            .map(|n| {
                let (k, i) = (n / 32, n % 32);
                let sum: f64 = (0..32).map(|c| f64::from(fit.coefficients[k * 32 + c]) * vectors[c][i]).sum();
                moments[i * 33] * (f64::from(weight[n]) - fit.scale[k] * sum).powi(2)
            })
            .sum()
    };
    let moments = [moments.clone()];
    let target = Target { weight: &weight, depth: 32, moments: Some(&moments) };
    let weighted = grouped(&target, &basis, &groups, CoefficientCode::TERNARY, None);
    let uniform = grouped(&Target::new(&weight, 32), &basis, &groups, CoefficientCode::TERNARY, None);
    assert!((weighted.fit.error - weighted_error(&weighted.fit)).abs() < 1e-6 * weighted.fit.signal);
    assert!(weighted_error(&weighted.fit) < 0.7 * weighted_error(&uniform.fit));
}

#[test]
fn weights_without_signal_and_chains_of_threads_change_nothing() {
    let basis = basis(64, 64);
    let mut weight = vec![0.0f32; 4 * 64];
    let silent = grouped(&Target::new(&weight, 64), &basis, &groups(4, 4, 1), CoefficientCode::TERNARY, None);
    assert!(silent.fit.coefficients.iter().all(|c| *c == 0) && silent.fit.scale == [0.0; 4] && silent.fit.error == 0.0);
    let mut random = Random::new(test_seed(45));
    weight = normal(&mut random, 24 * 130);
    let run = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| grouped(&Target::new(&weight, 130), &basis, &groups(24, 8, 1), CoefficientCode::TERNARY, None))
    };
    assert_eq!(run(1), run(3));
}

#[test]
fn groups_name_every_kernel_once_and_share_a_home() {
    assert_eq!(groups(5, 2, 1), [vec![0, 1], vec![2, 3], vec![4]]);
    assert_eq!(groups(5, 2, 2), [vec![0, 2], vec![4], vec![1, 3]]);
}
