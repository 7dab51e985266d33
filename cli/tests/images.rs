//! Damaged program images: an error or a sound program, never a crash, a hang or a huge allocation.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod common;

use std::fs;

use basisn_arch::{ChipConfig, Program};
use basisn_models::golden;
use common::{bash, basisn, folder};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// The digits network for the smallest chip.
fn image() -> Vec<u8> {
    let folder = folder();
    basisn(folder.path(), "compile --config tiny --out p.safetensors").ok();
    fs::read(folder.path().join("p.safetensors")).unwrap()
}

fn header_length(image: &[u8]) -> usize {
    8 + u64::from_le_bytes(image[..8].try_into().unwrap()) as usize
}

#[test]
fn every_truncation_is_an_error() {
    let image = image();
    let header = header_length(&image);
    let cuts =
        (0..64).chain((64..header + 64).step_by(7)).chain((header..image.len()).step_by(97)).chain([image.len() - 1]);
    for length in cuts {
        let error = Program::from_bytes(&image[..length]).unwrap_err().to_string();
        assert!(["\n  at:    ", "\n  cause: ", "\n  fix:   "].iter().all(|l| error.contains(l)), "{length}: {error}");
    }
    let folder = folder();
    for length in [0, 8, header / 2, header, image.len() - 1] {
        fs::write(folder.path().join("cut"), &image[..length]).unwrap();
        basisn(folder.path(), "inspect cut").refused(2, &["the program image cannot be used", "cut, "]);
    }
}

#[test]
fn changed_bytes_give_an_error_or_a_program_that_runs() {
    let seed = std::env::var("BASISN_SEED").ok().and_then(|s| s.parse().ok()).unwrap_or(1);
    println!("BASISN_SEED={seed}");
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let image = image();
    let header = header_length(&image);
    let chip = ChipConfig::load("tiny").unwrap();
    let (mut refused, mut sound) = (0, Vec::new());
    for _ in 0..4000 {
        let mut bytes = image.clone();
        for _ in 0..random.random_range(1..4) {
            // The header is small and decides most: half of the changes go there.
            let end = if random.random() { header } else { bytes.len() };
            let at = random.random_range(0..end);
            // Digits stay digits in half of the cases, so that numbers change and the text still parses.
            bytes[at] = match bytes[at] {
                b'0'..=b'9' if random.random() => random.random_range(b'0'..=b'9'),
                _ => random.random(),
            };
        }
        match Program::from_bytes(&bytes).and_then(|p| p.check(&chip).map(|()| p)) {
            Ok(program) => sound.push(program),
            Err(_) => refused += 1,
        }
    }
    assert!(refused > 1000 && sound.len() > 100, "{refused} refused, {} sound", sound.len());
    for program in sound.iter().step_by(sound.len() / 20) {
        let image = vec![1; program.layers[0].shape.inputs()];
        golden::run(&chip, program, &image).unwrap();
    }
}

/// A program image with empty tensors and this header.
fn crafted(header: &str, tensors: &[(&str, &str, &str)]) -> Vec<u8> {
    let mut entries = vec![format!("\"__metadata__\":{{\"basisn\":{}}}", serde_json::Value::from(header))];
    for (name, dtype, shape) in tensors {
        entries.push(format!("\"{name}\":{{\"dtype\":\"{dtype}\",\"shape\":{shape},\"data_offsets\":[0,0]}}"));
    }
    let text = format!("{{{}}}", entries.join(","));
    [&(text.len() as u64).to_le_bytes()[..], text.as_bytes()].concat()
}

