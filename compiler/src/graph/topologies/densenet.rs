//! Densely connected networks (Huang et al., 2017): batch norm and ReLU come before the convolution.

use basisn_arch::Window;

use super::{Builder, Task};
use crate::Error;
use crate::graph::{Conv, Graph, Op, Pool};

/// DenseNet-121 and -169: growth 32, a 1 x 1 bottleneck of four times the growth, transitions halve the channels.
pub(super) fn bottleneck(mut b: Builder, task: Task, blocks: [usize; 4]) -> Result<Graph, Error> {
    let (kernel, stride) = if task.is_large() { (7, 2) } else { (3, 1) };
    b.conv("features.conv0", 64, kernel, stride)?.batch_norm("features.norm0")?.relu("features.relu0")?;
    if task.is_large() {
        b.push("features.pool0", Op::MaxPool(Window::square(3, 2, 1)))?;
    }
    let last = "features.norm5";
    dense(&mut b, &blocks, Growth { channels: 32, bottleneck: true, compression: 2 }, last)?;
    b.classify("classifier", task.classes)?;
    Ok(b.graph)
}

/// DenseNet-40 with growth 12: three blocks of twelve 3 x 3 convolutions, no bottleneck, no compression.
pub(super) fn plain(mut b: Builder, task: Task) -> Result<Graph, Error> {
    b.conv("features.conv0", 16, 3, 1)?;
    let growth = Growth { channels: 12, bottleneck: false, compression: 1 };
    dense(&mut b, &[12; 3], growth, "features.norm_final")?;
    b.classify("classifier", task.classes)?;
    Ok(b.graph)
}

#[derive(Clone, Copy)]
struct Growth {
    /// Channels that a layer adds.
    channels: usize,
    /// A 1 x 1 convolution before the 3 x 3 one.
    bottleneck: bool,
    /// A transition divides the channels by this.
    compression: usize,
}

fn dense(b: &mut Builder, blocks: &[usize], growth: Growth, last: &str) -> Result<(), Error> {
    for (i, &layers) in blocks.iter().enumerate() {
        let mut features = vec![b.at];
        for layer in 0..layers {
            let name = format!("features.denseblock{}.denselayer{}", i + 1, layer + 1);
            dense_layer(b, &name, growth)?;
            features.push(b.at);
            b.join(&format!("{name}.concat"), Op::Concat, &features)?;
        }
        if i + 1 < blocks.len() {
            transition(b, &format!("features.transition{}", i + 1), growth)?;
        }
    }
    b.batch_norm(last)?.relu("features.relu_final")?;
    Ok(())
}

fn dense_layer(b: &mut Builder, name: &str, growth: Growth) -> Result<(), Error> {
    b.batch_norm(&format!("{name}.norm1"))?.relu(&format!("{name}.relu1"))?;
    if growth.bottleneck {
        b.conv(&format!("{name}.conv1"), 4 * growth.channels, 1, 1)?;
        b.batch_norm(&format!("{name}.norm2"))?.relu(&format!("{name}.relu2"))?;
        b.conv(&format!("{name}.conv2"), growth.channels, 3, 1)?;
    } else {
        b.conv(&format!("{name}.conv1"), growth.channels, 3, 1)?;
    }
    Ok(())
}

fn transition(b: &mut Builder, name: &str, growth: Growth) -> Result<(), Error> {
    let channels = b.graph.nodes[b.at].shape.channels / growth.compression;
    b.batch_norm(&format!("{name}.norm"))?.relu(&format!("{name}.relu"))?;
    b.push(&format!("{name}.conv"), Op::Conv(Conv::new(channels, Window::square(1, 1, 0))))?;
    let pool = Pool { window: Window::square(2, 2, 0), count_padding: true };
    b.push(&format!("{name}.pool"), Op::AvgPool(pool))?;
    Ok(())
}
