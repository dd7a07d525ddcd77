//! A QR Code of one version where its finder patterns lead: checked by its timing patterns, moved to its alignment
//! patterns, sampled.

use super::fit::Fitter;
use super::outline::Outline;
use super::sample::Judge;
use super::target::{Fit, Sums};
use super::{Search, read_fit, symbol, warp};
use crate::read::Symbol;
use crate::read::geometry::{Homography, Point};
use crate::read::picture::Picture;
use crate::read::tones::Bits;
use crate::read::work::FITTING;
use touchmark_formats::symbol::qr::tables::Version;

/// Which of the three a finder pattern is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    TopLeft,
    TopRight,
    BottomLeft,
}

impl Place {
    /// The centre of the pattern, in modules.
    fn centre(self, version: Version) -> Point {
        let (near, far) = (3.5, version.side() as f32 - 3.5);
        match self {
            Self::TopLeft => Point::new(near, near),
            Self::TopRight => Point::new(far, near),
            Self::BottomLeft => Point::new(near, far),
        }
    }
}

/// Version information as it was seen.
pub(super) struct Information(pub(super) u32);

impl Information {
    /// Bits that agree with those of a version; none where it has no such information.
    pub(super) fn count(&self, version: Version) -> u32 {
        version.information().map_or(0, |word| 18 - (word ^ self.0).count_ones())
    }
}

/// A version in its place.
#[derive(Clone)]
pub(super) struct Frame {
    pub(super) version: Version,
    /// Places in modules and in the picture that the map was fitted to.
    pairs: Vec<(Point, Point)>,
    map: Homography,
    /// Share of the timing patterns' modules that are right less those that are wrong.
    pub(super) timed: f32,
}

impl Frame {
    /// The version with the finder patterns that are seen of it, two at least.
    pub(super) fn new(version: Version, seen: &[(Place, Outline)], bits: &Bits) -> Option<Self> {
        let corners = [(-2.5, -2.5), (2.5, -2.5), (2.5, 2.5), (-2.5, 2.5)];
        let pairs = seen.iter().flat_map(|(place, outline)| {
            let centre = place.centre(version);
            let corner = move |(dx, dy): (f32, f32)| Point::new(centre.x + dx, centre.y + dy);
            corners.map(corner).into_iter().zip(outline.corners)
        });
        let pairs: Vec<(Point, Point)> = pairs.collect();
        let map = Homography::fitted(&pairs)?;
        let mut frame = Self { version, pairs, map, timed: 0.0 };
        frame.timed = frame.timing(bits);
        Some(frame)
    }

    fn timing(&self, bits: &Bits) -> f32 {
        let between = 7..self.version.side() - 7;
        let right = |x: usize, y: usize| {
            let place = self.map.apply(Point::new(x as f32 + 0.5, y as f32 + 0.5));
            let dark = place.x >= 0.0 && place.y >= 0.0 && bits.at(place.x as usize, place.y as usize);
            dark == (x + y).is_multiple_of(2)
        };
        let of = 2 * between.len();
        let right = between.map(|i| usize::from(right(i, 6)) + usize::from(right(6, i))).sum::<usize>();
        2.0 * right as f32 / of as f32 - 1.0
    }

    /// The symbol by a fit on all its function patterns.
    pub(super) fn fitted(mut self, picture: &Picture<'_>, search: Search) -> Option<Symbol> {
        let side = self.version.side();
        if !picture.work().affords(FITTING * side * side) {
            return None;
        }
        let module = self.module();
        self.align(picture, search.reversed);
        let fitter = Fitter::new(picture, search.reversed, self.version, module, true);
        let fit = fitter.fit_at(&self.fit().corners)?;
        let symbol = read_fit(picture, search, &fitter, &fit)?;
        Some(Symbol { credible: true, ..symbol })
    }

    /// Length of a module in pixels at the top left.
    fn module(&self) -> f32 {
        let [a, b, c, d] = [0, 1, 2, 3].map(|i| self.pairs[i].1);
        (a.distance(b) + b.distance(c) + c.distance(d) + d.distance(a)) / 20.0
    }

    /// Moves the far corner to where the last alignment pattern is.
    fn align(&mut self, picture: &Picture<'_>, reversed: bool) {
        let side = self.version.side() as f32;
        if self.version.number() > 1 {
            let centre = Point::new(side - 6.5, side - 6.5);
            if let Some(place) = self.alignment(picture, reversed, centre, (0.0, 0.0), 2.0 + 0.05 * side) {
                // As many times as a finder pattern has corners.
                self.pairs.extend([(centre, place); 4]);
                self.map = Homography::fitted(&self.pairs).unwrap_or(self.map);
            }
        }
    }