#[test]
fn a_crafted_image_cannot_take_all_memory() {
    let folder = folder();
    let slots = 1u64 << 40;
    let shape = "{\"in_channels\":1,\"in_height\":1,\"in_width\":1,\"kernels\":0,\"window\":{\"kernel\":[1,1],\"stride\":[1,1],\"padding\":[0,0,0,0],\"dilation\":[1,1]}}";
    let of_slots = |of: &str| format!("[{slots},0,{of}]");
    let (switches, items) = (of_slots("16"), of_slots("4"));
    // A chip without tiles, and a layer that uses none.
    for (of_chip, at) in [(0, "crafted, geometry"), (1, "crafted, layers.0.tiles")] {
        let header = format!(
            "{{\"format\":3,\"name\":\"n\",\"geometry\":{{\"tiles\":{of_chip},\"rows\":16,\"columns\":16,\"cell_bits\":1,\"lanes\":4,\"adc_bits\":8}},\
             \"input\":{{\"shape\":{{\"channels\":1,\"height\":1,\"width\":1}},\"bits\":1,\"signed\":false,\"scale\":1.0}},\
             \"steps\":[{{\"name\":\"a\",\"inputs\":[0],\"op\":{{\"matrix\":{{\"first\":0,\"groups\":1}}}}}}],\
             \"layers\":[{{\"name\":\"a\",\"shape\":{shape},\"input_bits\":1,\"signed\":false,\"gain\":0,\"tiles\":0,\"block_positions\":1,\
             \"slots_per_subvector\":[{slots}],\"shift\":1,\"low\":0,\"high\":1,\"raw\":false}}]}}"
        );
        let image = crafted(
            &header,
            &[
                ("basis", "I8", "[0,16,16]"),
                ("layers.0.home", "U32", "[0]"),
                ("layers.0.multiplier", "I16", "[0]"),
                ("layers.0.offset", "I64", "[0]"),
                ("layers.0.switches", "I8", &switches),
                ("layers.0.item_kernel", "I32", &items),
                ("layers.0.item_plane", "U8", &items),
            ],
        );
        fs::write(folder.path().join("crafted"), image).unwrap();
        bash(folder.path(), "ulimit -v 4000000; exec $BASISN inspect crafted").refused(2, &[at]);
    }
}

#[test]
fn layers_cannot_name_files_outside_the_dump() {
    let folder = folder();
    let chip = ChipConfig::load("tiny").unwrap();
    let mut program = Program::from_bytes(&image()).unwrap();
    program.check(&chip).unwrap();
    program.layers[0].name = "../../escaped".into();
    fs::write(folder.path().join("p"), program.to_bytes().unwrap()).unwrap();
    let line = format!("simulate --program p --input {} --images 1 --engine golden --dump a/dump", common::IMAGES);
    basisn(folder.path(), &line).refused(2, &["layer ../../escaped", "names are unique"]);
    program.layers[0].name = program.layers[1].name.clone();
    assert!(program.check(&chip).unwrap_err().to_string().contains("unique"));
    program.layers[0].name = "conv1".into();
    program.steps[0].name = "/escaped".into();
    assert!(program.check(&chip).unwrap_err().to_string().contains("step /escaped"));
}

#[test]
fn the_documents_ten_lines_of_python_read_an_image() {
    let folder = folder();
    let report = basisn(folder.path(), "compile --config tiny --json --out digits.safetensors").ok();
    let report: serde_json::Value = serde_json::from_str(&report).unwrap();
    let document = fs::read_to_string(common::root().join("docs/program-image.md")).unwrap();
    let code = document.split("```python\n").nth(1).unwrap().split("```").next().unwrap();
    assert!(code.lines().count() <= 11, "ten lines and the import");
    fs::write(folder.path().join("read.py"), code).unwrap();
    let shown = bash(folder.path(), "python3 read.py").ok();
    let layers = report["layers"].as_array().unwrap();
    assert_eq!(shown.lines().count(), layers.len());
    for (line, layer) in shown.lines().zip(layers) {
        let slots: Vec<String> =
            layer["slots_per_subvector"].as_array().unwrap().iter().map(ToString::to_string).collect();
        let expected = format!(
            "{} [{}] {} switches closed",
            layer["name"].as_str().unwrap(),
            slots.join(", "),
            layer["coefficient_digits"]
        );
        assert_eq!(line, expected);
    }
}
