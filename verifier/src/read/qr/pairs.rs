//! Symbols of which one finder pattern is lost: where two are seen, the third has its place.

use super::finder::{Finder, Triple};
use super::turned::{CLEAR, Turned, turned};
use crate::read::geometry::Point;
use crate::read::picture::Picture;

/// Finder patterns that are paired, the clearest ones.
const MOST_FINDERS: usize = 14;
/// Triples with one place inferred, the likeliest first.
pub(super) fn triples(picture: &Picture<'_>, reversed: bool, finders: &[Finder]) -> Vec<Triple> {
    let mut seen: Vec<Turned> = finders.iter().take(3 * MOST_FINDERS).map(|f| turned(picture, reversed, *f)).collect();
    seen.retain(|t| t.score > CLEAR);
    seen.sort_by(|a, b| b.score.total_cmp(&a.score));
    seen.truncate(MOST_FINDERS);
    let mut out: Vec<(f32, Triple)> = Vec::new();
    for (i, a) in seen.iter().enumerate() {
        for b in &seen[i + 1..] {
            out.extend(completed(a, b).into_iter().map(|triple| (a.score + b.score, triple)));
        }
    }
    out.sort_by(|a, b| b.0.total_cmp(&a.0));
    out.into_iter().map(|(_, triple)| triple).collect()
}

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
