//! Where in a grid of modules a symbol is: its finder and timing patterns are at places known for each size, so that what
//! is left of them tells it by its sum, though a part of them is gone.

use super::grow::{Grid, PITCH};
use crate::read::datamatrix::plane::Plane;
use crate::read::geometry::{Homography, Point};
use crate::read::work::PLACES;
use touchmark_formats::symbol::datamatrix::sizes::{SIZES, Size};

/// Modules around what was seen of a grid that are sampled too.
const MARGIN: i32 = 6;
/// Half the side of the window, in modules, that tells how dark a module is beside others.
const WINDOW: usize = 4;
/// Share of a symbol's sides that may be out of the grid that was seen, and modules of the grid beyond a symbol.
const OUTSIDE: f32 = 0.4;
const BEYOND: i32 = 16;
/// Standard deviations by which function patterns must be beyond chance: several hundred thousand places are tried.
const BEYOND_CHANCE: f32 = 5.0;
/// The same as a share of what all of them would give: so many modules are in the patterns of large symbols that any texture
/// agrees with some.
const SHARE: f32 = 0.38;
/// Longest side of what is sampled, in modules.
const LONGEST: i32 = 200;

/// A place for a symbol in a grid.
#[derive(Debug, Clone, Copy)]
pub(super) struct Frame {
    pub(super) size: &'static Size,
    /// Outer corners, in pixels of the plane: the symbol's own top left, top right, bottom right, bottom left.
    pub(super) corners: [Point; 4],
    pub(super) reversed: bool,
    /// By how many standard deviations its function patterns are beyond chance.
    pub(super) significance: f32,
}

/// The likeliest frames in a grid, one for each size, polarity and turn at most, the likeliest first.
pub(super) fn frames(plane: &Plane, grid: &Grid, most: usize) -> Vec<Frame> {
    let Some(cells) = Cells::of(plane, grid) else { return Vec::new() };
    plane.work.take(PLACES * cells.darkness.len());
    let mut found: Vec<Frame> = Vec::new();
    let mut turned = cells.clone();
    for turn in 0..4 {
        let sums = Sums::of(&turned);
        for size in &SIZES {
            for (row, column, significance) in sums.best(size) {
                let corners = cells.corners(turn, (row, column), size).map(|p| cells.map.apply(p));
                found.push(Frame { size, corners, reversed: significance < 0.0, significance: significance.abs() });
            }
        }
        turned = turned.turned();
    }
    found.retain(|frame| frame.significance > BEYOND_CHANCE.max(SHARE * (functions(frame.size) as f32).sqrt()));
    found.sort_by(|a, b| b.significance.total_cmp(&a.significance));
    found.truncate(most);
    found
}

/// Modules of the finder and timing patterns, those twice that are in two of their lines.
const fn functions(size: &Size) -> usize {
    2 * size.regions_down * size.columns + 2 * size.regions_across * size.rows
}

/// How dark the modules of a grid are beside those around them.
#[derive(Clone)]
struct Cells {
    /// From modules of the grid to pixels of the plane.
    map: Homography,
    /// The first module that was sampled.
    origin: (i32, i32),
    /// Rows and columns.
    rows: usize,
    columns: usize,
    /// From -1, light, to 1, dark; 0 where nothing is seen.
    darkness: Vec<f32>,
}

impl Cells {
    fn of(plane: &Plane, grid: &Grid) -> Option<Self> {
        let span = |part: fn(&(i32, i32)) -> i32| {
            let (least, most) = (grid.seen.iter().map(part).min()?, grid.seen.iter().map(part).max()?);
            let (from, to) = ((least - 1) * PITCH - MARGIN, (most + 1) * PITCH + MARGIN);
            Some((from, (to - from).min(LONGEST)))
        };
        let ((left, columns), (top, rows)) = (span(|n| n.0)?, span(|n| n.1)?);
        let (rows, columns) = (rows as usize, columns as usize);
        let sampled = [(0.5, 0.5), (0.0, 0.0), (0.5, 0.0), (0.0, 0.5)].map(|(du, dv)| {
            let map = moved(&grid.map, du - 0.5, dv - 0.5);
            let levels = levels(plane, &map, (left, top), rows, columns);
            let decided = decided(&levels, columns, grid, (left, top));
            (decided, map, levels)
        });
        let [first, others @ ..] = sampled;
        let best = others.into_iter().fold(first, |best, other| if other.0 > best.0 { other } else { best });
        let (_, map, levels) = best;
        let darkness = darkness(&levels, rows, columns);
        Some(Self { map, origin: (left, top), rows, columns, darkness })
    }

