//! Which way the sides of a finder pattern run.

use super::finder::Finder;
use super::target::Sums;
use crate::read::geometry::Point;
use crate::read::picture::Picture;

/// Steps of the turn that is looked for over a quarter of a circle.
const TURNS: usize = 15;
/// Correlation with a finder pattern below which there is none.
pub(super) const CLEAR: f32 = 0.45;

/// A finder pattern with the directions of its sides.
pub(super) struct Turned {
    pub(super) finder: Finder,
    /// Angle of a side against the rows, in radians from 0 to a quarter of a circle.
    pub(super) angle: f32,
    /// Correlation with a finder pattern.
    pub(super) score: f32,
}

/// The turn at which the picture looks most like a finder pattern.
pub(super) fn turned(picture: &Picture<'_>, reversed: bool, finder: Finder) -> Turned {
    let radius = (finder.module * 4.0).ceil() as usize;
    let mut best = Turned { finder, angle: 0.0, score: -1.0 };
    for turn in 0..TURNS {
        let angle = std::f32::consts::FRAC_PI_2 * turn as f32 / TURNS as f32;
        let (sin, cos) = angle.sin_cos();
        // Rows and columns cross a turned pattern aslant, and see it longer than its sides.
        let module = finder.module * sin.max(cos);
        let mut sums = Sums::default();
        for (u, v) in (-4i32..=4).flat_map(|v| (-4i32..=4).map(move |u| (u, v))) {
            let (a, b) = (u as f32 * module, v as f32 * module);
            let place = Point::new(finder.centre.x + a * cos - b * sin, finder.centre.y + a * sin + b * cos);
            let away = u.abs().max(v.abs());
            let grey = picture.flattened(place, radius);
            sums.add(away != 2 && away != 4, if reversed { grey } else { -grey });
        }
        let score = sums.correlation();
        if score > best.score {
            best = Turned { finder: Finder { module, ..finder }, angle, score };
        }
    }
    // The turn is known, so what crossed it is put right.
    best
}
