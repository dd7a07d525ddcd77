//! Modules that do not stand where a projective grid has them: rows that a laser or a print head began too early or too
//! late, and packages that are not flat. The data tell: module centres lie where the picture is most decidedly dark or
//! light, edges where it is between.

use super::geometry::{Homography, Point};

/// Largest shift of a row or a column that is looked for, and its steps, in modules.
const REACH: f32 = 1.1;
const STEP: f32 = 0.1;
/// What a shift by a whole module must gain over none, where no function pattern tells the two apart.
const FAR: f32 = 0.05;
/// How much more a module of a function pattern counts than one of which nothing is known.
const KNOWN: f32 = 3.0;
/// Half the side of the window, in modules, around which a place counts as dark or light.
const WINDOW: usize = 4;
/// Modules between the places at which the bend of a surface is sought.
const PITCH: usize = 5;
/// Steps of the bend in both directions, in modules.
const BENDS: [f32; 5] = [0.0, -0.22, 0.22, -0.44, 0.44];
/// What the largest bend must gain over none.
const STIFF: f32 = 0.08;

/// Places, from the middle of a module, that are all on it if the displacement is right.
const ALONG: [(f32, f32); 3] = [(-0.3, 0.0), (0.0, 0.0), (0.3, 0.0)];
const DOWN: [(f32, f32); 3] = [(0.0, -0.3), (0.0, 0.0), (0.0, 0.3)];
const AROUND: [(f32, f32); 4] = [(-0.25, -0.25), (0.25, -0.25), (-0.25, 0.25), (0.25, 0.25)];

/// How modules are displaced, in modules.
#[derive(Debug, Clone)]
pub(crate) enum Displacement {
    /// Each row by its own, to the right.
    Rows(Vec<f32>),
    /// Each column by its own, downwards.
    Columns(Vec<f32>),
    /// At places `PITCH` apart, so many in a row.
    Surface(usize, Vec<Point>),
}

impl Displacement {
    /// Where a point of the grid, in modules, really is.
    pub(crate) fn of(&self, p: Point) -> Point {
        let line = |shifts: &[f32], at: f32| shifts.get(at.max(0.0) as usize).or(shifts.last()).copied().unwrap_or(0.0);
        match self {
            Self::Rows(shifts) => Point::new(p.x + line(shifts, p.y), p.y),
            Self::Columns(shifts) => Point::new(p.x, p.y + line(shifts, p.x)),
            Self::Surface(across, nodes) => {
                let (u, v) = ((p.x / PITCH as f32).max(0.0), (p.y / PITCH as f32).max(0.0));
                let (i, j) = (u as usize, v as usize);
                let (fu, fv) = (u - i as f32, v - j as f32);
                let down = nodes.len() / across.max(&1);
                let node = |i: usize, j: usize| {
                    let at = j.min(down.saturating_sub(1)) * across + i.min(across.saturating_sub(1));
                    nodes.get(at).copied().unwrap_or(Point::new(0.0, 0.0))
                };
                let mix = |a: Point, b: Point, f: f32| Point::new(a.x + f * (b.x - a.x), a.y + f * (b.y - a.y));
                let shift = mix(mix(node(i, j), node(i + 1, j), fu), mix(node(i, j + 1), node(i + 1, j + 1), fu), fv);
                Point::new(p.x + shift.x, p.y + shift.y)
            }
        }
    }
}

/// Grey levels of a symbol by its own coordinates, in modules from its top left corner.
pub(crate) struct Surface<'a> {
    /// Negated where light modules mean dark.
    level: &'a dyn Fn(Point) -> f32,
    /// Modules, by column and row, that are always dark, or always light.
    known: &'a dyn Fn(usize, usize) -> Option<bool>,
    rows: usize,
    columns: usize,
    /// Mean grey level around each module.
    means: Vec<f32>,
}