    /// The same, a quarter turn clockwise.
    fn turned(&self) -> Self {
        let (rows, columns) = (self.columns, self.rows);
        let darkness = (0..rows * columns)
            .map(|i| {
                let (row, column) = (i / columns, i % columns);
                self.darkness[(self.rows - 1 - column) * self.columns + row]
            })
            .collect();
        Self { rows, columns, darkness, ..self.clone() }
    }

    /// The corners, in modules of the grid, of a size at a row and a column after so many turns.
    fn corners(&self, turn: usize, (row, column): (i32, i32), size: &Size) -> [Point; 4] {
        let (rows, columns) = (self.rows as f32, self.columns as f32);
        let (top, left) = (row as f32, column as f32);
        let (bottom, right) = (top + size.rows as f32, left + size.columns as f32);
        [(left, top), (right, top), (right, bottom), (left, bottom)].map(|(x, y)| {
            let (x, y) = match turn {
                0 => (x, y),
                1 => (y, rows - x),
                2 => (columns - x, rows - y),
                _ => (columns - y, x),
            };
            Point::new(x + self.origin.0 as f32, y + self.origin.1 as f32)
        })
    }
}

/// A map whose modules are moved.
fn moved(map: &Homography, du: f32, dv: f32) -> Homography {
    let (mut h, du, dv) = (map.0, f64::from(du), f64::from(dv));
    for row in 0..3 {
        h[3 * row + 2] += h[3 * row] * du + h[3 * row + 1] * dv;
    }
    Homography(h)
}

/// Mean level over the middle of each module; `NAN` outside the picture.
fn levels(plane: &Plane, map: &Homography, (left, top): (i32, i32), rows: usize, columns: usize) -> Vec<f32> {
    const OFFSETS: [f32; 3] = [-0.2, 0.0, 0.2];
    let inside = |p: Point| p.x > 0.0 && p.y > 0.0 && p.x < plane.width as f32 && p.y < plane.height as f32;
    let level = |i: usize| {
        let middle = Point::new((left + (i % columns) as i32) as f32 + 0.5, (top + (i / columns) as i32) as f32 + 0.5);
        if !inside(map.apply(middle)) {
            return f32::NAN;
        }
        let mut sum = 0.0;
        for (dx, dy) in OFFSETS.iter().flat_map(|dy| OFFSETS.iter().map(move |dx| (dx, dy))) {
            let place = map.apply(Point::new(middle.x + dx, middle.y + dy));
            sum += plane.at(place.x, place.y);
        }
        sum / 9.0
    };
    (0..rows * columns).map(level).collect()
}

/// How far the levels around the places where a grid was seen are apart: the middles of modules are dark or light, their
/// borders are between.
fn decided(levels: &[f32], columns: usize, grid: &Grid, (left, top): (i32, i32)) -> f32 {
    let rows = levels.len() / columns;
    let spread = |(i, j): &(i32, i32)| {
        let (x, y) = ((i * PITCH - left) as usize, (j * PITCH - top) as usize);
        let window = (y.saturating_sub(2)..(y + 2).min(rows)).flat_map(|row| {
            (x.saturating_sub(2)..(x + 2).min(columns)).map(move |column| levels[row * columns + column])
        });
        let (mut n, mut sum, mut squares) = (0.0f32, 0.0, 0.0);
        for level in window.filter(|level| level.is_finite()) {
            (n, sum, squares) = (n + 1.0, sum + level, squares + level * level);
        }
        if n > 1.0 { (squares / n - (sum / n).powi(2)).max(0.0).sqrt() } else { 0.0 }
    };
    grid.seen.iter().map(spread).sum()
}

/// Levels as darkness, from -1 to 1, beside the modules around them.
fn darkness(levels: &[f32], rows: usize, columns: usize) -> Vec<f32> {
    let local = |i: usize| {
        let (x, y) = (i % columns, i / columns);
        let (mut n, mut sum, mut squares) = (0.0f32, 0.0f32, 0.0f32);
        for row in y.saturating_sub(WINDOW)..(y + WINDOW + 1).min(rows) {
            for level in
                &levels[row * columns + x.saturating_sub(WINDOW)..row * columns + (x + WINDOW + 1).min(columns)]
            {
                if level.is_finite() {
                    (n, sum, squares) = (n + 1.0, sum + level, squares + level * level);
                }
            }
        }
        let mean = sum / n.max(1.0);
        (mean, (squares / n.max(1.0) - mean * mean).max(0.0).sqrt())
    };
    let local: Vec<(f32, f32)> = (0..levels.len()).map(local).collect();
    let mut spreads: Vec<f32> = local.iter().map(|(_, spread)| *spread).collect();
    spreads.sort_by(f32::total_cmp);
    let floor = 0.5 * spreads.get(spreads.len() / 2).copied().unwrap_or(1.0).max(1.0);
    let one = |(level, (mean, spread)): (&f32, &(f32, f32))| {
        if level.is_finite() { ((mean - level) / spread.max(floor)).clamp(-1.0, 1.0) } else { 0.0 }
    };
    levels.iter().zip(&local).map(one).collect()
}

