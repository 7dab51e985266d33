//! From a float network to one whose weights are coefficients of the basis: where BasisN training starts.

use basisn_arch::{ChipConfig, Step, StepOp, Subvectors, Window};
use basisn_compiler as compiler;
use basisn_compiler::Fitted;
use basisn_compiler::basis::Basis;
use basisn_compiler::fit::pursuit::{self, Pursuit};
use basisn_compiler::fit::{FitOptions, Target};
use burn::tensor::Device;

use crate::Error;
use crate::adc::Levels;
use crate::coefficients::{Limit, Rule};
use crate::model::{BasisLayer, Layer, Model, Node, Op};
use crate::parameter::{Parameter, Role};
use crate::plan::{Choice, Plan};

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
    /// Every kernel is fitted on its own, to all columns, and training's winner-take-all begins with what it finds: all contests.
    Ordinary,
    /// Every kernel is fitted on its own, to a quarter of the columns; the column goes to the kernel that it serves best, and what is left is fitted again.
    Repaired,
}

/// What the coefficients may be.
#[derive(Clone, Debug, PartialEq)]
pub struct Coding {
    /// What the coefficients of a layer may be, unless the plan says otherwise.
    pub choice: Choice,
    /// Layers with a choice of their own.
    pub plan: Plan,
    /// How the first coefficients are found.
    pub start: Start,
    /// Bits of the activations between layers.
    pub activation_bits: usize,
}

/// Scale of a kernel without coefficients: its logarithm must be finite.
pub(crate) const SCALE_MIN: f64 = 1e-12;

/// Share of the columns that a kernel may use in a fit whose contested columns go to a winner: one quarter.
const REPAIRED_SHARE: usize = 4;

/// The model that computes with coefficients, its first parameters fitted to the weights of `float`, whose batch norms are folded, and the
/// fitted network whose scales it has: activation scales are measured on `images`.
///
/// # Errors
/// Network or images don't fit together, or not onto the chip.
pub fn fitted_model(
    float: &compiler::Model,
    images: &[Vec<i32>],
    config: &ChipConfig,
    coding: &Coding,
    device: &Device,
) -> Result<(Model, Vec<Parameter>, Fitted), Error> {
    let options = FitOptions { activation_bits: Some(coding.activation_bits), ..FitOptions::grouped(1, 1) };
    let template = compiler::compile::fit(float, images, config, &options)?;
    if let Some(unknown) = coding.plan.layers().find(|name| template.layers.iter().all(|layer| layer.name != *name)) {
        let names: Vec<&str> = template.layers.iter().map(|layer| layer.name.as_str()).collect();
        let cause = format!("the network has no layer {unknown}; it has {}", names.join(", "));
        return Err(Error::Plan { at: "--plan".into(), cause });
    }
    let basis = Basis::hadamard(config);
    let (mut layers, mut parameters) = (Vec::new(), Vec::new());
    for fitted in &template.layers {
        let (kernels, depth) = (fitted.shape.kernels, fitted.shape.depth());
        let cut = Subvectors::new(depth, basis.rows);
        let Choice { code, sharing } = coding.plan.of(&fitted.name).unwrap_or(coding.choice);
        let (limit, compete) = match sharing {
            Sharing::Groups(size) => {
                let groups = pursuit::groups(kernels, size, config.tiles());
                (Limit::Groups(groups.clone()), groups)
            }
            Sharing::Nonzeros(most) => (Limit::Nonzeros(most), pursuit::groups(kernels, kernels, config.tiles())),
            Sharing::Dense => (Limit::Dense, pursuit::groups(kernels, kernels, config.tiles())),
        };
        let rule = Rule { kernels, subvectors: cut.count, columns: basis.columns, code, limit };
        let weight = float.parameters.values(&fitted.name, "weight");
        let found = first_fit(&Target::new(weight, depth), &basis, &rule, coding.start);
        let place = parameters.len();
        let logs = found.fit.scale.iter().map(|scale| scale.max(SCALE_MIN).ln() as f32).collect();
        let bias = fitted.bias.iter().map(|&bias| bias as f32).collect();
        let name = |suffix: &str| format!("{}.{suffix}", fitted.name);
        parameters.push(Parameter::new(name("latents"), Role::Latent, found.latents(), device));
        parameters.push(Parameter::new(name("bias"), Role::PerKernel, bias, device));
        parameters.push(Parameter::new(name("log_scale"), Role::PerKernel, logs, device));
        let (input, output, range) = (fitted.input, fitted.output, fitted.range);
        let (log_scale, tiles) = (place + 2, vec![0; kernels]);
        let basis = Some(BasisLayer { log_scale, rule, compete, cut, input, output, range, gain: 0, tiles });
        let shape = fitted.shape;
        let linear = shape.window == Window::covering(shape.in_height, shape.in_width);
        layers.push(Layer { name: fitted.name.clone(), shape, linear, weight: place, bias: Some(place + 1), basis });
    }
    let node = |step: &Step| {
        let op = match &step.op {
            StepOp::Matrix { first, .. } => Op::Layer(*first),
            op => Op::Integer(op.clone()),
        };
        Node { op, inputs: step.inputs.clone() }
    };
    let (nodes, classes) = (template.steps.iter().map(node).collect(), float.graph.output_shape().channels);
    Ok((Model { nodes, layers, classes }, parameters, template))
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
        (Limit::Groups(_), Start::Ordinary) => pursuit::plain(target, basis, rule.code, basis.columns),
        (Limit::Groups(groups), Start::Repaired) => {
            let alone = pursuit::plain(target, basis, rule.code, (basis.columns / REPAIRED_SHARE).max(1));
            pursuit::winner_take_all(target, basis, groups, rule.code, &alone)
        }
        (Limit::Nonzeros(most), _) => pursuit::plain(target, basis, rule.code, *most),
        (Limit::Dense, _) => pursuit::plain(target, basis, rule.code, basis.columns),
    }
}
