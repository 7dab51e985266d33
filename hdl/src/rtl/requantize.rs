//! Psums to results: `(psum * m + b) >> shift`, rounded and clamped.

use super::Widths;
use crate::build::{Header, Module, lit, zero};
use basisn_arch::ChipConfig;

const HEADER: Header = Header {
    function: "clamp((psum * m + b + 2^(shift-1)) >> shift), or psum * m + b if raw; m and b from the kernel's parameter.",
    latency: "5 cycles from psum_valid to requantized_valid.",
    handshake: "None: a psum a cycle. parameter_read one cycle before the psum of that kernel.",
    invariants: "64-bit arithmetic; parameters are not written during a layer.",
};

/// The requantization pipeline and its parameter memory.
pub fn requantize(config: &ChipConfig) -> Module {
    let w = Widths::of(config);
    let mut m = Module::new("requantize", HEADER);
    let parameter_write = m.input("parameter_write", 1);
    let parameter_address = m.input("parameter_address", w.kernel);
    let parameter_data = m.input("parameter_data", 64);
    let parameter_read = m.input("parameter_read", 1);
    let parameter_kernel = m.input("parameter_kernel", w.kernel);
    let shift = m.input("shift", 6);
    let raw = m.input("raw", 1);
    let clamp_low = m.input("clamp_low", 32);
    let clamp_high = m.input("clamp_high", 32);
    let psum_valid = m.input("psum_valid", 1);
    let psum_last = m.input("psum_last", 1);
    let psum = m.input("psum", 32);
    let requantized_valid = m.output("requantized_valid", 1);
    let requantized_last = m.output("requantized_last", 1);
    let requantized = m.output("requantized", 64);

    let parameters = m.memory("parameters", config.kernels(), 64);
    m.set(&parameters.write_enable, &parameter_write);
    m.set(&parameters.write_address, &parameter_address);
    m.set(&parameters.write_data, &parameter_data);
    m.set(&parameters.read_enable, &parameter_read);
    m.set(&parameters.read_address, &parameter_kernel);

    let operand = m.register("operand", 32);
    let multiplier = m.register("multiplier", 16);
    let offset = m.register("offset", 48);
    m.set(&operand.d(), &psum);
    m.set(&multiplier.d(), &parameters.read_data.bits(48, 16));
    m.set(&offset.d(), &parameters.read_data.trunc(48));

    let product = m.register("product", 48);
    let bias = m.register("bias", 64);
    let half_step = m.define("half_step", &lit(1, 64).shl_by(&shift.sub_const(1)));
    let rounding = m.select("rounding", &raw, &zero(64), &half_step);
    m.set(&product.d(), &operand.q().mul_signed(&multiplier.q(), 48));
    m.set(&bias.d(), &offset.q().sext(64).add(&rounding));

    let sum = m.register("sum", 64);
    m.set(&sum.d(), &product.q().sext(64).add(&bias.q()));

    let scaled = m.register("scaled", 64);
    let shifted = m.define("shifted", &sum.q().sra_by(&shift));
    let next_scaled = m.select("next_scaled", &raw, &sum.q(), &shifted);
    m.set(&scaled.d(), &next_scaled);

    let result = m.register("result", 64);
    let low = m.define("low", &clamp_low.sext(64));
    let high = m.define("high", &clamp_high.sext(64));
    m.set(&result.d(), &scaled.q());
    m.when(&raw.not().and(&scaled.q().lt_signed(&low)), |m| m.set(&result.d(), &low));
    m.when(&raw.not().and(&high.lt_signed(&scaled.q())), |m| m.set(&result.d(), &high));
    m.set(&requantized, &result.q());

    for (name, input, output) in [("valid", &psum_valid, &requantized_valid), ("last", &psum_last, &requantized_last)] {
        let stages = m.register(&format!("{name}_stages"), 5);
        m.set(&stages.d(), &stages.q().shl(1).or(&input.zext(5)));
        m.set(output, &stages.q().bit(4));
    }
    m
}
