//! Float training of a network description on labelled images, on the CPU.
//!
//! | module | what |
//! |---|---|
//! | [`data`] | split off validation images, shift, scale, batch |
//! | [`model`] | the network that a description asks for |
//! | [`train`] | AdamW with a cosine schedule, judged once by the held-out images |
//! | [`weights`] | the trained numbers, and their safetensors file |

pub mod data;
mod error;
pub mod model;
pub mod train;
pub mod weights;

pub use error::Error;
