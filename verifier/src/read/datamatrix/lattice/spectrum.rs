//! Where modules repeat: the spectrum of a window over a grid of modules has two sharp peaks, square to each other, whatever
//! the modules are.

use super::relief::{FINE, Relief, Trace};
use crate::read::geometry::Point;
use rustfft::num_complex::Complex32;
use rustfft::{Fft, FftPlanner};
use std::sync::Arc;

/// Pixels along a window.
pub(super) const SIDE: usize = 64;
/// Frequencies, in cycles a window, at which modules are looked for: from 7.1 down to 2.1 pixels a module.
const FREQUENCIES: (f32, f32) = (9.0, 31.0);
/// Power of a peak beside what is usual at its frequency.
const PEAK: f32 = 4.5;
/// Peaks that are paired.
const MOST_PEAKS: usize = 8;
/// Pairs of peaks that a window may give for each trace.
const MOST_PAIRS: usize = 2;
/// Cosine of the angle between two peaks, and the ratio of their frequencies, beyond which they are not of one grid.
const ASLANT: f32 = 0.5;
const UNEQUAL: f32 = 1.8;
/// Mean steepness, in grey levels, below which a window is plain.
const PLAIN: f32 = 1.0;
/// How far a pixel may stand out, in means of its window.
const MOST_EXCESS: f32 = 2.5;

/// Cycles a pixel by which the waves of one grid may differ between neighbouring windows.
const SAME: f32 = 1.4 / SIDE as f32;

/// A supposed grid.
#[derive(Debug, Clone, Copy)]
pub(super) struct Seed {
    /// Middle of the window, in pixels of the plane.
    pub(super) at: Point,
    /// Cycles a pixel, for both axes.
    pub(super) frequencies: [Point; 2],
    pub(super) trace: Trace,
    /// Power of the weaker of both peaks.
    pub(super) strength: f32,
}

/// Looks at windows.
pub(super) struct Spectra {
    fft: Arc<dyn Fft<f32>>,
    taper: Vec<f32>,
    cells: Vec<Complex32>,
    turned: Vec<Complex32>,
    scratch: Vec<Complex32>,
}

impl Seed {
    /// Whether `other` may be of the same grid, seen a window away.
    pub(super) fn agrees(&self, other: &Self) -> bool {
        let near = |f: Point, g: Point| (f.x - g.x).hypot(f.y - g.y).min((f.x + g.x).hypot(f.y + g.y)) < SAME;
        let ([a, b], [c, d]) = (self.frequencies, other.frequencies);
        (near(a, c) && near(b, d)) || (near(a, d) && near(b, c))
    }
}

impl Spectra {
    pub(super) fn new() -> Self {
        let fft = FftPlanner::new().plan_fft_forward(SIDE);
        let hann = |i: usize| 0.5 - 0.5 * (std::f32::consts::TAU * (i as f32 + 0.5) / SIDE as f32).cos();
        let scratch = vec![Complex32::default(); fft.get_inplace_scratch_len()];
        let cells = vec![Complex32::default(); SIDE * SIDE];
        Self { fft, taper: (0..SIDE).map(hann).collect(), turned: cells.clone(), cells, scratch }
    }

