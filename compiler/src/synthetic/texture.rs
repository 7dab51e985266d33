//! Textures in a figure's own coordinates.

/// A pattern of two colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Texture {
    Plain,
    Across,
    Along,
    Checks,
    Dots,
    Circles,
    Ramp,
    Diagonal,
    Waves,
    Halves,
}

impl Texture {
    pub(super) const ALL: [Texture; 10] = [
        Texture::Plain,
        Texture::Across,
        Texture::Along,
        Texture::Checks,
        Texture::Dots,
        Texture::Circles,
        Texture::Ramp,
        Texture::Diagonal,
        Texture::Waves,
        Texture::Halves,
    ];

    /// Share of the second colour, 0..1; `phase` moves the pattern.
    pub(super) fn share(self, x: f64, y: f64, phase: f64) -> f64 {
        let stripe = |t: f64| f64::from((t + phase).rem_euclid(1.0) < 0.5);
        match self {
            Texture::Plain => 0.0,
            Texture::Across => stripe(1.8 * y),
            Texture::Along => stripe(1.8 * x),
            Texture::Checks => (stripe(1.3 * x) - stripe(1.3 * y)).abs(),
            Texture::Dots => {
                let near = |t: f64| (t + phase).rem_euclid(1.0) - 0.5;
                f64::from(near(1.6 * x).hypot(near(1.6 * y)) < 0.3)
            }
            Texture::Circles => stripe(2.2 * x.hypot(y)),
            Texture::Ramp => (0.5 + 0.55 * y).clamp(0.0, 1.0),
            Texture::Diagonal => stripe(1.4 * (x + y)),
            Texture::Waves => stripe(1.8 * (y + 0.25 * (5.0 * x).sin())),
            Texture::Halves => f64::from(x < 0.0),
        }
    }
}
