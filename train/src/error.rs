//! What can go wrong in training.

/// Every message has the form: what, at, cause, fix.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The network description or the dataset is refused.
    #[error(transparent)]
    Input(#[from] basisn_compiler::Error),
    /// The network is a valid description, but no classifier of these images can be trained from it.
    #[error(
        "the network cannot be trained\n  at:    {at}\n  cause: {cause}\n  fix:   end with a layer that gives one number for each class"
    )]
    Network {
        /// Layer.
        at: String,
        /// Why not.
        cause: String,
    },
    /// A setting of the training is out of range.
    #[error("training cannot start\n  at:    {at}\n  cause: {cause}\n  fix:   see basisn-train --help")]
    Options {
        /// The option.
        at: &'static str,
        /// Its value, and what is allowed.
        cause: String,
    },
    /// The program was built without what is to compute.
    #[error(
        "training cannot start\n  at:    --backend {feature}\n  cause: this program was built without it\n  fix:   cargo build --release --package basisn-train --features {feature}"
    )]
    Backend {
        /// The feature that is missing.
        feature: &'static str,
    },
    /// The loss is no number any more.
    #[error(
        "training diverged\n  at:    epoch {epoch}, batch {batch}, learning rate {learning_rate:.2e}\n  cause: the loss is {loss}\n  fix:   lower --learning-rate, and check the input scale of the network"
    )]
    Diverged {
        /// Epoch, from 1.
        epoch: usize,
        /// Batch of the epoch, from 1.
        batch: usize,
        /// Learning rate of that batch.
        learning_rate: f64,
        /// Infinite or not a number.
        loss: f64,
    },
    /// Ctrl-C.
    #[error("interrupted\n  at:    Ctrl-C\n  cause: {cause}\n  fix:   {fix}")]
    Interrupted {
        /// Where it was.
        cause: String,
        /// How to go on.
        fix: String,
    },
    /// Trained coefficients cannot be gone on from.
    #[error(
        "training cannot start from these coefficients\n  at:    {at}\n  cause: {cause}\n  fix:   give network, --coefficients, --groups and --nonzeros as they were trained"
    )]
    Start {
        /// Path.
        at: String,
        /// What does not fit.
        cause: String,
    },
    /// A plan of the layers is refused.
    #[error(
        "the plan of the layers cannot be used\n  at:    {at}\n  cause: {cause}\n  fix:   write a table for each layer, with groups = COUNT and coefficients = \"ternary\", \"sptJ\" or \"csdJ\""
    )]
    Plan {
        /// Path.
        at: String,
        /// What is wrong with it.
        cause: String,
    },
    /// A checkpoint cannot be used.
    #[error(
        "training cannot go on\n  at:    {at}\n  cause: {cause}\n  fix:   give the settings that it was begun with, or begin again without --resume"
    )]
    Checkpoint {
        /// Path.
        at: String,
        /// What is wrong with it.
        cause: String,
    },
    /// The golden reference refuses the program.
    #[error(transparent)]
    Golden(#[from] basisn_models::Error),
    /// The chip configuration is refused.
    #[error(transparent)]
    Chip(#[from] basisn_arch::Error),
    /// The training framework failed.
    #[error("training failed\n  at:    {at}\n  cause: {cause}\n  fix:   free memory, or lower --batch")]
    Framework {
        /// Step.
        at: &'static str,
        /// The framework's message.
        cause: String,
    },
    /// A file cannot be written.
    #[error(
        "cannot write a file\n  at:    {at}\n  cause: {cause}\n  fix:   check the path, its permissions and the free space"
    )]
    Write {
        /// Path.
        at: String,
        /// The system's message.
        cause: String,
    },
}