    /// The grids that the window with its first pixel at (`left`, `top`) may show.
    pub(super) fn seeds(&mut self, relief: &Relief<'_>, (left, top): (usize, usize), found: &mut Vec<Seed>) {
        let window = |trace: Trace| {
            let (pixels, _) = relief.trace(trace);
            (top..top + SIDE).map(move |y| &pixels[y * relief.width + left..][..SIDE])
        };
        let mean = |trace: Trace| {
            let sum: u32 = window(trace).flatten().map(|p| u32::from(*p)).sum();
            sum as f32 / (SIDE * SIDE) as f32
        };
        let steepness = mean(Trace::Edges);
        if steepness < FINE * PLAIN {
            return;
        }
        let tone = mean(Trace::Tones);
        let spread = window(Trace::Tones).flatten().map(|p| (f32::from(*p) - tone).abs()).sum::<f32>();
        let spread = (spread / (SIDE * SIDE) as f32).max(1.0);
        let bend = mean(Trace::Bends).max(1.0);
        // What stands out by far is no module.
        let excess = |value: u8, mean: f32| (f32::from(value) / mean).min(MOST_EXCESS) - 1.0;
        let at = Point::new((left + SIDE / 2) as f32, (top + SIDE / 2) as f32);
        let mut add = |seeds: &mut Self, trace: Trace, part: Part| {
            let pairs = pairs(&peaks(&seeds.power(part)));
            found.extend(pairs.into_iter().map(|(frequencies, strength)| Seed { at, frequencies, trace, strength }));
        };
        // Two real pictures at once, as the real and the imaginary part of one.
        let tones = |value: u8| ((f32::from(value) - tone) / spread).clamp(-2.0, 2.0);
        self.transform(window(Trace::Edges), |e| excess(e, steepness), window(Trace::Tones), tones);
        add(self, Trace::Edges, Part::Real);
        add(self, Trace::Tones, Part::Imaginary);
        self.transform(window(Trace::Bends), |b| excess(b, bend), window(Trace::Bends), |_| 0.0);
        add(self, Trace::Bends, Part::Real);
    }

    /// The spectrum of two pictures, tapered.
    fn transform<'p>(
        &mut self,
        real: impl Iterator<Item = &'p [u8]>,
        to_real: impl Fn(u8) -> f32,
        imaginary: impl Iterator<Item = &'p [u8]>,
        to_imaginary: impl Fn(u8) -> f32,
    ) {
        let rows = self.cells.chunks_exact_mut(SIDE).zip(&self.taper);
        for ((cells, down), (re, im)) in rows.zip(real.zip(imaginary)) {
            for (((cell, across), re), im) in cells.iter_mut().zip(&self.taper).zip(re).zip(im) {
                let taper = down * across;
                *cell = Complex32::new(taper * to_real(*re), taper * to_imaginary(*im));
            }
        }
        for _ in 0..2 {
            self.fft.process_with_scratch(&mut self.cells, &mut self.scratch);
            for (i, cell) in self.cells.iter().enumerate() {
                self.turned[i % SIDE * SIDE + i / SIDE] = *cell;
            }
            std::mem::swap(&mut self.cells, &mut self.turned);
        }
    }

    /// Power at each frequency, of half of the plane, the zero frequency in the middle of the first row.
    fn power(&self, part: Part) -> Vec<f32> {
        let half = SIDE / 2;
        let mut out = vec![0.0; SIDE * (half + 1)];
        for v in 0..=half {
            for x in 0..SIDE {
                let u = (x + half) % SIDE;
                let (here, there) =
                    (self.cells[v * SIDE + u], self.cells[(SIDE - v) % SIDE * SIDE + (SIDE - u) % SIDE]);
                let own = match part {
                    Part::Real => here + there.conj(),
                    Part::Imaginary => here - there.conj(),
                };
                out[v * SIDE + x] = own.norm_sqr();
            }
        }
        out
    }
}

/// Whether a wave, in cycles a window, may be that of the blocks of JPEG, which are a grid, too.
fn blocks(fx: f32, fy: f32) -> bool {
    let (along, across) = (fx.abs().max(fy.abs()), fx.abs().min(fy.abs()));
    across < 0.4 && (along - (along / 8.0).round() * 8.0).abs() < 0.5
}

/// Which of the two pictures of a transform.
#[derive(Clone, Copy)]
enum Part {
    Real,
    Imaginary,
}

/// A peak of the spectrum: cycles a pixel, and its power beside what is usual there.
type Peak = (Point, f32);

