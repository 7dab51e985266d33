//! A program step by step. The integer operations between the matrix layers are defined here, for the golden reference
//! and for whoever drives the RTL alike; the matrix layers are left to the caller.

use basisn_arch::image::{Add, AvgPool, Value};
use basisn_arch::{Program, Requantize, Shape, StepOp, Window};

use crate::Error;
use crate::arithmetic::requantize;

/// What a network gave.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NetRun<L> {
    /// Results of every step, each in channel, row, column order.
    pub values: Vec<Vec<i64>>,
    /// What each matrix layer took, in the order of the program's layers.
    pub layers: Vec<L>,
}

impl<L> NetRun<L> {
    /// Results of matrix layer `index` of the program, `[kernel][position]`: its part of its step's results. Empty if there is none.
    pub fn of_layer(&self, program: &Program, index: usize) -> &[i64] {
        let step = program.steps.iter().position(|step| match step.op {
            StepOp::Matrix { first, groups } => (first..first + groups).contains(&index),
            _ => false,
        });
        let Some((StepOp::Matrix { first, .. }, values)) = step.map(|i| (&program.steps[i].op, &self.values[i])) else {
            return &[];
        };
        let shape = program.layers[index].shape;
        let size = shape.kernels * shape.positions();
        &values[(index - first) * size..][..size]
    }
}

/// Runs all steps of a checked program on an image. `matrix` runs a layer, given by its number, on its input, and gives its results and
/// whatever is to be kept of it.
///
/// # Errors
/// The image does not fit the program, or `matrix` fails.
pub fn run<L, E: From<Error>>(
    program: &Program,
    image: &[i32],
    mut matrix: impl FnMut(usize, &[i32]) -> Result<(Vec<i64>, L), E>,
) -> Result<NetRun<L>, E> {
    let one = |index: usize, inputs: &[Vec<i32>]| inputs.iter().map(|input| matrix(index, input)).collect();
    let runs = run_all(program, &[image.to_vec()], one)?;
    Ok(runs.into_iter().next().unwrap_or(NetRun { values: Vec::new(), layers: Vec::new() }))
}

/// As [`run`], on many images at a time: `matrix` gets the inputs of all images.
///
/// # Errors
/// As [`run`].
pub fn run_all<L, E: From<Error>>(
    program: &Program,
    images: &[Vec<i32>],
    mut matrix: impl FnMut(usize, &[Vec<i32>]) -> Result<Vec<(Vec<i64>, L)>, E>,
) -> Result<Vec<NetRun<L>>, E> {
    let values = program.values().map_err(Error::from)?;
    images.iter().try_for_each(|image| check_image(program, &values[0], image))?;
    let mut runs: Vec<NetRun<L>> = images.iter().map(|_| NetRun { values: Vec::new(), layers: Vec::new() }).collect();
    for step in &program.steps {
        let shape = values[step.inputs[0]].shape;
        let inputs_of = |(image, run): (&Vec<i32>, &NetRun<L>)| -> Vec<Vec<i32>> {
            step.inputs.iter().map(|&i| readable(image, &run.values, i)).collect()
        };
        let StepOp::Matrix { first, groups } = step.op else {
            for (image, run) in images.iter().zip(&mut runs) {
                let result = between(&step.op, shape, &inputs_of((image, run)));
                run.values.push(result);
            }
            continue;
        };
        let inputs: Vec<Vec<i32>> =
            images.iter().zip(&runs).map(|(image, run)| readable(image, &run.values, step.inputs[0])).collect();
        runs.iter_mut().for_each(|run| run.values.push(Vec::new()));
        let size = shape.size() / groups;
        for group in 0..groups {
            let part: Vec<Vec<i32>> = inputs.iter().map(|i| i[group * size..(group + 1) * size].to_vec()).collect();
            for (run, (result, layer)) in runs.iter_mut().zip(matrix(first + group, &part)?) {
                run.values.last_mut().into_iter().for_each(|values| values.extend(&result));
                run.layers.push(layer);
            }
        }
    }
    Ok(runs)
}

/// An operation that is no matrix layer, on inputs that have its number and sizes; the first one has the shape `shape`.
pub fn between(op: &StepOp, shape: Shape, inputs: &[Vec<i32>]) -> Vec<i64> {
    match op {
        StepOp::Matrix { .. } => Vec::new(),
        StepOp::MaxPool(window) => max_pool(shape, window, &inputs[0]),
        StepOp::AvgPool(pool) => avg_pool(shape, pool, &inputs[0]),
        StepOp::Add(sum) => add(sum, inputs),
        StepOp::Concat | StepOp::Flatten => inputs.concat().into_iter().map(i64::from).collect(),
        StepOp::Affine(r) => affine(shape, r, &inputs[0]),
    }
}

/// Value `index`: 0 is the image. What steps read fits 24 bits, as the check has shown.
fn readable(image: &[i32], results: &[Vec<i64>], index: usize) -> Vec<i32> {
    match index.checked_sub(1) {
        None => image.to_vec(),
        Some(step) => results[step].iter().map(|&v| v as i32).collect(),
    }
}

fn check_image(program: &Program, value: &Value, image: &[i32]) -> Result<(), Error> {
    let (layer, expected) = (program.steps.first().map_or("input".into(), |s| s.name.clone()), value.shape.size());
    if image.len() != expected {
        return Err(Error::InputLength { layer, given: image.len(), expected });
    }
    let (low, high) = (value.low as i32, value.high as i32);
    match image.iter().position(|v| !(low..=high).contains(v)) {
        None => Ok(()),
        Some(index) => Err(Error::InputRange { layer, index, value: i64::from(image[index]), low, high }),
    }
}

