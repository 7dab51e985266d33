//! Ctrl-C in the middle: one message, exit code 1, and nothing left of the output.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod common;

use std::io::{BufRead as _, BufReader, Read as _};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use common::{Ran, command, folder, names};

/// Starts a demonstration, sends a signal to it and its children when it names a step, as a terminal does, and waits.
fn interrupted(folder: &Path, signal: &str, step: &str, cache: Option<&Path>) {
    // All held-out images, so that every step is far from its end when the signal comes.
    let mut demo = command(folder, "demo --images 599 --out new/demo");
    if let Some(cache) = cache {
        demo.env("BASISN_CACHE", cache);
    }
    let mut child = demo.process_group(0).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    while !line.contains(step) {
        line.clear();
        assert!(out.read_line(&mut line).unwrap() > 0, "`{step}` never came");
    }
    assert!(folder.join("new").is_dir(), "output is being prepared");
    let sent = Command::new("kill").args(["-s", signal, "--", &format!("-{}", child.id())]).status().unwrap();
    assert!(sent.success());
    let mut rest = String::new();
    out.read_to_string(&mut rest).unwrap();
    let ran = Ran::from(child.wait_with_output().unwrap());
    ran.refused(1, &["interrupted", "run the command again"]);
    assert!(!rest.contains("bit-exact"), "{rest}");
    assert_eq!(names(folder), ["examples"], "after {signal} in `{step}`");
}

#[test]
fn an_interrupt_leaves_one_message_and_no_output() {
    for (signal, step) in [("INT", "fit"), ("INT", "golden reference"), ("TERM", "RTL in Verilator")] {
        interrupted(folder().path(), signal, step, None);
    }
}

#[test]
fn an_interrupted_build_is_not_taken_for_a_whole_one() {
    let cache = tempfile::tempdir().unwrap();
    interrupted(folder().path(), "INT", "build it with Verilator", Some(cache.path()));
    let left = names(cache.path());
    assert!(left.iter().all(|name| name.starts_with('.')), "{left:?}");
}
