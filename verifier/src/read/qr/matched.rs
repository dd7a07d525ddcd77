//! Finder patterns by their look as a whole, where no row of pixels shows their runs: faint, out of focus, noisy or covered
//! in part. A disc with the mean profile of a finder pattern at any turn is held against every place at every size; what
//! comes near is then held against the pattern itself.

use super::finder::Finder;
use super::target::Sums;
use super::turned::Turned;
use crate::read::geometry::Point;
use crate::read::picture::Picture;

/// Pixels a module at which the picture is searched.
const FINE: f32 = 2.0;
/// Smallest and largest module, in pixels of the picture, and the ratio of one size to the next.
const SMALLEST: f32 = 1.2;
const LARGEST: f32 = 24.0;
const RATIO: f32 = 1.2;
/// Radius of the disc, in modules.
const RADIUS: f32 = 4.4;
/// Correlation with the disc from which on a place is looked at.
const NEAR: f32 = 0.3;
/// Places of a picture that are looked at, those that come nearest.
const MOST_PLACES: usize = 120;
/// Correlation with a finder pattern below which there is none.
const CLEAR: f32 = 0.4;
/// Largest copy of the picture that is searched, in pixels.
const MOST_PIXELS: f32 = 3_500_000.0;

/// What looks like a finder pattern, the likeliest first, at most `most`.
pub(super) fn finders(picture: &Picture<'_>, reversed: bool, most: usize) -> Vec<Turned> {
    let mut places: Vec<(f32, Finder)> = Vec::new();
    let mut module = SMALLEST;
    let largest = LARGEST.min(picture.width.min(picture.height) as f32 / 20.0);
    while module < largest {
        let scale = module / FINE;
        if (picture.width * picture.height) as f32 / (scale * scale) < MOST_PIXELS {
            places.extend(Copy::of(picture, scale).peaks(reversed).into_iter().map(|(score, x, y)| {
                let centre = Point::new((x as f32 + 0.5) * scale, (y as f32 + 0.5) * scale);
                (score, Finder { centre, module, hits: 0.0 })
            }));
        }
        module *= RATIO;
    }
    places.sort_by(|a, b| b.0.total_cmp(&a.0));
    let mut apart: Vec<Finder> = Vec::new();
    for (_, place) in places {
        if apart.len() < MOST_PLACES && !apart.iter().any(|known| same(known, &place)) {
            apart.push(place);
        }
    }
    let mut out: Vec<Turned> = apart.iter().map(|place| oriented(picture, reversed, place)).collect();
    out.retain(|seen| seen.score > CLEAR);
    out.sort_by(|a, b| b.score.total_cmp(&a.score));
    let mut kept: Vec<Turned> = Vec::new();
    for seen in out {
        if kept.len() < most && !kept.iter().any(|known| same(&known.finder, &seen.finder)) {
            kept.push(seen);
        }
    }
    kept
}

fn same(a: &Finder, b: &Finder) -> bool {
    a.centre.distance(b.centre) < 2.0 * a.module.max(b.module) && (0.6..1.67).contains(&(a.module / b.module))
}

/// The pattern near a place: where, how large and how turned it correlates the most.
fn oriented(picture: &Picture<'_>, reversed: bool, place: &Finder) -> Turned {
    let score = |finder: &Finder, angle: f32| {
        let (sin, cos) = angle.sin_cos();
        let mut sums = Sums::default();
        for (u, v) in (-4i32..=4).flat_map(|v| (-4i32..=4).map(move |u| (u, v))) {
            let (a, b) = (u as f32 * finder.module, v as f32 * finder.module);
            let at = Point::new(finder.centre.x + a * cos - b * sin, finder.centre.y + a * sin + b * cos);
            let away = u.abs().max(v.abs());
            let grey = picture.sample(at);
            sums.add(away != 2 && away != 4, if reversed { grey } else { -grey });
        }
        sums.correlation()
    };
    let mut best = Turned { finder: *place, angle: 0.0, score: -1.0 };
    for turn in 0..9 {
        let angle = std::f32::consts::FRAC_PI_2 * turn as f32 / 9.0;
        for size in [0.88, 1.0, 1.13] {
            let finder = Finder { module: place.module * size, ..*place };
            let score = score(&finder, angle);
            if score > best.score {
                best = Turned { finder, angle, score };
            }
        }
    }
    let mut step = 0.5;
    while step > 0.1 {
        let (module, before) = (best.finder.module, best.score);
        for (dx, dy, turn, grow) in [
            (1.0, 0.0, 0.0, 0.0),
            (-1.0, 0.0, 0.0, 0.0),
            (0.0, 1.0, 0.0, 0.0),
            (0.0, -1.0, 0.0, 0.0),
            (0.0, 0.0, 0.15, 0.0),
            (0.0, 0.0, -0.15, 0.0),
            (0.0, 0.0, 0.0, 0.1),
            (0.0, 0.0, 0.0, -0.1),
        ] {
            let centre =
                Point::new(best.finder.centre.x + dx * step * module, best.finder.centre.y + dy * step * module);
            let finder = Finder { centre, module: best.finder.module * (1.0 + grow * step), ..best.finder };
            let angle = best.angle + turn * step;
            let score = score(&finder, angle);
            if score > best.score {
                best = Turned { finder, angle, score };
            }
        }
        if best.score <= before {
            step /= 2.0;
        }
    }
    best.angle = best.angle.rem_euclid(std::f32::consts::FRAC_PI_2);
    // What is seen by all rows through it.
    best.finder.hits = 3.0 * best.finder.module * best.score;
    best
}

