//! The integer form of each operator.

use basisn_arch::Window;

use super::attribute::Attributes;
use super::convert::{Importer, Value, all_nodes};
use super::proto::NodeProto;
use crate::graph::{Conv, Op, Pool};

impl Importer {
    /// Converts a node whose inputs are known.
    pub(super) fn operator(&mut self, node: &NodeProto, name: &str, inputs: &[Value]) -> Result<Value, String> {
        let attributes = Attributes(node);
        let constant = |i: usize| match inputs.get(i) {
            Some(Value::Constant(constant)) => Ok(constant),
            _ => Err(format!("input {i} is no constant")),
        };
        let floats = |i: usize| constant(i)?.as_floats().ok_or_else(|| format!("input {i} is not float"));
        let optional = |i: usize| if i < inputs.len() { Some(floats(i)).transpose() } else { Ok(None) };
        let found = inputs.iter().find_map(|v| match v {
            Value::Node(at) => Some((*at, [0; 4])),
            Value::Padded(at, padding) => Some((*at, *padding)),
            _ => None,
        });
        let (at, padding) = found.ok_or("it does not depend on the network's input")?;
        if padding != [0; 4] && !matches!(node.op_type.as_str(), "Conv" | "Pad") {
            return Err("it reads a padded image, and only convolutions take padding from a node before them".into());
        }
        let shape = self.graph.nodes[at].shape;
        let size = [shape.height + padding[0] + padding[2], shape.width + padding[1] + padding[3]];
        let kernel = || match attributes.integers("kernel_shape") {
            Some(&[h, w]) => Ok([h, w].map(|v| usize::try_from(v).unwrap_or(0))),
            _ => Err("kernel_shape is not two numbers"),
        };
        match node.op_type.as_str() {
            "Conv" => {
                let weight = constant(1)?;
                let [out, _, h, w] = weight.dims[..] else {
                    return Err("its weights are not those of a 2-d convolution".into());
                };
                let groups = usize::try_from(attributes.integer("group", 1)).unwrap_or(0);
                let mut window = attributes.window([h, w], size)?;
                window.padding.iter_mut().zip(padding).for_each(|(own, before)| *own += before);
                let conv = Conv { out, window, groups, bias: inputs.len() > 2 };
                let tensors = [("weight", weight.dims.clone(), Some(floats(1)?)), ("bias", vec![out], optional(2)?)];
                self.push(name, Op::Conv(conv), &[at], tensors)
            }
            "Pad" => {
                if attributes.get("mode").is_some_and(|mode| mode.s != b"constant") {
                    return Err("it pads with copies of the image".into());
                }
                let (mut axes, mut value) = (vec![0, 1, 2, 3], 0.0);
                for constant in
                    inputs.iter().skip(2).filter_map(|v| if let Value::Constant(c) = v { Some(c) } else { None })
                {
                    match (constant.as_integers(), constant.as_floats()) {
                        (Some(given), _) => axes = given.to_vec(),
                        (_, Some(given)) => value = given.first().copied().unwrap_or(0.0),
                        _ => {}
                    }
                }
                let more = zeros(constant(1)?.as_integers().unwrap_or(&[]), &axes).filter(|_| value == 0.0);
                let more =
                    more.ok_or("it pads other axes than height and width, with other values than 0, or crops")?;
                Ok(Value::Padded(at, [0, 1, 2, 3].map(|side| padding[side] + more[side])))
            }
            "Gemm" => {
                if attributes.integer("transA", 0) != 0 || !matches!(inputs[0], Value::Node(_)) {
                    return Err("its first matrix is transposed or constant".into());
                }
                let (alpha, beta) = (attributes.number("alpha", 1.0), attributes.number("beta", 1.0));
                let transposed = attributes.integer("transB", 0) != 0;
                let bias = optional(2)?.map(|b| b.iter().map(|v| v * beta).collect::<Vec<_>>());
                self.linear(name, at, constant(1)?, transposed, alpha, bias)
            }
            "MatMul" => {
                if !matches!(inputs[0], Value::Node(_)) {
                    return Err("its first matrix is constant".into());
                }
                self.linear(name, at, constant(1)?, false, 1.0, None)
            }
            "BatchNormalization" => {
                if attributes.integer("training_mode", 0) != 0 {
                    return Err("it is in training mode: call model.eval() before the export".into());
                }
                let parts = ["weight", "bias", "running_mean", "running_var"];
                let tensors: Result<Vec<_>, String> = parts
                    .iter()
                    .enumerate()
                    .map(|(i, part)| Ok((*part, vec![shape.channels], Some(floats(i + 1)?))))
                    .collect();
                let epsilon = f64::from(attributes.number("epsilon", 1e-5));
                self.push(name, Op::BatchNorm { epsilon }, &[at], tensors?)
            }
            "Relu" => self.push(name, Op::Relu, &[at], []),
            "Clip" => {
                let limit = |i: usize, attribute: &str, default: f32| -> Result<f64, String> {
                    // A limit that is left out is an empty name: the place in the file counts.
                    let given =
                        node.input.get(i).filter(|name| !name.is_empty()).and_then(|name| self.values.get(name));
                    let value = match given {
                        Some(Value::Constant(c)) => {
                            c.as_floats().and_then(|v| v.first().copied()).ok_or("its limits are not float")?
                        }
                        Some(_) => return Err("its limits are no constants".into()),
                        None => attributes.number(attribute, default),
                    };
                    Ok(f64::from(value))
                };
                let (low, high) = (limit(1, "min", f32::NEG_INFINITY)?, limit(2, "max", f32::INFINITY)?);
                self.push(name, Op::Clip { low, high }, &[at], [])
            }
            "MaxPool" => self.push(name, Op::MaxPool(attributes.window(kernel()?, size)?), &[at], []),
            "AveragePool" => {
                let window = attributes.window(kernel()?, size)?;
                let counted = attributes.integer("count_include_pad", 0) != 0;
                if counted
                    && attributes.integer("ceil_mode", 0) != 0
                    && attributes.integers("pads").is_some_and(|p| p.iter().any(|p| *p != 0))
                {
                    return Err("count_include_pad together with ceil_mode and padding".into());
                }
                let count_padding = counted && attributes.integer("ceil_mode", 0) == 0;
                self.push(name, Op::AvgPool(Pool { window, count_padding }), &[at], [])
            }
            "GlobalAveragePool" => self.push(name, Op::GlobalAvgPool, &[at], []),
            "GlobalMaxPool" => self.push(name, Op::MaxPool(Window::covering(shape.height, shape.width)), &[at], []),
            "ReduceMean" => {
                let axes = match inputs.get(1) {
                    Some(_) => constant(1)?.as_integers().unwrap_or(&[]),
                    None => attributes.integers("axes").unwrap_or(&[]),
                };
                let mut axes: Vec<i64> = axes.iter().map(|&a| if a < 0 { a + 4 } else { a }).collect();
                axes.sort_unstable();
                if axes != [2, 3] {
                    return Err(format!("a mean over axes {axes:?}, and height and width (2, 3) are possible"));
                }
                self.push(name, Op::GlobalAvgPool, &[at], [])
            }
            "Add" | "Sum" | "Sub" | "Mul" | "Div" => self.arithmetic(&node.op_type, name, inputs, at),
            "Concat" => {
                let nodes = all_nodes(inputs)?;
                if !matches!(attributes.integer("axis", 1), 1 | -3) {
                    return Err("it concatenates along another axis than the channels".into());
                }
                self.push(name, Op::Concat, &nodes, [])
            }
            "Flatten" if attributes.integer("axis", 1) == 1 => self.flatten(name, at),
            "Reshape" => {
                let target = constant(1)?.as_integers().unwrap_or(&[]);
                let rest: Vec<i64> = target.iter().skip(1).copied().collect();
                let same = [shape.channels, shape.height, shape.width].map(|v| v as i64);
                match rest[..] {
                    _ if rest == same => Ok(Value::Node(at)),
                    [-1] => self.flatten(name, at),
                    [n, 1, 1] | [n] if n == shape.size() as i64 || n == -1 => self.flatten(name, at),
                    _ => Err(format!("to {target:?}, and flattening [N, channels * height * width] is possible")),
                }
            }
            "Squeeze" if shape.height * shape.width == 1 => Ok(Value::Node(at)),
            "Transpose" => {
                let identity =
                    attributes.integers("perm").is_some_and(|perm| perm.iter().copied().eq(0..perm.len() as i64));
                if identity
                    || shape.height * shape.width == 1
                        && attributes.integers("perm").is_some_and(|p| p.first() == Some(&0))
                {
                    return Ok(Value::Node(at));
                }
                Err("it moves values".into())
            }
            "Softmax" | "LogSoftmax" => {
                if node.output.first() != Some(&self.output) {
                    return Err("it is not the end of the network".into());
                }
                self.notes.push(format!(
                    "{name} ({}) at the end is left out: it does not change the order of the scores",
                    node.op_type
                ));
                Ok(Value::Node(at))
            }
            _ => Err("not in this form".into()),
        }
    }

    fn flatten(&mut self, name: &str, at: usize) -> Result<Value, String> {
        let shape = self.graph.nodes[at].shape;
        if shape.height * shape.width == 1 { Ok(Value::Node(at)) } else { self.push(name, Op::Flatten, &[at], []) }
    }
}

/// `[top, left, bottom, right]` of ONNX's `[begin of each axis, end of each axis]`.
fn zeros(pads: &[i64], axes: &[i64]) -> Option<[usize; 4]> {
    let mut padding = [0; 4];
    for (i, &pad) in pads.iter().enumerate() {
        let axis = axes.get(i % axes.len().max(1)).map(|&axis| if axis < 0 { axis + 4 } else { axis })?;
        match (axis, usize::try_from(pad).ok().filter(|pad| *pad <= 1 << 16)?) {
            (_, 0) => {}
            (2 | 3, pad) => padding[2 * (i / axes.len()) + (axis as usize - 2)] = pad,
            _ => return None,
        }
    }
    (pads.len() == 2 * axes.len()).then_some(padding)
}
