//! Prints how many cycles a second a small counter runs, for each kind of loop.
//!
//! `cargo run --release -p verilated --example cycles_per_second`; `BASISN_VERILATOR` chooses the Verilator.

use std::time::Instant;
use verilated::{Build, Model, Result};

const COUNTER: &str = "module counter(input wire clock, input wire enable, output reg [31:0] count, output wire even);
  assign even = enable & ~count[0];
  always @(posedge clock) count <= count + {31'd0, enable};
endmodule
";
const CYCLES: u64 = 10_000_000;

fn main() -> Result<()> {
    let started = Instant::now();
    let library = Build::new("counter").source(("counter.v", COUNTER)).build()?;
    println!("build: {:.2} s, from the cache: {}", started.elapsed().as_secs_f64(), library.cached());
    let mut model = library.instantiate()?;
    let (enable, count, even) = (model.input("enable")?, model.output("count")?, model.output("even")?);

    measure("run(n)", &mut model, |model| {
        model.set(enable, 1);
        model.run(CYCLES)
    })?;
    measure("set, tick, get", &mut model, |model| {
        for n in 0..CYCLES {
            model.set(enable, n & 1);
            model.tick()?;
            std::hint::black_box(model.get(count));
        }
        Ok(())
    })?;
    measure("set, settle, get, tick, get", &mut model, |model| {
        for n in 0..CYCLES {
            model.set(enable, n & 1);
            model.settle()?;
            std::hint::black_box(model.get(even));
            model.tick()?;
            std::hint::black_box(model.get(count));
        }
        Ok(())
    })?;
    assert_eq!(model.get(count), CYCLES * 2);
    Ok(())
}

fn measure(name: &str, model: &mut Model, work: impl FnOnce(&mut Model) -> Result<()>) -> Result<()> {
    let started = Instant::now();
    work(model)?;
    println!("{name:30} {:6.2} million cycles/s", CYCLES as f64 / started.elapsed().as_secs_f64() / 1e6);
    Ok(())
}
