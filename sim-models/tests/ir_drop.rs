//! Wire resistance: the exact solver against networks solved by hand and by elimination, the fast approximation against the solver.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use basisn_arch::{ChipConfig, Geometry};
use basisn_models::random::{Random, generator, seed};
use basisn_models::rram::cell::Cells;
use basisn_models::rram::ir_drop::Bitlines;
use basisn_models::rram::nodal::Network;
use basisn_models::rram::{Device, DeviceMacro, MacroModel};
use rand::Rng;
use std::sync::Arc;

fn random_network(rng: &mut Random, rows: usize, bitlines: usize) -> Network {
    Network {
        rows,
        bitlines,
        g_us: (0..rows * bitlines).map(|_| rng.random_range(1.0..100.0)).collect(),
        connected: (0..bitlines).map(|_| rng.random_bool(0.8)).collect(),
        wordline_ohm: 30.0,
        bitline_ohm: 20.0,
        driver_ohm: 300.0,
        switch_ohm: 200.0,
    }
}

/// Node voltages by Gaussian elimination of the whole conductance matrix, then the currents.
fn dense(n: &Network, rows_v: &[f64], ends_v: &[f64]) -> (Vec<f64>, Vec<f64>) {
    let (r, b) = (n.rows, n.bitlines);
    let (word, bit) = (|row: usize, c: usize| row * b + c, |row: usize, c: usize| r * b + row * b + c);
    let size = 2 * r * b;
    let mut a = vec![vec![0.0; size + 1]; size];
    let join = |a: &mut Vec<Vec<f64>>, i: usize, j: usize, g: f64| {
        a[i][i] += g;
        a[j][j] += g;
        a[i][j] -= g;
        a[j][i] -= g;
    };
    let (driver, switch) = (1e6 / (n.driver_ohm + n.wordline_ohm), 1e6 / (n.switch_ohm + n.bitline_ohm));
    for row in 0..r {
        for c in 0..b {
            join(&mut a, word(row, c), bit(row, c), n.g_us[row * b + c]);
            if c + 1 < b {
                join(&mut a, word(row, c), word(row, c + 1), 1e6 / n.wordline_ohm);
            }
            if row + 1 < r {
                join(&mut a, bit(row, c), bit(row + 1, c), 1e6 / n.bitline_ohm);
            }
        }
        a[word(row, 0)][word(row, 0)] += driver;
        a[word(row, 0)][size] += driver * rows_v[row];
    }
    for c in (0..b).filter(|&c| n.connected[c]) {
        let end = bit(r - 1, c);
        a[end][end] += switch;
        a[end][size] += switch * ends_v[c];
    }
    for i in 0..size {
        let pivot = (i..size).max_by(|&p, &q| a[p][i].abs().total_cmp(&a[q][i].abs())).unwrap();
        a.swap(i, pivot);
        let row = a[i].clone();
        for (j, other) in a.iter_mut().enumerate() {
            if j != i && other[i] != 0.0 {
                let factor = other[i] / row[i];
                other.iter_mut().zip(&row).skip(i).for_each(|(x, y)| *x -= factor * y);
            }
        }
    }
    let v: Vec<f64> = (0..size).map(|i| a[i][size] / a[i][i]).collect();
    (
        (0..r).map(|row| driver * (rows_v[row] - v[word(row, 0)])).collect(),
        (0..b).map(|c| if n.connected[c] { switch * (v[bit(r - 1, c)] - ends_v[c]) } else { 0.0 }).collect(),
    )
}

fn near(got: &[f64], expected: &[f64], error: f64) {
    assert_eq!(got.len(), expected.len());
    let largest = expected.iter().fold(0.0f64, |m, e| m.max(e.abs()));
    for (got, expected) in got.iter().zip(expected) {
        assert!((got - expected).abs() <= error * largest, "{got} instead of {expected} (largest {largest})");
    }
}

#[test]
fn a_crossbar_of_2_by_2_solved_by_hand() {
    // By symmetry: all cells 100 uS (10 kohm), wordline wires 0, bitline wires 1 kohm, switches 0, drivers 0, both rows at 1 V. Each
    // bitline alone: upper node u, lower node l; (1-u)/10 = (u-l)/1 and (1-l)/10 + (u-l)/1 = l/1 in mA. With u = (1 + 10 l)/11:
    // (1-l)/10 + (1-l)/11 = l, so (1-l) 21/110 = l, l = 21/131 V, and the end carries l / 1 kohm = 160.305 uA.
    let network = Network {
        rows: 2,
        bitlines: 2,
        g_us: vec![100.0; 4],
        connected: vec![true; 2],
        wordline_ohm: 0.0,
        bitline_ohm: 1000.0,
        driver_ohm: 0.0,
        switch_ohm: 0.0,
    };
    let currents = network.solve(&[1.0, 1.0], &[0.0, 0.0]);
    near(&currents.bitlines, &[21.0 / 131.0 * 1000.0; 2], 1e-6);
    // What flows in flows out.
    near(&[currents.rows.iter().sum()], &[currents.bitlines.iter().sum()], 1e-6);
    // Only a driver of 2.5 kohm: each row sees 2 x 10 kohm in parallel, so its cells get 1 V * 5 / 7.5.
    let driven = Network { bitline_ohm: 0.0, driver_ohm: 2500.0, ..network };
    near(&driven.solve(&[1.0, 0.5], &[0.0, 0.0]).bitlines, &[100.0; 2], 1e-6);
}

