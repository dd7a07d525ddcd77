//! The area that square modules cover, made smaller at every edge by the dot gain: as rectangles for pixels, as
//! outlines for what follows paths.

use super::layout::{Point, Rect};
use super::options::Turn;
use std::borrow::Cow;
use touchmark_formats::symbol::Matrix;

/// The dark modules of a symbol whose top left corner is at `corner`; lengths in millimetres.
///
/// Neighbours must stay joined, so it is the area that shrinks and not each module. With a negative dot gain it grows.
#[derive(Debug)]
pub(crate) struct Area<'a> {
    pub(crate) matrix: Cow<'a, Matrix>,
    pub(crate) corner: Point,
    pub(crate) module_mm: f64,
    pub(crate) dot_gain_mm: f64,
}

impl Area<'_> {
    /// The same area turned; `to` says where points go.
    pub(crate) fn turned(self, turn: Turn, to: impl Fn(Point) -> Point) -> Self {
        let side = |modules: usize| modules as f64 * self.module_mm;
        let (left, top) = self.corner;
        let whole =
            Rect { left, top, right: left + side(self.matrix.width()), bottom: top + side(self.matrix.height()) };
        let whole = whole.mapped(to);
        Self { matrix: turn.matrix(self.matrix), corner: (whole.left, whole.top), ..self }
    }

    /// Rectangles that touch and never overlap, from top to bottom.
    ///
    /// A strip along the middle of each row of modules shows the row itself, and a strip of twice the gain between two
    /// rows what is dark in both; if the area grows, what is dark in either.
    pub(crate) fn rects(&self) -> Vec<Rect> {
        let half = self.dot_gain_mm.abs();
        let mut rects = Vec::with_capacity(self.matrix.width() * self.matrix.height() / 4);
        for y in 0..=self.matrix.height() {
            let edge = self.corner.1 + y as f64 * self.module_mm;
            let above = |x: usize| y > 0 && self.matrix.is_dark(x, y - 1);
            if self.dot_gain_mm > 0.0 {
                self.push_strip(&mut rects, (edge - half, edge + half), |x| above(x) && self.matrix.is_dark(x, y));
            } else if self.dot_gain_mm < 0.0 {
                self.push_strip(&mut rects, (edge - half, edge + half), |x| above(x) || self.matrix.is_dark(x, y));
            }
            self.push_strip(&mut rects, (edge + half, edge + self.module_mm - half), |x| self.matrix.is_dark(x, y));
        }
        rects
    }

    fn push_strip(&self, rects: &mut Vec<Rect>, (top, bottom): (f64, f64), dark: impl Fn(usize) -> bool) {
        let at = |x: usize| self.corner.0 + x as f64 * self.module_mm;
        let mut start = None;
        for x in 0..=self.matrix.width() {
            match (start, x < self.matrix.width() && dark(x)) {
                (None, true) => start = Some(x),
                (Some(first), false) => {
                    let (left, right) = (at(first) + self.dot_gain_mm, at(x) - self.dot_gain_mm);
                    rects.push(Rect { left, top, right, bottom });
                    start = None;
                }
                _ => {}
            }
        }
    }

    /// Closed outlines by their corners: around an area clockwise, around a hole in it counterclockwise. They never
    /// cross, so that both ways of telling the inside of a path (even-odd and non-zero) agree.
    pub(crate) fn outlines(&self) -> Vec<Vec<Point>> {
        let width = self.matrix.width() + 1;
        let mut seen = vec![false; width * (self.matrix.height() + 1)];
        let mut outlines = Vec::new();
        for (start, x, y) in (0..seen.len()).map(|i| (i, i % width, i / width)) {
            let new = seen.get(start) == Some(&false);
            if new && self.is_edge((x, y), Way::Right) {
                outlines.push(self.follow((x, y), |(x, y)| {
                    seen.get_mut(y * width + x).into_iter().for_each(|seen| *seen = true);
                }));
            }
        }
        outlines
    }

    /// Goes round from an edge that leads to the right, and reports where all such edges start.
    fn follow(&self, start: (usize, usize), mut rightward: impl FnMut((usize, usize))) -> Vec<Point> {
        let mut corners = Vec::new();
        let (mut at, mut way) = (start, Way::Right);
        // No outline has more edges than all modules together.
        for _ in 0..=4 * self.matrix.width() * self.matrix.height() {
            if way == Way::Right {
                rightward(at);
            }
            at = way.step(at);
            let next = self.next(at, way);
            if next != way {
                corners.push(self.corner_at(at, way, next));
            }
            way = next;
            if (at, way) == (start, Way::Right) {
                break;
            }
        }
        corners
    }

    /// Where two areas touch in a corner only they stay apart, unless they grow into each other.
    fn next(&self, at: (usize, usize), way: Way) -> Way {
        let turns = [way.clockwise(), way.counterclockwise()];
        let [first, second] = if self.dot_gain_mm < 0.0 { [turns[1], turns[0]] } else { turns };
        match (self.is_edge(at, first), self.is_edge(at, way)) {
            (true, _) => first,
            (_, true) => way,
            _ => second,
        }
    }

    /// Whether there is dark to the right of this step along the grid, and light to the left.
    fn is_edge(&self, (x, y): (usize, usize), way: Way) -> bool {
        // Beyond the left and top edge it wraps to where nothing is dark.
        let dark = |dx: usize, dy: usize| self.matrix.is_dark(x.wrapping_sub(dx), y.wrapping_sub(dy));
        match way {
            Way::Right => dark(0, 0) && !dark(0, 1),
            Way::Down => dark(1, 0) && !dark(0, 0),
            Way::Left => dark(1, 1) && !dark(1, 0),
            Way::Up => dark(0, 1) && !dark(1, 1),
        }
    }

    /// A corner of the grid, moved inwards from both edges that meet there.
    fn corner_at(&self, (x, y): (usize, usize), from: Way, to: Way) -> Point {
        let ((ax, ay), (bx, by)) = (from.inwards(), to.inwards());
        let moved =
            |corner: f64, grid: usize, inwards: f64| corner + grid as f64 * self.module_mm + inwards * self.dot_gain_mm;
        (moved(self.corner.0, x, ax + bx), moved(self.corner.1, y, ay + by))
    }
}

/// A step along the grid between modules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Right,
    Down,
    Left,
    Up,
}

impl Way {
    fn clockwise(self) -> Self {
        match self {
            Self::Right => Self::Down,
            Self::Down => Self::Left,
            Self::Left => Self::Up,
            Self::Up => Self::Right,
        }
    }

    fn counterclockwise(self) -> Self {
        self.clockwise().clockwise().clockwise()
    }

    fn step(self, (x, y): (usize, usize)) -> (usize, usize) {
        match self {
            Self::Right => (x + 1, y),
            Self::Down => (x, y + 1),
            Self::Left => (x.saturating_sub(1), y),
            Self::Up => (x, y.saturating_sub(1)),
        }
    }

    /// To the dark side of the step: its right, which is down for a step to the right.
    fn inwards(self) -> Point {
        match self {
            Self::Right => (0.0, 1.0),
            Self::Down => (-1.0, 0.0),
            Self::Left => (0.0, -1.0),
            Self::Up => (1.0, 0.0),
        }
    }
}
