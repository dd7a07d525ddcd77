//! From the two arms of a finder pattern to the size of the symbol and its fourth corner: where the timing patterns on the
//! far sides alternate.

use super::arm::Ell;
use crate::read::datamatrix::corners::Corner;
use crate::read::datamatrix::fit::Fit;
use crate::read::datamatrix::plane::Plane;
use crate::read::geometry::Point;
use touchmark_formats::symbol::datamatrix::sizes::{SIZES, Size};

/// Steps by which the fourth corner is sought, in modules.
const STEP: f32 = 0.7;
/// Steps to each side of where a parallelogram has it: for symbols that are seen from above, and at a slant.
const NEAR: i32 = 2;
const FAR: i32 = 9;
/// Farthest place of the fourth corner from there, as a share of the arms.
const FARTHEST: f32 = 0.3;
/// Alternation of both timing patterns that needs no look farther away.
const CLEAR: f32 = 0.45;
/// Alternation of a timing pattern, as a whole and near the corner, below which it is given up.
const LEAST: f32 = 0.2;
const LEAST_EARLY: f32 = 0.3;
/// Modules after which a border that does not alternate is given up.
const EARLY: usize = 6;
/// Steps from module to module that count in full, in the contrast of the symbol.
const FULL: f32 = 1.2;
/// Contrast, in grey levels, below which nothing is seen.
const MIN_CONTRAST: f32 = 6.0;
/// Sizes that are tried, and the share of the best one's significance that they have at least.
const MOST_SIZES: usize = 3;
const RIVAL: f32 = 0.6;

/// The likeliest sizes and places of the symbol that has these arms.
pub(super) fn frames(plane: &Plane, ell: &Ell) -> Vec<Fit> {
    let Some([columns, rows]) = ell.modules() else { return Vec::new() };
    let view = View::of(plane, &ell.corner);
    if view.contrast < MIN_CONTRAST {
        return Vec::new();
    }
    let within = |count: usize, (least, most): (f32, f32)| (least..=most).contains(&(count as f32));
    let sizes = SIZES.iter().filter(|size| within(size.columns, columns) && within(size.rows, rows));
    let mut frames: Vec<Frame> = sizes.map(|size| Frame { size, away: (0.0, 0.0), score: 0.0 }).collect();
    frames.iter_mut().for_each(|frame| view.search(frame, -1, NEAR));
    if frames.iter().all(|frame| frame.score < CLEAR) {
        frames.iter_mut().for_each(|frame| view.search(frame, NEAR, FAR));
    }
    frames.retain(|frame| frame.score > LEAST);
    frames.iter_mut().for_each(|frame| view.refine(frame));
    frames.sort_by(|a, b| b.significance().total_cmp(&a.significance()));
    let floor = RIVAL * frames.first().map_or(0.0, Frame::significance);
    let likely = frames.iter().take(MOST_SIZES).filter(|frame| frame.significance() >= floor);
    likely.map(|frame| view.fit(frame)).collect()
}

/// A size, and how far its fourth corner is from where a parallelogram has it, as shares of the arms.
#[derive(Clone, Copy)]
struct Frame {
    size: &'static Size,
    away: (f32, f32),
    score: f32,
}

impl Frame {
    fn step(&self) -> (f32, f32) {
        (STEP / self.size.columns as f32, STEP / self.size.rows as f32)
    }

    fn take(&mut self, score: f32, away: (f32, f32)) {
        if score > self.score {
            (self.score, self.away) = (score, away);
        }
    }

    fn significance(&self) -> f32 {
        self.score * ((self.size.rows + self.size.columns) as f32).sqrt()
    }
}

/// The picture as the arms see it.
struct View<'a> {
    plane: &'a Plane,
    corner: &'a Corner,
    sign: f32,
    /// Difference between the light and the dark levels.
    contrast: f32,
}

impl<'a> View<'a> {
    fn of(plane: &'a Plane, corner: &'a Corner) -> Self {
        const SIDE: usize = 13;
        let sign = if corner.reversed { -1.0 } else { 1.0 };
        let view = Self { plane, corner, sign, contrast: 0.0 };
        let share = |i: usize| (i as f32 + 0.5) / SIDE as f32;
        let levels: [f32; SIDE * SIDE] = std::array::from_fn(|i| view.level(share(i % SIDE), share(i / SIDE)));
        let mean = levels.iter().sum::<f32>() / levels.len() as f32;
        let spread = (levels.iter().map(|l| (l - mean).powi(2)).sum::<f32>() / levels.len() as f32).sqrt();
        Self { contrast: 2.0 * spread, ..view }
    }

