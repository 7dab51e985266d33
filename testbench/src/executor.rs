//! The executors that the common suite compares with the golden reference: generated RTL in Verilator and in Icarus.

use std::collections::HashMap;
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};

use basisn_arch::{ChipConfig, Program};
use basisn_models::rram::Device;
use basisn_models::verilog::Body;
use basisn_models::{Executor, ExecutorError, NetRun, steps};
use verilated::{Library, Trace};

use crate::icarus::Icarus;
use crate::{Chip, Error, LayerRun, Stalls, chip};

/// A change of one emitted file, to show that the suite notices it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Mutation {
    /// File name, without folder.
    pub file: String,
    /// Text that must occur in the file.
    pub from: String,
    /// What replaces its first occurrence.
    pub to: String,
}

/// Generated RTL under Verilator, with random stalls on every stream.
#[derive(Clone, Debug)]
pub struct Verilator {
    body: Body,
    seed: u64,
    stall_percent: u32,
    mutation: Option<Mutation>,
    device: Option<Device>,
}

impl Verilator {
    /// With a macro body; streams stall in `stall_percent` of the cycles.
    pub fn new(body: Body, seed: u64, stall_percent: u32) -> Self {
        Verilator { body, seed, stall_percent, mutation: None, device: None }
    }

    /// The same with one change in the emitted text.
    pub fn mutated(mut self, mutation: Mutation) -> Self {
        self.mutation = Some(mutation);
        self
    }

    /// The same with the errors of a device; for macros of [`Body::Dpi`].
    pub fn with_device(mut self, device: Device) -> Self {
        self.device = Some(device);
        self
    }

    /// Runs a program and gives also cycles and counters.
    ///
    /// # Errors
    /// The simulation cannot be built or fails.
    pub fn run_network(
        &self,
        config: &ChipConfig,
        program: &Program,
        image: &[i32],
    ) -> Result<NetRun<LayerRun>, Error> {
        let library = self.library(config)?;
        let mut stalls = Stalls::random(self.seed, self.stall_percent);
        Chip::start(&library, config, program, self.device.as_ref(), None)?.run(program, image, &mut stalls)
    }

    /// A suite runs many problems on few chips: each is generated and verilated once in a process.
    fn library(&self, config: &ChipConfig) -> Result<Library, Error> {
        let key = (config.to_toml(), self.body, self.mutation.clone());
        if let Some(library) = libraries().get(&key) {
            return Ok(library.clone());
        }
        let mut files = chip::sources(config, self.body)?;
        if let Some(mutation) = &self.mutation {
            apply(mutation, &mut files)?;
        }
        // Built outside the lock, so that other chips are built at the same time.
        let library = chip::verilate(files, self.body, Trace::None)?;
        libraries().insert(key, library.clone());
        Ok(library)
    }
}

type Libraries = HashMap<(String, Body, Option<Mutation>), Library>;

fn libraries() -> MutexGuard<'static, Libraries> {
    static LIBRARIES: LazyLock<Mutex<Libraries>> = LazyLock::new(Mutex::default);
    LIBRARIES.lock().unwrap_or_else(PoisonError::into_inner)
}

fn apply(mutation: &Mutation, files: &mut [(String, String)]) -> Result<(), Error> {
    let file = files.iter_mut().find(|(name, text)| *name == mutation.file && text.contains(&mutation.from));
    let (_, text) = file.ok_or_else(|| Error::Simulator {
        at: mutation.file.clone(),
        cause: format!("the text to change does not occur: {}", mutation.from),
        fix: "bring the mutation up to date with the generator".into(),
    })?;
    *text = text.replacen(&mutation.from, &mutation.to, 1);
    Ok(())
}

impl Executor for Verilator {
    fn name(&self) -> &str {
        match self.body {
            Body::Dpi => "Verilator, DPI macro",
            _ => "Verilator, Verilog macro",
        }
    }

    fn run(&mut self, config: &ChipConfig, program: &Program, input: &[i32]) -> Result<Vec<Vec<i64>>, ExecutorError> {
        Ok(self.run_network(config, program, input)?.values)
    }
}

/// Generated RTL with the portable macro body under Icarus Verilog, with random stalls on every stream.
#[derive(Clone, Copy, Debug)]
pub struct IcarusVerilog {
    /// Seed of the stalls.
    pub seed: u64,
    /// Share of stalled cycles.
    pub stall_percent: u32,
}

impl Executor for IcarusVerilog {
    fn name(&self) -> &str {
        "Icarus Verilog"
    }

    fn run(&mut self, config: &ChipConfig, program: &Program, input: &[i32]) -> Result<Vec<Vec<i64>>, ExecutorError> {
        program.check(config)?;
        let mut icarus = Icarus::new(config, self.seed, self.stall_percent)?;
        let run = steps::run(program, input, |index, input| {
            Ok::<_, ExecutorError>((icarus.run_layer(program, &program.layers[index], input)?, ()))
        });
        Ok(run?.values)
    }
}
