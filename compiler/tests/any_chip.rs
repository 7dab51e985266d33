//! Random networks on chips of every kind: the integers that the golden reference computes stand for the float network's numbers.

#![allow(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

use basisn_arch::ChipConfig;
use basisn_compiler::{Error, Model, Network, compile, float};
use basisn_models::golden;

/// A small generator; quality does not matter here.
struct Random(u64);

impl Random {
    fn new(default: u64) -> Self {
        let seed = std::env::var("BASISN_SEED").ok().and_then(|s| s.parse().ok()).unwrap_or(default);
        println!("BASISN_SEED={seed}");
        Random(seed)
    }

    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (self.0 >> 33) as usize % n
    }
}

/// A convolution with ReLU, one without, one with a stride, and a linear layer.
fn network(signed: bool, bits: u32) -> Network {
    toml::from_str(&format!(
        "name = \"random\"\ninput = {{ channels = 2, height = 6, width = 5, scale = 0.1, bits = {bits}, signed = {signed} }}\n\
         [[layers]]\nname = \"a\"\nkind = \"conv\"\nout = 7\nkernel = 3\npadding = 1\nrelu = true\n\
         [[layers]]\nname = \"b\"\nkind = \"conv\"\nout = 5\nkernel = 1\nrelu = false\n\
         [[layers]]\nname = \"c\"\nkind = \"conv\"\nout = 9\nkernel = 3\nstride = 2\npadding = 1\nrelu = true\n\
         [[layers]]\nname = \"d\"\nkind = \"linear\"\nout = 4\nrelu = false\n"
    ))
    .unwrap()
}

fn model(network: &Network, random: &mut Random) -> Model {
    Model::random(network.graph().unwrap(), random.below(1 << 30) as u64)
}

fn images(network: &Network, count: usize, random: &mut Random) -> Vec<Vec<i32>> {
    let (range, low) =
        (1usize << network.input.bits, if network.input.signed { 1 << (network.input.bits - 1) } else { 0 });
    (0..count).map(|_| (0..60).map(|_| random.below(range) as i32 - low).collect()).collect()
}

type Keys<'a> = &'a [(&'a str, usize)];

fn chip(keys: Keys) -> ChipConfig {
    keys.iter().fold(ChipConfig::load("tiny").unwrap().with("arithmetic.group", 1).unwrap(), |chip, (key, value)| {
        chip.with(key, *value).unwrap()
    })
}

/// Root of the mean squared difference of scores, relative to the scores' own.
fn relative_error(network: &Network, config: &ChipConfig, random: &mut Random) -> f64 {
    let model = model(network, random);
    let train = images(network, 40, random);
    let compiled = compile(&model, &train, config).unwrap();
    let unit = (1u64 << compiled.program.layers[3].requantize.shift) as f64;
    let (mut error, mut signal) = (0.0, 0.0);
    for image in images(network, 20, random) {
        let scores = golden::run(config, &compiled.program, &image).unwrap().pop().unwrap();
        for (score, wanted) in scores.iter().zip(float::scores(&model, &image).unwrap()) {
            let wanted = f64::from(wanted);
            error += (*score as f64 / unit - wanted).powi(2);
            signal += wanted * wanted;
        }
    }
    (error / signal).sqrt()
}

#[test]
fn results_stand_for_the_float_numbers_on_every_kind_of_chip() {
    let mut random = Random::new(21);
    let fine = [("arithmetic.coefficient_planes", 6), ("adc.bits", 12), ("core.psum_words", 64)];
    let cases: &[(Keys, bool, u32, f64)] = &[
        (&[], false, 8, 0.08),
        (&[], true, 8, 0.08),
        (&[("core.tiles", 3), ("adc.lanes", 1)], false, 5, 0.08),
        (&[("crossbar.rows", 24), ("crossbar.columns", 40)], true, 6, 0.08),
        (&[("crossbar.rows", 100), ("crossbar.columns", 128), ("crossbar.cell_bits", 3)], false, 8, 0.08),
        (&[("crossbar.rows", 33), ("crossbar.columns", 35), ("core.tiles", 2), ("adc.lanes", 2)], true, 1, 0.15),
    ];
    for (keys, signed, bits, limit) in cases {
        let config = chip(&[&fine[..], keys].concat());
        let error = relative_error(&network(*signed, *bits), &config, &mut random);
        println!("{keys:?}, signed {signed}, {bits} bits: {error:.4}");
        assert!(error < *limit, "{keys:?}: {error}");
    }
    // Columns that don't span the rows lose much, and still compile.
    for keys in [[("crossbar.rows", 16), ("crossbar.columns", 8)], [("crossbar.rows", 64), ("crossbar.columns", 40)]] {
        let error = relative_error(&network(false, 8), &chip(&keys), &mut random);
        println!("{keys:?}: {error:.4}");
        assert!(error < 4.0, "{keys:?}: {error}");
    }
    for planes in 1..=6 {
        let error =
            relative_error(&network(false, 8), &chip(&[("arithmetic.coefficient_planes", planes)]), &mut random);
        println!("{planes} planes: {error:.4}");
        assert!(error < [4.0, 1.5, 0.8, 0.5, 0.3, 0.2][planes - 1], "{planes} planes: {error}");
    }
}

#[test]
fn networks_that_do_not_fit_are_refused_with_the_limit() {
    let mut random = Random::new(22);
    let network = network(false, 8);
    let model = model(&network, &mut random);
    let train = images(&network, 4, &mut random);
    let refused = |keys: Keys| -> (Error, String) {
        let error = compile(&model, &train, &chip(keys)).unwrap_err();
        let text = error.to_string();
        (error, text)
    };
    let (_, input) = refused(&[("arithmetic.input_bits", 7)]);
    assert!(input.contains("8 input bits, and arithmetic.input_bits = 7"), "{input}");
    let (_, kernels) = refused(&[("core.kernels", 8)]);
    assert!(kernels.contains("at:    layer c") && kernels.contains("core.kernels to at least 9"), "{kernels}");
    let (error, psums) = refused(&[("adc.lanes", 1), ("core.psum_words", 16)]);
    assert!(matches!(error, Error::Chip { .. }) && psums.contains("core.psum_words to at least 18"), "{psums}");
}
