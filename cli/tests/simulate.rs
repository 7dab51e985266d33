//! `basisn simulate`: engines, macro bodies, dumps, labels and waveforms.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod common;

use std::fs;

use common::{IMAGES, basisn, files, folder, names, one_layer, simulate, tiny};

#[test]
fn golden_and_both_macro_bodies_give_the_same_files() {
    let folder = tiny();
    simulate(folder.path(), "--images 2 --engine golden --dump golden");
    let verilog = simulate(folder.path(), "--images 2 --engine rtl --body verilog --dump verilog");
    let both = simulate(folder.path(), "--images 2 --engine both --body dpi --dump dpi");
    assert!(!verilog.contains("bit-exact"), "nothing was compared: {verilog}");
    assert_eq!(both.lines().last().unwrap(), "bit-exact: 4 layers, 7188 values, 0 mismatches");
    let golden = files(&folder.path().join("golden"));
    let layers: Vec<_> = golden.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(layers, ["conv1.npy", "conv2.npy", "conv3.npy", "fc.npy"]);
    assert!(golden[0].1.windows(20).any(|w| w == b"'shape': (2, 16, 8, "), "[images, kernels, height, width]");
    assert!(golden == files(&folder.path().join("verilog")), "Verilog macro");
    assert!(golden == files(&folder.path().join("dpi")), "DPI macro");
    assert_eq!(names(folder.path()), ["dpi", "examples", "golden", "p.safetensors", "verilog"], "nothing else is left");
}

#[test]
fn figures_are_the_same_in_text_and_json() {
    let folder = tiny();
    let labels = "--labels examples/digits/labels.npy --images 3";
    let text = simulate(folder.path(), labels);
    assert!(text.contains("accuracy: 100.00% of 3 images"), "{text}");
    let json: serde_json::Value = serde_json::from_str(&simulate(folder.path(), &format!("{labels} --json"))).unwrap();
    assert_eq!((&json["accuracy"], &json["images"], &json["mismatches"]), (&1.0.into(), &3.into(), &0.into()));
    assert_eq!(json["values_compared"], 3 * 3594);
    let shown = text.lines().find(|l| l.starts_with("simulated ")).unwrap();
    assert!(shown.contains(&json["core_cycles"].to_string()), "{shown} {json}");
}

#[test]
fn waveforms_are_written_whole() {
    let folder = folder();
    one_layer(folder.path());
    for name in ["a.fst", "a.vcd"] {
        let run =
            format!("simulate --program layer.safetensors --input {IMAGES} --images 1 --engine rtl --trace {name}");
        basisn(folder.path(), &run).ok();
        let wave = fs::read(folder.path().join(name)).unwrap();
        assert!(wave.len() > 100_000, "{name}: {} bytes", wave.len());
    }
    let vcd = fs::read_to_string(folder.path().join("a.vcd")).unwrap();
    assert!(vcd.contains("$enddefinitions") && vcd.contains(" result_valid "), "signals have their names");
    assert_eq!(names(folder.path()), ["a.fst", "a.vcd", "examples", "layer.safetensors"], "nothing else is left");
}

#[test]
fn a_program_runs_only_on_a_chip_of_its_geometry() {
    let folder = tiny();
    let run = |config: &str| {
        let line =
            format!("simulate --program p.safetensors --input {IMAGES} --images 1 --engine golden --config {config}");
        basisn(folder.path(), &line)
    };
    run("tiny").ok();
    run("paper").refused(2, &["geometry", "compiled for 1 tiles of 16 x 16", "the chip has 16 tiles of 128 x 128"]);
    common::chip(folder.path(), "tiny", &[("\nlanes = 4", "\nlanes = 5")]);
    run("chip.toml").refused(2, &["4 lanes", "5 lanes"]);
    // A geometry that no preset has: the chip must be named.
    basisn(folder.path(), "compile --config chip.toml --out p.safetensors").ok();
    let unnamed = basisn(folder.path(), "inspect p.safetensors");
    unnamed.refused(2, &["no preset has the geometry", "--config chip.toml"]);
    run("chip.toml").ok();
}

