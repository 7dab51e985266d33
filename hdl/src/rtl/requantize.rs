//! Psums to results: `(psum * m + b) >> shift`, rounded and clamped.

use super::Widths;
use crate::build::{Header, Module, lit, zero};
use basisn_arch::ChipConfig;

const HEADER: Header = Header::new(
    "clamp((psum * m + b + 2^(shift-1)) >> shift), or psum * m + b if raw; m and b from the kernel's parameter.",
    "8 cycles from psum_valid to requantized_valid.",
    "None: a psum a cycle. parameter_read one cycle before the psum of that kernel.",
    "64-bit arithmetic; parameters are not written during a layer. No stage has more than one sum or three choices.",
);

/// Stages of the pipeline.
const STAGES: usize = 8;

/// The requantization pipeline of every W-th kernel, with their parameter memory.
pub fn requantize(config: &ChipConfig) -> Module {
    let w = Widths::of(config);
    let mut m = Module::new("requantize", HEADER);
    let parameter_write = m.input("parameter_write", 1);
    let parameter_address = m.input("parameter_address", w.kernel_group);
    let parameter_data = m.input("parameter_data", 64);
    let parameter_read = m.input("parameter_read", 1);
    let parameter_kernel = m.input("parameter_kernel", w.kernel_group);
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

    let parameters = m.memory("parameters", config.kernels().div_ceil(config.drain_width()), 64);
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

    // The product of either byte of m. Shift and raw stay as they are during a layer.
    let low_product = m.register("low_product", 41);
    let high_product = m.register("high_product", 40);
    let half_step = m.register("half_step", 64);
    let bias = m.register("bias", 64);
    let low_byte = m.define("low_byte", &multiplier.q().trunc(8).zext(9));
    m.set(&low_product.d(), &operand.q().mul_signed(&low_byte, 41));
    m.set(&high_product.d(), &operand.q().mul_signed(&multiplier.q().bits(8, 8), 40));
    m.set(&half_step.d(), &lit(1, 64).shl_by(&shift.sub_const(1)));
    m.when(&raw, |m| m.set(&half_step.d(), &zero(64)));
    m.set(&bias.d(), &offset.q().sext(64).add(&half_step.q()));

    let product = m.register("product", 48);
    let product_bias = m.register("product_bias", 64);
    m.set(&product.d(), &high_product.q().sext(48).shl(8).add(&low_product.q().sext(48)));
    m.set(&product_bias.d(), &bias.q());

    let sum = m.register("sum", 64);
    m.set(&sum.d(), &product.q().sext(64).add(&product_bias.q()));

    // By multiples of eight, then by the rest.
    let coarse = m.register("coarse", 64);
    let scaled = m.register("scaled", 64);
    let shift_used = m.register("shift_used", 6);
    m.set(&shift_used.d(), &shift);
    m.when(&raw, |m| m.set(&shift_used.d(), &zero(6)));
    let eights = m.define("eights", &shift_used.q().bits(3, 3).zext(6).shl(3));
    let rest = m.define("rest", &shift_used.q().trunc(3));
    m.set(&coarse.d(), &sum.q().sra_by(&eights));
    m.set(&scaled.d(), &coarse.q().sra_by(&rest));

    let compared = m.register("compared", 64);
    let below = m.register("below", 1);
    let above = m.register("above", 1);
    let low = m.define("low", &clamp_low.sext(64));
    let high = m.define("high", &clamp_high.sext(64));
    m.set(&compared.d(), &scaled.q());
    m.set(&below.d(), &raw.not().and(&scaled.q().lt_signed(&low)));
    m.set(&above.d(), &raw.not().and(&high.lt_signed(&scaled.q())));

    let result = m.register("result", 64);
    m.set(&result.d(), &compared.q());
    m.when(&below.q(), |m| m.set(&result.d(), &low));
    m.when(&above.q(), |m| m.set(&result.d(), &high));
    m.set(&requantized, &result.q());

    for (name, input, output) in [("valid", &psum_valid, &requantized_valid), ("last", &psum_last, &requantized_last)] {
        let stages = m.register(&format!("{name}_stages"), STAGES);
        m.set(&stages.d(), &stages.q().shl(1).or(&input.zext(STAGES)));
        m.set(output, &stages.q().bit(STAGES - 1));
    }
    m
}
