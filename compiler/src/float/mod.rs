//! Float reference inference: what the compiled network is measured against and calibrated with.
//!
//! Every sum runs in a fixed order that depends neither on the processor nor on the number of threads, so that every machine
//! calibrates the same scales and writes the same image.

mod convolution;

use basisn_arch::Window;
use rayon::prelude::*;

use crate::graph::{Graph, Node, Op, Pool, Shape};
use crate::model::batch_norm_affine;
use crate::{Error, Model};
use convolution::convolve;

/// Runs a network on an image, `[channel][row][column]`; `visit` sees the result of every node, in order, the input included.
/// Gives the result of the last node. A node's result is dropped after its last reader.
pub fn run(model: &Model, image: &[f32], visit: &mut dyn FnMut(usize, &[f32])) -> Vec<f32> {
    let nodes = &model.graph.nodes;
    let mut readers: Vec<usize> = model.graph.consumers().iter().map(Vec::len).collect();
    let mut results: Vec<Vec<f32>> = vec![Vec::new(); nodes.len()];
    for (index, node) in nodes.iter().enumerate() {
        let inputs: Vec<&[f32]> = node.inputs.iter().map(|&i| results[i].as_slice()).collect();
        let result = if node.op == Op::Input { image.to_vec() } else { compute(model, index, &inputs) };
        visit(index, &result);
        results[index] = result;
        for &input in &node.inputs {
            readers[input] -= 1;
            if readers[input] == 0 {
                results[input] = Vec::new();
            }
        }
    }
    results.pop().unwrap_or_default()
}

/// Class scores of an image of integers, each counting the input's scale.
///
/// # Errors
/// The image has another number of values than the network's input.
pub fn scores(model: &Model, image: &[i32]) -> Result<Vec<f32>, Error> {
    Ok(run(model, &dequantize(&model.graph, image)?, &mut |_, _| ()))
}

/// The values that an image of integers stands for.
///
/// # Errors
/// The image has another number of values than the network's input.
pub fn dequantize(graph: &Graph, image: &[i32]) -> Result<Vec<f32>, Error> {
    let wanted = graph.input_shape().size();
    if image.len() != wanted {
        return Err(Error::calibration(
            "an image",
            format!("{} pixels, and the network takes {wanted}", image.len()),
            "give images of the network's input shape",
        ));
    }
    let scale = graph.input.map_or(1.0, |code| code.scale);
    Ok(image.iter().map(|&v| (f64::from(v) * scale) as f32).collect())
}

/// Share of images whose largest score is that of their label, 0..1; the first of equal scores counts.
///
/// # Errors
/// As [`scores`].
pub fn accuracy<L: Copy + Into<usize> + Sync>(model: &Model, images: &[Vec<i32>], labels: &[L]) -> Result<f64, Error> {
    let right = images
        .par_iter()
        .zip(labels)
        .map(|(image, label)| Ok(usize::from(argmax(&scores(model, image)?) == (*label).into())))
        .collect::<Result<Vec<usize>, Error>>()?;
    Ok(right.iter().sum::<usize>() as f64 / right.len().max(1) as f64)
}

/// Index of the largest value, the first of equal ones; 0 if there are none.
pub fn argmax<T: PartialOrd>(values: &[T]) -> usize {
    let mut best = 0;
    for (i, value) in values.iter().enumerate() {
        if *value > values[best] {
            best = i;
        }
    }
    best
}

fn compute(model: &Model, index: usize, inputs: &[&[f32]]) -> Vec<f32> {
    let Node { name, op, shape, .. } = &model.graph.nodes[index];
    let input = inputs.first().copied().unwrap_or(&[]);
    let in_shape = model.graph.in_shape(index);
    let part = |part: &str| model.parameters.values(name, part);
    match op {
        Op::Input | Op::Flatten => input.to_vec(),
        Op::Conv(_) | Op::Linear { .. } => {
            let Some(layer) = model.graph.matrix_layer(index) else { return Vec::new() };
            let (weight, bias) = (part("weight"), part("bias"));
            let kernels = layer.shape.kernels;
            let mut output = Vec::with_capacity(shape.size());
            for (group, input) in input.chunks_exact(layer.shape.inputs()).enumerate() {
                let rows = group * kernels..(group + 1) * kernels;
                let weight = &weight[rows.start * layer.shape.depth()..rows.end * layer.shape.depth()];
                output.extend(convolve(&layer.shape, weight, bias.get(rows).unwrap_or(&[]), input));
            }
            output
        }
        Op::BatchNorm { epsilon } => {
            let affine = batch_norm_affine(&model.parameters, name, *epsilon);
            let planes = input.chunks_exact(in_shape.height * in_shape.width);
            let values = planes.zip(&affine).flat_map(|(plane, (scale, offset))| {
                let (scale, offset) = (*scale as f32, *offset as f32);
                plane.iter().map(move |x| x * scale + offset)
            });
            values.collect()
        }
        Op::Clip { low, high } => input.iter().map(|x| x.clamp(*low as f32, *high as f32)).collect(),
        Op::MaxPool(window) => pool(in_shape, window, input, |seen, _| seen.fold(f32::NEG_INFINITY, f32::max)),
        Op::AvgPool(Pool { window, count_padding }) => {
            let all = (window.kernel[0] * window.kernel[1]) as f32;
            pool(in_shape, window, input, |seen, inside| {
                seen.sum::<f32>() / if *count_padding { all } else { inside as f32 }
            })
        }
        Op::GlobalAvgPool => {
            let size = in_shape.height * in_shape.width;
            input.chunks_exact(size).map(|plane| plane.iter().sum::<f32>() / size as f32).collect()
        }
        Op::Add => {
            let mut sum = input.to_vec();
            for other in &inputs[1..] {
                sum.iter_mut().zip(*other).for_each(|(sum, x)| *sum += x);
            }
            sum
        }
        Op::Concat => inputs.concat(),
    }
}

