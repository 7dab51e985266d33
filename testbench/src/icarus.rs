//! The same stimulus through Icarus Verilog: an event-driven simulator that reads the emitted text its own way.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use basisn_arch::{ChipConfig, Geometry, LayerProgram, Program};
use basisn_models::rram::{Device, DeviceMacro};
use basisn_models::verilog::{self, Body};

use crate::{Error, LayerStimulus, chip, vectors};

/// A Verilog testbench that runs the vectors of a layer on any core.
pub const TESTBENCH: &str = include_str!("../verilog/stream_tb.v");

/// A chip in Icarus Verilog. Every layer is a run of its own, with the basis written anew.
#[derive(Debug)]
pub struct Icarus {
    config: ChipConfig,
    files: Vec<PathBuf>,
    folder: tempfile::TempDir,
    stall_percent: u32,
    seed: u64,
    device: Option<Device>,
}

impl Icarus {
    /// Generates the sources of a chip with the portable macro body; streams stall in `stall_percent` of the cycles.
    ///
    /// # Errors
    /// The generator refuses the configuration, or the temporary folder cannot be written.
    pub fn new(config: &ChipConfig, seed: u64, stall_percent: u32) -> Result<Self, Error> {
        Self::with_device(config, seed, stall_percent, None)
    }

    /// As [`Icarus::new`], with what programming, faults and age make of the cells of a device.
    ///
    /// # Errors
    /// As [`Icarus::new`].
    pub fn with_device(
        config: &ChipConfig,
        seed: u64,
        stall_percent: u32,
        device: Option<Device>,
    ) -> Result<Self, Error> {
        let body = if device.is_some() { Body::PortableDevice } else { Body::Portable };
        let folder = tempfile::tempdir().map_err(|e| failed("temporary folder", &e))?;
        let mut files = Vec::new();
        let testbench = ("stream_tb.v".to_string(), TESTBENCH.to_string());
        for (name, text) in chip::sources(config, body)?.into_iter().chain([testbench]) {
            let path = folder.path().join(name);
            fs::write(&path, text).map_err(|e| failed("temporary folder", &e))?;
            files.push(path);
        }
        Ok(Icarus { config: config.clone(), files, folder, stall_percent, seed, device })
    }

    /// Runs one layer on its input; results are `[kernel][position]`.
    ///
    /// # Errors
    /// Icarus is missing or refuses the text, or the core hangs.
    pub fn run_layer(&mut self, program: &Program, layer: &LayerProgram, input: &[i32]) -> Result<Vec<i64>, Error> {
        let patches = layer.shape.im2col(input);
        let positions = layer.shape.positions();
        let mut values = vec![0; positions * layer.shape.kernels];
        for (core, share) in self.config.shares(positions).into_iter().enumerate() {
            self.write_cells(program, core)?;
            let stimulus = LayerStimulus::new(&self.config, layer, &patches, share);
            for (i, value) in self.simulate(program, &stimulus)?.into_iter().enumerate() {
                let Some((kernel, position)) = stimulus.result_place(i) else { continue };
                values[kernel * positions + position] = value;
            }
        }
        Ok(values)
    }

    /// The cells of every tile of a core, where its macro reads them.
    fn write_cells(&self, program: &Program, core: usize) -> Result<(), Error> {
        let Some(device) = &self.device else { return Ok(()) };
        write_cells(&self.config, program, device, core, "stream_tb.core", self.folder.path())
    }

    fn simulate(&mut self, program: &Program, stimulus: &LayerStimulus) -> Result<Vec<i64>, Error> {
        let at = |name: &str| self.folder.path().join(name);
        let mut vectors = vectors::layer(&self.config, stimulus, None);
        vectors.push(("program.hex", vectors::program(program)));
        for (name, text) in &vectors {
            fs::write(at(name), text).map_err(|e| failed(name, &e))?;
        }
        self.seed += 1;
        let simulation = at("core.vvp");
        let sizes = sizes(&self.config, &vectors, stimulus.results());
        let mut compile = Command::new("iverilog");
        compile.args(["-g2012", "-s", "stream_tb", "-o"]).arg(&simulation);
        compile.args(sizes.iter().map(|(name, value)| format!("-D{name}={value}"))).args(&self.files);
        output(&mut compile)?;
        let mut run = Command::new("vvp");
        run.current_dir(self.folder.path()).arg("-n").arg(&simulation).arg(plusarg("vectors", self.folder.path()));
        run.arg(plusarg("results", &at("results")));
        run.args([format!("+seed={}", self.seed & 0x7fff_ffff), format!("+stall={}", self.stall_percent)]);
        output(&mut run)?;
        let text = fs::read_to_string(at("results")).map_err(|e| failed("results", &e))?;
        parse(&text, stimulus)
    }
}

