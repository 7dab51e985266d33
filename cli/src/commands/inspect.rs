//! `basisn inspect`: what a program image holds.

use std::path::PathBuf;

use basisn_arch::{LayerProgram, Program};
use clap::Args;
use serde::Serialize;

use super::simulate::config_for;
use crate::Error;
use crate::output::say;

/// Show what a program image holds: layers, slots, coefficient storage.
#[derive(Args)]
#[command(after_help = "Example:\n  basisn inspect out/demo/program.safetensors")]
pub struct Arguments {
    /// Program image
    program: PathBuf,
    /// Chip configuration; the default is the preset with the program's geometry
    #[arg(long)]
    config: Option<String>,
    /// Print as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Row {
    layer: String,
    kernels: usize,
    depth: usize,
    positions: usize,
    slots: usize,
    /// Bits of all slot words: what a block of positions streams in.
    slot_bits: usize,
    /// Bits of the 8-bit weights that they replace.
    weight_bits: usize,
}

/// Prints the table.
pub fn run(arguments: &Arguments) -> Result<(), Error> {
    let program = Program::load(&arguments.program)?;
    let config = config_for(&program, arguments.config.as_deref())?;
    program.check(&config)?;
    let row = |l: &LayerProgram| Row {
        layer: l.name.clone(),
        kernels: l.shape.kernels,
        depth: l.shape.depth(),
        positions: l.shape.positions(),
        slots: l.slot_count(),
        slot_bits: l.slot_count() * config.tiles() * config.slot_word().word_bits(),
        weight_bits: 8 * l.shape.kernels * l.shape.depth(),
    };
    let rows: Vec<_> = program.layers.iter().map(row).collect();
    if arguments.json {
        say!("{}", serde_json::json!({ "name": program.name, "geometry": program.geometry, "layers": rows }));
        return Ok(());
    }
    let g = program.geometry;
    say!(
        "{}: {} tiles of {} x {} {}-bit cells, {} lanes, {}-bit ADC",
        program.name,
        g.tiles,
        g.rows,
        g.columns,
        g.cell_bits,
        g.lanes,
        g.adc_bits
    );
    say!(
        "{:12} {:>8} {:>7} {:>10} {:>6} {:>10} {:>12}",
        "layer",
        "kernels",
        "depth",
        "positions",
        "slots",
        "slot bits",
        "weight bits"
    );
    for r in &rows {
        say!(
            "{:12} {:>8} {:>7} {:>10} {:>6} {:>10} {:>12}",
            r.layer,
            r.kernels,
            r.depth,
            r.positions,
            r.slots,
            r.slot_bits,
            r.weight_bits
        );
    }
    Ok(())
}
