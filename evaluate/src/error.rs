//! What can be wrong with what an evaluation starts from. Every message has the form: what, at, cause, fix.

/// Constants or a workload that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A file of constants.
    #[error("the constants cannot be used\n  at:    {at}\n  cause: {cause}\n  fix:   {fix}")]
    Constants {
        /// File and key.
        at: String,
        /// What is wrong.
        cause: String,
        /// What to change.
        fix: String,
    },
    /// A network on a chip.
    #[error("the network cannot be evaluated on this chip\n  at:    {at}\n  cause: {cause}\n  fix:   {fix}")]
    Workload {
        /// Layer or option.
        at: String,
        /// What is wrong.
        cause: String,
        /// What to change.
        fix: String,
    },
    /// A report to compare.
    #[error("the report cannot be used\n  at:    {at}\n  cause: {cause}\n  fix:   {fix}")]
    Report {
        /// File.
        at: String,
        /// What is wrong.
        cause: String,
        /// What to change.
        fix: String,
    },
}

impl Error {
    pub(crate) fn constants(at: impl Into<String>, cause: impl Into<String>, fix: impl Into<String>) -> Self {
        Error::Constants { at: at.into(), cause: cause.into(), fix: fix.into() }
    }

    /// What the chip configuration or a program refuses.
    pub(crate) fn from_arch(error: &basisn_arch::Error) -> Self {
        match error {
            basisn_arch::Error::Config { at, cause, fix } | basisn_arch::Error::Image { at, cause, fix } => {
                Error::workload(at.clone(), cause.clone(), fix.clone())
            }
        }
    }

    pub(crate) fn workload(at: impl Into<String>, cause: impl Into<String>, fix: impl Into<String>) -> Self {
        Error::Workload { at: at.into(), cause: cause.into(), fix: fix.into() }
    }
}
