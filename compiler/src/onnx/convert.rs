//! One node at a time into a graph.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use basisn_arch::{Shape, Window};

use super::attribute::Attributes;
use super::constant::{Constant, Data};
use super::proto::{GraphProto, NodeProto, ValueInfoProto};
use crate::graph::{Conv, Graph, Op, Pool};
use crate::parameters::{Parameters, Tensor};

/// What a name of the file stands for.
#[derive(Clone, Debug)]
enum Value {
    /// A node of the graph.
    Node(usize),
    Constant(Constant),
    /// A result of a node that could not be converted; whatever reads it is not complained about.
    Unknown,
}

/// Builds a graph from a file's nodes, which are in order of computation.
pub(super) struct Importer {
    graph: Graph,
    parameters: Parameters,
    values: HashMap<String, Value>,
    names: HashSet<String>,
    output: String,
    notes: Vec<String>,
}

impl Importer {
    /// Reads input, output and constants. The error says what is wrong with them.
    pub(super) fn new(name: &str, proto: &GraphProto, folder: &Path) -> Result<Self, String> {
        let mut values = HashMap::new();
        for tensor in &proto.initializer {
            let constant = Constant::read(tensor, folder).map_err(|e| format!("initializer {}: {e}", tensor.name))?;
            values.insert(tensor.name.clone(), Value::Constant(constant));
        }
        let inputs: Vec<_> = proto.input.iter().filter(|input| !values.contains_key(&input.name)).collect();
        let ([input], [output]) = (&inputs[..], &proto.output[..]) else {
            return Err(format!("{} inputs and {} outputs", inputs.len(), proto.output.len()));
        };
        let graph = Graph::new(name, image_shape(input)?);
        values.insert(input.name.clone(), Value::Node(0));
        let names = HashSet::from(["input".to_string()]);
        let output = output.name.clone();
        Ok(Importer { graph, parameters: Parameters::default(), values, names, output, notes: Vec::new() })
    }

    /// The graph, its parameters, and notes; the last node is the output.
    pub(super) fn finish(mut self) -> Result<(Graph, Parameters, Vec<String>), String> {
        match self.values.get(&self.output) {
            Some(&Value::Node(node)) if node > 0 => {
                // Whatever comes after the output is not part of it.
                self.graph.nodes.truncate(node + 1);
                Ok((self.graph, self.parameters, self.notes))
            }
            _ => Err(format!("the output {} is no result of a node that reads the input", self.output)),
        }
    }

    /// Converts a node. The error names it, says why it is not supported and what would help.
    pub(super) fn node(&mut self, node: &NodeProto, index: usize, standard: bool) -> Result<(), String> {
        let name = match (node.name.as_str(), node.output.first()) {
            ("", Some(output)) => output.clone(),
            ("", None) => format!("number {index}"),
            (name, _) => name.to_string(),
        };
        let result = if standard { self.convert(node, &name) } else { Err(format!("operators of {}", node.domain)) };
        let value = match &result {
            Ok(value) => value.clone(),
            Err(_) => Value::Unknown,
        };
        for (i, output) in node.output.iter().enumerate() {
            self.values.insert(output.clone(), if i == 0 { value.clone() } else { Value::Unknown });
        }
        result.map(|_| ()).map_err(|why| {
            let help = help(&node.op_type);
            format!("{name} ({}): {why}{}{help}", node.op_type, if help.is_empty() { "" } else { "; " })
        })
    }

    fn convert(&mut self, node: &NodeProto, name: &str) -> Result<Value, String> {
        if !KNOWN.contains(&node.op_type.as_str()) {
            return Err("there is no integer form of this operator".into());
        }
        let mut inputs = Vec::new();
        for input in node.input.iter().filter(|input| !input.is_empty()) {
            match self.values.get(input) {
                Some(Value::Unknown) => return Ok(Value::Unknown),
                Some(value) => inputs.push(value.clone()),
                None => return Err(format!("it reads {input}, which nothing gives")),
            }
        }
        if node.op_type == "Constant" {
            return constant_node(node).map(Value::Constant);
        }
        let first = inputs.first().ok_or("it reads nothing")?.clone();
        match (node.op_type.as_str(), &first) {
            ("Identity" | "Dropout" | "Cast", _) => Ok(first),
            (_, Value::Constant(_)) if inputs.iter().all(|i| matches!(i, Value::Constant(_))) => {
                of_constants(node, &inputs).map(Value::Constant)
            }
            ("Shape", Value::Node(at)) => {
                let Shape { channels, height, width } = self.graph.nodes[*at].shape;
                Ok(Value::Constant(Constant::integers([1, channels, height, width].map(|v| v as i64).to_vec())))
            }
            _ => self.operator(node, name, &inputs),
        }
    }

