//! What can be wrong with a configuration or a program image. Every message has the form: what, at, cause, fix.

/// A configuration or a program image that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The chip configuration cannot be used.
    #[error("the chip configuration cannot be used\n  at:    {at}\n  cause: {cause}\n  fix:   {fix}")]
    Config {
        /// File, and line or key.
        at: String,
        /// What is wrong.
        cause: String,
        /// What to change.
        fix: String,
    },
    /// The program image cannot be used.
    #[error("the program image cannot be used\n  at:    {at}\n  cause: {cause}\n  fix:   {fix}")]
    Image {
        /// Layer or tensor.
        at: String,
        /// What is wrong.
        cause: String,
        /// What to change.
        fix: String,
    },
}

impl Error {
    pub(crate) fn config(at: impl Into<String>, cause: impl Into<String>, fix: impl Into<String>) -> Self {
        Error::Config { at: at.into(), cause: cause.into(), fix: fix.into() }
    }

    pub(crate) fn image(at: impl Into<String>, cause: impl Into<String>, fix: impl Into<String>) -> Self {
        Error::Image { at: at.into(), cause: cause.into(), fix: fix.into() }
    }
}

impl From<crate::settings::Refusal> for Error {
    fn from(why: crate::settings::Refusal) -> Self {
        Error::Config { at: why.at, cause: why.cause, fix: why.fix }
    }
}
