//! Bad input: one clear message that says where, why and what to do, and the right exit code; no half-written output.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod common;

use std::fs;
use std::path::Path;

use common::{IMAGES, bash, basisn, chip, command, folder, names, one_layer};
use ndarray::{Array, ArrayD, IxDyn};
use ndarray_npy::write_npy;
use safetensors::tensor::{Dtype, SafeTensors, TensorView};

const WEIGHTS: &str = "examples/digits/weights.safetensors";

/// The weights of the digits network with one tensor changed; `None` removes it.
fn write_weights(to: &Path, tensor: &str, change: impl Fn(&[usize], Vec<u8>) -> Option<(Vec<usize>, Vec<u8>)>) {
    let bytes = fs::read(common::root().join(WEIGHTS)).unwrap();
    let whole = SafeTensors::deserialize(&bytes).unwrap();
    let tensors: Vec<_> = whole
        .iter()
        .filter_map(|(name, view)| {
            let (shape, data) = (view.shape().to_vec(), view.data().to_vec());
            let (shape, data) = if name == tensor { change(&shape, data)? } else { (shape, data) };
            Some((name, shape, data))
        })
        .collect();
    let views = tensors.iter().map(|(n, s, d)| (*n, TensorView::new(Dtype::F32, s.clone(), d).unwrap()));
    fs::write(to, safetensors::serialize(views, None).unwrap()).unwrap();
}

#[test]
fn unusable_weights() {
    let folder = folder();
    let at = folder.path();
    let compile = |more: &str| basisn(at, &format!("compile --weights w.safetensors --out p.safetensors {more}"));
    let whole = fs::read(at.join(WEIGHTS)).unwrap();

    compile("").refused(2, &["cannot read a file", "w.safetensors"]);
    for length in [0, 7, 100, whole.len() / 2, whole.len() - 1] {
        fs::write(at.join("w.safetensors"), &whole[..length]).unwrap();
        compile("").refused(2, &["the weights cannot be used", "w.safetensors", "no complete safetensors file"]);
    }
    for (value, shown) in [(f32::NAN, "value 9 is NaN"), (f32::NEG_INFINITY, "value 9 is -inf")] {
        write_weights(&at.join("w.safetensors"), "conv2.weight", |shape, mut data| {
            data[36..40].copy_from_slice(&value.to_le_bytes());
            Some((shape.to_vec(), data))
        });
        compile("").refused(2, &["w.safetensors, conv2.weight", shown]);
    }
    write_weights(&at.join("w.safetensors"), "fc.weight", |shape, data| Some((vec![shape[1], shape[0]], data)));
    compile("").refused(2, &["w.safetensors, fc.weight", "F32 [512, 10] found, F32 [10, 512] expected"]);
    write_weights(&at.join("w.safetensors"), "conv1.bias", |_, _| None);
    compile("").refused(2, &["w.safetensors, conv1.bias", "the tensor is missing"]);
    assert_eq!(names(at), ["examples", "w.safetensors"], "no output, not even a part");
}

#[test]
fn unusable_networks_and_data() {
    let folder = folder();
    let at = folder.path();
    let text = fs::read_to_string(at.join("examples/digits/network.toml")).unwrap();
    for (from, to, said) in [
        (
            "kernel = 3\npadding = 1\nrelu = true\n\n[[layers]]\nname = \"conv2\"",
            "kernel = 30\n[[layers]]\nname = \"conv2\"",
            "relu",
        ),
        ("name = \"conv2\"", "name = \"../conv2\"", "layer ../conv2: names are unique, and have letters"),
        ("name = \"conv2\"", "name = \"conv1\"", "layer conv1: names are unique"),
        ("out = 16", "out = 0", "layer conv1"),
        ("bits = 5", "bits = 9", "bits 9 (1..8)"),
        ("height = 8", "height = 9", "images are [1, 8, 8], the input of network digits-cnn is [1, 9, 8]"),
        ("bits = 5", "bits = 4", "has pixel 16, the input has 4 unsigned bits: 0..15"),
    ] {
        assert!(text.contains(from), "{from}");
        fs::write(at.join("n.toml"), text.replacen(from, to, 1)).unwrap();
        let ran = basisn(at, "compile --network n.toml --out p.safetensors");
        // Another height changes the shape of fc.weight, which is read first.
        let said = if to == "height = 9" { "fc.weight" } else { said };
        ran.refused(2, &[said]);
    }
    basisn(at, "compile --data absent --out p.safetensors").refused(2, &["cannot read a file", "absent/images.npy"]);
    assert_eq!(names(at), ["examples", "n.toml"]);
}

#[test]
fn chips_that_cannot_hold_the_network_say_which_limit_and_what_would() {
    let folder = folder();
    let at = folder.path();
    chip(at, "digits", &[("input_bits = 8", "input_bits = 4")]);
    let ran = basisn(at, "compile --config chip.toml --out p.safetensors");
    ran.refused(2, &["the network does not fit the chip"]);
    ran.refused(2, &["arithmetic.input_bits = 4", "set arithmetic.input_bits to at least 5"]);
    assert_eq!(names(at), ["chip.toml", "examples"]);
}

