//! Reflectance of each module, and where modules really stand.

use crate::read::elastic::{Displacement, Surface};
use crate::read::geometry::{Homography, Point};
use crate::read::picture::Picture;
use touchmark_formats::symbol::anatomy::Anatomy;

/// Modules around the symbol that belong to what is measured.
pub(super) const AROUND: usize = 2;

/// Places of a module that are compared with what it should be: dark and light meet at its edge if the grid is right.
const SPREAD: [(f32, f32); 5] = [(0.5, 0.5), (0.15, 0.15), (0.85, 0.15), (0.15, 0.85), (0.85, 0.85)];
/// Steps by which corners are moved, in modules, and rounds of each.
const STEPS: [f32; 5] = [0.5, 0.25, 0.12, 0.06, 0.03];
const ROUNDS: usize = 8;

/// The symbol as the picture shows it, on its projective grid.
pub(super) struct Seen<'a> {
    picture: &'a Picture<'a>,
    /// Outer corners: top left, top right, bottom right, bottom left.
    pub(super) corners: [Point; 4],
    map: Homography,
    anatomy: &'a Anatomy,
    reversed: bool,
}

impl<'a> Seen<'a> {
    /// On the grid near `corners` that shows best what every module should be: a symbol can be read by a grid that is too
    /// far off to be graded by. `None` where the corners span no area.
    pub(super) fn new(
        picture: &'a Picture<'a>,
        corners: [Point; 4],
        reversed: bool,
        anatomy: &'a Anatomy,
    ) -> Option<Self> {
        let mut seen = Self { picture, corners, map: map(anatomy, corners)?, anatomy, reversed };
        seen.refine();
        Some(seen)
    }

    /// How far the picture shows on the grid of `map` what every module should be.
    fn agreement(&self, map: &Homography) -> f32 {
        let one = |(i, truth): (usize, &Option<bool>)| {
            let Some(dark) = truth else { return 0.0 };
            let (x, y) = ((i % self.anatomy.columns) as f32, (i / self.anatomy.columns) as f32);
            let level: f32 = SPREAD.iter().map(|(u, v)| self.picture.sample(map.apply(Point::new(x + u, y + v)))).sum();
            if *dark == self.reversed { level } else { -level }
        };
        self.anatomy.truth.iter().enumerate().map(one).sum()
    }

    fn refine(&mut self) {
        let [tl, tr, _, bl] = self.corners;
        let module = |a: Point, b: Point, n: usize| Point::new((b.x - a.x) / n as f32, (b.y - a.y) / n as f32);
        let ways = [module(tl, tr, self.anatomy.columns), module(tl, bl, self.anatomy.rows)];
        let mut best = self.agreement(&self.map);
        for step in STEPS {
            for _ in 0..ROUNDS {
                let before = best;
                for corner in 0..4 {
                    for (way, step) in ways.into_iter().flat_map(|way| [(way, step), (way, -step)]) {
                        let mut corners = self.corners;
                        corners[corner].x += step * way.x;
                        corners[corner].y += step * way.y;
                        let Some(map) = map(self.anatomy, corners) else { continue };
                        let agreement = self.agreement(&map);
                        if agreement > best {
                            best = agreement;
                            (self.corners, self.map) = (corners, map);
                        }
                    }
                }
                if best <= before {
                    break;
                }
            }
        }
    }

    /// Mean reflectance, 0 to 1, over a round aperture in the middle of a module, whose diameter is a share of a module;
    /// modules around the symbol count from minus [`AROUND`].
    pub(super) fn reflectance(&self, x: i32, y: i32, aperture: f32) -> f32 {
        const FINE: i32 = 3;
        let (mut sum, mut count) = (0.0, 0.0);
        for v in -FINE..=FINE {
            for u in -FINE..=FINE {
                let (du, dv) = (u as f32 / FINE as f32, v as f32 / FINE as f32);
                if du * du + dv * dv <= 1.0 {
                    let half = 0.5 * aperture;
                    let place = Point::new(x as f32 + 0.5 + half * du, y as f32 + 0.5 + half * dv);
                    sum += self.picture.sample(self.map.apply(place));
                    count += 1.0;
                }
            }
        }
        sum / count / 255.0
    }

    /// Reflectances of the symbol with [`AROUND`] modules on each side, row by row.
    pub(super) fn reflectances(&self, aperture: f32) -> Reflectances {
        let (columns, rows) = (self.anatomy.columns + 2 * AROUND, self.anatomy.rows + 2 * AROUND);
        let at = |i: usize| {
            let (x, y) = ((i % columns) as i32 - AROUND as i32, (i / columns) as i32 - AROUND as i32);
            self.reflectance(x, y, aperture)
        };
        Reflectances { columns, values: (0..columns * rows).map(at).collect() }
    }

    /// The largest distance, in modules, between where a part of the grid should be and where the picture has it.
    pub(super) fn grid_deviation(&self) -> f32 {
        let sign = if self.reversed { -1.0 } else { 1.0 };
        let level = |p: Point| sign * self.picture.sample(self.map.apply(p));
        let anatomy = self.anatomy;
        let known = |x: usize, y: usize| anatomy.truth.get(y * anatomy.columns + x).copied().flatten();
        let surface = Surface::new(anatomy.rows, anatomy.columns, &level, &known);
        let displacements = surface.displacements();
        let bent = displacements.iter().find(|d| matches!(d, Displacement::Surface(..)));
        let places = (0..anatomy.columns * anatomy.rows)
            .map(|i| Point::new((i % anatomy.columns) as f32 + 0.5, (i / anatomy.columns) as f32 + 0.5));
        places.map(|p| bent.map_or(0.0, |bent| p.distance(bent.of(p)))).fold(0.0, f32::max)
    }
}

/// From modules, counted from the top left corner, to pixels.
fn map(anatomy: &Anatomy, corners: [Point; 4]) -> Option<Homography> {
    let (w, h) = (anatomy.columns as f32, anatomy.rows as f32);
    let square = [Point::new(0.0, 0.0), Point::new(w, 0.0), Point::new(w, h), Point::new(0.0, h)];
    Homography::from_points(square, corners)
}

/// Reflectances of modules, those around the symbol among them.
pub(super) struct Reflectances {
    columns: usize,
    values: Vec<f32>,
}

impl Reflectances {
    /// Of the module in column `x` of row `y`; those around the symbol count from minus [`AROUND`].
    pub(super) fn at(&self, x: i32, y: i32) -> f32 {
        let index = |v: i32| usize::try_from(v + AROUND as i32).ok();
        let place = index(x).zip(index(y)).map(|(x, y)| y * self.columns + x);
        place.and_then(|place| self.values.get(place).copied()).unwrap_or(0.0)
    }

    /// The lowest and the highest.
    pub(super) fn extremes(&self) -> (f32, f32) {
        self.values.iter().fold((f32::INFINITY, f32::NEG_INFINITY), |(low, high), v| (low.min(*v), high.max(*v)))
    }

    pub(super) fn values(&self) -> &[f32] {
        &self.values
    }
}
