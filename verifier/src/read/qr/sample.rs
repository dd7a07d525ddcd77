//! Grey levels of modules to likelihoods.

use crate::read::ModuleGrid;
use crate::read::equalise::equalised;
use crate::read::geometry::Point;
use crate::read::likelihood::likelihoods;
use crate::read::nearest::by_nearest;
use crate::read::picture::Picture;
use crate::read::stained::uncovered;
use touchmark_formats::symbol::qr::tables::Version;

/// How grey levels become likelihoods.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Judge {
    /// By the mean around each module: good for most.
    Mean,
    /// By the dark and the light level around it, doubting what is neither: for what is covered in part.
    Levels,
    /// By those two levels as the function patterns have them, in the light of the place: for what is covered by something
    /// that is brighter or darker than both.
    Uncovered,
    /// By taking the blur back: for what is out of focus, moved, or of few pixels a module.
    Equalised,
    /// The same of the whole area of each module: for what is faint or noisy.
    Areas,
    /// By the modules next to it: for what is dimmed unevenly, as by soot and flux.
    Nearest,
}

/// What is tried where the mean does not decode.
pub(super) const OTHER_JUDGES: [Judge; 5] =
    [Judge::Nearest, Judge::Levels, Judge::Uncovered, Judge::Equalised, Judge::Areas];

/// The middle of a module and four points a fifth of a module from it: dots and blur leave that much.
const AROUND: [(f32, f32); 5] = [(0.5, 0.5), (0.3, 0.5), (0.7, 0.5), (0.5, 0.3), (0.5, 0.7)];
/// Places along each side of a module, for its whole area.
const ACROSS: [f32; 5] = [0.14, 0.32, 0.5, 0.68, 0.86];

/// Samples a grid of `side` by `side` modules, whose places `place` knows, and judges each module by those around it.
pub(super) fn sample(
    picture: &Picture<'_>,
    reversed: bool,
    side: usize,
    place: &impl Fn(Point) -> Point,
    judge: Judge,
) -> ModuleGrid {
    let area: Vec<(f32, f32)>;
    let around = match judge {
        Judge::Mean | Judge::Levels | Judge::Equalised => AROUND.as_slice(),
        Judge::Uncovered | Judge::Areas | Judge::Nearest => {
            area = ACROSS.iter().flat_map(|y| ACROSS.map(|x| (x, *y))).collect();
            &area
        }
    };
    let (mut greys, mut spreads) = (Vec::with_capacity(side * side), Vec::with_capacity(side * side));
    for y in 0..side {
        for x in 0..side {
            let levels = around.iter().map(|(dx, dy)| picture.sample(place(Point::new(x as f32 + dx, y as f32 + dy))));
            let (sum, squares) = levels.fold((0.0, 0.0), |(sum, squares), l| (sum + l, squares + l * l));
            let (mean, n) = (sum / around.len() as f32, around.len() as f32);
            greys.push(mean);
            spreads.push((squares / n - mean * mean).max(0.0).sqrt());
        }
    }
    if reversed {
        greys.iter_mut().for_each(|grey| *grey = -*grey);
    }
    let version = Version::of_side(side);
    let known = |x: usize, y: usize| version.and_then(|version| version.known(x, y));
    let llr = match judge {
        Judge::Mean => by_mean(&greys, side),
        Judge::Levels => likelihoods(&greys, side),
        Judge::Uncovered => uncovered(&greys, &spreads, side, &known).unwrap_or_else(|| by_mean(&greys, side)),
        Judge::Equalised | Judge::Areas => equalised(&greys, side, &known),
        Judge::Nearest => by_nearest(&greys, side, &known),
    };
    ModuleGrid { width: side, height: side, llr }
}

/// Modules over which the threshold is taken, to each side.
const WINDOW: usize = 5;

/// Masks keep dark and light balanced (ISO/IEC 18004, clause 7.8), so the mean around a module lies between the two.
fn by_mean(greys: &[f32], side: usize) -> Vec<f32> {
    // Sums of the levels and of their squares above and to the left of each place.
    let stride = side + 1;
    let mut sums = vec![(0f64, 0f64); stride * stride];
    for (y, row) in greys.chunks_exact(side.max(1)).enumerate() {
        let mut sum = (0.0, 0.0);
        for (x, grey) in row.iter().map(|grey| f64::from(*grey)).enumerate() {
            sum = (sum.0 + grey, sum.1 + grey * grey);
            let above = sums[y * stride + x + 1];
            sums[(y + 1) * stride + x + 1] = (above.0 + sum.0, above.1 + sum.1);
        }
    }
    let judged = |(i, grey): (usize, &f32)| {
        let window = |at: usize| (at.saturating_sub(WINDOW), (at + WINDOW + 1).min(side));
        let ((left, right), (top, bottom)) = (window(i % side), window(i / side));
        let at = |x: usize, y: usize| sums[y * stride + x];
        let over = |part: fn((f64, f64)) -> f64| {
            part(at(right, bottom)) - part(at(left, bottom)) - part(at(right, top)) + part(at(left, top))
        };
        let n = ((right - left) * (bottom - top)) as f64;
        let (mean, squares) = (over(|sum| sum.0) / n, over(|sum| sum.1) / n);
        let spread = (squares - mean * mean).max(1.0).sqrt();
        (4.0 * (mean - f64::from(*grey)) / spread).clamp(-8.0, 8.0) as f32
    };
    greys.iter().enumerate().map(judged).collect()
}
