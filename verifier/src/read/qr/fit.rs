//! Where the modules are: a projective map, fitted on every function pattern, with a smooth correction for what is not
//! flat.

use super::finder::Triple;
use crate::read::geometry::{Homography, Point};
use crate::read::picture::Picture;
use touchmark_formats::symbol::qr::tables::Version;

/// A symbol's place in a picture.
#[derive(Debug, Clone)]
pub(super) struct Fit {
    pub(super) version: Version,
    /// Outer corners: top left, top right, bottom right, bottom left.
    pub(super) corners: [Point; 4],
    /// How far the middle of each side bulges from the straight line, in pixels: along x for u and v, along y for u, v.
    bend: [f32; 4],
    map: Homography,
    /// Correlation of the function patterns with what they should look like, -1 to 1.
    pub(super) score: f32,
}

/// A module of a function pattern: where, and whether it is dark.
type Known = (Point, bool);

/// What a symbol of one version must show, and the picture to show it.
pub(super) struct Fitter<'a> {
    picture: &'a Picture,
    reversed: bool,
    version: Version,
    known: Vec<Known>,
    /// Pixels around a point over which light and shade are taken as constant.
    radius: usize,
    module: f32,
    /// Whether the timing patterns show this version.
    pub(super) counted: bool,
}

impl<'a> Fitter<'a> {
    pub(super) fn new(picture: &'a Picture, reversed: bool, version: Version, module: f32, counted: bool) -> Self {
        let side = version.side();
        let place = |x: usize, y: usize| Point::new(x as f32 + 0.5, y as f32 + 0.5);
        let mut known: Vec<Known> = (0..side * side)
            .filter_map(|i| version.known(i % side, i / side).map(|dark| (place(i % side, i / side), dark)))
            .collect();
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
        Self { picture, reversed, version, known, radius, module, counted }
    }

    fn side(&self) -> f32 {
        self.version.side() as f32
    }

    /// The score of the untilted square on three finder patterns: enough to tell versions apart.
    pub(super) fn first_score(&self, triple: &Triple) -> f32 {
        flat(triple, self.side()).map_or(-1.0, |map| self.score(&|p| map.apply(p)))
    }

    /// The score with the outer corners at `corners`.
    pub(super) fn score_at(&self, corners: &[Point; 4]) -> f32 {
        Homography::from_points(self.square(), *corners).map_or(-1.0, |map| self.score(&|p| map.apply(p)))
    }

    /// The best fit near outer corners that somebody pointed at.
    pub(super) fn fit_at(&self, corners: &[Point; 4]) -> Option<Fit> {
        Homography::from_points(self.square(), *corners).and_then(|map| self.refined(&map, 1.0))
    }

    fn square(&self) -> [Point; 4] {
        let side = self.side();
        [Point::new(0.0, 0.0), Point::new(side, 0.0), Point::new(side, side), Point::new(0.0, side)]
    }

    /// The fit that three finder patterns and the likeliest place of the last alignment pattern give, unrefined.
    pub(super) fn first_fit(&self, triple: &Triple) -> Option<Fit> {
        let side = self.side();
        let mut map = flat(triple, side)?;
        let [mut from, mut to] = anchors(triple, side);
        let alignment = Point::new(side - 6.5, side - 6.5);
        let seen = if self.version.number() > 1 { self.alignment_candidates(&map, alignment) } else { Vec::new() };
        if let Some(place) = seen.first() {
            (from[2], to[2]) = (alignment, *place);
            map = Homography::from_points(from, to)?;
        }
        let score = self.score(&|p| map.apply(p));
        let square = self.square();
        (score > 0.4).then(|| Fit {
            version: self.version,
            corners: square.map(|p| map.apply(p)),
            bend: [0.0; 4],
            map,
            score,
        })
    }