#[test]
fn more_kernels_than_parameters_or_psums_are_no_error() {
    let folder = folder();
    for (preset, from, to) in
        [("digits", "kernels = 256", "kernels = 20"), ("tiny", "psum_words = 32", "psum_words = 8")]
    {
        chip(folder.path(), preset, &[(from, to)]);
        let table = basisn(folder.path(), "compile --config chip.toml --out p.safetensors").ok();
        assert!(table.contains("conv2.block1") && !table.contains("fc.block"), "{table}");
    }
}

#[test]
fn unusable_configurations() {
    let folder = folder();
    let at = folder.path();
    let generate = || basisn(at, "generate --config chip.toml --out rtl");
    for (from, to, said) in [
        ("rows = 64", "wordlines = 64", ["chip.toml, crossbar.wordlines", "unknown key"]),
        ("rows = 64\n", "", ["chip.toml\n", "missing: crossbar.rows"]),
        ("rows = 64", "rows = 512", ["chip.toml, crossbar.rows", "set an integer from 8 to 256"]),
        ("rows = 64", "rows = 6.5", ["chip.toml, crossbar.rows", "6.5 is not an integer"]),
        ("rows = 64", "rows =", ["chip.toml, line ", "TOML"]),
        ("psum_words = 512", "psum_words = 511", ["chip.toml, core.psum_words", "is odd"]),
    ] {
        chip(at, "digits", &[(from, to)]);
        generate().refused(2, &said);
    }
    fs::write(at.join("chip.toml"), [0xff, 0xfe, 0]).unwrap();
    generate().refused(2, &["chip.toml", "UTF-8"]);
    basisn(at, "generate --config smal --out rtl").refused(2, &["smal", "presets tiny, digits, paper"]);
    assert_eq!(names(at), ["chip.toml", "examples"]);
}

/// The head of a `.npy` file of bytes, and no data.
fn npy_head(shape: &str) -> Vec<u8> {
    let text = format!("{{'descr': '|u1', 'fortran_order': False, 'shape': {shape}, }}\n");
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((text.len() as u16).to_le_bytes());
    bytes.extend(text.as_bytes());
    bytes
}

#[test]
fn unusable_images_and_labels() {
    let folder = folder();
    let at = folder.path();
    basisn(at, "compile --out p.safetensors").ok();
    let simulate = |more: &str| basisn(at, &format!("simulate --program p.safetensors --engine golden {more}"));
    let refused = |said: &[&str]| simulate("--input x.npy").refused(2, said);

    refused(&["x.npy", "No such file"]);
    write_npy(at.join("x.npy"), &Array::<f32, _>::zeros((2, 1, 8, 8))).unwrap();
    refused(&["x.npy", "give a .npy file of integers"]);
    for shape in [vec![2, 1, 4, 16], vec![2, 1, 8, 9], vec![2, 3, 8, 8], vec![0, 1, 8, 8], vec![]] {
        write_npy(at.join("x.npy"), &ArrayD::<u8>::zeros(IxDyn(&shape))).unwrap();
        refused(&["x.npy", &format!("shape {shape:?}"), "the network takes images of 1 x 8 x 8"]);
    }
    let mut images = ArrayD::<i16>::zeros(IxDyn(&[2, 1, 8, 8]));
    images[[1, 0, 7, 7]] = 32;
    write_npy(at.join("x.npy"), &images).unwrap();
    refused(&["x.npy, image 1", "the value 32, and the network takes 0..31"]);
    // The RTL would take the low bits of it in silence.
    basisn(at, "simulate --program p.safetensors --input x.npy --engine rtl")
        .refused(2, &["x.npy, image 1", "the value 32"]);
    write_npy(at.join("x.npy"), &Array::from_elem((1, 1, 8, 8), i64::MAX)).unwrap();
    refused(&["x.npy", "does not fit 32 bits"]);
    let whole = fs::read(at.join(IMAGES)).unwrap();
    for length in [0, 5, 9, 60, 1000, whole.len() - 1] {
        fs::write(at.join("x.npy"), &whole[..length]).unwrap();
        refused(&["x.npy"]);
    }
    // Claims far more than memory holds.
    for shape in ["(100000000000000, 1, 8, 8)", "(4611686018427387904, 8, 8)", "(-1, 1, 8, 8)"] {
        fs::write(at.join("x.npy"), npy_head(shape)).unwrap();
        refused(&["x.npy"]);
    }
    write_npy(at.join("l.npy"), &Array::<u8, _>::zeros(2)).unwrap();
    simulate(&format!("--input {IMAGES} --images 3 --labels l.npy")).refused(2, &["l.npy", "2 labels for 3 images"]);
    simulate(&format!("--input {IMAGES} --trace a.fst")).refused(2, &["--trace", "--engine rtl"]);
    let unknown = basisn(at, &format!("simulate --program p.safetensors --input {IMAGES} --images 1 --trace a.wave"));
    unknown.refused(2, &["a.wave", ".fst or .vcd"]);
    let none = simulate(&format!("--input {IMAGES} --images 0"));
    assert_eq!(none.code, Some(2), "{none:#?}");
    assert_eq!(names(at), ["examples", "l.npy", "p.safetensors", "x.npy"]);
}

