//! The options of the command line.

use std::path::PathBuf;
use std::sync::Arc;

use basisn_compiler::Dataset;
use basisn_compiler::coefficient::CoefficientCode;
use basisn_models::rram::MacroModel;
use basisn_train::Error;
use basisn_train::backend::Backend;
use basisn_train::basis_model::{Coding, Sharing, Start};
use basisn_train::data::Augmentation;
use basisn_train::options::{Keep, Options, Schedule};
use basisn_train::parameter::OptimizerKind;
use basisn_train::penalty::Penalties;
use basisn_train::plan::{Choice, Plan, coefficient_code};
use basisn_train::train::BasisOptions;
use clap::Parser;

/// Trains a network on labelled images: float weights, or coefficients of the global basis.
///
/// Without --from the result is float weights. With --from it is a fitted network: coefficients that start from those float weights,
/// and with --groups own disjoint columns, so that the kernels of a group run side by side.
///
/// The held-out images (test.npy) are looked at once, after the last epoch. A seed fixes every bit of the result. Every epoch writes a
/// checkpoint, Ctrl-C keeps the last one, and --resume goes on as if nothing had happened.
#[derive(Parser)]
#[command(
    name = "basisn-train",
    version,
    after_help = "Examples:\n  basisn-train --network examples/digits/network.toml --data examples/digits --out weights.safetensors\n  \
                  basisn-train --network examples/digits/network.toml --data examples/digits --from weights.safetensors \\\n      \
                  --coefficients ternary --groups 4 --out fitted.safetensors --report training.html"
)]
pub struct Arguments {
    /// Network description, TOML; a built-in network such as resnet20-cifar10; or a built-in architecture, such as resnet20, for the images and
    /// classes of the data
    #[arg(long, value_name = "FILE|NAME")]
    pub network: String,
    /// Images, labels and split: a folder as examples/digits (.npy); a folder of CIFAR-10 or CIFAR-100 .bin files, or of MNIST's IDX files; a
    /// folder of train and val or test, each with a folder of JPEG or PNG files for each class; synthetic:CLASSES:IMAGES:SEED, drawn. Where
    /// there is no split, every fifth image of a class is held out
    #[arg(long, value_name = "DATA")]
    pub data: String,
    /// File to write: weights, or with --from a fitted network; an older one is replaced when training has succeeded
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
    /// Float weights to start from, and to learn from: train coefficients
    #[arg(long, value_name = "FILE", help_heading = "Coefficients")]
    pub from: Option<PathBuf>,
    /// Chip: a TOML file, or a preset
    #[arg(long, default_value = "digits", requires = "from", help_heading = "Coefficients")]
    pub config: String,
    /// Form: ternary, or sptJ (a signed power of two) or csdJ (canonical signed digits) of J planes
    #[arg(long, default_value = "ternary", value_parser = coefficient_code, requires = "from", help_heading = "Coefficients")]
    pub coefficients: CoefficientCode,
    /// Kernels of a group, which own disjoint columns
    #[arg(long, value_name = "G", requires = "from", conflicts_with = "nonzeros", help_heading = "Coefficients")]
    pub groups: Option<usize>,
    /// Groups and coefficients of single layers: a TOML file with a table for each layer, such as [conv1] groups = 2 coefficients = "csd2"
    #[arg(long, value_name = "FILE", requires = "from", help_heading = "Coefficients")]
    pub plan: Option<PathBuf>,
    /// Search groups and planes of every layer that take at most so many clock cycles an image
    #[arg(long, value_name = "CYCLES", requires = "from", conflicts_with_all = ["plan", "fitted", "nonzeros"], help_heading = "Search")]
    pub target_cycles: Option<u64>,
    /// Search groups and planes of every layer that take the fewest cycles at this accuracy on validation images, 0..1, in short trainings
    #[arg(long, value_name = "SHARE", requires = "from", conflicts_with_all = ["plan", "fitted", "nonzeros", "target_cycles"], help_heading = "Search")]
    pub target_accuracy: Option<f64>,
    /// Epochs of a short training
    #[arg(long, value_name = "EPOCHS", default_value_t = 5, requires = "target_accuracy", help_heading = "Search")]
    pub search_epochs: usize,
    /// File for the plan that was found, as --plan reads it
    #[arg(long, value_name = "FILE", requires = "from", help_heading = "Search")]
    pub save_plan: Option<PathBuf>,
    /// File for what the search measured: cycles and loss by layer and choice, CSV
    #[arg(long, value_name = "FILE", requires = "from", help_heading = "Search")]
    pub save_sensitivity: Option<PathBuf>,
    /// Without groups: coefficients of a kernel in a subvector that are not zero, at most
    #[arg(long, value_name = "COUNT", requires = "from", help_heading = "Coefficients")]
    pub nonzeros: Option<usize>,
    /// First coefficients of groups: joint pursuit, an ordinary fit, or one whose contested columns went to a winner
    #[arg(long, value_enum, default_value_t = Start::Joint, requires = "from", help_heading = "Coefficients")]
    pub start: Start,
    /// Bits of the activations between layers, 2 to the chip's input bits
    #[arg(long, default_value_t = 8, requires = "from", help_heading = "Coefficients")]
    pub activation_bits: usize,
    /// Share of the loss that the float network's scores decide, 0..1 [default: 0.5]
    #[arg(long, requires = "from", help_heading = "Coefficients")]
    pub distill: Option<f64>,
    /// Weight of a term against contests: products of what kernels that compete want of a column [default: 0]
    #[arg(long, value_name = "WEIGHT", requires = "from", help_heading = "Coefficients")]
    pub contest_penalty: Option<f64>,
    /// Weight of a term against unevenly loaded columns [default: 0]
    #[arg(long, value_name = "WEIGHT", requires = "from", help_heading = "Coefficients")]
    pub load_penalty: Option<f64>,
    /// Weight of the absolute values of the latents [default: 0]
    #[arg(long, value_name = "WEIGHT", requires = "from", help_heading = "Coefficients")]
    pub l1_penalty: Option<f64>,
    /// Last epochs with the ADC in the loop [default: 4]
    #[arg(long, requires = "from", help_heading = "Coefficients")]
    pub adc_epochs: Option<usize>,
    /// Error of a cell that training sees, as a share of full scale [default: 0]
    #[arg(long, value_name = "SHARE", requires = "from", help_heading = "Coefficients")]
    pub cell_error: Option<f64>,
    /// Train the cells of the basis, and nothing else, in every so many epochs; the chip is then written for this network
    #[arg(long, value_name = "EPOCHS", requires = "from", conflicts_with = "refit_on", value_parser = clap::value_parser!(u16).range(2..), help_heading = "Coefficients")]
    pub learn_basis: Option<u16>,
    /// Macro model (preset or TOML file) whose errors training sees: in every step the cells of a fresh chip, and with the ADC in the loop the
    /// noise of its reads and the errors of its ADCs
    #[arg(long = "macro", value_name = "MODEL", requires = "from", conflicts_with_all = ["cell_error", "refit_on"], help_heading = "Chips")]
    pub macro_model: Option<String>,
    /// Fitted network to go on from, instead of fitting the float weights
    #[arg(long, value_name = "FILE", requires = "from", help_heading = "Coefficients")]
    pub fitted: Option<PathBuf>,
    /// Train for one chip: a macro model (preset or TOML file); the levels are read back from the chip that --chip names
    #[arg(long, value_name = "MODEL", requires = "from", help_heading = "Chips")]
    pub refit_on: Option<String>,
    /// Seed of that chip
    #[arg(long, value_name = "SEED", default_value_t = 0, requires = "refit_on", help_heading = "Chips")]
    pub chip: u64,
    /// Macro model (preset or TOML file) to test the result on; may be repeated
    #[arg(long, value_name = "MODEL", requires = "from", help_heading = "Chips")]
    pub test_on: Vec<String>,
    /// Chips of each of them; with --refit-on it is the one that --chip names
    #[arg(long, value_name = "COUNT", default_value_t = 8, requires = "test_on", help_heading = "Chips")]
    pub draws: u64,
    /// Compare predictions with the golden reference after every epoch, not only at the end
    #[arg(long, requires = "from", help_heading = "Coefficients")]
    pub golden_every_epoch: bool,
    /// Passes over the training images [default: 70, coefficients 60]
    #[arg(long)]
    pub epochs: Option<usize>,
    /// Images of one step
    #[arg(long, default_value_t = Options::float().batch)]
    pub batch: usize,
    /// How a step changes the parameters: adam-w, or sgd with momentum 0.9
    #[arg(long, value_enum, default_value_t = OptimizerKind::AdamW)]
    pub optimizer: OptimizerKind,
    /// Largest learning rate of weights or latents [default: 3e-3, latents 0.05]
    #[arg(long)]
    pub learning_rate: Option<f64>,
    /// Largest learning rate of scales and biases [default: that of the weights, coefficients 1e-3]
    #[arg(long)]
    pub scale_learning_rate: Option<f64>,
    /// How the learning rate moves
    #[arg(long, value_enum, default_value_t = Schedule::Cosine)]
    pub schedule: Schedule,
    /// Epochs in which the learning rate rises from zero
    #[arg(long, default_value_t = 0)]
    pub warm_up: usize,
    /// Weight decay [default: 0.01, coefficients 0]
    #[arg(long)]
    pub weight_decay: Option<f32>,
    /// Target probability that is spread evenly over all classes
    #[arg(long, default_value_t = Options::float().label_smoothing)]
    pub label_smoothing: f32,
    /// Pixels that a training image is moved by at most, in each direction [default: pictures an eighth of their height, MNIST 2, arrays 1, and
    /// 0 for coefficients]
    #[arg(long, value_name = "PIXELS")]
    pub shift: Option<u8>,
    /// Show every second training image mirrored [default: pictures only]
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true")]
    pub flip: Option<bool>,
    /// Share of the training images that is only watched, 0 for none
    #[arg(long, default_value_t = Options::float().validation_share)]
    pub validation_share: f64,
    /// Stop after so many epochs without a better validation
    #[arg(long, value_name = "EPOCHS")]
    pub patience: Option<usize>,
    /// The epoch that counts: the best on the validation images, or the last one
    #[arg(long, value_enum, default_value_t = Options::float().keep)]
    pub keep: Keep,
    /// Fixes the initial weights, the validation images, the order and the shifts
    #[arg(long, default_value_t = Options::float().seed)]
    pub seed: u64,
    /// What computes
    #[arg(long, value_enum, default_value_t = Backend::Cpu)]
    pub backend: Backend,
    /// Checkpoint of the last whole epoch [default: the output file with .checkpoint after its name]; removed at the end
    #[arg(long, value_name = "FILE")]
    pub checkpoint: Option<PathBuf>,
    /// Go on from the checkpoint
    #[arg(long)]
    pub resume: bool,
    /// Log of the epochs, rewritten after each: .csv or .json
    #[arg(long, value_name = "FILE")]
    pub log: Option<PathBuf>,
    /// Report page to write, HTML
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,
    /// Print the result as JSON
    #[arg(long)]
    pub json: bool,
}

