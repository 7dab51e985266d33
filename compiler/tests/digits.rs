//! The whole road on the digits network: float accuracy, fit, program, and the golden reference on every held-out image.

#![allow(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

use std::path::Path;

use basisn_arch::{ChipConfig, LayerProgram, LayerWork, Program};
use basisn_compiler::coefficient::CoefficientCode;
use basisn_compiler::compile::{compile, fit, lower};
use basisn_compiler::fit::{FitOptions, LayerOptions};
use basisn_compiler::float::argmax;
use basisn_compiler::{Dataset, Fitted, Model, Network, ScheduleOptions, float, pixels};
use basisn_models::golden;
use rayon::prelude::*;

struct Digits {
    model: Model,
    train: Vec<Vec<i32>>,
    test: Vec<Vec<i32>>,
    labels: Vec<u8>,
    config: ChipConfig,
}

fn digits() -> Digits {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/digits");
    let network = Network::load(&dir.join("network.toml")).unwrap();
    let model = Model::of_network(&network, &dir.join("weights.safetensors")).unwrap();
    let set = Dataset::load(&dir).unwrap();
    set.check_fits(&network.graph().unwrap()).unwrap();
    let labels = set.test.iter().map(|&i| set.labels[i]).collect();
    let (train, test) = (pixels(&set, &set.train), pixels(&set, &set.test));
    Digits { train, test, labels, model, config: ChipConfig::load("digits").unwrap() }
}

impl Digits {
    fn fit(&self) -> Fitted {
        self.fit_with(&FitOptions::local(&self.config))
    }

    fn fit_with(&self, options: &FitOptions) -> Fitted {
        fit(&self.model, &self.train, &self.config, options).unwrap()
    }
}

#[test]
fn digits_keep_their_accuracy_without_training() {
    let d = digits();
    let float = float::accuracy(&d.model, &d.test, &d.labels).unwrap();
    let compiled = compile(&d.model, &d.train, &d.config).unwrap();
    let right: usize = d
        .test
        .par_iter()
        .zip(&d.labels)
        .map(|(image, label)| {
            let layers = golden::run(&d.config, &compiled.program, image).unwrap();
            usize::from(argmax(layers.last().unwrap()) == usize::from(*label))
        })
        .sum();
    let report = &compiled.report;
    println!("float {:.2} %, golden {right} of {}, {:.2} dB", 100.0 * float, d.test.len(), report.snr_db);
    for l in &report.layers {
        println!("{}: {:.2} dB, slots {:?}, bound {}", l.name, l.snr_db, l.slots_per_subvector, l.slots_lower_bound);
    }
    assert_eq!(d.test.len(), 599);
    assert!(float >= 0.99, "float accuracy {float}");
    assert!(right as f64 / d.test.len() as f64 >= 0.99, "{right} of {} right", d.test.len());
    assert!(report.snr_db >= 21.0, "{} dB", report.snr_db);
    // The last layer is faster on two of the four tiles, in more slots.
    assert!(report.cycles <= 39_000, "{} cycles", report.cycles);
}

#[test]
fn merging_saves_slots_and_the_search_is_at_its_bound() {
    let d = digits();
    let fitted = d.fit();
    let slots = |options| {
        let report = lower(&fitted, &d.config, options).unwrap().report;
        println!("{options:?}: {} slots, bound {}", report.slots, report.slots_lower_bound);
        (report.slots, report.slots_lower_bound)
    };
    let merged = slots(ScheduleOptions::default());
    let unmerged = slots(ScheduleOptions { merge: false, ..ScheduleOptions::default() });
    assert!(10 * merged.0 <= 6 * unmerged.0, "{merged:?} {unmerged:?}");
    assert_eq!(merged.0, merged.1);
}

#[test]
fn the_same_input_gives_the_same_bytes() {
    let d = digits();
    let bytes = || compile(&d.model, &d.train, &d.config).unwrap().program.to_bytes().unwrap();
    assert!(bytes() == bytes());
}

/// Cycles of all layers by the cycle model.
fn cycles(config: &ChipConfig, program: &Program) -> u64 {
    let of =
        |l: &LayerProgram| LayerWork::new(config, l, l.shape.positions().div_ceil(config.cores())).counters(config);
    program.layers.iter().map(|layer| of(layer).cycles).sum()
}

#[test]
fn one_fit_serves_any_number_of_tiles_and_lanes() {
    let d = digits();
    let config = d.config.with("arithmetic.group", 1).unwrap().with("core.slot_stream_bits", 512).unwrap();
    for options in [FitOptions::local(&d.config), FitOptions::grouped(4, 1)] {
        let fitted = d.fit_with(&options);
        let mut results = Vec::new();
        let mut spent = Vec::new();
        for (tiles, lanes) in [(1, 8), (3, 8), (16, 8), (64, 8), (3, 5), (16, 1)] {
            let config = config.with("core.tiles", tiles).unwrap().with("adc.lanes", lanes).unwrap();
            let compiled = lower(&fitted, &config, ScheduleOptions::default()).unwrap();
            results.push(golden::run(&config, &compiled.program, &d.test[0]).unwrap());
            spent.push(cycles(&config, &compiled.program));
            println!("{tiles} tiles, {lanes} lanes: {} cycles, {} slots", spent.last().unwrap(), compiled.report.slots);
        }
        assert!(results.windows(2).all(|r| r[0] == r[1]));
        assert!(spent[..3].windows(2).all(|c| c[0] > c[1]), "{spent:?}");
    }
}

