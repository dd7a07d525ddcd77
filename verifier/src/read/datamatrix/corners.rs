//! Where a solid L may be: two straight edges that meet, with the same tone inside.

use super::plane::Plane;
use super::segments::Segment;
use crate::read::geometry::Point;

/// The outer edges of a supposed finder pattern, in pixels of the original.
#[derive(Debug, Clone, Copy)]
pub(super) struct Corner {
    /// Where the two solid borders meet.
    pub(super) origin: Point,
    /// Along the lower border, to its far end as far as it was seen (unmirrored symbols).
    pub(super) right: Point,
    /// Along the left border, to its far end as far as it was seen.
    pub(super) up: Point,
    /// Bright modules on dark.
    pub(super) reversed: bool,
}

/// Corners kept for fitting.
const MAX_CORNERS: usize = 400;

/// Pairs of the `most` longest edges that could be the outer edges of a finder pattern, longest first.
pub(super) fn corners(segments: &[Segment], most: usize) -> Vec<Corner> {
    let edges: Vec<Edge> =
        segments.iter().take(most).map(|seed| Edge { seen: *seed, joined: joined(seed, segments) }).collect();
    let mut found = Vec::new();
    for (i, a) in edges.iter().enumerate() {
        for b in &edges[i + 1..] {
            found.extend(variants(a, b));
        }
    }
    let weight = |corner: &Corner| {
        let (a, b) = (length(corner.right), length(corner.up));
        a.min(b) + 0.25 * a.max(b)
    };
    found.sort_by(|a, b| weight(b).total_cmp(&weight(a)));
    let mut kept: Vec<Corner> = Vec::new();
    for corner in found {
        if kept.len() == MAX_CORNERS {
            break;
        }
        if !kept.iter().any(|other| same(other, &corner)) {
            kept.push(corner);
        }
    }
    kept
}

/// Samples along each side of the parallelogram that an L spans.
const TEXTURE: usize = 24;
/// Samples along each side of one of its blocks.
const BLOCK: usize = 6;
/// Mean step between neighbouring samples of a block, in standard deviations of all samples, above which one block is as
/// lively as another: about 1 over the modules of a symbol, 0.4 over those of a small one, near 0 over plain surfaces and
/// shades.
const LIVELY: f32 = 0.6;

/// The share of the parallelogram between the arms that is as lively as modules are, 0 to 1.
pub(super) fn texture(pyramid: &[Plane], corner: &Corner) -> f32 {
    let shorter = length(corner.right).min(length(corner.up));
    let enough = |plane: &&Plane| shorter >= 2.0 * TEXTURE as f32 * plane.scale;
    let Some(plane) = pyramid.iter().rev().find(enough).or(pyramid.first()) else { return 0.0 };
    let share = |i: usize| 0.05 + 0.9 * (i as f32 + 0.5) / TEXTURE as f32;
    let at = |i: usize| {
        let (s, t) = (share(i % TEXTURE), share(i / TEXTURE));
        let (right, up, origin) = (corner.right, corner.up, corner.origin);
        plane.at_original(Point::new(origin.x + s * right.x + t * up.x, origin.y + s * right.y + t * up.y))
    };
    let levels: Vec<f32> = (0..TEXTURE * TEXTURE).map(at).collect();
    let mean = levels.iter().sum::<f32>() / levels.len() as f32;
    let spread = (levels.iter().map(|l| (l - mean).powi(2)).sum::<f32>() / levels.len() as f32).sqrt().max(1.0);
    let lively = |block: usize| {
        let (left, top) = (block % (TEXTURE / BLOCK) * BLOCK, block / (TEXTURE / BLOCK) * BLOCK);
        let steps = (0..BLOCK * BLOCK).map(|i| {
            let at = (top + i / BLOCK) * TEXTURE + left + i % BLOCK;
            let step = |next: usize| levels.get(next).map_or(0.0, |next| (next - levels[at]).abs());
            (if left + i % BLOCK + 1 < TEXTURE { step(at + 1) } else { 0.0 }) + step(at + TEXTURE)
        });
        let step = steps.sum::<f32>() / (2 * BLOCK * BLOCK) as f32;
        (step / spread / LIVELY).min(1.0)
    };
    let blocks = (TEXTURE / BLOCK).pow(2);
    (0..blocks).map(lively).sum::<f32>() / blocks as f32
}

/// Whether two corners are nearly alike.
pub(super) fn same(a: &Corner, b: &Corner) -> bool {
    let tolerance = 0.04 * (length(a.right) + length(a.up));
    let near = |p: Point, q: Point| p.distance(q) < tolerance;
    a.reversed == b.reversed && near(a.origin, b.origin) && near(a.right, b.right) && near(a.up, b.up)
}

fn length(v: Point) -> f32 {
    v.length()
}

fn minus(a: Point, b: Point) -> Point {
    Point::new(a.x - b.x, a.y - b.y)
}