#[test]
fn the_solver_equals_elimination_on_random_16_by_16() {
    let seed = seed();
    println!("BASISN_SEED={seed}");
    let mut rng = generator(seed);
    for _ in 0..4 {
        let network = random_network(&mut rng, 16, 16);
        let rows: Vec<f64> = (0..16).map(|_| rng.random_range(0.0..1.0)).collect();
        let ends: Vec<f64> = (0..16).map(|_| rng.random_range(-0.5..0.5)).collect();
        let (rows_i, bitlines_i) = dense(&network, &rows, &ends);
        let got = network.solve(&rows, &ends);
        near(&got.rows, &rows_i, 1e-9);
        near(&got.bitlines, &bitlines_i, 1e-9);
    }
}

#[test]
fn ideal_wires_are_no_ir_drop() {
    let mut rng = generator(seed());
    let network = random_network(&mut rng, 64, 32);
    let network = Network { wordline_ohm: 0.0, bitline_ohm: 0.0, driver_ohm: 0.0, switch_ohm: 0.0, ..network };
    let rows: Vec<f64> = (0..64).map(|_| f64::from(rng.random_range(0..2u8))).collect();
    near(&network.solve(&rows, &vec![0.0; 32]).bitlines, &network.ideal(&rows), 1e-6);
}

/// Weights of the fast approximation and of the solver for a written tile and one setting of the switches.
fn both(rng: &mut Random, model: &MacroModel, config: &ChipConfig) -> [Vec<i32>; 2] {
    let geometry = Geometry::from(config);
    let lanes = config.lanes() as i8;
    let switches: Vec<i8> = (0..config.columns()).map(|_| rng.random_range(-lanes..=lanes)).collect();
    let levels: Vec<i8> = (0..config.rows() * config.columns()).map(|_| [-1, 1][rng.random_range(0..2)]).collect();
    [false, true].map(|exact| {
        let mut model = model.clone();
        model.wires.exact = exact;
        let mut cells = Cells::new(&geometry, &model, 1, 0, 0);
        for (cell, &level) in levels.iter().enumerate() {
            cells.program(cell / config.columns(), cell % config.columns(), i32::from(level));
        }
        Bitlines::new(&cells, &geometry).unwrap().weights(&switches, config.lanes())
    })
}

fn rms(values: impl Iterator<Item = f64>) -> f64 {
    let (sum, count) = values.fold((0.0, 0), |(sum, count), v| (sum + v * v, count + 1));
    (sum / f64::from(count)).sqrt()
}

#[test]
fn the_fast_approximation_stays_within_its_stated_error() {
    let seed = seed();
    println!("BASISN_SEED={seed}");
    let mut rng = generator(seed);
    let digits = ChipConfig::load("digits").unwrap();
    for (name, changes, stated) in [
        ("1 ohm wires, 40 uS", vec![("wires.wordline_ohm", 1.0), ("wires.bitline_ohm", 1.0)], 0.1),
        ("driver and switch", vec![("wires.driver_ohm", 200.0), ("wires.switch_ohm", 500.0)], 0.1),
        ("5 ohm wires", vec![("wires.wordline_ohm", 5.0), ("wires.bitline_ohm", 5.0)], 0.1),
    ] {
        let mut model = MacroModel::load("ideal").unwrap().with("cell.g_min_us", 1.0).unwrap();
        let plain = model.clone();
        for (key, value) in changes {
            model = model.with(key, value).unwrap();
        }
        let state = rng.clone();
        let [fast, exact] = both(&mut rng, &model, &digits);
        // The same tile with wires that hardly matter, for the size of the drop itself.
        let least = plain.with("wires.bitline_ohm", 1e-6).unwrap();
        let [none, _] = both(&mut state.clone(), &least, &digits);
        let difference = |a: &[i32], b: &[i32]| rms(a.iter().zip(b).map(|(a, b)| f64::from(a - b)));
        let (drop, error) = (difference(&none, &exact), difference(&fast, &exact));
        println!("{name}: drop {drop:.2}, error {error:.3} = {:.2} % of it (2^-8 level)", 100.0 * error / drop);
        assert!(drop > 3.0 && error < stated * drop + 0.6, "{name}: drop {drop}, error {error}");
    }
}

#[test]
fn a_tile_reads_lower_sums_behind_resistive_wires() {
    let config = ChipConfig::load("tiny").unwrap();
    let sum = |ohm: f64| {
        let model = MacroModel::load("ideal").unwrap().with("wires.bitline_ohm", ohm).unwrap();
        let mut tile = DeviceMacro::new(Geometry::from(&config), &Device { model: Arc::new(model), seed: 1 }, 0, 0);
        tile.program_all(&[1; 256]);
        tile.lane_rows(&[1; 16]).weights[..16].iter().sum::<i32>()
    };
    let sums = [0.0, 1e-6, 10.0, 100.0, 1000.0].map(sum);
    assert_eq!((sums[0], sums[1]), (256 * 256, 256 * 256));
    assert!(sums.windows(2).skip(1).all(|w| w[0] > w[1]), "{sums:?}");
}
