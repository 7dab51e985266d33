//! Training of a network on labelled images: in floating point, then as coefficients of the basis whose kernels own disjoint columns.
//!
//! | module | what |
//! |---|---|
//! | [`data`] | split off validation images, shift, scale, batch |
//! | [`model`], [`parameter`] | the network as a function of its parameters |
//! | [`basis_model`], [`coefficients`] | from float weights to coefficients, and from latents to the columns a kernel owns |
//! | [`adc`], [`noise`], [`chip`] | the chip in the loop: codes of the ADC, cells that are off, a chip that was measured |
//! | [`loss`], [`options`], [`train`] | what is made small, the settings, the loop |
//! | [`checkpoint`], [`files`] | stop and go on |
//! | [`export`](mod@export), [`agreement`], [`report`] | weights or a fitted network, compared with the golden reference, and how it came about |

pub mod adc;
pub mod agreement;
pub mod basis_model;
pub mod checkpoint;
pub mod chip;
pub mod coefficients;
pub mod data;
mod error;
pub mod export;
pub mod files;
pub mod loss;
pub mod model;
pub mod noise;
pub mod options;
pub mod parameter;
pub mod report;
pub mod train;

pub use error::Error;
