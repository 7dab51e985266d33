//! `basisn train` hands over to a program that not everybody builds.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod common;

use std::path::Path;
use std::process::Command;

use common::{BASISN, Ran, executable, folder, script};

#[test]
fn a_missing_trainer_is_told_with_the_way_to_build_it() {
    let folder = folder();
    // A copy: beside the original there may be a trainer.
    let copy = executable(Path::new(BASISN), &folder.path().join("basisn"));
    let ran: Ran = Command::new(&copy).args(["train", "--help"]).env("PATH", folder.path()).output().unwrap().into();
    ran.refused(1, &["a program is missing", "basisn-train", "cargo build --release --package basisn-train"]);
}

#[test]
fn options_output_and_exit_code_are_the_trainers() {
    let folder = folder();
    script(folder.path(), "basisn-train", "#!/bin/sh\necho \"options: $*\"\nexit 7\n");
    let copy = executable(Path::new(BASISN), &folder.path().join("basisn"));
    let ran: Ran = Command::new(&copy).args(["train", "--seed", "3", "--help"]).output().unwrap().into();
    assert_eq!((ran.code, ran.out.as_str(), ran.err.as_str()), (Some(7), "options: --seed 3 --help\n", ""));
}
