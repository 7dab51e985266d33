//! Built-in networks, layer for layer as torchvision and the CIFAR literature have them, with torchvision's parameter names:
//! a state dict saved from there loads as it is.
//!
//! Names end with the data: `imagenet` is 224 x 224 with 1000 classes, `cifar100` is 32 x 32 with 100 classes, `cifar10` with 10.

mod densenet;
mod mobilenet;
mod resnet;
mod vgg;

use basisn_arch::Window;

use super::{Conv, Graph, Op, Shape};
use crate::{Dataset, Error};

/// What a network is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Task {
    /// Rows and columns of a colour image.
    size: usize,
    classes: usize,
}

impl Task {
    /// Images of 224 rows are downsampled in the first layers, small ones are not.
    fn is_large(self) -> bool {
        self.size > 64
    }
}

const TASKS: [(&str, Task); 3] = [
    ("imagenet", Task { size: 224, classes: 1000 }),
    ("cifar100", Task { size: 32, classes: 100 }),
    ("cifar10", Task { size: 32, classes: 10 }),
];

type Family = fn(Builder, Task) -> Result<Graph, Error>;

/// Every architecture, and whether it exists for large and for small images.
const ARCHITECTURES: [(&str, [bool; 2], Family); 12] = [
    ("resnet18", [true, true], |b, t| resnet::basic(b, t, [2, 2, 2, 2])),
    ("resnet34", [true, true], |b, t| resnet::basic(b, t, [3, 4, 6, 3])),
    ("resnet50", [true, false], |b, t| resnet::bottleneck(b, t, [3, 4, 6, 3])),
    ("resnet20", [false, true], |b, t| resnet::thin(b, t, 3)),
    ("resnet32", [false, true], |b, t| resnet::thin(b, t, 5)),
    ("resnet56", [false, true], |b, t| resnet::thin(b, t, 9)),
    ("densenet40", [false, true], densenet::plain),
    ("densenet121", [true, true], |b, t| densenet::bottleneck(b, t, [6, 12, 24, 16])),
    ("densenet169", [true, false], |b, t| densenet::bottleneck(b, t, [6, 12, 32, 32])),
    ("vgg11-bn", [true, true], vgg::vgg11),
    ("mobilenet-v2", [true, true], mobilenet::v2),
    // The smallest residual network of the CIFAR family, for tests and first tries.
    ("resnet8", [false, true], |b, t| resnet::thin(b, t, 1)),
];

/// Names of all built-in networks.
pub fn names() -> Vec<String> {
    let sizes = |(task, _): &(&str, Task)| usize::from(!task.starts_with("imagenet"));
    ARCHITECTURES
        .iter()
        .flat_map(|(name, has, _)| {
            TASKS.iter().filter(move |task| has[sizes(task)]).map(move |(task, _)| format!("{name}-{task}"))
        })
        .collect()
}

/// The built-in network of a name such as `resnet18-imagenet`.
///
/// # Errors
/// There is no network of this name.
pub fn built_in(name: &str) -> Result<Graph, Error> {
    let found = TASKS.iter().find_map(|(data, task)| {
        let architecture = name.strip_suffix(data)?.strip_suffix('-')?;
        let (_, has, family) = ARCHITECTURES.iter().find(|(known, ..)| *known == architecture)?;
        has[usize::from(!task.is_large())].then_some((family, *task))
    });
    match found {
        Some((family, task)) => family(Builder::new(name, Shape::new(3, task.size, task.size)), task),
        None => Err(Error::Network {
            at: name.into(),
            cause: format!("there is no built-in network of this name; there are {}", names().join(", ")),
        }),
    }
}

/// Names of the built-in architectures: those of the networks without the data.
pub fn architectures() -> impl Iterator<Item = &'static str> {
    ARCHITECTURES.iter().map(|(name, ..)| *name)
}

/// A built-in architecture for the images and classes of a dataset.
///
/// # Errors
/// There is no architecture of this name, or the images are too small for it.
pub fn for_images(architecture: &str, dataset: &Dataset) -> Result<Graph, Error> {
    let (_, channels, height, width) = dataset.images.dim();
    let classes = dataset.labels.iter().max().map_or(0, |&label| usize::from(label) + 1);
    let task = Task { size: height.min(width), classes };
    let known = ARCHITECTURES.iter().find(|(name, has, _)| *name == architecture && has[usize::from(!task.is_large())]);
    let Some((.., family)) = known else {
        let names: Vec<&str> = architectures().collect();
        let cause = format!(
            "no built-in architecture of this name for {height} x {width} images; there are {}",
            names.join(", ")
        );
        return Err(Error::Network { at: architecture.into(), cause });
    };
    let mut graph = family(Builder::new(architecture, Shape::new(channels, height, width)), task)?;
    graph.input = Some(dataset.code());
    Ok(graph)
}

/// Adds the usual runs of nodes to a graph; remembers the last node.
struct Builder {
    graph: Graph,
    /// The node that the next one reads.
    at: usize,
}

impl Builder {
    fn new(name: &str, input: Shape) -> Self {
        Builder { graph: Graph::new(name, input), at: 0 }
    }

    /// Adds a node that reads the last one.
    fn push(&mut self, name: &str, op: Op) -> Result<&mut Self, Error> {
        self.join(name, op, &[self.at])
    }

