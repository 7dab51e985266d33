//! The macro models by their formulas, and their limits; `deviations.rs` has their random part.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::sync::Arc;

use basisn_arch::{ChipConfig, Geometry};
use basisn_models::random::{generator, seed};
use basisn_models::rram::cell::Cells;
use basisn_models::rram::conductance::programming_sigma_us;
use basisn_models::rram::{Device, MacroModel};
use basisn_models::{NetProblem, golden};
use common::{SEED, cells, geometry, is_near, model, moments, read_sigma, side, tile};

fn near(what: &str, got: f64, expected: f64) {
    assert!(is_near(got, expected), "{what}: {got} instead of {expected}");
}

#[test]
fn levels_become_the_conductances_of_the_formula() {
    let differential = cells(&model(&[]), 2);
    assert_eq!(differential.pair_us(5, 7), [4.0 + 24.0, 4.0], "range 36 uS, three levels of 12 uS");
    assert_eq!(cells(&model(&[]), -3).pair_us(0, 0), [4.0, 40.0]);
    assert_eq!(cells(&model(&[]), 0).pair_us(0, 0), [4.0, 4.0], "zero is both low");
    let text = model(&[]).to_toml().replace("differential", "offset_column");
    let offset = MacroModel::from_toml(&text, "offset").unwrap();
    assert_eq!(cells(&offset, 2).pair_us(0, 0), [22.0 + 12.0, 22.0]);
    for model in [model(&[]), offset] {
        for level in -3..=3 {
            assert_eq!(cells(&model, level).effective_level(9, 9), level << 8);
        }
    }
}

#[test]
fn programming_errors_have_their_deviation() {
    let (mean, sigma) = side(&cells(&model(&[("programming.sigma", 0.05)]), 3), 0);
    near("mean", mean, 40.0);
    near("share of the range", sigma, 0.05 * 36.0);
    // NeuRRAM at 28 uS: 1.536e-4 G^3 - 1.167e-2 G^2 + 0.2374 G + 1.053.
    let mut neurram = model(&[]);
    neurram.programming.polynomial_us = MacroModel::load("neurram").unwrap().programming.polynomial_us;
    let by_hand = 1.536e-4 * 21952.0 - 1.167e-2 * 784.0 + 0.2374 * 28.0 + 1.053;
    near("formula", programming_sigma_us(28.0, &neurram.programming, 36.0), by_hand);
    near("polynomial", side(&cells(&neurram, 2), 0).1, by_hand);
    let mut table = model(&[]);
    table.programming.table_us = vec![[10.0, 1.0], [30.0, 2.0]];
    near("table, between", side(&cells(&table, 1), 0).1, 1.3);
    near("table, beyond", side(&cells(&table, 3), 0).1, 2.0);
    let both = MacroModel {
        programming: basisn_models::rram::config::Programming { sigma: 0.05, ..table.programming.clone() },
        ..table
    };
    near("both", side(&cells(&both, 3), 0).1, (4.0f64 + 1.8 * 1.8).sqrt());
}

#[test]
fn write_verify_ends_within_the_tolerance_and_counts_pulses() {
    let one_step = [("write_verify.tolerance", 0.03), ("write_verify.step", 0.05), ("write_verify.max_pulses", 30.0)];
    let exact = cells(&model(&one_step), 3);
    // 36 uS in steps of 1.8 uS to within 1.08 uS: 20 pulses; the other cell starts where it should be.
    assert_eq!(exact.report().cells_by_pulses, [vec![65536], vec![0; 19], vec![65536]].concat());
    let spread = cells(&model(&[&one_step[..], &[("write_verify.spread", 0.5)]].concat()), 3);
    let g = geometry();
    for cell in 0..g.rows * g.columns {
        let got = spread.pair_us(cell / g.columns, cell % g.columns)[0];
        assert!((got - 40.0).abs() <= 1.08 + 1e-9 || !spread.report().failed.is_empty(), "{got}");
    }
    let pulses = spread.report().pulses() as f64 / 65536.0;
    assert!((19.0..23.0).contains(&pulses), "{pulses} pulses a cell");
    let few = cells(&model(&[&one_step[..], &[("write_verify.max_pulses", 10.0)]].concat()), 3);
    assert_eq!(few.report().failed.len(), 65536);
    let failed = few.report().failed[0];
    assert_eq!((failed.row, failed.column, failed.level), (0, 0, 3));
    near("what it got", failed.got, 1.5);
    let neurram = MacroModel::load("neurram").unwrap();
    let mut one_bit = Cells::new(&Geometry { cell_bits: 1, ..g }, &neurram, SEED, 0, 0);
    for cell in 0..g.rows * g.columns {
        one_bit.program(cell / g.columns, cell % g.columns, [-1, 1][cell % 2]);
    }
    println!("neurram: {:.2} pulses a high cell", one_bit.report().pulses() as f64 / 65536.0);
}

