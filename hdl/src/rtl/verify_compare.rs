//! Compares what was read back from a cell with what was wanted.

use super::fit;
use crate::build::{Header, Module, lit, zero};
use basisn_arch::{ChipConfig, ProgramOp};

const HEADER: Header = Header {
    function: "Keeps the code of a verify read and says whether it is near the code of the level, or else which pulse brings it nearer.",
    latency: "1 cycle from capture to its outputs.",
    handshake: "None: capture with the code.",
    invariants: "A cell whose code has the other sign is erased before it is moved to its level.",
};

/// The comparison of one tile.
pub fn verify_compare(config: &ChipConfig) -> Module {
    let (code_bits, level_bits, digits) = (config.adc_bits(), config.level_bits(), config.verify_digits());
    let bits = code_bits.max(8) + 2;
    let mut m = Module::new("verify_compare", HEADER);
    let capture = m.input("capture", 1);
    let code = m.input("code", code_bits);
    let level = m.input("level", level_bits);
    let tolerance = m.input("tolerance", 8);
    let accepted = m.output("accepted", 1);
    let correction = m.output("correction", ProgramOp::BITS);
    let seen_out = m.output("seen", code_bits);

    let seen = m.register("seen_code", code_bits);
    m.when(&capture, |m| m.set(&seen.d(), &code));
    m.set(&seen_out, &seen.q());

    // The code of the level; rounded half up where codes have fewer digits than levels.
    let wide = m.define("wide_level", &level.sext(bits));
    let rounded = m.define("rounded_level", &wide.add_const(1).sra_by(&lit(1, 1)));
    let wanted = if digits < 0 { rounded } else { wide.shl(digits as usize) };
    let got = m.define("got", &seen.q().sext(bits));
    let margin = m.define("margin", &fit(&tolerance, bits));
    let above = m.define("above", &wanted.add(&margin).lt_signed(&got));
    let below = m.define("below", &got.lt_signed(&wanted.sub(&margin)));
    m.set(&accepted, &above.or(&below).not());

    let positive = m.define("positive", &zero(level_bits).lt_signed(&level));
    let negative = m.define("negative", &level.bit(level_bits - 1));
    let other_sign =
        m.select("other_sign", &positive, &got.lt_signed(&margin.neg()), &negative.not().or(&margin.lt_signed(&got)));
    let op = |op: ProgramOp| lit(op as u64, ProgramOp::BITS);
    m.set(&correction, &op(ProgramOp::Up));
    m.when(&above, |m| m.set(&correction, &op(ProgramOp::Down)));
    m.when(&other_sign, |m| m.set(&correction, &op(ProgramOp::Erase)));
    m
}
