//! Time and memory of the fast golden reference on the layers of ResNet-18 at 224 x 224, one after the other, on the `paper` preset:
//! `cargo bench -p basisn-models --bench resnet18`.

mod common;

use std::time::Instant;

use basisn_arch::{ChipConfig, ConvShape, Window};
use basisn_models::fast;
use basisn_models::random::generator;
use common::program;
use rand::Rng;

/// Input channels, input size, kernels, kernel size, stride, padding, how often.
const LAYERS: &[(usize, usize, usize, usize, usize, usize, usize)] = &[
    (3, 224, 64, 7, 2, 3, 1),
    (64, 56, 64, 3, 1, 1, 4),
    (64, 56, 128, 3, 2, 1, 1),
    (64, 56, 128, 1, 2, 0, 1),
    (128, 28, 128, 3, 1, 1, 3),
    (128, 28, 256, 3, 2, 1, 1),
    (128, 28, 256, 1, 2, 0, 1),
    (256, 14, 256, 3, 1, 1, 3),
    (256, 14, 512, 3, 2, 1, 1),
    (256, 14, 512, 1, 2, 0, 1),
    (512, 7, 512, 3, 1, 1, 3),
    (512, 1, 1000, 1, 1, 0, 1),
];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let config = ChipConfig::load("paper")?.with("chip.cores", 1)?;
    let mut rng = generator(18);
    let (mut seconds, mut macs) = (0.0, 0);
    for &(in_channels, size, kernels, kernel, stride, padding, times) in LAYERS {
        let window = Window::square(kernel, stride, padding);
        let shape = ConvShape { in_channels, in_height: size, in_width: size, kernels, window };
        let program = program(&mut rng, &config, shape);
        let input: Vec<i32> = (0..shape.inputs()).map(|_| rng.random_range(0..256)).collect();
        let core = fast::Core::new(&config, &program, None)?;
        let started = Instant::now();
        let run = core.run_layer(0, &[input], 0)?;
        let took = started.elapsed().as_secs_f64();
        let memory = peak_memory_mb().map_or("unknown".into(), |mb| format!("{mb} MB"));
        println!("{shape:?}: {took:.3} s, {} codes, at most {memory} so far", run[0].codes);
        seconds += took * times as f64;
        macs += shape.macs() * times;
    }
    println!("ResNet-18: {:.2} GMAC in {seconds:.2} s", macs as f64 / 1e9);
    Ok(())
}

/// Largest memory of this process, where Linux tells it.
fn peak_memory_mb() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    Some(line.split_whitespace().nth(1)?.parse::<u64>().ok()? / 1024)
}
