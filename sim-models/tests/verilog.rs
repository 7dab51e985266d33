//! The macro bodies: the portable one in Icarus against the Rust model, cycle by cycle; all of them through Verilator's lint.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::VecDeque;
use std::path::Path;
use std::process::{Command, Output};

use basisn_arch::{ChipConfig, ProgramOp, clog2};
use basisn_models::IdealMacro;
use basisn_models::arithmetic::adc_range;
use basisn_models::random::{Random, generator, random_config, seed};
use basisn_models::verilog::{Body, fpga_body, macro_body};
use rand::Rng;

fn output(program: &str, arguments: &[&str], folder: &Path) -> Output {
    Command::new(program)
        .args(arguments)
        .current_dir(folder)
        .output()
        .unwrap_or_else(|e| panic!("{program} cannot be started ({e}): install it, for example apt install {program}"))
}

/// Starts a tool that must succeed without a word on stderr.
fn quiet(program: &str, arguments: &[&str], folder: &Path) -> String {
    let output = output(program, arguments, folder);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && stderr.is_empty(), "{program} {arguments:?}:\n{stderr}");
    String::from_utf8(output.stdout).unwrap()
}

/// A chip with some keys changed.
fn changed(preset: &str, keys: &[(&str, usize)]) -> ChipConfig {
    keys.iter().fold(ChipConfig::load(preset).unwrap(), |config, (key, value)| config.with(key, *value).unwrap())
}

fn odd() -> ChipConfig {
    let keys = [("crossbar.rows", 24), ("crossbar.columns", 10), ("arithmetic.group", 1), ("adc.lanes", 1)];
    changed("tiny", &keys).with("crossbar.cell_bits", 3).unwrap()
}

#[test]
fn all_bodies_are_clean_in_verilator_s_lint() {
    let largest = [
        ("crossbar.rows", 256),
        ("crossbar.columns", 512),
        ("crossbar.cell_bits", 5),
        ("crossbar.read_latency_cycles", 64),
        ("crossbar.read_interval_cycles", 64),
        ("crossbar.program_cycles", 1_000_000),
        ("adc.lanes", 64),
        ("adc.bits", 12),
    ];
    let smallest = [
        ("crossbar.rows", 8),
        ("crossbar.columns", 8),
        ("crossbar.cell_bits", 2),
        ("crossbar.read_latency_cycles", 1),
        ("crossbar.program_cycles", 0),
        ("adc.bits", 4),
    ];
    let mut configs: Vec<_> = ["tiny", "digits", "paper"].map(|name| ChipConfig::load(name).unwrap()).into();
    configs.extend([odd(), changed("paper", &largest), changed("tiny", &smallest)]);
    let folder = tempfile::tempdir().unwrap();
    for config in configs {
        for body in [Body::BlackBox, Body::Portable, Body::PortableDevice, Body::Dpi] {
            let text = macro_body(&config, body);
            assert!(!text.contains('@') || text.matches('@').count() == text.matches("@(").count(), "{text}");
            assert_eq!(text, macro_body(&config, body));
            let file = format!("{}.v", config.macro_name());
            std::fs::write(folder.path().join(&file), text).unwrap();
            let verilator = std::env::var("BASISN_VERILATOR").unwrap_or_else(|_| "verilator".into());
            quiet(&verilator, &["--lint-only", "-Wall", "--language", "1800-2012", &file], folder.path());
            if matches!(body, Body::Portable | Body::PortableDevice) {
                quiet("iverilog", &["-g2012", "-Wall", "-t", "null", &file], folder.path());
            }
        }
    }
}

#[test]
fn the_portable_body_is_the_rust_model_cycle_by_cycle() {
    let seed = seed();
    println!("BASISN_SEED={seed}");
    let mut rng = generator(seed);
    let mut rails = (false, false);
    let mut configs = vec![odd(), ChipConfig::load("tiny").unwrap(), changed("digits", &[("adc.bits", 5)])];
    configs
        .push(changed("tiny", &[("crossbar.read_latency_cycles", 1), ("crossbar.program_cycles", 0), ("adc.bits", 4)]));
    configs.extend((0..6).map(|_| random_config(&mut rng).unwrap()));
    for config in configs {
        let operations = random_operations(&mut rng, &config);
        let log = simulate(&config, &operations, &macro_body(&config, Body::Portable));
        let seen = follow(&config, &operations, &log);
        rails = (rails.0 || seen.0, rails.1 || seen.1);
    }
    assert_eq!(rails, (true, true), "codes at both rails");
}

