//! MobileNetV2 (Sandler et al., 2018): inverted residuals with depthwise convolutions.

use basisn_arch::Window;

use super::{Builder, Task};
use crate::Error;
use crate::graph::{Conv, Graph, Op};

/// Expansion, output channels, blocks, and stride of the first block, of every stage.
const STAGES: [(usize, usize, usize, usize); 7] =
    [(1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1)];

/// Small images are not downsampled by the first convolution and the first strided stage.
pub(super) fn v2(mut b: Builder, task: Task) -> Result<Graph, Error> {
    let early_stride = |stride: usize| if task.is_large() { stride } else { 1 };
    b.conv("features.0.0", 32, 3, early_stride(2))?.batch_norm("features.0.1")?.push("features.0.2", Op::Relu6)?;
    let mut number = 1;
    for (stage, (expansion, out, blocks, stride)) in STAGES.into_iter().enumerate() {
        for i in 0..blocks {
            let stride = if i > 0 {
                1
            } else if stage == 1 {
                early_stride(stride)
            } else {
                stride
            };
            inverted_residual(&mut b, &format!("features.{number}"), expansion, out, stride)?;
            number += 1;
        }
    }
    b.conv("features.18.0", 1280, 1, 1)?.batch_norm("features.18.1")?.push("features.18.2", Op::Relu6)?;
    b.classify("classifier.1", task.classes)?;
    Ok(b.graph)
}

fn inverted_residual(b: &mut Builder, name: &str, expansion: usize, out: usize, stride: usize) -> Result<(), Error> {
    let input = b.at;
    let channels = b.graph.nodes[input].shape.channels;
    let hidden = channels * expansion;
    // torchvision numbers what is there: without expansion everything moves up by one.
    let mut part = 0;
    if expansion > 1 {
        b.conv(&format!("{name}.conv.0.0"), hidden, 1, 1)?.batch_norm(&format!("{name}.conv.0.1"))?;
        b.push(&format!("{name}.conv.0.2"), Op::Relu6)?;
        part = 1;
    }
    let depthwise = Conv { groups: hidden, ..Conv::new(hidden, Window::square(3, stride, 1)) };
    b.push(&format!("{name}.conv.{part}.0"), Op::Conv(depthwise))?.batch_norm(&format!("{name}.conv.{part}.1"))?;
    b.push(&format!("{name}.conv.{part}.2"), Op::Relu6)?;
    b.conv(&format!("{name}.conv.{}", part + 1), out, 1, 1)?.batch_norm(&format!("{name}.conv.{}", part + 2))?;
    if stride == 1 && channels == out {
        b.join(&format!("{name}.add"), Op::Add, &[input, b.at])?;
    }
    Ok(())
}