#[test]
fn stuck_cells_come_from_the_map() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("map.csv"), "core,tile,row,column,side,state\n0,0,3,4,+,low\n0,1,5,6,-,high\n")
        .unwrap();
    let path = folder.path().join("m.toml");
    std::fs::write(&path, "[faults]\nmap = \"map.csv\"\n").unwrap();
    let mapped = cells(&MacroModel::load(path.to_str().unwrap()).unwrap(), 3);
    assert_eq!((mapped.pair_us(3, 4), mapped.pair_us(5, 6)), ([0.0, 0.0], [40.0, 0.0]), "tile 0 only");
    assert_eq!(mapped.report().failed.len(), 1);
}

#[test]
fn ageing_drifts_and_warms() {
    let day = ("aging.time_s", 1e5);
    let drifted = side(&cells(&model(&[day, ("aging.drift_exponent", 0.02)]), 3), 0).0;
    near("drift", drifted, 40.0 * 1e5f64.powf(-0.02));
    let warm = side(&cells(&model(&[("aging.temperature_k", 350.0), ("aging.temperature_per_k", 0.002)]), 3), 0).0;
    near("temperature", warm, 44.0);
}

#[test]
fn read_noise_adds_up_over_cells_and_with_the_adc_s() {
    // 16 rows x 8 columns x 2 cells of 0.1 x 36 uS, in levels of 12 uS.
    let cells = (16.0f64 * 8.0 * 2.0).sqrt() * 0.1 * 3.0;
    // 40 uS and 4 uS.
    let relative = (16.0f64 * 8.0 * (1600.0 + 16.0)).sqrt() * 0.1 / 12.0;
    near("both kinds", read_sigma(&[("read.sigma", 0.1), ("read.relative_sigma", 0.1)]), cells.hypot(relative));
    near("cells and ADC", read_sigma(&[("read.sigma", 0.1), ("adc.noise_lsb", 3.0)]), cells.hypot(3.0));
    assert!(read_sigma(&[]).is_nan() || read_sigma(&[]) < 1e-3);
}

#[test]
fn open_columns_leak_into_every_lane() {
    let leak = |spread: f64| {
        let mut tile = tile(&[("switches.leakage", 0.01), ("switches.leakage_spread", spread)]);
        tile.program_all(&vec![3; 128 * 512]);
        tile.lane_rows(&[1; 8]).weights
    };
    // Lane 0: 8 own columns, 504 that leak; the others: 512 that leak.
    let plain = leak(0.0);
    assert_eq!((plain[0], plain[128]), (8 * 768 + 3871, 3932));
    let mean = moments(leak(0.5)[128..].chunks(128).map(|lane| f64::from(lane[0])).collect::<Vec<_>>().into_iter()).0;
    near("mean", mean, 3932.0);
}

#[test]
fn no_error_is_the_contract_bit_for_bit() {
    let seed = seed();
    println!("BASISN_SEED={seed}");
    let mut rng = generator(seed);
    for round in 0..10u32 {
        let config = basisn_models::random::random_config(&mut rng).unwrap();
        let problem = NetProblem::random(&mut rng, &config, 2, 1);
        // A range and seed of any kind; pulses that meet the target at once.
        let model = model(&[("cell.g_max_us", 40.0 + f64::from(round)), ("aging.time_s", 1e6)]);
        let device = Device { model: Arc::new(model), seed: round.into() };
        let mut with = golden::Core::with_device(&config, &problem.program, Some(&device)).unwrap();
        let mut without = golden::Core::new(&config, &problem.program).unwrap();
        assert_eq!(with.run(&problem.inputs[0]).unwrap(), without.run(&problem.inputs[0]).unwrap());
    }
}