/// The picture at another size, with sums for means and deviations.
struct Copy {
    width: usize,
    height: usize,
    levels: Vec<f32>,
}

impl Copy {
    /// Each pixel the mean of the `scale` by `scale` pixels of the picture that it stands for.
    fn of(picture: &Picture<'_>, scale: f32) -> Self {
        let (width, height) = ((picture.width as f32 / scale) as usize, (picture.height as f32 / scale) as usize);
        let radius = (0.5 * (scale - 1.0)).round().max(0.0) as usize;
        let level = |i: usize| {
            let p = Point::new(((i % width) as f32 + 0.5) * scale, ((i / width) as f32 + 0.5) * scale);
            if radius == 0 { picture.sample(p) } else { picture.mean(p.x as usize, p.y as usize, radius) }
        };
        Self { width, height, levels: (0..width * height).map(level).collect() }
    }

    /// Where the disc correlates more than at the places around it: the correlation, column and row.
    fn peaks(&self, reversed: bool) -> Vec<(f32, usize, usize)> {
        let (taps, energy) = taps();
        let reach = (RADIUS * FINE) as usize;
        let (width, height) = (self.width, self.height);
        if width <= 2 * reach || height <= 2 * reach {
            return Vec::new();
        }
        let sign = if reversed { 1.0 } else { -1.0 };
        let across = width - 2 * reach;
        let mut rows: Vec<Vec<f32>> = Vec::with_capacity(height - 2 * reach);
        let sums = self.sums();
        for y in reach..height - reach {
            let mut line = vec![0f32; across];
            for (dx, dy, tap) in &taps {
                let start = y.wrapping_add_signed(*dy) * width + reach.wrapping_add_signed(*dx);
                let part = self.levels.get(start..start + across).unwrap_or_default();
                line.iter_mut().zip(part).for_each(|(sum, level)| *sum += tap * level);
            }
            for (x, value) in line.iter_mut().enumerate() {
                *value *= sign / (energy * self.deviation(&sums, x + reach, y, reach)).max(1e-6);
            }
            rows.push(line);
        }
        let at = |x: usize, y: usize| rows.get(y).and_then(|row| row.get(x)).copied().unwrap_or(-1.0);
        let mut out = Vec::new();
        for (x, y) in (0..rows.len()).flat_map(|y| (0..across).map(move |x| (x, y))) {
            let here = at(x, y);
            if here > NEAR {
                let around = (-1isize..=1).flat_map(|v| (-1isize..=1).map(move |u| (u, v)));
                let highest =
                    around.map(|(u, v)| at(x.wrapping_add_signed(u), y.wrapping_add_signed(v))).fold(-1.0, f32::max);
                if here >= highest {
                    out.push((here, x + reach, y + reach));
                }
            }
        }
        out.sort_by(|a, b| b.0.total_cmp(&a.0));
        out.truncate(2 * MOST_PLACES);
        out
    }

    /// Sums of levels and of their squares above and to the left of each place.
    fn sums(&self) -> Vec<(f64, f64)> {
        let stride = self.width + 1;
        let mut sums = vec![(0.0, 0.0); stride * (self.height + 1)];
        for (y, row) in self.levels.chunks_exact(self.width).enumerate() {
            let mut sum = (0.0, 0.0);
            for (x, level) in row.iter().map(|level| f64::from(*level)).enumerate() {
                sum = (sum.0 + level, sum.1 + level * level);
                let above = sums[y * stride + x + 1];
                sums[(y + 1) * stride + x + 1] = (above.0 + sum.0, above.1 + sum.1);
            }
        }
        sums
    }

