//! What can be wrong with a run of the models.

/// Every message has the form: what, at, cause, fix.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The program or the configuration is refused.
    #[error(transparent)]
    Program(#[from] basisn_arch::Error),
    /// The macro model is refused.
    #[error("the macro model is refused\n  at:    {at}\n  cause: {cause}\n  fix:   {fix}")]
    Macro {
        /// File and key.
        at: String,
        /// What is wrong.
        cause: String,
        /// What to do.
        fix: String,
    },
    /// The input has not the layer's size.
    #[error(
        "the input cannot be used\n  at:    layer {layer}\n  cause: {given} values given, {expected} expected\n  fix:   give one integer for each channel, row and column, in this order"
    )]
    InputLength {
        /// Name of the layer.
        layer: String,
        /// Values given.
        given: usize,
        /// Values that the layer takes.
        expected: usize,
    },
    /// An input integer is out of the layer's range.
    #[error(
        "the input cannot be used\n  at:    layer {layer}, value {index}\n  cause: {value} is not in {low}..{high}\n  fix:   quantize the input with the layer's scale and clamp it"
    )]
    InputRange {
        /// Name of the layer.
        layer: String,
        /// Index of the value.
        index: usize,
        /// The value.
        value: i64,
        /// Smallest value that the layer takes.
        low: i32,
        /// Largest value that the layer takes.
        high: i32,
    },
    /// The program has no such layer.
    #[error(
        "there is no such layer\n  at:    layer number {index}\n  cause: the program has {layers} layers\n  fix:   count layers from 0"
    )]
    NoLayer {
        /// The number asked for.
        index: usize,
        /// Layers of the program.
        layers: usize,
    },
}

impl From<basisn_arch::settings::Refusal> for Error {
    fn from(why: basisn_arch::settings::Refusal) -> Self {
        Error::Macro { at: why.at, cause: why.cause, fix: why.fix }
    }
}
