//! What the tests of the macro models share.
#![allow(dead_code, reason = "each test uses its part")]
#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use basisn_arch::Geometry;
use basisn_models::rram::cell::Cells;
use basisn_models::rram::{Device, DeviceMacro, MacroModel, Read};

/// Seed of the devices.
pub const SEED: u64 = 11;

/// 128 x 512 cells of three bits.
pub fn geometry() -> Geometry {
    Geometry { tiles: 1, rows: 128, columns: 512, cell_bits: 3, lanes: 64, adc_bits: 12 }
}

/// Cells of 4 to 40 uS without errors, with some numbers changed.
pub fn model(changes: &[(&str, f64)]) -> MacroModel {
    let ideal = MacroModel::load("ideal").unwrap().with("cell.g_min_us", 4.0).unwrap();
    changes.iter().fold(ideal, |model, (key, value)| model.with(key, *value).unwrap())
}

/// All cells of a tile at one level.
pub fn cells(model: &MacroModel, level: i32) -> Cells {
    let g = geometry();
    let mut cells = Cells::new(&g, model, SEED, 0, 0);
    for cell in 0..g.rows * g.columns {
        cells.program(cell / g.columns, cell % g.columns, level);
    }
    cells
}

/// Mean and standard deviation of one side of all pairs, in uS.
pub fn side(cells: &Cells, side: usize) -> (f64, f64) {
    let g = geometry();
    moments((0..g.rows * g.columns).map(|c| cells.pair_us(c / g.columns, c % g.columns)[side]))
}

/// Mean and standard deviation.
pub fn moments(values: impl Iterator<Item = f64>) -> (f64, f64) {
    let (n, sum, squares) = values.fold((0.0, 0.0, 0.0), |(n, s, q), v| (n + 1.0, s + v, q + v * v));
    let mean: f64 = sum / n;
    (mean, (squares / n - mean * mean).sqrt())
}

/// Within 2 %; 65536 draws know a standard deviation to 0.3 %.
pub fn is_near(got: f64, expected: f64) -> bool {
    (got / expected - 1.0).abs() < 0.02
}

/// An unwritten crossbar.
pub fn tile(changes: &[(&str, f64)]) -> DeviceMacro {
    DeviceMacro::new(geometry(), &Device { model: Arc::new(model(changes)), seed: SEED }, 0, 0)
}

/// Standard deviation of the codes of 64 lanes of 8 columns of highest cells over 400 reads of 16 active rows, gain 0.
pub fn read_sigma(changes: &[(&str, f64)]) -> f64 {
    let mut tile = tile(changes);
    tile.program_all(&vec![3; 128 * 512]);
    tile.set_switches(&(0..512).map(|column| (column % 64) as i8 + 1).collect::<Vec<_>>());
    let mut codes = vec![0; 64];
    let reads = (0..400).flat_map(|number| {
        tile.unlimited_codes(&[0xffff, 0], 0, Read { inference: 1, layer: 2, number }, &mut codes);
        codes.clone()
    });
    let (_, sigma) = moments(reads.map(f64::from).collect::<Vec<_>>().into_iter());
    // Rounding to whole codes adds a twelfth.
    (sigma * sigma - 1.0 / 12.0).sqrt()
}
