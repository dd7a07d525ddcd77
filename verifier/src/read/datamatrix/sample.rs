//! Grey levels of modules to likelihoods.

use super::doubts::{evenness, liveliness};
use super::fit::Fit;
use super::plane::Plane;
use crate::read::ModuleGrid;
use crate::read::elastic::{Surface, focused};
use crate::read::equalise::equalised;
use crate::read::geometry::{Homography, Point};
use crate::read::likelihood::likelihoods;
use crate::read::nearest::by_nearest;

/// Likelihood ratios are clipped to this many nats.
const CLIP: f32 = 8.0;
/// Half the side of the window, in modules, that gives a module its local dark and light levels, and of a narrow one for
/// what is stained.
const WINDOW: usize = 4;
const NARROW: usize = 2;
/// Places in a module that are averaged: offsets from its middle along each axis.
const OFFSETS: [f32; 3] = [-0.2, 0.0, 0.2];
/// The same close to the middle, where blur is to be taken back, and over the whole area, where noise is to be averaged.
const NEAR: [f32; 3] = [-0.12, 0.0, 0.12];
const AREA: [f32; 3] = [-0.32, 0.0, 0.32];

/// What was sampled, and how well it agrees with the function patterns.
pub(super) struct Sampled {
    pub(super) grid: ModuleGrid,
    /// Mean over the modules of finder and alignment patterns of the expected sign times the clipped likelihood, -1
    /// to 1.
    pub(super) agreement: f32,
    /// The same for the timing patterns' light modules alone: what tells a symbol from a dark patch.
    pub(super) light: f32,
    /// Modules of finder and alignment patterns.
    pub(super) modules: usize,
}

impl Sampled {
    /// Whether the function patterns agree so far that a symbol is likely.
    pub(super) fn plausible(&self) -> bool {
        self.agreement > 0.4 + 2.4 / (self.modules as f32).sqrt() && self.light > 0.3
    }
}

pub(super) fn sample(plane: &Plane, fit: &Fit) -> Option<Sampled> {
    let levels = levels(plane, fit, &|p| p)?;
    let (llr, relative) = judged(&levels, fit, WINDOW)?;
    let (agreement, light, modules) = agreement(fit, &relative);
    let grid = ModuleGrid { width: fit.size.columns, height: fit.size.rows, llr };
    Some(Sampled { grid, agreement, light, modules })
}

/// The same modules seen in other ways: judged by other levels, displaced as the picture has it, and with the corners moved
/// to where all modules stand.
pub(super) fn others(plane: &Plane, fit: &Fit) -> Vec<ModuleGrid> {
    let (rows, columns) = (fit.size.rows, fit.size.columns);
    let Some(map) = map(fit) else { return Vec::new() };
    let sign = if fit.reversed { -1.0 } else { 1.0 };
    let level = |p: Point| sign * plane.at_original(p);
    let known = |x: usize, y: usize| fit.size.function_module(y, x);
    let mut out = judged_otherwise(plane, fit);
    out.extend(stained(plane, fit));
    for displacement in Surface::new(rows, columns, &|p| level(map.apply(p)), &known).displacements() {
        let displaced = levels(plane, fit, &|p| displacement.of(p));
        out.extend(displaced.and_then(|levels| judged(&levels, fit, WINDOW)).map(|(llr, _)| llr));
    }
    if let Some(corners) = focused(fit.corners, (rows, columns), &level, &known) {
        let fit = fit.moved(corners);
        out.extend(levels(plane, &fit, &|p| p).and_then(|levels| judged(&levels, &fit, WINDOW)).map(|(llr, _)| llr));
        out.extend(judged_otherwise(plane, &fit));
    }
    out.into_iter().map(|llr| ModuleGrid { width: columns, height: rows, llr }).collect()
}

/// By the nearest modules, doubting what is neither dark nor light, and with the blur taken back.
fn judged_otherwise(plane: &Plane, fit: &Fit) -> Vec<Vec<f32>> {
    let columns = fit.size.columns;
    let known = |x: usize, y: usize| fit.size.function_module(y, x);
    let [middle, near, area] = [OFFSETS, NEAR, AREA].map(|offsets| levels_at(plane, fit, &|p| p, &offsets));
    let (Some(middle), Some(near), Some(area)) = (middle, near, area) else { return Vec::new() };
    let nearest = by_nearest(&area, columns, &known);
    let [near, area] = [near, area].map(|levels| equalised(&levels, columns, &known));
    vec![nearest, likelihoods(&middle, columns), near, area]
}

/// Two judgements of what is covered in part, by levels of the nearest modules: with what is uneven doubted, and with what
/// is flat doubted beside.
fn stained(plane: &Plane, fit: &Fit) -> Vec<Vec<f32>> {
    let Some(levels) = levels(plane, fit, &|p| p) else { return Vec::new() };
    let (Some((llr, _)), Some(unevenness)) = (judged(&levels, fit, NARROW), unevenness(plane, fit)) else {
        return Vec::new();
    };
    let even = evenness(&unevenness);
    let uneven: Vec<f32> = llr.iter().zip(&even).map(|(llr, even)| llr * even).collect();
    let flat = uneven.iter().zip(liveliness(&levels, fit.size.columns)).map(|(llr, lively)| llr * lively).collect();
    vec![uneven, flat]
}

