//! One node at a time into a graph.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use basisn_arch::Shape;

use super::constant::Constant;
use super::proto::{GraphProto, NodeProto, ValueInfoProto};
use super::shapes::{constant_node, of_constants};
use super::support::{KNOWN, help};
use crate::graph::{Graph, Op};
use crate::parameters::{Parameters, Tensor};

/// What a name of the file stands for.
#[derive(Clone, Debug)]
pub(super) enum Value {
    /// A node of the graph.
    Node(usize),
    /// A node with zeros around it, `[top, left, bottom, right]`; a convolution takes them for its own padding.
    Padded(usize, [usize; 4]),
    Constant(Constant),
    /// A result of a node that could not be converted; whatever reads it is not complained about.
    Unknown,
}

/// Builds a graph from a file's nodes, which are in order of computation.
pub(super) struct Importer {
    pub(super) graph: Graph,
    parameters: Parameters,
    pub(super) values: HashMap<String, Value>,
    names: HashSet<String>,
    pub(super) output: String,
    pub(super) notes: Vec<String>,
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

    /// Adds a node and its tensors, those that are there.
    pub(super) fn push<'a>(
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

/// Nodes only.
pub(super) fn all_nodes(inputs: &[Value]) -> Result<Vec<usize>, String> {
    let node = |value: &Value| if let Value::Node(at) = value { Some(*at) } else { None };
    inputs.iter().map(node).collect::<Option<_>>().ok_or_else(|| "one of its inputs is a constant".into())
}