impl<'a> Surface<'a> {
    pub(crate) fn new(
        rows: usize,
        columns: usize,
        level: &'a dyn Fn(Point) -> f32,
        known: &'a dyn Fn(usize, usize) -> Option<bool>,
    ) -> Self {
        let middle = |i: usize| level(Point::new((i % columns) as f32 + 0.5, (i / columns) as f32 + 0.5));
        let levels: Vec<f32> = (0..rows * columns).map(middle).collect();
        let mean = |i: usize| {
            let (x, y) = (i % columns, i / columns);
            let (left, right) = (x.saturating_sub(WINDOW), (x + WINDOW + 1).min(columns));
            let lines = y.saturating_sub(WINDOW)..(y + WINDOW + 1).min(rows);
            let (mut sum, mut count) = (0.0, 0.0);
            for line in lines {
                let part = levels.get(line * columns + left..line * columns + right).unwrap_or_default();
                sum += part.iter().sum::<f32>();
                count += part.len() as f32;
            }
            sum / f32::max(count, 1.0)
        };
        let means = (0..rows * columns).map(mean).collect();
        Self { level, known, rows, columns, means }
    }

    /// The displacements that the picture speaks for, each of its own kind.
    pub(crate) fn displacements(&self) -> [Displacement; 3] {
        [Displacement::Rows(self.lines(true)), Displacement::Columns(self.lines(false)), self.bend()]
    }

    /// How decidedly dark or light the modules, displaced by (`dx`, `dy`), are at places `around` their middles.
    fn decided(&self, modules: impl Iterator<Item = (usize, usize)>, by: (f32, f32), around: &[(f32, f32)]) -> f32 {
        self.decided_from(&self.means, modules, by, around)
    }

    fn decided_from(
        &self,
        means: &[f32],
        modules: impl Iterator<Item = (usize, usize)>,
        (dx, dy): (f32, f32),
        around: &[(f32, f32)],
    ) -> f32 {
        let one = |(x, y): (usize, usize)| {
            let mean = means.get(y * self.columns + x).copied().unwrap_or(0.0);
            let level =
                |(u, v): &(f32, f32)| (self.level)(Point::new(x as f32 + 0.5 + dx + u, y as f32 + 0.5 + dy + v));
            // What is dark on one side and light on the other is an edge.
            let light = around.iter().map(|place| level(place) - mean).sum::<f32>();
            (self.known)(x, y).map_or(light.abs(), |dark| KNOWN * if dark { -light } else { light })
        };
        modules.map(one).sum()
    }

    fn lines(&self, rows: bool) -> Vec<f32> {
        let (lines, length) = if rows { (self.rows, self.columns) } else { (self.columns, self.rows) };
        let count = (REACH / STEP).round() as i32;
        let shift = |line: usize| {
            let gain = |step: i32| {
                let shift = step as f32 * STEP;
                let along = (0..length).map(|at| if rows { (at, line) } else { (line, at) });
                let (dx, dy) = if rows { (shift, 0.0) } else { (0.0, shift) };
                let around = if rows { ALONG } else { DOWN };
                self.decided(along, (dx, dy), &around) * (1.0 - FAR * shift * shift)
            };
            let best = (-count..=count).map(|step| (gain(step), step)).max_by(|a, b| a.0.total_cmp(&b.0));
            best.map_or(0.0, |(_, step)| step as f32 * STEP)
        };
        (0..lines).map(shift).collect()
    }

