//! Builds small designs and checks ports, clocking, traces, DPI and the cache with exact values.

#![allow(clippy::unwrap_used, clippy::panic)] // also in helpers, which clippy does not take for tests

use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use verilated::{Build, Error, Library, Model, Trace};

/// One cache for all tests of this run, so that Verilator's run-time is compiled once.
fn cache() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("models")
}

fn ports() -> Model {
    static LIBRARY: OnceLock<Library> = OnceLock::new();
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/ports.v");
    let build = || Build::new("ports").source(source).lint(true).cache_dir(cache()).build().unwrap();
    LIBRARY.get_or_init(build).instantiate().unwrap()
}

const COUNTER: &str =
    "module counter #(parameter STEP = 1)(input wire clock, input wire reset, output reg [31:0] count);
  always @(posedge clock) count <= reset ? 32'd0 : count + STEP;
endmodule
";

fn counter() -> Build {
    Build::new("counter").source(("counter.v", COUNTER)).cache_dir(cache())
}

/// The counter as a text that no build has seen before.
fn new_counter(test: &str) -> String {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_nanos();
    format!("// {test} {} {now}\n{COUNTER}", std::process::id())
}

#[test]
fn ports_of_all_widths_hold_exact_values() {
    let mut model = ports();
    for (width, value) in
        [(1u32, 1u64), (8, 0xa5), (16, 0xbeef), (32, 0xdead_beef), (33, 0x1_2345_6789), (64, 0x0123_4567_89ab_cdef)]
    {
        let input = model.input(&format!("a{width}")).unwrap();
        let output = model.output(&format!("y{width}")).unwrap();
        assert_eq!((input.width_bits(), output.width_bits()), (width, width));
        model.set(input, value);
        model.settle().unwrap();
        let mask = u64::MAX >> (64 - width);
        assert_eq!(model.get(input), value);
        assert_eq!(model.get(output), !value & mask, "{width} bits");
        model.set(input, u64::MAX);
        model.settle().unwrap();
        assert_eq!(model.get(input), mask, "only the port's bits are kept");
        assert_eq!(model.get(output), 0);
        let (wide_in, wide_out) =
            (model.wide_input(&format!("a{width}")).unwrap(), model.wide_output(&format!("y{width}")).unwrap());
        model.set_words(wide_in, &vec![0x5555_5555; wide_in.word_count()]);
        model.settle().unwrap();
        assert_eq!(model.get(input), 0x5555_5555_5555_5555 & mask);
        assert_eq!(model.field(wide_out, 0, width), !0x5555_5555_5555_5555 & mask);
    }
    let (s8, neg) = (model.input("s8").unwrap(), model.output("neg").unwrap());
    for value in [-128i64, -1, 0, 127] {
        model.set(s8, value as u64);
        model.settle().unwrap();
        assert_eq!((model.get_signed(s8), model.get_signed(neg)), (value, -value));
    }
    assert!(model.output("a__b").is_ok(), "names that Verilator encodes keep their Verilog form");
}

#[test]
fn wide_ports_carry_words_and_fields() {
    let mut model = ports();
    let (a, y) = (model.wide_input("a100").unwrap(), model.wide_output("y100").unwrap());
    assert_eq!((a.width_bits(), a.word_count()), (100, 4));
    model.set_words(a, &[u32::MAX, u32::MAX, 7, u32::MAX]);
    model.settle().unwrap();
    assert_eq!(model.words(a), [u32::MAX, u32::MAX, 7, 0xf], "bits above the width are dropped");
    assert_eq!(model.words(y), [0, 0, 8, 0xf]);
    model.set_words(a, &[0; 4]);
    model.set_field(a, 30, 64, 0x8000_0000_0000_0003);
    model.set_field(a, 96, 4, 0xa);
    assert_eq!(model.words(a), [0xc000_0000, 0, 0x2000_0000, 0xa]);
    assert_eq!(model.field(a, 30, 64), 0x8000_0000_0000_0003);
    assert_eq!((model.field(a, 96, 4), model.field(a, 93, 7)), (0xa, 0x51));
    model.set_field(a, 31, 1, 0);
    assert_eq!(model.words(a), [0x4000_0000, 0, 0x2000_0000, 0xa], "neighbours keep their values");
}

#[test]
fn a_cycle_is_a_low_phase_and_a_rising_edge() {
    let mut model = ports();
    let (reset, a1) = (model.input("reset").unwrap(), model.input("a1").unwrap());
    let (count, y1) = (model.output("count").unwrap(), model.output("y1").unwrap());
    model.set(reset, 1);
    model.tick().unwrap();
    model.set(reset, 0);
    for n in 0..5 {
        model.set(a1, n % 2);
        model.settle().unwrap();
        model.settle().unwrap();
        assert_eq!((model.get(count), model.get(y1)), (n, 1 - n % 2), "settling shows inputs and clocks nothing");
        model.tick().unwrap();
        assert_eq!((model.get(count), model.cycle()), (n + 1, n + 2));
    }
    model.settle().unwrap();
    model.set(reset, 1);
    model.tick().unwrap();
    assert_eq!(model.get(count), 0, "the edge sees inputs set after settling");
    model.set(reset, 0);
    model.run(70_000).unwrap();
    assert_eq!((model.get(count), model.cycle()), (70_000 % 65_536, 70_007));
}

#[test]
fn models_of_one_library_are_independent_and_may_move_to_threads() {
    let models: Vec<Model> = (0..4).map(|_| ports()).collect();
    let threads = models.into_iter().enumerate().map(|(n, mut model)| {
        std::thread::spawn(move || {
            model.run(100 * n as u64).unwrap();
            model.get(model.output("count").unwrap())
        })
    });
    let threads: Vec<_> = threads.collect();
    let counts: Vec<u64> = threads.into_iter().map(|thread| thread.join().unwrap()).collect();
    assert_eq!(counts, [0, 100, 200, 300]);
}