/// The macros that [`TESTBENCH`] wants for these vectors.
pub fn sizes(config: &ChipConfig, vectors: &[(&str, String)], results: usize) -> Vec<(&'static str, usize)> {
    let lines = |file: &str| vectors.iter().find(|(name, _)| *name == file).map_or(0, |(_, text)| text.lines().count());
    let width = config.drain_width();
    let mut sizes = vec![
        ("SLOT_BITS", config.slot_stream_bits()),
        ("ACTIVATION_BITS", 8 * config.activation_stream_bytes()),
        ("PROGRAM", lines("program.hex")),
        ("REGISTERS", lines("registers.hex")),
        ("SLOTS", lines("slots.hex")),
        ("ACTIVATIONS", lines("activations.hex")),
        ("RESULTS", results),
        ("RESULT_WIDTH", width),
    ];
    if width > 1 {
        sizes.push(("RESULT_KEEP", 1));
    }
    sizes
}

/// The cells of every tile of a core, which is at `path`, as files that [`Body::PortableDevice`] reads.
pub(crate) fn write_cells(
    config: &ChipConfig,
    program: &Program,
    device: &Device,
    core: usize,
    path: &str,
    folder: &Path,
) -> Result<(), Error> {
    for tile in 0..config.tiles() {
        let mut cells = DeviceMacro::new(Geometry::from(config), device, core, tile);
        cells.program_all(program.basis_of(tile));
        let name = format!("{path}.tile_{tile}.rram_macro.hex");
        fs::write(folder.join(&name), verilog::cells_hex(&cells, config)).map_err(|e| failed(&name, &e))?;
    }
    Ok(())
}

fn plusarg(name: &str, path: &Path) -> String {
    format!("+{name}={}", path.display())
}

fn parse(text: &str, stimulus: &LayerStimulus) -> Result<Vec<i64>, Error> {
    let broken = |cause: String| Error::Protocol { at: "Icarus".into(), cause };
    let total = stimulus.results();
    let mut values = Vec::with_capacity(total);
    for line in text.lines() {
        match line.split_once(' ') {
            Some(("hang", state)) => {
                return Err(Error::Hang { at: "Icarus".into(), cycles: 200_000, state: state.into() });
            }
            Some(("end", _)) => break,
            Some((value, last)) => {
                let value =
                    u64::from_str_radix(value, 16).map_err(|_| broken(format!("result {}: {line}", values.len())))?;
                values.push(value.cast_signed());
                if (last == "1") != (values.len() == total) {
                    return Err(broken(format!("`last` is wrong at result {} of {total}", values.len())));
                }
            }
            None => return Err(broken(line.into())),
        }
    }
    if values.len() == total { Ok(values) } else { Err(broken(format!("{} results of {total}", values.len()))) }
}

fn output(command: &mut Command) -> Result<(), Error> {
    let name = command.get_program().to_string_lossy().into_owned();
    let out = command.output().map_err(|e| Error::Simulator {
        at: name.clone(),
        cause: e.to_string(),
        fix: "install Icarus Verilog (Debian package iverilog)".into(),
    })?;
    if out.status.success() {
        return Ok(());
    }
    let text = format!("{}{}", String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr));
    let cause = text.lines().take(20).collect::<Vec<_>>().join("\n         ");
    Err(Error::Simulator { at: name, cause, fix: "report it with the configuration".into() })
}

pub(crate) fn failed(at: &str, cause: &std::io::Error) -> Error {
    Error::Simulator { at: at.into(), cause: cause.to_string(), fix: "make room in the temporary folder".into() }
}
