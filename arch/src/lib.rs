//! The single source of what the chip is.

mod shape;

pub use shape::{ConvShape, Subvectors};
