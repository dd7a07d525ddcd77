//! The sides of a finder pattern: where rays from its middle leave the light ring, a square of five modules.

use super::finder::Finder;
use crate::read::geometry::{Homography, Point};
use crate::read::tones::Bits;

/// Rays from the middle of a finder pattern.
const RAYS: usize = 40;
/// Rays that may be lost.
const MOST_LOST: usize = 12;
/// Modules, of the length that rows and columns see, that a ray may run through the dark core or the light ring.
const LONGEST: f32 = 5.0;

/// A finder pattern with the corners of its light ring.
#[derive(Debug, Clone, Copy)]
pub(super) struct Outline {
    pub(super) centre: Point,
    /// Corners of the square of five by five modules around the centre, clockwise.
    pub(super) corners: [Point; 4],
    /// Unit vectors from each corner to the next.
    ways: [(f32, f32); 4],
    /// Length of a module in pixels, the mean of both sides.
    pub(super) module: f32,
}

/// The outline of what may be a finder pattern; `None` where no square is seen.
pub(super) fn outline(bits: &Bits, finder: &Finder) -> Option<Outline> {
    let ray = |ray: usize| {
        let angle = std::f32::consts::TAU * ray as f32 / RAYS as f32;
        edge(bits, finder, angle.cos(), angle.sin())
    };
    let (half, mut points) = (RAYS / 2, Vec::with_capacity(RAYS));
    for (one, other) in (0..half).map(|i| (ray(i), ray(i + half))) {
        let away = |p: &Point| p.distance(finder.centre);
        // Opposite sides are about as far away: what is farther leaked through a gap.
        let leaked =
            |p: &Point, beside: &Option<Point>| beside.as_ref().is_some_and(|other| away(p) > 1.5 * away(other) + 1.0);
        points.extend(one.filter(|p| !leaked(p, &other)));
        points.extend(other.filter(|p| !leaked(p, &one)));
    }
    if points.len() < RAYS - MOST_LOST {
        return None;
    }
    let corners = sides(&points, corners(&points)?, finder.module)?;
    let centre = middle(&corners)?;
    let area = (0..4).map(|i| cross(corners[i], corners[(i + 1) % 4])).sum::<f32>() / 2.0;
    let module = area.max(0.0).sqrt() / 5.0;
    let near = centre.distance(finder.centre) < finder.module && module > 0.25 * finder.module;
    let way = |i: usize| {
        let (a, b) = (corners[i], corners[(i + 1) % 4]);
        let length = a.distance(b);
        ((b.x - a.x) / length, (b.y - a.y) / length)
    };
    near.then(|| Outline { centre, corners, ways: [0, 1, 2, 3].map(way), module })
}

impl Outline {
    /// Whether the module whose middle is `x` modules to the right of and `y` below the centre is dark, as far as the
    /// corners foretell where that is.
    pub(super) fn dark(&self, bits: &Bits, x: f32, y: f32) -> bool {
        let [a, b, c, d] = self.corners;
        let part = |p: fn(&Point) -> f32| {
            let (a, b, c, d) = (p(&a), p(&b), p(&c), p(&d));
            p(&self.centre) + x * (b - a + c - d) / 10.0 + y * (d - a + c - b) / 10.0
        };
        let (x, y) = (part(|p| p.x), part(|p| p.y));
        x >= 0.0 && y >= 0.0 && bits.at(x as usize, y as usize)
    }

    /// Puts the corners into the symbol's order, whose rows run along `u` and columns along `v`; the cosine of the angle
    /// by which its sides are off these at most.
    pub(super) fn turn(&mut self, u: (f32, f32), v: (f32, f32)) -> f32 {
        let near = |at: usize| {
            let along = |side: usize, to: (f32, f32)| {
                let (x, y) = self.ways[(side + at) % 4];
                x * to.0 + y * to.1
            };
            along(0, u).min(along(1, v)).min(-along(2, u)).min(-along(3, v))
        };
        let (at, cosine) = (1..4).map(|at| (at, near(at))).fold((0, near(0)), |a, b| if b.1 > a.1 { b } else { a });
        self.corners.rotate_left(at);
        self.ways.rotate_left(at);
        cosine
    }

    /// Length of a module along its rows (0) or columns (1), once it is turned.
    pub(super) fn length(&self, along: usize) -> f32 {
        let [a, b, c, d] = self.corners;
        let sum = if along == 0 { a.distance(b) + d.distance(c) } else { a.distance(d) + b.distance(c) };
        sum / 10.0
    }
}

