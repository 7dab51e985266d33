//! What to build, and the build itself.

use crate::cache::{self, Key};
use crate::error::first_lines;
use crate::source::{self, Loaded, Source};
use crate::tools::{Compiler, Verilator, messages};
use crate::{Error, Library, Result, compile, ports, shim};
use std::fs;
use std::path::{Path, PathBuf};

/// Kind of waveform file that the models of a library can write.
///
/// A library built with traces is slower even while no trace is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Trace {
    /// None: the fastest model.
    #[default]
    None,
    /// FST: compact, faster to write than VCD.
    Fst,
    /// VCD: text, larger, understood by every viewer.
    Vcd,
}

/// Names of the library file in its cache entry.
const LIBRARY_FILE: &str = "model.so";

/// Describes a model: sources, top module and options.
///
/// ```no_run
/// # fn main() -> verilated::Result<()> {
/// let library = verilated::Build::new("counter").source(("counter.v", "module counter(...); ... endmodule")).build()?;
/// # Ok(()) }
/// ```
#[derive(Debug, Clone)]
pub struct Build {
    top: String,
    sources: Vec<Source>,
    args: Vec<String>,
    trace: Trace,
    clock: Option<String>,
    shim_source: Option<String>,
    cache: Option<PathBuf>,
    verilator: Option<PathBuf>,
    compiler: Option<PathBuf>,
}

impl Build {
    /// A model of the module `top`, with the clock port `clock` and without traces.
    pub fn new(top: impl Into<String>) -> Self {
        Build {
            top: top.into(),
            sources: Vec::new(),
            args: Vec::new(),
            trace: Trace::None,
            clock: Some("clock".to_string()),
            shim_source: None,
            cache: None,
            verilator: None,
            compiler: None,
        }
    }

    /// Adds a source: a path, or `(name, text)`.
    pub fn source(mut self, source: impl Into<Source>) -> Self {
        self.sources.push(source.into());
        self
    }

    /// Adds sources.
    pub fn sources<S: Into<Source>>(mut self, sources: impl IntoIterator<Item = S>) -> Self {
        self.sources.extend(sources.into_iter().map(Into::into));
        self
    }

    /// Defines a Verilog macro.
    pub fn define(self, name: &str, value: impl std::fmt::Display) -> Self {
        self.arg(format!("-D{name}={value}"))
    }

    /// Sets a parameter of the top module.
    pub fn parameter(self, name: &str, value: impl std::fmt::Display) -> Self {
        self.arg(format!("-G{name}={value}"))
    }

    /// Turns all of Verilator's warnings on (`-Wall`). Every warning that is on makes the build fail.
    pub fn lint(self, all: bool) -> Self {
        if all { self.arg("-Wall") } else { self }
    }

    /// Adds an argument for Verilator.
    pub fn arg(mut self, arg: impl Into<String>) -> Self {
        self.args.push(arg.into());
        self
    }

    /// Chooses the waveform format.
    pub fn trace(mut self, trace: Trace) -> Self {
        self.trace = trace;
        self
    }

    /// Names the one-bit clock port; `clock` if this is not called.
    pub fn clock(mut self, port: impl Into<String>) -> Self {
        self.clock = Some(port.into());
        self
    }

    /// Says that the module is combinational: a tick then evaluates once and counts a cycle.
    pub fn no_clock(mut self) -> Self {
        self.clock = None;
        self
    }

    /// Adds C++ text to the library, where functions that the Verilog imports (DPI) are implemented.
    ///
    /// The text sees Verilator's declarations of the imported functions, so that a wrong signature is refused, and
    /// `extern "C" void* verilated_user_data();`, the pointer of the model that is being evaluated
    /// ([`Instance::user_data`](crate::Instance::user_data)). Functions declared `extern "C"` are found by
    /// [`Library::symbol`]. Variables of the text are shared by all models that one process makes of this library.
    pub fn shim_source(mut self, text: impl Into<String>) -> Self {
        self.shim_source = Some(text.into());
        self
    }

    /// Folder for built models; else `BASISN_CACHE`, else `~/.cache/basisn/verilated`.
    pub fn cache_dir(mut self, folder: impl Into<PathBuf>) -> Self {
        self.cache = Some(folder.into());
        self
    }

    /// Verilator's executable; else `BASISN_VERILATOR`, else `verilator` on `PATH`.
    pub fn verilator(mut self, path: impl Into<PathBuf>) -> Self {
        self.verilator = Some(path.into());
        self
    }

    /// The C++ compiler; else `CXX`, else `c++` on `PATH`.
    pub fn compiler(mut self, path: impl Into<PathBuf>) -> Self {
        self.compiler = Some(path.into());
        self
    }

    /// Builds the library, or finds it in the cache, and loads it.
    pub fn build(&self) -> Result<Library> {
        let sources = source::load(&self.sources)?;
        let verilator = Verilator::find(self.verilator.as_deref())?;
        let compiler = Compiler::find(self.compiler.as_deref())?;
        let cache = self.cache_folder()?;
        let args = self.verilator_args();
        let key = Key::default()
            .add(&self.top)
            .add_all(&args)
            .add_all(sources.iter().flat_map(|source| [&source.name, &source.text]))
            .add_all(&self.shim_source)
            .add(shim::TEMPLATE)
            .add(env!("CARGO_PKG_VERSION"))
            .add(&verilator.version)
            .add(&compiler.version)
            .add(&compiler.native)
            .add_all(compile::common_flags(&compiler))
            .hex();
        let (folder, cached) = cache::entry(&cache, &format!("{}-{key}", self.top), |folder| {
            self.make(&verilator, &compiler, &cache, folder, &sources, &args)
        })?;
        Library::load(folder.join(LIBRARY_FILE), self.top.clone(), self.clock.clone(), cached)
    }