#[test]
fn missing_tools_are_told_before_any_work() {
    let folder = folder();
    let at = folder.path();
    for (variable, said) in [
        ("BASISN_VERILATOR", ["cannot run Verilator", "apt install verilator"]),
        ("CXX", ["cannot run the C++ compiler", "apt install g++"]),
    ] {
        let ran: common::Ran =
            command(at, "demo --images 1").env(variable, "/nonexistent/tool").output().unwrap().into();
        ran.refused(1, &["/nonexistent/tool"]);
        ran.refused(1, &said);
        assert!(!ran.out.contains("golden"), "{ran:#?}");
        assert_eq!(names(at), ["examples"], "not even `out` is left");
    }
}

#[test]
fn outputs_that_cannot_be_written() {
    let folder = folder();
    let at = folder.path();
    fs::write(at.join("file"), "mine").unwrap();
    basisn(at, "compile --out p.safetensors").ok();
    for out in ["file/x", "/proc/x"] {
        for line in ["compile", "demo --images 1", "generate --config tiny"] {
            basisn(at, &format!("{line} --out {out}")).refused(1, &["cannot write the output", out]);
        }
        let simulate = format!("simulate --program p.safetensors --input {IMAGES} --images 1");
        basisn(at, &format!("{simulate} --engine golden --dump {out}")).refused(1, &["cannot write the output", out]);
        basisn(at, &format!("{simulate} --trace {out}.fst")).refused(1, &["cannot write the output", out]);
    }
    basisn(at, "compile --out /dev/null").refused(1, &["/dev/null", "no ordinary file"]);
    basisn(at, "compile --out examples").refused(1, &["examples", "no ordinary file"]);
    basisn(at, "generate --config tiny --out file").refused(1, &["file", "a folder is needed"]);
    assert_eq!(fs::read_to_string(at.join("file")).unwrap(), "mine");
    assert_eq!(names(at), ["examples", "file", "p.safetensors"]);
}

#[test]
fn a_disk_that_fills_up_leaves_the_old_output_as_it_was() {
    let folder = folder();
    let at = folder.path();
    // Files of at most 8 KiB: the write that passes them fails, as on a full disk.
    let full = |line: &str| bash(at, &format!("trap '' XFSZ; ulimit -f 8; exec $BASISN {line}"));
    fs::write(at.join("p.safetensors"), "old").unwrap();
    fs::create_dir(at.join("rtl")).unwrap();
    fs::write(at.join("rtl/basisn_core.v"), "old").unwrap();
    for (line, file) in [
        ("compile --out p.safetensors", "p.safetensors"),
        ("compile --out new.safetensors", "new.safetensors"),
        ("generate --config digits --out rtl", "rtl/"),
        ("demo --images 1", "out/demo/program.safetensors"),
    ] {
        full(line).refused(1, &["cannot write the output", file, "File too large"]);
    }
    assert_eq!(names(at), ["examples", "p.safetensors", "rtl"]);
    assert_eq!(names(&at.join("rtl")), ["basisn_core.v"]);
    assert_eq!(fs::read_to_string(at.join("p.safetensors")).unwrap(), "old");
    assert_eq!(fs::read_to_string(at.join("rtl/basisn_core.v")).unwrap(), "old");
}

#[test]
fn a_disk_that_fills_up_during_a_waveform_is_noticed() {
    let folder = folder();
    let at = folder.path();
    one_layer(at);
    let simulate = format!("simulate --program layer.safetensors --input {IMAGES} --images 1 --engine rtl");
    for trace in ["a.fst", "a.vcd"] {
        // Builds the model, which takes room too.
        basisn(at, &format!("{simulate} --trace {trace}")).ok();
        let old = fs::metadata(at.join(trace)).unwrap().len();
        let ran = bash(at, &format!("trap '' XFSZ; ulimit -f 64; exec $BASISN {simulate} --trace {trace}"));
        ran.refused(1, &["cannot write the output", &format!("at:    {trace}\n")]);
        assert_eq!(fs::metadata(at.join(trace)).unwrap().len(), old, "the old waveform is still there");
    }
    assert_eq!(names(at), ["a.fst", "a.vcd", "examples", "layer.safetensors"]);
}

#[test]
fn standard_output_may_be_full_or_gone() {
    let folder = folder();
    let at = folder.path();
    basisn(at, "compile --out p.safetensors").ok();
    bash(at, "$BASISN inspect p.safetensors >/dev/full").refused(1, &["standard output", "No space left"]);
    for line in ["inspect p.safetensors", "demo --images 1", "generate --config tiny --json --out rtl"] {
        let ran = bash(at, &format!("$BASISN {line} | head -c 1 >/dev/null; exit ${{PIPESTATUS[0]}}"));
        assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""), "{line}");
    }
    let ran = bash(at, "$BASISN inspect absent 2>/dev/full");
    assert_eq!(ran.code, Some(2), "{ran:#?}");
    assert!(names(at).iter().all(|name| !name.contains(".part")), "{:?}", names(at));
}
