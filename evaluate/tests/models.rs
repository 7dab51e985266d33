//! The two sides on small layers: laws that hold whatever the constants.

#![allow(clippy::unwrap_used, reason = "tests")]

use basisn_arch::{ChipConfig, LayerWork};
use basisn_evaluate::elementwise::Elementwise;
use basisn_evaluate::reprogram::{Concessions, Options, best, cost};
use basisn_evaluate::{Chip, Constants, Layer, Workload, activity, area, basis};

fn layer(kernels: usize, depth: usize, positions: usize) -> Layer {
    Layer {
        name: format!("k{kernels}d{depth}p{positions}"),
        kernels,
        depth,
        positions,
        inputs: depth * positions / 9,
        input_bits: 8,
        groups: 1,
        after: Elementwise::default(),
        program: None,
    }
}

/// Early layers with many positions, late ones with many weights.
fn network() -> Workload {
    let layers = vec![
        layer(64, 147, 3136),
        layer(128, 576, 784),
        layer(256, 1152, 196),
        layer(512, 2304, 49),
        layer(1000, 512, 1),
    ];
    Workload { name: "network".into(), layers }
}

fn chip(constants: &Constants) -> Chip {
    Chip::new(&ChipConfig::load("isaac").unwrap(), constants.values())
}

const OPTIONS: Options = Options {
    crossbars: 64,
    batch: 1,
    cell_bits: 2,
    adc_bits: None,
    concessions: Concessions {
        replicate: true,
        overlap: true,
        skip_unchanged: true,
        pack_columns: true,
        keep_tiles: true,
    },
};

#[test]
fn cycles_are_those_of_the_cycle_model() {
    let constants = Constants::built_in().unwrap();
    let chip = chip(&constants);
    let layer = layer(100, 300, 50);
    let a = activity::layer(&chip, &layer, 1, constants.values());
    // 50 positions on 8 cores: the slowest has 7, in blocks of 4; 13 kernels on the fullest of 8 tiles: 2 groups of 8.
    let work = LayerWork {
        tiles: 4,
        positions: 7,
        block_positions: 4,
        slots: vec![2; 3],
        rows_used: 100,
        planes: 8,
        kernels: 100,
    };
    let counts = work.counters(&chip.config);
    assert_eq!(a.cycles, counts.cycles);
    assert_eq!(a.reads, 50 * 8 * 6 * 8);
    assert_eq!(a.conversions, a.reads * 8);
    assert_eq!(a.codes, 50 * 8 * 3 * 100);
    assert_eq!((a.psum_writes, a.psum_reads, a.results), (50 * 300, 50 * 300, 50 * 100));
}

#[test]
fn every_concession_helps_or_costs_nothing() {
    let constants = Constants::built_in().unwrap();
    let (chip, v, network) = (chip(&constants), constants.values(), network());
    let all = Concessions::default();
    for write in &constants.write_models {
        let with = |concessions| cost(&chip, &network, &Options { concessions, ..OPTIONS }, write, v);
        let granted = with(all);
        for (name, without) in [
            ("replicate", Concessions { replicate: false, ..all }),
            ("overlap", Concessions { overlap: false, ..all }),
            ("skip", Concessions { skip_unchanged: false, ..all }),
            ("pack", Concessions { pack_columns: false, ..all }),
            ("keep", Concessions { keep_tiles: false, ..all }),
        ] {
            let slower = with(without);
            assert!(slower.time_ns >= granted.time_ns * 0.999, "{} without {name}: {slower:?} {granted:?}", write.name);
        }
        let none = with(Concessions {
            replicate: false,
            overlap: false,
            skip_unchanged: false,
            pack_columns: false,
            keep_tiles: false,
        });
        assert!(none.time_ns > 1.05 * granted.time_ns, "{}", write.name);
        assert!(best(&chip, &network, &OPTIONS, write, v).time_ns <= granted.time_ns);
    }
}

