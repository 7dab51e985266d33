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
fn a_reader_that_goes_away_ends_nothing_badly() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("weights.safetensors");
    let mut training = command(&digits().join("network.toml"), &out);
    let mut child = training.args(["--epochs", "1"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let result = child.wait_with_output().unwrap();
    let text = String::from_utf8(result.stderr).unwrap();
    assert!(result.status.success() && !text.contains("panicked"), "{text}");
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
fn an_interrupted_run_goes_on_and_gives_the_same_file_as_one_that_was_not() {
    let folder = tempfile::tempdir().unwrap();
    let weights = digits().join("weights.safetensors");
    let run = |out: &Path| {
        let mut command = command(&digits().join("network.toml"), out);
        command.arg("--from").arg(&weights).args(["--groups", "4", "--epochs", "4", "--adc-epochs", "1"]);
        command
    };
    let (whole, out) = (folder.path().join("whole"), folder.path().join("out"));
    assert!(run(&whole).output().unwrap().status.success());

    std::fs::write(&out, "older").unwrap();
    let mut child = run(&out).stderr(Stdio::piped()).spawn().unwrap();
    let mut rows = BufReader::new(child.stderr.take().unwrap()).lines();
    rows.nth(1).unwrap().unwrap();
    assert!(Command::new("kill").args(["-s", "INT", &child.id().to_string()]).status().unwrap().success());
    let rest: Vec<String> = rows.map_while(Result::ok).collect();
    assert_eq!(child.wait().unwrap().code(), Some(1));
    let rest = rest.join("\n");
    assert!(rest.contains("error: interrupted\n  at:    Ctrl-C") && rest.contains("--resume"), "{rest}");
    assert_eq!(std::fs::read(&out).unwrap(), b"older");

    let resumed = run(&out).arg("--resume").output().unwrap();
    assert!(resumed.status.success(), "{resumed:?}");
    assert_eq!(std::fs::read(&out).unwrap(), std::fs::read(&whole).unwrap());
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2, "no checkpoint is left");
}

#[test]
fn a_divergence_keeps_the_last_good_checkpoint_and_the_older_result() {
    let folder = tempfile::tempdir().unwrap();
    let (out, log) = (folder.path().join("weights"), folder.path().join("log.csv"));
    std::fs::write(&out, "older").unwrap();
    let result = command(&digits().join("network.toml"), &out)
        .args(["--learning-rate", "3e4", "--warm-up", "6", "--epochs", "40", "--optimizer", "sgd", "--log"])
        .arg(&log)
        .output()
        .unwrap();
    assert_eq!(result.status.code(), Some(1));
    let text = String::from_utf8(result.stderr).unwrap();
    assert!(text.contains("error: training diverged\n  at:    epoch "), "{text}");
    assert_eq!(std::fs::read(&out).unwrap(), b"older");
}

#[test]
fn a_built_in_network_learns_drawn_images_and_goes_on_as_coefficients() {
    let folder = tempfile::tempdir().unwrap();
    let (weights, fitted) = (folder.path().join("weights"), folder.path().join("fitted"));
    let run = |out: &Path, more: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_basisn-train"));
        command.args(["--network", "resnet8", "--data", "synthetic:4:60", "--epochs", "1", "--json"]);
        command.arg("--out").arg(out).args(more).output().unwrap()
    };
    let float = run(&weights, &[]);
    assert!(float.status.success(), "{float:?}");
    let from = weights.to_string_lossy();
    let coefficients = run(&fitted, &["--from", &from, "--groups", "4", "--adc-epochs", "0"]);
    assert!(coefficients.status.success(), "{coefficients:?}");
    let report: serde_json::Value = serde_json::from_slice(&coefficients.stdout).unwrap();
    assert_eq!(report["test_images"].as_u64(), Some(12));
    assert_eq!(report["coefficients"]["test"]["differences"].as_array().map(Vec::len), Some(0));
}

