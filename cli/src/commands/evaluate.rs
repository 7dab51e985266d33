//! `basisn evaluate`: time, energy, area and lifetime, beside a chip that rewrites its crossbars.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use basisn_arch::{ChipConfig, Program};
use basisn_compiler::graph::topologies;
use basisn_evaluate::report::{compare, csv, number, page};
use basisn_evaluate::reprogram::Concessions;
use basisn_evaluate::{Chip, Constants, Report, Request, Workload, study};
use clap::{Args, ValueEnum};

use super::simulate::config_for;
use crate::Error;
use crate::output::{Staged, say};

/// Time, energy, area and lifetime of a network, beside a chip that rewrites its crossbars.
#[derive(Args)]
#[command(after_help = "Example:\n  basisn evaluate --network resnet18-imagenet --out out/evaluate")]
pub struct Arguments {
    /// Built-in network, or program image (basisn compile)
    #[arg(long, required_unless_present = "compare")]
    network: Option<String>,
    /// Chip configuration: a TOML file, or a preset; the default is `isaac`, or for a program the preset with its geometry
    #[arg(long)]
    config: Option<String>,
    /// Constants that replace built-in ones: a TOML file
    #[arg(long)]
    constants: Option<PathBuf>,
    /// Write models, or `all`
    #[arg(long, value_delimiter = ',', default_value = "all")]
    write_model: Vec<String>,
    /// Batch sizes; details are shown for the first
    #[arg(long, value_delimiter = ',', default_value = "1,8,64", value_parser = clap::value_parser!(u32).range(1..=65536))]
    batch: Vec<u32>,
    /// Crossbars, whole cores; details are shown for the first. The default is as many as the chip has, a quarter and four times as many
    #[arg(long, value_delimiter = ',', value_parser = clap::value_parser!(u32).range(1..=4096))]
    crossbars: Vec<u32>,
    /// Bits of the activations of a built-in network
    #[arg(long, default_value = "8", value_parser = clap::value_parser!(u32).range(1..=8))]
    input_bits: u32,
    /// Concessions to reprogramming that are switched off
    #[arg(long, value_delimiter = ',', value_enum)]
    without: Vec<Concession>,
    /// Compare two reports instead: report.json of either
    #[arg(long, num_args = 2, value_names = ["A", "B"], conflicts_with_all = ["network", "config", "constants"])]
    compare: Option<Vec<PathBuf>>,
    /// Folder for report.html, report.json and tables
    #[arg(long)]
    out: Option<PathBuf>,
    /// Print as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Concession {
    /// Copies of a layer in idle crossbars
    Replicate,
    /// Writing while other crossbars compute
    Overlap,
    /// Leaving out cells that stay the same
    SkipUnchanged,
    /// Layers side by side in one crossbar
    PackColumns,
    /// Tiles that stay for good
    KeepTiles,
}

/// Evaluates, or compares.
pub fn run(arguments: &Arguments) -> Result<(), Error> {
    if let Some([a, b]) = arguments.compare.as_deref() {
        return run_comparison(arguments, a, b);
    }
    let started = Instant::now();
    let constants = arguments.constants.as_deref().map_or_else(Constants::built_in, Constants::load)?;
    let (workload, config, chip_name) = workload(arguments)?;
    let chip = Chip::new(&config, constants.values());
    let request = request(arguments, &chip, &constants);
    let report = study::evaluate(&workload, &chip, &chip_name, &constants, &request)?;
    if let Some(out) = &arguments.out {
        let staged = Staged::new(out)?;
        staged.write("report.html", page(&report))?;
        staged.write("report.json", format!("{}\n", json(&report)?))?;
        for (name, table) in csv::tables(&report) {
            staged.write(name, table)?;
        }
        staged.publish()?;
    }
    if arguments.json {
        say!("{}", json(&report)?);
    } else {
        print(&report);
        if let Some(out) = &arguments.out {
            say!("{:.1} s  {}", started.elapsed().as_secs_f64(), out.join("report.html").display());
        }
    }
    Ok(())
}

fn json(report: &impl serde::Serialize) -> Result<String, Error> {
    serde_json::to_string_pretty(report).map_err(|e| Error::output(Path::new("report.json"), &e.into()))
}

