//! VGG-11 with batch norm (Simonyan and Zisserman, 2015).

use basisn_arch::Window;

use super::{Builder, Task};
use crate::Error;
use crate::graph::{Conv, Graph, Op};

/// Output channels of the convolutions; 0 is a pooling.
const LAYERS: [usize; 13] = [64, 0, 128, 0, 256, 256, 0, 512, 512, 0, 512, 512, 0];

/// Three linear layers at the end: 4096 wide for large images, 512 for small ones.
pub(super) fn vgg11(mut b: Builder, task: Task) -> Result<Graph, Error> {
    let mut index = 0;
    for out in LAYERS {
        if out == 0 {
            b.push(&format!("features.{index}"), Op::MaxPool(Window::square(2, 2, 0)))?;
            index += 1;
        } else {
            // The convolutions keep their bias although batch norm follows.
            let conv = Conv { bias: true, ..Conv::new(out, Window::square(3, 1, 1)) };
            b.push(&format!("features.{index}"), Op::Conv(conv))?;
            b.batch_norm(&format!("features.{}", index + 1))?.relu(&format!("features.{}", index + 2))?;
            index += 3;
        }
    }
    b.push("flatten", Op::Flatten)?;
    let width = if task.is_large() { 4096 } else { 512 };
    // Numbers 2 and 5 are dropouts, which do nothing in inference.
    for (linear, relu) in [(0, 1), (3, 4)] {
        b.push(&format!("classifier.{linear}"), Op::Linear { out: width, bias: true })?;
        b.relu(&format!("classifier.{relu}"))?;
    }
    b.push("classifier.6", Op::Linear { out: task.classes, bias: true })?;
    Ok(b.graph)
}
