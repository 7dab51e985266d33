//! Fits one matrix of weights and prints the signal-to-noise ratio and the time, as JSON:
//! `cargo run --release -p basisn-compiler --example fit-matrix -- WEIGHTS.npy ROWS COLUMNS CELL_BITS PLANES NONZEROS BASIS`.
//! `WEIGHTS.npy` is `[kernel][depth]`, float32; NONZEROS 0 is no limit; BASIS is hadamard, random or learned.

use std::path::Path;
use std::time::Instant;

use basisn_arch::ChipConfig;
use basisn_compiler::basis::{BasisKind, BasisOptions};
use basisn_compiler::coefficient::CoefficientCode;
use basisn_compiler::fit::{self, FitOptions, LayerOptions, Lesson, Target, fit_layer, snr_db};
use ndarray::Array2;

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [path, rows, columns, cell_bits, planes, nonzeros, basis] = &arguments[..] else {
        return Err("expected WEIGHTS.npy ROWS COLUMNS CELL_BITS PLANES NONZEROS BASIS".into());
    };
    let weights: Array2<f32> = ndarray_npy::read_npy(Path::new(path))?;
    let (kernels, depth) = weights.dim();
    let weights: Vec<f32> = weights.iter().copied().collect();
    let mut config = ChipConfig::load("digits")?;
    for (key, value) in [("rows", rows), ("columns", columns), ("cell_bits", cell_bits)] {
        config = config.with(&format!("crossbar.{key}"), value.parse()?)?;
    }
    let nonzeros = Some(nonzeros.parse()?).filter(|s| *s > 0);
    let default = LayerOptions { code: CoefficientCode::csd(planes.parse()?), group: None, nonzeros };
    let kind = match basis.as_str() {
        "hadamard" => BasisKind::Hadamard,
        "random" => BasisKind::Random,
        "learned" => BasisKind::Learned,
        other => return Err(format!("no basis `{other}`").into()),
    };
    let basis = BasisOptions { kind, count: 1, seed: 0 };
    let options = FitOptions { basis, default, ..FitOptions::local(&config) };
    let start = Instant::now();
    let target = Target::new(&weights, depth);
    let bases = fit::bases(&[Lesson { target, options: default }], &config, &options, &|_| {});
    let learned_s = start.elapsed().as_secs_f64();
    let found = fit_layer(&target, &bases, 1, &default);
    let nonzeros = found.coefficients.iter().filter(|c| **c != 0).count();
    println!(
        "{{\"kernels\": {kernels}, \"snr_db\": {:.3}, \"nonzeros\": {nonzeros}, \"learn_s\": {learned_s:.3}, \"total_s\": {:.3}}}",
        snr_db(found.signal, found.error),
        start.elapsed().as_secs_f64()
    );
    Ok(())
}
