//! Runs the Verilog tools that the tests need.
#![allow(dead_code, clippy::unwrap_used, clippy::panic)] // Each test file uses a part; a test may panic.

use std::path::Path;
use std::process::Command;

use basisn_hdl::EmittedFile;
use basisn_hdl::build::Header;
use rand::SeedableRng;
use rand::rngs::StdRng;

/// The header of modules that exist for a test.
pub const HEADER: Header = Header::new("is there for a test.", "0 cycles.", "none.", "none.");

/// A generator with the seed of `BASISN_SEED`, or a fixed one; the seed is printed.
pub fn random() -> StdRng {
    let seed = std::env::var("BASISN_SEED").ok().and_then(|text| text.parse().ok()).unwrap_or(1);
    println!("BASISN_SEED={seed}");
    StdRng::seed_from_u64(seed)
}

/// Writes the files and gives their names.
pub fn write(folder: &Path, files: &[EmittedFile]) -> Vec<String> {
    for file in files {
        std::fs::write(folder.join(&file.name), &file.text).unwrap();
    }
    files.iter().map(|file| file.name.clone()).collect()
}

/// Runs a tool in a folder; it must succeed. Gives what it printed.
pub fn tool(folder: &Path, program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).current_dir(folder).output();
    let output = output.unwrap_or_else(|e| panic!("{program} is needed for this test: {e}"));
    let printed = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{program} {arguments:?}:\n{printed}");
    printed
}