/// Where a ray leaves the light ring.
fn edge(bits: &Bits, finder: &Finder, dx: f32, dy: f32) -> Option<Point> {
    // Steps of a pixel along the longer component.
    let step = 1.0 / dx.abs().max(dy.abs());
    let (dx, dy) = (dx * step, dy * step);
    let most = (LONGEST * finder.module) as usize + 1;
    let (mut x, mut y) = (finder.centre.x, finder.centre.y);
    let mut run = |dark: bool| {
        for steps in 0..most {
            if x < 0.0 || y < 0.0 || x >= bits.width as f32 || y >= bits.height as f32 {
                return None;
            }
            if bits.at(x as usize, y as usize) != dark {
                return Some((steps, Point::new(x - 0.5 * dx, y - 0.5 * dy)));
            }
            (x, y) = (x + dx, y + dy);
        }
        None
    };
    let (core, _) = run(true)?;
    let (ring, edge) = run(false)?;
    // A module and a half of core, one of ring; a pixel more or less is no matter.
    let (core, ring) = (core as f32, ring as f32);
    (ring > 0.2 * core - 1.0 && ring < 1.4 * core + 1.5).then_some(edge)
}

/// Rough corners, clockwise: the point farthest from the mean, the one farthest from that, and those farthest to both
/// sides of the line between them.
fn corners(points: &[Point]) -> Option<[Point; 4]> {
    let n = points.len() as f32;
    let mean = Point::new(points.iter().map(|p| p.x).sum::<f32>() / n, points.iter().map(|p| p.y).sum::<f32>() / n);
    let farthest = |from: Point| points.iter().copied().max_by(|a, b| a.distance(from).total_cmp(&b.distance(from)));
    let first = farthest(mean)?;
    let third = farthest(first)?;
    let beside = |p: &Point| (third.x - first.x) * (p.y - first.y) - (third.y - first.y) * (p.x - first.x);
    let left = points.iter().copied().min_by(|a, b| beside(a).total_cmp(&beside(b)))?;
    let right = points.iter().copied().max_by(|a, b| beside(a).total_cmp(&beside(b)))?;
    // With y running down, what is to the left of the way from the first to the third comes next.
    Some([first, left, third, right])
}

/// The corners where lines fitted to the points of each side meet.
fn sides(points: &[Point], rough: [Point; 4], module: f32) -> Option<[Point; 4]> {
    let lines: [Option<Line>; 4] = std::array::from_fn(|i| {
        let (a, b) = (rough[i], rough[(i + 1) % 4]);
        let length = a.distance(b);
        let (ux, uy) = ((b.x - a.x) / length, (b.y - a.y) / length);
        let side: Vec<Point> = points
            .iter()
            .copied()
            .filter(|p| {
                let (along, beside) = ((p.x - a.x) * ux + (p.y - a.y) * uy, (p.x - a.x) * uy - (p.y - a.y) * ux);
                (0.1 * length..0.9 * length).contains(&along) && beside.abs() < 0.18 * length + 0.7
            })
            .collect();
        Line::fitted(side, 0.35 * module + 0.5)
    });
    let meet = |i: usize| lines[(i + 3) % 4].as_ref()?.meets(lines[i].as_ref()?);
    let corners = [meet(0)?, meet(1)?, meet(2)?, meet(3)?];
    // Lines that meet far from the points belong to no square.
    let away = |i: usize| corners[i].distance(rough[i]);
    (0..4).all(|i| away(i) < 2.0 * module + 1.0).then_some(corners)
}

/// The line of all points at which `x * nx + y * ny` is `distance`.
struct Line {
    nx: f32,
    ny: f32,
    distance: f32,
}

impl Line {
    /// The line nearest to at least three points, but for a third of them at most none of which is farther from it than
    /// `most`.
    fn fitted(mut points: Vec<Point>, most: f32) -> Option<Self> {
        let least = (2 * points.len()).div_ceil(3).max(3);
        while points.len() >= least {
            let line = Self::through(&points);
            let away = |p: &Point| (p.x * line.nx + p.y * line.ny - line.distance).abs();
            let worst = (0..points.len()).max_by(|a, b| away(&points[*a]).total_cmp(&away(&points[*b])))?;
            if away(&points[worst]) <= most {
                return Some(line);
            }
            points.swap_remove(worst);
        }
        None
    }

    /// The line with the least squared distance from all points.
    fn through(points: &[Point]) -> Self {
        let n = points.len() as f32;
        let (mx, my) = (points.iter().map(|p| p.x).sum::<f32>() / n, points.iter().map(|p| p.y).sum::<f32>() / n);
        let (mut xx, mut xy, mut yy) = (0.0, 0.0, 0.0);
        for p in points {
            let (x, y) = (p.x - mx, p.y - my);
            (xx, xy, yy) = (xx + x * x, xy + x * y, yy + y * y);
        }
        // Its direction is that of the largest spread.
        let angle = 0.5 * (2.0 * xy).atan2(xx - yy);
        let (nx, ny) = (-angle.sin(), angle.cos());
        Self { nx, ny, distance: mx * nx + my * ny }
    }

