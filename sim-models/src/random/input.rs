//! Random inputs, extremes included.

use basisn_arch::{LayerProgram, Program, Shape};
use rand::Rng;
use rand::seq::IndexedRandom;

use super::Random;
use crate::arithmetic::input_range;

#[derive(Clone, Copy)]
enum Style {
    Uniform,
    Lowest,
    Highest,
    Extremes,
    Sparse,
}

const STYLES: &[Style] = &[Style::Uniform, Style::Lowest, Style::Highest, Style::Extremes, Style::Sparse];

/// An input of a layer, in `[channel][row][column]` order: each pixel, or all of them, random or at an extreme.
pub fn random_input(rng: &mut Random, layer: &LayerProgram) -> Vec<i32> {
    let s = &layer.shape;
    values(rng, Shape::new(s.in_channels, s.in_height, s.in_width), input_range(layer.input_bits, layer.signed))
}

/// An image for a program, in the same way.
pub fn random_image(rng: &mut Random, program: &Program) -> Vec<i32> {
    let input = &program.input;
    values(rng, input.shape, input_range(input.bits, input.signed))
}

fn values(rng: &mut Random, shape: Shape, (low, high): (i32, i32)) -> Vec<i32> {
    let pixels = shape.height * shape.width;
    let mut styles = vec![style(rng); pixels];
    if rng.random_bool(0.5) {
        styles.fill_with(|| style(rng));
    }
    let mut value = |style| match style {
        Style::Uniform => rng.random_range(low..=high),
        Style::Lowest => low,
        Style::Highest => high,
        Style::Extremes => [low, high, 0].choose(rng).copied().unwrap_or(0),
        Style::Sparse => {
            if rng.random_bool(0.1) {
                rng.random_range(low..=high)
            } else {
                0
            }
        }
    };
    (0..shape.size()).map(|i| value(styles[i % pixels])).collect()
}

fn style(rng: &mut Random) -> Style {
    STYLES.choose(rng).copied().unwrap_or(Style::Uniform)
}
