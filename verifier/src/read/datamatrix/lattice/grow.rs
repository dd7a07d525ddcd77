//! From a window in which modules repeat to all of the grid: its phase is followed from place to place as far as it goes,
//! and a projective map fitted to it.

use super::relief::{Relief, Trace};
use super::spectrum::Seed;
use crate::read::geometry::{Homography, Point};
use std::collections::HashMap;

/// Modules between the places at which the phase is measured.
pub(super) const PITCH: i32 = 4;
/// Standard deviation of the window of a measurement, and half its side, in modules.
const SIGMA: f32 = 2.2;
const REACH: f32 = 4.6;
/// Power of the grid beside that of what is no grid, from which on a place belongs to it: for both axes, or for one much
/// and for the other a little, where a laser began its rows at different places.
const COHERENT: (f32, f32) = (6.0, 6.0);
const ALONG_ONE: (f32, f32) = (14.0, 1.5);
/// How far beside the grid's waves, as a share of the other axis, lie those that measure what is no grid.
const BESIDE: f32 = 0.3;
/// The largest step of the phase from one place to the next, in modules.
const JUMP: f32 = 0.3;
/// Places from which on the grid is a projective and not an affine one.
const PROJECTIVE: usize = 14;
/// Places that make a grid, and the most that are measured.
const FEWEST: usize = 7;
const MOST: usize = 2500;

/// A grid of modules.
#[derive(Debug, Clone)]
pub(super) struct Grid {
    /// From modules to pixels of the plane; whether whole numbers are at the borders or in the middle of modules is not said.
    pub(super) map: Homography,
    /// Places where it was seen, in steps of [`PITCH`] modules.
    pub(super) seen: Vec<(i32, i32)>,
}

/// What is seen at one place.
struct Phase {
    /// How far the grid is from where it was expected, in modules.
    off: Point,
    /// Power of both axes beside that of what is no grid.
    power: [f32; 2],
}

