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
//!
//! | module | what |
//! |---|---|
//! | `functions` | the C functions: pointers and words into the calls of a model |
//! | `model` | one macro instance |

mod functions;
mod model;

use std::cell::RefCell;
use std::ffi::{c_char, c_int, c_void};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use crate::rram::Device;
use functions::{free_macro, new_macro, program, read, switches, verify};

/// Name of the C function that takes a `*const DpiTable`.
pub const SETTER: &str = "basisn_set_dpi";

/// C++ text that defines the DPI functions; compile it with the Verilated model.
pub fn shim() -> &'static str {
    include_str!("../../verilog/dpi_shim.cpp")
}

/// Functions that the C++ text forwards to. A null model does nothing.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DpiTable {
    /// Makes the model of an instance; null if the geometry is not one of a chip.
    pub new_macro: extern "C" fn(*const c_char, c_int, c_int, c_int, c_int, c_int) -> *mut c_void,
    /// Frees it.
    pub free_macro: unsafe extern "C" fn(*mut c_void),
    /// An operation on a cell: row, column, level, [`basisn_arch::ProgramOp`] other than a verify read.
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

#[cfg(test)]
mod tests {
    use basisn_arch::ProgramOp;
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
