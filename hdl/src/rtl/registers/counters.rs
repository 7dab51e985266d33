//! The state of the core, the interrupt and the performance counters.

use std::rc::Rc;

use super::Port;
use crate::build::{Expr, Header, Module, zero};
use crate::rtl::{Widths, count_ones, fit, pack, step_counter};
use basisn_arch::{ChipConfig, registers as map};

/// Commands to the layer control, and what it says; gives whether a layer runs.
pub(super) fn control(m: &mut Module, port: &mut Port, programming: &Expr) -> Expr {
    let [busy, discard, clearing, done, failed] =
        ["busy", "discard", "clearing", "done", "failed"].map(|name| m.input(name, 1));
    let (code, place) = (m.input("error_code", 8), m.input("error_place", 8));
    let failure_found = m.input("failure_found", 1);
    port.read(map::STATUS, &[(0, &busy.or(&clearing)), (1, &code.any()), (2, programming)]);
    port.read(map::ERROR, &[(0, &code), (8, &place)]);

    let start_asked = port.data.bit(0);
    let clear_asked = port.data.bit(1);
    port.refuse(map::CONTROL, &start_asked.and(&clear_asked.or(&discard).or(programming)));
    let at_any_time = [map::CONTROL, map::IRQ_ENABLE, map::IRQ_PENDING].map(|address| port.is_at(address));
    port.refuse_all(&busy.and(&pack(&at_any_time).any().not()));
    let start_request = m.output("start_request", 1);
    let clear_request = m.output("clear_request", 1);
    m.set(&start_request, &port.write(map::CONTROL).and(&start_asked));
    m.set(&clear_request, &port.write(map::CONTROL).and(&clear_asked));
    interrupt(m, port, &Expr::concat(&[&failure_found, &failed, &done]));
    busy
}

/// Events stay pending until a 1 is written to them; those that are enabled raise the interrupt.
fn interrupt(m: &mut Module, port: &mut Port, events: &Expr) {
    let irq = m.output("irq", 1);
    let enabled = port.stored(m, "irq_enable", map::IRQ_ENABLE, events.width());
    let pending = m.register("irq_pending", events.width());
    port.read(map::IRQ_PENDING, &[(0, &pending.q())]);
    m.when(&port.write(map::IRQ_PENDING), |m| {
        m.set(&pending.d(), &pending.q().and(&port.data.trunc(events.width()).not()));
    });
    m.set(&pending.d(), &pending.d().read().or(events));
    let raised = m.register("irq_raised", 1);
    m.set(&raised.d(), &pending.q().and(&enabled).any());
    m.set(&irq, &raised.q());
}

/// The counters of a layer, up to four cycles behind what they count: exact again before a read that follows the layer's end.
pub(super) fn counters(m: &mut Module, port: &mut Port, config: &ChipConfig, busy: &Expr) {
    let start = m.input("start", 1);
    let counted = [
        ("busy", map::CYCLES),
        ("read_valid", map::READS),
        ("wait_slots", map::WAIT_SLOTS),
        ("wait_activations", map::WAIT_ACTIVATIONS),
        ("wait_results", map::WAIT_RESULTS),
        ("wait_macro", map::WAIT_MACRO),
        ("slot_take", map::SLOTS),
    ];
    for (name, address) in counted {
        let counter = m.register(&format!("{name}_count"), 32);
        let counts = m.register(&format!("{name}_counts"), 1);
        let now = if address == map::CYCLES { busy.clone() } else { busy.and(&m.input(name, 1)) };
        m.set(&counts.d(), &now);
        if address != map::CYCLES {
            // In the first busy cycle nothing has begun.
            m.when(&start, |m| m.set(&counts.d(), &zero(1)));
        }
        m.when(&counts.q(), |m| m.set(&counter.d(), &counter.q().add_const(1)));
        m.when(&start, |m| m.set(&counter.d(), &zero(32)));
        port.read(address, &[(0, &counter.q())]);
    }

    let w = Widths::of(config);
    let step_counter = Rc::new(step_counter(config));
    if config.skips_zero_planes() {
        let skipped = m.input("skipped_planes", w.plane);
        let step = m.register("skipped_planes_step", w.plane);
        let counter = m.shared_child("skipped_planes_counter", &step_counter);
        m.set(&step.d(), &skipped);
        m.set(&counter.input("clear"), &start);
        m.set(&counter.input("step"), &fit(&step.q(), w.count_step));
        port.read(map::SKIPPED_PLANES, &[(0, &counter.output("count"))]);
    } else {
        port.read(map::SKIPPED_PLANES, &[(0, &zero(32))]);
    }

    let (tiles, lanes) = (config.tiles(), config.lanes());
    let saturated = m.input("saturated", tiles * lanes);
    let module = Rc::new(saturation_counter(config, &step_counter));
    for lane in 0..lanes {
        let counter = m.shared_child(&format!("saturated_{lane}"), &module);
        let of_tiles: Vec<_> = (0..tiles).map(|tile| saturated.bit(tile * lanes + lane)).collect();
        m.set(&counter.input("start"), &start);
        m.set(&counter.input("saturated"), &pack(&of_tiles));
        port.read(map::SATURATED + 4 * lane as u32, &[(0, &counter.output("count"))]);
    }
}

/// Counts the saturated codes of one lane in all tiles.
fn saturation_counter(config: &ChipConfig, step_counter: &Rc<Module>) -> Module {
    const HEADER: Header = Header::new(
        "Counts the saturated codes of one lane, in all tiles, since the start of the layer.",
        "4 cycles from saturated to count.",
        "None.",
        "None.",
    );
    let mut m = Module::new("saturation_counter", HEADER);
    let start = m.input("start", 1);
    let saturated = m.input("saturated", config.tiles());
    let count = m.output("count", 32);
    let sum = count_ones(&mut m, "ones", &saturated);
    let counter = m.shared_child("counter", step_counter);
    m.set(&counter.input("clear"), &start);
    m.set(&counter.input("step"), &fit(&sum, Widths::of(config).count_step));
    m.set(&count, &counter.output("count"));
    m
}