impl Arguments {
    /// Settings of the training.
    pub fn options(&self, dataset: &Dataset) -> Options {
        let customary = Augmentation::customary(dataset, self.from.is_some());
        let default = if self.from.is_some() { Options::basis() } else { Options::float() };
        Options {
            epochs: self.epochs.unwrap_or(default.epochs),
            batch: self.batch,
            optimizer: self.optimizer,
            learning_rate: self.learning_rate.unwrap_or(default.learning_rate),
            scale_learning_rate: self.scale_learning_rate.or(default.scale_learning_rate),
            schedule: self.schedule,
            warm_up: self.warm_up,
            weight_decay: self.weight_decay.unwrap_or(default.weight_decay),
            label_smoothing: self.label_smoothing,
            shift: self.shift.unwrap_or(customary.shift),
            flip: self.flip.unwrap_or(customary.flip),
            validation_share: self.validation_share,
            patience: self.patience,
            keep: self.keep,
            seed: self.seed,
            backend: self.backend,
        }
    }

    /// Settings of the coefficients.
    ///
    /// # Errors
    /// The plan is refused.
    pub fn basis_options(&self) -> Result<BasisOptions, Error> {
        let sharing = match (self.groups, self.nonzeros) {
            (Some(size), _) => Sharing::Groups(size),
            (None, Some(most)) => Sharing::Nonzeros(most),
            (None, None) => Sharing::Dense,
        };
        let choice = Choice { code: self.coefficients, sharing };
        let plan = self.plan.as_ref().map_or(Ok(Plan::default()), |path| Plan::load(path, choice))?;
        let coding = Coding { choice, plan, start: self.start, activation_bits: self.activation_bits };
        let mut basis = BasisOptions::new(coding);
        basis.distillation.share = self.distill.unwrap_or(basis.distillation.share);
        basis.adc_epochs = self.adc_epochs.unwrap_or(basis.adc_epochs);
        basis.cell_error = self.cell_error.unwrap_or(basis.cell_error);
        basis.basis_every = self.learn_basis.map(usize::from);
        basis.chips = self.macro_model.as_deref().map(MacroModel::load).transpose()?.map(Arc::new);
        let [contest, load, l1] =
            [self.contest_penalty, self.load_penalty, self.l1_penalty].map(Option::unwrap_or_default);
        basis.penalties = Penalties { contest, load, l1 };
        Ok(basis)
    }

    /// Seeds of the chips to test on.
    pub fn test_chips(&self) -> std::ops::Range<u64> {
        if self.refit_on.is_some() { self.chip..self.chip + 1 } else { 0..self.draws }
    }

    /// Where the checkpoint is.
    pub fn checkpoint(&self) -> PathBuf {
        self.checkpoint.clone().unwrap_or_else(|| {
            let mut name = self.out.clone().into_os_string();
            name.push(".checkpoint");
            name.into()
        })
    }
}
