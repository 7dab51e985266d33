//! Program-and-verify through RTL: pulses, cycles, failed cells and what is then computed are those of the Rust model of the same devices.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::sync::Arc;

use basisn_arch::{ChipConfig, Program};
use basisn_models::random::{generator, seed};
use basisn_models::rram::verify::Writing;
use basisn_models::rram::{Device, MacroModel};
use basisn_models::verilog::Body;
use basisn_models::{NetProblem, golden};
use basisn_testbench::{Chip, Stalls, chip};
use verilated::{Library, Trace};

fn model(text: &str) -> MacroModel {
    MacroModel::from_toml(&format!("{text}\n[write_verify]\nthrough_adc = true\n"), "test").unwrap()
}

/// `tiny` with changed keys.
fn tiny(keys: &[(&str, usize)]) -> ChipConfig {
    keys.iter().fold(ChipConfig::load("tiny").unwrap(), |config, (key, value)| config.with(key, *value).unwrap())
}

fn build(config: &ChipConfig, body: Body, change: Option<(&str, &str, &str)>) -> Library {
    let mut files = chip::sources(config, body).unwrap();
    if let Some((file, from, to)) = change {
        let (_, text) = files.iter_mut().find(|(name, _)| *name == format!("{file}.v")).unwrap();
        assert_eq!(text.matches(from).count(), 1, "{file}: {from}");
        *text = text.replace(from, to);
    }
    chip::verilate(files, body, Trace::None).unwrap()
}

/// Writes and runs a program on RTL and by the model; what differs first.
fn compare(library: &Library, config: &ChipConfig, problem: &NetProblem, device: &Device) -> Result<Writing, String> {
    let expected = Writing::new(config, &problem.program, device);
    let mut rtl = Chip::start(library, config, &problem.program, Some(device), None).map_err(|e| e.to_string())?;
    let (mut pulses, mut cycles, mut failed) = (0, 0, Vec::new());
    for (core, written) in rtl.written().iter().enumerate() {
        pulses += written.pulses;
        cycles = cycles.max(written.busy_cycles);
        failed.extend(written.failed.iter().map(|f| (core, f.tile, f.row, f.column, f.level, f.in_levels(config).got)));
    }
    let cell = |f: &basisn_models::rram::verify::FailedChipCell| {
        (f.core, f.tile, f.cell.row, f.cell.column, f.cell.level, f.cell.got)
    };
    let mut wanted: Vec<_> = expected.failed_cells.iter().map(cell).collect();
    let place = |f: &(usize, usize, usize, usize, i32, f64)| (f.0, f.1, f.2, f.3);
    wanted.sort_by_key(place);
    failed.sort_by_key(place);
    if failed != wanted {
        return Err(format!("failed cells {failed:?}, {wanted:?} expected"));
    }
    if pulses != expected.pulses() || Some(cycles) != expected.cycles {
        return Err(format!(
            "{pulses} pulses in {cycles} cycles, {} in {:?} expected",
            expected.pulses(),
            expected.cycles
        ));
    }
    let mut golden = golden::Core::with_device(config, &problem.program, Some(device)).unwrap();
    let wanted = golden.run(&problem.inputs[0]).unwrap();
    let got = rtl.run(&problem.program, &problem.inputs[0], &mut Stalls::none()).map_err(|e| e.to_string())?;
    if got.values != wanted.values { Err("the results differ".into()) } else { Ok(expected) }
}

#[test]
fn chips_written_by_the_program_controller_equal_the_model() {
    let seed = seed();
    println!("BASISN_SEED={seed}");
    let mut rng = generator(seed);
    let chips = [
        tiny(&[("chip.cores", 2), ("core.tiles", 3), ("crossbar.cell_bits", 3), ("crossbar.rows", 11)]),
        tiny(&[
            ("crossbar.cell_bits", 5),
            ("adc.bits", 4),
            ("crossbar.read_latency_cycles", 1),
            ("crossbar.program_cycles", 0),
        ]),
    ];
    let faults = "preset = \"worst\"\n[faults]\nstuck_low = 0.03\nstuck_high = 0.03\n";
    let offset = "preset = \"worst\"\n[cell]\nencoding = \"offset_column\"\n";
    let models = ["preset = \"neurram\"", "preset = \"isaac\"", faults, offset].map(model);
    let (mut failed, mut without_pulses) = (0, 0);
    for config in &chips {
        let library = build(config, Body::Dpi, None);
        for model in &models {
            let device = Device { model: Arc::new(model.clone()), seed };
            let problem = NetProblem::random(&mut rng, config, 2, 1);
            let written = compare(&library, config, &problem, &device).unwrap();
            failed += written.failed_cells.len();
            without_pulses += written.cells_by_pulses[0];
        }
    }
    assert!(failed > 50, "{failed} cells failed");
    assert!(without_pulses > 0, "level 0 is there from the start");
}

#[test]
fn bodies_with_ideal_cells_are_written_in_one_pulse() {
    let seed = seed();
    println!("BASISN_SEED={seed}");
    let mut rng = generator(seed);
    let config = tiny(&[("core.tiles", 2), ("crossbar.cell_bits", 3)]);
    for body in [Body::Portable, Body::Dpi] {
        let library = build(&config, body, None);
        let problem = NetProblem::random(&mut rng, &config, 2, 1);
        let mut core = basisn_testbench::Core::new(library.instance().start().unwrap(), &config).unwrap();
        let verification = basisn_arch::Verification { max_pulses: 3, tolerance_codes: 0 };
        // Written twice: from level 0, and over another program, whose cells of the other sign are erased first.
        let other = Program {
            basis: problem.program.basis.iter().map(|b| b.iter().map(|l| -l).collect()).collect(),
            ..problem.program.clone()
        };
        let first = core.program(&problem.program, Some(&verification)).unwrap();
        let again = core.program(&problem.program, Some(&verification)).unwrap();
        let second = core.program(&other, Some(&verification)).unwrap();
        let tiles = if problem.program.basis.len() == 1 { 2 } else { 1 };
        let cells = problem.program.basis.iter().flatten().filter(|level| **level != 0).count() as u64;
        assert_eq!([first.pulses, again.pulses, second.pulses], [cells * tiles, 0, 2 * cells * tiles], "{body:?}");
        assert!(first.failed.is_empty() && again.failed.is_empty() && second.failed.is_empty());
    }
}

#[test]
fn seeded_bugs_are_noticed() {
    let config = tiny(&[("core.tiles", 2), ("crossbar.cell_bits", 3)]);
    let device = Device { model: Arc::new(model("preset = \"worst\"\n[faults]\nstuck_low = 0.05\n")), seed: 7 };
    let problem = NetProblem::random(&mut generator(7), &config, 2, 1);
    compare(&build(&config, Body::Dpi, None), &config, &problem, &device).unwrap();
    let mutants = [
        ("a pulse too many", "program_controller", "pulses >= max_pulses", "pulses > max_pulses"),
        ("failed cells are not reported", "program_controller", "failed_here = (state == 3'h5)", "failed_here = 1'h0"),
        ("the tolerance is not kept above", "verify_compare", "margin = {2'h0, tolerance}", "margin = 10'h0"),
        ("no cell is erased", "verify_compare", "if (other_sign)", "if (1'h0)"),
    ];
    for (name, file, from, to) in mutants {
        let shown = compare(&build(&config, Body::Dpi, Some((file, from, to))), &config, &problem, &device);
        println!("{name}: {}", shown.as_ref().unwrap_err().replace('\n', "").chars().take(150).collect::<String>());
        assert!(shown.is_err(), "{name} is not noticed");
    }
}
