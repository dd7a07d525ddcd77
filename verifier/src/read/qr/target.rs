//! What a symbol must look like where its modules are known, and a projective map fitted on that, with a smooth correction
//! for what is not flat.

use crate::read::geometry::{Homography, Point};
use crate::read::picture::Picture;

/// A symbol's place in a picture.
#[derive(Debug, Clone)]
pub(super) struct Fit {
    /// Modules a side.
    pub(super) side: usize,
    /// Outer corners: top left, top right, bottom right, bottom left.
    pub(super) corners: [Point; 4],
    /// How far the middle of each side bulges from the straight line, in pixels: along x for u and v, along y for u, v.
    pub(super) bend: [f32; 4],
    pub(super) map: Homography,
    /// Correlation of the function patterns with what they should look like, -1 to 1.
    pub(super) score: f32,
}

/// A module of a function pattern: where, and whether it is dark.
type Known = (Point, bool);

/// What a symbol must show, and the picture to show it.
pub(super) struct Target<'a> {
    pub(super) picture: &'a Picture<'a>,
    reversed: bool,
    side: usize,
    known: Vec<Known>,
    /// Pixels around a point over which light and shade are taken as constant.
    radius: usize,
    /// Length of a module in pixels, more or less.
    pub(super) module: f32,
}

impl<'a> Target<'a> {
    /// A symbol of `side` modules a side, of which `look` knows some: whether that in column x of row y is dark. Light is
    /// what is known of the modules around it where its `quiet zone` is counted on.
    pub(super) fn new(
        picture: &'a Picture<'a>,
        reversed: bool,
        side: usize,
        look: impl Fn(usize, usize) -> Option<bool>,
        quiet_zone: bool,
        module: f32,
    ) -> Self {
        let place = |x: usize, y: usize| Point::new(x as f32 + 0.5, y as f32 + 0.5);
        let mut known: Vec<Known> = (0..side * side)
            .filter_map(|i| look(i % side, i / side).map(|dark| (place(i % side, i / side), dark)))
            .collect();
        if quiet_zone {
            let (before, behind) = (-0.5, side as f32 + 0.5);
            let around = |at: f32| {
                [Point::new(at, before), Point::new(at, behind), Point::new(before, at), Point::new(behind, at)]
            };
            known.extend((0..side).flat_map(|i| around(i as f32 + 0.5)).map(|place| (place, false)));
        }
        // Some hundreds of modules pin down eight numbers; more would only cost time.
        let stride = known.len() / 300;
        if stride > 1 {
            let mut n = 0;
            known.retain(|_| {
                n += 1;
                n % stride == 0
            });
        }
        let radius = (module * 4.0).ceil() as usize;
        Self { picture, reversed, side, known, radius, module }
    }

    /// The outer corners in modules.
    pub(super) fn square(&self) -> [Point; 4] {
        let side = self.side as f32;
        [Point::new(0.0, 0.0), Point::new(side, 0.0), Point::new(side, side), Point::new(0.0, side)]
    }

    /// The grey level at a place, positive where it is dark as the symbol means it.
    pub(super) fn look(&self, place: Point) -> f32 {
        let grey = self.picture.flattened(place, self.radius);
        if self.reversed { grey } else { -grey }
    }

    /// Correlation of what is known with what `map` shows of it.
    pub(super) fn score(&self, map: &impl Fn(Point) -> Point) -> f32 {
        let mut sums = Sums::default();
        for (place, dark) in &self.known {
            let place = map(*place);
            if !self.picture.contains(place) {
                sums.add(*dark, 0.0);
                continue;
            }
            sums.add(*dark, self.look(place));
        }
        sums.correlation()
    }

    /// The best fit near `map`, whose corners are at most about `largest` modules off.
    pub(super) fn refined(&self, map: &Homography, largest: f32) -> Option<Fit> {
        self.refined_by(map, largest, &[2, 1, 3, 0], |corners| corners)
    }