    /// A fit that grows from the finder patterns over the alignment patterns, each looked for where those found before
    /// it lead, and how far each is from where the fit has it. For the large symbols, whose far corner three finder
    /// patterns do not foretell.
    pub(super) fn mesh(&self, triple: &Triple) -> Option<(Fit, Vec<(Point, Point)>)> {
        let side = self.side();
        let [from, to] = anchors(triple, side);
        let mut pairs: Vec<(Point, Point)> = [0, 1, 3].map(|i| (from[i], to[i])).to_vec();
        let mut left: Vec<Point> =
            self.version.alignment_centres().map(|(x, y)| Point::new(x as f32 + 0.5, y as f32 + 0.5)).collect();
        if left.len() < 6 {
            return None;
        }
        let mut map = flat(triple, side)?;
        while !left.is_empty() {
            let away = |p: &Point| pairs.iter().map(|(known, _)| known.distance(*p)).fold(f32::INFINITY, f32::min);
            let next = (0..left.len()).min_by(|a, b| away(&left[*a]).total_cmp(&away(&left[*b])))?;
            let centre = left.swap_remove(next);
            // What is known near by says where to look, as far as the map there is off.
            let near = pairs.iter().min_by(|a, b| a.0.distance(centre).total_cmp(&b.0.distance(centre)))?;
            let (is, was) = (near.1, map.apply(near.0));
            let shift = Point::new(is.x - was.x, is.y - was.y);
            let reach = (1.0 + 0.06 * near.0.distance(centre)).min(4.0);
            if let Some(place) = self.alignment_near(&map, centre, shift, reach) {
                pairs.push((centre, place));
                map = Homography::fitted(&pairs).unwrap_or(map);
            }
        }
        let square = self.square();
        let score = self.score(&|p| map.apply(p));
        let offsets = pairs.iter().map(|(centre, is)| {
            let was = map.apply(*centre);
            (*centre, Point::new(is.x - was.x, is.y - was.y))
        });
        let offsets = offsets.collect();
        let corners = square.map(|p| map.apply(p));
        Some((Fit { version: self.version, corners, bend: [0.0; 4], map, score }, offsets))
    }

    /// The place that looks most like an alignment pattern within `reach` modules of where `map` and `shift` have it.
    fn alignment_near(&self, map: &Homography, centre: Point, shift: Point, reach: f32) -> Option<Point> {
        let steps = (reach * 3.0) as i32;
        let shifted = |p: Point| {
            let place = map.apply(p);
            Point::new(place.x + shift.x, place.y + shift.y)
        };
        let mut best = (0.55, None);
        for j in -steps..=steps {
            for i in -steps..=steps {
                let moved = Point::new(centre.x + i as f32 / 3.0, centre.y + j as f32 / 3.0);
                let score = self.alignment_score(&shifted, moved) - 0.0005 * (i * i + j * j) as f32;
                if score > best.0 {
                    best = (score, Some(shifted(moved)));
                }
            }
        }
        best.1
    }

    /// The best fit that begins at three finder patterns.
    pub(super) fn fit(&self, triple: &Triple) -> Option<Fit> {
        let side = self.side();
        let flat = flat(triple, side)?;
        let [from, finders] = anchors(triple, side);
        let mut best = self.refined(&flat, 1.5);
        let alignment = Point::new(side - 6.5, side - 6.5);
        if self.version.number() > 1 {
            for place in self.alignment_candidates(&flat, alignment) {
                let from = [from[0], from[1], alignment, from[3]];
                let to = [finders[0], finders[1], place, finders[3]];
                let fit = Homography::from_points(from, to).and_then(|map| self.refined(&map, 0.6));
                if fit.as_ref().is_some_and(|fit| best.as_ref().is_none_or(|best| fit.score > best.score)) {
                    best = fit;
                }
            }
        }
        best
    }

    /// Where the bottom right alignment pattern may be: the three best matches around where it would be untilted.
    fn alignment_candidates(&self, map: &Homography, centre: Point) -> Vec<Point> {
        let reach = 3.0 + self.side() * 0.12;
        let steps = (reach * 2.0) as i32;
        let mut found: Vec<(f32, Point)> = Vec::new();
        for j in -steps..=steps {
            for i in -steps..=steps {
                let (dx, dy) = (i as f32 * 0.5, j as f32 * 0.5);
                let score = self.alignment_score(&|p| map.apply(p), Point::new(centre.x + dx, centre.y + dy));
                if score > 0.35 {
                    found.push((score, map.apply(Point::new(centre.x + dx, centre.y + dy))));
                }
            }
        }
        found.sort_by(|a, b| b.0.total_cmp(&a.0));
        let mut out: Vec<Point> = Vec::new();
        for (_, place) in found {
            if out.iter().all(|p| p.distance(place) > self.module * 1.5) {
                out.push(place);
            }
            if out.len() == 3 {
                break;
            }
        }
        out
    }

    fn alignment_score(&self, map: &impl Fn(Point) -> Point, centre: Point) -> f32 {
        let mut sums = Sums::default();
        for y in -2i32..=2 {
            for x in -2i32..=2 {
                let place = map(Point::new(centre.x + x as f32, centre.y + y as f32));
                if !self.picture.contains(place) {
                    return -1.0;
                }
                sums.add(x.abs().max(y.abs()) != 1, self.look(place));
            }
        }
        sums.correlation()
    }

