//! From Verilator's C++ to one shared library.

use crate::cache::{self, Key};
use crate::tools::{Compiler, Verilator};
use crate::{Error, Result};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

/// The parts of Verilator's `*_classes.mk`, which lists what it generated.
#[derive(Debug, Default, PartialEq, Eq)]
struct Classes {
    /// `-DVM_...` for each setting.
    defines: Vec<String>,
    fast: Vec<String>,
    slow: Vec<String>,
    /// Files of Verilator's own run-time.
    runtime: Vec<String>,
    /// Verilator split its output, as one file would be too large to compile.
    split: bool,
}

impl Classes {
    fn parse(makefile: &str) -> Self {
        let mut classes = Classes::default();
        let mut list = "";
        for line in makefile.lines().map(|line| line.trim().trim_end_matches('\\').trim()) {
            if line.is_empty() || line.starts_with('#') {
                list = "";
            } else if let Some((name, _)) = line.split_once("+=") {
                list = name.trim();
            } else if let Some((name, value)) = line.split_once('=') {
                let (name, value) = (name.trim(), value.trim());
                classes.split |= name == "VM_PARALLEL_BUILDS" && value == "1";
                classes.defines.push(format!("-D{name}={value}"));
            } else {
                let files = match list {
                    "VM_CLASSES_FAST" | "VM_SUPPORT_FAST" => &mut classes.fast,
                    "VM_CLASSES_SLOW" | "VM_SUPPORT_SLOW" => &mut classes.slow,
                    "VM_GLOBAL_FAST" | "VM_GLOBAL_SLOW" => &mut classes.runtime,
                    _ => continue,
                };
                files.push(line.to_string());
            }
        }
        classes
    }
}

/// One file to compile.
struct Unit {
    source: PathBuf,
    object: String,
    flags: &'static [&'static str],
}

/// The evaluation code: all for speed.
const FAST: &[&str] = &["-O3", "-fvisibility=hidden"];
/// Constructors and the like, which run once.
const SLOW: &[&str] = &["-O1", "-fvisibility=hidden"];
const RUNTIME: &[&str] = &["-O2", "-fvisibility=hidden", "-DVL_USER_FINISH", "-DVL_USER_STOP", "-DVL_USER_FATAL"];
/// The user's own text, whose functions can be looked up by name.
const SHIM_SOURCE: &[&str] = &["-O3"];

/// What the object files depend on besides their sources; goes into the cache key.
pub(crate) fn common_flags(compiler: &Compiler) -> Vec<String> {
    let mut flags: Vec<&str> = vec!["-std=gnu++17", "-fPIC", "-pthread", "-faligned-new", "-DVERILATOR=1"];
    if !compiler.native.is_empty() {
        flags.push("-march=native");
    }
    if compiler.is_gcc() {
        // Models of different Verilators in one process must not share the run-time's static variables.
        flags.push("-fno-gnu-unique");
    }
    flags.into_iter().map(String::from).collect()
}

