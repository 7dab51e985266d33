//! `docs/results.md` and `docs/results.csv` are what the program says now. Accept changes that you have read with `scripts/results`.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod csv;
mod networks;
mod tables;

use std::fs;
use std::path::{Path, PathBuf};

use basisn_arch::ChipConfig;
use basisn_evaluate::{Chip, Constants};

const BEGIN: &str = "<!-- tables: scripts/results -->\n";

fn docs(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs").join(name)
}

/// The first line that differs ends the test.
fn compare(name: &str, now: &str, then: &str) {
    let differs = now.lines().zip(then.lines()).find(|(now, then)| now != then);
    if let Some((now, then)) = differs {
        panic!("docs/{name} is out of date; run scripts/results\n  document: {then}\n  program:  {now}");
    }
    assert_eq!(now.lines().count(), then.lines().count(), "docs/{name} is out of date; run scripts/results");
}

#[test]
fn the_documents_say_what_the_program_says() {
    let constants = Constants::built_in().unwrap();
    let chip = Chip::new(&ChipConfig::load("isaac").unwrap(), constants.values());
    let all = networks::evaluated(&constants, &chip);
    let (tables, csv) = (tables::all(&constants, &chip, &all), csv::all(&all));
    let document = fs::read_to_string(docs("results.md")).unwrap();
    let (text, tables_there) = document.split_once(BEGIN).unwrap();
    if std::env::var_os("BASISN_UPDATE").is_some() {
        fs::write(docs("results.md"), format!("{text}{BEGIN}{tables}")).unwrap();
        fs::write(docs("results.csv"), csv).unwrap();
        return;
    }
    compare("results.md", &tables, tables_there);
    compare("results.csv", &csv, &fs::read_to_string(docs("results.csv")).unwrap());
}
