//! What can go wrong between a trained network and its program image.

use std::path::Path;

/// Every message has the form: what, at, cause, fix.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file cannot be read.
    #[error("cannot read a file\n  at:    {at}\n  cause: {cause}\n  fix:   check the path and its permissions")]
    Read {
        /// Path.
        at: String,
        /// The system's message.
        cause: String,
    },
    /// The network description is wrong.
    #[error(
        "the network description cannot be used\n  at:    {at}\n  cause: {cause}\n  fix:   correct the description; examples/digits/network.toml is an example"
    )]
    Network {
        /// Path.
        at: String,
        /// What does not fit.
        cause: String,
    },
    /// The ONNX model cannot be imported.
    #[error("the ONNX model cannot be imported\n  at:    {at}\n  cause: {cause}\n  fix:   {fix}")]
    Onnx {
        /// Path.
        at: String,
        /// What is wrong; every node that is not supported.
        cause: String,
        /// What to change.
        fix: String,
    },
    /// The labelled images or their split are wrong.
    #[error(
        "the dataset cannot be used\n  at:    {at}\n  cause: {cause}\n  fix:   correct the file; examples/digits/README.md describes the four files"
    )]
    Dataset {
        /// Path.
        at: String,
        /// What does not fit.
        cause: String,
    },
    /// The trained weights are wrong.
    #[error("the weights cannot be used\n  at:    {at}\n  cause: {cause}\n  fix:   {fix}")]
    Weights {
        /// File and tensor.
        at: String,
        /// What is wrong.
        cause: String,
        /// What to change.
        fix: String,
    },
    /// The images to calibrate with are wrong.
    #[error("the calibration images cannot be used\n  at:    {at}\n  cause: {cause}\n  fix:   {fix}")]
    Calibration {
        /// Image or layer.
        at: String,
        /// What is wrong.
        cause: String,
        /// What to change.
        fix: String,
    },
    /// The fitted network is damaged.
    #[error("the fitted network cannot be used\n  at:    {at}\n  cause: {cause}\n  fix:   fit the network again")]
    Fitted {
        /// Layer.
        at: String,
        /// What is wrong.
        cause: String,
    },
    /// The options of a fit are wrong.
    #[error("the network cannot be fitted like this\n  at:    {at}\n  cause: {cause}\n  fix:   {fix}")]
    Fit {
        /// Layer or option.
        at: String,
        /// What is wrong.
        cause: String,
        /// What to change.
        fix: String,
    },
    /// The network does not fit the chip.
    #[error("the network does not fit the chip\n  at:    {at}\n  cause: {cause}\n  fix:   {fix}")]
    Chip {
        /// Layer.
        at: String,
        /// The limit, and what was needed.
        cause: String,
        /// What would help.
        fix: String,
    },
    /// The chip or the program image is refused.
    #[error(transparent)]
    Arch(#[from] basisn_arch::Error),
}

impl Error {
    /// A file that cannot be read.
    pub fn read(path: &Path, cause: &dyn std::fmt::Display) -> Self {
        Error::Read { at: path.display().to_string(), cause: cause.to_string() }
    }

    /// A dataset file that cannot be used.
    pub(crate) fn dataset(path: &Path, cause: String) -> Self {
        Error::Dataset { at: path.display().to_string(), cause }
    }

    pub(crate) fn weights(at: impl Into<String>, cause: impl Into<String>, fix: impl Into<String>) -> Self {
        Error::Weights { at: at.into(), cause: cause.into(), fix: fix.into() }
    }

    pub(crate) fn calibration(at: impl Into<String>, cause: impl Into<String>, fix: impl Into<String>) -> Self {
        Error::Calibration { at: at.into(), cause: cause.into(), fix: fix.into() }
    }

    pub(crate) fn fit(at: impl Into<String>, cause: impl Into<String>, fix: impl Into<String>) -> Self {
        Error::Fit { at: at.into(), cause: cause.into(), fix: fix.into() }
    }

    pub(crate) fn chip(at: impl Into<String>, cause: impl Into<String>, fix: impl Into<String>) -> Self {
        Error::Chip { at: at.into(), cause: cause.into(), fix: fix.into() }
    }
}