#[test]
fn devices_depend_on_seed_core_and_tile_and_not_on_order() {
    let model = model(&[("programming.sigma", 0.1)]);
    let g = geometry();
    let value = |seed, core, tile| {
        let mut cells = Cells::new(&g, &model, seed, core, tile);
        // The last cell first.
        cells.program(127, 511, 3);
        cells.program(0, 0, 3);
        (cells.pair_us(0, 0), cells.pair_us(127, 511))
    };
    let first = value(SEED, 0, 0);
    assert_eq!(first, (cells(&model, 3).pair_us(0, 0), cells(&model, 3).pair_us(127, 511)));
    for other in [value(SEED + 1, 0, 0), value(SEED, 1, 0), value(SEED, 0, 1)] {
        assert_ne!(first, other);
    }
}

#[test]
fn presets_load_and_bad_models_are_refused() {
    for name in MacroModel::presets() {
        let preset = MacroModel::load(name).unwrap();
        let path = format!("{}/../presets/macro/{name}.toml", env!("CARGO_MANIFEST_DIR"));
        assert_eq!(preset, MacroModel::load(&path).unwrap());
        assert_eq!(preset, MacroModel::from_toml(&preset.to_toml(), name).unwrap());
    }
    let refused = |text: &str| MacroModel::from_toml(text, "m.toml").unwrap_err().to_string();
    for (text, parts) in [
        ("[cell]\ng_max = 3\n", ["m.toml, cell.g_max", "unknown key"]),
        ("[adc]\nleakage = 3\n", ["m.toml, adc.leakage", "did you mean switches.leakage?"]),
        ("[wire]\nohm = 3\n", ["m.toml, wire", "unknown key"]),
        ("sigma = 3\n", ["m.toml, sigma", "did you mean"]),
        ("[programming]\nsigma = 1.5\n", ["m.toml, programming.sigma", "1.5 is out of range"]),
        ("[programming]\nsigma = nan\n", ["m.toml, programming.sigma", "NaN is out of range"]),
        ("[programming]\nsigma = \"a\"\n", ["m.toml, programming.sigma", "is not a number"]),
        ("[cell]\nencoding = \"pairs\"\n", ["m.toml", "pairs"]),
        ("[cell]\ng_min_us = 50\n", ["m.toml, cell.g_max_us", "not above g_min_us"]),
        ("[write_verify]\nmax_pulses = 3\n", ["m.toml, write_verify", "step or tolerance is 0"]),
        ("[write_verify]\nmax_pulses = 3.5\n", ["m.toml", "cause:"]),
        ("[programming]\ntable_us = [[2, 1], [1, 1]]\n", ["programming.table_us", "not rising"]),
        ("[programming]\npolynomial_us = [inf]\n", ["programming.polynomial_us", "not all numbers"]),
        ("[adc]\ninl_lsb = [1.0]\n", ["adc.inl_lsb", "one value alone"]),
        ("[faults]\nstuck_low = 0.6\nstuck_high = 0.6\n", ["m.toml, faults", "exceed 1"]),
        ("[faults]\nmap = \"no.csv\"\n", ["no.csv", "cannot be read"]),
        ("preset = \"best\"\n", ["m.toml, preset", "one of ideal, isaac, neurram, worst"]),
        ("[cell\n", ["m.toml, line 1", "TOML syntax"]),
    ] {
        let message = refused(text);
        assert!(parts.iter().all(|part| message.contains(part)) && message.contains("  fix:   "), "{text}{message}");
    }
    assert!(MacroModel::load("no-such").unwrap_err().to_string().contains("one of the presets ideal, isaac"));
    assert!(model(&[]).with("cell.encoding", 1.0).is_err() && model(&[]).with("programming.sigma", 2.0).is_err());
    assert_eq!(model(&[("programming.sigma", 0.25)]).number("programming.sigma"), Some(0.25));
}

#[test]
fn chips_of_presets_still_compute() {
    // A network on the paper's crossbars: with NeuRRAM's errors results move, and most stay near.
    let config = ChipConfig::load("digits").unwrap();
    let mut rng = generator(3);
    let problem = NetProblem::random(&mut rng, &config, 1, 1);
    let ideal = golden::Core::new(&config, &problem.program).unwrap().run(&problem.inputs[0]).unwrap();
    for name in ["isaac", "neurram", "worst"] {
        let device = Device { model: Arc::new(MacroModel::load(name).unwrap()), seed: 1 };
        let run = golden::Core::with_device(&config, &problem.program, Some(&device)).unwrap().run(&problem.inputs[0]);
        assert_ne!(run.unwrap(), ideal, "{name}");
    }
}