    /// Runs `verilator --lint-only -Wall` with this model's sources and arguments; returns the warnings.
    pub fn lint_only(&self) -> Result<Vec<String>> {
        let sources = source::load(&self.sources)?;
        let verilator = Verilator::find(self.verilator.as_deref())?;
        let folder = tempfile::tempdir().map_err(|error| Error::cache(&std::env::temp_dir(), &error))?;
        write_sources(folder.path(), &sources)?;
        let mut command = verilator.command();
        command.current_dir(folder.path()).args(["--lint-only", "-Wall", "-Wno-fatal", "--top-module", &self.top]);
        command.args(&self.args).args(compiled_names(&sources));
        let output = verilator.output(&mut command)?;
        let text = messages(&output);
        if !output.status.success() {
            return Err(Error::Verilate { top: self.top.clone(), output: first_lines(&text) });
        }
        Ok(warnings(&text))
    }

    /// An absolute path, as tools run in other folders.
    fn cache_folder(&self) -> Result<PathBuf> {
        let folder = self.cache.clone().map_or_else(cache::default_folder, Ok)?;
        std::path::absolute(&folder).map_err(|error| Error::cache(&folder, &error))
    }

    fn verilator_args(&self) -> Vec<String> {
        // `unique` start values: zero, or random on request, so that a missing reset can be found.
        let mut args: Vec<String> =
            ["--cc", "--prefix", "Vmodel", "-O3", "--assert", "--x-assign", "fast", "--x-initial", "unique"]
                .map(String::from)
                .to_vec();
        match self.trace {
            Trace::None => {}
            Trace::Fst => args.push("--trace-fst".to_string()),
            Trace::Vcd => args.push("--trace".to_string()),
        }
        args.extend(["--top-module".to_string(), self.top.clone()]);
        args.extend(self.args.iter().cloned());
        args
    }

    fn make(
        &self,
        verilator: &Verilator,
        compiler: &Compiler,
        cache: &Path,
        folder: &Path,
        sources: &[Loaded],
        args: &[String],
    ) -> Result<()> {
        let work = tempfile::tempdir_in(folder).map_err(|error| Error::cache(folder, &error))?;
        let write_error = |error: std::io::Error| Error::cache(work.path(), &error);
        let source_folder = work.path().join("src");
        let cpp = work.path().join("cpp");
        fs::create_dir(&source_folder).map_err(write_error)?;
        write_sources(&source_folder, sources)?;

        let mut command = verilator.command();
        command.current_dir(&source_folder).args(args).args(["-Mdir", "../cpp"]).args(compiled_names(sources));
        let output = verilator.output(&mut command)?;
        if !output.status.success() {
            return Err(Error::Verilate { top: self.top.clone(), output: first_lines(&messages(&output)) });
        }

        let header = fs::read_to_string(cpp.join("Vmodel.h")).map_err(write_error)?;
        fs::write(cpp.join("shim.cpp"), shim::text(&ports::parse(&header)?)).map_err(write_error)?;
        if let Some(text) = &self.shim_source {
            let has_imports = cpp.join("Vmodel__Dpi.h").is_file();
            fs::write(cpp.join("shim_source.cpp"), shim::user_text(text, has_imports)).map_err(write_error)?;
        }
        compile::shared_library(verilator, compiler, cache, &cpp, LIBRARY_FILE)?;
        fs::rename(cpp.join(LIBRARY_FILE), folder.join(LIBRARY_FILE)).map_err(write_error)
    }
}

/// Runs `verilator --lint-only -Wall` on the sources; returns the warnings, none for a clean design.
///
/// ```no_run
/// # fn main() -> verilated::Result<()> {
/// let warnings = verilated::lint([("lane.v", "module lane(input wire clock); endmodule")], "lane")?;
/// assert!(warnings.iter().any(|text| text.contains("UNUSED")));
/// # Ok(()) }
/// ```
pub fn lint<S: Into<Source>>(sources: impl IntoIterator<Item = S>, top: &str) -> Result<Vec<String>> {
    Build::new(top).sources(sources).lint_only()
}

fn write_sources(folder: &Path, sources: &[Loaded]) -> Result<()> {
    sources.iter().try_for_each(|source| {
        let path = folder.join(&source.name);
        fs::write(&path, &source.text).map_err(|error| Error::cache(&path, &error))
    })
}

fn compiled_names(sources: &[Loaded]) -> impl Iterator<Item = &str> {
    sources.iter().filter(|source| source.is_compiled()).map(|source| source.name.as_str())
}

/// One text for each warning: its first line and the lines that show the place.
fn warnings(text: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        if line.starts_with("%Warning") {
            found.push(line.to_string());
        } else if let (Some(last), true) = (found.last_mut(), line.starts_with(' ')) {
            last.push('\n');
            last.push_str(line);
        }
    }
    found
}
