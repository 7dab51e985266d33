//! Background, clutter, the figure of the class, and what hides a part of it.

use super::SIDE;
use super::shape::Shape;
use super::texture::Texture;
use crate::random::Random;

/// Samples of a pixel, along each side.
const SAMPLES: usize = 2;

type Color = [f64; 3];

/// A shape in the plane, its texture and its two colours. The image is the square from -1 to 1.
struct Figure {
    shape: Shape,
    texture: Texture,
    colors: [Color; 2],
    center: [f64; 2],
    /// From the plane to the figure's own coordinates, in which it has radius 1.
    inverse: [[f64; 2]; 2],
    phase: f64,
}

/// What an image shows.
pub(super) struct Scene {
    background: [Color; 2],
    gradient: [f64; 2],
    /// From back to front.
    figures: Vec<Figure>,
}

impl Scene {
    /// A scene of a class; all else is drawn.
    pub(super) fn draw(class: usize, random: &mut Random) -> Self {
        let shapes = Shape::ALL.len();
        // Neighbouring classes differ in shape, classes a row apart in texture; few classes use many textures all the same.
        let (shape, texture) = (class % shapes, (class / shapes + class) % Texture::ALL.len());
        let angle = range(random, 0.0, std::f64::consts::TAU);
        let background = [color(random), color(random)];
        let mut figures = Vec::new();
        for _ in 0..random.below(4) {
            let size = range(random, 0.12, 0.3);
            let center = [range(random, -1.0, 1.0), range(random, -1.0, 1.0)];
            figures.push(Figure::clutter(size, center, random));
        }
        let center = [range(random, -0.25, 0.25), range(random, -0.25, 0.25)];
        let size = range(random, 0.5, 0.8);
        let main = Figure::draw(shape, texture, size, center, 0.5, random);
        figures.push(main);
        if random.below(2) == 0 {
            // In front of the figure, but away from its middle.
            let away = range(random, 0.0, std::f64::consts::TAU);
            let center = [center[0] + 0.75 * size * away.cos(), center[1] + 0.75 * size * away.sin()];
            let size = range(random, 0.15, 0.3);
            figures.push(Figure::clutter(size, center, random));
        }
        Scene { background, gradient: [angle.cos(), angle.sin()], figures }
    }

    /// The colour of a pixel, 0..1 each: the mean of its samples.
    pub(super) fn pixel(&self, row: usize, column: usize) -> Color {
        let mut sum = [0.0; 3];
        for sample in 0..SAMPLES * SAMPLES {
            let place = |pixel: usize, part: usize| {
                2.0 * (pixel as f64 + (part as f64 + 0.5) / SAMPLES as f64) / SIDE as f64 - 1.0
            };
            let (x, y) = (place(column, sample % SAMPLES), place(row, sample / SAMPLES));
            let color = self.point(x, y);
            sum.iter_mut().zip(color).for_each(|(sum, value)| *sum += value / (SAMPLES * SAMPLES) as f64);
        }
        sum
    }

    fn point(&self, x: f64, y: f64) -> Color {
        self.figures.iter().rev().find_map(|figure| figure.color(x, y)).unwrap_or_else(|| {
            let share = 0.5 + 0.35 * (self.gradient[0] * x + self.gradient[1] * y);
            mix(self.background[0], self.background[1], share.clamp(0.0, 1.0))
        })
    }
}

impl Figure {
    /// Any shape with any texture, turned anyhow.
    fn clutter(size: f64, center: [f64; 2], random: &mut Random) -> Self {
        let (shape, texture) = (random.below(Shape::ALL.len()), random.below(Texture::ALL.len()));
        Figure::draw(shape, texture, size, center, std::f64::consts::PI, random)
    }

    fn draw(shape: usize, texture: usize, size: f64, center: [f64; 2], turn: f64, random: &mut Random) -> Self {
        let angle = range(random, -turn, turn);
        let (stretch, shear) = (range(random, 0.8, 1.25), range(random, -0.2, 0.2));
        let (sin, cos) = angle.sin_cos();
        // Inverse of: scale, stretch, shear, turn.
        let (a, d) = (1.0 / (size * stretch), stretch / size);
        let inverse = [[a * (cos - shear * -sin), a * (sin - shear * cos)], [-sin * d, cos * d]];
        let first = color(random);
        let mut second = color(random);
        // The texture must be seen: its colours differ.
        for _ in 0..8 {
            if first.iter().zip(second).map(|(a, b)| (a - b).abs()).sum::<f64>() >= 0.7 {
                break;
            }
            second = color(random);
        }
        let phase = range(random, 0.0, 1.0);
        Figure {
            shape: Shape::ALL[shape],
            texture: Texture::ALL[texture],
            colors: [first, second],
            center,
            inverse,
            phase,
        }
    }

    /// The colour at a point, if it is inside.
    fn color(&self, x: f64, y: f64) -> Option<Color> {
        let (x, y) = (x - self.center[0], y - self.center[1]);
        let [u, v] = self.inverse.map(|[a, b]| a * x + b * y);
        self.shape.contains(u, v).then(|| mix(self.colors[0], self.colors[1], self.texture.share(u, v, self.phase)))
    }
}

fn mix(a: Color, b: Color, share: f64) -> Color {
    std::array::from_fn(|i| a[i] + (b[i] - a[i]) * share)
}

fn color(random: &mut Random) -> Color {
    std::array::from_fn(|_| range(random, 0.05, 0.95))
}

/// A number from `low` to `high`.
pub(super) fn range(random: &mut Random, low: f64, high: f64) -> f64 {
    low + (high - low) * (random.next() >> 11) as f64 / (1u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_figure_covers_a_good_part_of_the_image() {
        let mut random = Random::new(5);
        for class in 0..*super::super::CLASSES.end() {
            let scene = Scene::draw(class, &mut random);
            let main = scene.figures.iter().rev().take(2).map(|figure| {
                (0..SIDE * SIDE)
                    .filter(|i| figure.color((i % SIDE) as f64 / 16.0 - 1.0, (i / SIDE) as f64 / 16.0 - 1.0).is_some())
                    .count()
            });
            assert!(main.max().unwrap() > 60, "class {class}");
        }
    }
}
