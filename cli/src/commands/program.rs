//! `basisn program`: writes the basis into a chip's devices, by the program controller of the RTL.

use std::path::PathBuf;

use basisn_arch::{ChipConfig, Program};
use basisn_models::rram::verify::{FailedChipCell, Writing};
use basisn_models::rram::{Device, MacroModel};
use basisn_models::verilog::Body;
use basisn_testbench::{Chip, chip};
use clap::Args;
use verilated::Trace;

use super::simulate::{Engine, config_for};
use crate::Error;
use crate::output::{say, write_file};
use crate::report::histogram;
use crate::written::WrittenChip;

/// Write a program's basis into the devices of a chip, pulse by pulse and verified through its ADCs; report pulses, time and failed cells.
#[derive(Args)]
#[command(
    after_help = "Example:\n  basisn program --program out/demo/program.safetensors --macro neurram --seed 3 --out written.json"
)]
pub struct Arguments {
    /// Program image (basisn compile)
    #[arg(long)]
    program: PathBuf,
    /// Chip configuration; the default is the preset with the program's geometry
    #[arg(long)]
    config: Option<String>,
    /// Model of the devices: isaac, neurram, worst, or a TOML file; see docs/macro-models.md
    #[arg(long = "macro", value_name = "PRESET_OR_FILE", default_value = "neurram")]
    model: String,
    /// Seed of the devices
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// What writes: the program controller in RTL, its model, or both to be compared
    #[arg(long, value_enum, default_value_t = Engine::Both)]
    engine: Engine,
    /// Clock, to give the time
    #[arg(long, default_value_t = 100.0)]
    clock_mhz: f64,
    /// Report to write, JSON, which `basisn inspect --written` and `basisn fit --written` take
    #[arg(long)]
    out: Option<PathBuf>,
    /// Picture (SVG) of the cells by their pulses
    #[arg(long, value_name = "FILE.svg")]
    histogram: Option<PathBuf>,
    /// Print the report as JSON
    #[arg(long)]
    json: bool,
}

/// Writes and reports.
pub fn run(arguments: &Arguments) -> Result<(), Error> {
    let program = Program::load(&arguments.program)?;
    let config = config_for(&program, arguments.config.as_deref())?;
    program.check(&config)?;
    let clock = arguments.clock_mhz;
    if !(clock.is_finite() && clock > 0.0) {
        return Err(Error::Input {
            at: "--clock-mhz".into(),
            cause: format!("{clock} is no frequency"),
            fix: "give megahertz above 0".into(),
        });
    }
    let mut model = MacroModel::load(&arguments.model)?;
    if model.write_verify.max_pulses == 0 {
        return Err(Error::Input {
            at: format!("--macro {}", arguments.model),
            cause: "its cells take no pulses: write_verify.max_pulses is 0".into(),
            fix: "name a model with write_verify.max_pulses, tolerance and step, such as neurram".into(),
        });
    }
    model.write_verify.through_adc = true;
    let device = Device { model: model.into(), seed: arguments.seed };
    let expected = Writing::new(&config, &program, &device);
    let rtl = match arguments.engine {
        Engine::Golden => None,
        _ => Some(in_rtl(&config, &program, &device)?),
    };
    let mut written = WrittenChip::of_model(&program, &arguments.model, arguments.seed, expected.clone());
    if let Some(rtl) = &rtl {
        (written.pulses, written.cycles) = (rtl.pulses, Some(rtl.cycles));
        written.cycles_with_register_writes = Some(rtl.all_cycles);
        written.failed_cells.clone_from(&rtl.failed_cells);
    }
    let report = serde_json::json!(written);
    if let Some(path) = &arguments.out {
        write_file(path, format!("{report:#}\n").as_bytes())?;
    }
    if let Some(path) = &arguments.histogram {
        write_file(path, histogram(&written.cells_by_pulses).as_bytes())?;
    }
    if arguments.json {
        say!("{report}");
    } else {
        written.print();
        let ms = |cycles: u64| cycles as f64 / clock / 1e3;
        if let Some(cycles) = written.cycles {
            say!("{cycles} cycles of pulses and verify reads: {:.3} ms at {clock} MHz", ms(cycles));
        }
        if let Some(cycles) = written.cycles_with_register_writes {
            say!("{cycles} cycles with the register writes: {:.3} ms", ms(cycles));
        }
    }
    match rtl {
        Some(rtl) if arguments.engine == Engine::Both => rtl.compare(&expected),
        _ => Ok(()),
    }
}

/// What the registers of the cores say.
struct Rtl {
    pulses: u64,
    /// Of the slowest core.
    cycles: u64,
    all_cycles: u64,
    failed_cells: Vec<FailedChipCell>,
}

fn in_rtl(config: &ChipConfig, program: &Program, device: &Device) -> Result<Rtl, Error> {
    let library = chip::verilate(chip::sources(config, Body::Dpi)?, Body::Dpi, Trace::None)?;
    let chip = Chip::start(&library, config, program, Some(device), None)?;
    let written = chip.written();
    let cells = written.iter().enumerate().flat_map(|(core, written)| {
        written.failed.iter().map(move |failed| FailedChipCell {
            core,
            tile: failed.tile,
            cell: failed.in_levels(config),
        })
    });
    let mut failed_cells: Vec<_> = cells.collect();
    failed_cells.sort_by_key(place);
    Ok(Rtl {
        pulses: written.iter().map(|core| core.pulses).sum(),
        cycles: written.iter().map(|core| core.busy_cycles).max().unwrap_or(0),
        all_cycles: chip.program_cycles(),
        failed_cells,
    })
}

impl Rtl {
    /// The RTL must have done what its model does.
    fn compare(&self, expected: &Writing) -> Result<(), Error> {
        let mut failed = expected.failed_cells.clone();
        failed.sort_by_key(place);
        let mut differ = Vec::new();
        if self.pulses != expected.pulses() {
            differ.push(format!("{} pulses, {} expected", self.pulses, expected.pulses()));
        }
        if Some(self.cycles) != expected.cycles {
            differ.push(format!("{} cycles, {} expected", self.cycles, expected.cycles.unwrap_or(0)));
        }
        if self.failed_cells != failed {
            differ.push(format!("{} failed cells, {} expected", self.failed_cells.len(), failed.len()));
        }
        match differ.first() {
            None => Ok(()),
            Some(first) => Err(Error::Mismatch {
                at: "basisn program".into(),
                count: differ.len(),
                values: 3,
                first: first.clone(),
            }),
        }
    }
}

fn place(failed: &FailedChipCell) -> (usize, usize, usize, usize) {
    (failed.core, failed.tile, failed.cell.row, failed.cell.column)
}