    /// The grey level at a place, positive where it is dark as the symbol means it.
    fn look(&self, place: Point) -> f32 {
        let grey = self.picture.flattened(place, self.radius);
        if self.reversed { grey } else { -grey }
    }

    fn score(&self, map: &impl Fn(Point) -> Point) -> f32 {
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

    fn refined(&self, map: &Homography, largest: f32) -> Option<Fit> {
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
            for corner in [2, 1, 3, 0] {
                for (dx, dy) in [(1.0, 0.0), (-1.0, 0.0), (0.0, 1.0), (0.0, -1.0)] {
                    let mut tried = corners;
                    tried[corner].x += dx * step * self.module;
                    tried[corner].y += dy * step * self.module;
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
        Some(Fit { version: self.version, corners, bend: [0.0; 4], map, score })
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

    /// How far each alignment pattern is from where `fit` has it, in pixels: its place in modules and the offset.
    pub(super) fn offsets(&self, fit: &Fit) -> Vec<(Point, Point)> {
        let side = self.side();
        let mut out: Vec<(Point, Point)> = [(3.5, 3.5), (side - 3.5, 3.5), (3.5, side - 3.5)]
            .map(|(x, y)| (Point::new(x, y), Point::new(0.0, 0.0)))
            .to_vec();
        for (x, y) in self.version.alignment_centres() {
            let centre = Point::new(x as f32 + 0.5, y as f32 + 0.5);
            let mut best = (0.5, None);
            for i in -8i32..=8 {
                for j in -8i32..=8 {
                    let moved = Point::new(centre.x + i as f32 * 0.25, centre.y + j as f32 * 0.25);
                    // The nearer of two equal matches is the likelier.
                    let score =
                        self.alignment_score(&|p| fit.map.apply(p), moved) - 0.005 * (i * i + j * j) as f32 / 16.0;
                    if score > best.0 {
                        best = (score, Some(moved));
                    }
                }
            }
            if let Some(moved) = best.1 {
                let (is, was) = (fit.map.apply(moved), fit.map.apply(centre));
                out.push((centre, Point::new(is.x - was.x, is.y - was.y)));
            }
        }
        out
    }
}

/// The centres of the finder patterns and of the fourth corner, untilted: in modules and in the picture.
fn anchors(triple: &Triple, side: f32) -> [[Point; 4]; 2] {
    let (near, far) = (3.5, side - 3.5);
    let fourth = Point::new(
        triple.top_right.x + triple.bottom_left.x - triple.top_left.x,
        triple.top_right.y + triple.bottom_left.y - triple.top_left.y,
    );
    [
        [Point::new(near, near), Point::new(far, near), Point::new(far, far), Point::new(near, far)],
        [triple.top_left, triple.top_right, fourth, triple.bottom_left],
    ]
}

fn flat(triple: &Triple, side: f32) -> Option<Homography> {
    let [from, to] = anchors(triple, side);
    Homography::from_points(from, to)
}

/// Whether three finder patterns of one symbol can be seen at `triple`: all of them, turned alike. This is cheap, and
/// refuses nearly all of the triples that are none.
pub(super) fn plausible(picture: &Picture, reversed: bool, triple: &Triple) -> bool {
    let part = |to: Point, modules: f32| ((to.x - triple.top_left.x) / modules, (to.y - triple.top_left.y) / modules);
    let (right, down) = (part(triple.top_right, triple.modules.0), part(triple.bottom_left, triple.modules.1));
    let radius = (triple.module * 4.0).ceil() as usize;
    let score = |centre: Point| {
        let mut sums = Sums::default();
        for (u, v) in (-4i32..=4).flat_map(|v| (-4i32..=4).map(move |u| (u, v))) {
            let (a, b) = (u as f32, v as f32);
            let place = Point::new(centre.x + a * right.0 + b * down.0, centre.y + a * right.1 + b * down.1);
            let away = u.abs().max(v.abs());
            let grey = picture.flattened(place, radius);
            sums.add(away != 2 && away != 4, if reversed { grey } else { -grey });
        }
        sums.correlation()
    };
    let scores = [triple.top_left, triple.top_right, triple.bottom_left].map(score);
    scores.iter().all(|s| *s > 0.3) && scores.iter().sum::<f32>() > 1.5
}

impl Fit {
    /// The place in the picture of a point in modules.
    pub(super) fn place(&self, p: Point) -> Point {
        let place = self.map.apply(p);
        let side = self.version.side() as f32;
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
