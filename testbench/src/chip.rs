//! A chip in RTL: the generated core with a macro body, verilated; the basis written through its programming port; layers run on it.

use std::sync::Arc;

use basisn_arch::{ChipConfig, Counters, Geometry, LayerProgram, Program};
use basisn_models::dpi;
use basisn_models::rram::Device;
use basisn_models::verilog::{self, Body};
use basisn_models::{NetRun, steps};
use verilated::{Build, Instance, Library, Trace};

use crate::{Core, Error, LayerStimulus, Programmed, Stalls};

/// What the chip computed for one layer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LayerRun {
    /// Results, `[kernel][position]`; of a layer in a network they are moved to [`NetRun`].
    pub values: Vec<i64>,
    /// Clock cycle at which each of them left its core.
    pub at_cycle: Vec<u64>,
    /// Counters: of the slowest core for cycles, of all cores together for the rest.
    pub counters: Counters,
}

/// The files that Verilator gets: the generated core and the body of the macro.
///
/// # Errors
/// The generator refuses the configuration.
pub fn sources(config: &ChipConfig, body: Body) -> Result<Vec<(String, String)>, Error> {
    let mut files: Vec<_> = basisn_hdl::generate_core(config)?.into_iter().map(|f| (f.name, f.text)).collect();
    files.push((format!("{}.v", config.macro_name()), verilog::macro_body(config, body)));
    Ok(files)
}

/// Verilates files into a library, or takes it from the cache.
///
/// # Errors
/// Verilator or the C++ compiler is missing or refuses the files.
pub fn verilate(files: Vec<(String, String)>, body: Body, trace: Trace) -> Result<Library, Error> {
    let mut build = Build::new("basisn_core").sources(files).trace(trace);
    if body == Body::Dpi {
        build = build.shim_source(dpi::shim());
    }
    let library = build.build()?;
    if body == Body::Dpi {
        crate::dpi::connect(&library)?;
    }
    Ok(library)
}

/// A chip that has been programmed and runs layers. Its cores are simulated one after another on one model.
#[derive(Debug)]
pub struct Chip {
    core: Core,
    config: ChipConfig,
    written: Vec<Programmed>,
    /// Of non-ideal macros.
    session: Option<Arc<dpi::Session>>,
    inference: u32,
    layer: u32,
}

impl Chip {
    /// Starts a model with random register contents, resets it and writes the basis of `program` into its crossbars.
    ///
    /// # Errors
    /// The program does not fit the chip, or the simulation fails.
    pub fn new(library: &Library, config: &ChipConfig, program: &Program) -> Result<Self, Error> {
        Self::start(library, config, program, None, None)
    }

    /// As [`Chip::new`], with the errors of `device` in macros of [`Body::Dpi`], and writing a trace from the reset on; for that the
    /// library must have been built for traces.
    ///
    /// # Errors
    /// As [`Chip::new`], or the trace cannot be written.
    pub fn start(
        library: &Library,
        config: &ChipConfig,
        program: &Program,
        device: Option<&Device>,
        trace: Option<&std::path::Path>,
    ) -> Result<Self, Error> {
        let session = device.map(|device| Arc::new(dpi::Session::new(device.clone())));
        let chip = || Self::in_session(library.instance(), config, program, device, trace, session.clone());
        dpi::with_session(session.clone(), chip)
    }

    /// As [`Chip::start`], with what programming, faults and age make of the cells of a device, in macros of [`Body::PortableDevice`]. All
    /// cores have the devices of the first one.
    ///
    /// # Errors
    /// As [`Chip::start`], or the files of the cells cannot be written.
    pub fn start_portable(
        library: &Library,
        config: &ChipConfig,
        program: &Program,
        device: &Device,
        trace: Option<&std::path::Path>,
    ) -> Result<Self, Error> {
        let folder = tempfile::tempdir().map_err(|e| crate::icarus::failed("temporary folder", &e))?;
        crate::icarus::write_cells(config, program, device, 0, "TOP.basisn_core", folder.path())?;
        let cells = format!("+cells={}", folder.path().display());
        Self::in_session(library.instance().argument(&cells)?, config, program, None, trace, None)
    }

