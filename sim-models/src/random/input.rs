//! Random inputs, extremes included.

use basisn_arch::LayerProgram;
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
    let (low, high) = input_range(layer.input_bits, layer.signed);
    let pixels = layer.shape.in_height * layer.shape.in_width;
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
    (0..layer.shape.inputs()).map(|i| value(styles[i % pixels])).collect()
}

fn style(rng: &mut Random) -> Style {
    STYLES.choose(rng).copied().unwrap_or(Style::Uniform)
}
