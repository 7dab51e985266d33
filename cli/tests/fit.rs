//! `basisn fit`, and what `basisn compile` makes of its file.

#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use std::fs;

use common::{basisn, folder};

#[test]
fn a_fitted_file_compiles_to_what_its_network_compiles_to_and_to_other_chips() {
    let folder = folder();
    let run = |line: &str| basisn(folder.path(), line).ok();
    let table = run("fit --out f.safetensors");
    assert!(table.contains("conv1") && table.ends_with("f.safetensors\n"), "{table}");
    run("compile --fitted f.safetensors --out a.safetensors");
    run("compile --out b.safetensors");
    let read = |name: &str| fs::read(folder.path().join(name)).unwrap();
    assert_eq!(read("a.safetensors"), read("b.safetensors"));
    let wide = fs::read_to_string(common::root().join("presets/digits.toml")).unwrap();
    fs::write(folder.path().join("wide.toml"), wide.replace("tiles = 4", "tiles = 7")).unwrap();
    run("compile --fitted f.safetensors --config wide.toml --out c.safetensors");
    run("inspect c.safetensors --config wide.toml");
}

#[test]
fn layers_take_their_own_options() {
    let folder = folder();
    let line = "fit --form power-of-two --planes 2 --group 4 --layer fc:group=none,form=csd,planes=3,nonzeros=20 --json --out f";
    let report: serde_json::Value = serde_json::from_str(&basisn(folder.path(), line).ok()).unwrap();
    let layers = report["layers"].as_array().unwrap();
    assert_eq!(layers[0]["groups"], 4);
    assert_eq!(layers[0]["code"]["form"], "power-of-two");
    let fc = layers.last().unwrap();
    assert_eq!((&fc["groups"], &fc["code"]["planes"]), (&serde_json::Value::Null, &3.into()));
    assert!(report["snr_db"].as_f64().unwrap() > 4.0);
}

#[test]
fn finished_layers_are_taken_from_their_folder() {
    let folder = folder();
    let line = "fit --planes 1 --group 4 --basis learned --partial done --out";
    basisn(folder.path(), &format!("{line} a")).ok();
    let files = || fs::read_dir(folder.path().join("done")).unwrap().map(|e| e.unwrap().path()).collect::<Vec<_>>();
    assert_eq!(files().len(), 4);
    fs::remove_file(&files()[0]).unwrap();
    basisn(folder.path(), &format!("{line} b")).ok();
    assert_eq!(files().len(), 4);
    assert_eq!(fs::read(folder.path().join("a")).unwrap(), fs::read(folder.path().join("b")).unwrap());
    basisn(folder.path(), "compile --fitted a --out p").ok();
}

#[test]
fn wrong_options_and_damaged_files_are_refused() {
    let folder = folder();
    let refused = |line: &str, parts: &[&str]| basisn(folder.path(), line).refused(2, parts);
    refused("fit --layer fc --out f", &["--layer fc", "no `:`"]);
    refused("fit --layer fc:planes=x --out f", &["planes: invalid digit"]);
    refused("fit --layer fc:colour=1 --out f", &["no key `colour`"]);
    refused("fit --layer nothing:planes=1 --out f", &["layer nothing", "name one of"]);
    fs::write(folder.path().join("cut"), [8, 0, 0, 0, 0, 0, 0, 0, 1]).unwrap();
    refused("compile --fitted cut --out p", &["the fitted network cannot be used", "cut, file"]);
    refused("compile --fitted nothing --out p", &["nothing"]);
    basisn(folder.path(), "fit --out f").ok();
    refused("compile --fitted f --config tiny --out p", &["fitted for 64 rows"]);
    assert!(!folder.path().join("p").exists());
}

#[test]
fn one_fit_runs_on_any_number_of_crossbars_with_the_same_results_and_fewer_cycles() {
    let folder = folder();
    let run = |line: &str| basisn(folder.path(), line).ok();
    run("fit --planes 1 --group 8 --tiles 1 --out f.safetensors");
    let preset = fs::read_to_string(common::root().join("presets/digits.toml")).unwrap();
    let (mut results, mut cycles) = (Vec::new(), Vec::new());
    // Crossbars as cores x tiles.
    for (cores, tiles) in [(1, 1), (1, 2), (1, 3), (1, 4), (1, 7), (1, 8), (1, 16), (1, 64), (4, 16)] {
        let chip =
            preset.replace("cores = 1", &format!("cores = {cores}")).replace("tiles = 4", &format!("tiles = {tiles}"));
        fs::write(folder.path().join("chip.toml"), chip).unwrap();
        let report = run("compile --fitted f.safetensors --config chip.toml --json --out p.safetensors");
        let report: serde_json::Value = serde_json::from_str(&report).unwrap();
        cycles.push(report["cycles"].as_u64().unwrap());
        let images = format!("--input {} --images 3", common::IMAGES);
        run(&format!("simulate --program p.safetensors --config chip.toml {images} --engine golden --dump steps"));
        results.push(common::files(&folder.path().join("steps")));
        fs::remove_dir_all(folder.path().join("steps")).unwrap();
    }
    println!("cycles {cycles:?}");
    assert!(results.iter().all(|r| *r == results[0]) && results[0].len() == 4);
    // A layer uses as many tiles as pay: from some number on more are no faster, but never slower.
    assert!(cycles.is_sorted_by(|a, b| a >= b), "{cycles:?}");
    let of_crossbars = [0, 2, 6, 8].map(|i| cycles[i]);
    assert!(of_crossbars.is_sorted_by(|a, b| a > b), "{cycles:?} fall on 1, 3, 16 and 64 crossbars");
}

#[test]
fn pictures_and_totals_of_a_program() {
    let folder = folder();
    let run = |line: &str| basisn(folder.path(), line).ok();
    let compiled = run("compile --out p.safetensors --json");
    let compiled: serde_json::Value = serde_json::from_str(&compiled).unwrap();
    let text = run("inspect p.safetensors --heat-map use.svg");
    let shown: serde_json::Value = serde_json::from_str(&run("inspect p.safetensors --json")).unwrap();
    let svg = fs::read_to_string(folder.path().join("use.svg")).unwrap();
    assert!(svg.starts_with("<svg") && svg.matches("<rect").count() == 1 + 4 * 64, "{svg}");
    for (report, layer) in compiled["layers"].as_array().unwrap().iter().zip(shown["layers"].as_array().unwrap()) {
        for key in ["slots", "contest_slots", "contests"] {
            assert_eq!(report[key], layer[key], "{key}");
        }
        assert!(layer["bound"].as_u64() <= report["slots_lower_bound"].as_u64());
        assert!(report["contest_slots"].as_u64().unwrap() > 0, "dense coefficients contest for columns");
    }
    assert_eq!(shown["weight_bits"], 8 * (16 * 9 + 32 * 144 + 32 * 288 + 10 * 512));
    assert!(text.contains(&format!("coefficient storage: {} bits", shown["slot_bits"])), "{text}");
}
