//! The size of a symbol by its timing patterns: between two finder patterns they change tone at every module.

use super::finder::Triple;
use crate::read::geometry::Point;
use crate::read::picture::Picture;

/// Samples a module.
const FINE: f32 = 4.0;

/// Versions that the counts along the timing patterns speak for, the one with the most changes first: what is worn or
/// missed by a bent pattern leaves changes out, and hardly anything adds some.
pub(super) fn versions(picture: &Picture<'_>, reversed: bool, triple: &Triple) -> Vec<usize> {
    let mut out: Vec<usize> = Vec::new();
    for (far, other, modules) in [
        (triple.top_right, triple.bottom_left, triple.modules),
        (triple.bottom_left, triple.top_right, (triple.modules.1, triple.modules.0)),
    ] {
        let origin = triple.top_left;
        let along = Point::new((far.x - origin.x) / modules.0, (far.y - origin.y) / modules.0);
        let beside = Point::new((other.x - origin.x) / modules.1, (other.y - origin.y) / modules.1);
        for off in [2.6, 2.8, 3.0, 3.2, 3.4] {
            let at = |from: Point, sign: f32| {
                Point::new(
                    from.x + sign * 3.0 * along.x + off * beside.x,
                    from.y + sign * 3.0 * along.y + off * beside.y,
                )
            };
            let changes = changes(picture, reversed, at(origin, 1.0), at(far, -1.0), modules.0 - 6.0, triple.module);
            // From the dark corner of one finder pattern to that of the other there are side - 13 changes.
            if changes.is_multiple_of(4) && changes >= 8 {
                out.push((changes - 4) / 4);
            }
        }
    }
    out.sort_by(|a, b| b.cmp(a));
    out.dedup();
    out
}

/// How often the tone changes from one place to another, some `modules` apart.
fn changes(picture: &Picture<'_>, reversed: bool, from: Point, to: Point, modules: f32, module: f32) -> usize {
    let steps = (modules * FINE).clamp(8.0, 1000.0) as usize;
    let radius = (module * 4.0).ceil() as usize;
    let level = |i: usize| {
        let t = i as f32 / steps as f32;
        let grey = picture.flattened(Point::new(from.x + t * (to.x - from.x), from.y + t * (to.y - from.y)), radius);
        if reversed { grey } else { -grey }
    };
    let levels: Vec<f32> = (0..=steps).map(level).collect();
    let spread = levels.iter().map(|l| l.abs()).sum::<f32>() / levels.len() as f32;
    // A change counts once the tone has clearly gone over.
    let (mut dark, mut count) = (true, 0);
    for level in levels {
        if (dark && level < -0.3 * spread) || (!dark && level > 0.3 * spread) {
            dark = !dark;
            count += 1;
        }
    }
    count
}