/// A value of every window: `reduce` sees what lies inside the image, and how many values that are.
fn pool(
    shape: Shape,
    window: &Window,
    input: &[f32],
    reduce: impl Fn(&mut dyn Iterator<Item = f32>, usize) -> f32,
) -> Vec<f32> {
    let [out_height, out_width] = window.out_size(shape.height, shape.width);
    let mut output = Vec::with_capacity(shape.channels * out_height * out_width);
    for plane in input.chunks_exact(shape.height * shape.width) {
        for row in 0..out_height {
            let rows = window.taps(0, row, shape.height).flatten();
            for column in 0..out_width {
                let columns = window.taps(1, column, shape.width).flatten();
                let inside = rows.clone().count() * columns.clone().count();
                let mut seen = rows.clone().flat_map(|y| columns.clone().map(move |x| plane[y * shape.width + x]));
                output.push(reduce(&mut seen, inside));
            }
        }
    }
    output
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::Conv;

    /// A graph of one operation on 2 x 3 x 3: channel 0 is 1 to 9, channel 1 the negative of it.
    fn of_one(op: Op) -> Vec<f32> {
        let mut graph = Graph::new("n", Shape::new(2, 3, 3));
        graph.add("a", op, &[0]).unwrap();
        let image: Vec<f32> = (1..=9u8).map(f32::from).chain((1..=9u8).map(|v| -f32::from(v))).collect();
        run(&Model::random(graph, 1), &image, &mut |_, _| ())
    }

    #[test]
    fn poolings_ignore_padding_unless_told_otherwise() {
        let window = Window { padding: [1, 1, 0, 0], ..Window::square(2, 2, 0) };
        assert_eq!(of_one(Op::MaxPool(window)), [1.0, 3.0, 7.0, 9.0, -1.0, -2.0, -4.0, -5.0]);
        let mean = |count_padding| of_one(Op::AvgPool(Pool { window, count_padding }))[..4].to_vec();
        assert_eq!(mean(true), [0.25, 1.25, 2.75, 7.0]);
        assert_eq!(mean(false), [1.0, 2.5, 5.5, 7.0]);
        assert_eq!(of_one(Op::GlobalAvgPool), [5.0, -5.0]);
        assert_eq!(of_one(Op::Relu6)[4..12], [5.0, 6.0, 6.0, 6.0, 6.0, 0.0, 0.0, 0.0]);
    }

    #[test]
    fn groups_see_their_own_channels_only() {
        let depthwise = Conv { groups: 2, ..Conv::new(2, Window::square(3, 1, 0)) };
        let mut graph = Graph::new("n", Shape::new(2, 3, 3));
        let a = graph.add("a", Op::Conv(depthwise), &[0]).unwrap();
        graph.add("twice", Op::Add, &[a, a]).unwrap();
        let model = Model::random(graph, 1);
        let image: Vec<f32> = vec![1.0; 9].into_iter().chain(vec![0.0; 9]).collect();
        let mut seen = Vec::new();
        let result = run(&model, &image, &mut |node, values| seen.push((node, values.len())));
        assert_eq!(seen, [(0, 18), (1, 2), (2, 2)]);
        let sum: f32 = model.parameters.values("a", "weight")[..9].iter().sum();
        assert!((result[0] - 2.0 * sum).abs() < 1e-5 && result[1] == 0.0);
    }

    #[test]
    fn concatenation_is_along_channels_and_batch_norm_per_channel() {
        let mut graph = Graph::new("n", Shape::new(2, 1, 1));
        let bn = graph.add("bn", Op::BatchNorm { epsilon: 0.0 }, &[0]).unwrap();
        graph.add("both", Op::Concat, &[0, bn]).unwrap();
        let mut model = Model::random(graph, 1);
        let parts =
            [("weight", [2.0, 3.0]), ("bias", [1.0, 0.0]), ("running_mean", [0.0, 1.0]), ("running_var", [4.0, 9.0])];
        for (part, values) in parts {
            let tensor = crate::parameters::Tensor { shape: vec![2], values: values.to_vec() };
            model.parameters.insert(format!("bn.{part}"), tensor);
        }
        assert_eq!(run(&model, &[5.0, 7.0], &mut |_, _| ()), [5.0, 7.0, 6.0, 6.0]);
    }

    #[test]
    fn integer_images_count_the_input_scale_and_have_the_size_of_the_input() {
        let mut graph = Graph::new("n", Shape::new(2, 1, 1));
        graph.input = Some(crate::fitted::Code { scale: 0.5, bits: 8, signed: true });
        graph.add("relu", Op::Relu, &[0]).unwrap();
        let model = Model::random(graph, 1);
        assert_eq!(scores(&model, &[-3, 5]).unwrap(), [0.0, 2.5]);
        assert_eq!(accuracy(&model, &[vec![-3, 5], vec![4, 1]], &[1u8, 1]).unwrap(), 0.5);
        let error = scores(&model, &[0; 3]).unwrap_err().to_string();
        assert!(error.contains("3 pixels, and the network takes 2"), "{error}");
    }

    #[test]
    fn the_first_of_equal_scores_is_the_largest() {
        assert_eq!(argmax(&[1, 3, 3, 2]), 1);
        assert_eq!(argmax::<i64>(&[]), 0);
    }
}
