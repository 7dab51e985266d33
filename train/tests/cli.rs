//! The command: its output, its exit codes, and what a failed or stopped run leaves behind.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

fn digits() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/digits")
}

fn command(network: &Path, out: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_basisn-train"));
    command.arg("--network").arg(network).arg("--data").arg(digits()).arg("--out").arg(out);
    command
}

#[test]
fn json_goes_to_standard_output_and_the_epoch_table_to_standard_error() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("weights.safetensors");
    let result = command(&digits().join("network.toml"), &out).args(["--epochs", "1", "--json"]).output().unwrap();
    assert!(result.status.success(), "{result:?}");
    let report: serde_json::Value = serde_json::from_slice(&result.stdout).unwrap();
    assert_eq!((report["epochs"].as_u64(), report["test_images"].as_u64()), (Some(1), Some(599)));
    for key in ["test_accuracy", "validation_accuracy", "train_loss", "seconds"] {
        assert!(report[key].as_f64().is_some_and(|value| value > 0.0), "{key}: {report}");
    }
    assert_eq!(String::from_utf8(result.stderr).unwrap().lines().count(), 2, "a heading and one epoch");
    assert!(out.is_file());
}

#[test]
fn refusals_exit_with_1_and_wrong_use_with_2() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("weights.safetensors");
    let result = command(&folder.path().join("none.toml"), &out).output().unwrap();
    assert_eq!(result.status.code(), Some(1));
    let text = String::from_utf8(result.stderr).unwrap();
    assert!(text.starts_with("error: cannot read a file\n  at:    ") && text.contains("none.toml"), "{text}");

    let result = command(&digits().join("network.toml"), &folder.path().join("none/w")).output().unwrap();
    assert_eq!(result.status.code(), Some(1));
    assert_eq!(String::from_utf8(result.stderr).unwrap().lines().count(), 4, "refused before the first epoch");

    let result = command(&digits().join("network.toml"), &out).args(["--epochs", "many"]).output().unwrap();
    assert_eq!(result.status.code(), Some(2));
}

#[test]
fn a_stopped_run_leaves_the_folder_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("weights.safetensors");
    std::fs::write(&out, "older weights").unwrap();
    let mut child = command(&digits().join("network.toml"), &out).stderr(Stdio::piped()).spawn().unwrap();
    let mut rows = BufReader::new(child.stderr.take().unwrap()).lines();
    rows.nth(1).unwrap().unwrap();
    child.kill().unwrap();
    assert!(!child.wait().unwrap().success());
    assert_eq!(std::fs::read(&out).unwrap(), b"older weights");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}
