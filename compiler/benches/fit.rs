//! How long networks of full size take to fit and to schedule, and how much memory that needs: `cargo bench -p basisn-compiler --bench fit`.
//! Weights are random numbers, seeded, in the shapes of a built-in topology. Arguments choose networks, e.g. `-- resnet18-imagenet`.

use std::time::Instant;

use basisn_arch::ChipConfig;
use basisn_compiler::coefficient::CoefficientCode;
use basisn_compiler::fit::{FitOptions, LayerOptions, Target, fit_layer, snr_db};
use basisn_compiler::fitted::{Code, FittedLayer};
use basisn_compiler::graph::topologies::built_in;
use basisn_compiler::schedule::schedule_layer;
use basisn_compiler::{ScheduleOptions, homes};

type Failure = Box<dyn std::error::Error>;

/// SplitMix64; the sum of four uniform numbers is close to a normal distribution, as trained weights are.
fn weights(count: usize, seed: u64) -> Vec<f32> {
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 40) as f32 / (1 << 23) as f32 - 1.0
    };
    (0..count).map(|_| (0..4).map(|_| next()).sum()).collect()
}

/// Highest resident memory of this process so far, MB.
fn peak_mb() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|l| l.starts_with("VmHWM:")).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|kb| kb.parse::<usize>().ok()).unwrap_or(0) / 1024
}

fn main() -> Result<(), Failure> {
    let named: Vec<String> = std::env::args().skip(1).filter(|a| !a.starts_with('-')).collect();
    let networks = if named.is_empty() { vec!["resnet18-imagenet".into(), "resnet50-imagenet".into()] } else { named };
    let config = ChipConfig::load("paper")?.with("crossbar.rows", 128)?.with("crossbar.columns", 128)?;
    let config = config.with("core.tiles", 16)?;
    let cases = [
        ("grouped G=8 ternary", LayerOptions { code: CoefficientCode::TERNARY, group: Some(8), nonzeros: None }),
        ("local CSD J=4", LayerOptions { code: CoefficientCode::csd(4), group: None, nonzeros: None }),
    ];
    println!(
        "{:12} {:20} {:>8} {:>8} {:>10} {:>8} {:>8} {:>8} {:>8}",
        "network", "fit", "weights", "fit s", "schedule s", "SNR dB", "slots", "bound", "peak MB"
    );
    for name in networks {
        let layers = built_in(&name)?.matrix_layers();
        for (case, options) in cases {
            let mut sums = (0usize, 0.0, 0.0, 0.0, 0.0, 0, 0);
            let bases = FitOptions::local(&config).basis.fixed(&config);
            for (i, layer) in layers.iter().enumerate() {
                let mut shape = layer.shape;
                shape.kernels *= layer.groups;
                let weight = weights(shape.kernels * shape.depth(), i as u64);
                sums.0 += weight.len();
                let start = Instant::now();
                let fit = fit_layer(&Target::new(&weight, shape.depth()), &bases, 1, &options);
                sums.1 += start.elapsed().as_secs_f64();
                sums.3 += fit.signal;
                sums.4 += fit.error;
                let fitted = FittedLayer {
                    name: layer.name.clone(),
                    shape,
                    code: options.code,
                    bias: vec![0.0; shape.kernels],
                    scale: fit.scale,
                    coefficients: fit.coefficients,
                    groups: fit.groups,
                    input: Code { scale: 1.0, bits: 8, signed: false },
                    output: None,
                    range: None,
                    gain: 0,
                    clipped_share: 0.0,
                    weight_signal: fit.signal,
                    weight_error: fit.error,
                };
                let start = Instant::now();
                let home = homes::homes(shape.kernels, fitted.groups.as_deref(), 1, &config);
                let items = fitted.items(&bases[0]);
                let schedule =
                    schedule_layer(&items, &home, fitted.groups.as_deref(), &config, ScheduleOptions::default());
                sums.2 += start.elapsed().as_secs_f64();
                sums.5 += schedule.iter().map(|s| s.slots.len()).sum::<usize>();
                sums.6 += schedule.iter().map(|s| s.lower_bound).sum::<usize>();
            }
            let (count, fit_s, schedule_s, signal, error, slots, bound) = sums;
            println!(
                "{name:12} {case:20} {:>6.2} M {fit_s:>8.1} {schedule_s:>10.1} {:>8.2} {slots:>8} {bound:>8} {:>8}",
                count as f64 / 1e6,
                snr_db(signal, error),
                peak_mb()
            );
        }
    }
    Ok(())
}