    fn operator(&mut self, node: &NodeProto, name: &str, inputs: &[Value]) -> Result<Value, String> {
        let attributes = Attributes(node);
        let constant = |i: usize| match inputs.get(i) {
            Some(Value::Constant(constant)) => Ok(constant),
            _ => Err(format!("input {i} is no constant")),
        };
        let floats = |i: usize| constant(i)?.as_floats().ok_or_else(|| format!("input {i} is not float"));
        let optional = |i: usize| if i < inputs.len() { Some(floats(i)).transpose() } else { Ok(None) };
        let Some(at) = inputs.iter().find_map(|v| if let Value::Node(at) = v { Some(*at) } else { None }) else {
            return Err("it does not depend on the network's input".into());
        };
        let shape = self.graph.nodes[at].shape;
        let size = [shape.height, shape.width];
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
                let window = attributes.window([h, w], size)?;
                let conv = Conv { out, window, groups, bias: inputs.len() > 2 };
                let tensors = [("weight", weight.dims.clone(), Some(floats(1)?)), ("bias", vec![out], optional(2)?)];
                self.push(name, Op::Conv(conv), &[at], tensors)
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

    /// A matrix product with weights `[in, out]`, or `[out, in]` if they are transposed.
    fn linear(
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
    fn arithmetic(&mut self, op: &str, name: &str, inputs: &[Value], at: usize) -> Result<Value, String> {
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

    fn flatten(&mut self, name: &str, at: usize) -> Result<Value, String> {
        let shape = self.graph.nodes[at].shape;
        if shape.height * shape.width == 1 { Ok(Value::Node(at)) } else { self.push(name, Op::Flatten, &[at], []) }
    }

    /// Adds a node and its tensors, those that are there.
    fn push<'a>(
        &mut self,
        name: &str,
        op: Op,
        inputs: &[usize],
        tensors: impl IntoIterator<Item = (&'static str, Vec<usize>, Option<&'a [f32]>)>,
    ) -> Result<Value, String> {
        let name = self.unique(name);
        for (part, shape, values) in tensors {
            if let Some(values) = values {
                self.parameters.insert(format!("{name}.{part}"), Tensor { shape, values: values.to_vec() });
            }
        }
        self.graph.add(&name, op, inputs).map(Value::Node).map_err(|e| match e {
            crate::Error::Network { cause, .. } => cause,
            other => other.to_string(),
        })
    }

    /// A name of letters, digits, `_`, `-` and `.` that no node has yet.
    fn unique(&mut self, name: &str) -> String {
        let letters = |c: char| if c.is_alphanumeric() || "_-.".contains(c) { c } else { '.' };
        let clean: String = name.chars().map(letters).collect();
        let clean = clean.trim_start_matches('.');
        let base = if clean.is_empty() { "node" } else { clean };
        let candidates = std::iter::once(base.to_string()).chain((2..).map(|i| format!("{base}-{i}")));
        let name = candidates.into_iter().find(|name| !self.names.contains(name)).unwrap_or_default();
        self.names.insert(name.clone());
        name
    }
}

/// Operators that are converted, in some form.
const KNOWN: [&str; 33] = [
    "Add",
    "AveragePool",
    "BatchNormalization",
    "Cast",
    "Clip",
    "Concat",
    "Constant",
    "Conv",
    "Div",
    "Dropout",
    "Flatten",
    "Gather",
    "Gemm",
    "GlobalAveragePool",
    "GlobalMaxPool",
    "Identity",
    "LogSoftmax",
    "MatMul",
    "MaxPool",
    "Mul",
    "ReduceMean",
    "Relu",
    "Reshape",
    "Shape",
    "Slice",
    "Softmax",
    "Squeeze",
    "Sub",
    "Sum",
    "Transpose",
    "Unsqueeze",
    "ConstantOfShape",
    "Range",
];

/// What would help where an operator is not supported.
fn help(op_type: &str) -> &'static str {
    match op_type {
        "Sigmoid" | "HardSigmoid" | "HardSwish" | "Swish" | "Tanh" | "Elu" | "Selu" | "Gelu" | "LeakyRelu"
        | "PRelu" | "Mish" => "train the network with ReLU or ReLU6 instead",
        "LayerNormalization" | "InstanceNormalization" | "GroupNormalization" | "LRN" => "use batch norm instead",
        "ConvTranspose" | "Resize" | "Upsample" => "networks that enlarge images are not supported",
        "Pad" => "give the padding to the convolution or pooling that follows",
        "QuantizeLinear" | "DequantizeLinear" | "QLinearConv" | "ConvInteger" => {
            "export the float network; quantization is ours"
        }
        "LSTM" | "GRU" | "RNN" | "Attention" => "recurrent networks and transformers are not supported",
        "If" | "Loop" | "Scan" => "trace the network with an example input",
        "Transpose" => "keep the order [N, channels, height, width]",
        _ => "",
    }
}

fn image_shape(input: &ValueInfoProto) -> Result<Shape, String> {
    let tensor = input.r#type.as_ref().and_then(|t| t.tensor_type.as_ref());
    let shape =
        tensor.and_then(|t| t.shape.as_ref()).ok_or_else(|| format!("the input {} has no shape", input.name))?;
    let extents: Vec<i64> = shape.dim.iter().map(|dim| dim.dim_value).collect();
    match extents[..] {
        [_, c, h, w] if c > 0 && h > 0 && w > 0 => Ok(Shape::new(c as usize, h as usize, w as usize)),
        [_, n] if n > 0 => Ok(Shape::new(n as usize, 1, 1)),
        _ => Err(format!(
            "the input {} has shape {extents:?} (0 is dynamic), and only the batch may be dynamic",
            input.name
        )),
    }
}

fn constant_node(node: &NodeProto) -> Result<Constant, String> {
    let attributes = Attributes(node);
    if let Some(tensor) = attributes.get("value").and_then(|a| a.t.as_ref()) {
        return Constant::read(tensor, Path::new("."));
    }
    if let Some(values) = attributes.integers("value_ints") {
        return Ok(Constant::integers(values.to_vec()));
    }
    let scalar = |data| Constant { dims: Vec::new(), data };
    if let Some(value) = attributes.get("value_int") {
        return Ok(scalar(Data::Integers(vec![value.i])));
    }
    attributes
        .get("value_float")
        .map(|a| scalar(Data::Floats(vec![a.f])))
        .ok_or_else(|| "a constant of another kind".into())
}

/// The little integer arithmetic with which exporters compute the shapes of reshapes.
fn of_constants(node: &NodeProto, inputs: &[Value]) -> Result<Constant, String> {
    let integers = |i: usize| match inputs.get(i) {
        Some(Value::Constant(c)) => {
            c.as_integers().ok_or_else(|| "constants other than integers are not computed with".to_string())
        }
        _ => Err("an input is missing".into()),
    };
    let values = integers(0)?;
    match node.op_type.as_str() {
        "Gather" => {
            let at = |&i: &i64| {
                usize::try_from(if i < 0 { i + values.len() as i64 } else { i })
                    .ok()
                    .and_then(|i| values.get(i).copied())
            };
            let found: Option<Vec<i64>> = integers(1)?.iter().map(at).collect();
            Ok(Constant::integers(found.ok_or("an index is out of range")?))
        }
        "Concat" => {
            let parts: Result<Vec<_>, _> = (0..inputs.len()).map(integers).collect();
            Ok(Constant::integers(parts?.concat()))
        }
        "Slice" => {
            let bound = |i: usize| -> Result<usize, String> {
                let value = integers(i)?.first().copied().unwrap_or(0);
                Ok(if value < 0 { value + values.len() as i64 } else { value }.clamp(0, values.len() as i64) as usize)
            };
            Ok(Constant::integers(values.get(bound(1)?..bound(2)?).unwrap_or(&[]).to_vec()))
        }
        "Unsqueeze" | "Squeeze" | "Reshape" => Ok(Constant::integers(values.to_vec())),
        _ => Err("it computes with constants in a way that is not supported".into()),
    }
}

fn all_nodes(inputs: &[Value]) -> Result<Vec<usize>, String> {
    let node = |value: &Value| if let Value::Node(at) = value { Some(*at) } else { None };
    inputs.iter().map(node).collect::<Option<_>>().ok_or_else(|| "one of its inputs is a constant".into())
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
