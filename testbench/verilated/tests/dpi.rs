//! Verilog that calls Rust, and designs that end their own simulation.

#![allow(clippy::unwrap_used, clippy::panic)] // also in helpers, which clippy does not take for tests

use std::ffi::c_void;
use std::path::Path;
use verilated::{Build, Error};

fn build(top: &str, text: &str) -> Build {
    let cache = Path::new(env!("CARGO_TARGET_TMPDIR")).join("models");
    Build::new(top).source((format!("{top}.sv"), text)).cache_dir(cache)
}

const ADDER: &str = "module adder(input wire clock, input wire [31:0] a, input wire [31:0] b, output reg [31:0] sum, output reg [31:0] first);
  import \"DPI-C\" function int add_dpi(input int a, input int b);
  initial first = add_dpi(1, 2);
  always @(posedge clock) sum <= add_dpi(a, b);
endmodule
";

const ADDER_SHIM: &str = "
typedef int32_t (*Add)(void* user_data, int32_t a, int32_t b);
static Add add = nullptr;
extern \"C\" void set_add(Add function) { add = function; }
int add_dpi(int a, int b) { return add(verilated_user_data(), a, b); }
";

type Add = unsafe extern "C" fn(*mut c_void, i32, i32) -> i32;

/// Adds, and counts the calls in the model's own counter.
unsafe extern "C" fn add(user_data: *mut c_void, a: i32, b: i32) -> i32 {
    // SAFETY: each model below is started with a counter that outlives it.
    unsafe { *user_data.cast::<u32>() += 1 };
    a.wrapping_add(b)
}

#[test]
fn verilog_calls_rust_with_a_state_for_each_model() {
    let library = build("adder", ADDER).shim_source(ADDER_SHIM).build().unwrap();
    // SAFETY: the type is that of `set_add` in the shim; the library lives to the end of the test.
    let set_add: unsafe extern "C" fn(Add) = unsafe { library.symbol("set_add") }.unwrap();
    // SAFETY: `add` is a function of this program.
    unsafe { set_add(add) };

    let mut calls = [0u32; 2];
    {
        let [one, other] = &mut calls;
        let mut one = library.instance().user_data(std::ptr::from_mut(one).cast()).start().unwrap();
        let mut other = library.instance().user_data(std::ptr::from_mut(other).cast()).start().unwrap();
        let (a, b, sum) = (one.input("a").unwrap(), one.input("b").unwrap(), one.output("sum").unwrap());
        let first = one.output("first").unwrap();
        for n in 0..10u64 {
            one.set(a, n);
            one.set(b, 0u64.wrapping_sub(2 * n));
            one.tick().unwrap();
            assert_eq!(one.get_signed(sum), -(n as i64));
        }
        assert_eq!(one.get(first), 3, "initial blocks call too");
        other.tick().unwrap();
    }
    assert_eq!(calls, [11, 2]);
}

#[test]
fn a_wrong_shim_source_is_refused() {
    let error = build("adder", ADDER).shim_source("int add_dpi(int a) { return a }").build().unwrap_err();
    assert!(matches!(&error, Error::Compile { output, .. } if output.contains("shim_source:1")), "{error}");
    let error = build("adder", ADDER).build().unwrap_err();
    assert!(matches!(&error, Error::Compile { at, output } if at == "link" && output.contains("add_dpi")), "{error}");
    let library = build("adder", ADDER).shim_source(ADDER_SHIM).build().unwrap();
    // SAFETY: nothing is called.
    let symbol = unsafe { library.symbol::<unsafe extern "C" fn()>("set_sub") };
    assert!(matches!(symbol, Err(Error::Load { cause, .. }) if cause.contains("set_sub")));
}

#[test]
fn finish_ends_a_run_and_stop_is_an_error() {
    let ender = "module ender(input wire clock, output reg [7:0] count);
  always @(posedge clock) begin
    count <= count + 8'd1;
    if (count == 8'd5) $finish;
    if (count == 8'd9) $fatal(1, \"nine\");
  end
endmodule
";
    let library = build("ender", ender).build().unwrap();
    let mut model = library.instantiate().unwrap();
    model.run(100).unwrap();
    assert!(model.finished());
    assert_eq!(model.cycle(), 6);
    for _ in 0..3 {
        model.tick().unwrap();
    }
    let error = model.tick().unwrap_err();
    assert!(matches!(&error, Error::Stopped { cycle: 9, cause } if cause.contains("ender.sv:5")), "{error}");
    assert_eq!(model.tick().unwrap_err(), error, "a stopped model stays stopped");
    let mut next = library.instantiate().unwrap();
    next.run(3).unwrap();
    assert_eq!(next.cycle(), 3);
}