#[test]
#[should_panic(expected = "another model than its own")]
fn a_handle_of_another_model_is_refused() {
    let (one, mut other) = (ports(), ports());
    let reset = one.input("reset").unwrap();
    other.set(reset, 1);
}

#[test]
fn wrong_ports_are_typed_errors() {
    let model = ports();
    let text = model.input("a10").unwrap_err().to_string();
    assert!(
        text.starts_with("no such port: a10\n  at:    module ports\n  cause: the closest of 20 ports: a1, a100, a16"),
        "{text}"
    );
    assert!(matches!(model.input("y8"), Err(Error::PortDirection { is: "output", wanted: "input", .. })));
    assert!(matches!(model.output("a8"), Err(Error::PortDirection { is: "input", wanted: "output", .. })));
    assert!(matches!(model.input("a100"), Err(Error::PortWidth { width_bits: 100, .. })));
    let error = counter().clock("clk").build().unwrap().instantiate().unwrap_err();
    assert!(matches!(&error, Error::UnknownPort { name, .. } if name == "clk"), "{error}");
    let error = Build::new("two_bits")
        .clock("c")
        .source(("c.v", "module two_bits(input wire [1:0] c, output wire y); assign y = ^c; endmodule"));
    assert!(matches!(
        error.cache_dir(cache()).build().unwrap().instantiate(),
        Err(Error::PortWidth { width_bits: 2, .. })
    ));
}

#[test]
fn a_combinational_module_needs_no_clock() {
    let inverter = ("inverter.v", "module inverter(input wire a, output wire y); assign y = ~a; endmodule\n");
    let mut model =
        Build::new("inverter").source(inverter).no_clock().cache_dir(cache()).build().unwrap().instantiate().unwrap();
    let (a, y) = (model.input("a").unwrap(), model.output("y").unwrap());
    model.set(a, 1);
    model.tick().unwrap();
    assert_eq!((model.get(y), model.cycle()), (0, 1));
}

#[test]
fn the_second_build_comes_from_the_cache_and_every_change_is_seen() {
    let text = new_counter("cache");
    let counter = || Build::new("counter").source(("counter.v", text.as_str())).cache_dir(cache());
    let build = |build: Build| build.build().unwrap();
    let run = |library: &Library| {
        let mut model = library.instantiate().unwrap();
        model.run(3).unwrap();
        model.get(model.output("count").unwrap())
    };
    let first = build(counter());
    assert_eq!((first.cached(), run(&first)), (false, 3));
    let again = build(counter());
    assert_eq!((again.cached(), run(&again)), (true, 3));
    let by_parameter = build(counter().parameter("STEP", 5));
    assert_eq!((by_parameter.cached(), run(&by_parameter)), (false, 15));
    let changed = text.replace("count + STEP", "count - STEP");
    let changed = build(Build::new("counter").source(("counter.v", changed)).cache_dir(cache()));
    assert_eq!((changed.cached(), run(&changed)), (false, u64::from(u32::MAX) - 2));
    assert_eq!(run(&first), 3, "libraries loaded together do not disturb each other");
}

#[test]
fn simultaneous_builds_share_one_entry() {
    let text = new_counter("simultaneous");
    let counter = || Build::new("counter").source(("counter.v", text.as_str())).cache_dir(cache());
    let build = || counter().build().unwrap().cached();
    let cached: Vec<bool> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..3).map(|_| scope.spawn(build)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(cached.iter().filter(|cached| !**cached).count(), 1, "{cached:?}");
}

#[test]
fn traces_are_written() {
    for (trace, ending, start) in [(Trace::Vcd, "vcd", b"$".as_slice()), (Trace::Fst, "fst", b"\0".as_slice())] {
        let folder = tempfile::tempdir().unwrap();
        let mut model = counter().trace(trace).build().unwrap().instantiate().unwrap();
        for part in 0..2 {
            let path = folder.path().join(format!("{part}.{ending}"));
            model.trace_to(&path).unwrap();
            model.settle().unwrap();
            model.run(20).unwrap();
            model.trace_flush().unwrap();
            model.trace_close().unwrap();
            let bytes = std::fs::read(&path).unwrap();
            assert!(
                bytes.len() > 200 && (bytes.starts_with(start) || ending == "vcd"),
                "{ending}: {} bytes",
                bytes.len()
            );
            if trace == Trace::Vcd {
                let text = String::from_utf8(bytes).unwrap();
                let times: Vec<&str> = text.lines().filter(|line| line.starts_with('#')).collect();
                let expected: Vec<String> = (40 * part..40 * (part + 1)).map(|time| format!("#{time}")).collect();
                assert_eq!(times, expected, "two phases a cycle");
            }
        }
        assert!(matches!(model.trace_to(folder.path().join("none/x")), Err(Error::Trace { .. })));
        model.tick().unwrap();
    }
    let path = tempfile::tempdir().unwrap().path().join("x.vcd");
    let error = counter().build().unwrap().instantiate().unwrap().trace_to(&path).unwrap_err();
    assert!(matches!(error, Error::Trace { .. }) && !path.exists());
}

#[test]
fn random_start_values_show_a_missing_reset() {
    let library = counter().build().unwrap();
    let start = |seed| {
        let mut model = library.instance().random_state(seed).start().unwrap();
        model.settle().unwrap();
        model.get(model.output("count").unwrap())
    };
    assert_eq!(start(0), 0);
    assert_eq!(start(7), start(7));
    assert_ne!(start(7), start(8));
}
