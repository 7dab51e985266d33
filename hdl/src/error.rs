//! What can go wrong between a chip configuration and its Verilog.

/// Every message has the form: what, at, cause, fix.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The constants of the hard blocks cannot be used.
    #[error(transparent)]
    Constants(#[from] basisn_arch::Error),
    /// Widths do not fit together.
    #[error(
        "widths do not match\n  at:    module {module}, {at}\n  cause: {cause}\n  fix:   extend or cut an operand explicitly"
    )]
    Width {
        /// Module name.
        module: String,
        /// Net or condition that uses the expression.
        at: String,
        /// Which operation, which widths.
        cause: String,
    },
    /// A name is not an identifier that every tool accepts, or means two things.
    #[error("a name cannot be used\n  at:    module {module}, {name}\n  cause: {cause}\n  fix:   choose another name")]
    Name {
        /// Module name.
        module: String,
        /// The name.
        name: String,
        /// What is wrong with it.
        cause: String,
    },
    /// A net is used in a way that is not combinational logic.
    #[error(
        "a net is not driven as combinational logic needs it\n  at:    module {module}, {net}\n  cause: {cause}\n  fix:   set all its bits on every path, before they are read"
    )]
    Driver {
        /// Module name.
        module: String,
        /// The net.
        net: String,
        /// What is missing.
        cause: String,
    },
    /// Two different modules have one name.
    #[error(
        "two different modules have the same name\n  at:    module {module}\n  cause: {cause}\n  fix:   put the parameters that differ into the module's name"
    )]
    Collision {
        /// Module name.
        module: String,
        /// What differs.
        cause: String,
    },
    /// Rust-HDL's own checks refuse the module.
    #[error(
        "Rust-HDL refuses a module\n  at:    module {module}\n  cause: {cause}\n  fix:   correct the module's connections"
    )]
    Check {
        /// Module name.
        module: String,
        /// The finding.
        cause: String,
    },
    /// Rust-HDL's text has a form that the emitter does not know.
    #[error(
        "the generated text has an unknown form\n  at:    module {module}, line: {line}\n  cause: {cause}\n  fix:   teach hdl/src/emit the form; it never guesses"
    )]
    Text {
        /// Module name.
        module: String,
        /// The line.
        line: String,
        /// What was expected.
        cause: String,
    },
}