    fn meets(&self, other: &Self) -> Option<Point> {
        let area = self.nx * other.ny - self.ny * other.nx;
        let x = (self.distance * other.ny - other.distance * self.ny) / area;
        let y = (self.nx * other.distance - other.nx * self.distance) / area;
        (area.abs() > 0.1).then(|| Point::new(x, y))
    }
}

/// The middle of a square seen aslant: where its diagonals cross.
fn middle(corners: &[Point; 4]) -> Option<Point> {
    let square = [(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)].map(|(x, y)| Point::new(x, y));
    let centre = Homography::from_points(square, *corners)?.apply(Point::new(0.5, 0.5));
    (centre.x.is_finite() && centre.y.is_finite()).then_some(centre)
}

fn cross(a: Point, b: Point) -> f32 {
    a.x * b.y - a.y * b.x
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::read::Luma;
    use crate::read::qr::finder::finders;
    use crate::read::tones::{Tones, threshold};

    /// A finder pattern whose outer corners are seen at `corners`, whose dark ring may have a gap.
    fn seen(corners: [Point; 4], gap: bool) -> (Homography, Tones) {
        let seven = [(0.0, 0.0), (7.0, 0.0), (7.0, 7.0), (0.0, 7.0)].map(|(x, y)| Point::new(x, y));
        let back = Homography::from_points(corners, seven).unwrap();
        let grey = |i: usize| {
            let p = back.apply(Point::new((i % 160) as f32 + 0.5, (i / 160) as f32 + 0.5));
            let away = (p.x - 3.5).abs().max((p.y - 3.5).abs());
            let hole = gap && (6.0..7.0).contains(&p.x) && (4.4..5.0).contains(&p.y);
            let dark = (away < 1.5 || (2.5..3.5).contains(&away)) && !hole;
            if dark { 40 } else { 200 }
        };
        let luma = Luma { width: 160, height: 160, data: (0..160 * 160).map(grey).collect() };
        (Homography::from_points(seven, corners).unwrap(), threshold(&luma.data, 160, 60))
    }

    fn check(corners: [(f32, f32); 4], gap: bool) {
        let (map, tones) = seen(corners.map(|(x, y)| Point::new(x, y)), gap);
        let found: Vec<Outline> = finders(&tones.dark).iter().filter_map(|f| outline(&tones.dark, f)).collect();
        let [seen] = found.as_slice() else { panic!("{} outlines of {corners:?}", found.len()) };
        // A gap draws the corners beside it along.
        let share = if gap { 0.4 } else { 0.1 };
        for (x, y) in [(1.0, 1.0), (6.0, 1.0), (6.0, 6.0), (1.0, 6.0)] {
            let place = map.apply(Point::new(x, y));
            let off = seen.corners.iter().map(|corner| corner.distance(place)).fold(f32::INFINITY, f32::min);
            assert!(off < 0.6 + share * seen.module, "corner {x}, {y} of {corners:?} is off by {off}");
        }
        assert!(seen.centre.distance(map.apply(Point::new(3.5, 3.5))) < 0.6 + 0.5 * share * seen.module, "{corners:?}");
    }

    #[test]
    fn a_finder_pattern_is_outlined_at_any_turn_and_tilt() {
        for gap in [false, true] {
            check([(20.0, 20.0), (125.0, 20.0), (125.0, 125.0), (20.0, 125.0)], gap);
            check([(80.0, 8.0), (150.0, 80.0), (80.0, 150.0), (8.0, 80.0)], gap);
            check([(50.0, 60.0), (78.0, 64.0), (72.0, 92.0), (46.0, 88.0)], gap);
            check([(20.0, 40.0), (110.0, 50.0), (140.0, 100.0), (40.0, 96.0)], gap);
        }
    }

    #[test]
    fn discs_and_crossings_have_no_outline() {
        let disc = |i: usize| {
            let away = ((i % 160) as f32 - 80.0).hypot((i / 160) as f32 - 80.0) / 10.0;
            if away < 1.5 || (2.5..3.5).contains(&away) { 40 } else { 200 }
        };
        let lines = |i: usize| if (i % 160) % 25 < 5 || (i / 160) % 25 < 5 { 40 } else { 200 };
        for data in [(0..160 * 160).map(disc).collect::<Vec<u8>>(), (0..160 * 160).map(lines).collect()] {
            let tones = threshold(&data, 160, 60);
            let finder = Finder { centre: Point::new(80.5, 80.5), module: 10.0, hits: 1.0 };
            assert!(outline(&tones.light, &finder).is_none());
        }
    }
}
