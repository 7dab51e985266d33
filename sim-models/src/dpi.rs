//! The Rust model behind a Verilog macro: what [`crate::verilog::Body::Dpi`] calls.
//!
//! The Verilated library holds the C++ text of [`shim`], which forwards the DPI functions to a table of pointers. Before the
//! first evaluation the testbench looks up [`SETTER`] in the library and calls it with [`table`]:
//!
//! ```text
//! let set: unsafe extern "C" fn(*const DpiTable) = unsafe { library.symbol(dpi::SETTER) }?;
//! unsafe { set(&dpi::table()) };
//! ```
//!
//! A model belongs to its macro instance: it is made in the module's `initial`, freed in its `final`, and no other
//! instance has its pointer, so a read takes no lock. Macros are ideal, unless a [`Session`] is present on the thread that
//! evaluates the `initial`.

use std::cell::RefCell;
use std::ffi::{CStr, c_char, c_int, c_void};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use basisn_arch::{Geometry, ProgramOp, clog2};

use crate::arithmetic::adc_range;
use crate::rram::{Device, Read, TileMacro};

/// Name of the C function that takes a `*const DpiTable`.
pub const SETTER: &str = "basisn_set_dpi";

/// C++ text that defines the DPI functions; compile it with the Verilated model.
pub fn shim() -> &'static str {
    include_str!("../verilog/dpi_shim.cpp")
}

/// Functions that the C++ text forwards to. A null model does nothing.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DpiTable {
    /// Makes the model of an instance; null if the geometry is not one of a chip.
    pub new_macro: extern "C" fn(*const c_char, c_int, c_int, c_int, c_int, c_int) -> *mut c_void,
    /// Frees it.
    pub free_macro: unsafe extern "C" fn(*mut c_void),
    /// An operation on a cell: row, column, level, [`ProgramOp`] other than a verify read.
    pub program: unsafe extern "C" fn(*mut c_void, c_int, c_int, c_int, c_int),
    /// A verify read of a cell: row, column, codes.
    pub verify: unsafe extern "C" fn(*mut c_void, c_int, c_int, *mut u32),
    /// Sets the switches: enable and negative, a bit for each column; lanes, `max(1, clog2(L))` bits for each column.
    pub switches: unsafe extern "C" fn(*mut c_void, *const u32, *const u32, *const u32),
    /// One read: wordlines, gain, codes.
    pub read: unsafe extern "C" fn(*mut c_void, *const u32, c_int, *mut u32),
}

/// The functions of this module.
pub fn table() -> DpiTable {
    DpiTable { new_macro, free_macro, program, verify, switches, read }
}

/// One simulated chip of non-ideal devices: what its macros must know that no port tells them.
///
/// RTL is one core; who simulates a chip of several runs them in turn on it, and says here which one it is now.
#[derive(Debug)]
pub struct Session {
    device: Device,
    inference: AtomicU32,
    layer: AtomicU32,
    core: AtomicU32,
    /// Counts the calls of [`Session::begin`].
    begun: AtomicU32,
}

impl Session {
    /// A session for the devices of a chip.
    pub fn new(device: Device) -> Self {
        let zero = || AtomicU32::new(0);
        Session { device, inference: zero(), layer: zero(), core: zero(), begun: zero() }
    }

    /// Tells the macros what runs next; reads are counted from here.
    pub fn begin(&self, inference: u32, layer: u32, core: u32) {
        self.inference.store(inference, Ordering::Relaxed);
        self.layer.store(layer, Ordering::Relaxed);
        self.core.store(core, Ordering::Relaxed);
        self.begun.fetch_add(1, Ordering::Relaxed);
    }
}

/// What all macros of a simulation were told at their ports, since they were made.
#[derive(Debug, Default)]
pub struct Meter {
    reads: AtomicU64,
    wordlines: AtomicU64,
    switch_changes: AtomicU64,
}

impl Meter {
    /// Reads.
    pub fn reads(&self) -> u64 {
        self.reads.load(Ordering::Relaxed)
    }