#[test]
fn a_refit_tells_what_its_chip_gained() {
    let folder = tempfile::tempdir().unwrap();
    let (model, out) = (folder.path().join("cells.toml"), folder.path().join("refit.safetensors"));
    std::fs::write(&model, "[cell]\ng_min_us = 100.0\ng_max_us = 200.0\n[programming]\nsigma = 0.3\n").unwrap();
    let run = |chip: &[&str]| {
        let mut command = command(&digits().join("network.toml"), &out);
        command.arg("--from").arg(digits().join("weights.safetensors")).args(["--groups", "4", "--epochs", "1"]);
        command.arg("--fitted").arg(digits().join("fitted.safetensors")).args(["--learning-rate", "0.01"]).args(chip);
        command.output().unwrap()
    };
    let on_chip = ["--refit-on", model.to_str().unwrap(), "--chip", "3"];
    let report: serde_json::Value = serde_json::from_slice(&run(&[&on_chip[..], &["--json"]].concat()).stdout).unwrap();
    let refit = &report["coefficients"]["refit"];
    let part = |part: &str| (refit[part]["right"].as_u64().unwrap(), refit[part]["loss"].as_f64().unwrap());
    let ((right_before, loss_before), (right, loss)) = (part("before"), part("after"));
    assert!(right > right_before && loss < loss_before, "{refit}");
    assert_eq!(Some(right), report["coefficients"]["test"]["right"].as_u64(), "as the golden reference has it");
    let text = String::from_utf8(run(&on_chip).stdout).unwrap();
    assert!(text.contains(&format!("on this chip before the refit: {right_before} of 599 images right, ")), "{text}");

    let report: serde_json::Value = serde_json::from_slice(&run(&["--json"]).stdout).unwrap();
    assert!(report["coefficients"]["refit"].is_null(), "no chip, no refit");
}

#[test]
fn a_plan_is_searched_for_a_number_of_cycles_and_read_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let run = |more: &[&str], out: &str| {
        let mut command = command(&digits().join("network.toml"), &path(out));
        command.arg("--from").arg(digits().join("weights.safetensors"));
        let result = command.args(["--epochs", "1", "--adc-epochs", "0", "--json"]).args(more).output().unwrap();
        assert!(result.status.success(), "{result:?}");
        serde_json::from_slice::<serde_json::Value>(&result.stdout).unwrap()["coefficients"]["cycles"].as_u64()
    };
    let (plan, table) = (path("plan.toml").display().to_string(), path("table.csv").display().to_string());
    let searched = run(&["--target-cycles", "9000", "--save-plan", &plan, "--save-sensitivity", &table], "a");
    assert!(searched.is_some_and(|cycles| cycles <= 9000), "{searched:?}");
    assert_eq!(run(&["--plan", &plan], "b"), searched);
    assert_eq!(std::fs::read(path("a")).unwrap(), std::fs::read(path("b")).unwrap());
    // Four layers, groups of 1 to 8, 1 to 3 planes.
    assert_eq!(std::fs::read_to_string(&table).unwrap().lines().count(), 1 + 4 * 4 * 3);
}

#[test]
fn log_and_report_tell_how_it_went() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let result = command(&digits().join("network.toml"), &path("out"))
        .arg("--from")
        .arg(digits().join("weights.safetensors"))
        .args(["--groups", "8", "--epochs", "2", "--json", "--golden-every-epoch", "--log"])
        .arg(path("log.csv"))
        .arg("--report")
        .arg(path("report.html"))
        .output()
        .unwrap();
    assert!(result.status.success(), "{result:?}");
    let rows = String::from_utf8(result.stderr).unwrap();
    assert_eq!(rows.matches("on golden, no difference").count(), 2, "{rows}");
    let report: serde_json::Value = serde_json::from_slice(&result.stdout).unwrap();
    let coefficients = &report["coefficients"];
    assert_eq!(coefficients["slots_per_subvector"].as_f64(), Some(1.0));
    assert_eq!(coefficients["test"]["differences"].as_array().map(Vec::len), Some(0));
    let log = std::fs::read_to_string(path("log.csv")).unwrap();
    let columns: Vec<usize> = log.lines().map(|line| line.split(',').count()).collect();
    assert_eq!(columns, [10, 10, 10], "{log}");
    let page = std::fs::read_to_string(path("report.html")).unwrap();
    for part in ["<!DOCTYPE html>", "Contests", "conv3", "SNR, dB", "polyline", "</html>"] {
        assert!(page.contains(part), "{part}");
    }
    assert!(!page.contains("http"), "nothing from elsewhere");
}
