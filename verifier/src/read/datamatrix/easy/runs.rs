//! The straight parts of a border (Wall and Danielsson 1984), and the corners that they make.

use super::outline::Half;
use crate::read::datamatrix::corners::Corner;
use crate::read::geometry::Point;

/// Shortest straight part that may be of a finder pattern, in pixels.
const MIN_ARM: f32 = 8.0;
/// Mean distance of a border from the line between two of its places, in half pixels, up to which it is straight.
const STRAIGHT: i64 = 2;
/// Straight parts between those that make a corner.
const BEVEL: usize = 3;

/// Places `first` to `last` of a closed line; `last` may go past its end, to its beginning.
#[derive(Debug, Clone, Copy)]
struct Run {
    first: usize,
    last: usize,
    from: Point,
    to: Point,
}

impl Run {
    fn new(line: &[Half], first: usize, last: usize) -> Self {
        Self { first, last, from: place(line, first), to: place(line, last) }
    }

    fn length(&self) -> f32 {
        self.from.distance(self.to)
    }

    /// Sine of the angle by which `next` turns to the right.
    fn turn(&self, next: &Self) -> f32 {
        let ((ax, ay), (bx, by)) = (self.way(), next.way());
        (ax * by - ay * bx) / (self.length() * next.length()).max(1e-3)
    }

    fn way(&self) -> (f32, f32) {
        (self.to.x - self.from.x, self.to.y - self.from.y)
    }
}

fn place(line: &[Half], at: usize) -> Point {
    let (x, y) = line[at % line.len()];
    Point::new(0.5 * x as f32, 0.5 * y as f32)
}

/// The corners of a closed line, the area on its right hand, where its straight parts turn around the area.
pub(super) fn corners(line: &[Half], reversed: bool, found: &mut Vec<Corner>) {
    let runs = straight(line);
    for (i, a) in runs.iter().enumerate().filter(|(_, a)| a.length() >= MIN_ARM) {
        let next = (1..=BEVEL.min(runs.len() - 1)).map(|step| &runs[(i + step) % runs.len()]);
        found.extend(next.filter(|b| b.length() >= MIN_ARM).filter_map(|b| corner(line, a, b, reversed)));
    }
}

/// A closed line as straight parts, one after the other.
fn straight(line: &[Half]) -> Vec<Run> {
    // The place that is farthest from any other is a corner.
    let away = |(_, (x, y)): &(usize, &Half)| (x - line[0].0).abs() + (y - line[0].1).abs();
    let start = line.iter().enumerate().max_by_key(away).map_or(0, |(at, _)| at);
    let mut runs = Vec::new();
    let (mut first, mut area) = (start, 0i64);
    let (mut origin, mut before) = (line[start], (0i64, 0i64));
    let around = line[start + 1..].iter().chain(&line[..=start]);
    for (at, (x, y)) in (start + 1..).zip(around.copied()) {
        let here = (i64::from(x - origin.0), i64::from(y - origin.1));
        // Twice the area between the line and its chord so far.
        area += before.0 * here.1 - before.1 * here.0;
        let length = here.0 * here.0 + here.1 * here.1;
        if area * area > 4 * STRAIGHT * STRAIGHT * length {
            runs.push(Run::new(line, first, at - 1));
            (first, area) = (at - 1, 0);
            origin = line[first % line.len()];
            before = (i64::from(x - origin.0), i64::from(y - origin.1));
        } else {
            before = here;
        }
    }
    runs.push(Run::new(line, first, start + line.len()));
    runs
}

/// The corner between two straight parts that follow each other.
fn corner(line: &[Half], a: &Run, b: &Run, reversed: bool) -> Option<Corner> {
    if a.turn(b) < 0.8 * MIN_TURN || a.to.distance(b.from) > 3.0 + 0.15 * a.length().max(b.length()) {
        return None;
    }
    let ((pa, da), (pb, db)) = (fitted(line, a), fitted(line, b));
    let turn = da.x * db.y - da.y * db.x;
    // Turning to the right goes around the area; y grows downwards.
    if turn < MIN_TURN {
        return None;
    }
    let t = ((pb.x - pa.x) * db.y - (pb.y - pa.y) * db.x) / turn;
    let origin = Point::new(pa.x + t * da.x, pa.y + t * da.y);
    // The ends that meet may have been cut off, but not by much.
    let near = |end: Point, length: f32| origin.distance(end) < 3.0 + 0.12 * length;
    if !near(a.to, a.length()) || !near(b.from, b.length()) {
        return None;
    }
    let along = |p: Point, d: Point| {
        let t = (p.x - origin.x) * d.x + (p.y - origin.y) * d.y;
        Point::new(t * d.x, t * d.y)
    };
    let (back, on) = (along(a.from, da), along(b.to, db));
    Some(Corner { origin, right: back, up: on, reversed })
}

/// Sine of the smallest angle between the arms of a finder pattern seen at a slant.
const MIN_TURN: f32 = 0.5;

/// A place on the line through a straight part, without its ends, and its direction.
fn fitted(line: &[Half], run: &Run) -> (Point, Point) {
    let count = run.last - run.first;
    let cut = (count / 8).min(6);
    let places = || (run.first + cut..=run.last - cut).map(|at| place(line, at));
    let n = (count + 1 - 2 * cut) as f32;
    let (sx, sy) = places().fold((0.0, 0.0), |sum, p| (sum.0 + p.x - run.from.x, sum.1 + p.y - run.from.y));
    let middle = Point::new(run.from.x + sx / n, run.from.y + sy / n);
    let (mut xx, mut xy, mut yy) = (0.0, 0.0, 0.0);
    for p in places() {
        let (x, y) = (p.x - middle.x, p.y - middle.y);
        (xx, xy, yy) = (xx + x * x, xy + x * y, yy + y * y);
    }
    let angle = 0.5 * (2.0 * xy).atan2(xx - yy);
    let (uy, ux) = angle.sin_cos();
    let forward = (run.to.x - run.from.x) * ux + (run.to.y - run.from.y) * uy > 0.0;
    (middle, if forward { Point::new(ux, uy) } else { Point::new(-ux, -uy) })
}
