//! Everything that a command can fail with, and its exit code.

use std::path::Path;

/// A failed command. Messages have the form: what, at, cause, fix.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Configuration or program image.
    #[error(transparent)]
    Arch(#[from] basisn_arch::Error),
    /// Golden reference.
    #[error(transparent)]
    Models(#[from] basisn_models::Error),
    /// Network, weights, data, fit.
    #[error(transparent)]
    Compiler(#[from] basisn_compiler::Error),
    /// Constants, network on a chip.
    #[error(transparent)]
    Evaluate(#[from] basisn_evaluate::Error),
    /// Generator.
    #[error(transparent)]
    Hdl(#[from] basisn_hdl::Error),
    /// Simulation.
    #[error(transparent)]
    Testbench(#[from] basisn_testbench::Error),
    /// Verilator.
    #[error(transparent)]
    Verilated(#[from] verilated::Error),
    /// Output that cannot be written.
    #[error(
        "cannot write the output\n  at:    {at}\n  cause: {cause}\n  fix:   choose a folder that is writable and has room"
    )]
    Output {
        /// Path.
        at: String,
        /// The system's message.
        cause: String,
    },
    /// Input that cannot be used.
    #[error("the input cannot be used\n  at:    {at}\n  cause: {cause}\n  fix:   {fix}")]
    Input {
        /// File.
        at: String,
        /// What is wrong.
        cause: String,
        /// What to do.
        fix: String,
    },
    /// A program that belongs to BasisN is not there.
    #[error("a program is missing\n  at:    {at}\n  cause: {cause}\n  fix:   {fix}")]
    Program {
        /// Path or name.
        at: String,
        /// What is wrong.
        cause: String,
        /// What to do.
        fix: String,
    },
    /// RTL and golden reference differ.
    #[error(
        "RTL and golden reference differ\n  at:    {at}\n  cause: {count} of {values} values differ; the first: {first}\n  fix:   look at a trace of one image (basisn simulate --images 1 --trace wave.fst)"
    )]
    Mismatch {
        /// Command.
        at: String,
        /// Differing values.
        count: usize,
        /// Compared values.
        values: usize,
        /// The first mismatch.
        first: String,
    },
}

impl Error {
    /// Output that cannot be written.
    pub fn output(at: &Path, cause: &std::io::Error) -> Self {
        Error::Output { at: at.display().to_string(), cause: cause.to_string() }
    }

    /// 1 if the work failed, 2 if what was given cannot be used.
    pub fn exit_code(&self) -> u8 {
        match self {
            Error::Arch(_) | Error::Models(_) | Error::Compiler(_) | Error::Evaluate(_) | Error::Input { .. } => 2,
            _ => 1,
        }
    }
}
