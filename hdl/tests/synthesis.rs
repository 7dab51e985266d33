//! Yosys makes gates of the core of `digits` without a warning and without a latch; the macro is a black box.
#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

use basisn_arch::ChipConfig;
use basisn_models::verilog::{Body, macro_body};
use support::tool;

#[test]
fn digits_synthesizes_without_warning_and_without_latch() {
    let config = ChipConfig::load("digits").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let names = support::write(folder.path(), &basisn_hdl::generate_core(&config).unwrap());
    std::fs::write(folder.path().join("macro.v"), macro_body(&config, Body::BlackBox)).unwrap();
    let script = format!(
        "read_verilog -lib macro.v; read_verilog {}; synth -top basisn_core; check -assert; stat",
        names.join(" ")
    );
    let printed = tool(folder.path(), "yosys", &["-p", &script]);
    let warnings: Vec<_> = printed.lines().filter(|l| l.contains("Warning")).collect();
    assert!(warnings.is_empty(), "{warnings:#?}");
    assert!(printed.contains("$_DFFE_PP_"), "there are no flip-flops: nothing was synthesized");
    assert!(!printed.contains("$_DLATCH"), "there are latches");
}
