//! `basisn inspect`: what a program image holds.

use std::path::PathBuf;

use basisn_arch::{ChipConfig, LayerProgram, Program};
use basisn_compiler::schedule::Contention;
use basisn_models::rram::verify::Writing;
use basisn_models::rram::{Device, MacroModel};
use clap::Args;
use serde::Serialize;

use super::simulate::config_for;
use crate::Error;
use crate::output::{say, write_file};
use crate::report::{heat_map, histogram};
use crate::written::WrittenChip;

/// Show what a program image holds: layers, slots and contests, use of the columns, coefficient storage.
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
    /// Also what writing the basis took and which cells failed, from a report of `basisn program --out`
    #[arg(long, value_name = "FILE", conflicts_with_all = ["model", "seed"])]
    written: Option<PathBuf>,
    /// Picture (SVG) of the cells by their pulses, as --macro or --written says
    #[arg(long, value_name = "FILE.svg")]
    histogram: Option<PathBuf>,
    /// Picture (SVG) of how often each layer connects each column
    #[arg(long, value_name = "FILE.svg")]
    heat_map: Option<PathBuf>,
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
    /// Slots that no schedule can undercut, by lanes and by the most wanted column.
    bound: usize,
    /// Slots that contests for columns cost, and items that wait in them.
    contest_slots: usize,
    contests: usize,
    /// Bits of all slot words: what a block of positions streams in.
    slot_bits: usize,
    /// Bits of the 8-bit weights that they replace.
    weight_bits: usize,
    /// Share of the slots of all tiles in which each column is connected, 0..1.
    column_use: Vec<f64>,
}

impl Row {
    fn new(l: &LayerProgram, config: &ChipConfig) -> Self {
        let found = Contention::new(l, config);
        let settings = (found.slots * config.tiles()).max(1) as f64;
        Row {
            layer: l.name.clone(),
            kernels: l.shape.kernels,
            depth: l.shape.depth(),
            positions: l.shape.positions(),
            slots: found.slots,
            bound: found.bound,
            contest_slots: found.contest_slots(),
            contests: found.contests,
            slot_bits: found.slots * l.tiles * config.slot_word().word_bits(),
            weight_bits: 8 * l.shape.kernels * l.shape.depth(),
            column_use: found.column_use.iter().map(|&slots| slots as f64 / settings).collect(),
        }
    }
}

/// Prints the table.
pub fn run(arguments: &Arguments) -> Result<(), Error> {
    let program = Program::load(&arguments.program)?;
    let config = config_for(&program, arguments.config.as_deref())?;
    program.check(&config)?;
    let written = written(arguments, &config, &program)?;
    let rows: Vec<_> = program.layers.iter().map(|l| Row::new(l, &config)).collect();
    let sum = |of: fn(&Row) -> usize| rows.iter().map(of).sum::<usize>();
    let (slot_bits, weight_bits) = (sum(|r| r.slot_bits), sum(|r| r.weight_bits));
    if let Some(path) = &arguments.heat_map {
        let layers: Vec<(&str, &[f64])> = rows.iter().map(|r| (r.layer.as_str(), r.column_use.as_slice())).collect();
        write_file(path, heat_map(&layers).as_bytes())?;
    }
    if let (Some(path), Some(written)) = (&arguments.histogram, &written) {
        write_file(path, histogram(&written.cells_by_pulses).as_bytes())?;
    }
    if arguments.json {
        let mut all = serde_json::json!({
            "name": program.name,
            "geometry": program.geometry,
            "layers": rows,
            "slot_bits": slot_bits,
            "weight_bits": weight_bits,
        });
        if let Some(written) = written {
            all["writing"] = serde_json::json!(written);
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
    let heads = ["kernels", "depth", "positions", "slots", "bound", "by contests", "slot bits", "weight bits"];
    let [kernels, depth, positions, slots, bound, contests, slot_head, weight_head] = heads;
    say!(
        "{:12} {kernels:>8} {depth:>7} {positions:>10} {slots:>6} {bound:>6} {contests:>12} {slot_head:>10} {weight_head:>12}",
        "layer"
    );
    for r in &rows {
        let Row { kernels, depth, positions, slots, bound, contest_slots, slot_bits, weight_bits, .. } = r;
        say!(
            "{:12} {kernels:>8} {depth:>7} {positions:>10} {slots:>6} {bound:>6} {contest_slots:>12} {slot_bits:>10} {weight_bits:>12}",
            r.layer
        );
    }
    let (slots, bound, contests) = (sum(|r| r.slots), sum(|r| r.bound), sum(|r| r.contest_slots));
    say!("{:12} {:>27} {slots:>6} {bound:>6} {contests:>12} {slot_bits:>10} {weight_bits:>12}", "all", "");
    let share = slot_bits as f64 / weight_bits.max(1) as f64;
    say!(
        "coefficient storage: {slot_bits} bits, {share:.2} times the {weight_bits} bits of the 8-bit weights that they replace"
    );
    if let Some(written) = written {
        written.print();
    }
    Ok(())
}

/// What writing takes on devices of a model, or took on a chip.
fn written(arguments: &Arguments, config: &ChipConfig, program: &Program) -> Result<Option<WrittenChip>, Error> {
    if let Some(path) = &arguments.written {
        let written = WrittenChip::load(path)?;
        written.check(path, config, program)?;
        return Ok(Some(written));
    }
    let Some(name) = &arguments.model else {
        return match &arguments.histogram {
            None => Ok(None),
            Some(_) => Err(Error::Input {
                at: "--histogram".into(),
                cause: "nothing says what writing takes".into(),
                fix: "add --macro with a model of the devices, or --written with a report of basisn program".into(),
            }),
        };
    };
    let device = Device { model: MacroModel::load(name)?.into(), seed: arguments.seed };
    let writing = Writing::new(config, program, &device);
    Ok(Some(WrittenChip::of_model(program, name, arguments.seed, writing)))
}
