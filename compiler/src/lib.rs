//! From a trained network to a program image.
//!
//! | step | module | what |
//! |---|---|---|
//! | read | [`network`], [`onnx`], [`parameters`], [`dataset`], [`images`], [`npy`], [`synthetic`] | description, trained weights, labelled images, drawn ones |
//! | the network | [`graph`], [`model`] | nodes and shapes, built-in topologies; a graph with its parameters |
//! | calibrate | [`float`], [`calibrate`] | float reference; scales of the activations, gain of the ADC |
//! | fit | [`basis`], [`coefficient`], [`csd`], [`fit`](mod@fit), [`pursuit`] | coefficients of the fixed basis: a [`Fitted`] network |
//! | lower | `blocks`, [`map`], [`homes`], [`schedule`], [`requantize`](mod@requantize) | blocks of kernels, homes, slots, integer scales: a program image |
//! | compare | [`fidelity`] | how far every step is from the float network |
//! | all of it | [`compile`](mod@compile), [`report`] | [`compile()`] |

pub mod basis;
mod blocks;
pub mod calibrate;
pub mod coefficient;
pub mod compile;
pub mod csd;
pub mod dataset;
mod error;
pub mod fidelity;
pub mod fit;
pub mod fitted;
pub mod float;
mod fuse;
pub mod graph;
pub mod homes;
pub mod images;
mod integer;
mod least_squares;
pub mod map;
pub mod model;
pub mod network;
pub mod npy;
pub mod onnx;
pub mod parameters;
mod random;
pub mod report;
pub mod requantize;
pub mod schedule;
pub mod synthetic;

pub use calibrate::pixels;
pub use compile::{Compiled, compile, lower};
pub use dataset::Dataset;
pub use error::Error;
pub use fit::pursuit;
pub use fitted::Fitted;
pub use graph::Graph;
pub use model::Model;
pub use network::Network;
pub use report::Report;
pub use schedule::ScheduleOptions;