    /// The standard deviation of the levels around a place.
    fn deviation(&self, sums: &[(f64, f64)], x: usize, y: usize, reach: usize) -> f32 {
        let at = |x: usize, y: usize| sums[y * (self.width + 1) + x];
        let (left, right, top, bottom) = (x - reach, x + reach + 1, y - reach, y + reach + 1);
        let over = |part: fn((f64, f64)) -> f64| {
            part(at(right, bottom)) - part(at(left, bottom)) - part(at(right, top)) + part(at(left, top))
        };
        let n = ((2 * reach + 1) * (2 * reach + 1)) as f64;
        let (mean, squares) = (over(|sum| sum.0) / n, over(|sum| sum.1) / n);
        // Flat places have nothing to correlate with.
        (squares - mean * mean).max(1.0).sqrt() as f32
    }
}

/// The disc: how a finder pattern looks at each distance from its middle, over all turns, less its mean. And what makes the
/// sum over it a correlation, per standard deviation of what it is held against.
fn taps() -> (Vec<(isize, isize, f32)>, f32) {
    let reach = (RADIUS * FINE) as isize;
    let mut taps: Vec<(isize, isize, f32)> = Vec::new();
    for (dx, dy) in (-reach..=reach).flat_map(|dy| (-reach..=reach).map(move |dx| (dx, dy))) {
        let away = (dx as f32).hypot(dy as f32) / FINE;
        if away <= RADIUS {
            let turns = 24;
            let dark = (0..turns).filter(|turn| {
                let (sin, cos) = (std::f32::consts::FRAC_PI_2 * *turn as f32 / turns as f32).sin_cos();
                let ring = away * cos.abs().max(sin.abs());
                ring < 1.5 || (2.5..3.5).contains(&ring)
            });
            taps.push((dx, dy, dark.count() as f32 / turns as f32));
        }
    }
    let mean = taps.iter().map(|(_, _, tap)| tap).sum::<f32>() / taps.len() as f32;
    taps.iter_mut().for_each(|(_, _, tap)| *tap -= mean);
    let energy = taps.iter().map(|(_, _, tap)| tap * tap).sum::<f32>().sqrt();
    let count = taps.len() as f32;
    (taps, energy * count.sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::read::Luma;
    use std::borrow::Cow;

    /// A faint finder pattern of 5 pixels a module under noise, turned, out of focus.
    fn faint(angle: f32, reversed: bool) -> Luma {
        let (sin, cos) = angle.sin_cos();
        let level = |x: f32, y: f32| {
            let (u, v) = ((x * cos + y * sin) / 5.0, (y * cos - x * sin) / 5.0);
            let ring = u.abs().max(v.abs());
            let dark = ring < 1.5 || (2.5..3.5).contains(&ring);
            if dark == reversed { 128.0 } else { 118.0 }
        };
        let pixel = |i: usize| {
            let (x, y) = ((i % 160) as f32 - 90.0, (i / 160) as f32 - 70.0);
            let around = (0..25).map(|n| level(x + (n % 5) as f32 - 1.5, y + (n / 5) as f32 - 1.5)).sum::<f32>() / 25.0;
            let noise = ((i as u32).wrapping_mul(2_654_435_761) >> 16) % 13;
            (around + noise as f32 - 6.0) as u8
        };
        Luma { width: 160, height: 140, data: (0..160 * 140).map(pixel).collect() }
    }

    #[test]
    fn a_faint_finder_pattern_is_seen_at_any_turn() {
        for (angle, reversed) in [(0.0, false), (0.3, true), (0.8, false), (1.3, true)] {
            let luma = faint(angle, reversed);
            let picture = Picture::new(Cow::Borrowed(&luma)).unwrap();
            let seen = finders(&picture, reversed, 5);
            let best = seen.first().unwrap_or_else(|| panic!("nothing at {angle}"));
            assert!(best.finder.centre.distance(Point::new(90.5, 70.5)) < 2.5, "{:?}", best.finder);
            assert!((4.4..5.6).contains(&best.finder.module), "{:?}", best.finder);
            let quarter = std::f32::consts::FRAC_PI_2;
            let off = (best.angle - angle).rem_euclid(quarter);
            assert!(off.min(quarter - off) < 0.15, "{angle}: {}", best.angle);
        }
    }

    #[test]
    fn small_and_blank_pictures_show_none() {
        for (width, height) in [(8, 8), (40, 9), (100, 100)] {
            let luma = Luma { width, height, data: vec![77; width * height] };
            assert!(finders(&Picture::new(Cow::Borrowed(&luma)).unwrap(), false, 9).is_empty());
        }
    }
}
