//! What can go wrong between Verilog sources and a running model.

/// Every message has the form: what, at, cause, fix.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Verilator or the C++ compiler cannot be started.
    #[error("cannot run {tool}\n  at:    {at}\n  cause: {cause}\n  fix:   {fix}")]
    Tool {
        /// `Verilator` or `the C++ compiler`.
        tool: &'static str,
        /// The path or name that was tried.
        at: String,
        /// The system's or the tool's message.
        cause: String,
        /// How to install it or where to point to it.
        fix: &'static str,
    },
    /// A source cannot be read, or cannot be written under its name.
    #[error("cannot use a Verilog source\n  at:    {at}\n  cause: {cause}\n  fix:   {fix}")]
    Source {
        /// Path or name of the source.
        at: String,
        /// What is wrong.
        cause: String,
        /// What to do.
        fix: &'static str,
    },
    /// Verilator refuses the sources: a syntax error, or a warning, which counts as an error.
    #[error(
        "Verilator refuses the design\n  at:    top module {top}\n  cause: {output}\n  fix:   correct the source; where a warning is intended, say so in the source with /* verilator lint_off NAME */"
    )]
    Verilate {
        /// Top module.
        top: String,
        /// The first 40 lines of Verilator's messages.
        output: String,
    },
    /// The C++ compiler refuses the generated code or the shim source.
    #[error(
        "the C++ compiler refuses the model\n  at:    {at}\n  cause: {output}\n  fix:   correct the shim source where it is named; FST traces need the development files of zlib and lz4 (zlib1g-dev, liblz4-dev)"
    )]
    Compile {
        /// The file that was compiled, or `link`.
        at: String,
        /// The first 40 lines of the compiler's messages.
        output: String,
    },
    /// The cache folder cannot be used.
    #[error(
        "cannot use the cache of built models\n  at:    {at}\n  cause: {cause}\n  fix:   make the folder writable, or name another one by BASISN_CACHE or Build::cache_dir"
    )]
    Cache {
        /// Path.
        at: String,
        /// The system's message.
        cause: String,
    },
    /// The built library cannot be loaded, or lacks a symbol.
    #[error(
        "cannot load the built model\n  at:    {at}\n  cause: {cause}\n  fix:   delete this folder, so that it is built again; for a symbol of your own, declare it extern \"C\" in the shim source"
    )]
    Load {
        /// Path of the library.
        at: String,
        /// The loader's message.
        cause: String,
    },
    /// A port of a kind that has no handle.
    #[error(
        "this kind of port is not supported\n  at:    port declaration {at}\n  cause: unpacked arrays and non-integer types have no handle\n  fix:   flatten the port into one packed vector"
    )]
    PortKind {
        /// Verilator's declaration of the port.
        at: String,
    },
    /// No port has this name.
    #[error(
        "no such port: {name}\n  at:    module {top}\n  cause: {known}\n  fix:   use one of the module's port names; Build::clock names the clock, Build::no_clock says that there is none"
    )]
    UnknownPort {
        /// The name asked for.
        name: String,
        /// Top module.
        top: String,
        /// The closest names.
        known: String,
    },
    /// The port has another direction than the one asked for.
    #[error(
        "port {name} is an {is}\n  at:    module {top}\n  cause: it was asked for as an {wanted}\n  fix:   ask for it with {is}(..), or turn the port around"
    )]
    PortDirection {
        /// Port.
        name: String,
        /// Top module.
        top: String,
        /// Its direction.
        is: &'static str,
        /// The direction asked for.
        wanted: &'static str,
    },
    /// The port does not fit the handle asked for.
    #[error("port {name} is {width_bits} bits wide\n  at:    module {top}\n  cause: {cause}\n  fix:   {fix}")]
    PortWidth {
        /// Port.
        name: String,
        /// Top module.
        top: String,
        /// Its width.
        width_bits: u32,
        /// The limit that it breaks.
        cause: &'static str,
        /// What to do.
        fix: &'static str,
    },
    /// The design stopped itself: `$stop`, `$fatal`, a failed assertion, or logic that does not settle.
    #[error(
        "the design stopped\n  at:    cycle {cycle}\n  cause: {cause}\n  fix:   look at the named line; a trace of the cycles before shows the signals"
    )]
    Stopped {
        /// Cycles completed.
        cycle: u64,
        /// The design's message with file and line.
        cause: String,
    },
    /// A trace cannot be written.
    #[error("cannot write a trace\n  at:    {at}\n  cause: {cause}\n  fix:   {fix}")]
    Trace {
        /// Path.
        at: String,
        /// What is wrong.
        cause: String,
        /// What to do.
        fix: &'static str,
    },
}

/// Result with this crate's [`Error`].
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    pub(crate) fn cache(at: &std::path::Path, cause: &dyn std::fmt::Display) -> Self {
        Error::Cache { at: at.display().to_string(), cause: cause.to_string() }
    }
}

/// The first 40 lines of what a tool said, indented to stand below `cause:`.
pub(crate) fn first_lines(output: &str) -> String {
    const SHOWN: usize = 40;
    let mut lines: Vec<&str> = output.lines().filter(|line| !line.trim().is_empty()).collect();
    let hidden = lines.len().saturating_sub(SHOWN);
    lines.truncate(SHOWN);
    let mut text = lines.join("\n         ");
    if hidden > 0 {
        text.push_str(&format!("\n         ({hidden} more lines)"));
    }
    text
}

#[cfg(test)]
mod tests {
    #[test]
    fn long_output_is_cut_after_forty_lines() {
        let output: String = (0..50).map(|n| format!("line {n}\n")).collect();
        let shown = super::first_lines(&output);
        assert_eq!(shown.lines().count(), 41);
        assert!(shown.ends_with("line 39\n         (10 more lines)"), "{shown}");
    }
}