/// The largest value of every window; padding never wins.
fn max_pool(shape: Shape, window: &Window, input: &[i32]) -> Vec<i64> {
    windows(shape, window, input, |seen| i64::from(seen.iter().copied().max().unwrap_or(0)))
}

/// The scaled mean of every window: `round(sum * m / (count << shift))`, ties up.
fn avg_pool(shape: Shape, pool: &AvgPool, input: &[i32]) -> Vec<i64> {
    let all = pool.window.kernel[0] * pool.window.kernel[1];
    windows(shape, &pool.window, input, |seen| {
        let sum: i64 = seen.iter().map(|&v| i64::from(v)).sum();
        let count = if pool.count_padding { all } else { seen.len() };
        let divisor = (count.max(1) as i64) << pool.shift;
        let mean = (2 * sum * i64::from(pool.multiplier) + divisor).div_euclid(2 * divisor);
        mean.clamp(i64::from(pool.low), i64::from(pool.high))
    })
}

/// `reduce` of what every window sees inside the image.
fn windows(shape: Shape, window: &Window, input: &[i32], reduce: impl Fn(&[i32]) -> i64) -> Vec<i64> {
    let [out_height, out_width] = window.out_size(shape.height, shape.width);
    let mut output = Vec::with_capacity(shape.channels * out_height * out_width);
    let mut seen = Vec::with_capacity(window.kernel[0] * window.kernel[1]);
    for plane in input.chunks_exact(shape.height * shape.width) {
        for row in 0..out_height {
            let rows = window.taps(0, row, shape.height).flatten();
            for column in 0..out_width {
                seen.clear();
                for y in rows.clone() {
                    let line = &plane[y * shape.width..][..shape.width];
                    seen.extend(window.taps(1, column, shape.width).flatten().map(|x| line[x]));
                }
                output.push(reduce(&seen));
            }
        }
    }
    output
}

/// `clamp((sum_i value_i * m_i + (1 << (shift - 1))) >> shift, low, high)`.
fn add(sum: &Add, inputs: &[Vec<i32>]) -> Vec<i64> {
    let (low, high) = (i64::from(sum.low), i64::from(sum.high));
    (0..inputs[0].len())
        .map(|i| {
            let products = inputs.iter().zip(&sum.multiplier).map(|(input, &m)| i64::from(input[i]) * i64::from(m));
            ((products.sum::<i64>() + (1 << (sum.shift - 1))) >> sum.shift).clamp(low, high)
        })
        .collect()
}

/// The requantize step with the value in place of the psum.
fn affine(shape: Shape, r: &Requantize, input: &[i32]) -> Vec<i64> {
    let planes = input.chunks_exact(shape.height * shape.width).zip(r.multiplier.iter().zip(&r.offset));
    planes
        .flat_map(|(plane, (&m, &b))| plane.iter().map(move |&v| requantize(v, m, b, r.shift, r.low, r.high, r.raw)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_value_of_a_window_is_never_padding() {
        let window = Window { padding: [1, 1, 0, 0], ..Window::square(2, 2, 0) };
        let input: Vec<i32> = (1..=9).chain((1..=9).map(|v| -v)).collect();
        assert_eq!(max_pool(Shape::new(2, 3, 3), &window, &input), [1, 3, 7, 9, -1, -2, -4, -5]);
    }

    #[test]
    fn means_round_ties_up_and_count_padding_if_told() {
        let window = Window { padding: [0, 1, 0, 0], ..Window::square(2, 1, 0) };
        let pool = AvgPool { window, count_padding: false, multiplier: 1, shift: 0, low: -100, high: 100 };
        let shape = Shape::new(1, 2, 2);
        // Columns 1 2 and 2 4 beside padding: 3 / 2 and 9 / 4.
        assert_eq!(avg_pool(shape, &pool, &[1, 2, 2, 4]), [2, 2]);
        assert_eq!(avg_pool(shape, &pool, &[-1, -2, -2, -4]), [-1, -2], "-1.5 rounds up, -2.25 to the nearest");
        assert_eq!(avg_pool(shape, &AvgPool { count_padding: true, ..pool }, &[1, 2, 2, 4]), [1, 2], "3 / 4 and 9 / 4");
        let scaled = AvgPool { multiplier: 3, shift: 1, high: 3, ..pool };
        assert_eq!(avg_pool(shape, &scaled, &[1, 2, 2, 4]), [2, 3], "1.5 * 1.5 and 2.25 * 1.5, clamped");
    }

    #[test]
    fn sums_scale_each_input_round_once_and_clamp() {
        let sum = Add { multiplier: vec![3, -1], shift: 1, low: 0, high: 20 };
        assert_eq!(add(&sum, &[vec![1, 5, 100, 0], vec![0, 2, 0, 9]]), [2, 7, 20, 0]);
    }

    #[test]
    fn affine_steps_scale_each_channel() {
        let r = Requantize { multiplier: vec![2, -1], offset: vec![1, 0], shift: 1, low: -5, high: 7, raw: false };
        assert_eq!(affine(Shape::new(2, 1, 2), &r, &[3, 9, 3, -4]), [4, 7, -1, 2]);
    }
}
