//! A grey picture made ready for reading: sums for local means, interpolation, smaller and smoother versions.

use super::Luma;
use super::geometry::Point;
use super::tones::{self, Tones};
use super::work::Work;
use std::borrow::Cow;
use std::cell::OnceCell;

/// A picture, with its integral image once it is asked for a mean.
#[derive(Debug)]
pub(crate) struct Picture<'a> {
    pub(crate) width: usize,
    pub(crate) height: usize,
    luma: Cow<'a, Luma>,
    /// Sums of all pixels above and to the left, modulo 2^32: differences over less than 2^24 pixels are exact.
    sums: OnceCell<Vec<u32>>,
    work: Work,
}

impl<'a> Picture<'a> {
    /// `None` for a picture too small to hold a symbol.
    pub(crate) fn new(luma: Cow<'a, Luma>) -> Option<Self> {
        let (width, height) = (luma.width, luma.height);
        let whole = width >= 8 && height >= 8 && luma.data.len() == width * height;
        whole.then(|| Self { width, height, luma, sums: OnceCell::new(), work: Work::unlimited() })
    }

    /// The same, counting what is looked at.
    pub(crate) fn counted(self, work: &Work) -> Self {
        Self { work: work.clone(), ..self }
    }

    /// Where what is looked at is counted.
    pub(crate) fn work(&self) -> &Work {
        &self.work
    }

    /// Its pixels.
    pub(crate) fn luma(&self) -> &Luma {
        &self.luma
    }

    fn sums(&self) -> &[u32] {
        self.sums.get_or_init(|| {
            integral(self.luma.data.chunks_exact(self.width).map(|row| row.iter().copied()), self.width)
        })
    }

    /// The mean of the pixels at most `radius` away from pixel (x, y) in both directions.
    pub(crate) fn mean(&self, x: usize, y: usize, radius: usize) -> f32 {
        let (left, right) = (x.saturating_sub(radius).min(self.width - 1), (x + radius + 1).min(self.width));
        let (top, bottom) = (y.saturating_sub(radius).min(self.height - 1), (y + radius + 1).min(self.height));
        let sums = self.sums();
        let at = |x: usize, y: usize| sums.get(y * (self.width + 1) + x).copied().unwrap_or(0);
        let sum =
            at(right, bottom).wrapping_sub(at(left, bottom)).wrapping_sub(at(right, top)).wrapping_add(at(left, top));
        sum as f32 / ((right - left) * (bottom - top)) as f32
    }

    /// The grey level at a point, between the four pixels around it; that of the nearest pixel beyond the edge.
    pub(crate) fn sample(&self, p: Point) -> f32 {
        self.work.look();
        let x = (p.x - 0.5).clamp(0.0, (self.width - 1) as f32);
        let y = (p.y - 0.5).clamp(0.0, (self.height - 1) as f32);
        let (x0, y0) = (x as usize, y as usize);
        let (fx, fy) = (x - x0 as f32, y - y0 as f32);
        let (x1, y1) = ((x0 + 1).min(self.width - 1), (y0 + 1).min(self.height - 1));
        let at = |x: usize, y: usize| f32::from(self.luma.data.get(y * self.width + x).copied().unwrap_or(0));
        let top = at(x0, y0) + (at(x1, y0) - at(x0, y0)) * fx;
        let bottom = at(x0, y1) + (at(x1, y1) - at(x0, y1)) * fx;
        top + (bottom - top) * fy
    }

    /// The grey level at a point less the mean around it: what is left when light and shade are taken away.
    pub(crate) fn flattened(&self, p: Point, radius: usize) -> f32 {
        let (x, y) = (p.x.max(0.0) as usize, p.y.max(0.0) as usize);
        self.sample(p) - self.mean(x.min(self.width - 1), y.min(self.height - 1), radius)
    }

    /// Whether a point lies in the picture.
    pub(crate) fn contains(&self, p: Point) -> bool {
        p.x >= 0.0 && p.y >= 0.0 && p.x <= self.width as f32 && p.y <= self.height as f32
    }

    /// What is darker and what is lighter than the mean within about `radius`.
    pub(crate) fn threshold(&self, radius: usize) -> Tones {
        self.work.pass(self.luma.data.len());
        tones::threshold(&self.luma.data, self.width, radius)
    }
}

/// Sums of all values above and to the left of each place, with a column and a row of zeros before the first; modulo 2^32.
pub(super) fn integral(rows: impl Iterator<Item = impl Iterator<Item = impl Into<u32>>>, width: usize) -> Vec<u32> {
    let stride = width + 1;
    let mut sums = vec![0u32; stride];
    for row in rows {
        let above = sums.len() - stride;
        let (mut sum, start) = (0u32, sums.len());
        sums.resize(start + stride, 0);
        let (known, new) = sums.split_at_mut(start);
        for ((out, up), value) in new.iter_mut().zip(&known[above..]).skip(1).zip(row) {
            sum = sum.wrapping_add(value.into());
            *out = up.wrapping_add(sum);
        }
    }
    sums
}

