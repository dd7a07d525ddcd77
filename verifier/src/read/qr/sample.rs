//! Grey levels of modules to likelihoods.

use crate::read::ModuleGrid;
use crate::read::geometry::Point;
use crate::read::likelihood::likelihoods;
use crate::read::picture::Picture;

/// How grey levels become likelihoods.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Judge {
    /// By the mean around each module: good for most.
    Mean,
    /// By the dark and the light level around it, doubting what is neither: for what is covered in part.
    Levels,
}

/// Samples a grid of `side` by `side` modules, whose places `place` knows, and judges each module by those around it.
pub(super) fn sample(
    picture: &Picture<'_>,
    reversed: bool,
    side: usize,
    place: &impl Fn(Point) -> Point,
    judge: Judge,
) -> ModuleGrid {
    // The middle of a module and four points a fifth of a module from it: dots and blur leave that much.
    const AROUND: [(f32, f32); 5] = [(0.5, 0.5), (0.3, 0.5), (0.7, 0.5), (0.5, 0.3), (0.5, 0.7)];
    let mut greys = Vec::with_capacity(side * side);
    for y in 0..side {
        for x in 0..side {
            let sum: f32 =
                AROUND.iter().map(|(dx, dy)| picture.sample(place(Point::new(x as f32 + dx, y as f32 + dy)))).sum();
            greys.push(sum / AROUND.len() as f32);
        }
    }
    if reversed {
        greys.iter_mut().for_each(|grey| *grey = -*grey);
    }
    let llr = match judge {
        Judge::Mean => by_mean(&greys, side),
        Judge::Levels => likelihoods(&greys, side),
    };
    ModuleGrid { width: side, height: side, llr }
}

/// Modules over which the threshold is taken, to each side.
const WINDOW: usize = 5;

/// Masks keep dark and light balanced (ISO/IEC 18004, clause 7.8), so the mean around a module lies between the two.
fn by_mean(greys: &[f32], side: usize) -> Vec<f32> {
    let at = |x: usize, y: usize| greys.get(y * side + x).copied().unwrap_or(0.0);
    let mut out = Vec::with_capacity(greys.len());
    for y in 0..side {
        for x in 0..side {
            let (mut n, mut sum, mut squares) = (0.0, 0.0, 0.0);
            for v in y.saturating_sub(WINDOW)..=(y + WINDOW).min(side - 1) {
                for u in x.saturating_sub(WINDOW)..=(x + WINDOW).min(side - 1) {
                    let grey = at(u, v);
                    n += 1.0;
                    sum += grey;
                    squares += grey * grey;
                }
            }
            let mean: f32 = sum / n;
            let spread: f32 = (squares / n - mean * mean).max(1.0).sqrt();
            let llr = 4.0 * (mean - at(x, y)) / spread;
            out.push(llr.clamp(-8.0, 8.0));
        }
    }
    out
}
