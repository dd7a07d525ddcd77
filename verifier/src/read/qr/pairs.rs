//! Symbols of which finder patterns are lost: where two are seen, the third has its place; where one is, the others may be
//! to any of its sides, as far away as any version has them.

use super::finder::{Finder, Triple};
use super::turned::{CLEAR, Turned, turned};
use crate::read::geometry::Point;
use crate::read::picture::Picture;
use touchmark_formats::symbol::qr::tables::Version;

/// Finder patterns that are paired, the clearest ones.
const MOST_FINDERS: usize = 14;

/// The clearest of finder patterns, each with its turn.
pub(super) fn clearest(picture: &Picture<'_>, reversed: bool, finders: &[Finder]) -> Vec<Turned> {
    let mut seen: Vec<Turned> = finders.iter().take(3 * MOST_FINDERS).map(|f| turned(picture, reversed, *f)).collect();
    seen.retain(|t| t.score > CLEAR);
    seen.sort_by(|a, b| b.score.total_cmp(&a.score));
    seen.truncate(MOST_FINDERS);
    seen
}

/// Triples with one place inferred, the likeliest first.
pub(super) fn triples(seen: &[Turned]) -> Vec<Triple> {
    let mut out: Vec<(f32, Triple)> = Vec::new();
    for (i, a) in seen.iter().enumerate() {
        for b in &seen[i + 1..] {
            out.extend(completed(a, b).into_iter().map(|triple| (a.score + b.score, triple)));
        }
    }
    out.sort_by(|a, b| b.0.total_cmp(&a.0));
    out.into_iter().map(|(_, triple)| triple).collect()
}

/// Triples of which one finder pattern is seen, as if the symbol were not tilted: for each version, each turn and each of
/// the three that it may be.
pub(super) fn alone(seen: &Turned) -> Vec<Triple> {
    let (p, module) = (seen.finder.centre, seen.finder.module);
    let mut out = Vec::new();
    for version in (1..=MOST_ALONE).filter_map(Version::new) {
        for (turn, size) in (0..4).flat_map(|turn| [0.96, 1.0, 1.04].map(move |size| (turn, size))) {
            let (sin, cos) = (seen.angle + std::f32::consts::FRAC_PI_2 * turn as f32).sin_cos();
            let modules = version.side() as f32 - 7.0;
            let length = modules * module * size;
            let (u, v) = ((length * cos, length * sin), (-length * sin, length * cos));
            for corner in [(0.0, 0.0), (-u.0, -u.1), (-v.0, -v.1)] {
                let top_left = Point::new(p.x + corner.0, p.y + corner.1);
                let top_right = Point::new(top_left.x + u.0, top_left.y + u.1);
                let bottom_left = Point::new(top_left.x + v.0, top_left.y + v.1);
                out.push(Triple::inferred(top_left, top_right, bottom_left, modules, module * size));
            }
        }
    }
    out
}

/// The largest version of which one finder pattern can tell where the rest is.
const MOST_ALONE: usize = 14;

/// The triples that two finder patterns may belong to: along a side, with the third to either hand and either of them
/// being the corner; or across the diagonal.
fn completed(a: &Turned, b: &Turned) -> Vec<Triple> {
    let (p, q) = (a.finder.centre, b.finder.centre);
    let module = (a.finder.module + b.finder.module) / 2.0;
    let ratio = a.finder.module / b.finder.module;
    let quarter = std::f32::consts::FRAC_PI_2;
    let apart = (a.angle - b.angle).abs();
    if !(0.6..1.67).contains(&ratio) || apart.min(quarter - apart) > 0.35 {
        return Vec::new();
    }
    let (dx, dy) = (q.x - p.x, q.y - p.y);
    let length = dx.hypot(dy);
    // How far the line between them is turned against the sides.
    let turn = (dy.atan2(dx) - a.angle).rem_euclid(quarter);
    let aslant = turn.min(quarter - turn);
    let range = 11.0..185.0;
    if aslant < 0.3 && range.contains(&(length / module)) {
        let modules = length / module;
        let third = |corner: Point, sign: f32| Point::new(corner.x - sign * dy, corner.y + sign * dx);
        // With y running down, a turn by (x, y) -> (-y, x) goes from the right to below.
        return vec![
            Triple::inferred(p, q, third(p, 1.0), modules, module),
            Triple::inferred(p, third(p, -1.0), q, modules, module),
            Triple::inferred(q, third(q, 1.0), p, modules, module),
            Triple::inferred(q, p, third(q, -1.0), modules, module),
        ];
    }
    let modules = length / module / std::f32::consts::SQRT_2;
    if aslant > quarter / 2.0 - 0.3 && range.contains(&modules) {
        let (mx, my) = ((p.x + q.x) / 2.0, (p.y + q.y) / 2.0);
        return vec![
            Triple::inferred(Point::new(mx - dy / 2.0, my + dx / 2.0), q, p, modules, module),
            Triple::inferred(Point::new(mx + dy / 2.0, my - dx / 2.0), p, q, modules, module),
        ];
    }
    Vec::new()
}
