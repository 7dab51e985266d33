//! What a chip costs: cycles, energy, area and lifetime, beside a chip that rewrites its crossbars.
//!
//! | module | what |
//! |---|---|
//! | [`constants`] | energies, times and areas with their sources, and the write models |
//! | [`workload`] | the matrix layers of a network, with their slots |
//! | [`elementwise`] | pooling, residual adds and the like between them |
//! | [`chip`] | a configuration in real time |
//! | [`activity`] | what the circuits do: counts |
//! | [`synthesis`] | area of the generated logic, from our own synthesis |
//! | [`energy`], [`area`] | counts and sizes times constants |
//! | [`basis`] | time and energy of the BasisN chip |
//! | [`reprogram`] | time and energy of a chip that rewrites its crossbars |
//! | [`study`] | both sides for many sizes, and how the answer depends on everything |
//! | [`variants`], [`accuracy`] | how far the chip can be pushed, and what that does to accuracy |
//! | [`report`] | a finished study as HTML and CSV |

pub mod accuracy;
pub mod activity;
pub mod area;
pub mod basis;
pub mod chip;
pub mod constants;
pub mod elementwise;
pub mod energy;
mod error;
pub mod report;
pub mod reprogram;
pub mod study;
pub mod synthesis;
pub mod variants;
pub mod workload;

pub use chip::Chip;
pub use constants::{Constants, Values, WriteBy, WriteModel};
pub use energy::{Component, Energy};
pub use error::Error;
pub use study::{Report, Request};
pub use workload::{Layer, Workload};
