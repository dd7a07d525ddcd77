//! Straight edges: regions of like gradient direction, after the line support regions of Burns, Hanson and Riseman
//! (1986) and the region growing of LSD (Grompone von Gioi et al. 2012).

use super::plane::Plane;
use crate::read::geometry::Point;

/// A straight edge between a dark and a bright side, in pixels of the original.
#[derive(Debug, Clone, Copy)]
pub(super) struct Segment {
    pub(super) from: Point,
    pub(super) to: Point,
    /// Unit vector across the edge towards the bright side.
    pub(super) bright: Point,
}

impl Segment {
    pub(super) fn length(&self) -> f32 {
        self.from.distance(self.to)
    }
}

/// Edges weaker than this many grey levels a pixel are noise.
const MIN_GRADIENT: f32 = 1.5;
/// Cosine of the largest angle between a pixel's gradient and its region's.
const ALIGNED: f32 = 0.924;
/// Shorter edges (pixels of the plane) are of no use.
const MIN_LENGTH: f32 = 8.0;
/// Segments kept, the longest ones.
const MAX_SEGMENTS: usize = 1500;

/// The straight edges of a plane, longest first.
pub(super) fn segments(plane: &Plane) -> Vec<Segment> {
    let mut field = Field::of(&plane.smoothed());
    let mut found: Vec<Segment> = Vec::new();
    for seed in field.seeds() {
        let region = field.grow(seed as usize);
        found.extend(field.segment(&region, plane.scale));
    }
    found.sort_by(|a, b| b.length().total_cmp(&a.length()));
    found.truncate(MAX_SEGMENTS);
    found
}

struct Field {
    width: usize,
    height: usize,
    /// Gradients, in grey levels a pixel.
    gradient: Vec<(f32, f32)>,
    used: Vec<bool>,
}

impl Field {
    fn of(plane: &Plane) -> Self {
        let (width, height) = (plane.width, plane.height);
        let mut gradient = vec![(0.0, 0.0); width * height];
        for y in 1..height - 1 {
            let row = |y: usize| &plane.data[y * width..(y + 1) * width];
            let (above, here, below) = (row(y - 1), row(y), row(y + 1));
            for x in 1..width - 1 {
                let across = |row: &[u8]| f32::from(row[x + 1]) - f32::from(row[x - 1]);
                let down = |x: usize| f32::from(below[x]) - f32::from(above[x]);
                let dx = (3.0 * across(above) + 10.0 * across(here) + 3.0 * across(below)) / 32.0;
                let dy = (3.0 * down(x - 1) + 10.0 * down(x) + 3.0 * down(x + 1)) / 32.0;
                gradient[y * width + x] = (dx, dy);
            }
        }
        let used = gradient.iter().map(|(x, y)| x * x + y * y < MIN_GRADIENT * MIN_GRADIENT).collect();
        Self { width, height, gradient, used }
    }

    fn magnitude(&self, at: usize) -> f32 {
        let (x, y) = self.gradient[at];
        (x * x + y * y).sqrt()
    }

    /// Pixels with an edge, strongest first (in steps of one grey level).
    fn seeds(&self) -> Vec<u32> {
        let mut steps: Vec<Vec<u32>> = vec![Vec::new(); 128];
        for at in (0..self.used.len()).filter(|at| !self.used[*at]) {
            let step = (self.magnitude(at) as usize).min(steps.len() - 1);
            steps[step].push(at as u32);
        }
        steps.into_iter().rev().flatten().collect()
    }

    /// The connected pixels around a seed whose gradients point the same way.
    fn grow(&mut self, seed: usize) -> Vec<usize> {
        if self.used[seed] {
            return Vec::new();
        }
        self.used[seed] = true;
        let mut region = vec![seed];
        let m = self.magnitude(seed);
        let (mut sum_x, mut sum_y) = (self.gradient[seed].0 / m, self.gradient[seed].1 / m);
        let mut next = 0;
        while let Some(&at) = region.get(next) {
            next += 1;
            let (x, y) = (at % self.width, at / self.width);
            for ny in y.saturating_sub(1)..(y + 2).min(self.height) {
                for nx in x.saturating_sub(1)..(x + 2).min(self.width) {
                    let near = ny * self.width + nx;
                    if self.used[near] {
                        continue;
                    }
                    let (gx, gy) = self.gradient[near];
                    let (magnitude, mean) = (self.magnitude(near), (sum_x * sum_x + sum_y * sum_y).sqrt());
                    if gx * sum_x + gy * sum_y > ALIGNED * magnitude * mean {
                        self.used[near] = true;
                        region.push(near);
                        sum_x += gx / magnitude;
                        sum_y += gy / magnitude;
                    }
                }
            }
        }
        region
    }

    /// The line through a region, weighted by gradient; `None` if it is short or thick.
    fn segment(&self, region: &[usize], scale: f32) -> Option<Segment> {
        if (region.len() as f32) < MIN_LENGTH {
            return None;
        }
        let place = |at: &usize| ((at % self.width) as f32 + 0.5, (at / self.width) as f32 + 0.5);
        let (mut sum, mut cx, mut cy, mut gx, mut gy) = (0.0, 0.0, 0.0, 0.0, 0.0);
        for at in region {
            let ((x, y), w) = (place(at), self.magnitude(*at));
            (sum, cx, cy) = (sum + w, cx + w * x, cy + w * y);
            (gx, gy) = (gx + self.gradient[*at].0, gy + self.gradient[*at].1);
        }
        (cx, cy) = (cx / sum, cy / sum);
        let (mut xx, mut xy, mut yy) = (0.0, 0.0, 0.0);
        for at in region {
            let ((x, y), w) = (place(at), self.magnitude(*at));
            (xx, xy, yy) = (xx + w * (x - cx) * (x - cx), xy + w * (x - cx) * (y - cy), yy + w * (y - cy) * (y - cy));
        }
        let angle = 0.5 * (2.0 * xy).atan2(xx - yy);
        let (ux, uy) = (angle.cos(), angle.sin());
        let (mut first, mut last) = (f32::INFINITY, f32::NEG_INFINITY);
        for at in region {
            let (x, y) = place(at);
            let along = (x - cx) * ux + (y - cy) * uy;
            (first, last) = (first.min(along), last.max(along));
        }
        let across = if gx * -uy + gy * ux > 0.0 { (-uy, ux) } else { (uy, -ux) };
        let thickness = ((xx + yy - (xx * ux * ux + 2.0 * xy * ux * uy + yy * uy * uy)) / sum).max(0.0).sqrt();
        let length = last - first;
        let straight = length >= MIN_LENGTH && thickness < 1.5 + 0.02 * length && thickness < 0.15 * length;
        let end = |along: f32| Point::new((cx + along * ux) * scale, (cy + along * uy) * scale);
        straight.then(|| Segment { from: end(first), to: end(last), bright: Point::new(across.0, across.1) })
    }
}
