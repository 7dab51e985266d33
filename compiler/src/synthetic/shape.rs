//! Shapes of radius about 1 around the origin.

/// A shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    Disc,
    Square,
    Triangle,
    Star,
    Cross,
    Ring,
    Crescent,
    Heart,
    Arrow,
    Bars,
}

impl Shape {
    pub(super) const ALL: [Shape; 10] = [
        Shape::Disc,
        Shape::Square,
        Shape::Triangle,
        Shape::Star,
        Shape::Cross,
        Shape::Ring,
        Shape::Crescent,
        Shape::Heart,
        Shape::Arrow,
        Shape::Bars,
    ];

    /// Whether a point is inside; y points down, as in an image.
    pub(super) fn contains(self, x: f64, y: f64) -> bool {
        let r = x.hypot(y);
        match self {
            Shape::Disc => r < 0.95,
            Shape::Square => x.abs().max(y.abs()) < 0.85,
            Shape::Triangle => y < 0.75 && y > 2.0 * x.abs() - 1.0,
            Shape::Star => {
                // Five points: the radius falls from 1 at a point to 0.4 between two.
                let turn = ((x.atan2(-y) / std::f64::consts::TAU * 5.0).rem_euclid(1.0) - 0.5).abs() * 2.0;
                r < 0.4 + 0.65 * turn * turn
            }
            Shape::Cross => x.abs().min(y.abs()) < 0.3 && x.abs().max(y.abs()) < 0.95,
            Shape::Ring => (0.5..1.0).contains(&r),
            Shape::Crescent => r < 1.0 && (x - 0.45).hypot(y) > 0.75,
            Shape::Heart => {
                let (x, y) = (1.15 * x, -1.2 * y + 0.1);
                let s = x * x + y * y - 0.7;
                s * s * s - x * x * y * y * y < 0.0
            }
            Shape::Arrow => {
                let head = x > 0.0 && x < 0.95 && y.abs() < 0.95 - x;
                let shaft = x > -0.95 && x <= 0.0 && y.abs() < 0.3;
                head || shaft
            }
            Shape::Bars => y.abs() < 0.9 && (0.25..0.85).contains(&x.abs()),
        }
    }
}
