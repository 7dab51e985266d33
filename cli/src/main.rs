//! `basisn`: from a trained network to RTL that computes it bit for bit. Parses, calls, prints.

mod campaign;
mod commands;
mod comparison;
mod engine;
mod error;
mod output;
mod package;
mod report;
mod scores;
mod tensor;
mod vectors;
mod written;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use commands::{compile, demo, evaluate, fit, generate, inspect, program, simulate, train};
use error::Error;

/// From a trained network to Verilog for RRAM crossbars that are written once.
#[derive(Parser)]
#[command(version, after_help = "Start with:\n  basisn demo")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Demo(demo::Arguments),
    Fit(fit::Arguments),
    Compile(compile::Arguments),
    Generate(generate::Arguments),
    Program(program::Arguments),
    Simulate(simulate::Arguments),
    Inspect(inspect::Arguments),
    Evaluate(evaluate::Arguments),
    Train(train::Arguments),
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    output::clean_up_on_interrupt();
    let done = match cli.command {
        Command::Demo(a) => demo::run(&a),
        Command::Fit(a) => fit::run(&a),
        Command::Compile(a) => compile::run(&a),
        Command::Generate(a) => generate::run(&a),
        Command::Program(a) => program::run(&a),
        Command::Simulate(a) => simulate::run(&a),
        Command::Inspect(a) => inspect::run(&a),
        Command::Evaluate(a) => evaluate::run(&a),
        Command::Train(a) => train::run(&a),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => output::leave(&format!("error: {e}"), e.exit_code()),
    }
}
