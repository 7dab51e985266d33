//! `basisn inspect`: what a program image holds.

use std::path::PathBuf;

use basisn_arch::{ChipConfig, Geometry, LayerProgram, Program};
use basisn_models::rram::cell::FailedCell;
use basisn_models::rram::{Device, DeviceMacro, MacroModel};
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
    /// Also what writing the basis takes on macros of this model: ideal, isaac, neurram, worst, or a TOML file
    #[arg(long = "macro", value_name = "PRESET_OR_FILE")]
    model: Option<String>,
    /// Seed of the devices
    #[arg(long, default_value_t = 1)]
    seed: u64,
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

/// What writing the basis takes.
#[derive(Default, Serialize)]
struct Writing {
    /// Cells by number of pulses.
    cells_by_pulses: Vec<u64>,
    failed_cells: Vec<Failed>,
}

/// A cell that write-verify gave up on, or that is stuck elsewhere.
#[derive(Serialize)]
struct Failed {
    core: usize,
    tile: usize,
    #[serde(flatten)]
    cell: FailedCell,
}

impl Writing {
    fn new(config: &ChipConfig, program: &Program, device: &Device) -> Self {
        let mut writing = Writing::default();
        for (core, tile) in (0..config.cores()).flat_map(|core| (0..config.tiles()).map(move |tile| (core, tile))) {
            let mut written = DeviceMacro::new(Geometry::from(config), device, core, tile);
            written.program_all(program.basis_of(tile));
            let report = written.cells().report();
            let counts = &mut writing.cells_by_pulses;
            counts.resize(counts.len().max(report.cells_by_pulses.len()), 0);
            counts.iter_mut().zip(&report.cells_by_pulses).for_each(|(sum, cells)| *sum += cells);
            writing.failed_cells.extend(report.failed.iter().map(|&cell| Failed { core, tile, cell }));
        }
        writing
    }

    fn print(&self) {
        let cells: u64 = self.cells_by_pulses.iter().sum();
        let pulses: u64 = self.cells_by_pulses.iter().zip(0..).map(|(cells, pulses)| cells * pulses).sum();
        let mean = pulses as f64 / cells.max(1) as f64;
        say!("writing: {cells} cells, {pulses} pulses, {mean:.2} a cell, {} cells failed", self.failed_cells.len());
        let most = self.cells_by_pulses.iter().copied().max().unwrap_or(0).max(1);
        for (pulses, &cells) in self.cells_by_pulses.iter().enumerate().filter(|(_, cells)| **cells > 0) {
            say!("{pulses:>4} pulses {cells:>8} {}", "#".repeat((50 * cells).div_ceil(most) as usize));
        }
        for f in self.failed_cells.iter().take(20) {
            let (c, side) = (&f.cell, if f.cell.side == 0 { '+' } else { '-' });
            let place = format!("core {} tile {} row {} column {} {side}", f.core, f.tile, c.row, c.column);
            say!("failed: {place}: {:.2} uS wanted, {:.2} uS got", c.wanted_us, c.got_us);
        }
        if self.failed_cells.len() > 20 {
            say!("and {} more; --json has them all", self.failed_cells.len() - 20);
        }
    }
}

/// Prints the table.
pub fn run(arguments: &Arguments) -> Result<(), Error> {
    let program = Program::load(&arguments.program)?;
    let config = config_for(&program, arguments.config.as_deref())?;
    program.check(&config)?;
    let model = arguments.model.as_deref().map(MacroModel::load).transpose()?;
    let device = model.map(|model| Device { model: model.into(), seed: arguments.seed });
    let writing = device.map(|device| Writing::new(&config, &program, &device));
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
        let mut all = serde_json::json!({ "name": program.name, "geometry": program.geometry, "layers": rows });
        if let Some(writing) = writing {
            all["writing"] = serde_json::json!(writing);
        }
        say!("{all}");
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
    if let Some(writing) = writing {
        writing.print();
    }
    Ok(())
}
