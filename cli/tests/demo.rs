//! `basisn demo`, the main road: what it prints, what it leaves, and that it does the same every time.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod common;

use std::fs;

use common::{basisn, files, folder};

/// Values of all layers of one image.
const VALUES: u64 = 64 * 16 + 64 * 32 + 16 * 32 + 10;

#[test]
fn the_demonstration_is_bit_exact_complete_and_the_same_every_time() {
    let folder = folder();
    let json = basisn(folder.path(), "demo --images 12 --json --out a/demo").ok();
    let figures: serde_json::Value = serde_json::from_str(&json).unwrap();
    for key in ["float_accuracy", "golden_accuracy", "rtl_accuracy"] {
        let value = figures[key].as_f64().unwrap();
        assert!((0.99..=1.0).contains(&value), "{key}: {value}");
    }
    for (key, expected) in
        [("images_rtl", 12), ("layers_compared", 4), ("values_compared", 2 * 12 * VALUES), ("mismatches", 0)]
    {
        assert_eq!(figures[key], expected, "{key}");
    }
    let number = |key: &str| figures[key].as_u64().unwrap();
    let dense = |key: &str| figures["dense"][key].as_u64().unwrap();
    assert!(number("cycles_per_inference") > number("reads_per_inference") && number("reads_per_inference") > 1000);
    assert!(dense("cycles_per_inference") > dense("reads_per_inference"));
    assert!(dense("reads_per_inference") > 4 * number("reads_per_inference"), "training pays");
    assert!(figures["dense"]["golden_accuracy"].as_f64().unwrap() >= 0.99);
    assert!((figures["slots_per_subvector"].as_f64().unwrap() - 616.0 / 344.0).abs() < 1e-12);
    assert!(number("slots") >= number("slots_lower_bound") && number("slots_lower_bound") > 0);

    let left = folder.path().join("a/demo");
    assert_eq!(fs::read_to_string(left.join("demo.json")).unwrap(), json);
    let report = fs::read_to_string(left.join("report.html")).unwrap();
    assert!(!report.contains("http") && !report.contains("src="), "the report needs nothing from elsewhere");
    assert_eq!(report.matches("<svg").count(), 2, "pictures of the basis and of a switch setting");

    let text = basisn(folder.path(), "demo --images 12 --out b").ok();
    let last = text.lines().last().unwrap();
    assert_eq!(last, format!("bit-exact: 4 layers, {} values, 0 mismatches", 2 * 12 * VALUES));
    let emitted = |at: &str| {
        let timed = |name: &str| name == "demo.json" || name == "report.html";
        files(&folder.path().join(at)).into_iter().filter(|(name, _)| !timed(name)).collect::<Vec<_>>()
    };
    let first = emitted("a/demo");
    let listed = |name: &str| first.iter().any(|(n, _)| n == name);
    assert!(listed("program.safetensors") && listed("ip/rtl/basisn_core.v") && listed("ip/filelist.f"));
    assert!(first == emitted("b"), "program image and Verilog are the same bytes in every run");
}

#[test]
fn no_images_is_refused_by_name() {
    let folder = folder();
    let ran = basisn(folder.path(), "demo --images 0");
    assert!(ran.code == Some(2) && ran.err.contains("--images"), "{ran:#?}");
}
