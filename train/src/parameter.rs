//! The numbers that training changes, by name, each with its optimizer's memory.

use burn::optim::{AdamW, AdamWConfig, AdamWState, AdaptiveMomentumState, Optimizer};
use burn::tensor::{Device, Gradients, Tensor, TensorData};

use crate::Error;

/// What a parameter is, which decides how fast it is trained.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Float weights.
    Weight,
    /// Latents: what coefficients are rounded from, in coefficient steps.
    Latent,
    /// Everything that there is one of for every kernel: biases, logarithms of scales, gain and offset of batch norm.
    PerKernel,
    /// What the cells of the basis are rounded from, in levels.
    Cell,
    /// Running statistics of batch norm, which follow the images and not a gradient.
    Statistic,
}

/// A named array, flat, in C order.
#[derive(Clone, Debug)]
pub struct Parameter {
    /// `<layer>.weight`, `<layer>.bias` and so on: unique in a network.
    pub name: String,
    /// What it is.
    pub role: Role,
    /// Values, on a device without gradients.
    pub value: Tensor<1>,
    memory: Option<Memory>,
}

/// What the optimizer remembers of a parameter.
#[derive(Clone, Debug)]
struct Memory {
    /// Steps that it has seen.
    steps: usize,
    /// Running mean of the gradients; of gradient descent the velocity.
    mean: Tensor<1>,
    /// Running mean of their squares; Adam only.
    square: Option<Tensor<1>>,
}

/// A named flat array outside of the framework.
#[derive(Clone, Debug, PartialEq)]
pub struct NamedArray {
    /// Name.
    pub name: String,
    /// Values.
    pub values: Vec<f32>,
}

/// How a step changes the parameters.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum OptimizerKind {
    /// Adam with decoupled weight decay.
    AdamW,
    /// Gradient descent with momentum 0.9; weight decay is added to the gradient.
    Sgd,
}

/// Settings of one step for one parameter.
#[derive(Clone, Copy, Debug)]
pub struct StepSize {
    /// Learning rate.
    pub learning_rate: f64,
    /// Weight decay.
    pub weight_decay: f32,
}

const MOMENTUM: f64 = 0.9;
const EPSILON: f32 = 1e-8;

impl Parameter {
    /// A parameter that no optimizer has touched.
    pub fn new(name: String, role: Role, values: Vec<f32>, device: &Device) -> Self {
        let length = values.len();
        let value = Tensor::from_data(TensorData::new(values, [length]), device);
        Parameter { name, role, value, memory: None }
    }

    /// The values.
    ///
    /// # Errors
    /// The framework cannot read them back.
    pub fn values(&self) -> Result<Vec<f32>, Error> {
        read(self.value.clone(), "reading a parameter")
    }

    /// A copy whose gradient is kept.
    pub fn leaf(&self) -> Tensor<1> {
        self.value.clone().autodiff().require_grad()
    }

    /// Changes the values along `gradient`.
    pub fn step(&mut self, gradient: Tensor<1>, kind: OptimizerKind, size: StepSize) {
        let value = self.value.clone();
        match kind {
            OptimizerKind::AdamW => {
                let adam: AdamW = AdamWConfig::new().with_weight_decay(size.weight_decay).with_epsilon(EPSILON).build();
                let memory = self.memory.take().and_then(|Memory { steps, mean, square }| {
                    square.map(|square| AdamWState::new(AdaptiveMomentumState::new(steps, mean, square)))
                });
                let (value, state) = adam.step(size.learning_rate, value, gradient, memory);
                self.value = value;
                self.memory = state.map(|AdamWState { momentum }| Memory {
                    steps: momentum.time,
                    mean: momentum.moment_1,
                    square: Some(momentum.moment_2),
                });
            }
            OptimizerKind::Sgd => {
                let gradient = gradient + value.clone().mul_scalar(size.weight_decay);
                let (steps, velocity) = match self.memory.take() {
                    Some(Memory { steps, mean, .. }) => (steps + 1, mean.mul_scalar(MOMENTUM) + gradient),
                    None => (1, gradient),
                };
                self.value = value - velocity.clone().mul_scalar(size.learning_rate);
                self.memory = Some(Memory { steps, mean: velocity, square: None });
            }
        }
    }

    /// Values and memory as arrays, `name`, `name.mean` and `name.square`, and the steps done.
    ///
    /// # Errors
    /// The framework cannot read them back.
    pub fn state(&self) -> Result<(Vec<NamedArray>, usize), Error> {
        let array = |suffix: &str, tensor: &Tensor<1>| {
            let values = read(tensor.clone(), "reading the state of the optimizer")?;
            Ok::<_, Error>(NamedArray { name: format!("{}{suffix}", self.name), values })
        };
        let mut arrays = vec![array("", &self.value)?];
        let Some(Memory { steps, mean, square }) = &self.memory else { return Ok((arrays, 0)) };
        arrays.push(array(".mean", mean)?);
        if let Some(square) = square {
            arrays.push(array(".square", square)?);
        }
        Ok((arrays, *steps))
    }

    /// Takes back what [`Parameter::state`] gave; `find` gives an array by its name.
    pub fn restore(&mut self, steps: usize, find: impl Fn(&str) -> Option<Vec<f32>>) -> bool {
        let device = self.value.device();
        let length = self.value.dims()[0];
        let tensor = |suffix: &str| {
            let values = find(&format!("{}{suffix}", self.name)).filter(|values| values.len() == length)?;
            Some(Tensor::<1>::from_data(TensorData::new(values, [length]), &device))
        };
        let Some(value) = tensor("") else { return false };
        self.memory = tensor(".mean").map(|mean| Memory { steps, mean, square: tensor(".square") });
        self.value = value;
        true
    }
}

/// The gradient of a leaf; zeros if the loss does not depend on it.
pub fn gradient(leaf: &Tensor<1>, gradients: &mut Gradients) -> Tensor<1> {
    leaf.grad_remove(gradients).unwrap_or_else(|| leaf.clone().inner().zeros_like())
}

/// The values of a tensor, in C order; `at` says in errors what was done.
///
/// # Errors
/// The framework cannot read them back.
pub fn read<const D: usize>(tensor: Tensor<D>, at: &'static str) -> Result<Vec<f32>, Error> {
    tensor.into_data().try_into_vec::<f32>().map_err(|e| Error::Framework { at, cause: format!("{e:?}") })
}
