//! The C functions: pointers and words into the calls of a model.

use std::ffi::{CStr, c_char, c_int, c_void};
use std::sync::atomic::Ordering;

use basisn_arch::{Geometry, ProgramOp, clog2};

use super::model::Model;

/// Number of the tile in a scope such as `basisn_core.tile_3.rram_macro`; 0 for a macro alone.
fn tile_of(scope: &str) -> usize {
    scope.split('.').rev().find_map(|name| name.strip_prefix("tile_")?.parse().ok()).unwrap_or(0)
}

/// Makes the model of an instance; null if the geometry is not one of a chip.
pub(super) extern "C" fn new_macro(
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
pub(super) unsafe extern "C" fn free_macro(model: *mut c_void) {
    if !model.is_null() {
        // SAFETY: by the contract of this function.
        drop(unsafe { Box::from_raw(model.cast::<Model>()) });
    }
}

/// # Safety
/// `model` is null or came from [`new_macro`], is not freed, and nobody else uses it now.
pub(super) unsafe extern "C" fn program(model: *mut c_void, row: c_int, column: c_int, level: c_int, op: c_int) {
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
pub(super) unsafe extern "C" fn verify(model: *mut c_void, row: c_int, column: c_int, codes: *mut u32) {
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
pub(super) unsafe extern "C" fn switches(
    model: *mut c_void,
    enable: *const u32,
    negative: *const u32,
    lanes: *const u32,
) {
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
pub(super) unsafe extern "C" fn read(model: *mut c_void, wordlines: *const u32, gain: c_int, codes: *mut u32) {
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
