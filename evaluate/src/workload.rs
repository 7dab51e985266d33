//! What an evaluation runs: the matrix layers of a network, with the slots that they take.

use basisn_arch::{ChipConfig, ConvShape, LayerProgram, Program, Subvectors};
use basisn_compiler::graph::{Graph, MatrixLayer};
use serde::Serialize;

use crate::Error;
use crate::elementwise::Elementwise;

/// A network as its matrix layers.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Workload {
    /// Name.
    pub name: String,
    /// Layers in order.
    pub layers: Vec<Layer>,
}

/// One matrix layer.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Layer {
    /// Name.
    pub name: String,
    /// Kernels K.
    pub kernels: usize,
    /// Length D of a kernel.
    pub depth: usize,
    /// Output positions of one inference.
    pub positions: usize,
    /// Input values.
    pub inputs: usize,
    /// Input planes X.
    pub input_bits: usize,
    /// How often it runs, each time on other channels: groups of a grouped convolution.
    pub groups: usize,
    /// Work on single values between this layer and the next.
    pub after: Elementwise,
    /// The slots of a compiled program; `None`: grouped ternary coefficients of one plane.
    pub program: Option<Scheduled>,
}

/// What a compiled layer does, for one position block.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Scheduled {
    /// Tiles in use.
    pub tiles: usize,
    /// Slots of every subvector.
    pub slots: Vec<usize>,
    /// Positions of a full block.
    pub block_positions: usize,
    /// Places of the drain order: the kernels, and places without one.
    pub places: usize,
    /// Lanes with an item, over all slots and tiles.
    pub items: u64,
    /// Items that update a psum: those that are not merged into their neighbour.
    pub updates: u64,
    /// Connected columns, over all slots and tiles.
    pub closed: u64,
    /// Columns whose switch differs from the slot before, over all slots and tiles; before the first one all are as after the last.
    pub changes: u64,
}

impl Layer {
    /// A layer of a network that is not compiled.
    pub fn new(name: &str, shape: &ConvShape, groups: usize, input_bits: usize) -> Self {
        Layer {
            name: name.into(),
            kernels: shape.kernels,
            depth: shape.depth(),
            positions: shape.positions(),
            inputs: shape.inputs(),
            input_bits,
            groups,
            after: Elementwise::default(),
            program: None,
        }
    }

    /// Weights of all groups.
    pub fn weights(&self) -> usize {
        self.groups * self.kernels * self.depth
    }

    /// Multiply-accumulates of one inference.
    pub fn macs(&self) -> usize {
        self.weights() * self.positions
    }

    /// Cut of the kernels for crossbars of `rows` rows.
    pub fn subvectors(&self, rows: usize) -> Subvectors {
        Subvectors::new(self.depth, rows)
    }
}

impl Workload {
    /// The matrix layers of a network that is not compiled, with inputs of `input_bits` bits.
    pub fn from_graph(graph: &Graph, input_bits: usize) -> Self {
        let after = Elementwise::of_graph(graph);
        let layers = graph.matrix_layers();
        let layer = |(l, after): (&MatrixLayer, Elementwise)| Layer {
            after,
            ..Layer::new(&l.name, &l.shape, l.groups, input_bits)
        };
        Workload { name: graph.name.clone(), layers: layers.iter().zip(after).map(layer).collect() }
    }

    /// The layers of a compiled program.
    ///
    /// # Errors
    /// The program breaks a rule of [`Program::values`].
    pub fn from_program(program: &Program) -> Result<Self, Error> {
        let after = Elementwise::of_program(program).map_err(|e| Error::from_arch(&e))?;
        let layer = |(layer, after): (&LayerProgram, Elementwise)| Layer {
            input_bits: layer.input_bits,
            after,
            program: Some(Scheduled::new(layer, program.geometry.lanes)),
            ..Layer::new(&layer.name, &layer.shape, 1, layer.input_bits)
        };
        let layers = program.layers.iter().zip(after).map(layer).collect();
        Ok(Workload { name: program.name.clone(), layers })
    }

    /// Weights of all layers.
    pub fn weights(&self) -> usize {
        self.layers.iter().map(Layer::weights).sum()
    }

    /// Multiply-accumulates of one inference.
    pub fn macs(&self) -> usize {
        self.layers.iter().map(Layer::macs).sum()
    }

    /// Checks that a chip has room for every layer.
    ///
    /// # Errors
    /// There is no layer, a layer has no positions, or more kernels than the chip's memories hold.
    pub fn check(&self, config: &ChipConfig) -> Result<(), Error> {
        if self.layers.is_empty() {
            return Err(Error::workload(&self.name, "no matrix layer", "evaluate a network with convolutions"));
        }
        for layer in &self.layers {
            let at = format!("{}, layer {}", self.name, layer.name);
            if layer.positions * layer.kernels * layer.depth == 0 {
                return Err(Error::workload(at, "nothing to compute", "check the shape of the layer"));
            }
            let rows = layer.kernels.div_ceil(config.tiles() * config.lanes());
            if 2 * rows > config.psum_words() {
                let fix = format!("set core.psum_words to at least {}", 2 * rows);
                let cause = format!("{} kernels need {rows} partial sums in each half of a psum bank", layer.kernels);
                return Err(Error::workload(at, cause, fix));
            }
            if layer.kernels > config.kernels() {
                let fix = format!("set core.kernels to at least {}", layer.kernels);
                let cause = format!("{} kernels, and core.kernels = {}", layer.kernels, config.kernels());
                return Err(Error::workload(at, cause, fix));
            }
        }
        Ok(())
    }
}

impl Scheduled {
    fn new(layer: &LayerProgram, lanes: usize) -> Self {
        let tiles = layer.tiles;
        let mut sum = Scheduled {
            tiles,
            slots: layer.slots.iter().map(Vec::len).collect(),
            block_positions: layer.block_positions,
            places: layer.places(),
            // A place without a kernel is written by an item without columns.
            items: (layer.places() - layer.home.len()) as u64,
            updates: (layer.places() - layer.home.len()) as u64,
            closed: 0,
            changes: 0,
        };
        let home_lane = |kernel: usize| layer.home.get(kernel).map(|&q| q as usize / tiles % lanes);
        let order: Vec<_> = layer.slots.iter().flatten().collect();
        for (i, now) in order.iter().enumerate() {
            let before = order[(i + order.len() - 1) % order.len()];
            for (slot, before) in now.iter().zip(before) {
                let items = || slot.items.iter().enumerate().filter_map(|(lane, item)| Some((lane, (*item)?)));
                sum.items += items().count() as u64;
                sum.updates += items().filter(|(lane, item)| home_lane(item.kernel) == Some(*lane)).count() as u64;
                sum.closed += slot.switches.iter().filter(|s| **s != 0).count() as u64;
                sum.changes += slot.switches.iter().zip(&before.switches).filter(|(a, b)| a != b).count() as u64;
            }
        }
        sum
    }
}