    fn bend(&self) -> Displacement {
        let (across, down) = (self.columns / PITCH + 2, self.rows / PITCH + 2);
        let node = |i: usize| {
            let (x, y) = (i % across * PITCH, i / across * PITCH);
            let window = || {
                let columns = x.saturating_sub(WINDOW)..(x + WINDOW).min(self.columns);
                let rows = y.saturating_sub(WINDOW)..(y + WINDOW).min(self.rows);
                rows.flat_map(move |row| columns.clone().map(move |column| (column, row)))
            };
            let mut best = (f32::NEG_INFINITY, Point::new(0.0, 0.0));
            for dx in BENDS {
                for dy in BENDS {
                    let gain = self.decided(window(), (dx, dy), &AROUND) * (1.0 - STIFF * (dx * dx + dy * dy) / 0.2);
                    if gain > best.0 {
                        best = (gain, Point::new(dx, dy));
                    }
                }
            }
            best.1
        };
        let nodes: Vec<Point> = (0..across * down).map(node).collect();
        // A surface is smooth.
        let smooth = |i: usize| {
            let (x, y) = ((i % across) as i32, (i / across) as i32);
            let (mut sum, mut weights) = (Point::new(0.0, 0.0), 0.0);
            for (v, u) in (-1..=1).flat_map(|v| (-1..=1).map(move |u| (v, u))) {
                let (x, y) = (x + u, y + v);
                if (0..across as i32).contains(&x) && (0..down as i32).contains(&y) {
                    let weight = (2 - u.abs()) as f32 * (2 - v.abs()) as f32;
                    let node = nodes.get(y as usize * across + x as usize).copied().unwrap_or(Point::new(0.0, 0.0));
                    sum = Point::new(sum.x + weight * node.x, sum.y + weight * node.y);
                    weights += weight;
                }
            }
            Point::new(sum.x / weights, sum.y / weights)
        };
        Displacement::Surface(across, (0..nodes.len()).map(smooth).collect())
    }
}

/// Steps by which corners are moved to where the modules are, in modules, and rounds of each.
const MOVES: [f32; 4] = [1.0, 0.5, 0.25, 0.12];
const ROUNDS: usize = 5;
/// Modules that are looked at for that.
const ENOUGH: usize = 700;

