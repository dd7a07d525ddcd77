//! A grey picture made ready for reading: sums for local means, interpolation, smaller and smoother versions.

use super::Luma;
use super::geometry::Point;

/// A picture with its integral image.
#[derive(Debug)]
pub(crate) struct Picture {
    pub(crate) width: usize,
    pub(crate) height: usize,
    data: Vec<u8>,
    /// Sums of all pixels above and to the left, modulo 2^32: differences over less than 2^24 pixels are exact.
    sums: Vec<u32>,
}

/// Dark pixels of a picture, row by row.
#[derive(Debug)]
pub(crate) struct Bits {
    pub(crate) width: usize,
    pub(crate) height: usize,
    pub(crate) dark: Vec<bool>,
}

impl Bits {
    pub(crate) fn at(&self, x: usize, y: usize) -> bool {
        self.dark.get(y * self.width + x).copied().unwrap_or(false)
    }
}

impl Picture {
    /// `None` for a picture too small to hold a symbol.
    pub(crate) fn new(luma: &Luma) -> Option<Self> {
        let (width, height) = (luma.width, luma.height);
        if width < 8 || height < 8 || luma.data.len() != width * height {
            return None;
        }
        let stride = width + 1;
        let mut sums = vec![0u32; stride * (height + 1)];
        for (y, row) in luma.data.chunks_exact(width).enumerate() {
            let (above, below) = sums.split_at_mut((y + 1) * stride);
            let above = above.get(y * stride..).unwrap_or_default();
            let mut sum = 0u32;
            for (x, value) in row.iter().enumerate() {
                sum = sum.wrapping_add(u32::from(*value));
                below[x + 1] = above[x + 1].wrapping_add(sum);
            }
        }
        Some(Self { width, height, data: luma.data.clone(), sums })
    }

    /// The mean of the pixels at most `radius` away from pixel (x, y) in both directions.
    pub(crate) fn mean(&self, x: usize, y: usize, radius: usize) -> f32 {
        let (left, right) = (x.saturating_sub(radius).min(self.width - 1), (x + radius + 1).min(self.width));
        let (top, bottom) = (y.saturating_sub(radius).min(self.height - 1), (y + radius + 1).min(self.height));
        let at = |x: usize, y: usize| self.sums.get(y * (self.width + 1) + x).copied().unwrap_or(0);
        let sum =
            at(right, bottom).wrapping_sub(at(left, bottom)).wrapping_sub(at(right, top)).wrapping_add(at(left, top));
        sum as f32 / ((right - left) * (bottom - top)) as f32
    }

    /// The grey level at a point, between the four pixels around it; that of the nearest pixel beyond the edge.
    pub(crate) fn sample(&self, p: Point) -> f32 {
        let x = (p.x - 0.5).clamp(0.0, (self.width - 1) as f32);
        let y = (p.y - 0.5).clamp(0.0, (self.height - 1) as f32);
        let (x0, y0) = (x as usize, y as usize);
        let (fx, fy) = (x - x0 as f32, y - y0 as f32);
        let (x1, y1) = ((x0 + 1).min(self.width - 1), (y0 + 1).min(self.height - 1));
        let at = |x: usize, y: usize| f32::from(self.data.get(y * self.width + x).copied().unwrap_or(0));
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

    /// Pixels darker than the mean within `radius`; with `reversed` those that are lighter.
    pub(crate) fn threshold(&self, radius: usize, reversed: bool) -> Bits {
        let (width, height) = (self.width, self.height);
        let mut dark = vec![false; width * height];
        let stride = width + 1;
        for y in 0..height {
            let (top, bottom) = (y.saturating_sub(radius), (y + radius + 1).min(height));
            let (upper, lower) = (&self.sums[top * stride..][..stride], &self.sums[bottom * stride..][..stride]);
            let row = &self.data[y * width..][..width];
            for (x, out) in dark[y * width..][..width].iter_mut().enumerate() {
                let (left, right) = (x.saturating_sub(radius), (x + radius + 1).min(width));
                let sum = lower[right].wrapping_sub(lower[left]).wrapping_sub(upper[right]).wrapping_add(upper[left]);
                let area = ((right - left) * (bottom - top)) as u32;
                let value = u32::from(row[x]) * area;
                // Two grey levels of margin keep flat areas from turning into noise.
                *out = if reversed { value > sum + 2 * area } else { value + 2 * area < sum };
            }
        }
        Bits { width, height, dark }
    }
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
            let pairs = upper.chunks_exact(2).zip(lower.chunks_exact(2));
            data.extend(
                pairs.map(|(a, b)| {
                    ((u16::from(a[0]) + u16::from(a[1]) + u16::from(b[0]) + u16::from(b[1]) + 2) / 4) as u8
                }),
            );
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
        let mut out = self.clone();
        for _ in 0..2 {
            let Some(picture) = Picture::new(&out) else { return out };
            for y in 0..out.height {
                for x in 0..out.width {
                    out.data[y * out.width + x] = picture.mean(x, y, radius) as u8;
                }
            }
        }
        out
    }
}