#[test]
fn if_everything_fits_nothing_is_written() {
    let constants = Constants::built_in().unwrap();
    let (chip, v, network) = (chip(&constants), constants.values(), network());
    let write = constants.write_model("cell_serial").unwrap();
    let rewritten = cost(&chip, &network, &OPTIONS, write, v);
    assert!(rewritten.crossbars_written >= rewritten.crossbars_to_fit - 64.0 && rewritten.energy.writing > 0.0);
    let crossbars = rewritten.crossbars_to_fit.ceil() as usize;
    let fits = cost(&chip, &network, &Options { crossbars, ..OPTIONS }, write, v);
    assert_eq!((fits.crossbars_written, fits.energy.writing, fits.writes_per_cell), (0.0, 0.0, 0.0));
    assert_eq!(fits.time_ns, fits.compute_ns);
    // Space for two of everything: copies make it faster.
    let twice = cost(&chip, &network, &Options { crossbars: 2 * crossbars, ..OPTIONS }, write, v);
    assert!(twice.time_ns < 0.8 * fits.time_ns, "{twice:?} {fits:?}");
}

#[test]
fn batches_share_the_writing_and_pay_for_the_activations() {
    let constants = Constants::built_in().unwrap();
    let (chip, v, network) = (chip(&constants), constants.values(), network());
    let write = constants.write_model("typical").unwrap();
    let of = |batch| cost(&chip, &network, &Options { batch, ..OPTIONS }, write, v);
    let (one, many) = (of(1), of(64));
    assert!(many.time_ns < one.time_ns && many.energy.writing < one.energy.writing / 30.0);
    // 64 times the activations of the early layers exceed the buffer.
    let spilled = |batch| basis::spilled_bits(&network.layers[0], batch, v);
    assert!(spilled(64) > 0.0 && spilled(1) == 0.0);
    let streamed = one.energy.off_chip / 64.0;
    assert!(many.energy.off_chip > streamed + spilled(64) * v.dram_energy_pj_per_bit * 0.99);
}

#[test]
fn slower_writing_never_helps_and_more_crossbars_never_harm() {
    let constants = Constants::built_in().unwrap();
    let (chip, v, network) = (chip(&constants), constants.values(), network());
    let typical = constants.write_model("typical").unwrap();
    let time = |crossbars, row_ns| {
        best(&chip, &network, &Options { crossbars, ..OPTIONS }, &typical.with_row_ns(row_ns), v).time_ns
    };
    for crossbars in [16, 64, 256] {
        assert!(time(crossbars, 10.0) < time(crossbars, 1e3) && time(crossbars, 1e3) < time(crossbars, 1e5));
    }
    assert!(time(256, 1e4) < time(64, 1e4) && time(64, 1e4) < time(16, 1e4));
    let basis = |crossbars| basis::cost(&chip.with_crossbars(crossbars).unwrap(), &network, 1, typical, v).time_ns;
    assert!(basis(256) < basis(64) && basis(64) < basis(16));
}

#[test]
fn equal_area_gives_the_reprogramming_chip_more_crossbars() {
    let constants = Constants::built_in().unwrap();
    let (chip, v, logic) = (chip(&constants), constants.values(), constants.logic());
    let total: f64 = area::basis(&chip, logic, v).iter().map(|p| p.um2).sum();
    let more = area::crossbars_of_equal_area(&chip, 8, logic, v);
    assert!(more > chip.crossbars());
    assert!(area::reprogramming(&chip, more as f64, 8, logic, v) <= total);
    assert!(area::reprogramming(&chip, more as f64 + 1.0, 8, logic, v) > total);
}

#[test]
fn chips_that_cannot_run_a_network_are_refused() {
    let constants = Constants::built_in().unwrap();
    let chip = chip(&constants);
    let wide = Workload { name: "wide".into(), layers: vec![layer(4000, 9, 1)] };
    let error = wide.check(&chip.config).unwrap_err().to_string();
    assert!(error.contains("layer k4000") && error.contains("core.psum_words to at least 126"), "{error}");
    let error = chip.with_crossbars(12).unwrap_err().to_string();
    assert!(error.contains("at:    12 crossbars") && error.contains("multiple of 8"), "{error}");
    let faster = chip.with_read_cycle(10.0).unwrap();
    assert_eq!((faster.config.read_interval_cycles(), faster.clock_ns), (5, 2.0));
}
