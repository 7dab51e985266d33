//! The emitted RTL is a product: every module of `tiny` as committed, and the list of modules of the other presets.
//! Accept a change that you have read with `INSTA_UPDATE=always cargo test --release -p basisn-hdl`.
#![allow(clippy::unwrap_used, reason = "tests")]

use basisn_arch::ChipConfig;
use basisn_hdl::generate_core;

#[test]
fn every_module_of_tiny() {
    for file in generate_core(&ChipConfig::load("tiny").unwrap()).unwrap() {
        insta::assert_snapshot!(file.name.clone(), file.text);
    }
}

#[test]
fn the_modules_of_every_preset() {
    for preset in ChipConfig::presets() {
        let files = generate_core(&ChipConfig::load(preset).unwrap()).unwrap();
        let list: Vec<_> = files.iter().map(|f| f.name.as_str()).collect();
        insta::assert_snapshot!(format!("modules_of_{preset}"), list.join("\n"));
    }
}