#[test]
fn groups_are_kept_only_where_they_are_faster() {
    let d = digits();
    let mut fitted = d.fit_with(&FitOptions::grouped(4, 4));
    let kept = lower(&fitted, &d.config, ScheduleOptions::default()).unwrap();
    // Groups of one kernel are free of contests, too, and say nothing about who could share a slot.
    fitted.layers.iter_mut().for_each(|l| l.groups = Some((0..l.shape.kernels).map(|k| vec![k]).collect()));
    let lost = lower(&fitted, &d.config, ScheduleOptions::default()).unwrap();
    fitted.layers.iter_mut().for_each(|l| l.groups = None);
    let free = lower(&fitted, &d.config, ScheduleOptions::default()).unwrap();
    let of = |compiled: &basisn_compiler::Compiled| cycles(&d.config, &compiled.program);
    assert!(of(&kept) <= of(&free) && of(&lost) <= of(&free), "{} {} {}", of(&kept), of(&lost), of(&free));
}

fn accuracy(d: &Digits, fitted: &Fitted) -> f64 {
    let program = lower(fitted, &d.config, ScheduleOptions { merge: true, effort: 0 }).unwrap().program;
    let right = d.test[..300].par_iter().zip(&d.labels).filter(|(image, label)| {
        let layers = golden::run(&d.config, &program, image).unwrap();
        argmax(layers.last().unwrap()) == usize::from(**label)
    });
    right.count() as f64 / 300.0
}

#[test]
fn inputs_tell_which_weights_matter() {
    let d = digits();
    let mut options = FitOptions::local(&d.config);
    options.default.code = CoefficientCode::TERNARY;
    let uniform = accuracy(&d, &d.fit_with(&options));
    options.weighted = true;
    let weighted = accuracy(&d, &d.fit_with(&options));
    println!("ternary, untrained: {:.2} %, weighted by the inputs {:.2} %", 100.0 * uniform, 100.0 * weighted);
    assert!(weighted > uniform && weighted > 0.9);
}

#[test]
fn layers_have_options_of_their_own_and_crossbars_different_bases() {
    let d = digits();
    let mut options = FitOptions::grouped(4, 4);
    let own = LayerOptions { code: CoefficientCode::power_of_two(3), group: None, nonzeros: Some(20) };
    options.layers.insert("fc".into(), own);
    options.basis.count = 4;
    let fitted = d.fit_with(&options);
    let [.., conv, fc] = &fitted.layers[..] else { panic!() };
    assert_eq!((conv.code, fc.code, fc.groups.is_some()), (CoefficientCode::TERNARY, own.code, false));
    assert!(fc.coefficients.chunks(64).all(|c| c.iter().filter(|c| **c != 0).count() <= 20));
    // Four tiles hold four bases; eight tiles hold each twice, and compute the same.
    let results = [4, 8].map(|tiles| {
        let config = d.config.with("core.tiles", tiles).unwrap();
        let program = lower(&fitted, &config, ScheduleOptions::default()).unwrap().program;
        assert_eq!((program.basis.len(), program.basis[0] == program.basis[1]), (tiles, false));
        golden::run(&config, &program, &d.test[0]).unwrap()
    });
    assert_eq!(results[0], results[1]);
    let refused = lower(&fitted, &d.config.with("core.tiles", 6).unwrap(), ScheduleOptions::default());
    assert!(refused.unwrap_err().to_string().contains("set core.tiles to a multiple of 4"));
}

#[test]
fn options_that_do_not_fit_network_or_chip_are_refused() {
    let d = digits();
    let refused = |change: &dyn Fn(&mut FitOptions)| {
        let mut options = FitOptions::local(&d.config);
        change(&mut options);
        fit(&d.model, &d.train, &d.config, &options).unwrap_err().to_string()
    };
    let own = FitOptions::grouped(2, 1).default;
    let layer = refused(&|o| o.layers = [("conv9".to_string(), own)].into());
    assert!(layer.contains("at:    layer conv9") && layer.contains("name one of conv1, "), "{layer}");
    assert!(refused(&|o| o.default.code.planes = 5).contains("5 coefficient planes; the chip has 4"));
    assert!(refused(&|o| o.default.group = Some(9)).contains("a crossbar has 8 lanes"));
    assert!(refused(&|o| o.default.nonzeros = Some(65)).contains("a crossbar has 64 columns"));
    assert!(refused(&|o| o.basis.count = 3).contains("divides core.tiles"));
}

#[test]
fn grouped_coefficients_take_the_slots_of_their_groups() {
    let d = digits();
    for size in [4, 8] {
        let mut fitted = d.fit_with(&FitOptions::grouped(size, 4));
        let first_fit = ScheduleOptions { merge: true, effort: 0 };
        let grouped = lower(&fitted, &d.config, first_fit).unwrap();
        for (layer, report) in fitted.layers.iter().zip(&grouped.report.layers) {
            let slots = layer.shape.kernels.div_ceil(4).div_ceil(size);
            assert!(
                report.slots_per_subvector.iter().all(|s| *s == slots),
                "{}: {:?}",
                layer.name,
                report.slots_per_subvector
            );
        }
        fitted.layers.iter_mut().for_each(|layer| layer.groups = None);
        let free = lower(&fitted, &d.config, ScheduleOptions::default()).unwrap();
        assert!(grouped.report.slots <= free.report.slots);
        let run = |program| golden::run(&d.config, program, &d.test[1]).unwrap();
        assert_eq!(run(&grouped.program), run(&free.program));
    }
}
