//! The network as a graph of named nodes, whatever it came from: a description, an ONNX file or a built-in topology.
//!
//! | module | what |
//! |---|---|
//! | [`op`] | what a node computes, and the shape it gives |
//! | [`topologies`] | the built-in networks, layer for layer as torchvision and the CIFAR literature have them |

pub mod op;
pub mod topologies;

use basisn_arch::{ConvShape, Window};

use crate::Error;
use crate::fitted::Code;
pub use basisn_arch::Shape;
pub use op::{Conv, Op, Pool};

/// A feed-forward network. Nodes are in order of computation; the last one gives the result.
#[derive(Clone, Debug, PartialEq)]
pub struct Graph {
    /// Name, used in reports and in the program image.
    pub name: String,
    /// What an integer of the input means. None: calibration chooses 8 bits for the range of the images.
    pub input: Option<Code>,
    /// Node 0 is the input; every other node reads nodes before it.
    pub nodes: Vec<Node>,
}

/// One node of a graph.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// Unique name. Parameters are the tensors `<name>.weight`, `<name>.bias`, and so on, as PyTorch calls them.
    pub name: String,
    /// What it computes.
    pub op: Op,
    /// Numbers of the nodes that it reads.
    pub inputs: Vec<usize>,
    /// Shape of its result.
    pub shape: Shape,
}

/// A node that is a matrix product, and so runs on the crossbars.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MatrixLayer {
    /// Number of the node.
    pub node: usize,
    /// Name of the node.
    pub name: String,
    /// Shape of one group: `in_channels` and `kernels` are those of a group.
    pub shape: ConvShape,
    /// Groups, each with its own part of the input and of the output channels; 1 for an ordinary convolution.
    pub groups: usize,
}

impl MatrixLayer {
    /// Weights of all groups, biases not counted.
    pub fn weights(&self) -> usize {
        self.groups * self.shape.kernels * self.shape.depth()
    }

    /// Multiply-accumulates of one input through all groups.
    pub fn macs(&self) -> usize {
        self.groups * self.shape.macs()
    }
}

impl Graph {
    /// A graph with nothing but its input, which has the number 0.
    pub fn new(name: &str, input: Shape) -> Self {
        let node = Node { name: "input".into(), op: Op::Input, inputs: Vec::new(), shape: input };
        Graph { name: name.into(), input: None, nodes: vec![node] }
    }

    /// Adds a node and gives its number.
    ///
    /// # Errors
    /// The name is taken, an input is not there, or the shapes of the inputs do not suit the operation.
    pub fn add(&mut self, name: &str, op: Op, inputs: &[usize]) -> Result<usize, Error> {
        let refuse = |cause: String| Error::Network { at: format!("network {}, node {name}", self.name), cause };
        if !basisn_arch::image::is_name(name) || self.nodes.iter().any(|node| node.name == name) {
            let cause = "names are unique, and have letters, digits, `_`, `-` and `.` only, no `.` in front";
            return Err(refuse(cause.into()));
        }
        let shapes: Option<Vec<Shape>> = inputs.iter().map(|&i| self.nodes.get(i).map(|node| node.shape)).collect();
        let shapes = shapes.ok_or_else(|| refuse("it reads a node that is not there yet".into()))?;
        let shape = op.out_shape(&shapes).map_err(refuse)?;
        self.nodes.push(Node { name: name.into(), op, inputs: inputs.to_vec(), shape });
        Ok(self.nodes.len() - 1)
    }

    /// Shape of the input.
    pub fn input_shape(&self) -> Shape {
        self.nodes.first().map_or(Shape::default(), |node| node.shape)
    }

    /// Shape of the result.
    pub fn output_shape(&self) -> Shape {
        self.nodes.last().map_or(Shape::default(), |node| node.shape)
    }

    /// Shape of what node `index` reads first.
    pub fn in_shape(&self, index: usize) -> Shape {
        let node = &self.nodes[index];
        node.inputs.first().map_or(node.shape, |&input| self.nodes[input].shape)
    }