#[test]
fn a_device_without_its_file_of_cells_ends_the_simulation() {
    let config = ChipConfig::load("tiny").unwrap();
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("macro.v"), macro_body(&config, Body::PortableDevice)).unwrap();
    quiet("iverilog", &["-g2012", "-o", "macro.vvp", "macro.v"], folder.path());
    let told = |arguments: &[&str]| {
        let output = output("vvp", &[&["-n", "macro.vvp"], arguments].concat(), folder.path());
        (output.status.success(), String::from_utf8(output.stdout).unwrap())
    };
    let (ok, text) = told(&["+cells=elsewhere"]);
    let name = config.macro_name();
    assert!(
        !ok && text.contains(&format!("no file elsewhere/{name}.hex with the cells; name its folder by")),
        "{text}"
    );
    std::fs::write(folder.path().join(format!("{name}.hex")), "0000\n".repeat(255)).unwrap();
    let (ok, text) = told(&[]);
    assert!(!ok && text.contains("has less than 256 cells"), "{text}");
    std::fs::write(folder.path().join(format!("{name}.hex")), "0000\n".repeat(256)).unwrap();
    assert!(told(&[]).0);
}

/// A chip with the read interval, latency and write time that the body for FPGAs takes.
fn for_fpga(preset: &str, interval: usize, latency: usize, keys: &[(&str, usize)]) -> ChipConfig {
    let timing = [
        ("crossbar.read_interval_cycles", interval),
        ("crossbar.read_latency_cycles", latency),
        ("crossbar.program_cycles", interval + 4),
    ];
    changed(preset, &[&timing, keys].concat())
}

#[test]
fn the_body_for_fpgas_is_the_rust_model_cycle_by_cycle() {
    let seed = seed();
    println!("BASISN_SEED={seed}");
    let mut rng = generator(seed);
    let odd = [
        ("crossbar.rows", 24),
        ("crossbar.columns", 10),
        ("crossbar.cell_bits", 3),
        ("arithmetic.group", 1),
        ("adc.lanes", 3),
        ("adc.bits", 12),
    ];
    let configs = [
        for_fpga("tiny", 4, 9, &[]),
        for_fpga("tiny", 1, 6, &[("crossbar.program_cycles", 5), ("adc.bits", 4)]),
        for_fpga("digits", 16, 36, &[("adc.bits", 5)]),
        for_fpga("tiny", 3, 8, &odd),
        for_fpga("tiny", 16, 21, &[("arithmetic.group", 1), ("adc.lanes", 1), ("crossbar.cell_bits", 2)]),
    ];
    let folder = tempfile::tempdir().unwrap();
    let verilator = std::env::var("BASISN_VERILATOR").unwrap_or_else(|_| "verilator".into());
    let mut rails = (false, false);
    for config in configs {
        let body = fpga_body(&config).unwrap();
        let operations = random_operations(&mut rng, &config);
        let seen = follow(&config, &operations, &simulate(&config, &operations, &body));
        rails = (rails.0 || seen.0, rails.1 || seen.1);
        let file = format!("{}.v", config.macro_name());
        std::fs::write(folder.path().join(&file), body).unwrap();
        quiet(&verilator, &["--lint-only", "-Wall", "--language", "1800-2012", &file], folder.path());
    }
    assert_eq!(rails, (true, true), "codes at both rails");
}

#[test]
fn the_body_for_fpgas_is_refused_where_it_cannot_keep_the_timing() {
    let refused = |config: &ChipConfig| fpga_body(config).unwrap_err().to_string();
    let early = refused(&for_fpga("tiny", 4, 8, &[]));
    assert!(early.contains("4 columns a cycle take 4 steps, so codes come after 9 to 12 cycles, not 8"), "{early}");
    assert!(early.contains("fix:   set it to 9, or another read interval"), "{early}");
    let late = refused(&for_fpga("tiny", 4, 13, &[]));
    assert!(late.contains("not 13"), "{late}");
    let write = refused(&for_fpga("tiny", 4, 9, &[("crossbar.program_cycles", 7)]));
    assert!(write.contains("crossbar.program_cycles") && write.contains("up to 8 cycles, not 7"), "{write}");
}

struct Operation {
    idle: usize,
    reset: bool,
    cell: Option<(usize, usize, i32)>,
    op: ProgramOp,
    read: Option<Read>,
}

struct Read {
    wordlines: Vec<u64>,
    /// Polarity and lane of connected columns.
    columns: Vec<Option<(bool, usize)>>,
    gain: u32,
}

