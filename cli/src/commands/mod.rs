//! One file a command.

pub mod compile;
pub mod demo;
pub mod evaluate;
pub mod fit;
pub mod generate;
pub mod inspect;
pub mod program;
pub mod simulate;
pub mod train;
