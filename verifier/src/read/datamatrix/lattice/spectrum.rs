//! Where modules repeat: the spectrum of a window over a grid of modules has two sharp peaks, square to each other, whatever
//! the modules are. Edges stand only where modules meet, so that squares show in the steepness of the picture; dots
//! that do not touch show in the picture itself.

use super::relief::Relief;
use crate::read::geometry::Point;
use rustfft::num_complex::Complex32;
use rustfft::{Fft, FftPlanner};
use std::sync::Arc;

/// Pixels along a window.
pub(super) const SIDE: usize = 64;
/// Frequencies, in cycles a window, at which modules are looked for: from 7.1 down to 2.1 pixels a module.
const FREQUENCIES: (f32, f32) = (9.0, 30.0);
/// Power of a peak beside what is usual at its frequency.
const PEAK: f32 = 6.0;
/// Peaks that are paired.
const MOST_PEAKS: usize = 8;
/// Cosine of the angle between two peaks, and the ratio of their frequencies, beyond which they are not of one grid.
const ASLANT: f32 = 0.5;
const UNEQUAL: f32 = 1.8;
/// Mean steepness, in grey levels, below which a window is plain.
const PLAIN: f32 = 1.2;

/// In what a grid shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trace {
    /// In how steep the picture is: squares.
    Edges,
    /// In the picture itself: dots.
    Tones,
}

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

impl Spectra {
    pub(super) fn new() -> Self {
        let fft = FftPlanner::new().plan_fft_forward(SIDE);
        let hann = |i: usize| 0.5 - 0.5 * (std::f32::consts::TAU * (i as f32 + 0.5) / SIDE as f32).cos();
        let scratch = vec![Complex32::default(); fft.get_inplace_scratch_len()];
        let cells = vec![Complex32::default(); SIDE * SIDE];
        Self { fft, taper: (0..SIDE).map(hann).collect(), turned: cells.clone(), cells, scratch }
    }

    /// The grids that the window with its first pixel at (`left`, `top`) may show.
    pub(super) fn seeds(&mut self, relief: &Relief<'_>, left: usize, top: usize) -> Vec<Seed> {
        if !self.load(relief, left, top) {
            return Vec::new();
        }
        // Two real pictures at once, as the real and the imaginary part of one.
        for _ in 0..2 {
            self.fft.process_with_scratch(&mut self.cells, &mut self.scratch);
            for (i, cell) in self.cells.iter().enumerate() {
                self.turned[i % SIDE * SIDE + i / SIDE] = *cell;
            }
            std::mem::swap(&mut self.cells, &mut self.turned);
        }
        let at = Point::new((left + SIDE / 2) as f32, (top + SIDE / 2) as f32);
        let part = |trace: Trace| {
            let power = self.power(trace);
            pair(&peaks(&power)).map(|(frequencies, strength)| Seed { at, frequencies, trace, strength })
        };
        [Trace::Edges, Trace::Tones].into_iter().filter_map(part).collect()
    }

    /// Fills the window; `false` if it is plain.
    fn load(&mut self, relief: &Relief<'_>, left: usize, top: usize) -> bool {
        let pixels = |plane: &[u8], y: usize| -> f32 {
            let row = &plane[(top + y) * relief.width + left..][..SIDE];
            row.iter().map(|p| u32::from(*p)).sum::<u32>() as f32
        };
        let area = (SIDE * SIDE) as f32;
        let steepness = (0..SIDE).map(|y| pixels(&relief.steepness, y)).sum::<f32>() / area;
        if steepness < PLAIN {
            return false;
        }
        let mean = (0..SIDE).map(|y| pixels(relief.tones, y)).sum::<f32>() / area;
        let mut spread = 0.0;
        for y in 0..SIDE {
            let row = &relief.tones[(top + y) * relief.width + left..][..SIDE];
            spread += row.iter().map(|p| (f32::from(*p) - mean).abs()).sum::<f32>();
        }
        let spread = (spread / area).max(1.0);
        for (y, cells) in self.cells.chunks_exact_mut(SIDE).enumerate() {
            let from = (top + y) * relief.width + left;
            let (steep, tones) = (&relief.steepness[from..from + SIDE], &relief.tones[from..from + SIDE]);
            for (x, cell) in cells.iter_mut().enumerate() {
                let taper = self.taper[x] * self.taper[y];
                // What stands out by far is no module.
                let edge = (f32::from(steep[x]) / steepness).min(2.5) - 1.0;
                let tone = ((f32::from(tones[x]) - mean) / spread).clamp(-2.0, 2.0);
                *cell = Complex32::new(taper * edge, taper * tone);
            }
        }
        true
    }

    /// Power at each frequency, of half of the plane, the zero frequency in the middle of the first row.
    fn power(&self, trace: Trace) -> Vec<f32> {
        let half = SIDE / 2;
        let mut out = vec![0.0; SIDE * (half + 1)];
        for v in 0..=half {
            for x in 0..SIDE {
                let u = (x + half) % SIDE;
                let (here, there) =
                    (self.cells[v * SIDE + u], self.cells[(SIDE - v) % SIDE * SIDE + (SIDE - u) % SIDE]);
                let part = match trace {
                    Trace::Edges => here + there.conj(),
                    Trace::Tones => here - there.conj(),
                };
                out[v * SIDE + x] = part.norm_sqr();
            }
        }
        out
    }
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
            if here >= highest && relative > PEAK {
                let offset = |before: f32, after: f32| {
                    // Of the amplitudes, whose peak is nearer to a parabola.
                    let (b, h, a) = (before.sqrt(), here.sqrt(), after.sqrt());
                    let bend = b - 2.0 * h + a;
                    if bend < 0.0 { (0.5 * (b - a) / bend).clamp(-0.5, 0.5) } else { 0.0 }
                };
                let fx = (x - half) as f32 + offset(at(x - 1, v), at(x + 1, v));
                let fy = v as f32 + offset(at(x, v - 1), at(x, v + 1));
                found.push((Point::new(fx / SIDE as f32, fy / SIDE as f32), relative));
            }
        }
    }
    found.sort_by(|a, b| b.1.total_cmp(&a.1));
    found.truncate(MOST_PEAKS);
    found
}

/// The two peaks that make the likeliest grid, and the power of the weaker one.
fn pair(peaks: &[Peak]) -> Option<([Point; 2], f32)> {
    let mut best: Option<([Point; 2], f32, f32)> = None;
    for (i, (f, p)) in peaks.iter().enumerate() {
        for (g, q) in &peaks[i + 1..] {
            let (a, b) = (f.x.hypot(f.y), g.x.hypot(g.y));
            let aslant = (f.x * g.x + f.y * g.y).abs() / (a * b);
            if aslant < ASLANT && a < UNEQUAL * b && b < UNEQUAL * a {
                // Of a grid and its diagonals the longer period is the grid.
                let weight = p.min(*q) * (1.0 - aslant * aslant) / (a * b);
                if best.as_ref().is_none_or(|best| weight > best.2) {
                    best = Some(([*f, *g], p.min(*q), weight));
                }
            }
        }
    }
    best.map(|(frequencies, strength, _)| (frequencies, strength))
}