/// Sums along rows and columns, from their beginning up to each place.
struct Sums {
    rows: usize,
    columns: usize,
    /// Along rows: of darkness, of darkness with the sign of each odd column turned, of its squares.
    across: Vec<[f32; 3]>,
    /// Along columns: the same, of odd rows.
    down: Vec<[f32; 3]>,
}

impl Sums {
    fn of(cells: &Cells) -> Self {
        let (rows, columns) = (cells.rows, cells.columns);
        let mut across = vec![[0.0; 3]; rows * (columns + 1)];
        let mut down = vec![[0.0; 3]; (rows + 1) * columns];
        let plus = |sum: [f32; 3], value: f32, odd: usize| {
            [sum[0] + value, sum[1] + if odd == 1 { -value } else { value }, sum[2] + value * value]
        };
        for row in 0..rows {
            for column in 0..columns {
                let value = cells.darkness[row * columns + column];
                let at = row * (columns + 1) + column;
                across[at + 1] = plus(across[at], value, column % 2);
                let at = row * columns + column;
                down[at + columns] = plus(down[at], value, row % 2);
            }
        }
        Self { rows, columns, across, down }
    }

    /// The sums along a row over columns, and along a column over rows, as far as they were sampled.
    fn along_row(&self, row: i32, from: i32, to: i32) -> [f32; 3] {
        if row < 0 || row >= self.rows as i32 {
            return [0.0; 3];
        }
        let clamp = |x: i32| x.clamp(0, self.columns as i32) as usize;
        let line = row as usize * (self.columns + 1);
        let (a, b) = (self.across[line + clamp(from)], self.across[line + clamp(to)]);
        std::array::from_fn(|i| b[i] - a[i])
    }

    fn along_column(&self, column: i32, from: i32, to: i32) -> [f32; 3] {
        if column < 0 || column >= self.columns as i32 {
            return [0.0; 3];
        }
        let clamp = |y: i32| y.clamp(0, self.rows as i32) as usize;
        let at = |y: usize| self.down[y * self.columns + column as usize];
        let (a, b) = (at(clamp(from)), at(clamp(to)));
        std::array::from_fn(|i| b[i] - a[i])
    }

    /// The likeliest place of a size with either polarity: its row, its column and its significance, negative if reversed.
    fn best(&self, size: &Size) -> Vec<(i32, i32, f32)> {
        let places = |length: usize, modules: usize| {
            let (length, modules) = (length as i32 - 2 * (MARGIN + PITCH), modules as i32);
            let slack = (OUTSIDE * modules as f32) as i32;
            let first = MARGIN + PITCH;
            (first - slack).min(first + length - modules - slack)..=(first + length - modules + slack).max(first)
        };
        let mut best = [(0, 0, 0.0f32), (0, 0, 0.0)];
        let (rows, columns) = (places(self.rows, size.rows), places(self.columns, size.columns));
        let far = |range: &std::ops::RangeInclusive<i32>, modules: usize| {
            range.end() - range.start() > modules as i32 + BEYOND
        };
        if far(&rows, size.rows) || far(&columns, size.columns) {
            return Vec::new();
        }
        for row in rows {
            for column in columns.clone() {
                let significance = self.significance(size, row, column);
                let best = &mut best[usize::from(significance < 0.0)];
                if significance.abs() > best.2.abs() {
                    *best = (row, column, significance);
                }
            }
        }
        best.to_vec()
    }

    fn significance(&self, size: &Size, top: i32, left: i32) -> f32 {
        let (rows, columns) = (size.rows as i32, size.columns as i32);
        let (mut sum, mut squares) = (0.0, 0.0);
        // The sign of an alternating line that begins dark at an odd place.
        let sign = |place: i32| if place.rem_euclid(2) == 1 { -1.0 } else { 1.0 };
        let height = size.region_rows() as i32;
        for region in 0..size.regions_down as i32 {
            let first = top + region * height;
            let dark = self.along_row(first + height - 1, left, left + columns);
            let timing = self.along_row(first, left, left + columns);
            sum += dark[0] + sign(left) * timing[1];
            squares += dark[2] + timing[2];
        }
        let width = size.region_columns() as i32;
        for region in 0..size.regions_across as i32 {
            let first = left + region * width;
            let dark = self.along_column(first, top, top + rows);
            let timing = self.along_column(first + width - 1, top, top + rows);
            // The right border begins light.
            sum += dark[0] - sign(top) * timing[1];
            squares += dark[2] + timing[2];
        }
        // Of what is hardly seen nothing is to be said.
        sum / squares.max(0.3 * functions(size) as f32).sqrt()
    }
}
