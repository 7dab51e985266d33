//! What the documents and the help texts say is true: commands run, files and packages are there.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod common;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use common::{Ran, basisn, folder, root};

/// Folders of the project that documents name.
const FOLDERS: &[&str] = &[
    "arch",
    "cli",
    "compiler",
    "constraints",
    "docs",
    "evaluate",
    "examples",
    "hdl",
    "presets",
    "scripts",
    "sim-models",
    "testbench",
    "train",
];

fn documents() -> Vec<PathBuf> {
    let root = root();
    let pages = [
        "README.md",
        "CONTRIBUTING.md",
        "constraints/README.md",
        "examples/digits/README.md",
        "examples/cocotb/README.md",
    ];
    let mut found = pages.map(|page| root.join(page)).to_vec();
    found.extend(
        fs::read_dir(root.join("docs"))
            .unwrap()
            .map(|e| e.unwrap().path())
            .filter(|p| p.extension().is_some_and(|e| e == "md")),
    );
    found
}

/// Commands of a document: lines of `sh` and `console` blocks, and what is in backticks; parts joined by `&&` one by one.
fn commands(text: &str) -> Vec<String> {
    let mut lines = Vec::new();
    let mut fence: Option<&str> = None;
    for line in text.replace("\\\n", " ").lines() {
        match (line.strip_prefix("```"), fence) {
            (Some(kind), None) => fence = Some(if ["sh", "console"].contains(&kind) { "commands" } else { "other" }),
            (Some(_), Some(_)) => fence = None,
            (None, Some("commands")) => lines.push(line.trim_start_matches("$ ").to_string()),
            (None, Some(_)) => {}
            (None, None) => lines.extend(line.split('`').skip(1).step_by(2).map(String::from)),
        }
    }
    let parts = lines.iter().flat_map(|line| line.split("&&"));
    parts.map(|part| part.split(" # ").next().unwrap_or("").trim().to_string()).collect()
}

/// The example at the end of a help text.
fn example(help: &str) -> String {
    let start = help.find("Example:\n").or_else(|| help.find("Start with:\n"));
    let (_, example) = help[start.unwrap_or_else(|| panic!("no example in {help}"))..].split_once('\n').unwrap();
    example.replace("\\\n", " ").trim().to_string()
}

/// Runs a command in a folder where a demonstration has run; gives why it is wrong.
fn run(folder: &Path, line: &str) -> Option<String> {
    let words: Vec<&str> =
        line.split_whitespace().filter(|word| !word.contains('=') || word.starts_with('-')).collect();
    match words.first().map(|word| word.trim_start_matches("./")) {
        Some("basisn" | "target/release/basisn") if words.len() > 1 => {
            let mut arguments = words[1..].join(" ");
            if words[1] == "train" {
                // Trains for a while, and needs the trainer: its own tests run it. Its files must be there.
                let missing = words.iter().find(|w| w.starts_with("examples/") && !folder.join(w).exists());
                return missing.map(|file| format!("{line}: {file} is not there"));
            }
            if words[1] == "demo" && !line.contains("--images") {
                arguments += " --images 1";
            } else if words.len() == 2 && !words[1].starts_with('-') {
                // The name of a command, not a use of it.
                arguments = format!("help {}", words[1]);
            }
            let ran = basisn(folder, &arguments);
            (ran.code != Some(0)).then(|| format!("{line}: {ran:#?}"))
        }
        Some("cargo") => {
            let named = words.windows(2).filter(|pair| ["-p", "--package"].contains(&pair[0])).map(|pair| pair[1]);
            let missing: Vec<_> = named.filter(|name| !packages().contains(&(*name).to_string())).collect();
            (!missing.is_empty()).then(|| format!("{line}: no package {missing:?}"))
        }
        Some(script) if script.starts_with("scripts/") && !script.contains('.') => {
            let executable = fs::metadata(root().join(script)).is_ok_and(|m| m.permissions().mode() & 0o111 != 0);
            (!executable).then(|| format!("{line}: no such script"))
        }
        _ => None,
    }
}

fn packages() -> Vec<String> {
    let lock = fs::read_to_string(root().join("Cargo.lock")).unwrap();
    lock.lines().filter_map(|l| Some(l.strip_prefix("name = \"")?.trim_end_matches('"').to_string())).collect()
}

#[test]
fn every_command_of_documents_and_help_texts_runs() {
    let folder = folder();
    let help = basisn(folder.path(), "--help").ok();
    let mut lines = vec![example(&help)];
    let listed = help.lines().skip_while(|l| *l != "Commands:").skip(1).take_while(|l| l.starts_with("  "));
    for subcommand in listed.filter_map(|l| l.split_whitespace().next()).filter(|name| *name != "help") {
        lines.push(example(&basisn(folder.path(), &format!("help {subcommand}")).ok()));
    }
    assert!(lines.len() > 6, "{lines:?}");
    for document in documents() {
        lines.extend(commands(&fs::read_to_string(document).unwrap()));
    }
    let mut seen = std::collections::BTreeSet::new();
    lines.retain(|line| seen.insert(line.clone()));
    assert!(lines.iter().filter(|l| l.starts_with("basisn ")).count() > 6, "{lines:?}");
    // The first line is the demonstration, whose results others read.
    let wrong: Vec<_> = lines.iter().filter_map(|line| run(folder.path(), line)).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_file_that_documents_name_is_there() {
    let root = root();
    let mut wrong = Vec::new();
    for document in documents() {
        let text = fs::read_to_string(&document).unwrap();
        let here = document.parent().unwrap();
        for link in text.split("](").skip(1).filter_map(|rest| rest.split([')', '#']).next()) {
            if !link.is_empty() && !link.contains("://") && !here.join(link).exists() {
                wrong.push(format!("{}: link to {link}", document.display()));
            }
        }
        let quoted = text.split('`').skip(1).step_by(2).flat_map(str::split_whitespace);
        for word in quoted.map(|w| w.trim_start_matches("./").trim_end_matches(['.', ',', ';', ':'])) {
            let first = word.split('/').next().unwrap_or("");
            let plain = word.chars().all(|c| c.is_ascii_alphanumeric() || "/_-.".contains(c));
            if plain && word.contains('/') && FOLDERS.contains(&first) && !root.join(word).exists() {
                wrong.push(format!("{}: {word}", document.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn programs_in_c_compile() {
    let (folder, root) = (folder(), root());
    basisn(folder.path(), "generate --config tiny --out ip").ok();
    let page = fs::read_to_string(root.join("docs/hardware.md")).unwrap();
    let programs: Vec<_> = page.split("```c\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
    assert!(!programs.is_empty());
    let mut files = vec![root.join("examples/driver/basisn.c")];
    for (i, program) in programs.iter().enumerate() {
        files.push(folder.path().join(format!("{i}.c")));
        fs::write(&files[i + 1], program).unwrap();
    }
    let flags = ["-std=c99", "-pedantic", "-Wall", "-Wextra", "-Werror", "-fsyntax-only", "-Iip", "-I"];
    let mut cc = Command::new("cc");
    let compiled: Ran = cc
        .current_dir(folder.path())
        .args(flags)
        .arg(root.join("examples/driver"))
        .args(files)
        .output()
        .unwrap()
        .into();
    compiled.ok();
}