    /// Adds a node that reads these.
    fn join(&mut self, name: &str, op: Op, inputs: &[usize]) -> Result<&mut Self, Error> {
        self.at = self.graph.add(name, op, inputs)?;
        Ok(self)
    }

    /// A convolution without bias.
    fn conv(&mut self, name: &str, out: usize, kernel: usize, stride: usize) -> Result<&mut Self, Error> {
        self.push(name, Op::Conv(Conv::new(out, Window::square(kernel, stride, kernel / 2))))
    }

    fn batch_norm(&mut self, name: &str) -> Result<&mut Self, Error> {
        self.push(name, Op::BatchNorm { epsilon: 1e-5 })
    }

    fn relu(&mut self, name: &str) -> Result<&mut Self, Error> {
        self.push(name, Op::Relu)
    }

    /// Global average, flattened, and a linear classifier: how all these networks end.
    fn classify(&mut self, name: &str, classes: usize) -> Result<&mut Self, Error> {
        self.push("avgpool", Op::GlobalAvgPool)?.push("flatten", Op::Flatten)?;
        self.push(name, Op::Linear { out: classes, bias: true })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Weights and multiply-accumulates of the matrix layers, in millions, batch norm and biases not counted.
    fn count(name: &str) -> (f64, f64) {
        let layers = built_in(name).unwrap().matrix_layers();
        let sum = |of: fn(&super::super::MatrixLayer) -> usize| layers.iter().map(of).sum::<usize>() as f64 / 1e6;
        (sum(super::super::MatrixLayer::weights), sum(super::super::MatrixLayer::macs))
    }

    #[test]
    fn weights_and_macs_are_the_published_ones() {
        // He (2016), Huang (2017), Sandler (2018), and the tables of torchvision.
        let published = [
            ("resnet18-imagenet", 11.68, 1814.0),
            ("resnet34-imagenet", 21.78, 3664.0),
            ("resnet50-imagenet", 25.50, 4089.0),
            ("densenet121-imagenet", 7.89, 2834.0),
            ("densenet169-imagenet", 13.99, 3360.0),
            ("vgg11-bn-imagenet", 132.86, 7609.0),
            ("mobilenet-v2-imagenet", 3.47, 300.8),
            ("resnet20-cifar10", 0.27, 40.8),
            ("resnet32-cifar10", 0.46, 69.1),
            ("resnet56-cifar10", 0.85, 125.5),
        ];
        for (name, weights, macs) in published {
            let found = count(name);
            let near = |found: f64, wanted: f64, digit: f64| (found - wanted).abs() <= digit;
            assert!(near(found.0, weights, 0.01), "{name}: {found:?}");
            assert!(near(found.1, macs, macs * 0.002), "{name}: {found:?}");
        }
        // The paper gives 1.0 M and no count of operations.
        assert_eq!((count("densenet40-cifar10").0 * 10.0).round(), 10.0);
    }

    #[test]
    fn all_built_in_networks_classify() {
        for name in names() {
            let graph = built_in(&name).unwrap();
            let classes = TASKS.iter().find(|(task, _)| name.ends_with(&format!("-{task}"))).unwrap().1.classes;
            assert_eq!(graph.output_shape(), Shape::new(classes, 1, 1), "{name}");
            let consumers = graph.consumers();
            let unread = consumers.iter().filter(|readers| readers.is_empty()).count();
            assert_eq!(unread, 1, "{name}: every node but the last is read");
        }
    }

    #[test]
    fn parameters_have_the_names_of_torchvision() {
        let has = |network: &str, node: &str| {
            let graph = built_in(network).unwrap();
            assert!(graph.nodes.iter().any(|n| n.name == node), "{network}: {node}");
        };
        for node in
            ["conv1", "bn1", "layer1.0.conv1", "layer2.0.downsample.0", "layer2.0.downsample.1", "layer4.1.bn2", "fc"]
        {
            has("resnet18-imagenet", node);
            has("resnet18-cifar100", node);
        }
        for node in ["layer1.0.downsample.1", "layer4.2.conv3"] {
            has("resnet50-imagenet", node);
        }
        for node in [
            "features.conv0",
            "features.norm0",
            "features.denseblock1.denselayer1.norm1",
            "features.denseblock4.denselayer16.conv2",
            "features.transition3.norm",
            "features.transition3.conv",
            "features.norm5",
            "classifier",
        ] {
            has("densenet121-imagenet", node);
        }
        for node in ["features.0", "features.1", "features.25", "features.26", "classifier.0", "classifier.6"] {
            has("vgg11-bn-imagenet", node);
        }
        for node in
            ["features.0.0", "features.1.conv.0.0", "features.1.conv.1", "features.1.conv.2", "features.2.conv.2"]
        {
            has("mobilenet-v2-imagenet", node);
        }
        for node in ["features.17.conv.3", "features.18.1", "classifier.1"] {
            has("mobilenet-v2-imagenet", node);
        }
    }

    #[test]
    fn unknown_networks_are_refused_with_the_known_ones() {
        for name in ["resnet19-imagenet", "resnet50-cifar100", "resnet18", "resnet20-imagenet", ""] {
            let error = built_in(name).unwrap_err().to_string();
            assert!(error.contains("no built-in network") && error.contains("resnet20-cifar100"), "{error}");
        }
    }
}
