//! Random networks on chips of every kind: the integers that the golden reference computes stand for the float network's numbers.

#![allow(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

use basisn_arch::{ChipConfig, Window};
use basisn_compiler::fitted::Code;
use basisn_compiler::graph::{Conv, Graph, Op, Shape};
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
    let input = compile(&model, &train, &chip(&[("arithmetic.input_bits", 7)])).unwrap_err().to_string();
    assert!(input.contains("8 input bits, and arithmetic.input_bits = 7"), "{input}");
    // The groups of a grouped convolution are layers of their own, and are not cut.
    let mut graph = Graph::new("grouped", Shape::new(2, 6, 5));
    let conv = Conv { groups: 2, ..Conv::new(18, Window::square(1, 1, 0)) };
    graph.add("g", Op::Conv(conv), &[0]).unwrap();
    graph.input = Some(Code { scale: 0.1, bits: 8, signed: false });
    let grouped = Model::random(graph, 1);
    let refused = |keys: Keys| compile(&grouped, &train, &chip(keys)).unwrap_err();
    let kernels = refused(&[("core.kernels", 8)]).to_string();
    assert!(kernels.contains("at:    layer g-group0") && kernels.contains("core.kernels to at least 9"), "{kernels}");
    let psums = refused(&[("adc.lanes", 1), ("core.psum_words", 16)]);
    assert!(matches!(psums, Error::Chip { .. }) && psums.to_string().contains("core.psum_words to at least 18"));
}

#[test]
fn layers_with_more_kernels_than_a_chip_holds_run_in_blocks() {
    let mut random = Random::new(23);
    let network = network(true, 8);
    let model = model(&network, &mut random);
    let train = images(&network, 10, &mut random);
    let names = |keys: Keys| -> Vec<String> {
        compile(&model, &train, &chip(keys)).unwrap().program.steps.iter().map(|s| s.name.clone()).collect()
    };
    assert_eq!(names(&[]), ["a", "b", "c", "d"]);
    assert_eq!(names(&[("core.kernels", 8)]), ["a", "b", "c.block0", "c.block1", "c", "d"]);
    let small: Keys = &[("core.kernels", 3)];
    let parts =
        ["a.block0", "a.block1", "a.block2", "a", "b.block0", "b.block1", "b", "c.block0", "c.block1", "c.block2", "c"];
    assert_eq!(names(small), [&parts[..], &["d.block0", "d.block1", "d"]].concat());
    let whole = compile(&model, &train, &chip(&[])).unwrap().program;
    for keys in [small, &[("core.psum_words", 2), ("core.tiles", 3), ("adc.lanes", 1)]] {
        let blocks = compile(&model, &train, &chip(keys)).unwrap().program;
        for image in images(&network, 5, &mut random) {
            let expected = golden::run(&chip(&[]), &whole, &image).unwrap();
            let found = golden::run(&chip(keys), &blocks, &image).unwrap();
            let of = |name: &str| &found[blocks.steps.iter().position(|s| s.name == name).unwrap()];
            for (i, name) in ["a", "b", "c"].iter().enumerate() {
                assert_eq!(of(name), &expected[i], "{name}");
            }
            // Scores are shifted instead of unshifted: the same to a share of their range.
            let (one, other) = (expected[3].clone(), of("d").clone());
            let ratio =
                one.iter().map(|v| v.abs()).max().unwrap() as f64 / other.iter().map(|v| v.abs()).max().unwrap() as f64;
            assert!(
                one.iter().zip(&other).all(|(a, b)| (*a as f64 / ratio - *b as f64).abs() <= 2.0),
                "{one:?} {other:?}"
            );
            assert!(other.iter().any(|v| v.abs() > 1 << 10), "{other:?}");
        }
    }
}
