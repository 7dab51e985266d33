//! One macro instance of a simulation: its cells on every core, and where in the chip's work it is.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use basisn_arch::{Geometry, ProgramOp};

use super::{METER, Meter, PRESENT, Session};
use crate::arithmetic::adc_range;
use crate::rram::{Read, TileMacro};

/// A macro instance.
pub(super) struct Model {
    pub(super) geometry: Geometry,
    /// By core; those of later cores are made when they first read.
    pub(super) macros: Vec<TileMacro>,
    pub(super) core: usize,
    session: Option<Arc<Session>>,
    pub(super) meter: Option<Arc<Meter>>,
    begun: u32,
    read: Read,
    pub(super) wordlines: Vec<u64>,
    pub(super) codes: Vec<i32>,
    pub(super) switches: Vec<i8>,
}

impl Model {
    pub(super) fn new(geometry: Geometry, tile: usize) -> Self {
        let session = PRESENT.with_borrow(Clone::clone);
        Model {
            geometry,
            macros: vec![TileMacro::new(geometry, session.as_ref().map(|s| &s.device), 0, tile)],
            core: 0,
            session,
            meter: METER.with_borrow(Clone::clone),
            begun: 0,
            read: Read::default(),
            wordlines: vec![0; geometry.rows.div_ceil(64)],
            codes: vec![0; geometry.lanes],
            switches: vec![0; geometry.columns],
        }
    }

    /// Follows the session to a new layer or core.
    pub(super) fn follow(&mut self) {
        let Some(session) = &self.session else { return };
        let begun = session.begun.load(Ordering::Relaxed);
        if begun == self.begun {
            return;
        }
        self.begun = begun;
        let of = |value: &AtomicU32| value.load(Ordering::Relaxed);
        self.read = Read { inference: of(&session.inference), layer: of(&session.layer), number: 0 };
        self.core = of(&session.core) as usize;
        while self.macros.len() <= self.core {
            self.macros.push(self.macros[0].on_core(self.macros.len()));
        }
        self.macros[self.core].set_switches(&self.switches);
    }

    /// A pulse on the core that is present, or a write of the cells that all cores have.
    pub(super) fn program(&mut self, row: usize, column: usize, level: i32, op: ProgramOp) {
        if op == ProgramOp::Write {
            self.macros.truncate(1);
            self.core = 0;
            self.begun = 0;
            self.macros[0].program(row, column, level);
        } else {
            self.follow();
            self.macros[self.core].pulse(row, column, level, op);
        }
    }

    pub(super) fn verify(&mut self, row: usize, column: usize) {
        self.follow();
        let code = self.macros[self.core].verify(row, column);
        let (low, high) = adc_range(self.geometry.adc_bits);
        self.codes.fill(0);
        self.codes[0] = code.clamp(low, high);
    }

    pub(super) fn read(&mut self, gain: u32) {
        self.follow();
        if let Some(meter) = &self.meter {
            meter.reads.fetch_add(1, Ordering::Relaxed);
            let on: u32 = self.wordlines.iter().map(|w| w.count_ones()).sum();
            meter.wordlines.fetch_add(u64::from(on), Ordering::Relaxed);
        }
        self.macros[self.core].unlimited_codes(&self.wordlines, gain, self.read, &mut self.codes);
        self.read.number = self.read.number.wrapping_add(1);
        let (low, high) = adc_range(self.geometry.adc_bits);
        self.codes.iter_mut().for_each(|code| *code = (*code).clamp(low, high));
    }
}