/// Writes all cells in a biased way, so that sums reach the rails, then reads, writes some more, resets once.
fn random_operations(rng: &mut Random, config: &ChipConfig) -> Vec<Operation> {
    let (rows, columns) = (config.rows(), config.columns());
    let mut operations = Vec::new();
    let cell = |rng: &mut Random, row, column: usize| {
        let (low, high) = (-(1 << (config.level_bits() - 1)), (1 << (config.level_bits() - 1)) - 1);
        let level = match column % 3 {
            0 => high,
            1 => low,
            _ => rng.random_range(low..=high),
        };
        Some((row, column, level))
    };
    for row in 0..rows {
        for column in 0..columns {
            // Some stay unwritten.
            if rng.random_bool(0.95) {
                operations.push(Operation {
                    idle: 0,
                    reset: false,
                    cell: cell(rng, row, column),
                    op: ProgramOp::Write,
                    read: None,
                });
            }
        }
    }
    let mut setting = Vec::new();
    for i in 0..120 {
        if i % 4 == 0 {
            let bias = rng.random_bool(0.5);
            setting = (0..columns)
                .map(|c| {
                    let lane = rng.random_range(0..1 << config.lane_bits());
                    let polarity = if bias { c % 3 == (lane & 1) } else { rng.random_bool(0.5) };
                    rng.random_bool(0.8).then_some((polarity, lane))
                })
                .collect();
        }
        let dense = rng.random_bool(0.5);
        let mut wordlines: Vec<u64> =
            (0..rows.div_ceil(64)).map(|_| if dense { u64::MAX } else { rng.random() }).collect();
        if rows % 64 != 0 {
            *wordlines.last_mut().unwrap() &= (1 << (rows % 64)) - 1;
        }
        let gain = if rng.random_bool(0.5) { 0 } else { rng.random_range(0..8) };
        let both = rng.random_bool(0.1);
        let (row, column) = (rng.random_range(0..rows), rng.random_range(0..columns));
        operations.push(Operation {
            idle: if rng.random_bool(0.7) { 0 } else { rng.random_range(0..6) },
            reset: i == 60,
            cell: if both && i != 60 { cell(rng, row, column) } else { None },
            op: ProgramOp::Write,
            read: (i != 60).then_some(Read { wordlines, columns: setting.clone(), gain }),
        });
    }
    // What the program controller asks for, when no read is under way.
    for i in 0..40 {
        let op = [ProgramOp::Verify, ProgramOp::Up, ProgramOp::Down, ProgramOp::Erase][i / 2 % 4];
        let (row, column) = (rng.random_range(0..rows), rng.random_range(0..columns));
        let cell = cell(rng, row, column);
        let idle = config.read_interval_cycles() + config.program_cycles().min(20);
        operations.push(Operation { idle, reset: false, cell, op, read: None });
        operations.push(Operation { idle, reset: false, cell, op: ProgramOp::Verify, read: None });
    }
    operations
}

fn simulate(config: &ChipConfig, operations: &[Operation], body: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let lane_bits = config.lane_bits();
    let mut text = String::new();
    for o in operations {
        let (row, column, level) = o.cell.unwrap_or_default();
        let op = o.op as u8;
        let level = level & ((1 << config.level_bits()) - 1);
        let flags = [o.reset, o.cell.is_some(), o.read.is_some()].map(u8::from);
        text.push_str(&format!("{} {} {} {} {row:x} {column:x} {level:x} {op}", o.idle, flags[0], flags[1], flags[2]));
        match &o.read {
            None => text.push_str(" 0 0 0 0 0\n"),
            Some(r) => {
                let wordlines: Vec<bool> =
                    (0..config.rows()).map(|i| r.wordlines[i / 64] >> (i % 64) & 1 == 1).collect();
                let enable: Vec<bool> = r.columns.iter().map(Option::is_some).collect();
                let negative: Vec<bool> = r.columns.iter().map(|c| c.is_some_and(|c| c.0)).collect();
                let lanes: Vec<bool> = r
                    .columns
                    .iter()
                    .flat_map(|c| (0..lane_bits).map(|b| c.is_some_and(|c| c.1 >> b & 1 == 1)))
                    .collect();
                for bits in [wordlines, enable, negative, lanes] {
                    text.push_str(&format!(" {}", hex(&bits)));
                }
                text.push_str(&format!(" {:x}\n", r.gain));
            }
        }
    }
    std::fs::write(folder.path().join("operations.txt"), text).unwrap();
    std::fs::write(folder.path().join("macro.v"), body).unwrap();
    let bench = include_str!("macro_bench.v")
        .replace("@NAME@", &config.macro_name())
        .replace("@ROW_MSB@", &(clog2(config.rows()) - 1).to_string())
        .replace("@COLUMN_MSB@", &(clog2(config.columns()) - 1).to_string())
        .replace("@LEVEL_MSB@", &(config.level_bits() - 1).to_string())
        .replace("@ROWS@", &config.rows().to_string())
        .replace("@COLUMNS@", &config.columns().to_string())
        .replace("@LANES@", &config.lanes().to_string())
        .replace("@LANE_BITS@", &lane_bits.to_string())
        .replace("@ADC_BITS@", &config.adc_bits().to_string());
    std::fs::write(folder.path().join("bench.v"), bench).unwrap();
    quiet("iverilog", &["-g2012", "-o", "bench.vvp", "bench.v", "macro.v"], folder.path());
    quiet("vvp", &["-n", "bench.vvp"], folder.path())
}

