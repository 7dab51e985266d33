//! From a float network to one whose weights are coefficients of the basis: where BasisN training starts.

use basisn_arch::{ChipConfig, Subvectors};
use basisn_compiler::basis::Basis;
use basisn_compiler::coefficient::CoefficientCode;
use basisn_compiler::fit::Target;
use basisn_compiler::fit::pursuit::{self, Pursuit};
use basisn_compiler::fitted::Code;
use basisn_compiler::{FloatNetwork, Network, Weights, calibrate};
use burn::tensor::Device;

use crate::Error;
use crate::adc::Levels;
use crate::coefficients::{Limit, Rule};
use crate::model::{BasisLayer, Model};
use crate::parameter::{Parameter, Role};

/// How kernels share the columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sharing {
    /// Groups of so many kernels own disjoint columns.
    Groups(usize),
    /// Every kernel has at most so many coefficients in a subvector, whatever the others do.
    Nonzeros(usize),
    /// Every kernel may use every column.
    Dense,
}

/// How the first coefficients of a grouped network are found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Start {
    /// The kernels of a group compete from the beginning.
    Joint,
    /// Every kernel is fitted on its own; then the winner of a column takes it.
    Ordinary,
}

/// What the coefficients may be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Coding {
    /// Integers that a coefficient can be.
    pub code: CoefficientCode,
    /// How kernels share the columns.
    pub sharing: Sharing,
    /// How the first coefficients are found.
    pub start: Start,
    /// Bits of the activations between layers.
    pub activation_bits: usize,
}

/// Scale of a kernel without coefficients: its logarithm must be finite.
pub(crate) const SCALE_MIN: f64 = 1e-12;

/// Smallest number of nonzeros that the ordinary fit of a grouped network is given, as a share of the columns: one quarter.
const ORDINARY_SHARE: usize = 4;

/// The model that computes with coefficients, fitted to `weights`; activation scales are measured on `images`.
///
/// # Errors
/// Network, weights or images don't fit together.
pub fn fitted_model(
    network: &Network,
    weights: &Weights,
    images: &[Vec<i32>],
    config: &ChipConfig,
    coding: Coding,
    device: &Device,
) -> Result<(Model, Vec<Parameter>), Error> {
    let float = FloatNetwork::new(network, weights)?;
    let codes = calibrate::codes(network, &float, images, coding.activation_bits)?;
    let basis = Basis::hadamard(config);
    let (mut model, mut parameters) = (float_layers(network)?, Vec::new());
    let last = model.layers.len() - 1;
    for (index, (layer, weights)) in model.layers.iter_mut().zip(&weights.layers).enumerate() {
        let (kernels, depth) = (layer.shape.kernels, layer.shape.depth());
        let cut = Subvectors::new(depth, basis.rows);
        let limit = match coding.sharing {
            Sharing::Groups(size) => Limit::Groups(pursuit::groups(kernels, size, config.tiles())),
            Sharing::Nonzeros(most) => Limit::Nonzeros(most),
            Sharing::Dense => Limit::Dense,
        };
        let rule = Rule { kernels, subvectors: cut.count, columns: basis.columns, code: coding.code, limit };
        let found = first_fit(&Target::new(&weights.weight, depth), &basis, &rule, coding.start);
        layer.weight = parameters.len();
        layer.bias = parameters.len() + 1;
        let log_scale = parameters.len() + 2;
        let logs = found.fit.scale.iter().map(|scale| scale.max(SCALE_MIN).ln() as f32).collect();
        let name = |suffix: &str| format!("{}.{suffix}", layer.name);
        parameters.push(Parameter::new(name("latents"), Role::Latent, found.latents(), device));
        parameters.push(Parameter::new(name("bias"), Role::PerKernel, weights.bias.clone(), device));
        parameters.push(Parameter::new(name("log_scale"), Role::PerKernel, logs, device));
        let raw = index == last && !layer.relu;
        let (input, output) = (codes[index], (!raw).then_some(codes[index + 1]));
        layer.basis = Some(BasisLayer { log_scale, rule, cut, input, output, gain: 0, tiles: vec![0; kernels] });
    }
    Ok((model, parameters))
}

/// The levels that the basis asks for.
pub fn ideal_levels(config: &ChipConfig) -> Levels {
    let basis = Basis::hadamard(config);
    let values = basis.levels.iter().map(|&level| f32::from(level)).collect();
    Levels { rows: basis.rows, columns: basis.columns, values }
}

fn first_fit(target: &Target, basis: &Basis, rule: &Rule, start: Start) -> Pursuit {
    match (&rule.limit, start) {
        (Limit::Groups(groups), Start::Joint) => pursuit::grouped(target, basis, groups, rule.code, None),
        (Limit::Groups(groups), Start::Ordinary) => {
            let alone = pursuit::plain(target, basis, rule.code, (basis.columns / ORDINARY_SHARE).max(1));
            pursuit::winner_take_all(target, basis, groups, rule.code, &alone)
        }
        (Limit::Nonzeros(most), _) => pursuit::plain(target, basis, rule.code, *most),
        (Limit::Dense, _) => pursuit::plain(target, basis, rule.code, basis.columns),
    }
}

/// The layers of `network`; their parameters are to be set.
fn float_layers(network: &Network) -> Result<Model, Error> {
    Ok(Model::float(network, &mut rand::SeedableRng::seed_from_u64(0), &Device::flex())?.0)
}

/// What the integers of the network's input mean.
pub fn input_code(network: &Network) -> Code {
    Code { scale: network.input.scale, bits: network.input.bits as usize, signed: network.input.signed }
}