#[test]
fn single_layers_get_the_golden_references_inputs() {
    let folder = tiny();
    let shown = simulate(folder.path(), "--images 2 --layers conv2,fc");
    assert!(shown.ends_with("bit-exact: 2 of 4 matrix layers, 4116 values, 0 mismatches\n"), "{shown}");
    assert!(!shown.contains("conv3"), "{shown}");
    let all = simulate(folder.path(), "--images 1 --layers distinct --json");
    let all: serde_json::Value = serde_json::from_str(&all).unwrap();
    assert_eq!((&all["layers_compared"], &all["mismatches"]), (&4.into(), &0.into()), "no two layers have one shape");
    let line = format!("simulate --program p.safetensors --input {IMAGES} --images 1 --layers");
    basisn(folder.path(), &format!("{line} conv9")).refused(2, &["the program has no layer conv9", "distinct"]);
    basisn(folder.path(), &format!("{line} fc --engine golden")).refused(2, &["--layers", "leave out --engine"]);
}

#[test]
fn classes_and_the_distance_from_the_float_network_are_shown() {
    let folder = tiny();
    let classes = simulate(folder.path(), "--images 2 --engine golden");
    assert_eq!(classes.lines().filter(|l| l.starts_with("image ") && l.contains(": classes by score ")).count(), 2);
    let float = "--network examples/digits/network.toml --weights examples/digits/weights.safetensors";
    let labels = "--labels examples/digits/labels.npy";
    let json = simulate(folder.path(), &format!("--images 40 --engine golden {labels} {float} --json"));
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    let steps = json["float"]["steps"].as_array().unwrap();
    let names: Vec<_> = steps.iter().map(|s| s["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["conv1", "conv2", "conv3", "fc"]);
    assert!(steps.iter().all(|s| s["snr_db"].as_f64().unwrap() > 15.0), "{json}");
    assert!(json["float"]["accuracy"].as_f64().unwrap() > 0.9 && json["top_5_accuracy"].as_f64().unwrap() > 0.97);
    assert_eq!(json["classes"][0].as_array().unwrap().len(), 5);
    let text = simulate(folder.path(), &format!("--images 40 --engine golden {labels} {float}"));
    assert!(text.contains("float accuracy: ") && text.contains("same class as the float network: "), "{text}");
    let other = format!("simulate --program p.safetensors --input {IMAGES} --images 1 --engine golden");
    let other = format!("{other} --network resnet8-cifar10 --weights random:1");
    basisn(folder.path(), &other).refused(2, &["has no step of this name", "came from another network"]);
}

#[test]
fn more_kernels_than_the_chip_holds_are_bit_exact_in_blocks() {
    let folder = folder();
    // The smallest chip holds 64 kernels at once; the last layer's scores come in blocks too.
    let network = "name = \"wide\"\ninput = { channels = 1, height = 8, width = 8, scale = 0.0625, bits = 5, signed = false }\n\
                   [[layers]]\nname = \"a\"\nkind = \"conv\"\nout = 70\nkernel = 4\nstride = 4\npadding = 0\nrelu = true\n\
                   [[layers]]\nname = \"b\"\nkind = \"linear\"\nout = 66\nrelu = false\n";
    fs::write(folder.path().join("wide.toml"), network).unwrap();
    let compile = "compile --network wide.toml --weights random:1 --config tiny --out p.safetensors";
    let table = basisn(folder.path(), compile).ok();
    assert!(["a.block0", "a.block1", "b.block0", "b.block1"].iter().all(|name| table.contains(name)), "{table}");
    let shown = simulate(folder.path(), "--images 2");
    assert!(shown.ends_with("bit-exact: 6 layers, 1384 values, 0 mismatches\n"), "{shown}");
}