    pub(super) fn read(mut self, picture: &Picture<'_>, search: Search) -> Option<Symbol> {
        let decoded = |symbol: &Symbol| symbol.decoded.is_ok();
        let (plain, seen) = (self.fit(), self.pairs.len());
        self.align(picture, search.reversed);
        let fit = self.fit();
        let look = |fit: &Fit| symbol(picture, search, fit, &|p| fit.place(p), Judge::Mean);
        Some(look(&fit)).filter(decoded).or_else(|| self.meshed(picture, search)).filter(decoded).or_else(|| {
            // What looked like the alignment pattern may be none.
            (self.pairs.len() > seen).then(|| look(&plain)).filter(decoded)
        })
    }

    fn fit(&self) -> Fit {
        let side = self.version.side() as f32;
        let square = [(0.0, 0.0), (side, 0.0), (side, side), (0.0, side)];
        let corners = square.map(|(x, y)| self.map.apply(Point::new(x, y)));
        Fit { side: self.version.side(), corners, bend: [0.0; 4], map: self.map, score: self.timed }
    }

    /// The symbol by all alignment patterns, each looked for where those near it lead.
    fn meshed(&self, picture: &Picture<'_>, search: Search) -> Option<Symbol> {
        let mut left: Vec<Point> =
            self.version.alignment_centres().map(|(x, y)| Point::new(x as f32 + 0.5, y as f32 + 0.5)).collect();
        if left.len() < 6 {
            return None;
        }
        let centres = [Place::TopLeft, Place::TopRight, Place::BottomLeft].map(|place| place.centre(self.version));
        let mut offsets: Vec<(Point, Point)> = centres.map(|centre| (centre, Point::new(0.0, 0.0))).to_vec();
        while !left.is_empty() {
            let away = |p: &Point| offsets.iter().map(|(known, _)| known.distance(*p)).fold(f32::INFINITY, f32::min);
            let next = (0..left.len()).min_by(|a, b| away(&left[*a]).total_cmp(&away(&left[*b])))?;
            let centre = left.swap_remove(next);
            let near = offsets.iter().min_by(|a, b| a.0.distance(centre).total_cmp(&b.0.distance(centre)))?;
            let reach = (1.0 + 0.06 * near.0.distance(centre)).min(4.0);
            let shift = (near.1.x, near.1.y);
            if let Some(place) = self.alignment(picture, search.reversed, centre, shift, reach) {
                let was = self.map.apply(centre);
                offsets.push((centre, Point::new(place.x - was.x, place.y - was.y)));
            }
        }
        let fit = self.fit();
        Some(symbol(picture, search, &fit, &|p| warp(&fit, &offsets, p), Judge::Mean))
    }

    /// What looks most like an alignment pattern within `reach` modules of where the map, moved by `shift`, has `centre`.
    fn alignment(
        &self,
        picture: &Picture<'_>,
        reversed: bool,
        centre: Point,
        shift: (f32, f32),
        reach: f32,
    ) -> Option<Point> {
        let sign = if reversed { 1.0 } else { -1.0 };
        let origin = self.map.apply(centre);
        let step = |dx: f32, dy: f32| {
            let p = self.map.apply(Point::new(centre.x + dx, centre.y + dy));
            (p.x - origin.x, p.y - origin.y)
        };
        // Near by the map is as good as its derivative.
        let (u, v) = (step(1.0, 0.0), step(0.0, 1.0));
        let place =
            |x: f32, y: f32| Point::new(origin.x + shift.0 + x * u.0 + y * v.0, origin.y + shift.1 + x * u.1 + y * v.1);
        let score = |x: f32, y: f32| {
            let mut sums = Sums::default();
            for (i, j) in (-2i32..=2).flat_map(|j| (-2i32..=2).map(move |i| (i, j))) {
                let p = place(x + i as f32, y + j as f32);
                if !picture.contains(p) {
                    return -1.0;
                }
                sums.add(i.abs().max(j.abs()) != 1, sign * picture.sample(p));
            }
            // The nearer of two equal matches is the likelier.
            sums.correlation() - 0.005 * (x * x + y * y)
        };
        let mut best = (0.5, None);
        let mut search = |x: f32, y: f32, half: i32, step: f32| {
            for (i, j) in (-half..=half).flat_map(|j| (-half..=half).map(move |i| (i, j))) {
                let (x, y) = (x + i as f32 * step, y + j as f32 * step);
                let score = score(x, y);
                if score > best.0 {
                    best = (score, Some((x, y)));
                }
            }
            best.1
        };
        let (x, y) = search(0.0, 0.0, (2.0 * reach) as i32, 0.5)?;
        let (x, y) = search(x, y, 2, 0.2)?;
        Some(place(x, y))
    }
}
