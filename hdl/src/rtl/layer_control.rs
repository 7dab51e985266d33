//! Starts a layer, stops it at the first error, and clears the core.

use super::widths::index_bits;
use crate::build::{Expr, Header, Module, lit, zero};
use basisn_arch::ChipConfig;
use basisn_arch::registers::{self as map, ErrorCode};

const HEADER: Header = Header::new(
    "Starts a layer; at an error or a clear, empties the core and ends the result stream.",
    "start one cycle after start_request, in the first busy cycle; flush from the cycle after an error or clear_request.",
    "busy from start_request until a result with tlast is taken, done or failed for one cycle at either end.",
    "Every start_request ends in one result with tlast. While discard is high both input streams are thrown away.",
);

/// Cycles that empty the core beyond the macros' latency: tags, lanes, drain, requantization.
const FLUSH_CYCLES: usize = 32;

/// The control of a core's layers.
pub fn layer_control(config: &ChipConfig) -> Module {
    let flush_cycles = config.read_latency_cycles() + FLUSH_CYCLES;
    let timer_bits = index_bits(flush_cycles + 1);
    let mut m = Module::new("layer_control", HEADER);
    let start_request = m.input("start_request", 1);
    let clear_request = m.input("clear_request", 1);
    let descriptor_fault = m.input("descriptor_fault", 1);
    let descriptor_place = m.input("descriptor_place", 8);
    let kernels_fault = m.input("kernels_fault", 1);
    let slot_refused = m.input("slot_refused", 1);
    let slot_faults = m.input("slot_faults", 3 * config.tiles());
    let group_tlast = m.input("group_tlast", 1);
    let slot_tlast_inside = m.input("slot_tlast_inside", 1);
    let activation_early = m.input("activation_early", 1);
    let activation_late = m.input("activation_late", 1);
    let result_taken = m.input("result_taken", 1);
    let result_last = m.input("result_last", 1);
    let results_empty = m.input("results_empty", 1);

    let busy = m.register("layer_busy", 1);
    let code = m.register("code", 8);
    let place = m.register("place", 8);
    let timer = m.register("timer", timer_bits);
    let clearing = m.register("being_cleared", 1);
    let stopped = m.define("stopped", &code.q().any().or(&clearing.q()));
    let flushing = m.define("flushing", &timer.q().any());

    // The first error counts. What happens later in a cycle's list outranks what happens earlier.
    let error = m.local("error", 1);
    let (error_code, error_place) = (m.local("new_code", 8), m.local("new_place", 8));
    m.set(&error, &zero(1));
    m.set(&error_code, &zero(8));
    m.set(&error_place, &zero(8));
    let raise = |m: &mut Module, when: &Expr, code: ErrorCode, place: &Expr| {
        m.when(when, |m| {
            m.set(&error, &lit(1, 1));
            m.set(&error_code, &lit(code as u64, 8));
            m.set(&error_place, place);
        });
    };
    raise(&mut m, &activation_late, ErrorCode::ActivationLate, &zero(8));
    raise(&mut m, &activation_early, ErrorCode::ActivationEarly, &zero(8));
    raise(&mut m, &slot_tlast_inside, ErrorCode::SlotEarly, &zero(8));
    // What is wrong with the slots that wait is known before it is known that they are taken.
    let (slot_code, slot_place) = (m.local("slot_code", 8), m.local("slot_place", 8));
    m.set(&slot_code, &lit(ErrorCode::SlotLate as u64, 8));
    m.set(&slot_place, &zero(8));
    m.when(&group_tlast, |m| m.set(&slot_code, &lit(ErrorCode::SlotEarly as u64, 8)));
    for tile in (0..config.tiles()).rev() {
        for (bit, code) in [(2, ErrorCode::SlotPsum), (1, ErrorCode::SlotPlane), (0, ErrorCode::SlotLane)] {
            m.when(&slot_faults.bit(3 * tile + bit), |m| {
                m.set(&slot_code, &lit(code as u64, 8));
                m.set(&slot_place, &lit(tile as u64, 8));
            });
        }
    }
    m.when(&slot_refused, |m| {
        m.set(&error, &lit(1, 1));
        m.set(&error_code, &slot_code.read());
        m.set(&error_place, &slot_place.read());
    });
    raise(&mut m, &kernels_fault, ErrorCode::Descriptor, &lit(u64::from(map::KERNELS), 8));
    raise(&mut m, &start_request.and(&busy.q()), ErrorCode::Start, &zero(8));
    let starts = m.define("starts", &start_request.and(&busy.q().not()));
    raise(&mut m, &starts.and(&descriptor_fault), ErrorCode::Descriptor, &descriptor_place);
    let failed = m.define("fails", &error.read().and(&stopped.not()));

    let ends = m.define("ends", &busy.q().and(&result_taken).and(&result_last));
    let flushed = m.define("flushed", &clearing.q().and(&flushing.not()).and(&busy.q().not()));
    m.when(&flushing, |m| m.set(&timer.d(), &timer.q().sub_const(1)));
    m.when(&flushed, |m| m.set(&clearing.d(), &zero(1)));
    m.when(&ends, |m| m.set(&busy.d(), &zero(1)));
    m.when(&starts, |m| m.set(&busy.d(), &lit(1, 1)));
    m.when(&failed, |m| {
        m.set(&code.d(), &error_code.read());
        m.set(&place.d(), &error_place.read());
    });
    m.when(&clear_request, |m| {
        m.set(&clearing.d(), &lit(1, 1));
        m.set(&code.d(), &zero(8));
        m.set(&place.d(), &zero(8));
    });
    m.when(&failed.or(&clear_request), |m| m.set(&timer.d(), &lit(flush_cycles as u64, timer_bits)));

    // It reaches counters all over the core.
    let start = m.register("started", 1);
    m.set(&start.d(), &starts.and(&failed.not()));
    let outputs = [
        ("start", start.q()),
        ("busy", busy.q()),
        ("flush", flushing.clone()),
        ("discard", stopped.clone()),
        ("end_results", stopped.and(&flushing.not()).and(&busy.q()).and(&results_empty)),
        ("clearing", clearing.q()),
        ("done", ends.and(&stopped.not())),
        ("failed", failed),
        ("error_code", code.q()),
        ("error_place", place.q()),
    ];
    for (name, value) in &outputs {
        let output = m.output(name, value.width());
        m.set(&output, value);
    }
    m
}