/// Compiles the generated files in `folder`, with the shim and the user's shim source in it, into `folder/output`.
pub(crate) fn shared_library(
    verilator: &Verilator,
    compiler: &Compiler,
    cache: &Path,
    folder: &Path,
    output: &str,
) -> Result<()> {
    let write_error = |error: std::io::Error| Error::cache(folder, &error);
    let makefile = fs::read_to_string(folder.join("Vmodel_classes.mk")).map_err(write_error)?;
    let classes = Classes::parse(&makefile);
    let mut flags = common_flags(compiler);
    flags.extend(classes.defines.iter().cloned());
    for part in ["", "vltstd", "gtkwave", "fstcpp"] {
        let include = verilator.include.join(part);
        if include.is_dir() {
            flags.push(format!("-I{}", include.display()));
        }
    }
    let runtime = runtime_objects(verilator, compiler, cache, &flags, &classes.runtime)?;
    flags.push("-I.".to_string());

    let mut units = Vec::new();
    for (name, files, options) in [("fast", &classes.fast, FAST), ("slow", &classes.slow, SLOW)] {
        if classes.split {
            units.extend(files.iter().map(|file| unit(format!("{file}.cpp"), file, options)));
        } else {
            let mut all: String = files.iter().map(|file| format!("#include \"{file}.cpp\"\n")).collect();
            if name == "fast" {
                // Reading Verilator's headers takes longer than compiling the shim.
                all.push_str("#include \"shim.cpp\"\n");
            }
            fs::write(folder.join(format!("all_{name}.cpp")), all).map_err(write_error)?;
            units.push(unit(format!("all_{name}.cpp"), name, options));
        }
    }
    if classes.split {
        units.push(unit("shim.cpp", "shim", FAST));
    }
    if folder.join("shim_source.cpp").is_file() {
        units.push(unit("shim_source.cpp", "shim_source", SHIM_SOURCE));
    }
    compile_all(compiler, folder, &flags, &units)?;

    let mut link: Vec<String> = ["-shared", "-pthread", "-o", output].map(String::from).to_vec();
    if cfg!(target_os = "linux") {
        // A function that Verilog imports and nobody implements is an error here, not at the first call.
        link.extend(["-Wl,-Bsymbolic", "-Wl,-z,defs"].map(String::from));
    }
    link.extend(units.iter().map(|unit| unit.object.clone()));
    link.extend(runtime.iter().map(|path| path.display().to_string()));
    if classes.defines.iter().any(|define| define == "-DVM_TRACE_FST=1") {
        link.push("-lz".to_string());
        if verilator.include.join("fstcpp").is_dir() {
            link.push("-llz4".to_string());
        }
    }
    compiler.run("link", folder, link)
}

/// Verilator's run-time is the same for all models with the same settings: it is compiled once.
fn runtime_objects(
    verilator: &Verilator,
    compiler: &Compiler,
    cache: &Path,
    flags: &[String],
    files: &[String],
) -> Result<Vec<PathBuf>> {
    let key = Key::default().add(&verilator.version).add(&compiler.version).add(&compiler.native);
    let key = key.add_all(flags).add_all(RUNTIME).add_all(files).hex();
    let (folder, _) = cache::entry(cache, &format!("runtime-{key}"), |folder| {
        let source = |file: &String| verilator.include.join(format!("{file}.cpp"));
        let units: Vec<Unit> = files.iter().map(|file| unit(source(file), file, RUNTIME)).collect();
        compile_all(compiler, folder, flags, &units)
    })?;
    Ok(files.iter().map(|file| folder.join(format!("{file}.o"))).collect())
}

fn unit(source: impl Into<PathBuf>, name: &str, flags: &'static [&'static str]) -> Unit {
    Unit { source: source.into(), object: format!("{name}.o"), flags }
}

/// Compiles the units, as many at a time as there are processors.
fn compile_all(compiler: &Compiler, folder: &Path, flags: &[String], units: &[Unit]) -> Result<()> {
    let next = AtomicUsize::new(0);
    let worker = || {
        while let Some(unit) = units.get(next.fetch_add(1, Ordering::Relaxed)) {
            let source = unit.source.display().to_string();
            let args = flags.iter().map(String::as_str).chain(unit.flags.iter().copied());
            compiler.run(&source, folder, args.chain(["-c", &source, "-o", &unit.object]))?;
        }
        Ok(())
    };
    let workers = std::thread::available_parallelism().map_or(1, |n| n.get()).min(units.len());
    std::thread::scope(|scope| {
        let others: Vec<_> = (1..workers).map(|_| scope.spawn(worker)).collect();
        let mine = worker();
        others.into_iter().fold(mine, |result, other| match other.join() {
            Ok(theirs) => result.and(theirs),
            Err(panic) => std::panic::resume_unwind(panic),
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_list_of_classes() {
        let makefile = "# comment = none\nVM_TRACE = 1\nVM_PARALLEL_BUILDS = 1\nVM_CLASSES_FAST += \\\n\tVmodel \\\n  Vmodel__0 \\\n\n\
                        VM_SUPPORT_SLOW += \\\n\tVmodel__Syms \\\n\nVM_GLOBAL_FAST += \\\n  verilated \\\n\n# Verilated\n";
        let classes = Classes::parse(makefile);
        assert_eq!(classes.fast, ["Vmodel", "Vmodel__0"]);
        assert_eq!(classes.slow, ["Vmodel__Syms"]);
        assert_eq!(classes.runtime, ["verilated"]);
        assert!(classes.split && classes.defines.contains(&"-DVM_TRACE=1".to_string()));
    }
}