    /// For every node the numbers of the nodes that read it, in order.
    pub fn consumers(&self) -> Vec<Vec<usize>> {
        let mut consumers = vec![Vec::new(); self.nodes.len()];
        for (index, node) in self.nodes.iter().enumerate() {
            for &input in &node.inputs {
                consumers[input].push(index);
            }
        }
        consumers
    }

    /// Node `index` as a matrix product, if it is one.
    pub fn matrix_layer(&self, index: usize) -> Option<MatrixLayer> {
        let node = &self.nodes[index];
        let Shape { channels, height, width } = self.in_shape(index);
        let (kernels, window, groups) = match &node.op {
            Op::Conv(conv) => (conv.out, conv.window, conv.groups),
            Op::Linear { out, .. } => (*out, Window::covering(height, width), 1),
            _ => return None,
        };
        let shape = ConvShape {
            in_channels: channels / groups,
            in_height: height,
            in_width: width,
            kernels: kernels / groups,
            window,
        };
        Some(MatrixLayer { node: index, name: node.name.clone(), shape, groups })
    }

    /// The nodes that run on the crossbars, in order.
    pub fn matrix_layers(&self) -> Vec<MatrixLayer> {
        (0..self.nodes.len()).filter_map(|index| self.matrix_layer(index)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn graph() -> Graph {
        Graph::new("n", Shape::new(4, 5, 5))
    }

    #[test]
    fn nodes_are_shaped_as_they_are_added() {
        let mut graph = graph();
        let grouped = Op::Conv(Conv { groups: 2, ..Conv::new(6, Window::square(3, 2, 1)) });
        let a = graph.add("a", grouped, &[0]).unwrap();
        let b = graph.add("b", Op::Conv(Conv::new(2, Window::square(1, 2, 0))), &[0]).unwrap();
        let c = graph.add("c", Op::Concat, &[a, b]).unwrap();
        assert_eq!(graph.nodes[c].shape, Shape::new(8, 3, 3));
        graph.add("fc", Op::Linear { out: 10, bias: true }, &[c]).unwrap();
        assert_eq!(graph.output_shape(), Shape::new(10, 1, 1));
        let layers = graph.matrix_layers();
        assert_eq!((layers[0].weights(), layers[0].macs()), (6 * 2 * 9, 6 * 2 * 9 * 9));
        assert_eq!((layers[0].shape.in_channels, layers[0].shape.kernels, layers[0].groups), (2, 3, 2));
        assert_eq!(layers[2].weights(), 10 * 72);
        assert_eq!(graph.consumers(), [vec![1, 2], vec![3], vec![3], vec![4], vec![]]);
    }

    #[test]
    fn nodes_that_do_not_fit_are_refused_with_their_name() {
        let mut graph = graph();
        let refused = |graph: &mut Graph, name: &str, op, inputs: &[usize]| {
            let error = graph.add(name, op, inputs).unwrap_err().to_string();
            assert!(error.contains(&format!("at:    network n, node {name}")), "{error}");
            error
        };
        assert!(refused(&mut graph, "input", Op::Relu, &[0]).contains("unique"));
        assert!(refused(&mut graph, "r", Op::Relu, &[1]).contains("not there"));
        assert!(refused(&mut graph, "r", Op::Relu, &[]).contains("1 input"));
        assert!(refused(&mut graph, "s", Op::Add, &[0]).contains("2 inputs or more"));
        let conv = Conv::new(6, Window::square(3, 1, 1));
        assert!(refused(&mut graph, "g", Op::Conv(Conv { groups: 3, ..conv }), &[0]).contains("3 groups"));
        let large = Conv::new(6, Window::square(9, 1, 0));
        assert!(refused(&mut graph, "k", Op::Conv(large), &[0]).contains("gives no output"));
        let a = graph.add("a", Op::Conv(conv), &[0]).unwrap();
        assert!(refused(&mut graph, "sum", Op::Add, &[0, a]).contains("4 x 5 x 5 and 6 x 5 x 5"));
    }
}
