//! Presets, extremes and random geometries: each gives a core that lint accepts, the same every time.

#![allow(clippy::unwrap_used)] // A test may panic.

mod support;

use basisn_arch::ChipConfig;
use basisn_models::verilog::{Body, macro_body};
use rand::Rng;
use support::tool;

fn lint(config: &ChipConfig) {
    let files = basisn_hdl::generate_core(config).unwrap();
    assert_eq!(files, basisn_hdl::generate_core(config).unwrap(), "the same text every time");
    let folder = tempfile::tempdir().unwrap();
    let mut names = support::write(folder.path(), &files);
    names.push(format!("{}.v", config.macro_name()));
    std::fs::write(folder.path().join(names.last().unwrap()), macro_body(config, Body::BlackBox)).unwrap();
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    let mut arguments = vec!["--lint-only", "-Wall", "--top-module", "basisn_core"];
    arguments.extend(&names);
    let printed = tool(folder.path(), "verilator", &arguments);
    assert_eq!(printed, "", "{}", config.to_toml());
}

/// All keys in the order of [`ChipConfig::FIELDS`].
fn config(values: &[usize]) -> ChipConfig {
    let mut config = ChipConfig::load("tiny").unwrap().with("arithmetic.group", 1).unwrap();
    for (field, value) in ChipConfig::FIELDS.iter().zip(values) {
        config = config.with(field.key, *value).unwrap();
    }
    config
}

#[test]
fn presets() {
    for name in ChipConfig::presets() {
        lint(&ChipConfig::load(name).unwrap());
    }
}

#[test]
fn the_smallest_of_everything() {
    lint(&config(&[1, 1, 1, 2, 1, 512, 64, 1, 0, 8, 8, 1, 1, 1, 0, 1, 4, 1, 1, 1]));
}

#[test]
fn nothing_is_a_power_of_two() {
    lint(&config(&[1, 6, 1023, 6, 4095, 32, 3, 2, 1, 255, 131, 3, 3, 5, 7, 7, 5, 7, 5, 1]));
}

#[test]
fn random_geometries() {
    let mut random = support::random();
    for _ in 0..8 {
        let mut pick = |choices: &[usize]| choices[random.random_range(0..choices.len())];
        lint(&config(&[
            1,
            pick(&[1, 2, 3, 4]),
            pick(&[1, 2, 5, 64, 1024]),
            pick(&[2, 6, 100, 512]),
            pick(&[1, 2, 100, 256]),
            pick(&[32, 64, 512]),
            pick(&[1, 3, 8, 64]),
            pick(&[1, 2, 4, 16]),
            pick(&[0, 1]),
            pick(&[8, 9, 64, 100]),
            pick(&[8, 15, 64]),
            pick(&[1, 2, 5]),
            pick(&[1, 2, 3, 20]),
            pick(&[1, 4]),
            pick(&[0, 5]),
            pick(&[1, 2, 3, 8]),
            pick(&[4, 8, 12]),
            pick(&[1, 2, 8]),
            pick(&[1, 4, 6]),
            1,
        ]));
    }
}

#[test]
fn the_core_has_the_documented_ports() {
    let files = basisn_hdl::generate_core(&ChipConfig::load("tiny").unwrap()).unwrap();
    let core = &files.last().unwrap().text;
    let (_, ports) = core.split_once("module basisn_core (").unwrap();
    let ports: Vec<_> = ports.split_once(");").unwrap().0.lines().map(str::trim).filter(|l| !l.is_empty()).collect();
    let names: Vec<_> = ports.iter().filter_map(|p| p.trim_end_matches(',').split_whitespace().last()).collect();
    let documented = [
        "clock reset",
        "s_axil_awaddr s_axil_awprot s_axil_awvalid s_axil_wdata s_axil_wstrb s_axil_wvalid s_axil_bready",
        "s_axil_araddr s_axil_arprot s_axil_arvalid s_axil_rready s_axis_slot_tdata s_axis_slot_tvalid s_axis_slot_tlast",
        "s_axis_act_tdata s_axis_act_tvalid s_axis_act_tlast m_axis_out_tready",
        "s_axil_awready s_axil_wready s_axil_bresp s_axil_bvalid s_axil_arready s_axil_rdata s_axil_rresp s_axil_rvalid",
        "s_axis_slot_tready s_axis_act_tready m_axis_out_tdata m_axis_out_tvalid m_axis_out_tlast irq",
    ];
    assert_eq!(names, documented.join(" ").split(' ').collect::<Vec<_>>());
}