impl Luma {
    /// The part around a quadrilateral, with a margin as a share of its size, and where its first pixel is; `None` if no
    /// pixel is left.
    pub(crate) fn around(&self, corners: &[Point; 4], margin: f32) -> Option<(Self, Point)> {
        let span = |values: [f32; 4], most: usize| {
            let (low, high) =
                values.iter().fold((f32::INFINITY, f32::NEG_INFINITY), |(l, h), v| (l.min(*v), h.max(*v)));
            let more = margin * (high - low) + 4.0;
            // Out of range and NaN become 0 or the far end.
            ((low - more).max(0.0) as usize, ((high + more).max(0.0) as usize).min(most))
        };
        let (left, right) = span(corners.map(|c| c.x), self.width);
        let (top, bottom) = span(corners.map(|c| c.y), self.height);
        if right.saturating_sub(left) < 8
            || bottom.saturating_sub(top) < 8
            || self.data.len() != self.width * self.height
        {
            return None;
        }
        let rows = self.data.chunks_exact(self.width).skip(top).take(bottom - top);
        let data = rows.flat_map(|row| row.iter().take(right).skip(left)).copied().collect();
        Some((Self { width: right - left, height: bottom - top, data }, Point::new(left as f32, top as f32)))
    }

    /// Half the size: each pixel the mean of four.
    pub(crate) fn halved(&self) -> Self {
        let (width, height) = (self.width / 2, self.height / 2);
        let mut data = Vec::with_capacity(width * height);
        for rows in self.data.chunks_exact(self.width.max(1) * 2).take(height) {
            let (upper, lower) = rows.split_at(self.width);
            let pairs = upper.as_chunks::<2>().0.iter().zip(lower.as_chunks::<2>().0);
            // Two pixels are one number: its halves are added without being taken apart, many pairs at a time.
            let sum = |pair: &[u8; 2]| {
                let both = u16::from_le_bytes(*pair);
                (both & 0xFF) + (both >> 8)
            };
            data.extend(pairs.map(|(a, b)| ((sum(a) + sum(b) + 2) >> 2) as u8));
        }
        Self { width, height, data }
    }

    /// Twice the size, interpolated: what small symbols need to be found by whole pixels.
    pub(crate) fn doubled(&self) -> Self {
        let (width, height) = (self.width * 2, self.height * 2);
        let at = |x: usize, y: usize| u16::from(self.data.get(y * self.width + x).copied().unwrap_or(0));
        let mut data = Vec::with_capacity(width * height);
        for y in 0..height {
            // A new pixel's centre lies a quarter of an old one beside the nearest.
            let (y0, y1) =
                (y / 2, if y % 2 == 0 { (y / 2).saturating_sub(1) } else { (y / 2 + 1).min(self.height - 1) });
            for x in 0..width {
                let (x0, x1) =
                    (x / 2, if x % 2 == 0 { (x / 2).saturating_sub(1) } else { (x / 2 + 1).min(self.width - 1) });
                data.push(((9 * at(x0, y0) + 3 * at(x1, y0) + 3 * at(x0, y1) + at(x1, y1) + 8) / 16) as u8);
            }
        }
        Self { width, height, data }
    }

    /// Each pixel the mean of the square of `2 * radius + 1` pixels around it, twice over: close to a Gaussian.
    pub(crate) fn blurred(&self, radius: usize) -> Self {
        self.boxed(radius).boxed(radius)
    }

    fn boxed(&self, radius: usize) -> Self {
        let (width, height) = (self.width, self.height);
        let row = |y: usize| self.data.get(y * width..(y + 1) * width).unwrap_or_default();
        // Sums of the columns of the rows around the one that is made.
        let mut columns = vec![0u32; width];
        let add = |columns: &mut [u32], y| columns.iter_mut().zip(row(y)).for_each(|(sum, v)| *sum += u32::from(*v));
        (0..radius.min(height)).for_each(|y| add(&mut columns, y));
        let mut data = Vec::with_capacity(width * height);
        for y in 0..height {
            if y + radius < height {
                add(&mut columns, y + radius);
            }
            if let Some(gone) = y.checked_sub(radius + 1) {
                columns.iter_mut().zip(row(gone)).for_each(|(sum, v)| *sum -= u32::from(*v));
            }
            let rows = (y + radius + 1).min(height) - y.saturating_sub(radius);
            let mut sum: u32 = columns.iter().take(radius).sum();
            data.extend((0..width).map(|x| {
                sum += columns.get(x + radius).copied().unwrap_or(0);
                sum -= x.checked_sub(radius + 1).and_then(|x| columns.get(x)).copied().unwrap_or(0);
                let across = (x + radius + 1).min(width) - x.saturating_sub(radius);
                (sum / (rows * across) as u32) as u8
            }));
        }
        Self { width, height, data }
    }
}
