//! The arms of a supposed finder pattern, followed along their outer edges from the corner to their ends.

use crate::read::datamatrix::corners::Corner;
use crate::read::geometry::Point;
use crate::read::tones::Bits;

/// Rays across each arm that measure how thick it is.
const RAYS: usize = 24;

/// Lines across a symbol on which changes are counted, as shares of its sides.
const LINES: [f32; 5] = [0.23, 0.36, 0.52, 0.67, 0.81];
/// Changes from dark to light and back along a line, of the fewest modules that it may have.
const LIVELY: f32 = 0.3;

/// A corner whose arms were followed to their ends.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ell {
    pub(super) corner: Corner,
    /// Thickness of the lower and of the left arm, in pixels: about a module.
    pub(super) thick: (f32, f32),
}

/// Follows both arms; `None` if one of them is not solid, or too thick or too thin for any symbol.
pub(super) fn followed(bits: &Bits, corner: &Corner) -> Option<Ell> {
    let lower = thickness(bits, corner, corner.right, corner.up)?;
    let left = thickness(bits, corner, corner.up, corner.right)?;
    let (a, b) = (
        Edge::followed(bits, corner, corner.right, corner.up, lower)?,
        Edge::followed(bits, corner, corner.up, corner.right, left)?,
    );
    let turn = a.way.x * b.way.y - a.way.y * b.way.x;
    let t = ((b.from.x - a.from.x) * b.way.y - (b.from.y - a.from.y) * b.way.x) / turn;
    let origin = Point::new(a.from.x + t * a.way.x, a.from.y + t * a.way.y);
    let arm = |edge: &Edge| Point::new(edge.end.x - origin.x, edge.end.y - origin.y);
    (turn.abs() > 0.3)
        .then(|| Ell { corner: Corner { origin, right: arm(&a), up: arm(&b), ..*corner }, thick: (lower, left) })
}

impl Ell {
    /// Whether the area between the arms changes as often as modules do.
    pub(super) fn lively(&self, bits: &Bits) -> bool {
        let Some([columns, rows]) = self.modules() else { return false };
        let Corner { origin, right, up, .. } = self.corner;
        let changes = |along: Point, across: Point| {
            let steps = along.length().max(1.0);
            let line = |share: f32| {
                let from = plus(origin, scaled(across, share));
                let at = |i: usize| solid(bits, plus(from, scaled(along, i as f32 / steps)));
                (1..steps as usize).filter(|i| at(*i) != at(i - 1)).count()
            };
            LINES.into_iter().map(line).sum::<usize>() as f32 / LINES.len() as f32
        };
        changes(right, up) > LIVELY * columns.0 && changes(up, right) > LIVELY * rows.0
    }

    /// The least and the most modules that the symbol may have along its lower and along its left arm, by the thickness of
    /// the other; `None` if no symbol has so few or so many.
    pub(super) fn modules(&self) -> Option<[(f32, f32); 2]> {
        let count = |arm: Point, thick: f32| {
            let (least, most) = (arm.length() / (1.4 * thick + 0.6), arm.length() / (0.65 * thick - 0.4).max(0.7));
            (most >= 7.9 && least <= 144.1).then_some((least, most))
        };
        Some([count(self.corner.right, self.thick.1)?, count(self.corner.up, self.thick.0)?])
    }
}

/// How far the dark (or light) area goes from an arm inwards, in pixels: where modules beside it do not make it thicker.
fn thickness(bits: &Bits, corner: &Corner, arm: Point, across: Point) -> Option<f32> {
    let step = scaled(across, 0.5 / across.length());
    let most = (0.9 * across.length()) as usize;
    let mut seen = [0usize; RAYS];
    // Rays that begin in a notch measure nothing.
    let mut notches = 0;
    for (i, seen) in seen.iter_mut().enumerate() {
        let from = plus(corner.origin, scaled(arm, (i as f32 + 0.5) / RAYS as f32));
        let solid = |n: &usize| solid(bits, plus(from, scaled(step, *n as f32 + 1.0)));
        *seen = (0..most).find(|n| !solid(n)).unwrap_or(most);
        notches += usize::from(*seen == 0);
        if notches > RAYS / 3 {
            return None;
        }
    }
    seen.sort_unstable();
    let thin = seen.get(notches + (RAYS - notches) / 5).filter(|thin| **thin < most)?;
    Some(0.5 * (thin + 1) as f32)
}