    fn in_session(
        instance: Instance,
        config: &ChipConfig,
        program: &Program,
        device: Option<&Device>,
        trace: Option<&std::path::Path>,
        session: Option<Arc<dpi::Session>>,
    ) -> Result<Self, Error> {
        program.check(config)?;
        let mut model = instance.random_state(0x2407_0373).start()?;
        if let Some(path) = trace {
            model.trace_to(path)?;
        }
        let mut core = Core::new(model, config)?;
        let verification = device.and_then(|device| device.model.verification(&Geometry::from(config)));
        // Cores whose macros write by themselves hold what the first one holds; those that verify have devices of their own.
        let cores = if verification.is_some() { config.cores() } else { 1 };
        let mut written = Vec::with_capacity(cores);
        for index in 0..cores {
            if let Some(session) = &session {
                session.begin(0, 0, index as u32);
            }
            written.push(core.program(program, verification.as_ref())?);
        }
        Ok(Chip { core, config: config.clone(), written, session, inference: 0, layer: 0 })
    }

    /// Number of the inference that runs next: read noise depends on it. It counts up with every [`Chip::run`].
    pub fn set_inference(&mut self, inference: u32) {
        self.inference = inference;
    }

    /// Clock cycles that writing the basis took, of the slowest core.
    pub fn program_cycles(&self) -> u64 {
        self.written.iter().map(|core| core.cycles).max().unwrap_or(0)
    }

    /// What writing the basis took: of each core if the cores verify, else of the first one.
    pub fn written(&self) -> &[Programmed] {
        &self.written
    }

    /// Clock cycles simulated so far.
    pub fn cycle(&self) -> u64 {
        self.core.cycle()
    }

    /// Completes the trace, if one is written.
    ///
    /// # Errors
    /// The trace could not be written.
    pub fn close_trace(&mut self) -> Result<(), Error> {
        self.core.close_trace()
    }

    /// Runs one layer on its input, `[channel][height][width]`.
    ///
    /// # Errors
    /// A rule of the interface is broken, the core hangs, or the simulation fails.
    pub fn run_layer(&mut self, layer: &LayerProgram, input: &[i32], stalls: &mut Stalls) -> Result<LayerRun, Error> {
        let patches = layer.shape.im2col(input);
        let positions = layer.shape.positions();
        let mut run = LayerRun {
            values: vec![0; positions * layer.shape.kernels],
            at_cycle: vec![0; positions * layer.shape.kernels],
            counters: Counters::default(),
        };
        for (core, share) in self.config.shares(positions).into_iter().enumerate() {
            if let Some(session) = &self.session {
                session.begin(self.inference, self.layer, core as u32);
            }
            let stimulus = LayerStimulus::new(&self.config, layer, &patches, share);
            let result = self.core.run_layer(&layer.name, &stimulus, stalls)?;
            for (i, (&value, &cycle)) in result.values.iter().zip(&result.at_cycle).enumerate() {
                let Some((kernel, position)) = stimulus.result_place(i) else { continue };
                run.values[kernel * positions + position] = value;
                run.at_cycle[kernel * positions + position] = cycle;
            }
            run.counters = run.counters.beside(&result.counters);
        }
        Ok(run)
    }

    /// Runs a network: its layers on the chip, the steps between them on the host.
    ///
    /// # Errors
    /// The image does not fit the program, or as [`Chip::run_layer`].
    pub fn run(&mut self, program: &Program, image: &[i32], stalls: &mut Stalls) -> Result<NetRun<LayerRun>, Error> {
        let run = steps::run(program, image, |index, input| {
            self.layer = index as u32;
            let mut run = self.run_layer(&program.layers[index], input, stalls)?;
            Ok::<_, Error>((std::mem::take(&mut run.values), run))
        })?;
        self.inference = self.inference.wrapping_add(1);
        Ok(run)
    }
}