/// Standard deviation of the grey level within each module, row by row.
fn unevenness(plane: &Plane, fit: &Fit) -> Option<Vec<f32>> {
    let map = map(fit)?;
    let spread = |i: usize| {
        let (row, column) = (i / fit.size.columns, i % fit.size.columns);
        let (mut sum, mut squares) = (0.0, 0.0);
        for (dx, dy) in OFFSETS.into_iter().flat_map(|dy| OFFSETS.map(|dx| (dx, dy))) {
            let level = plane.at_original(map.apply(Point::new(column as f32 + 0.5 + dx, row as f32 + 0.5 + dy)));
            (sum, squares) = (sum + level, squares + level * level);
        }
        (squares / 9.0 - (sum / 9.0f32).powi(2)).max(0.0).sqrt()
    };
    Some((0..fit.size.rows * fit.size.columns).map(spread).collect())
}

/// Likelihoods of grey levels, and where each level lies between the light one, -0.5, and the dark one around it, 0.5.
fn judged(levels: &[f32], fit: &Fit, window: usize) -> Option<(Vec<f32>, Vec<f32>)> {
    let (rows, columns) = (fit.size.rows, fit.size.columns);
    let local: Vec<(f32, f32)> = (0..rows * columns)
        .map(|i| local_levels(levels, (rows, columns), (i / columns, i % columns), window))
        .collect();
    let mut spreads: Vec<f32> = local.iter().map(|(dark, light)| light - dark).collect();
    spreads.sort_by(f32::total_cmp);
    let floor = (0.4 * spreads.get(spreads.len() / 2)?).max(1.0);
    let relative =
        |(level, (dark, light)): (&f32, &(f32, f32))| (0.5 * (dark + light) - level) / (light - dark).max(floor);
    let relative: Vec<f32> = levels.iter().zip(&local).map(relative).collect();
    let noise = relative.iter().map(|r| (r.abs() - 0.5).powi(2)).sum::<f32>() / relative.len() as f32;
    let llr: Vec<f32> = relative.iter().map(|r| (r / noise.max(0.02)).clamp(-CLIP, CLIP)).collect();
    Some((llr, relative))
}

fn agreement(fit: &Fit, relative: &[f32]) -> (f32, f32, usize) {
    let (mut sum, mut count, mut light, mut lights) = (0.0, 0.0, 0.0, 0.0);
    for (i, value) in relative.iter().enumerate() {
        let value = (4.0 * value).clamp(-1.0, 1.0);
        match fit.size.function_module(i / fit.size.columns, i % fit.size.columns) {
            Some(true) => (sum, count) = (sum + value, count + 1.0),
            Some(false) => {
                (sum, count, light, lights) = (sum - value, count + 1.0, light - value, lights + 1.0);
            }
            None => {}
        }
    }
    (sum / f32::max(count, 1.0), light / f32::max(lights, 1.0), count as usize)
}

/// Mean grey level of each module, negated in reversed symbols, row by row.
fn levels(plane: &Plane, fit: &Fit, displaced: &dyn Fn(Point) -> Point) -> Option<Vec<f32>> {
    levels_at(plane, fit, displaced, &OFFSETS)
}

/// The same over places at these offsets from the middle of each module along each axis.
fn levels_at(plane: &Plane, fit: &Fit, displaced: &dyn Fn(Point) -> Point, offsets: &[f32]) -> Option<Vec<f32>> {
    let map = map(fit)?;
    let sign = if fit.reversed { -1.0 } else { 1.0 };
    let count = (offsets.len() * offsets.len()) as f32;
    let level = |row: usize, column: usize| {
        let mut sum = 0.0;
        for dy in offsets {
            for dx in offsets {
                let place = Point::new(column as f32 + 0.5 + dx, row as f32 + 0.5 + dy);
                sum += plane.at_original(map.apply(displaced(place)));
            }
        }
        sign * sum / count
    };
    Some((0..fit.size.rows * fit.size.columns).map(|i| level(i / fit.size.columns, i % fit.size.columns)).collect())
}

/// From modules, counted from the symbol's top left corner, to pixels of the original.
fn map(fit: &Fit) -> Option<Homography> {
    let (w, h) = (fit.size.columns as f32, fit.size.rows as f32);
    let square = [Point::new(0.0, 0.0), Point::new(w, 0.0), Point::new(w, h), Point::new(0.0, h)];
    Homography::from_points(square, fit.corners)
}

/// Dark and light level around a module: the means of the two classes of its window.
fn local_levels(
    levels: &[f32],
    (rows, columns): (usize, usize),
    (row, column): (usize, usize),
    reach: usize,
) -> (f32, f32) {
    let mut window = Vec::with_capacity((2 * reach + 1) * (2 * reach + 1));
    for r in row.saturating_sub(reach)..(row + reach + 1).min(rows) {
        let line = r * columns;
        window.extend(levels[line + column.saturating_sub(reach)..line + (column + reach + 1).min(columns)].iter());
    }
    let mut threshold = window.iter().sum::<f32>() / window.len().max(1) as f32;
    let (mut dark, mut light) = (threshold, threshold);
    for _ in 0..3 {
        let (mut below, mut above) = ((0.0, 0.0), (0.0, 0.0));
        for value in &window {
            let class = if *value < threshold { &mut below } else { &mut above };
            class.0 += value;
            class.1 += 1.0;
        }
        (dark, light) = (below.0 / f32::max(below.1, 1.0), above.0 / f32::max(above.1, 1.0));
        if below.1 == 0.0 || above.1 == 0.0 {
            return (threshold, threshold);
        }
        threshold = 0.5 * (dark + light);
    }
    (dark, light)
}
