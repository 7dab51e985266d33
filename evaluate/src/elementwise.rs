//! What runs beside the crossbars: pooling, residual adds, batch norms that cannot be folded. The same on both sides.

use std::ops::AddAssign;

use basisn_arch::{Program, Shape, StepOp, Window};
use basisn_compiler::graph::{Graph, Op};
use serde::Serialize;

use crate::Values;

/// Integer work on single values after a matrix layer, for one inference.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Elementwise {
    /// Values read.
    pub inputs: usize,
    /// Values written.
    pub outputs: usize,
    /// Additions and comparisons.
    pub additions: usize,
    /// Multiplications by a constant, with rounding and clamping.
    pub scalings: usize,
}

impl AddAssign for Elementwise {
    fn add_assign(&mut self, other: Self) {
        self.inputs += other.inputs;
        self.outputs += other.outputs;
        self.additions += other.additions;
        self.scalings += other.scalings;
    }
}

impl Elementwise {
    /// Energy in pJ: the operations, and their values from and to the buffer.
    pub fn energy_pj(&self, v: &Values) -> f64 {
        let bits = (8 * (self.inputs + self.outputs)) as f64;
        self.additions as f64 * v.add_pj
            + self.scalings as f64 * v.requantize_pj
            + bits * (v.buffer_energy_pj_per_bit + v.bus_energy_pj_per_bit)
    }

    /// Time in ns: the vector unit takes so many values in a ns.
    pub fn time_ns(&self, v: &Values) -> f64 {
        self.inputs as f64 / v.vector_values_per_ns
    }

    fn pooling(input: Shape, output: Shape, taps: usize, scaled: bool) -> Self {
        let outputs = output.size();
        Elementwise {
            inputs: input.size(),
            outputs,
            additions: taps * outputs,
            scalings: if scaled { outputs } else { 0 },
        }
    }

    fn adding(output: Shape, count: usize) -> Self {
        let outputs = output.size();
        Elementwise { inputs: count * outputs, outputs, additions: (count - 1) * outputs, scalings: count * outputs }
    }

    fn scaling(output: Shape) -> Self {
        Elementwise { inputs: output.size(), outputs: output.size(), additions: 0, scalings: output.size() }
    }

    /// Between the matrix layers of a network: for each what comes after it and before the next; what comes before the first counts to it.
    ///
    /// Clamps are part of what computes their input, and so are batch norms after a matrix product.
    pub fn of_graph(graph: &Graph) -> Vec<Self> {
        let steps = graph.nodes.iter().enumerate().map(|(index, node)| {
            let (input, output) = (graph.in_shape(index), node.shape);
            let folded = || node.inputs.first().is_some_and(|&from| graph.nodes[from].op.is_matrix());
            match &node.op {
                op if op.is_matrix() => None,
                Op::MaxPool(window) => Some(Self::pooling(input, output, taps(window), false)),
                Op::AvgPool(pool) => Some(Self::pooling(input, output, taps(&pool.window), true)),
                Op::GlobalAvgPool => Some(Self::pooling(input, output, input.height * input.width, true)),
                Op::Add => Some(Self::adding(output, node.inputs.len())),
                Op::BatchNorm { .. } if !folded() => Some(Self::scaling(output)),
                _ => Some(Self::default()),
            }
        });
        after_matrices(steps)
    }

    /// As [`Elementwise::of_graph`], for each matrix layer of a program.
    ///
    /// # Errors
    /// The program breaks a rule of [`Program::values`].
    pub fn of_program(program: &Program) -> Result<Vec<Self>, basisn_arch::Error> {
        let values = program.values()?;
        let steps = program.steps.iter().zip(&values[1..]).flat_map(|(step, value)| {
            let output = value.shape;
            let input = step.inputs.first().and_then(|&i| values.get(i)).map_or(output, |v| v.shape);
            match &step.op {
                StepOp::Matrix { groups, .. } => vec![None; *groups],
                StepOp::MaxPool(window) => vec![Some(Self::pooling(input, output, taps(window), false))],
                StepOp::AvgPool(pool) => vec![Some(Self::pooling(input, output, taps(&pool.window), true))],
                StepOp::Add(_) => vec![Some(Self::adding(output, step.inputs.len()))],
                StepOp::Affine(_) => vec![Some(Self::scaling(output))],
                StepOp::Concat | StepOp::Flatten => vec![Some(Self::default())],
            }
        });
        Ok(after_matrices(steps))
    }
}

fn taps(window: &Window) -> usize {
    window.kernel[0] * window.kernel[1]
}

/// `None` is a matrix layer.
fn after_matrices(steps: impl Iterator<Item = Option<Elementwise>>) -> Vec<Elementwise> {
    let (mut after, mut before) = (Vec::new(), Elementwise::default());
    for step in steps {
        match (step, after.last_mut()) {
            (None, _) => after.push(std::mem::take(&mut before)),
            (Some(work), Some(last)) => *last += work,
            (Some(work), None) => before += work,
        }
    }
    after
}

#[cfg(test)]
mod tests {
    use basisn_compiler::graph::{Conv, topologies};

    use super::*;
    use crate::Constants;

    #[test]
    fn a_residual_block_with_pooling() {
        let mut graph = Graph::new("block", Shape::new(2, 4, 4));
        let conv = Op::Conv(Conv::new(2, Window::square(3, 1, 1)));
        let a = graph.add("a", conv.clone(), &[0]).unwrap();
        let norm = graph.add("a_norm", Op::BatchNorm { epsilon: 1e-5 }, &[a]).unwrap();
        let b = graph.add("b", conv, &[norm]).unwrap();
        let sum = graph.add("sum", Op::Add, &[norm, b]).unwrap();
        let relu = graph.add("relu", Op::Relu, &[sum]).unwrap();
        let open = graph.add("norm", Op::BatchNorm { epsilon: 1e-5 }, &[relu]).unwrap();
        graph.add("pool", Op::MaxPool(Window::square(2, 2, 0)), &[open]).unwrap();
        let after = Elementwise::of_graph(&graph);
        // The first batch norm is folded. 32 values are added in pairs, scaled by the second batch norm, and pooled in fours.
        assert_eq!(after[0], Elementwise::default());
        let all = Elementwise { inputs: 64 + 32 + 32, outputs: 32 + 32 + 8, additions: 32 + 32, scalings: 64 + 32 };
        assert_eq!(after[1], all);
        let constants = Constants::built_in().unwrap();
        let v = constants.values();
        assert_eq!(all.time_ns(v), 128.0 / v.vector_values_per_ns);
        let moved = 8.0 * 200.0 * (v.buffer_energy_pj_per_bit + v.bus_energy_pj_per_bit);
        assert!((all.energy_pj(v) - 64.0 * v.add_pj - 96.0 * v.requantize_pj - moved).abs() < 1e-6);
    }

    #[test]
    fn every_matrix_layer_of_a_built_in_network_has_its_share() {
        let graph = topologies::built_in("resnet18-imagenet").unwrap();
        let after = Elementwise::of_graph(&graph);
        assert_eq!(after.len(), graph.matrix_layers().len());
        // Max pooling after the first convolution, an add at the end of each of eight blocks, one global average.
        assert_eq!((after[0].inputs, after[0].additions), (64 * 112 * 112, 9 * 64 * 56 * 56));
        let adds: usize = after.iter().map(|e| e.scalings / 2).sum();
        assert_eq!(adds, 2 * (64 * 56 * 56 + 128 * 28 * 28 + 256 * 14 * 14 + 512 * 7 * 7) + 512 / 2);
    }
}
