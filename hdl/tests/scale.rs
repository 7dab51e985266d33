//! What is emitted grows with the number of tiles in wiring only.
#![allow(clippy::unwrap_used, reason = "tests")]

use basisn_arch::ChipConfig;
use basisn_hdl::generate_core;

/// Modules with something for each tile to connect.
const WIRING: [&str; 2] = ["basisn_core.v", "program_controller.v"];

/// Modules, and lines of all that don't connect tiles, of the largest crossbars.
fn size(tiles: usize) -> (usize, usize) {
    let mut config = ChipConfig::load("paper").unwrap();
    for (key, value) in [("core.tiles", tiles), ("crossbar.rows", 256), ("crossbar.columns", 256), ("adc.lanes", 64)] {
        config = config.with(key, value).unwrap();
    }
    let files = generate_core(&config).unwrap();
    let lines = files.iter().filter(|file| !WIRING.contains(&file.name.as_str())).map(|file| file.text.lines().count());
    (files.len(), lines.sum())
}

#[test]
fn sixty_four_tiles_take_the_modules_of_one() {
    let (one, many) = (size(1), size(64));
    println!("modules and lines: {one:?} for 1 tile, {many:?} for 64");
    assert_eq!(one.0, many.0, "modules");
    // What chooses among the tiles: their words, psums, and cells.
    assert!(many.1 as f64 <= 1.1 * one.1 as f64, "lines without wiring: {one:?}, {many:?}");
}
