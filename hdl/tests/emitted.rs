//! The emitted text of a small design: as committed, accepted by the tools, and right cycle by cycle.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

mod support;

use basisn_hdl::EmittedFile;
use basisn_hdl::build::{BlackBox, Header, Module, lit};

/// A signed accumulator that saturates, with a register that is not always written.
fn accumulator() -> Module {
    let header = Header::new(
        "adds signed samples, saturating to the range of its sum.",
        "1 cycle from sample_valid to sum.",
        "none: a sample in every cycle in which sample_valid is high.",
        "-128 <= sum <= 127.",
    );
    let mut m = Module::new("accumulator", header);
    let valid = m.input("sample_valid", 1);
    let sample = m.input("sample", 8);
    let out = m.output("sum", 8);
    let clipped = m.output("clipped", 1);
    let sum = m.register("total", 8);
    let wide = m.define("wide", &sum.q().sext(9).add(&sample.sext(9)));
    let overflow = m.define("overflow", &wide.bit(8).xor(&wide.bit(7)));
    let limit = m.select("limit", &wide.bit(8), &lit(0x80, 8), &lit(0x7f, 8));
    m.when(&valid, |m| {
        m.set(&sum.d(), &wide.trunc(8));
        m.when(&overflow, |m| m.set(&sum.d(), &limit));
    });
    m.set(&out, &sum.q());
    m.set(&clipped, &valid.and(&overflow));
    m
}

/// Two accumulators, a memory of their sums, and a black box that is fed from it.
fn design() -> Module {
    let header = Header::new(
        "keeps the sums of two channels in a memory and sends what it reads to a converter.",
        "2 cycles from sample_valid to the memory, 1 cycle from address to the converter.",
        "none.",
        "the two channels are stored in turn.",
    );
    let mut m = Module::new("two_channels", header);
    let valid = m.input("sample_valid", 1);
    let samples = m.input("samples", 16);
    let address = m.input("address", 4);
    let analog = m.output("analog", 1);
    let product = m.output("product", 12);

    let low = m.child("low", accumulator());
    let high = m.child("high", accumulator());
    for (i, channel) in [&low, &high].into_iter().enumerate() {
        m.set(&channel.input("sample_valid"), &valid);
        m.set(&channel.input("sample"), &samples.bits(8 * i, 8));
    }
    let turn = m.register("turn", 1);
    m.set(&turn.d(), &turn.q().not());
    let count = m.register("count", 4);
    m.when(&turn.q(), |m| m.set(&count.d(), &count.q().add_const(1)));
    let sums = m.memory("sums", 16, 8);
    let stored = m.select("stored", &turn.q(), &high.output("sum"), &low.output("sum"));
    m.set(&sums.write_enable, &lit(1, 1));
    m.set(&sums.write_address, &count.q());
    m.set(&sums.write_data, &stored);
    m.set(&sums.read_enable, &valid);
    m.set(&sums.read_address, &address);

    let converter = m.black_box("converter", BlackBox::new("dac_8").input("code", 8).output("level", 1));
    m.set(&converter.input("code"), &sums.read_data);
    m.set(&analog, &converter.output("level"));
    m.set(&product, &sums.read_data.mul_signed(&count.q(), 12));
    m
}

const CONVERTER: &str = "module dac_8 (input wire clock, input wire reset, input wire [7:0] code, output wire level);
    assign level = (^code) & clock & reset;
endmodule
";

#[test]
fn the_text_is_as_committed_and_the_same_every_time() {
    let files = basisn_hdl::generate(design()).unwrap();
    assert_eq!(files, basisn_hdl::generate(design()).unwrap());
    let names: Vec<&str> = files.iter().map(|file| file.name.as_str()).collect();
    assert_eq!(names, ["accumulator.v", "memory_16x8.v", "two_channels.v"]);
    let text: Vec<&str> = files.iter().map(|file| file.text.as_str()).collect();
    insta::assert_snapshot!(text.join("\n"));
}

#[test]
fn the_tools_accept_the_text() {
    let folder = tempfile::tempdir().unwrap();
    let mut files = basisn_hdl::generate(design()).unwrap();
    files.push(EmittedFile { name: "dac_8.v".into(), text: CONVERTER.into() });
    let names = support::write(folder.path(), &files);
    support::tool(
        folder.path(),
        "verilator",
        &["--lint-only", "-Wall", "--top-module", "two_channels", "-y", ".", "two_channels.v"],
    );
    let script = format!("read_verilog {}; hierarchy -check -top two_channels; proc; check -assert", names.join(" "));
    let printed = support::tool(folder.path(), "yosys", &["-p", &script]);
    assert!(!printed.contains("Latch inferred"), "{printed}");
    assert!(!printed.contains("Warning"), "{printed}");
}

const BENCH: &str = "module bench;
    reg clock = 0, reset = 1, sample_valid = 0;
    reg [7:0] sample = 0;
    wire [7:0] sum;
    wire clipped;
    accumulator dut (.clock(clock), .reset(reset), .sample_valid(sample_valid), .sample(sample), .sum(sum), .clipped(clipped));
    task step(input [7:0] value, input valid);
        begin
            sample = value;
            sample_valid = valid;
            #1;
            $write(\"%0d\", clipped);
            clock = 1;
            #1;
            clock = 0;
            $display(\" %0d\", $signed(sum));
        end
    endtask
    initial begin
        step(99, 1);
        reset = 0;
        step(100, 1);
        step(100, 1);
        step(5, 0);
        step(-128, 1);
        step(-128, 1);
        step(-128, 1);
        step(-1, 1);
        step(1, 1);
        reset = 1;
        step(1, 1);
    end
endmodule
";

#[test]
fn registers_reset_hold_and_saturate() {
    let folder = tempfile::tempdir().unwrap();
    support::write(folder.path(), &basisn_hdl::generate(accumulator()).unwrap());
    std::fs::write(folder.path().join("bench.v"), BENCH).unwrap();
    support::tool(folder.path(), "iverilog", &["-g2001", "-o", "bench", "bench.v", "accumulator.v"]);
    let printed = support::tool(folder.path(), "vvp", &["-n", "bench"]);
    let lines: Vec<&str> = printed.lines().collect();
    // The sum before reset is unknown, and so is whether the first sample clips.
    assert_eq!(lines[1..], ["0 100", "1 127", "0 127", "0 -1", "1 -128", "1 -128", "1 -128", "0 -127", "0 0"]);
}