/// An edge as a line, and where it ends.
struct Edge {
    from: Point,
    way: Point,
    end: Point,
}

impl Edge {
    /// Follows the edge of an arm that was seen in part, along the line through all that was followed so far.
    fn followed(bits: &Bits, corner: &Corner, arm: Point, across: Point, thick: f32) -> Option<Self> {
        let way = scaled(arm, 1.0 / arm.length());
        // To the inside, square to the arm.
        let inwards = Point::new(-way.y, way.x);
        let inwards = if inwards.x * across.x + inwards.y * across.y > 0.0 { inwards } else { scaled(inwards, -1.0) };
        let give_up = 1.5 * thick + 2.0;
        let (mut line, mut best) = (Line::default(), Line::default());
        // Beyond the end other things may lie on the line by chance, but not all the way.
        let (mut s, mut end, mut gain, mut most) = (0.5f32, 0.0f32, 0.0f32, 0.0f32);
        while most - gain < give_up {
            let guess = line.at(s);
            let place = |e: f32| plus(corner.origin, plus(scaled(way, s), scaled(inwards, guess + e)));
            let reach = if line.sure() { 0.35 * thick + 0.8 } else { 0.6 * thick + 1.0 };
            match crossing(reach, |e| solid(bits, place(e))) {
                Some(e) => {
                    line.add(s, guess + e);
                    gain += 1.0;
                }
                None => gain -= MISS,
            }
            if gain > most {
                (most, end, best) = (gain, s, line);
            }
            s += 1.0;
        }
        let at = |s: f32| plus(corner.origin, plus(scaled(way, s), scaled(inwards, best.at(s))));
        let (from, to) = (at(0.0), at(end + 0.5));
        let way = scaled(minus(to, from), 1.0 / to.distance(from));
        (best.count > 4.0 && most > 0.4 * end).then_some(Self { from, way, end: to })
    }
}

/// What a step without an edge counts against one with an edge.
const MISS: f32 = 1.5;

/// Where, within `reach` of 0, what is not solid becomes solid.
fn crossing(reach: f32, solid: impl Fn(f32) -> bool) -> Option<f32> {
    let step = if solid(0.25) { -0.5 } else { 0.5 };
    let changed = |n: &i32| solid(0.25 + step * *n as f32) != (step < 0.0);
    (1..=(2.0 * reach) as i32).find(changed).map(|n| 0.25 + step * (n as f32 - 0.5))
}

/// A line through places, by least squares.
#[derive(Default, Clone, Copy)]
struct Line {
    count: f32,
    s: f32,
    e: f32,
    ss: f32,
    se: f32,
}

impl Line {
    fn add(&mut self, s: f32, e: f32) {
        (self.count, self.s, self.e) = (self.count + 1.0, self.s + s, self.e + e);
        (self.ss, self.se) = (self.ss + s * s, self.se + s * e);
    }

    fn sure(&self) -> bool {
        self.count >= 8.0
    }

    /// The line at `s`; level until it is sure.
    fn at(&self, s: f32) -> f32 {
        if !self.sure() {
            return 0.0;
        }
        let spread = self.count * self.ss - self.s * self.s;
        let slope = (self.count * self.se - self.s * self.e) / spread;
        self.e / self.count + slope * (s - self.s / self.count)
    }
}

/// Whether a place is set.
pub(super) fn solid(bits: &Bits, p: Point) -> bool {
    p.x >= 0.0 && p.y >= 0.0 && bits.at(p.x as usize, p.y as usize)
}

pub(super) fn plus(a: Point, b: Point) -> Point {
    Point::new(a.x + b.x, a.y + b.y)
}

fn minus(a: Point, b: Point) -> Point {
    Point::new(a.x - b.x, a.y - b.y)
}

pub(super) fn scaled(v: Point, factor: f32) -> Point {
    Point::new(v.x * factor, v.y * factor)
}
