//! Training of a network on labelled images: in floating point, then as coefficients of the basis whose kernels own disjoint columns.
//!
//! | module | what |
//! |---|---|
//! | [`data`] | split off validation images, shift, scale, batch |
//! | [`model`], [`parameter`] | the network as a function of its parameters |
//! | [`plan`], [`basis_model`], [`coefficients`] | what every layer's coefficients may be, from float weights to coefficients, and from latents to the columns a kernel owns |
//! | [`adc`], [`reading`], [`noise`], [`chip`] | the chip in the loop: codes of the ADC, noise of reads, cells that are off, a chip that was measured |
//! | [`loss`], [`penalty`], [`options`], [`backend`], [`train`] | what is made small, the settings, what computes, the loop |
//! | [`search`] | groups and planes of every layer, for a number of cycles or an accuracy |
//! | [`checkpoint`], [`files`] | stop and go on |
//! | [`export`](mod@export), [`agreement`], [`report`] | weights or a fitted network, compared with the golden reference, and how it came about |

pub mod adc;
pub mod agreement;
pub mod backend;
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
pub mod penalty;
pub mod plan;
pub mod reading;
pub mod report;
pub mod search;
pub mod train;

pub use error::Error;