    fn place(&self, s: f32, t: f32) -> Point {
        let Corner { origin, right, up, .. } = self.corner;
        Point::new(origin.x + s * right.x + t * up.x, origin.y + s * right.y + t * up.y)
    }

    /// Grey level, negated where light means dark, at shares of the lower and of the left arm.
    fn level(&self, s: f32, t: f32) -> f32 {
        let p = self.place(s, t);
        self.sign * self.plane.at(p.x, p.y)
    }

    /// Looks for the fourth corner more than `from` steps away, and at most `to`.
    fn search(&self, frame: &mut Frame, from: i32, to: i32) {
        let step = frame.step();
        for (i, j) in (-to..=to).flat_map(|j| (-to..=to).map(move |i| (i, j))) {
            let away = (i as f32 * step.0, j as f32 * step.1);
            if (i.abs() > from || j.abs() > from) && away.0.abs() < FARTHEST && away.1.abs() < FARTHEST {
                frame.take(self.score(frame.size, away, frame.score), away);
            }
        }
    }

    fn refine(&self, frame: &mut Frame) {
        let (rough, step) = (frame.away, frame.step());
        for (i, j) in [(-1, 0), (1, 0), (0, -1), (0, 1), (-1, -1), (1, 1), (-1, 1), (1, -1)] {
            let away = (rough.0 + 0.5 * i as f32 * step.0, rough.1 + 0.5 * j as f32 * step.1);
            frame.take(self.score(frame.size, away, frame.score), away);
        }
    }

    /// How well both timing patterns alternate, from 0 to 1; 0 as soon as it cannot be more than `known`.
    fn score(&self, size: &Size, away: (f32, f32), known: f32) -> f32 {
        let (rows, columns) = (size.rows as f32, size.columns as f32);
        let map = Map::of(away);
        let (top, right) = (1.0 - 0.5 / rows, 1.0 - 0.5 / columns);
        let above = self.alternation(size.columns, |at| map.of_point(at / columns, top));
        if above < LEAST || 0.5 * (above + 1.0) < known {
            return 0.0;
        }
        let beside = self.alternation(size.rows, |at| map.of_point(right, at / rows));
        if beside < LEAST { 0.0 } else { (above * columns + beside * rows) / (columns + rows) }
    }

    /// How well the levels alternate from module to module, dark first; each module is seen at two places so that an odd
    /// fraction of the true count does not pass.
    fn alternation(&self, modules: usize, place: impl Fn(f32) -> (f32, f32)) -> f32 {
        let level = |at: f32| {
            let (s, t) = place(at);
            self.level(s, t)
        };
        let levels = |i: usize| (level(i as f32 + 0.25), level(i as f32 + 0.75));
        let (mut before, mut here) = (levels(0), levels(1));
        let (mut sum, mut all) = (0.0, 1e-3);
        for i in 1..modules - 1 {
            let after = levels(i + 1);
            let sign = if i % 2 == 0 { -1.0 } else { 1.0 };
            let rise = [here.0 - 0.5 * (before.0 + after.0), here.1 - 0.5 * (before.1 + after.1)];
            sum += sign * (rise[0] + rise[1]);
            all += rise[0].abs() + rise[1].abs();
            // What does not alternate near the corner, where all places of the fourth corner agree, never will.
            if i == EARLY && sum < LEAST_EARLY * all {
                return 0.0;
            }
            (before, here) = (here, after);
        }
        sum / all.max(2.0 * FULL * self.contrast * (modules - 2) as f32)
    }

    fn fit(&self, frame: &Frame) -> Fit {
        let (s, t) = (1.0 + frame.away.0, 1.0 + frame.away.1);
        let corners = [self.place(0.0, 1.0), self.place(s, t), self.place(1.0, 0.0), self.place(0.0, 0.0)];
        Fit::laid(frame.size, corners, self.corner.reversed, self.plane)
    }
}

/// The projective map of the unit square that keeps three corners and moves the fourth.
struct Map {
    g: f32,
    h: f32,
}

impl Map {
    fn of((right, up): (f32, f32)) -> Self {
        let share = 1.0 / (1.0 + right + up);
        Self { g: share * (1.0 + right) - 1.0, h: share * (1.0 + up) - 1.0 }
    }

    fn of_point(&self, u: f32, v: f32) -> (f32, f32) {
        let scale = 1.0 / (1.0 + self.g * u + self.h * v);
        ((1.0 + self.g) * u * scale, (1.0 + self.h) * v * scale)
    }
}
