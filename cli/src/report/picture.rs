//! Pictures as inline SVG: the basis and a switch setting.

use std::fmt::Write as _;

use basisn_arch::{Item, Slot};

/// Cell levels, one square a cell: dark for positive, light for negative, nothing for zero. `levels` is row-major.
pub fn basis(levels: &[i8], rows: usize, columns: usize) -> String {
    let mut positive = String::new();
    let mut negative = String::new();
    for (i, level) in levels.iter().enumerate() {
        let path = if *level > 0 { &mut positive } else { &mut negative };
        if *level != 0 {
            square(path, i % columns, i / columns);
        }
    }
    format!(
        "<svg viewBox='0 0 {columns} {rows}' class='cells' role='img' aria-label='levels of the basis'>\
         <path class='plus' d='{positive}'/><path class='minus' d='{negative}'/></svg>"
    )
}

/// One slot: a row for every lane, a column for every column of the crossbar, filled where the switch is closed. It fills its box.
pub fn switches(slot: &Slot) -> String {
    let (lanes, columns) = (slot.items.len(), slot.switches.len());
    let (mut plus, mut minus) = (String::new(), String::new());
    for (column, switch) in slot.switches.iter().enumerate().filter(|(_, s)| **s != 0) {
        square(if *switch > 0 { &mut plus } else { &mut minus }, column, usize::from(switch.unsigned_abs()) - 1);
    }
    format!(
        "<svg viewBox='0 0 {columns} {lanes}' preserveAspectRatio='none' role='img' aria-label='switch setting of one slot'>\
         <rect class='ground' width='{columns}' height='{lanes}'/><path class='plus' d='{plus}'/>\
         <path class='minus' d='{minus}'/></svg>"
    )
}

/// What each lane of a slot does.
pub fn lanes(slot: &Slot) -> Vec<String> {
    let label = |(lane, item): (usize, &Option<Item>)| match item {
        Some(item) => format!("lane {lane}: kernel {}, plane {}", item.kernel, item.plane),
        None => format!("lane {lane}: idle"),
    };
    slot.items.iter().enumerate().map(label).collect()
}

fn square(path: &mut String, x: usize, y: usize) {
    // Writing to a String cannot fail.
    let _ = write!(path, "M{x} {y}h1v1h-1z");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cell_and_every_closed_switch_is_one_square() {
        let picture = basis(&[1, -1, 0, 1], 2, 2);
        assert_eq!(picture.matches("h1v1h-1z").count(), 3);
        let slot = Slot { items: vec![None, Some(Item { kernel: 7, plane: 2 })], switches: vec![2, -2, 0] };
        let picture = switches(&slot);
        assert_eq!(picture.matches("h1v1h-1z").count(), 2);
        assert!(picture.contains("M0 1h1v1h-1z"));
        assert_eq!(lanes(&slot), ["lane 0: idle", "lane 1: kernel 7, plane 2"]);
    }
}
