//! Which nodes of a graph become one step: a clip (ReLU, ReLU6) is the clamp of the step before it, where that step has one.

use crate::graph::{Graph, Op};

/// One step of the compiled network. Values are numbered as in a program: 0 is the image, `i + 1` the result of step i.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct FusedStep {
    /// The node that computes.
    pub node: usize,
    /// The node whose result the step gives: the same, or the clip after it.
    pub result: usize,
    /// Numbers of the values that it reads.
    pub inputs: Vec<usize>,
    /// What the result is clipped to.
    pub clip: Option<(f64, f64)>,
}

/// The steps of a graph, in order.
pub(crate) fn fuse(graph: &Graph) -> Vec<FusedStep> {
    let consumers = graph.consumers();
    let mut value_of = vec![0usize; graph.nodes.len()];
    let mut steps: Vec<FusedStep> = Vec::new();
    for (index, node) in graph.nodes.iter().enumerate() {
        if node.op == Op::Input {
            continue;
        }
        if let Op::Clip { low, high } = node.op {
            let before = node.inputs[0];
            if let Some(step) = value_of[before].checked_sub(1).and_then(|i| steps.get_mut(i))
                && (step.result, step.clip) == (before, None)
                && consumers[before] == [index]
                && clamps(&graph.nodes[before].op)
            {
                (step.result, step.clip) = (index, Some((low, high)));
                value_of[index] = value_of[before];
                continue;
            }
        }
        let clip = if let Op::Clip { low, high } = node.op { Some((low, high)) } else { None };
        let inputs = node.inputs.iter().map(|&i| value_of[i]).collect();
        steps.push(FusedStep { node: index, result: index, inputs, clip });
        value_of[index] = steps.len();
    }
    steps
}

/// Whether the integer form of an operation ends with a clamp.
fn clamps(op: &Op) -> bool {
    !matches!(op, Op::Input | Op::Clip { .. } | Op::MaxPool(_) | Op::Concat | Op::Flatten)
}

/// Whether the integers of an operation's result count the same scale as those that it reads.
pub(crate) fn keeps_scale(op: &Op) -> bool {
    matches!(op, Op::MaxPool(_) | Op::Concat | Op::Flatten)
}

/// Values that share one scale: for every value the number of its class's first value.
pub(crate) fn classes(graph: &Graph, steps: &[FusedStep]) -> Vec<usize> {
    let mut class: Vec<usize> = (0..=steps.len()).collect();
    for (i, step) in steps.iter().enumerate().filter(|(_, step)| keeps_scale(&graph.nodes[step.node].op)) {
        for &input in &step.inputs {
            let (a, b) = (class[input].min(class[i + 1]), class[input].max(class[i + 1]));
            class.iter_mut().filter(|c| **c == b).for_each(|c| *c = a);
        }
    }
    class
}

/// For every value whether it can be negative, given whether the image can.
pub(crate) fn can_be_negative(graph: &Graph, steps: &[FusedStep], image: bool) -> Vec<bool> {
    let mut negative = vec![image];
    for step in steps {
        let clipped = step.clip.is_some_and(|(low, _)| low >= 0.0);
        let sums = matches!(graph.nodes[step.node].op, Op::Conv(_) | Op::Linear { .. } | Op::BatchNorm { .. });
        negative.push(!clipped && (sums || step.inputs.iter().any(|&i| negative[i])));
    }
    negative
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::{Conv, Shape, topologies};
    use basisn_arch::Window;

    #[test]
    fn a_clip_joins_the_step_that_only_it_reads() {
        let mut graph = Graph::new("n", Shape::new(2, 4, 4));
        let conv = graph.add("conv", Op::Conv(Conv::new(2, Window::square(1, 1, 0))), &[0]).unwrap();
        let relu = graph.add("relu", Op::Relu, &[conv]).unwrap();
        let pool = graph.add("pool", Op::MaxPool(Window::square(2, 2, 0)), &[relu]).unwrap();
        let again = graph.add("again", Op::Relu6, &[pool]).unwrap();
        let sum = graph.add("sum", Op::Add, &[pool, again]).unwrap();
        let late = graph.add("late", Op::Relu, &[sum]).unwrap();
        graph.add("twice", Op::Concat, &[sum, late]).unwrap();
        let steps = fuse(&graph);
        let found: Vec<_> = steps.iter().map(|s| (s.node, s.result, s.inputs.clone())).collect();
        let expected = [
            (conv, relu, vec![0]),
            (pool, pool, vec![1]),
            (again, again, vec![2]),
            (sum, sum, vec![2, 3]),
            (late, late, vec![4]),
            (7, 7, vec![4, 5]),
        ];
        assert_eq!(found, expected);
        // The pooled value keeps the scale of the convolution; the two concatenated ones share one.
        assert_eq!(classes(&graph, &steps), [0, 1, 1, 3, 4, 4, 4]);
        assert_eq!(can_be_negative(&graph, &steps, true), [true, false, false, false, false, false, false]);
    }

    #[test]
    fn features_of_a_dense_block_share_one_scale() {
        let graph = topologies::built_in("densenet40-cifar10").unwrap();
        let steps = fuse(&graph);
        let classes = classes(&graph, &steps);
        let value = |name: &str| steps.iter().position(|s| graph.nodes[s.node].name == name).unwrap() + 1;
        let first = classes[value("features.conv0")];
        for layer in [1, 7, 12] {
            assert_eq!(classes[value(&format!("features.denseblock1.denselayer{layer}.conv1"))], first);
        }
        assert_ne!(classes[value("features.denseblock2.denselayer1.conv1")], first);
    }
}