fn dot(a: Point, b: Point) -> f32 {
    a.x * b.x + a.y * b.y
}

fn cross(a: Point, b: Point) -> f32 {
    a.x * b.y - a.y * b.x
}

/// An edge with what continues it on the same line, gaps of up to half its length bridged.
fn joined(seed: &Segment, segments: &[Segment]) -> Segment {
    let seen = seed.length();
    let along = minus(seed.to, seed.from);
    let along = Point::new(along.x / seen, along.y / seen);
    let mut spans: Vec<(f32, f32)> = Vec::new();
    for other in segments {
        if dot(other.bright, seed.bright) < 0.985 {
            continue;
        }
        let (a, b) = (minus(other.from, seed.from), minus(other.to, seed.from));
        let tolerance = 1.5 + 0.015 * seen;
        if cross(along, a).abs() < tolerance && cross(along, b).abs() < tolerance {
            let (a, b) = (dot(along, a), dot(along, b));
            spans.push((a.min(b), a.max(b)));
        }
    }
    let (mut first, mut last) = (0.0, seen);
    let gap = 0.5 * seen;
    // Each round that changes something takes in at least one more span.
    for _ in 0..8 {
        for (start, end) in &spans {
            if *start < last + gap && *end > first - gap {
                (first, last) = (f32::min(first, *start), f32::max(last, *end));
            }
        }
    }
    let at = |t: f32| Point::new(seed.from.x + t * along.x, seed.from.y + t * along.y);
    Segment { from: at(first), to: at(last), bright: seed.bright }
}

/// An edge as it was seen, and with what continues it on the same line, be it another thing.
struct Edge {
    seen: Segment,
    joined: Segment,
}

/// Ratio of lengths up to which one stands for the other: fits find the true length from there.
const ALIKE: f32 = 1.12;

/// The corners that two edges make: with all that continues them, without, and with one arm as long as the other, for
/// symbols of which an arm is broken off and for lines that go on beyond the symbol.
fn variants(a: &Edge, b: &Edge) -> Vec<Corner> {
    let alike = |x: f32, y: f32| x < ALIKE * y && y < ALIKE * x;
    let mut out: Vec<Corner> = Vec::new();
    let mut add = |corner: Corner| {
        let same = |known: &Corner| {
            alike(length(known.right), length(corner.right)) && alike(length(known.up), length(corner.up))
        };
        if !out.iter().any(same) {
            out.push(corner);
        }
    };
    let both = corner(&a.joined, &b.joined);
    let parts = [(&a.joined, &b.seen), (&a.seen, &b.joined), (&a.seen, &b.seen)];
    let seen = parts.into_iter().filter(|_| both.is_some()).filter_map(|(a, b)| corner(a, b));
    for corner in both.into_iter().chain(seen) {
        add(corner);
        let (right, up) = (length(corner.right), length(corner.up));
        let scaled = |v: Point, factor: f32| Point::new(v.x * factor, v.y * factor);
        add(Corner { up: scaled(corner.up, right / up.max(1.0)), ..corner });
        add(Corner { right: scaled(corner.right, up / right.max(1.0)), ..corner });
    }
    out
}

/// The corner that two edges make, if their near ends meet at about a right angle and the same tone lies inside.
fn corner(a: &Segment, b: &Segment) -> Option<Corner> {
    let (da, db) = (minus(a.to, a.from), minus(b.to, b.from));
    let (la, lb) = (length(da), length(db));
    let turn = cross(da, db);
    if turn.abs() < 0.64 * la * lb || la > 20.0 * lb || lb > 20.0 * la {
        return None;
    }
    let between = minus(b.from, a.from);
    let (ta, tb) = (cross(between, db) / turn, cross(between, da) / turn);
    let origin = Point::new(a.from.x + ta * da.x, a.from.y + ta * da.y);
    // Away from the corner, to the far end; the near end must not be far from the corner, on either side.
    let arm = |t: f32, v: Point, edge: &Segment| {
        let far = if t < 0.5 { edge.to } else { edge.from };
        let near = if t < 0.5 { t } else { 1.0 - t };
        let slack = 4.0 / length(v);
        (near > -0.35 - slack && near < 0.12 + slack).then(|| minus(far, origin))
    };
    let (arm_a, arm_b) = (arm(ta, da, a)?, arm(tb, db, b)?);
    let (out_a, out_b) = (dot(a.bright, arm_b) < 0.0, dot(b.bright, arm_a) < 0.0);
    if out_a != out_b {
        return None;
    }
    // Right hand and upwards with y growing downwards: the turn from `right` to `up` is negative.
    let (right, up) = if cross(arm_a, arm_b) < 0.0 { (arm_a, arm_b) } else { (arm_b, arm_a) };
    Some(Corner { origin, right, up, reversed: !out_a })
}
