//! The constraint files: every pin of the hard blocks and every port of the core is there, Yosys and OpenSTA accept them, and
//! with them paths into and out of the macro and the memories are timed.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod support;

use std::collections::BTreeMap;

use basisn_arch::ChipConfig;
use basisn_hdl::{EmittedFile, Technology, generate_constraints, generate_core};
use basisn_models::verilog::{Body, macro_body};
use support::tool;

fn files(config: &ChipConfig) -> Vec<EmittedFile> {
    generate_constraints(config, &Technology::default()).unwrap()
}

/// Direction and width of the ports of a Verilog module.
fn verilog_ports(text: &str) -> BTreeMap<String, (String, usize)> {
    let lines = text.lines().map(|line| line.trim().trim_end_matches(','));
    let ports = lines.filter(|line| line.starts_with("input ") || line.starts_with("output "));
    let port = |line: &str| {
        let words: Vec<_> = line.split_whitespace().collect();
        let msb = words[2].strip_prefix('[').and_then(|range| range.split(':').next()).map(|msb| msb.parse::<usize>());
        (words.last().unwrap().to_string(), (words[0].to_string(), msb.map_or(1, |msb| msb.unwrap() + 1)))
    };
    ports.map(port).collect()
}

/// Direction and width of the pins of a Liberty stub.
fn liberty_pins(text: &str) -> BTreeMap<String, (String, usize)> {
    let mut pins = BTreeMap::new();
    for pin in text.split("    pin (").chain(text.split("    bus (")).filter(|part| part.contains("direction : ")) {
        let value = |key: &str| pin.split(key).nth(1).map(|rest| rest.split(';').next().unwrap().to_string());
        let head = pin.split(')').next().unwrap();
        let width =
            pin.lines().nth(1).and_then(|l| l.trim().strip_prefix("bus_type : bus_")).map(|w| w.replace(';', ""));
        if head.chars().all(|c| c.is_alphanumeric() || c == '_') {
            pins.insert(head.into(), (value("direction : ").unwrap(), width.map_or(1, |w| w.parse().unwrap())));
        }
    }
    pins
}

#[test]
fn a_stub_has_the_ports_of_its_block() {
    for preset in ChipConfig::presets() {
        let config = ChipConfig::load(preset).unwrap();
        let mut blocks = generate_core(&config).unwrap();
        blocks.retain(|file| file.name.starts_with("memory_"));
        let text = macro_body(&config, Body::BlackBox);
        blocks.push(EmittedFile { name: format!("{}.v", config.macro_name()), text });
        let stubs: Vec<_> = files(&config).into_iter().filter(|file| file.name.ends_with(".lib")).collect();
        assert_eq!(stubs.len(), blocks.len(), "{preset}");
        for block in blocks {
            let name = block.name.replace(".v", ".lib");
            let stub = stubs.iter().find(|stub| stub.name == name).unwrap_or_else(|| panic!("{name} is missing"));
            assert_eq!(liberty_pins(&stub.text), verilog_ports(&block.text), "{name}");
        }
    }
}

#[test]
fn constraints_name_every_port_of_the_core() {
    let config = ChipConfig::load("tiny").unwrap();
    let core = generate_core(&config).unwrap().into_iter().find(|file| file.name == "basisn_core.v").unwrap();
    let ports = verilog_ports(&core.text);
    let word = |text: &str, port: &str, width: usize| {
        let pattern = if width == 1 { port.to_string() } else { format!("{port}[*]") };
        text.split([' ', '{', '}', '\n']).any(|word| word == pattern)
    };
    let all = files(&config);
    let text = |name: &str| all.iter().find(|file| file.name == name).unwrap().text.clone();
    let (sdc, xdc) = (text("basisn_core.sdc"), text("basisn_core.xdc"));
    for (port, (direction, width)) in ports.iter().filter(|(port, _)| *port != "clock") {
        assert!(word(&xdc, port, *width), "{port} is missing in XDC");
        assert!(direction == "output" || word(&sdc, port, *width), "{port} is missing in SDC");
    }
    assert!(text("basisn_core.lpf").contains("FREQUENCY PORT \"clock\" 50 MHZ;"));
}

#[test]
fn yosys_and_sta_time_the_paths_at_the_hard_blocks_of_tiny() {
    let config = ChipConfig::load("tiny").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let names = support::write(folder.path(), &generate_core(&config).unwrap());
    let constraints = support::write(folder.path(), &files(&config));
    let own: Vec<_> = names.iter().filter(|name| !name.starts_with("memory_")).map(String::as_str).collect();
    let stubs: Vec<_> = constraints.iter().filter(|name| name.ends_with(".lib")).collect();
    let cells = "/usr/share/qflow/tech/osu018/osu018_stdcells.lib";
    let read = |command: &str, separator: &str| {
        let lines: Vec<_> = stubs.iter().map(|stub| format!("{command} {stub}")).collect();
        lines.join(separator)
    };
    let script = format!(
        "{}; read_verilog {}; synth -flatten -top basisn_core; dfflibmap -liberty {cells}; abc -liberty {cells}; \
         setundef -zero; splitnets; opt_clean -purge; write_verilog -noattr -noexpr -nodec -nohex netlist.v",
        read("read_liberty -lib -ignore_miss_func", "; "),
        own.join(" ")
    );
    tool(folder.path(), "yosys", &["-q", "-p", &script]);
    let script = format!(
        "read_liberty {cells}\n{}\nread_verilog netlist.v\nlink_design basisn_core\nread_sdc basisn_core.sdc\n\
         report_checks -from [get_pins *rram_macro/codes*] -path_delay max -format end\n\
         report_checks -to [get_pins *rram_macro/wordlines*] -path_delay max -format end\n\
         report_checks -to [get_pins *lower/write_data*] -path_delay max -format end\n\
         report_checks -from [get_ports s_axis_slot_tvalid] -path_delay max -format end\n",
        read("read_liberty", "\n")
    );
    std::fs::write(folder.path().join("time.tcl"), script).unwrap();
    let printed = tool(folder.path(), "sta", &["-no_splash", "-exit", "time.tcl"]);
    let complaints: Vec<_> =
        printed.lines().filter(|line| line.contains("Error") || line.contains("Warning")).collect();
    assert!(complaints.is_empty(), "{complaints:#?}");
    assert_eq!(printed.matches("(MET)").count() + printed.matches("(VIOLATED)").count(), 4, "{printed}");
}
