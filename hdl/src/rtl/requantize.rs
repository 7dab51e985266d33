//! Psums to results: `(psum * m + b) >> shift`, rounded and clamped.

use super::Widths;
use crate::build::{Header, Module, lit, zero};
use basisn_arch::ChipConfig;

const HEADER: Header = Header::new(
    "clamp((psum * m + b + 2^(shift-1)) >> shift), or psum * m + b if raw; m and b from the kernel's parameter.",
    "9 cycles from psum_valid to requantized_valid.",
    "None: a psum a cycle. parameter_read one cycle before the psum of that kernel.",
    "Exact, in 50 bits; parameters are not written during a layer. No stage has more than one sum or three choices.",
);

/// Bits of every sum: products are below 2^46 in magnitude, b is within 2^47, half a step at most 2^45.
const SUM: usize = 50;
/// Stages of the pipeline.
const STAGES: usize = 9;

/// The requantization pipeline of the results at one place of every beat, with their parameter memory.
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

    let parameters = m.memory("parameters", config.parameter_words(), 64);
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

    // The products of the four digits of m, the highest signed. Shift and raw stay as they are during a layer.
    let half_step = m.register("half_step", SUM);
    let bias = m.register("bias", SUM);
    let digits: Vec<_> = (0..4)
        .map(|i| {
            let digit = multiplier.q().bits(4 * i, 4);
            let signed = if i == 3 { digit } else { m.define(&format!("digit_{i}"), &digit.zext(5)) };
            let register = m.register(&format!("product_{i}"), 32 + signed.width());
            m.set(&register.d(), &operand.q().mul_signed(&signed, 32 + signed.width()));
            register.q()
        })
        .collect();
    m.set(&half_step.d(), &lit(1, SUM).shl_by(&shift.sub_const(1)));
    m.when(&raw, |m| m.set(&half_step.d(), &zero(SUM)));
    m.set(&bias.d(), &offset.q().sext(SUM).add(&half_step.q()));

    let low_product = m.register("low_product", 41);
    let high_product = m.register("high_product", 40);
    let byte_bias = m.register("byte_bias", SUM);
    m.set(&low_product.d(), &digits[1].sext(41).shl(4).add(&digits[0].sext(41)));
    m.set(&high_product.d(), &digits[3].sext(40).shl(4).add(&digits[2].sext(40)));
    m.set(&byte_bias.d(), &bias.q());

    let product = m.register("product", 48);
    let product_bias = m.register("product_bias", SUM);
    m.set(&product.d(), &high_product.q().sext(48).shl(8).add(&low_product.q().sext(48)));
    m.set(&product_bias.d(), &byte_bias.q());

    let sum = m.register("sum", SUM);
    m.set(&sum.d(), &product.q().sext(SUM).add(&product_bias.q()));

    // By multiples of eight, then by the rest.
    let coarse = m.register("coarse", SUM);
    let scaled = m.register("scaled", SUM);
    let shift_used = m.register("shift_used", 6);
    m.set(&shift_used.d(), &shift);
    m.when(&raw, |m| m.set(&shift_used.d(), &zero(6)));
    let eights = m.define("eights", &shift_used.q().bits(3, 3).zext(6).shl(3));
    let rest = m.define("rest", &shift_used.q().trunc(3));
    m.set(&coarse.d(), &sum.q().sra_by(&eights));
    m.set(&scaled.d(), &coarse.q().sra_by(&rest));

    let compared = m.register("compared", SUM);
    let below = m.register("below", 1);
    let above = m.register("above", 1);
    let low = m.define("low", &clamp_low.sext(SUM));
    let high = m.define("high", &clamp_high.sext(SUM));
    m.set(&compared.d(), &scaled.q());
    m.set(&below.d(), &raw.not().and(&scaled.q().lt_signed(&low)));
    m.set(&above.d(), &raw.not().and(&high.lt_signed(&scaled.q())));

    let result = m.register("result", SUM);
    m.set(&result.d(), &compared.q());
    m.when(&below.q(), |m| m.set(&result.d(), &low));
    m.when(&above.q(), |m| m.set(&result.d(), &high));
    m.set(&requantized, &result.q().sext(64));

    for (name, input, output) in [("valid", &psum_valid, &requantized_valid), ("last", &psum_last, &requantized_last)] {
        let stages = m.register(&format!("{name}_stages"), STAGES);
        m.set(&stages.d(), &stages.q().shl(1).or(&input.zext(STAGES)));
        m.set(output, &stages.q().bit(STAGES - 1));
    }
    m
}
