//! What the AXI4-Lite slave asks for.

use super::super::axi_lite::WORD_ADDRESS_BITS;
use super::super::{or_all, pack};
use crate::build::{Expr, Module, zero};
use basisn_arch::registers as map;

/// What the AXI4-Lite slave asks for, which writes are refused, and what a read of each address gives.
pub(super) struct Port {
    /// A write is asked for that is not refused; only one to PROGRAM_LEVEL may have to wait.
    writing: Expr,
    pub write_address: Expr,
    pub data: Expr,
    read_address: Expr,
    reads: Vec<(u32, Expr)>,
    refusals: Vec<Expr>,
}

impl Port {
    pub fn new(m: &mut Module) -> Self {
        let writing = m.input("write_valid", 1);
        let write_address = m.input("write_address", WORD_ADDRESS_BITS);
        let data = m.input("write_data", 32);
        let read_address = m.input("read_address", WORD_ADDRESS_BITS);
        Port { writing, write_address, data, read_address, reads: Vec::new(), refusals: Vec::new() }
    }

    pub fn write(&self, address: u32) -> Expr {
        self.writing.and(&self.is_at(address))
    }

    /// Whether the write, which may be refused, is of this register.
    pub fn is_at(&self, address: u32) -> Expr {
        self.write_address.eq_const(u64::from(address / 4))
    }

    /// Refuses writes of a register under a condition.
    pub fn refuse(&mut self, address: u32, condition: &Expr) {
        self.refusals.push(self.is_at(address).and(condition));
    }

    /// Refuses writes of any register under a condition.
    pub fn refuse_all(&mut self, condition: &Expr) {
        self.refusals.push(condition.clone());
    }

    /// What a read gives: fields at their lowest bits, by rising position; the rest 0.
    pub fn read(&mut self, address: u32, fields: &[(usize, &Expr)]) {
        let mut parts = Vec::new();
        let mut next = 0;
        for (lo, field) in fields {
            if next < *lo {
                parts.push(zero(lo - next));
            }
            parts.push((*field).clone());
            next = lo + field.width();
        }
        self.reads.push((address, pack(&parts).zext(32)));
    }

    /// A register bits `lo..` of whose data is written at an address.
    pub fn stored_at(&mut self, m: &mut Module, name: &str, address: u32, lo: usize, width: usize) -> Expr {
        let register = m.register(&format!("{name}_register"), width);
        m.when(&self.write(address), |m| m.set(&register.d(), &self.data.bits(lo, width)));
        register.q()
    }

    pub fn stored(&mut self, m: &mut Module, name: &str, address: u32, width: usize) -> Expr {
        let value = self.stored_at(m, name, address, 0, width);
        self.read(address, &[(0, &value)]);
        value
    }

    pub fn finish(&self, m: &mut Module, cell_ready: &Expr) {
        let ready = m.output("write_ready", 1);
        let refused = m.output("write_refused", 1);
        let read_data = m.output("read_data", 32);
        m.set(&ready, &self.is_at(map::PROGRAM_LEVEL).and(&cell_ready.not()).not());
        m.set(&refused, &pack(&self.refusals).any());
        // At most one of the values is asked for; a tree, as there may be a hundred.
        let asked = |(address, value): &(u32, Expr)| {
            let here = self.read_address.eq_const(u64::from(address / 4));
            value.and(&here.repeat(32))
        };
        let parts: Vec<_> = self
            .reads
            .chunks(8)
            .enumerate()
            .map(|(part, reads)| {
                m.define(&format!("read_part_{part}"), &or_all(&reads.iter().map(asked).collect::<Vec<_>>()))
            })
            .collect();
        m.set(&read_data, &or_all(&parts));
    }
}
