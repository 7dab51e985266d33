//! Residual networks (He et al., 2016).

use basisn_arch::Window;

use super::{Builder, Task};
use crate::Error;
use crate::graph::{Graph, Op};

/// ResNet-18 and -34: two 3 x 3 convolutions a block.
pub(super) fn basic(mut b: Builder, task: Task, blocks: [usize; 4]) -> Result<Graph, Error> {
    stem(&mut b, task)?;
    stages(&mut b, &blocks, 64, basic_block)?;
    b.classify("fc", task.classes)?;
    Ok(b.graph)
}

/// ResNet-50: 1 x 1, 3 x 3, 1 x 1 with four times the channels; the 3 x 3 convolution strides.
pub(super) fn bottleneck(mut b: Builder, task: Task, blocks: [usize; 4]) -> Result<Graph, Error> {
    stem(&mut b, task)?;
    stages(&mut b, &blocks, 64, bottleneck_block)?;
    b.classify("fc", task.classes)?;
    Ok(b.graph)
}

/// The CIFAR family of 16, 32 and 64 channels, 6n + 2 layers. Shortcuts that change the shape are 1 x 1 convolutions,
/// as in the state dicts that are passed around; the paper's have no weights.
pub(super) fn thin(mut b: Builder, task: Task, blocks: usize) -> Result<Graph, Error> {
    b.conv("conv1", 16, 3, 1)?.batch_norm("bn1")?.relu("relu")?;
    stages(&mut b, &[blocks; 3], 16, basic_block)?;
    b.classify("fc", task.classes)?;
    Ok(b.graph)
}

fn stem(b: &mut Builder, task: Task) -> Result<(), Error> {
    let (kernel, stride) = if task.is_large() { (7, 2) } else { (3, 1) };
    b.conv("conv1", 64, kernel, stride)?.batch_norm("bn1")?.relu("relu")?;
    if task.is_large() {
        b.push("maxpool", Op::MaxPool(Window::square(3, 2, 1)))?;
    }
    Ok(())
}

type Block = fn(&mut Builder, &str, usize, usize) -> Result<(), Error>;

/// Stages of blocks; each stage but the first halves the image and doubles the channels.
fn stages(b: &mut Builder, blocks: &[usize], width: usize, block: Block) -> Result<(), Error> {
    for (stage, &count) in blocks.iter().enumerate() {
        for i in 0..count {
            let stride = if stage > 0 && i == 0 { 2 } else { 1 };
            block(b, &format!("layer{}.{i}", stage + 1), width << stage, stride)?;
        }
    }
    Ok(())
}

fn basic_block(b: &mut Builder, name: &str, width: usize, stride: usize) -> Result<(), Error> {
    let input = b.at;
    b.conv(&format!("{name}.conv1"), width, 3, stride)?.batch_norm(&format!("{name}.bn1"))?;
    b.relu(&format!("{name}.relu1"))?;
    b.conv(&format!("{name}.conv2"), width, 3, 1)?.batch_norm(&format!("{name}.bn2"))?;
    shortcut(b, name, input, stride)
}

fn bottleneck_block(b: &mut Builder, name: &str, width: usize, stride: usize) -> Result<(), Error> {
    let input = b.at;
    for (i, (out, kernel, stride)) in [(width, 1, 1), (width, 3, stride), (4 * width, 1, 1)].into_iter().enumerate() {
        let i = i + 1;
        b.conv(&format!("{name}.conv{i}"), out, kernel, stride)?.batch_norm(&format!("{name}.bn{i}"))?;
        if i < 3 {
            b.relu(&format!("{name}.relu{i}"))?;
        }
    }
    shortcut(b, name, input, stride)
}

/// Adds `input`, through a 1 x 1 convolution where the shape has changed, and rectifies.
fn shortcut(b: &mut Builder, name: &str, input: usize, stride: usize) -> Result<(), Error> {
    let main = b.at;
    let out = b.graph.nodes[main].shape;
    let mut side = input;
    if b.graph.nodes[input].shape != out {
        b.at = input;
        b.conv(&format!("{name}.downsample.0"), out.channels, 1, stride)?
            .batch_norm(&format!("{name}.downsample.1"))?;
        side = b.at;
    }
    b.join(&format!("{name}.add"), Op::Add, &[main, side])?.relu(&format!("{name}.relu"))?;
    Ok(())
}
