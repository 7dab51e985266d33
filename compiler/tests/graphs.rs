//! Graphs with every operation: the integers of the golden reference stand for the float network's numbers.

#![allow(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

use basisn_arch::{ChipConfig, StepOp, Window};
use basisn_compiler::fitted::Code;
use basisn_compiler::graph::{Conv, Graph, Op, Pool, Shape, topologies};
use basisn_compiler::{Model, compile, float};
use basisn_models::golden;

/// A chip whose coefficients and ADC are so fine that what is left is the rounding of the activations.
fn fine() -> ChipConfig {
    let keys = [
        ("arithmetic.coefficient_planes", 6),
        ("arithmetic.group", 1),
        ("adc.bits", 12),
        ("core.psum_words", 256),
        ("core.kernels", 256),
        ("crossbar.rows", 64),
        ("crossbar.columns", 64),
    ];
    keys.iter().fold(ChipConfig::load("tiny").unwrap(), |chip, (key, value)| chip.with(key, *value).unwrap())
}

/// Every operation, joined in every way that the built-in networks join them, and in some that they do not.
fn every_op() -> Graph {
    let mut graph = Graph::new("every-op", Shape::new(3, 12, 10));
    let mut add = |name: &str, op: Op, inputs: &[usize]| graph.add(name, op, inputs).unwrap();
    let conv = |out, window| Op::Conv(Conv { bias: true, ..Conv::new(out, window) });
    let norm = || Op::BatchNorm { epsilon: 1e-5 };
    let stem = add("stem", conv(8, Window { padding: [1, 0, 2, 1], ..Window::square(3, 1, 0) }), &[0]);
    let stem = add("stem.norm", norm(), &[stem]);
    let stem = add("stem.relu", Op::Relu, &[stem]);
    let pooled = add("maxpool", Op::MaxPool(Window::square(3, 2, 1)), &[stem]);
    let depthwise = Conv { groups: 8, ..Conv::new(8, Window::square(3, 1, 1)) };
    let main = add("depthwise", Op::Conv(depthwise), &[pooled]);
    let main = add("depthwise.norm", norm(), &[main]);
    let main = add("depthwise.relu6", Op::Relu6, &[main]);
    let grouped =
        Conv { groups: 2, bias: true, ..Conv::new(8, Window { dilation: [2, 1], ..Window::square(3, 1, 2) }) };
    let main = add("grouped", Op::Conv(grouped), &[main]);
    let main = add("crop", conv(8, Window { kernel: [1, 3], ..Window::square(1, 1, 0) }), &[main]);
    let sum = add("sum", Op::Add, &[main, pooled]);
    let sum = add("sum.relu", Op::Relu, &[sum]);
    let dense = add("dense.norm", norm(), &[sum]);
    let dense = add("dense.relu", Op::Relu, &[dense]);
    let dense = add("dense.conv", conv(4, Window::square(1, 1, 0)), &[dense]);
    let both = add("both", Op::Concat, &[sum, dense]);
    let late = add("late", Op::Clip { low: -0.5, high: 0.75 }, &[both]);
    let all = add("all", Op::Concat, &[late, dense]);
    let pool = Pool { window: Window::square(2, 2, 1), count_padding: false };
    let mean = add("avgpool", Op::AvgPool(pool), &[all]);
    let norm_last = add("last.norm", norm(), &[mean]);
    let global = add("global", Op::GlobalAvgPool, &[norm_last]);
    let flat = add("flat", Op::Flatten, &[mean]);
    let small = add("small", Op::Linear { out: 16, bias: true }, &[flat]);
    let joined = add("joined", Op::Add, &[small, global]);
    add("fc", Op::Linear { out: 5, bias: true }, &[joined]);
    graph.input = Some(Code { scale: 1.0 / 64.0, bits: 8, signed: true });
    graph
}

fn images(graph: &Graph, count: usize) -> Vec<Vec<i32>> {
    let mut state = 0x1234_5678_u64;
    let mut next = move || {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (state >> 40) as i32 % 256 - 128
    };
    (0..count).map(|_| (0..graph.input_shape().size()).map(|_| next()).collect()).collect()
}

/// Relative error of the scores, and how many images get the same class.
fn errors(model: &Model, config: &ChipConfig, images: &[Vec<i32>]) -> (f64, usize) {
    let compiled = compile(model, images, config).unwrap();
    let program = &compiled.program;
    let unit = match program.steps.last().unwrap().op {
        StepOp::Matrix { first, .. } => (1u64 << program.layers[first].requantize.shift) as f64,
        _ => 1.0,
    };
    let (mut error, mut signal, mut same) = (0.0, 0.0, 0);
    for image in images {
        let steps = golden::run(config, program, image).unwrap();
        let wanted = float::scores(model, image).unwrap();
        let scores = steps.last().unwrap();
        same += usize::from(float::argmax(scores) == float::argmax(&wanted));
        for (score, wanted) in scores.iter().zip(wanted) {
            error += (*score as f64 / unit - f64::from(wanted)).powi(2);
            signal += f64::from(wanted).powi(2);
        }
    }
    ((error / signal).sqrt(), same)
}

#[test]
fn a_graph_of_every_operation_keeps_its_scores() {
    let graph = every_op();
    let images = images(&graph, 12);
    let model = Model::random(graph, 7);
    let compiled = compile(&model, &images, &fine()).unwrap();
    let kinds: std::collections::HashSet<_> =
        compiled.program.steps.iter().map(|step| std::mem::discriminant(&step.op)).collect();
    assert_eq!(kinds.len(), 7, "matrix, max and average pooling, sum, concatenation, flatten, affine");
    let (error, same) = errors(&model, &fine(), &images);
    println!("every operation: relative error {error:.4}, {same} of 12 classes the same");
    assert!(error < 0.05 && same >= 11, "{error} {same}");
}

#[test]
fn a_residual_network_keeps_its_scores() {
    let mut graph = topologies::built_in("resnet8-cifar10").unwrap();
    graph.input = Some(Code { scale: 1.0 / 64.0, bits: 8, signed: true });
    let images = images(&graph, 3);
    let (error, _) = errors(&Model::random(graph, 3), &fine(), &images);
    println!("relative error {error:.4}");
    assert!(error < 0.06, "{error}");
}

#[test]
fn the_same_model_gives_the_same_bytes() {
    let graph = every_op();
    let images = images(&graph, 3);
    let model = Model::random(graph, 7);
    let bytes = || compile(&model, &images, &fine()).unwrap().program.to_bytes().unwrap();
    let pool = |threads| rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    assert_eq!(pool(1).install(bytes), pool(3).install(bytes));
}

#[test]
fn networks_that_do_not_say_what_their_input_means_are_refused() {
    let graph = topologies::built_in("resnet8-cifar10").unwrap();
    let images = images(&graph, 1);
    let error = compile(&Model::random(graph, 3), &images, &fine()).unwrap_err().to_string();
    assert!(error.contains("does not say what their integers mean") && error.contains("fix:"), "{error}");
}