/// The corners near `corners` on whose projective grid the modules are the most decidedly dark or light: all modules speak,
/// where the function patterns are damaged or too few. `level` is the grey level of a place in the picture, negated where
/// light modules mean dark.
pub(crate) fn focused(
    corners: [Point; 4],
    (rows, columns): (usize, usize),
    level: &dyn Fn(Point) -> f32,
    known: &dyn Fn(usize, usize) -> Option<bool>,
) -> Option<[Point; 4]> {
    let (w, h) = (columns as f32, rows as f32);
    let square = [Point::new(0.0, 0.0), Point::new(w, 0.0), Point::new(w, h), Point::new(0.0, h)];
    let map = Homography::from_points(square, corners)?;
    let means = Surface::new(rows, columns, &|p| level(map.apply(p)), known).means;
    // An odd stride that shares no factor with the columns reaches all of them.
    let stride = (1..).step_by(2).find(|s| rows * columns / s <= ENOUGH && (*s == 1 || columns % s != 0))?;
    let gain = |corners: &[Point; 4]| {
        let map = Homography::from_points(square, *corners)?;
        let place = |p: Point| level(map.apply(p));
        let surface = Surface { level: &place, known, rows, columns, means: Vec::new() };
        let modules = (0..rows * columns).step_by(stride).map(|i| (i % columns, i / columns));
        Some(surface.decided_from(&means, modules, (0.0, 0.0), &AROUND))
    };
    let [tl, tr, _, bl] = corners;
    let module = |a: Point, b: Point, n: usize| Point::new((b.x - a.x) / n as f32, (b.y - a.y) / n as f32);
    let ways = [module(tl, tr, columns), module(tl, bl, rows)];
    let (mut best, mut place) = (gain(&corners)?, corners);
    for step in MOVES {
        for _ in 0..ROUNDS {
            let before = best;
            for corner in [2, 1, 3, 0] {
                for (way, step) in ways.into_iter().flat_map(|way| [(way, step), (way, -step)]) {
                    let mut tried = place;
                    tried[corner].x += step * way.x;
                    tried[corner].y += step * way.y;
                    if let Some(better) = gain(&tried).filter(|gain| *gain > best) {
                        (best, place) = (better, tried);
                    }
                }
            }
            if best <= before {
                break;
            }
        }
    }
    Some(place)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIDE: usize = 40;

    fn dark(x: f32, y: f32) -> bool {
        let (x, y) = (x.floor() as i64, y.floor() as i64);
        let inside = (0..SIDE as i64).contains(&x) && (0..SIDE as i64).contains(&y);
        let mixed = |n: u64| (n ^ (n >> 29)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        inside && mixed(mixed((x + 41 * y + 7) as u64) ^ 0x5DEE_CE66) >> 40 & 1 == 1
    }

    fn edges(x: usize, y: usize) -> Option<bool> {
        (x == 0 || y == 0 || x == SIDE - 1 || y == SIDE - 1).then(|| dark(x as f32, y as f32))
    }

    /// Grey levels of random modules that stand elsewhere, seen through a lens that blurs a little.
    fn seen(p: Point, back: impl Fn(Point) -> Point) -> f32 {
        let mut sum = 0.0;
        for (i, j) in (0..25).map(|i| (i % 5, i / 5)) {
            let p = back(Point::new(p.x + 0.1 * (i as f32 - 2.0), p.y + 0.1 * (j as f32 - 2.0)));
            sum += if dark(p.x, p.y) { 40.0 } else { 180.0 };
        }
        sum / 25.0
    }

    #[test]
    fn rows_and_columns_are_put_back() {
        let shift = |line: f32| 0.45 * (line.floor() * 1.7).sin();
        let rows = |p: Point| seen(p, |p| Point::new(p.x - shift(p.y), p.y));
        let columns = |p: Point| seen(p, |p| Point::new(p.x, p.y - shift(p.x)));
        let [Displacement::Rows(found), ..] = Surface::new(SIDE, SIDE, &rows, &edges).displacements() else { panic!() };
        let [_, Displacement::Columns(others), _] = Surface::new(SIDE, SIDE, &columns, &edges).displacements() else {
            panic!()
        };
        for found in [found, others] {
            let off = found.iter().enumerate().filter(|(line, found)| (*found - shift(*line as f32)).abs() > 0.16);
            assert!(off.count() <= 2, "{found:?}");
        }
    }

    #[test]
    fn a_bent_surface_is_followed() {
        let bend = |p: Point| Point::new(0.4 * (p.y / 12.0).sin(), 0.4 * (p.x / 14.0).cos());
        let level = |p: Point| seen(p, |p| Point::new(p.x - bend(p).x, p.y - bend(p).y));
        let [.., surface] = Surface::new(SIDE, SIDE, &level, &edges).displacements();
        for (x, y) in [(8.0, 9.0), (20.0, 20.0), (31.0, 12.0), (11.0, 33.0)] {
            let (found, true_place) = (surface.of(Point::new(x, y)), bend(Point::new(x, y)));
            let off = found.distance(Point::new(x + true_place.x, y + true_place.y));
            assert!(off < 0.2, "{x}, {y}: off by {off}");
        }
    }

    #[test]
    fn corners_are_moved_to_where_the_modules_are() {
        let level = |p: Point| seen(p, |p| p);
        let side = SIDE as f32;
        let square = [Point::new(0.0, 0.0), Point::new(side, 0.0), Point::new(side, side), Point::new(0.0, side)];
        let mut off = square;
        (off[0].x, off[2].y, off[3].x) = (0.6, side - 0.8, -0.7);
        let found = focused(off, (SIDE, SIDE), &level, &edges).unwrap();
        for (found, corner) in found.iter().zip(square) {
            assert!(found.distance(corner) < 0.25, "{found:?} and not {corner:?}");
        }
        let nowhere = focused([Point::new(0.0, 0.0); 4], (SIDE, SIDE), &level, &edges);
        assert!(nowhere.is_none(), "four corners at one place span no grid");
    }

    #[test]
    fn grids_of_any_size_and_any_levels() {
        for (rows, columns) in [(0, 0), (1, 1), (2, 300), (10, 8)] {
            for value in [0.0, f32::NAN, f32::INFINITY] {
                for displacement in Surface::new(rows, columns, &|_| value, &edges).displacements() {
                    let _ = displacement.of(Point::new(f32::NAN, 1e9));
                }
            }
        }
    }
}
