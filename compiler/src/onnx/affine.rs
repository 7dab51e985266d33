//! Products with constant matrices, and sums and products with a constant for each channel.

use super::constant::Constant;
use super::convert::{Importer, Value, all_nodes};
use crate::graph::{Op, Shape};

impl Importer {
    /// A matrix product with weights `[in, out]`, or `[out, in]` if they are transposed.
    pub(super) fn linear(
        &mut self,
        name: &str,
        at: usize,
        weight: &Constant,
        transposed: bool,
        alpha: f32,
        bias: Option<Vec<f32>>,
    ) -> Result<Value, String> {
        let shape = self.graph.nodes[at].shape;
        let (Some(values), [rows, columns]) = (weight.as_floats(), &weight.dims[..]) else {
            return Err("its weights are no matrix of floats".into());
        };
        let (out, depth) = if transposed { (*rows, *columns) } else { (*columns, *rows) };
        if shape.height * shape.width != 1 || shape.channels != depth {
            return Err(format!("{depth} inputs, and it is given {shape}"));
        }
        let place = |o: usize, d: usize| if transposed { o * depth + d } else { d * out + o };
        let weight: Vec<f32> = (0..out * depth).map(|i| alpha * values[place(i / depth, i % depth)]).collect();
        let bias = bias.map(|b| if b.len() == 1 { vec![b[0]; out] } else { b });
        let op = Op::Linear { out, bias: bias.is_some() };
        self.push(
            name,
            op,
            &[at],
            [("weight", vec![out, depth], Some(&weight[..])), ("bias", vec![out], bias.as_deref())],
        )
    }

    /// A sum of nodes, or a node with a constant for each channel, which is a batch norm.
    pub(super) fn arithmetic(&mut self, op: &str, name: &str, inputs: &[Value], at: usize) -> Result<Value, String> {
        let shape = self.graph.nodes[at].shape;
        let [first, second] = inputs else {
            let nodes = all_nodes(inputs)?;
            return match (op, nodes.len()) {
                ("Sum", 1) => Ok(Value::Node(nodes[0])),
                _ => self.push(name, Op::Add, &nodes, []),
            };
        };
        let (constant, reversed) = match (first, second) {
            (Value::Node(a), Value::Node(b)) if op == "Add" || op == "Sum" => {
                return self.push(name, Op::Add, &[*a, *b], []);
            }
            (Value::Node(_), Value::Constant(constant)) => (constant, false),
            (Value::Constant(constant), Value::Node(_)) => (constant, true),
            _ => return Err("two computed values, and only their sum has an integer form".into()),
        };
        let values = constant.as_floats().ok_or("its constant is not float")?;
        let per_channel = per_channel(constant, values, shape).ok_or_else(|| {
            format!(
                "its constant has shape {:?}, and one value for each of {} channels is possible",
                constant.dims, shape.channels
            )
        })?;
        let (scale, offset): (Vec<f32>, Vec<f32>) = per_channel
            .into_iter()
            .map(|v| match (op, reversed) {
                ("Add" | "Sum", _) => (1.0, v),
                ("Sub", false) => (1.0, -v),
                ("Sub", true) => (-1.0, v),
                ("Div", false) => (1.0 / v, 0.0),
                ("Mul", _) => (v, 0.0),
                _ => (f32::NAN, 0.0),
            })
            .unzip();
        if scale.iter().any(|s| !s.is_finite()) {
            return Err("it divides by a computed value, or by zero".into());
        }
        let channels = vec![shape.channels];
        let (zeros, ones) = (vec![0.0; shape.channels], vec![1.0; shape.channels]);
        let tensors = [("weight", &scale), ("bias", &offset), ("running_mean", &zeros), ("running_var", &ones)];
        let tensors = tensors.map(|(part, values)| (part, channels.clone(), Some(&values[..])));
        self.push(name, Op::BatchNorm { epsilon: 0.0 }, &[at], tensors)
    }
}

/// A constant as one value for each channel: a scalar, `[C]` on flat values, or `[.., C, 1, 1]`.
fn per_channel(constant: &Constant, values: &[f32], shape: Shape) -> Option<Vec<f32>> {
    let dims: Vec<usize> = constant.dims.iter().copied().skip_while(|&d| d == 1).collect();
    let flat = shape.height * shape.width == 1;
    match dims[..] {
        [] => Some(vec![*values.first()?; shape.channels]),
        [c] if flat && c == shape.channels => Some(values.to_vec()),
        [c, 1, 1] if c == shape.channels => Some(values.to_vec()),
        _ => None,
    }
}