/// The network, the chip and the chip's name.
fn workload(arguments: &Arguments) -> Result<(Workload, ChipConfig, String), Error> {
    let network = arguments.network.as_deref().unwrap_or_default();
    let named = arguments.config.as_deref();
    if Path::new(network).is_file() {
        let program = Program::load(Path::new(network))?;
        let config = config_for(&program, named)?;
        program.check(&config)?;
        return Ok((Workload::from_program(&program)?, config, named.unwrap_or("the program's chip").into()));
    }
    let graph = topologies::built_in(network)?;
    let name = named.unwrap_or("isaac");
    Ok((Workload::from_graph(&graph, arguments.input_bits as usize), ChipConfig::load(name)?, name.into()))
}

fn request(arguments: &Arguments, chip: &Chip, constants: &Constants) -> Request {
    let own = chip.crossbars();
    let mut crossbars: Vec<usize> = arguments.crossbars.iter().map(|&n| n as usize).collect();
    if crossbars.is_empty() {
        crossbars = [own, own / 4, 4 * own].into_iter().filter(|&n| chip.with_crossbars(n).is_ok()).collect();
    }
    let all = arguments.write_model.iter().any(|m| m == "all");
    let names = || constants.write_models.iter().map(|m| m.name.clone()).collect();
    let on = |of| !arguments.without.contains(&of);
    Request {
        crossbars,
        batches: arguments.batch.iter().map(|&n| n as usize).collect(),
        write_models: if all { names() } else { arguments.write_model.clone() },
        concessions: Concessions {
            replicate: on(Concession::Replicate),
            overlap: on(Concession::Overlap),
            skip_unchanged: on(Concession::SkipUnchanged),
            pack_columns: on(Concession::PackColumns),
            keep_tiles: on(Concession::KeepTiles),
        },
    }
}

fn print(report: &Report) {
    say!(
        "{} on {}: {} M weights, {} G multiply-accumulates, clock {} MHz",
        report.network,
        report.chip,
        number::digits(report.weights as f64 * 1e-6),
        number::digits(report.macs as f64 * 1e-9),
        number::digits(report.clock_mhz)
    );
    for p in &report.points {
        say!();
        say!(
            "{} crossbars, batch {}: BasisN {} and {} an inference",
            p.crossbars,
            p.batch,
            number::time(p.time_ns),
            number::energy(p.energy.total())
        );
        say!(
            "  {:15} {:>10} {:>10} {:>9} {:>9} {:>11} {:>12}",
            "reprogramming",
            "time",
            "energy",
            "time",
            "EDP",
            "EDP, equal",
            "lifetime"
        );
        say!("  {:15} {:>10} {:>10} {:>9} {:>9} {:>11} {:>12}", "", "", "", "ratio", "ratio", "area", "inferences");
        for a in p.against.iter().chain([&p.compute_only]) {
            say!(
                "  {:15} {:>10} {:>10} {:>9} {:>9} {:>11} {:>12}",
                a.write_model,
                number::time(a.cost.time_ns),
                number::energy(a.cost.energy.total()),
                number::ratio(a.time_ratio),
                number::ratio(a.edp_ratio),
                number::ratio(a.equal_area_edp_ratio),
                a.lifetime_inferences.map_or("no limit".into(), number::digits)
            );
        }
        let row = |at: Option<f64>| at.map_or("none".into(), |ns| format!("{} a row", number::time(ns)));
        say!("  equally fast at {}; BasisN under 1% from {}", row(p.break_even_row_ns), row(p.one_percent_row_ns));
    }
    say!();
}

fn run_comparison(arguments: &Arguments, a: &Path, b: &Path) -> Result<(), Error> {
    let read = |path: &Path| -> Result<Report, Error> {
        let refuse = |cause: String| Error::Input {
            at: path.display().to_string(),
            cause,
            fix: "give the report.json of basisn evaluate --out".into(),
        };
        let text = fs::read_to_string(path).map_err(|e| refuse(e.to_string()))?;
        serde_json::from_str(&text).map_err(|e| refuse(e.to_string()))
    };
    let comparison = compare::compare(&read(a)?, &read(b)?);
    if let Some(out) = &arguments.out {
        let staged = Staged::new(out)?;
        staged.write("comparison.html", compare::page(&comparison))?;
        staged.write("comparison.json", format!("{}\n", json(&comparison)?))?;
        staged.publish()?;
    }
    if arguments.json {
        say!("{}", json(&comparison)?);
    } else {
        say!("{}", compare::text(&comparison));
    }
    Ok(())
}
