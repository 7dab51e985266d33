//! The AXI4-Lite slave and the interrupt: every answer that the documentation promises.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod common;

use basisn_arch::ChipConfig;
use basisn_arch::registers::{self as reg, Access, MAP};
use basisn_models::MvmProblem;
use basisn_models::random::Corners;
use basisn_testbench::{Core, LayerStimulus, Response, Stalls};
use common::{Mutant, all_are_noticed, library, random};
use rand::Rng;
use verilated::{Library, Model};

fn tiny() -> ChipConfig {
    ChipConfig::load("tiny").unwrap()
}

fn core(library: &Library) -> Core {
    Core::new(library.instance().random_state(7).start().unwrap(), &tiny()).unwrap()
}

const MUTANTS: &[Mutant] = &[
    ("partial strobes are taken as whole", fields, "axi_lite", "whole_next = &s_axil_wstrb", "whole_next = 1'h1"),
    ("refused writes are carried out", fields, "axi_lite", "write_valid = writing & allowed", "write_valid = writing"),
    ("refused writes are answered with OKAY", addresses, "axi_lite", "bresp = {b_refused, 1'h0}", "bresp = 2'h0"),
    ("unmapped reads are answered with OKAY", addresses, "axi_lite", "rresp = {r_refused, 1'h0}", "rresp = 2'h0"),
    ("the response does not wait for the data", order, "axi_lite", "(address_held & data_held)", "(address_held)"),
    ("read data is withdrawn before it is taken", order, "axi_lite", "r_valid & s_axil_rready", "r_valid"),
    ("the interrupt ignores its enable", interrupt, "registers", "irq_pending & irq_enable_register", "irq_pending"),
    ("pending is cleared by a written 0", interrupt, "registers", "irq_pending & (~write_data[2:0])", "3'h0"),
    ("levels that no cell holds are accepted", fields, "registers", "write_refused = |", "write_refused = 1'h0 & |"),
];

#[test]
fn seeded_bugs_are_noticed() {
    all_are_noticed(&tiny(), MUTANTS);
}

#[test]
fn every_address_answers_as_the_map_says() {
    addresses(&library(&tiny(), None));
}

fn addresses(library: &Library) {
    let mut core = core(library);
    for address in (0..1 << reg::ADDRESS_BITS).step_by(4) {
        let register = MAP.iter().find(|r| r.has(address));
        let expected = |allowed| if allowed { Response::Okay } else { Response::SlaveError };
        let (response, value) = core.respond_to_read(address).unwrap();
        assert_eq!(response, expected(register.is_some()), "read of 0x{address:02x}");
        if register.is_none_or(|r| r.access == Access::Write) {
            assert_eq!(value, 0, "read of 0x{address:02x}");
        }
        // A start would need streams; no cell of one bit holds a 0.
        if address != reg::CONTROL {
            let writable = register.is_some_and(|r| r.access.writable());
            let value = u32::from(address == reg::PROGRAM_LEVEL);
            assert_eq!(
                core.respond_to_write(address, value, 0xf).unwrap(),
                expected(writable),
                "write of 0x{address:02x}"
            );
        }
    }
}

#[test]
fn refused_writes_change_nothing_and_fields_are_where_the_map_says() {
    fields(&library(&tiny(), None));
}

fn fields(library: &Library) {
    let mut core = core(library);
    for register in MAP.iter().filter(|r| r.access == Access::ReadWrite) {
        let mask = register.fields.iter().fold(0, |mask, field| mask | field.mask());
        // The highest that the chip has of what a register counts, and ones where there is no field.
        let highest = match register.address {
            reg::PARAMETER_ADDRESS => 63,
            reg::PROGRAM_CELL => 15 | 15 << 16,
            _ => mask,
        };
        core.write(register.address, highest | !mask).unwrap();
        let ones = core.read(register.address).unwrap();
        assert_eq!(ones, highest, "{}", register.name);
        if highest != mask {
            for beyond in register.fields.iter().map(|f| highest + (1 << f.lsb)) {
                assert_eq!(core.respond_to_write(register.address, beyond, 0xf).unwrap(), Response::SlaveError);
            }
        }
        for strobes in 0..15 {
            assert_eq!(core.respond_to_write(register.address, 0, strobes).unwrap(), Response::SlaveError);
        }
        assert_eq!(core.read(register.address).unwrap(), ones, "{}", register.name);
        core.write(register.address, 0).unwrap();
        assert_eq!(core.read(register.address).unwrap(), 0, "{}", register.name);
    }
    assert_eq!(core.respond_to_write(reg::PROGRAM_TILE, 1, 0xf).unwrap(), Response::SlaveError, "one tile");
    for level in 0..256 {
        let held = [1, 255].contains(&level);
        let response = core.respond_to_write(reg::PROGRAM_LEVEL, level, 0xf).unwrap();
        assert_eq!(response == Response::Okay, held, "level {level} in a cell of one bit");
    }
    core.write(reg::PARAMETER_ADDRESS, 63).unwrap();
    core.write(reg::PARAMETER_HIGH, 0).unwrap();
    assert_eq!(core.respond_to_write(reg::PARAMETER_HIGH, 0, 0xf).unwrap(), Response::SlaveError, "one too many");
    assert_eq!(core.respond_to_write(reg::ID, 0, 0xf).unwrap(), Response::SlaveError);
    assert_eq!(core.read(reg::ID).unwrap(), reg::ID_VALUE);
}

