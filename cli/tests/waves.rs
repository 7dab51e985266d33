//! The timing diagrams of the documentation are what the generated core does.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod common;

use std::process::Command;

use common::{BASISN, Ran, root};

#[test]
fn timing_diagrams_are_as_simulated() {
    let mut check = Command::new(root().join("scripts/waves"));
    let ran: Ran = check.args(["--check", "--basisn", BASISN]).output().unwrap().into();
    assert_eq!(ran.out, "", "{ran:#?}");
    ran.ok();
}
