//! The AXI4-Lite slave in front of the registers.

use super::concat;
use crate::build::{Expr, Header, Module, lit, zero};
use basisn_arch::registers::{self as map, Access};

const HEADER: Header = Header {
    function: "AXI4-Lite slave: one write and one read outstanding, independent of each other.",
    latency: "2 cycles from the later of write address and data to the response, 1 cycle from read address to data.",
    handshake: "AW and W in any order; responses hold until taken; a write waits while write_ready is low.",
    invariants: "A refused access has no effect: write_valid is low while write_refused is high. Address and data hold until the response.",
};

/// Bits of a word address.
pub(super) const WORD_ADDRESS_BITS: usize = map::ADDRESS_BITS - 2;

/// The AXI4-Lite slave.
pub fn axi_lite() -> Module {
    let mut m = Module::new("axi_lite", HEADER);
    let awaddr = m.input("s_axil_awaddr", map::ADDRESS_BITS);
    let awprot = m.input("s_axil_awprot", 3);
    let awvalid = m.input("s_axil_awvalid", 1);
    let wdata = m.input("s_axil_wdata", 32);
    let wstrb = m.input("s_axil_wstrb", 4);
    let wvalid = m.input("s_axil_wvalid", 1);
    let bready = m.input("s_axil_bready", 1);
    let araddr = m.input("s_axil_araddr", map::ADDRESS_BITS);
    let arprot = m.input("s_axil_arprot", 3);
    let arvalid = m.input("s_axil_arvalid", 1);
    let rready = m.input("s_axil_rready", 1);
    let write_ready = m.input("write_ready", 1);
    let write_refused = m.input("write_refused", 1);
    let read_data = m.input("read_data", 32);
    m.define("unused_axi_bits", &concat(&[awprot, arprot, awaddr.trunc(2), araddr.trunc(2)]).any());

    let address_held = m.register("address_held", 1);
    let address = m.register("address", WORD_ADDRESS_BITS);
    let data_held = m.register("data_held", 1);
    let data = m.register("data", 32);
    let whole = m.register("whole", 1);
    let b_valid = m.register("b_valid", 1);
    let b_refused = m.register("b_refused", 1);
    let writing = m.define("writing", &address_held.q().and(&data_held.q()).and(&b_valid.q().not()));
    let writable = one_of(&mut m, "writable", &address.q(), |access| access.writable());
    let allowed = m.define("allowed", &whole.q().and(&writable).and(&write_refused.not()));
    let done = m.define("done", &writing.and(&write_ready.or(&allowed.not())));
    m.when(&address_held.q().not(), |m| {
        m.set(&address_held.d(), &awvalid);
        m.set(&address.d(), &awaddr.bits(2, WORD_ADDRESS_BITS));
    });
    m.when(&data_held.q().not(), |m| {
        m.set(&data_held.d(), &wvalid);
        m.set(&data.d(), &wdata);
        m.set(&whole.d(), &wstrb.all());
    });
    m.when(&b_valid.q().and(&bready), |m| m.set(&b_valid.d(), &zero(1)));
    m.when(&done, |m| {
        m.set(&address_held.d(), &zero(1));
        m.set(&data_held.d(), &zero(1));
        m.set(&b_valid.d(), &lit(1, 1));
        m.set(&b_refused.d(), &allowed.not());
    });

    let r_valid = m.register("r_valid", 1);
    let r_refused = m.register("r_refused", 1);
    let r_data = m.register("r_data", 32);
    let read_address = m.define("read_word", &araddr.bits(2, WORD_ADDRESS_BITS));
    let mapped = one_of(&mut m, "mapped", &read_address, |_| true);
    m.when(&r_valid.q().and(&rready), |m| m.set(&r_valid.d(), &zero(1)));
    m.when(&arvalid.and(&r_valid.q().not()), |m| {
        m.set(&r_valid.d(), &lit(1, 1));
        m.set(&r_refused.d(), &mapped.not());
        m.set(&r_data.d(), &read_data);
    });

    // SLVERR is 2, OKAY 0.
    let response = |refused: Expr| Expr::concat(&[&refused, &zero(1)]);
    let outputs = [
        ("s_axil_awready", address_held.q().not()),
        ("s_axil_wready", data_held.q().not()),
        ("s_axil_bresp", response(b_refused.q())),
        ("s_axil_bvalid", b_valid.q()),
        ("s_axil_arready", r_valid.q().not()),
        ("s_axil_rdata", r_data.q()),
        ("s_axil_rresp", response(r_refused.q())),
        ("s_axil_rvalid", r_valid.q()),
        ("write_valid", writing.and(&allowed)),
        ("write_address", address.q()),
        ("write_data", data.q()),
        ("read_address", read_address),
    ];
    for (name, value) in &outputs {
        let output = m.output(name, value.width());
        m.set(&output, value);
    }
    m
}

/// Whether a word address is that of a register with such an access. An expression, not a process: Icarus never runs a process whose
/// inputs have one value from the beginning, as an address of 0 may.
fn one_of(m: &mut Module, name: &str, address: &Expr, access: impl Fn(Access) -> bool) -> Expr {
    let matching = map::MAP.iter().filter(|register| access(register.access)).map(|register| {
        let (first, count) = (u64::from(register.address / 4), u64::from(register.count));
        // A row of registers is as long as its power of two, at a multiple of it.
        let low = count.trailing_zeros() as usize;
        address.bits(low, address.width() - low).eq_const(first >> low)
    });
    m.define(name, &concat(&matching.collect::<Vec<_>>()).any())
}
