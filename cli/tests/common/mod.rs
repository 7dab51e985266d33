//! Runs `basisn` as a user does: in a folder of its own, with the examples in it.

#![allow(dead_code, reason = "every test file takes what it needs")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

use tempfile::TempDir;

/// The program under test.
pub const BASISN: &str = env!("CARGO_BIN_EXE_basisn");

/// Images of the examples.
pub const IMAGES: &str = "examples/digits/images.npy";

/// Root of the repository.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().unwrap()
}

/// A new folder with `examples` in it, as in the repository.
pub fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(root().join("examples"), folder.path().join("examples")).unwrap();
    folder
}

/// A folder with a program for the smallest chip.
pub fn tiny() -> TempDir {
    let folder = folder();
    basisn(folder.path(), "compile --config tiny --out p.safetensors").ok();
    folder
}

/// Output of a simulation of that program.
pub fn simulate(folder: &Path, more: &str) -> String {
    basisn(folder, &format!("simulate --program p.safetensors --input {IMAGES} {more}")).ok()
}

/// What a command left behind.
#[derive(Debug)]
pub struct Ran {
    /// Exit code; `None` if a signal ended it.
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        Ran { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    }
}

impl Ran {
    /// The run succeeded; gives its standard output.
    pub fn ok(self) -> String {
        assert_eq!(self.code, Some(0), "{self:#?}");
        self.out
    }

    /// The run failed with this code and one complete message that holds all of `parts`.
    pub fn refused(&self, code: i32, parts: &[&str]) {
        assert_eq!(self.code, Some(code), "{self:#?}");
        assert_eq!(self.err.lines().filter(|line| line.starts_with("error: ")).count(), 1, "{self:#?}");
        for label in ["\n  at:    ", "\n  cause: ", "\n  fix:   "] {
            assert_eq!(self.err.matches(label).count(), 1, "{label:?} in {self:#?}");
        }
        for part in parts {
            assert!(self.err.contains(part), "{part:?} in {self:#?}");
        }
        assert!(!self.err.contains("panicked"), "{self:#?}");
    }
}

/// Runs `basisn` with arguments separated by blanks.
pub fn basisn(folder: &Path, arguments: &str) -> Ran {
    command(folder, arguments).output().unwrap().into()
}

/// The same, not yet started.
pub fn command(folder: &Path, arguments: &str) -> Command {
    let mut command = Command::new(BASISN);
    command.current_dir(folder).args(arguments.split_whitespace());
    command
}

/// A program of the project's Python environment, which is made if it is not there.
pub fn python(program: &str) -> PathBuf {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    let folder = FOLDER.get_or_init(|| {
        let made = Command::new(root().join("scripts/venv")).output().unwrap();
        assert!(made.status.success(), "{made:#?}");
        String::from_utf8(made.stdout).unwrap().trim().into()
    });
    folder.join(program)
}

/// Runs a line of bash, in which `$BASISN` is the program.
pub fn bash(folder: &Path, line: &str) -> Ran {
    Command::new("bash").current_dir(folder).env("BASISN", BASISN).args(["-c", line]).output().unwrap().into()
}

/// Puts an executable script into a folder.
pub fn script(folder: &Path, name: &str, text: &str) -> PathBuf {
    let source = folder.join(format!("{name}.text"));
    fs::write(&source, text).unwrap();
    let script = executable(&source, &folder.join(name));
    fs::remove_file(source).unwrap();
    script
}

/// Copies an executable. Another process writes the copy: a program that this process has open for writing cannot be started, and
/// other tests of this process start programs at any time, which then hold it open.
pub fn executable(from: &Path, to: &Path) -> PathBuf {
    assert!(Command::new("install").args(["-m", "755"]).args([from, to]).status().unwrap().success());
    to.to_path_buf()
}

/// Names in a folder, hidden ones too, sorted.
pub fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> =
        fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

/// All files below a folder, by their path in it, sorted.
pub fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(folder).unwrap().display().to_string();
                found.push((name, fs::read(path).unwrap()));
            }
        }
    }
    found.sort();
    found
}

/// Compiles the first layer of the digits network for the smallest chip: `layer.safetensors`, for waveforms of moderate size.
pub fn one_layer(folder: &Path) {
    basisn(folder, "compile --config tiny --out layer.safetensors").ok();
    let path = folder.join("layer.safetensors");
    let mut program = basisn_arch::Program::load(&path).unwrap();
    program.layers.truncate(1);
    program.steps.truncate(1);
    program.save(&path).unwrap();
}

/// A preset with some `key = value` lines changed, written as `chip.toml`.
pub fn chip(folder: &Path, preset: &str, changes: &[(&str, &str)]) {
    let mut text = fs::read_to_string(root().join(format!("presets/{preset}.toml"))).unwrap();
    for (from, to) in changes {
        assert_eq!(text.matches(from).count(), 1, "{from:?} in {preset}");
        text = text.replace(from, to);
    }
    fs::write(folder.join("chip.toml"), text).unwrap();
}