/// Where a grid may go on from a place: beside it, and beyond a place that is covered.
const AROUND: [(i32, i32); 12] =
    [(1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (1, -1), (-1, 1), (-1, -1), (2, 0), (-2, 0), (0, 2), (0, -2)];

/// The grid that a seed is part of.
pub(super) fn grown(relief: &Relief<'_>, seed: &Seed) -> Option<Grid> {
    let mut map = beginning(relief, seed)?;
    let mut nodes: HashMap<(i32, i32), Option<(Point, Point)>> = HashMap::new();
    let mut edge = vec![(0, 0)];
    while !edge.is_empty() && nodes.len() < MOST {
        let mut next = Vec::new();
        for node in edge.drain(..) {
            let at = Point::new((node.0 * PITCH) as f32, (node.1 * PITCH) as f32);
            let place = map.apply(at);
            let seen = measured(relief, &map, at, seed.trace).filter(Phase::coherent);
            let pair = seen.map(|seen| (Point::new(at.x + seen.off.x, at.y + seen.off.y), place));
            nodes.insert(node, pair);
            if pair.is_some() {
                next.extend(AROUND.map(|(i, j)| (node.0 + i, node.1 + j)));
            }
        }
        next.sort_unstable();
        next.dedup();
        next.retain(|node| !nodes.contains_key(node));
        let pairs: Vec<(Point, Point)> = nodes.values().flatten().copied().collect();
        map = fitted(&pairs).unwrap_or(map);
        edge = next;
    }
    let mut seen: Vec<(i32, i32)> = nodes.iter().filter(|(_, pair)| pair.is_some()).map(|(node, _)| *node).collect();
    seen.sort_unstable();
    (seen.len() >= FEWEST).then_some(Grid { map, seen })
}

/// The affine map of a seed, its origin where the grid has one.
fn beginning(relief: &Relief<'_>, seed: &Seed) -> Option<Homography> {
    let [f, mut g] = seed.frequencies;
    let mut turn = f.x * g.y - f.y * g.x;
    if turn < 0.0 {
        (g, turn) = (Point::new(-g.x, -g.y), -turn);
    }
    // Steps of a module along both axes: the inverse of the frequencies.
    let (u, v) = (Point::new(g.y / turn, -g.x / turn), Point::new(-f.y / turn, f.x / turn));
    let affine = |origin: Point| {
        let at = |i: f32, j: f32| Point::new(origin.x + i * u.x + j * v.x, origin.y + i * u.y + j * v.y);
        let square = [(0.0, 0.0), (8.0, 0.0), (8.0, 8.0), (0.0, 8.0)];
        Homography::from_points(square.map(|(i, j)| Point::new(i, j)), square.map(|(i, j)| at(i, j)))
    };
    let first = measured(relief, &affine(seed.at)?, Point::new(0.0, 0.0), seed.trace)?;
    let Point { x: a, y: b } = first.off;
    affine(Point::new(seed.at.x - a * u.x - b * v.x, seed.at.y - a * u.y - b * v.y))
}

impl Phase {
    fn coherent(&self) -> bool {
        let (most, least) = (self.power[0].max(self.power[1]), self.power[0].min(self.power[1]));
        let clear = |(much, little): (f32, f32)| most > much && least > little;
        (clear(COHERENT) || clear(ALONG_ONE)) && self.off.x.abs() < JUMP && self.off.y.abs() < JUMP
    }
}

/// The phase of both axes around a place of the grid; `None` outside the picture.
fn measured(relief: &Relief<'_>, map: &Homography, at: Point, trace: Trace) -> Option<Phase> {
    let place = map.apply(at);
    let step = |du: f32, dv: f32| {
        let (a, b) = (map.apply(Point::new(at.x + du, at.y + dv)), map.apply(Point::new(at.x - du, at.y - dv)));
        Point::new(b.x - a.x, b.y - a.y)
    };
    let (u, v) = (step(-0.5, 0.0), step(0.0, -0.5));
    let turn = u.x * v.y - u.y * v.x;
    let (f, g) = (Point::new(v.y / turn, -v.x / turn), Point::new(-u.y / turn, u.x / turn));
    let module = turn.abs().sqrt();
    if !(1.5..40.0).contains(&module) || !f.x.is_finite() || !g.x.is_finite() {
        return None;
    }
    let (plane, centre) = relief.trace(trace);
    let reach = (REACH * module) as i32;
    let (x0, y0) = ((place.x - centre).round() as i32, (place.y - centre).round() as i32);
    let inside = |x: i32, y: i32| x >= 0 && y >= 0 && (x as usize) < relief.width && (y as usize) < relief.height;
    if !inside(x0, y0) {
        return None;
    }
    let columns = (x0 - reach).max(0)..(x0 + reach + 1).min(relief.width as i32);
    let rows = (y0 - reach).max(0)..(y0 + reach + 1).min(relief.height as i32);
    let bell: Vec<f32> =
        (0..=2 * reach).map(|d| (-0.5 * ((d - reach) as f32 / (SIGMA * module)).powi(2)).exp()).collect();
    let row_of = |y: i32| &plane[y as usize * relief.width..(y as usize + 1) * relief.width];
    let weight = |x: i32, y: i32| bell[(x - x0 + reach) as usize] * bell[(y - y0 + reach) as usize];
    let (mut sum, mut weights) = (0.0, 0.0);
    for y in rows.clone() {
        let row = row_of(y);
        for x in columns.clone() {
            let w = weight(x, y);
            (sum, weights) = (sum + w * f32::from(row[x as usize]), weights + w);
        }
    }
    let mean = sum / weights;
    // What stands out by far is no module.
    let most = if trace == Trace::Tones { 255.0 } else { 1.5 * mean + 1.0 };
    let beside = |f: Point, g: Point, share: f32| Point::new(f.x + share * g.x, f.y + share * g.y);
    let waves = [f, g, beside(f, g, BESIDE), beside(f, g, -BESIDE), beside(g, f, BESIDE), beside(g, f, -BESIDE)];
    let mut sums = [(0f32, 0f32); 6];
    for y in rows {
        let row = row_of(y);
        let dy = y as f32 + centre - place.y;
        let dx = columns.start as f32 + centre - place.x;
        let mut phasors = waves.map(|wave| (-std::f32::consts::TAU * (wave.x * dx + wave.y * dy)).sin_cos());
        let turns = waves.map(|wave| (-std::f32::consts::TAU * wave.x).sin_cos());
        for x in columns.clone() {
            let value = weight(x, y) * (f32::from(row[x as usize]) - mean).min(most);
            for ((sum, phasor), turn) in sums.iter_mut().zip(&mut phasors).zip(&turns) {
                let (sin, cos) = *phasor;
                *sum = (sum.0 + value * cos, sum.1 + value * sin);
                *phasor = (sin * turn.1 + cos * turn.0, cos * turn.1 - sin * turn.0);
            }
        }
    }
    let powers = sums.map(|(re, im)| re * re + im * im);
    let noise = (powers[2..].iter().sum::<f32>() / 4.0).max(f32::MIN_POSITIVE);
    let power = [powers[0] / noise, powers[1] / noise];
    let off = [sums[0], sums[1]].map(|(re, im)| im.atan2(re) / std::f32::consts::TAU);
    Some(Phase { off: Point::new(off[0], off[1]), power })
}

/// The map of what was measured: projective where there is enough of it.
fn fitted(pairs: &[(Point, Point)]) -> Option<Homography> {
    if pairs.len() >= PROJECTIVE { Homography::fitted(pairs) } else { affine(pairs) }
}

/// The affine map nearest to pairs; `None` where they lie on a line.
fn affine(pairs: &[(Point, Point)]) -> Option<Homography> {
    let n = pairs.len() as f32;
    let mean = |part: &dyn Fn(&(Point, Point)) -> f32| pairs.iter().map(part).sum::<f32>() / n;
    let (u, v, x, y) = (mean(&|p| p.0.x), mean(&|p| p.0.y), mean(&|p| p.1.x), mean(&|p| p.1.y));
    let product = |a: &dyn Fn(&(Point, Point)) -> f32, b: &dyn Fn(&(Point, Point)) -> f32| {
        pairs.iter().map(|pair| a(pair) * b(pair)).sum::<f32>()
    };
    let (du, dv) = (|p: &(Point, Point)| p.0.x - u, |p: &(Point, Point)| p.0.y - v);
    let (dx, dy) = (|p: &(Point, Point)| p.1.x - x, |p: &(Point, Point)| p.1.y - y);
    let (uu, uv, vv) = (product(&du, &du), product(&du, &dv), product(&dv, &dv));
    let det = uu * vv - uv * uv;
    if pairs.len() < 3 || det < 1.0 {
        return None;
    }
    let slopes = |to: &dyn Fn(&(Point, Point)) -> f32| {
        let (a, b) = (product(&du, to), product(&dv, to));
        ((a * vv - b * uv) / det, (b * uu - a * uv) / det)
    };
    let ((xu, xv), (yu, yv)) = (slopes(&dx), slopes(&dy));
    let at = |i: f32, j: f32| Point::new(x + (i - u) * xu + (j - v) * xv, y + (i - u) * yu + (j - v) * yv);
    let square = [(0.0, 0.0), (8.0, 0.0), (8.0, 8.0), (0.0, 8.0)];
    Homography::from_points(square.map(|(i, j)| Point::new(i, j)), square.map(|(i, j)| at(i, j)))
}

impl Grid {
    /// Whether a seed is of this grid.
    pub(super) fn holds(&self, seed: &Seed) -> bool {
        let near = |(i, j): &(i32, i32)| {
            let at = |di: f32, dj: f32| self.map.apply(Point::new((i * PITCH) as f32 + di, (j * PITCH) as f32 + dj));
            let (place, right, below) = (at(0.0, 0.0), at(1.0, 0.0), at(0.0, 1.0));
            let module = place.distance(right).max(place.distance(below));
            let (u, v) =
                (Point::new(right.x - place.x, right.y - place.y), Point::new(below.x - place.x, below.y - place.y));
            // Cycles of the seed's waves along a module: nearly one, and nearly none.
            let cycles = |wave: Point| [(wave.x * u.x + wave.y * u.y).abs(), (wave.x * v.x + wave.y * v.y).abs()];
            let own = |wave: Point| {
                let [a, b] = cycles(wave);
                (a.max(b) - 1.0).abs() < 0.2 && a.min(b) < 0.25
            };
            place.distance(seed.at) < PITCH as f32 * module && seed.frequencies.into_iter().all(own)
        };
        self.seen.iter().any(near)
    }
}