/// The highest peaks, beside the usual power at their frequency.
fn peaks(power: &[f32]) -> Vec<Peak> {
    let half = SIDE as i32 / 2;
    let ring = |x: i32, v: i32| ((x - half) as f32).hypot(v as f32);
    let rings = SIDE;
    let (mut sums, mut counts) = (vec![0.0f32; rings], vec![0.0f32; rings]);
    for v in 0..=half {
        for x in 0..SIDE as i32 {
            let at = ring(x, v) as usize;
            sums[at] += power[v as usize * SIDE + x as usize];
            counts[at] += 1.0;
        }
    }
    let usual = |radius: f32| {
        let rings = (radius as usize).saturating_sub(1)..=(radius as usize + 1).min(rings - 1);
        let (sum, count) = rings.fold((0.0, 0.0), |(s, c), i| (s + sums[i], c + counts[i]));
        sum / f32::max(count, 1.0)
    };
    let at = |x: i32, v: i32| {
        // Beyond the half plane the spectrum is its own mirror picture.
        let (x, v) = if v < 0 { (2 * half - x, -v) } else { (x, v) };
        power.get(v as usize * SIDE + x.rem_euclid(SIDE as i32) as usize).copied().unwrap_or(0.0)
    };
    let mut found: Vec<Peak> = Vec::new();
    for v in 0..half {
        for x in 0..SIDE as i32 {
            let radius = ring(x, v);
            if radius < FREQUENCIES.0 || radius > FREQUENCIES.1 || (v == 0 && x < half) {
                continue;
            }
            let here = at(x, v);
            let around = (-1..=1).flat_map(|dv| (-1..=1).map(move |dx| (dx, dv))).filter(|d| *d != (0, 0));
            let highest = around.map(|(dx, dv)| at(x + dx, v + dv)).fold(0.0, f32::max);
            let relative = here / usual(radius).max(f32::MIN_POSITIVE);
            if here < highest || relative < PEAK {
                continue;
            }
            let offset = |before: f32, after: f32| {
                // Of the amplitudes, whose peak is nearer to a parabola.
                let (b, h, a) = (before.sqrt(), here.sqrt(), after.sqrt());
                let bend = b - 2.0 * h + a;
                if bend < 0.0 { (0.5 * (b - a) / bend).clamp(-0.5, 0.5) } else { 0.0 }
            };
            let fx = (x - half) as f32 + offset(at(x - 1, v), at(x + 1, v));
            let fy = v as f32 + offset(at(x, v - 1), at(x, v + 1));
            let relative = if blocks(fx, fy) { 0.25 * relative } else { relative };
            if relative > PEAK {
                found.push((Point::new(fx / SIDE as f32, fy / SIDE as f32), relative));
            }
        }
    }
    found.sort_by(|a, b| b.1.total_cmp(&a.1));
    found.truncate(MOST_PEAKS);
    found
}

/// The peaks that make the likeliest grids, two by two, and the power of the weaker one; none is in two grids.
fn pairs(peaks: &[Peak]) -> Vec<([Point; 2], f32)> {
    let mut weighed: Vec<(f32, usize, usize)> = Vec::new();
    for (i, (f, p)) in peaks.iter().enumerate() {
        for (j, (g, q)) in peaks.iter().enumerate().skip(i + 1) {
            let (a, b) = (f.x.hypot(f.y), g.x.hypot(g.y));
            let aslant = (f.x * g.x + f.y * g.y).abs() / (a * b);
            if aslant < ASLANT && a < UNEQUAL * b && b < UNEQUAL * a {
                // Of a grid and its diagonals the longer period is the grid.
                weighed.push((p.min(*q) * (1.0 - aslant * aslant) / (a * b), i, j));
            }
        }
    }
    weighed.sort_by(|a, b| b.0.total_cmp(&a.0));
    let mut out = Vec::new();
    let mut used = [false; MOST_PEAKS];
    for (_, i, j) in weighed {
        if !used[i] && !used[j] && out.len() < MOST_PAIRS {
            (used[i], used[j]) = (true, true);
            out.push(([peaks[i].0, peaks[j].0], peaks[i].1.min(peaks[j].1)));
        }
    }
    out
}
