//! What can go wrong when generated RTL runs.

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
