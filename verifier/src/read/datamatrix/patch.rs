//! The neighbourhood of a supposed finder pattern, straightened, and the module pitch in it.

use super::corners::Corner;
use super::plane::Plane;
use crate::read::geometry::Point;

/// Fewest samples along an arm.
const SHORT_ARM: usize = 56;
/// Most samples along an arm of a symbol of many modules.
const LONG_ARM: usize = 400;
/// Fewest modules along an arm that are looked for.
const MIN_MODULES: usize = 6;
/// Steps a cycle in the search for the pitch.
const STEPS: usize = 4;
/// Pitches tried for each axis.
const PEAKS: usize = 4;

/// A parallelogram of the picture over the L and beyond: 1 is the length of an arm as seen.
pub(super) struct Patch {
    across: Axis,
    along: Axis,
    data: Vec<f32>,
}

/// One axis of the patch, counted in samples.
#[derive(Clone, Copy)]
struct Axis {
    arm: usize,
    before: usize,
    side: usize,
}

impl Axis {
    fn new(arm: usize) -> Self {
        Self { arm, before: arm / 14, side: arm / 14 + arm + arm / 3 }
    }

    /// Place on the arm of a sample.
    fn place(self, at: usize) -> f32 {
        (at as f32 + 0.5 - self.before as f32) / self.arm as f32
    }

    /// The sample before a place on the arm, and the way to the next.
    fn sample(self, place: f32) -> (usize, f32) {
        let at = (place * self.arm as f32 + self.before as f32 - 0.5).clamp(0.0, (self.side - 1) as f32);
        let first = (at as usize).min(self.side - 2);
        (first, at - first as f32)
    }
}

impl Patch {
    /// Samples a corner, at most `usual` times along an arm; `fine` for symbols of more than about 60 modules a side, and
    /// for one arm much longer than the other.
    pub(super) fn of(pyramid: &[Plane], corner: &Corner, fine: bool, usual: usize) -> Option<Self> {
        let length = |arm: Point| arm.x.hypot(arm.y);
        let most = if fine { LONG_ARM } else { usual };
        let enough = |plane: &&Plane| length(corner.right).min(length(corner.up)) >= most as f32 * plane.scale;
        let plane = pyramid.iter().rev().find(enough).or(pyramid.first())?;
        let (right, up) = (length(corner.right) / plane.scale, length(corner.up) / plane.scale);
        let arm = |length: f32, other: f32| {
            let most = if fine || length > 2.5 * other { LONG_ARM } else { usual };
            Axis::new((length as usize).clamp(SHORT_ARM, most))
        };
        let (across, along) = (arm(right, up), arm(up, right));
        let mut data = Vec::with_capacity(across.side * along.side);
        let (ox, oy) = (corner.origin.x / plane.scale, corner.origin.y / plane.scale);
        let sign = if corner.reversed { -1.0 } else { 1.0 };
        for row in 0..along.side {
            let t = along.place(row) / plane.scale;
            for column in 0..across.side {
                let s = across.place(column) / plane.scale;
                let x = ox + s * corner.right.x + t * corner.up.x;
                let y = oy + s * corner.right.y + t * corner.up.y;
                data.push(sign * plane.at(x, y));
            }
        }
        Some(Self { across, along, data })
    }

    /// Grey level (negated in reversed symbols) at `s` along the lower and `t` along the left arm.
    pub(super) fn at(&self, s: f32, t: f32) -> f32 {
        let ((left, fx), (top, fy)) = (self.across.sample(s), self.along.sample(t));
        let side = self.across.side;
        let i = top * side + left;
        let upper = self.data[i] + fx * (self.data[i + 1] - self.data[i]);
        let lower = self.data[i + side] + fx * (self.data[i + side + 1] - self.data[i + side]);
        upper + fy * (lower - upper)
    }

    /// Likely module pitches along the lower and the left arm, strongest first: edges between modules stand at
    /// multiples of the pitch, all over the symbol. Those below the share `weakest` of the strongest one's power are
    /// left out.
    pub(super) fn pitches(&self, weakest: f32, harmonics: i32) -> (Vec<f32>, Vec<f32>) {
        let (mut across, mut along) = (vec![0.0; self.across.arm], vec![0.0; self.along.arm]);
        let side = self.across.side;
        for (row, down) in along.iter_mut().enumerate() {
            let line = (row + self.along.before) * side + self.across.before;
            for (column, right) in across.iter_mut().enumerate() {
                let i = line + column;
                *right += (self.data[i + 1] - self.data[i]).abs();
                *down += (self.data[i + side] - self.data[i]).abs();
            }
        }
        (peaks(&across, weakest, harmonics), peaks(&along, weakest, harmonics))
    }
}

/// The strongest periods of a profile, in units of its length, down to a share of the strongest one's power.
fn peaks(profile: &[f32], weakest: f32, harmonics: i32) -> Vec<f32> {
    let mean = profile.iter().sum::<f32>() / profile.len() as f32;
    let turns = STEPS * profile.len();
    let wave: Vec<(f32, f32)> =
        (0..turns).map(|i| (std::f32::consts::TAU * i as f32 / turns as f32).sin_cos()).collect();
    let power = |step: usize| {
        let (mut re, mut im, mut phase) = (0.0, 0.0, 0);
        for value in profile {
            phase += step;
            phase -= if phase >= turns { turns } else { 0 };
            re += (value - mean) * wave[phase].1;
            im += (value - mean) * wave[phase].0;
        }
        // Sharp edges have strong harmonics: `harmonics` says by how much to prefer the longer of two periods.
        (re * re + im * im) / (step as f32).powi(harmonics)
    };
    let first = MIN_MODULES * STEPS;
    // Up to two samples a module.
    let powers: Vec<f32> = (first - 1..=turns / 2).map(power).collect();
    let mut found: Vec<(f32, f32)> = Vec::new();
    for (i, window) in powers.windows(3).enumerate() {
        if let [before, here, after] = window
            && here > before
            && here >= after
        {
            let bend = before - 2.0 * here + after;
            let offset = if bend < 0.0 { 0.5 * (before - after) / bend } else { 0.0 };
            found.push((*here, ((first + i) as f32 + offset) / STEPS as f32));
        }
    }
    found.sort_by(|a, b| b.0.total_cmp(&a.0));
    let floor = weakest * found.first().map_or(0.0, |strongest| strongest.0);
    found.iter().take(PEAKS).filter(|peak| peak.0 >= floor).map(|(_, frequency)| 1.0 / frequency).collect()
}

/// The point of the picture at (`s`, `t`).
pub(super) fn place(corner: &Corner, s: f32, t: f32) -> Point {
    Point::new(
        corner.origin.x + s * corner.right.x + t * corner.up.x,
        corner.origin.y + s * corner.right.y + t * corner.up.y,
    )
}
