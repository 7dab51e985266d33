//! ONNX import, operator sets 11 and newer: what PyTorch's exporters write for convolutional networks.
//!
//! | module | what |
//! |---|---|
//! | `proto` | the messages of the format |
//! | `constant` | initializers, inside the file or beside it |
//! | `attribute` | attributes of a node |
//! | `convert` | one node at a time into a graph |
//! | `operator` | the integer form of each operator |
//! | `affine` | of these, products and sums with constants |
//! | `shapes` | the integers that exporters compute shapes with |
//! | `support` | which operators there are, and what helps with others |
//!
//! Weights are taken from the nodes that use them, never matched by name: exporters rename them and fold batch norms into them.

mod affine;
mod attribute;
mod constant;
mod convert;
mod operator;
pub mod proto;
mod shapes;
mod support;

use std::path::Path;

use prost::Message;

use crate::graph::Graph;
use crate::parameters::Parameters;
use crate::{Error, Model};
use convert::Importer;
use proto::ModelProto;

/// Oldest operator set that is read.
const OPSET_MIN: i64 = 11;

/// An imported network.
#[derive(Clone, Debug, PartialEq)]
pub struct Imported {
    /// The network.
    pub model: Model,
    /// What was left out, and why that is right.
    pub notes: Vec<String>,
}

/// Reads a model file; weights beside it are found in its folder.
///
/// # Errors
/// The file cannot be read, or as [`from_bytes`].
pub fn load(path: &Path) -> Result<Imported, Error> {
    let bytes = std::fs::read(path).map_err(|e| Error::read(path, &e))?;
    from_bytes(&bytes, path)
}

/// Reads a model file's bytes; `path` is where it came from.
///
/// # Errors
/// No ONNX model, an operator set before 11, more than one input or output, an image of unknown size,
/// or nodes that are not supported: all of them at once, each with its name and what would help.
pub fn from_bytes(bytes: &[u8], path: &Path) -> Result<Imported, Error> {
    let at = path.display().to_string();
    let refuse = |cause: String, fix: &str| Error::Onnx { at: at.clone(), cause, fix: fix.into() };
    let file = ModelProto::decode(bytes).map_err(|e| {
        refuse(format!("this is no ONNX model: {e}"), "export the network again with torch.onnx.export")
    })?;
    let Some(graph) = &file.graph else {
        return Err(refuse("this is no ONNX model: it has no graph".into(), "export the network again"));
    };
    let ours = |domain: &str| domain.is_empty() || domain == "ai.onnx";
    let opset = file.opset_import.iter().filter(|set| ours(&set.domain)).map(|set| set.version).max().unwrap_or(0);
    if opset < OPSET_MIN {
        let fix = "export with opset_version=17 or newer";
        return Err(refuse(format!("operator set {opset}, and {OPSET_MIN} and newer are read"), fix));
    }
    let folder = path.parent().unwrap_or(Path::new("."));
    let name = path.file_stem().map_or("onnx".into(), |stem| stem.to_string_lossy().into_owned());
    let mut importer = Importer::new(&name, graph, folder).map_err(|cause| {
        refuse(cause, "export with one image input [N, channels, height, width] of fixed size and one output")
    })?;
    let mut unsupported = Vec::new();
    for (index, node) in graph.node.iter().enumerate() {
        if let Err(why) = importer.node(node, index, ours(&node.domain)) {
            unsupported.push(why);
        }
    }
    if !unsupported.is_empty() {
        let count = match unsupported.len() {
            1 => "1 node is not supported".to_string(),
            n => format!("{n} nodes are not supported"),
        };
        let fix = "replace these nodes in the network before it is exported, as said with each";
        return Err(refuse(format!("{count}:\n         {}", unsupported.join("\n         ")), fix));
    }
    let (graph, parameters, notes) = importer
        .finish()
        .map_err(|cause| refuse(cause, "export a network with one output that depends on its input"))?;
    let (graph, parameters) = without_unread(graph, parameters)?;
    Ok(Imported { model: Model::new(graph, parameters)?, notes })
}

/// The graph without nodes that its last node does not depend on.
fn without_unread(graph: Graph, parameters: Parameters) -> Result<(Graph, Parameters), Error> {
    let mut read = vec![false; graph.nodes.len()];
    read[0] = true;
    if let Some(last) = read.last_mut() {
        *last = true;
    }
    for (index, node) in graph.nodes.iter().enumerate().rev() {
        if read[index] {
            node.inputs.iter().for_each(|&input| read[input] = true);
        }
    }
    let mut new = vec![0; graph.nodes.len()];
    let mut kept = Graph::new(&graph.name, graph.input_shape());
    for (index, node) in graph.nodes.into_iter().enumerate().skip(1).filter(|(index, _)| read[*index]) {
        let inputs: Vec<usize> = node.inputs.iter().map(|&i| new[i]).collect();
        new[index] = kept.add(&node.name, node.op, &inputs)?;
    }
    Ok((kept, parameters))
}