    /// Wordlines that were on, of all reads.
    pub fn wordlines(&self) -> u64 {
        self.wordlines.load(Ordering::Relaxed)
    }

    /// Columns whose switches became others; at first all are open.
    pub fn switch_changes(&self) -> u64 {
        self.switch_changes.load(Ordering::Relaxed)
    }
}

thread_local! {
    static PRESENT: RefCell<Option<Arc<Session>>> = const { RefCell::new(None) };
    static METER: RefCell<Option<Arc<Meter>>> = const { RefCell::new(None) };
}

/// Runs `work`; what macros do whose `initial` is evaluated in it, the meter counts.
pub fn with_meter<T>(meter: Arc<Meter>, work: impl FnOnce() -> T) -> T {
    let before = METER.replace(Some(meter));
    let done = work();
    METER.set(before);
    done
}

/// Runs `work`; macros whose `initial` is evaluated in it belong to the session.
pub fn with_session<T>(session: Option<Arc<Session>>, work: impl FnOnce() -> T) -> T {
    let before = PRESENT.replace(session);
    let done = work();
    PRESENT.set(before);
    done
}

struct Model {
    geometry: Geometry,
    /// By core; those of later cores are made when they first read.
    macros: Vec<TileMacro>,
    core: usize,
    session: Option<Arc<Session>>,
    meter: Option<Arc<Meter>>,
    begun: u32,
    read: Read,
    wordlines: Vec<u64>,
    codes: Vec<i32>,
    switches: Vec<i8>,
}

