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
}

impl Error {
    /// A file that cannot be read.
    pub fn read(path: &Path, cause: &dyn std::fmt::Display) -> Self {
        Error::Read { at: path.display().to_string(), cause: cause.to_string() }
    }
}
