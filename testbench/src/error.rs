//! What can go wrong when generated RTL runs.

use basisn_arch::registers::ErrorCode;

/// A failed simulation. Messages have the form: what, at, cause, fix.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Configuration or program image.
    #[error(transparent)]
    Arch(#[from] basisn_arch::Error),
    /// Golden reference or macro model.
    #[error(transparent)]
    Models(#[from] basisn_models::Error),
    /// Generator.
    #[error(transparent)]
    Hdl(#[from] basisn_hdl::Error),
    /// Building or running the Verilated model.
    #[error(transparent)]
    Verilated(#[from] verilated::Error),
    /// The core stopped taking and giving data.
    #[error(
        "the core hangs\n  at:    {at}\n  cause: no transfer on any stream for {cycles} cycles; {state}\n  fix:   look at a trace (--trace), or report it with the program image"
    )]
    Hang {
        /// Layer and cycle.
        at: String,
        /// Cycles without a transfer.
        cycles: u64,
        /// What was done so far.
        state: String,
    },
    /// The core broke a rule of its interfaces.
    #[error(
        "the core breaks a rule of its interface\n  at:    {at}\n  cause: {cause}\n  fix:   look at a trace (--trace); docs/hardware.md has the rules"
    )]
    Protocol {
        /// Layer and cycle.
        at: String,
        /// The rule.
        cause: String,
    },
    /// The core stopped a layer, because of an error or because it was told to.
    #[error("{}", stopped(.at, *.code, *.place, *.results))]
    Stopped {
        /// Layer and cycle.
        at: String,
        /// The error; none if the host cleared the core in the middle of the layer.
        code: Option<ErrorCode>,
        /// The `place` field of ERROR.
        place: u8,
        /// Results that came before.
        results: usize,
    },
    /// A simulator other than Verilator failed.
    #[error("the simulator failed\n  at:    {at}\n  cause: {cause}\n  fix:   {fix}")]
    Simulator {
        /// Program.
        at: String,
        /// Its output.
        cause: String,
        /// What to do.
        fix: String,
    },
}

fn stopped(at: &str, code: Option<ErrorCode>, place: u8, results: usize) -> String {
    let cause = match code {
        Some(code) => format!("{} ({}, place {place})", code.meaning(), code.name()),
        None => "the host cleared the core".to_string(),
    };
    format!(
        "the core stopped the layer\n  at:    {at}, after {results} results\n  cause: {cause}\n  fix:   \
         correct what the host sends; clear the core before the next layer"
    )
}