/// One channel of the master: holds valid until ready, and lets pass a random time before each transfer.
fn step(model: &mut Model, rng: &mut impl Rng, valid: &str, ready: &str, left: &mut bool) -> bool {
    let (valid, ready) = (model.input(valid).unwrap(), model.output(ready).unwrap());
    if *left && rng.random_bool(0.4) {
        *left = false;
        model.set(valid, 1);
    }
    model.settle().unwrap();
    model.get(ready) == 1
}

#[test]
fn address_and_data_come_in_any_order_and_responses_hold_until_taken() {
    order(&library(&tiny(), None));
}

fn order(library: &Library) {
    let (mut rng, _) = random("axi order");
    let mut model = library.instance().random_state(7).start().unwrap();
    for port in ["s_axil_awvalid", "s_axil_wvalid", "s_axil_arvalid", "s_axil_bready", "s_axil_rready"] {
        let port = model.input(port).unwrap();
        model.set(port, 0);
    }
    let set = |model: &mut Model, name: &str, value: u32| {
        let port = model.input(name).unwrap();
        model.set(port, u64::from(value));
    };
    let get = |model: &mut Model, name: &str| {
        let port = model.output(name).unwrap();
        model.get(port) as u32
    };
    set(&mut model, "reset", 1);
    model.run(3).unwrap();
    set(&mut model, "reset", 0);
    set(&mut model, "s_axil_wstrb", 15);
    let mut stored = 0;
    for _ in 0..500 {
        let value: u32 = rng.random();
        let refused = rng.random_bool(0.2);
        set(&mut model, "s_axil_awaddr", if refused { 0xf0 } else { reg::CLAMP_LOW });
        set(&mut model, "s_axil_wdata", value);
        set(&mut model, "s_axil_araddr", reg::CLAMP_LOW);
        let before = stored;
        let (mut address, mut data, mut read) = (true, true, true);
        let (mut answered, mut given) = (None, None);
        let mut waited = 0;
        while answered.is_none() || given.is_none() {
            let channels = [
                ("s_axil_awvalid", "s_axil_awready", &mut address),
                ("s_axil_wvalid", "s_axil_wready", &mut data),
                ("s_axil_arvalid", "s_axil_arready", &mut read),
            ];
            let moved = channels.map(|(valid, ready, left)| (valid, step(&mut model, &mut rng, valid, ready, left)));
            let take = [rng.random_bool(0.5), rng.random_bool(0.5)];
            set(&mut model, "s_axil_bready", u32::from(take[0]));
            set(&mut model, "s_axil_rready", u32::from(take[1]));
            model.settle().unwrap();
            let b = (get(&mut model, "s_axil_bvalid") == 1).then(|| get(&mut model, "s_axil_bresp"));
            let r = (get(&mut model, "s_axil_rvalid") == 1).then(|| get(&mut model, "s_axil_rdata"));
            assert!(b.is_none() || !address && !data, "a response before address and data");
            model.tick().unwrap();
            for (valid, ready) in moved {
                if ready {
                    set(&mut model, valid, 0);
                }
            }
            model.settle().unwrap();
            for (seen, taken, valid, payload, kept) in [
                (b, take[0], "s_axil_bvalid", "s_axil_bresp", &mut answered),
                (r, take[1], "s_axil_rvalid", "s_axil_rdata", &mut given),
            ] {
                match seen {
                    Some(value) if taken => {
                        assert_eq!(get(&mut model, valid), 0, "one request, one response");
                        *kept = Some(value);
                    }
                    Some(value) => assert_eq!((get(&mut model, valid), get(&mut model, payload)), (1, value)),
                    None => {}
                }
            }
            waited += 1;
            assert!(waited < 500, "no answer");
        }
        assert_eq!(answered, Some(if refused { 2 } else { 0 }));
        stored = if refused { before } else { value };
        assert!(given == Some(before) || given == Some(stored), "{given:?} is neither the old nor the new value");
    }
}

#[test]
fn the_interrupt_follows_enable_and_pending() {
    interrupt(&library(&tiny(), None));
}

fn interrupt(library: &Library) {
    let (mut rng, _) = random("interrupt");
    let (config, mut core) = (tiny(), core(library));
    let p = MvmProblem::with_size(&mut rng, &config, 16, 3, 2, &Corners::default());
    let layer = &p.program.layers[0];
    let stimulus = LayerStimulus::new(&config, layer, &layer.shape.im2col(&p.input), 0..3);
    core.program(&p.program, None).unwrap();
    for enabled in [false, true] {
        core.write(reg::IRQ_ENABLE, u32::from(enabled)).unwrap();
        assert_eq!(core.read(reg::IRQ_PENDING).unwrap(), 0);
        core.run_layer("interrupt", &stimulus, &mut Stalls::none()).unwrap();
        assert_eq!(core.read(reg::IRQ_PENDING).unwrap(), 1);
        assert_eq!(core.interrupt().unwrap(), enabled);
        core.write(reg::IRQ_PENDING, 0).unwrap();
        assert_eq!(core.read(reg::IRQ_PENDING).unwrap(), 1, "a written 0 clears nothing");
        core.write(reg::IRQ_PENDING, 1).unwrap();
        assert_eq!(core.read(reg::IRQ_PENDING).unwrap(), 0);
        assert!(!core.interrupt().unwrap());
    }
}
