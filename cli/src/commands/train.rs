//! `basisn train`: hands over to the trainer, a binary of its own, so that nothing else has to build a training framework.

use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::Command;

use clap::Args;

use crate::Error;

/// Train a network in floating point (runs basisn-train).
#[derive(Args)]
#[command(
    disable_help_flag = true,
    after_help = "Example:\n  basisn train --network examples/digits/network.toml --data examples/digits --out weights.safetensors"
)]
pub struct Arguments {
    /// Options of basisn-train; `basisn train --help` lists them
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    options: Vec<String>,
}

/// Runs the trainer.
pub fn run(arguments: &Arguments) -> Result<(), Error> {
    let trainer = trainer();
    // Replaces this process, so that Ctrl-C, errors and exit code are the trainer's own.
    let error = Command::new(&trainer).args(&arguments.options).exec();
    Err(Error::Program {
        at: trainer.display().to_string(),
        cause: error.to_string(),
        fix: "build it: cargo build --release --package basisn-train".into(),
    })
}

/// The trainer lies beside this program, or on the path.
fn trainer() -> PathBuf {
    let beside = std::env::current_exe().ok().and_then(|p| p.parent().map(|d| d.join("basisn-train")));
    beside.filter(|p| p.exists()).unwrap_or_else(|| PathBuf::from("basisn-train"))
}