impl Model {
    fn new(geometry: Geometry, tile: usize) -> Self {
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
    fn follow(&mut self) {
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
    fn program(&mut self, row: usize, column: usize, level: i32, op: ProgramOp) {
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

    fn verify(&mut self, row: usize, column: usize) {
        self.follow();
        let code = self.macros[self.core].verify(row, column);
        let (low, high) = adc_range(self.geometry.adc_bits);
        self.codes.fill(0);
        self.codes[0] = code.clamp(low, high);
    }

    fn read(&mut self, gain: u32) {
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

/// Number of the tile in a scope such as `basisn_core.tile_3.rram_macro`; 0 for a macro alone.
fn tile_of(scope: &str) -> usize {
    scope.split('.').rev().find_map(|name| name.strip_prefix("tile_")?.parse().ok()).unwrap_or(0)
}

extern "C" fn new_macro(
    scope: *const c_char,
    rows: c_int,
    columns: c_int,
    cell_bits: c_int,
    lanes: c_int,
    adc_bits: c_int,
) -> *mut c_void {
    let size = |value: c_int, most: usize| usize::try_from(value).ok().filter(|v| (1..=most).contains(v));
    let geometry = (|| {
        Some(Geometry {
            tiles: 1,
            rows: size(rows, 256)?,
            columns: size(columns, 512)?,
            cell_bits: size(cell_bits, 5)?,
            lanes: size(lanes, 64)?,
            adc_bits: size(adc_bits, 12)?,
        })
    })();
    let Some(geometry) = geometry else { return std::ptr::null_mut() };
    // SAFETY: the simulator gives a string, or null.
    let scope = if scope.is_null() { "".into() } else { unsafe { CStr::from_ptr(scope) }.to_string_lossy() };
    Box::into_raw(Box::new(Model::new(geometry, tile_of(&scope)))).cast()
}

/// # Safety
/// `model` is null or came from [`new_macro`] and is not used again.
unsafe extern "C" fn free_macro(model: *mut c_void) {
    if !model.is_null() {
        // SAFETY: by the contract of this function.
        drop(unsafe { Box::from_raw(model.cast::<Model>()) });
    }
}

/// # Safety
/// `model` is null or came from [`new_macro`], is not freed, and nobody else uses it now.
unsafe extern "C" fn program(model: *mut c_void, row: c_int, column: c_int, level: c_int, op: c_int) {
    // SAFETY: by the contract of this function.
    let Some(model) = (unsafe { model.cast::<Model>().as_mut() }) else { return };
    if let (Ok(row), Ok(column), Some(op)) =
        (usize::try_from(row), usize::try_from(column), ProgramOp::of(op.cast_unsigned()))
    {
        model.program(row, column, level, op);
    }
}

/// # Safety
/// As [`program`]; `codes` has room for L codes of A bits, in whole words.
unsafe extern "C" fn verify(model: *mut c_void, row: c_int, column: c_int, codes: *mut u32) {
    // SAFETY: by the contract of this function.
    let Some(model) = (unsafe { model.cast::<Model>().as_mut() }) else { return };
    let adc_bits = model.geometry.adc_bits;
    // SAFETY: the words are there by the contract of this function.
    let codes = unsafe { std::slice::from_raw_parts_mut(codes, (model.codes.len() * adc_bits).div_ceil(32)) };
    if let (Ok(row), Ok(column)) = (usize::try_from(row), usize::try_from(column)) {
        model.verify(row, column);
        pack(&model.codes, adc_bits, codes);
    }
}

/// # Safety
/// As [`program`]; `enable` and `negative` hold C bits, `lanes` C lane numbers, in whole words.
unsafe extern "C" fn switches(model: *mut c_void, enable: *const u32, negative: *const u32, lanes: *const u32) {
    // SAFETY: by the contract of this function.
    let Some(model) = (unsafe { model.cast::<Model>().as_mut() }) else { return };
    let columns = model.geometry.columns;
    let lane_bits = clog2(model.geometry.lanes).max(1);
    let words = |bits: usize| bits.div_ceil(32);
    // SAFETY: the words are there by the contract of this function.
    let (enable, negative, lanes) = unsafe {
        (
            std::slice::from_raw_parts(enable, words(columns)),
            std::slice::from_raw_parts(negative, words(columns)),
            std::slice::from_raw_parts(lanes, words(columns * lane_bits)),
        )
    };
    let bit = |words: &[u32], i: usize| words.get(i / 32).is_some_and(|w| w >> (i % 32) & 1 == 1);
    let mut changes = 0;
    for (column, switch) in model.switches.iter_mut().enumerate() {
        let before = *switch;
        let lane: i8 = (0..lane_bits).map(|b| i8::from(bit(lanes, column * lane_bits + b)) << b).sum();
        *switch = match (bit(enable, column), bit(negative, column)) {
            (false, _) => 0,
            (true, false) => lane + 1,
            (true, true) => -(lane + 1),
        };
        changes += u64::from(*switch != before);
    }
    if let Some(meter) = &model.meter {
        meter.switch_changes.fetch_add(changes, Ordering::Relaxed);
    }
    model.follow();
    model.macros[model.core].set_switches(&model.switches);
}

/// # Safety
/// As [`program`]; `wordlines` holds R bits, `codes` has room for L codes of A bits, in whole words.
unsafe extern "C" fn read(model: *mut c_void, wordlines: *const u32, gain: c_int, codes: *mut u32) {
    // SAFETY: by the contract of this function.
    let Some(model) = (unsafe { model.cast::<Model>().as_mut() }) else { return };
    let adc_bits = model.geometry.adc_bits;
    // SAFETY: the words are there by the contract of this function.
    let (wordlines, codes) = unsafe {
        (
            std::slice::from_raw_parts(wordlines, model.geometry.rows.div_ceil(32)),
            std::slice::from_raw_parts_mut(codes, (model.codes.len() * adc_bits).div_ceil(32)),
        )
    };
    for (word, halves) in model.wordlines.iter_mut().zip(wordlines.chunks(2)) {
        *word = halves.iter().rev().fold(0, |word, &half| word << 32 | u64::from(half));
    }
    model.read((gain & 7) as u32);
    pack(&model.codes, adc_bits, codes);
}

/// Codes of `bits` bits, two's complement, lane 0 lowest.
fn pack(codes: &[i32], bits: usize, words: &mut [u32]) {
    let (mut pending, mut filled) = (0u64, 0);
    let mut words = words.iter_mut();
    for &code in codes {
        pending |= u64::from(code.cast_unsigned() & ((1 << bits) - 1)) << filled;
        filled += bits;
        if filled >= 32 {
            if let Some(word) = words.next() {
                *word = pending as u32;
            }
            pending >>= 32;
            filled -= 32;
        }
    }
    if let (true, Some(word)) = (filled > 0, words.next()) {
        *word = pending as u32;
    }
}

#[cfg(test)]
mod tests {
    use rand::Rng;

    use super::*;
    use crate::IdealMacro;
    use crate::random::{generator, random_config, seed};

    #[test]
    fn the_functions_do_what_the_model_does() {
        let seed = seed();
        println!("BASISN_SEED={seed}");
        let mut rng = generator(seed);
        let t = table();
        for _ in 0..50 {
            let config = random_config(&mut rng).unwrap();
            let (rows, columns, lanes, bits) = (config.rows(), config.columns(), config.lanes(), config.adc_bits());
            let int = |v: usize| v as c_int;
            let model = (t.new_macro)(
                c"top.macro".as_ptr(),
                int(rows),
                int(columns),
                int(config.cell_bits()),
                int(lanes),
                int(bits),
            );
            let mut crossbar = IdealMacro::new(&config);
            for cell in 0..rows * columns {
                let level = rng.random_range(-9..=9);
                crossbar.program(cell / columns, cell % columns, level);
                unsafe {
                    (t.program)(model, int(cell / columns), int(cell % columns), level, ProgramOp::Write as c_int)
                };
            }
            let lane_bits = config.lane_bits();
            let (mut enable, mut negative) = (vec![0u32; columns.div_ceil(32)], vec![0u32; columns.div_ceil(32)]);
            let mut lane_words = vec![0u32; (columns * lane_bits).div_ceil(32)];
            let mut switches = vec![0i8; columns];
            for column in 0..columns {
                // Lane numbers beyond the last lane included: they are open.
                let lane = rng.random_range(0..1usize << lane_bits);
                let (on, minus) = (rng.random_bool(0.8), rng.random_bool(0.5));
                enable[column / 32] |= u32::from(on) << (column % 32);
                negative[column / 32] |= u32::from(minus) << (column % 32);
                for b in 0..lane_bits {
                    let i = column * lane_bits + b;
                    lane_words[i / 32] |= ((lane >> b & 1) as u32) << (i % 32);
                }
                switches[column] = i8::from(on) * (lane as i8 + 1) * if minus { -1 } else { 1 };
            }
            crossbar.set_switches(&switches);
            unsafe { (t.switches)(model, enable.as_ptr(), negative.as_ptr(), lane_words.as_ptr()) };
            for gain in 0..8 {
                let wordlines: Vec<u32> = (0..rows.div_ceil(32)).map(|_| rng.random()).collect();
                let wide: Vec<u64> =
                    wordlines.chunks(2).map(|w| u64::from(w[0]) | u64::from(*w.get(1).unwrap_or(&0)) << 32).collect();
                let mut expected = vec![0; lanes];
                crossbar.read(&wide, gain, &mut expected);
                let mut packed = vec![0u32; (lanes * bits).div_ceil(32)];
                unsafe { (t.read)(model, wordlines.as_ptr(), gain as c_int, packed.as_mut_ptr()) };
                for (lane, &code) in expected.iter().enumerate() {
                    let raw: i32 = (0..bits)
                        .map(|b| ((packed[(lane * bits + b) / 32] >> ((lane * bits + b) % 32) & 1) as i32) << b)
                        .sum();
                    assert_eq!(raw << (32 - bits) >> (32 - bits), code, "lane {lane}");
                }
            }
            unsafe { (t.free_macro)(model) };
        }
    }

    #[test]
    fn an_impossible_macro_is_null_and_null_does_nothing() {
        let t = table();
        let model = (t.new_macro)(c"".as_ptr(), 0, 8, 1, 1, 8);
        assert!(model.is_null());
        unsafe {
            (t.program)(model, 0, 0, 1, 0);
            (t.verify)(model, 0, 0, std::ptr::null_mut());
            (t.switches)(model, std::ptr::null(), std::ptr::null(), std::ptr::null());
            (t.read)(model, std::ptr::null(), 0, std::ptr::null_mut());
            (t.free_macro)(model);
        }
    }
}
