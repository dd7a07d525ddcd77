//! Grey planes at several scales, sampled between pixels.

use crate::read::Luma;
use crate::read::geometry::Point;
use crate::read::work::Work;

/// A grey picture of reduced scale.
#[derive(Debug, Clone)]
pub(super) struct Plane {
    pub(super) width: usize,
    pub(super) height: usize,
    /// Pixels of the original along one pixel of this plane: a power of two, one half where it was enlarged.
    pub(super) scale: f32,
    pub(super) data: Vec<u8>,
    /// Where what is looked at is counted.
    pub(super) work: Work,
}

/// Larger pictures are refused.
const MAX_PIXELS: usize = 128 << 20;

impl Plane {
    /// The picture at full scale; `None` if it is empty or its data do not fit its dimensions.
    pub(super) fn from_luma(luma: &Luma) -> Option<Self> {
        let pixels = luma.width.checked_mul(luma.height)?;
        let fits = luma.width >= 3 && luma.height >= 3 && pixels <= MAX_PIXELS && luma.data.len() == pixels;
        let (width, height, scale) = (luma.width, luma.height, 1.0);
        fits.then(|| Self { width, height, scale, data: luma.data.clone(), work: Work::unlimited() })
    }

    /// The same, counting what is looked at.
    pub(super) fn counted(self, work: &Work) -> Self {
        Self { work: work.clone(), ..self }
    }

    /// Half the size: means of 2 by 2 pixels. `None` below 16 pixels.
    pub(super) fn halved(&self) -> Option<Self> {
        let (width, height) = (self.width / 2, self.height / 2);
        if width < 16 || height < 16 {
            return None;
        }
        let mut data = Vec::with_capacity(width * height);
        for rows in self.data.chunks_exact(2 * self.width).take(height) {
            let (upper, lower) = rows.split_at(self.width);
            for (a, b) in upper.chunks_exact(2).zip(lower.chunks_exact(2)) {
                let sum = u16::from(a[0]) + u16::from(a[1]) + u16::from(b[0]) + u16::from(b[1]);
                data.push(((sum + 2) / 4) as u8);
            }
        }
        Some(Self { width, height, scale: self.scale * 2.0, data, work: self.work.clone() })
    }

    /// Twice the size, by cubic interpolation (Catmull and Rom 1974).
    pub(super) fn doubled(&self) -> Self {
        let (width, height) = (2 * self.width, 2 * self.height);
        let mut rows = Vec::with_capacity(width * self.height);
        for row in self.data.chunks_exact(self.width) {
            rows.extend((0..width).map(|x| between(x, self.width, |x| f32::from(row[x]))));
        }
        let mut data = Vec::with_capacity(width * height);
        for y in 0..height {
            data.extend((0..width).map(|x| between(y, self.height, |y| rows[y * width + x]).round() as u8));
        }
        Self { width, height, scale: 0.5 * self.scale, data, work: self.work.clone() }
    }

    /// Smoothed by a binomial filter of 5 by 5 pixels (standard deviation 1 pixel).
    pub(super) fn smoothed(&self) -> Self {
        let mut rows = vec![0u16; self.data.len()];
        for (from, to) in self.data.chunks_exact(self.width).zip(rows.chunks_exact_mut(self.width)) {
            let at = |x: usize| u16::from(from[x.min(self.width - 1)]);
            for (x, to) in to.iter_mut().enumerate() {
                let (l2, l1) = (at(x.saturating_sub(2)), at(x.saturating_sub(1)));
                *to = l2 + 4 * l1 + 6 * at(x) + 4 * at(x + 1) + at(x + 2);
            }
        }
        let row = |y: usize| &rows[y * self.width..(y + 1) * self.width];
        let mut data = Vec::with_capacity(self.data.len());
        for y in 0..self.height {
            let last = self.height - 1;
            let taps = [y.saturating_sub(2), y.saturating_sub(1), y, (y + 1).min(last), (y + 2).min(last)].map(row);
            data.extend((0..self.width).map(|x| {
                let [a, b, c, d, e] = taps.map(|tap| u32::from(tap[x]));
                ((a + 4 * b + 6 * c + 4 * d + e + 128) / 256) as u8
            }));
        }
        Self { data, work: self.work.clone(), ..*self }
    }

    /// Grey level at a place in this plane's own pixels, linear between pixel centres, the edge continued outwards.
    pub(super) fn at(&self, x: f32, y: f32) -> f32 {
        self.work.look();
        let x = (x - 0.5).clamp(0.0, (self.width - 1) as f32);
        let y = (y - 0.5).clamp(0.0, (self.height - 1) as f32);
        // NaN casts to 0.
        let (left, top) = (x as usize, y as usize);
        let (right, bottom) = ((left + 1).min(self.width - 1), (top + 1).min(self.height - 1));
        let (fx, fy) = (x - left as f32, y - top as f32);
        let pixel = |x: usize, y: usize| f32::from(self.data[y * self.width + x]);
        let upper = pixel(left, top) + fx * (pixel(right, top) - pixel(left, top));
        let lower = pixel(left, bottom) + fx * (pixel(right, bottom) - pixel(left, bottom));
        upper + fy * (lower - upper)
    }

    /// Grey level at a place in pixels of the original.
    pub(super) fn at_original(&self, place: Point) -> f32 {
        self.at(place.x / self.scale, place.y / self.scale)
    }
}

/// The value of pixel `at` of a line of twice the length, from four of the `length` that there are.
fn between(at: usize, length: usize, value: impl Fn(usize) -> f32) -> f32 {
    // A quarter of a pixel after the middle of the pixel before, or before that of the one after.
    const WEIGHTS: [f32; 4] = [-0.070_312_5, 0.867_187_5, 0.226_562_5, -0.023_437_5];
    let nearest = (at / 2) as isize;
    let onwards = if at % 2 == 1 { 1 } else { -1 };
    let pixel = |step: isize| value((nearest + step * onwards).clamp(0, length as isize - 1) as usize);
    WEIGHTS.iter().zip([-1, 0, 1, 2]).map(|(weight, step)| weight * pixel(step)).sum()
}
