//! From a trained network to a program image.

pub mod dataset;
mod error;
pub mod network;

pub use dataset::Dataset;
pub use error::Error;
pub use network::Network;