    /// The same without perspective: for small symbols, of which too little is known to tell it.
    pub(super) fn refined_flat(&self, map: &Homography, largest: f32) -> Option<Fit> {
        self.refined_by(map, largest, &[1, 3, 0], |[a, b, _, d]| {
            [a, b, Point::new(b.x + d.x - a.x, b.y + d.y - a.y), d]
        })
    }

    fn refined_by(
        &self,
        map: &Homography,
        largest: f32,
        free: &[usize],
        completed: fn([Point; 4]) -> [Point; 4],
    ) -> Option<Fit> {
        let square = self.square();
        let mut corners = square.map(|p| map.apply(p));
        if corners.iter().any(|c| !c.x.is_finite() || !c.y.is_finite()) {
            return None;
        }
        let mut map = Homography::from_points(square, corners)?;
        let mut score = self.score(&|p| map.apply(p));
        if score < 0.15 {
            return None;
        }
        let mut step = largest;
        while step > 0.08 {
            let mut moved = false;
            for &corner in free {
                for (dx, dy) in [(1.0, 0.0), (-1.0, 0.0), (0.0, 1.0), (0.0, -1.0)] {
                    let mut tried = corners;
                    tried[corner].x += dx * step * self.module;
                    tried[corner].y += dy * step * self.module;
                    let tried = completed(tried);
                    let Some(candidate) = Homography::from_points(square, tried) else { continue };
                    let better = self.score(&|p| candidate.apply(p));
                    if better > score + 1e-4 {
                        (score, corners, map, moved) = (better, tried, candidate, true);
                    }
                }
            }
            if !moved {
                step /= 2.0;
            }
        }
        Some(Fit { side: self.side, corners, bend: [0.0; 4], map, score })
    }

    /// The same fit with its sides allowed to bulge, as on a curved package or a bent label.
    pub(super) fn bent(&self, fit: &Fit) -> Fit {
        let mut best = fit.clone();
        let mut step = 1.0;
        while step > 0.1 {
            let mut moved = false;
            for i in 0..4 {
                for sign in [1.0, -1.0] {
                    let mut tried = best.clone();
                    tried.bend[i] += sign * step * self.module;
                    tried.score = self.score(&|p| tried.place(p));
                    if tried.score > best.score + 1e-4 {
                        best = tried;
                        moved = true;
                    }
                }
            }
            if !moved {
                step /= 2.0;
            }
        }
        best
    }
}

impl Fit {
    /// The place in the picture of a point in modules.
    pub(super) fn place(&self, p: Point) -> Point {
        let place = self.map.apply(p);
        let side = self.side as f32;
        let (u, v) = (p.x / side, p.y / side);
        let (bulge_u, bulge_v) = (4.0 * u * (1.0 - u), 4.0 * v * (1.0 - v));
        let [xu, xv, yu, yv] = self.bend;
        Point::new(place.x + xu * bulge_u + xv * bulge_v, place.y + yu * bulge_u + yv * bulge_v)
    }
}

/// Sums for the correlation of dark and light with grey levels.
#[derive(Default)]
pub(super) struct Sums {
    n: f32,
    expected: f32,
    seen: f32,
    seen2: f32,
    both: f32,
}

impl Sums {
    pub(super) fn add(&mut self, dark: bool, seen: f32) {
        let expected = if dark { 1.0 } else { -1.0 };
        self.n += 1.0;
        self.expected += expected;
        self.seen += seen;
        self.seen2 += seen * seen;
        self.both += expected * seen;
    }

    pub(super) fn correlation(&self) -> f32 {
        let (e, s) = (self.expected / self.n, self.seen / self.n);
        let spread = (1.0 - e * e) * (self.seen2 / self.n - s * s);
        if spread <= 1e-6 { 0.0 } else { (self.both / self.n - e * s) / spread.sqrt() }
    }
}
