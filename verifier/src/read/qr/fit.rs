//! Where the modules of a QR Code are: from its finder patterns and its alignment patterns.

use super::finder::Triple;
use super::target::{Fit, Sums, Target};
use crate::read::geometry::{Homography, Point};
use crate::read::picture::Picture;
use touchmark_formats::symbol::qr::tables::Version;

/// A QR Code of one version, to be found in a picture.
pub(super) struct Fitter<'a> {
    pub(super) target: Target<'a>,
    version: Version,
    /// Whether the timing patterns show this version.
    pub(super) counted: bool,
}

impl<'a> Fitter<'a> {
    pub(super) fn new(picture: &'a Picture<'a>, reversed: bool, version: Version, module: f32, counted: bool) -> Self {
        let target = Target::new(picture, reversed, version.side(), |x, y| version.known(x, y), false, module);
        Self { target, version, counted }
    }

    fn side(&self) -> f32 {
        self.version.side() as f32
    }

    /// The score of the untilted square on three finder patterns: enough to tell versions apart.
    pub(super) fn first_score(&self, triple: &Triple) -> f32 {
        flat(triple, self.side()).map_or(-1.0, |map| self.target.score(&|p| map.apply(p)))
    }

    /// The score with the outer corners at `corners`.
    pub(super) fn score_at(&self, corners: &[Point; 4]) -> f32 {
        Homography::from_points(self.target.square(), *corners).map_or(-1.0, |map| self.target.score(&|p| map.apply(p)))
    }

    /// The best fit near outer corners that somebody pointed at.
    pub(super) fn fit_at(&self, corners: &[Point; 4]) -> Option<Fit> {
        Homography::from_points(self.target.square(), *corners).and_then(|map| self.target.refined(&map, 1.0))
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
        let score = self.target.score(&|p| map.apply(p));
        let square = self.target.square();
        (score > 0.4).then(|| Fit {
            side: self.version.side(),
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
        let square = self.target.square();
        let score = self.target.score(&|p| map.apply(p));
        let offsets = pairs.iter().map(|(centre, is)| {
            let was = map.apply(*centre);
            (*centre, Point::new(is.x - was.x, is.y - was.y))
        });
        let offsets = offsets.collect();
        let corners = square.map(|p| map.apply(p));
        Some((Fit { side: self.version.side(), corners, bend: [0.0; 4], map, score }, offsets))
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
        let mut best = self.target.refined(&flat, 1.5);
        let alignment = Point::new(side - 6.5, side - 6.5);
        if self.version.number() > 1 {
            for place in self.alignment_candidates(&flat, alignment) {
                let from = [from[0], from[1], alignment, from[3]];
                let to = [finders[0], finders[1], place, finders[3]];
                let fit = Homography::from_points(from, to).and_then(|map| self.target.refined(&map, 0.6));
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
            if out.iter().all(|p| p.distance(place) > self.target.module * 1.5) {
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
                if !self.target.picture.contains(place) {
                    return -1.0;
                }
                sums.add(x.abs().max(y.abs()) != 1, self.target.look(place));
            }
        }
        sums.correlation()
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
pub(super) fn plausible(picture: &Picture<'_>, reversed: bool, triple: &Triple) -> bool {
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
