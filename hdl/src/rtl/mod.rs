//! The modules of one core, as docs/hardware.md describes them, for any valid [`ChipConfig`](basisn_arch::ChipConfig).
//!
//! A signal has the same name in every module that it passes through.

mod accumulation_lane;
mod axi_lite;
mod block_counter;
mod coefficient_buffer;
mod core;
mod drain;
mod input_buffer;
mod layer_control;
mod nets;
mod plane_finder;
mod program_controller;
mod psum_bank;
mod psum_select;
mod registers;
mod requantize;
mod result_fifo;
mod sequencer;
mod slot_check;
mod slot_loader;
mod step_counter;
mod tag_delay;
mod tile;
mod tile_controller;
mod verify_compare;
mod widths;

pub use self::core::core;
pub use accumulation_lane::accumulation_lane;
pub use axi_lite::axi_lite;
pub use block_counter::block_counter;
pub use coefficient_buffer::coefficient_buffer;
pub use drain::drain;
pub use input_buffer::input_buffer;
pub use layer_control::layer_control;
pub use plane_finder::plane_finder;
pub use program_controller::program_controller;
pub use psum_bank::psum_bank;
pub use psum_select::psum_select;
pub use registers::registers;
pub use requantize::requantize;
pub use result_fifo::result_fifo;
pub use sequencer::sequencer;
pub use slot_check::slot_check;
pub use slot_loader::slot_loader;
pub use step_counter::step_counter;
pub use tag_delay::tag_delay;
pub use tile::{macro_black_box, tile};
pub use tile_controller::tile_controller;
pub use verify_compare::verify_compare;

use crate::build::{Expr, Module, lit};
use nets::Nets;
use widths::{Widths, index_bits};

/// Results that may be between a psum bank and the result stream: more than the pipeline's length, so that results
/// leave one a cycle.
const RESULTS_IN_FLIGHT: usize = 16;

/// Element `index` of a vector of elements `width` wide; of a vector of one element, that element.
fn element(vector: &Expr, index: &Expr, width: usize) -> Expr {
    if vector.width() == width { vector.clone() } else { vector.bits_at(index, width) }
}

/// `count` bits, of which number `index` is 1.
fn one_hot(index: &Expr, count: usize) -> Expr {
    lit(1, count).shl_by(index)
}

/// Zero-extended or cut to `width` bits.
fn fit(value: &Expr, width: usize) -> Expr {
    if value.width() < width { value.zext(width) } else { value.trunc(width) }
}

/// A value one cycle later.
fn registered(m: &mut Module, name: &str, value: &Expr) -> Expr {
    let register = m.register(name, value.width());
    m.set(&register.d(), value);
    register.q()
}

/// Most significant part first.
fn concat(parts: &[Expr]) -> Expr {
    Expr::concat(&parts.iter().collect::<Vec<_>>())
}

/// How many of these bits are 1, two cycles later: a register behind every four bits and one behind their sum.
fn count_ones(m: &mut Module, name: &str, bits: &Expr) -> Expr {
    let width = index_bits(bits.width() + 1);
    let fours: Vec<_> = (0..bits.width())
        .step_by(4)
        .map(|lo| {
            let some = bits.bits(lo, (bits.width() - lo).min(4));
            let register = m.register(&format!("{name}_{lo}"), index_bits(some.width() + 1));
            let ones: Vec<_> = (0..some.width()).map(|i| some.bit(i).zext(register.q().width())).collect();
            m.set(&register.d(), &add_all(&ones));
            fit(&register.q(), width)
        })
        .collect();
    let sum = m.register(&format!("{name}_sum"), width);
    m.set(&sum.d(), &add_all(&fours));
    sum.q()
}

/// The sum of values, as a tree.
fn add_all(values: &[Expr]) -> Expr {
    tree(values, Expr::add)
}

/// The disjunction of values, bit by bit, as a tree.
fn or_all(values: &[Expr]) -> Expr {
    tree(values, Expr::or)
}

fn tree(values: &[Expr], join: fn(&Expr, &Expr) -> Expr) -> Expr {
    match values {
        [] => lit(0, 1),
        [value] => value.clone(),
        _ => {
            let (left, right) = values.split_at(values.len() / 2);
            join(&tree(left, join), &tree(right, join))
        }
    }
}

/// Element 0 lowest.
fn pack(elements: &[Expr]) -> Expr {
    Expr::concat(&elements.iter().rev().collect::<Vec<_>>())
}