fn hex(bits: &[bool]) -> String {
    let digit = |d: &[bool]| d.iter().rev().fold(0u32, |v, &b| v * 2 + u32::from(b));
    bits.chunks(4).rev().map(|d| format!("{:x}", digit(d))).collect()
}

/// Follows the log with the Rust model and the rules of the ports; tells whether codes met the low and the high rail.
fn follow(config: &ChipConfig, operations: &[Operation], log: &str) -> (bool, bool) {
    let mut crossbar = IdealMacro::new(config);
    let mut cells = operations.iter().filter_map(|o| Some((o.cell?, o.op)));
    let mut reads = operations.iter().filter_map(|o| o.read.as_ref());
    let (mut program_left, mut read_left) = (0, 0);
    let mut pipeline: VecDeque<Option<Vec<i32>>> = vec![None; config.read_latency_cycles()].into();
    let (low, high) = adc_range(config.adc_bits());
    let mut rails = (false, false);
    let mut started = false;
    let mut codes_seen = 0;
    for (cycle, line) in log.lines().filter(|l| l.starts_with(['0', '1'])).enumerate() {
        let fields: Vec<&str> = line.split(' ').collect();
        let bit = |i: usize| fields[i] == "1";
        if bit(0) {
            (program_left, read_left, started) = (0, 0, true);
            pipeline.iter_mut().for_each(|p| *p = None);
            continue;
        }
        assert!(started, "the log starts with reset");
        let at = format!("{}, cycle {cycle}: {line}", config.macro_name());
        assert_eq!(bit(2), program_left == 0, "program_ready of {at}");
        assert_eq!(bit(4), program_left == 0 && read_left == 0, "read_ready of {at}");
        let expected = pipeline.pop_front().unwrap();
        assert_eq!(bit(5), expected.is_some(), "code_valid of {at}");
        if let Some(expected) = expected {
            let digits = fields[6].as_bytes();
            let codes: Vec<i32> = digits
                .rchunks(config.adc_bits())
                .map(|c| c.iter().fold(0, |v, d| v * 2 + i32::from(d - b'0')))
                .map(|c| if c > high { c + 2 * low } else { c })
                .collect();
            assert_eq!(codes, expected, "codes of {at}");
            rails = (rails.0 || codes.contains(&low), rails.1 || codes.contains(&high));
            codes_seen += 1;
        }
        (program_left, read_left) = (program_left.max(1) - 1, read_left.max(1) - 1);
        let mut fresh = None;
        if bit(3) && bit(4) {
            let read = reads.next().unwrap();
            let switch = |c: &Option<(bool, usize)>| {
                c.map_or(0, |(negative, lane)| if negative { -(lane as i8) - 1 } else { lane as i8 + 1 })
            };
            crossbar.set_switches(&read.columns.iter().map(switch).collect::<Vec<_>>());
            let mut codes = vec![0; config.lanes()];
            crossbar.read(&read.wordlines, read.gain, &mut codes);
            fresh = Some(codes);
            read_left = config.read_interval_cycles() - 1;
        }
        if bit(1) && bit(2) {
            let ((row, column, level), op) = cells.next().unwrap();
            if op == ProgramOp::Verify {
                let mut codes = vec![crossbar.geometry().verify_code(0).clamp(low, high); config.lanes()];
                codes[0] = crossbar.geometry().verify_code(crossbar.level(row, column)).clamp(low, high);
                fresh = Some(codes);
            } else {
                crossbar.program(row, column, if op == ProgramOp::Erase { 0 } else { level });
                program_left = config.program_cycles();
            }
        }
        pipeline.push_back(fresh);
    }
    assert_eq!((cells.count(), reads.count()), (0, 0), "everything has transferred");
    assert!(codes_seen > 100, "{codes_seen} reads had codes");
    rails
}
