//! docs/modules.md says of every module what its emitted text says. `BASISN_UPDATE=1 cargo test --release -p basisn-hdl --test modules`
//! writes it again.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use basisn_arch::ChipConfig;
use basisn_hdl::{EmittedFile, generate_core};

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/modules.md");
const DIAGRAM: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/core.svg");
const HEAD: &str = "# Modules of the core

Taken from the Verilog that `basisn generate` emits for `digits` with `skip_zero_planes`; another chip has the same modules with other widths, memories and
numbers of tiles, lanes and requantizers, and `plane_finder` only with that option. A signal has the same name in every module that it passes through. The four
lines head every file of `rtl/` too. What the modules do together is in [The core](hardware.md).

Not listed: `clock` and `reset` (synchronous, active high), which all have but the memories, which have no reset.
";

/// What a module's text says of it.
struct Described {
    name: String,
    /// Function, Latency, Handshake, Invariants.
    lines: [String; 4],
    inputs: Vec<String>,
    outputs: Vec<String>,
    /// Instances of other modules.
    instances: Vec<String>,
}

const KEYS: [&str; 4] = ["Function", "Latency", "Handshake", "Invariants"];

/// Memories differ in size only, and so do macros.
fn kind(module: &str) -> String {
    match module.split('_').next() {
        Some("memory") => "memory_<words>x<bits>".into(),
        Some("rram") => "rram_macro_<geometry>".into(),
        _ => module.into(),
    }
}

fn describe(file: &EmittedFile) -> Described {
    let (head, rest) = file.text.split_once("\nmodule ").unwrap();
    let (ports, body) = rest.split_once("\n);").unwrap();
    let comments = head.lines().filter_map(|line| line.strip_prefix("// ")).collect::<Vec<_>>().join("\n");
    let part = |key: usize| {
        let (_, after) =
            comments.split_once(&format!("{}:", KEYS[key])).unwrap_or_else(|| panic!("{}: {head}", file.name));
        let until = KEYS.get(key + 1).map_or(after, |next| after.split(&format!("\n{next}:")).next().unwrap());
        let text = until.split_whitespace().collect::<Vec<_>>().join(" ");
        // One of several memories stands for all.
        match file.name.trim_end_matches(".v").strip_prefix("memory_").and_then(|size| size.split_once('x')) {
            Some((words, bits)) => text.replace(&format!("{words} words of {bits} bits"), "words"),
            None => text,
        }
    };
    let side = |direction: &str| {
        let words = ports.lines().map(|line| line.trim().trim_end_matches(',').split_whitespace().collect::<Vec<_>>());
        let of_side = words.filter(|words| words.first() == Some(&direction));
        of_side
            .map(|words| words.last().unwrap().to_string())
            .filter(|name| !["clock", "reset"].contains(&name.as_str()))
            .collect()
    };
    let instance = |line: &str| {
        let (module, name) = line.strip_prefix("    ")?.strip_suffix(" (")?.split_once(' ')?;
        (!module.is_empty() && !name.contains(' ')).then(|| kind(module))
    };
    Described {
        name: kind(file.name.trim_end_matches(".v")),
        lines: [0, 1, 2, 3].map(part),
        inputs: side("input"),
        outputs: side("output"),
        instances: body.lines().filter_map(instance).collect(),
    }
}

/// `a` or `a (4)`, each in backticks.
fn counted(modules: &[String]) -> String {
    let mut counts = BTreeMap::new();
    modules.iter().for_each(|module| *counts.entry(module).or_insert(0) += 1);
    let text = |(module, count): (&String, usize)| match count {
        1 => format!("`{module}`"),
        _ => format!("`{module}` ({count})"),
    };
    counts.into_iter().map(text).collect::<Vec<_>>().join(", ")
}

fn page(files: &[EmittedFile]) -> String {
    let mut modules: Vec<_> = files.iter().rev().map(describe).collect();
    let mut seen = BTreeSet::new();
    modules.retain(|module| seen.insert(module.name.clone()));
    let mut page = String::from(HEAD);
    for module in &modules {
        let _ = writeln!(page, "\n## `{}`\n\n| | |\n|---|---|", module.name);
        for (key, text) in KEYS.iter().zip(&module.lines) {
            let _ = writeln!(page, "| {key} | {} |", text.replace('|', "\\|").replace('*', "\\*"));
        }
        let within: Vec<_> = modules
            .iter()
            .filter(|parent| parent.instances.contains(&module.name))
            .map(|parent| parent.name.clone())
            .collect();
        let names = |ports: &[String]| ports.iter().map(|port| format!("`{port}`")).collect::<Vec<_>>().join(", ");
        for (key, text) in [
            ("In", counted(&within)),
            ("Has", counted(&module.instances)),
            ("Inputs", names(&module.inputs)),
            ("Outputs", names(&module.outputs)),
        ] {
            if !text.is_empty() {
                let _ = writeln!(page, "| {key} | {text} |");
            }
        }
    }
    page
}

#[test]
fn the_page_of_modules_says_what_their_text_says() {
    let config = ChipConfig::load("digits").unwrap().with("core.skip_zero_planes", 1).unwrap();
    let page = page(&generate_core(&config).unwrap());
    if std::env::var_os("BASISN_UPDATE").is_some() {
        std::fs::write(PAGE, &page).unwrap();
    }
    let committed = std::fs::read_to_string(PAGE).unwrap_or_default();
    assert!(
        page == committed,
        "docs/modules.md is out of date; run BASISN_UPDATE=1 cargo test --release -p basisn-hdl --test modules"
    );
}

#[test]
fn the_block_diagram_has_every_part_of_core_and_tile() {
    let diagram = std::fs::read_to_string(DIAGRAM).unwrap();
    let files = generate_core(&ChipConfig::load("digits").unwrap()).unwrap();
    let structure = files.iter().map(describe).filter(|module| ["basisn_core", "tile"].contains(&module.name.as_str()));
    let parts: BTreeSet<_> = structure.flat_map(|module| module.instances).collect();
    assert!(parts.len() > 15, "{parts:?}");
    let drawn = |part: &String| {
        let name = part.split("_<").next().unwrap();
        diagram.contains(&format!(">{name}<")) || diagram.contains(&format!(">{name} "))
    };
    let missing: Vec<_> = parts.iter().filter(|part| !drawn(part)).collect();
    assert!(missing.is_empty(), "docs/core.svg does not show {missing:?}");
}
