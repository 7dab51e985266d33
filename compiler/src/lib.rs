//! From a trained network to a program image.

mod error;
pub mod network;

pub use error::Error;
pub use network::Network;
