//! Data Matrix ECC 200: located by its solid L and its timing patterns, or by the grid that its modules make, sampled by a
//! projective grid.

mod corners;
mod doubts;
pub(super) mod easy;
mod fit;
pub(super) mod lattice;
mod patch;
mod plane;
mod sample;
mod segments;

use crate::read::geometry::Point;
use crate::read::work::{DECODING, LOST, Work};
use crate::read::{DecodeError, Decoded, Effort, Located, Luma, ModuleGrid, Symbol, uniform};
use corners::Corner;
use fit::{Fit, Trial};
use plane::Plane;
use touchmark_formats::symbol::Symbology;
use touchmark_formats::symbol::datamatrix::decode;
use touchmark_formats::symbol::decode as content;

/// Symbols located in one picture at most.
pub const MAX_SYMBOLS: usize = 16;
/// The finest level of the pyramid that is searched has at most this many pixels.
const MAX_SEARCHED: usize = 1_200_000;
/// Levels of the pyramid that are searched, coarsest first.
const LEVELS: usize = 4;
/// Corners tried on a level once a symbol has been found.
const MORE_CORNERS: usize = 8;

/// The Data Matrix symbols of a picture, those that decode first, then by how clear their function patterns are.
///
/// Work is bounded: pictures of up to 128 megapixels, searched at four scales of at most 1.2 megapixels, with at most
/// 400 supposed finder patterns each. The search ends one scale after the coarsest at which a symbol decodes.
#[must_use]
pub fn read(luma: &Luma) -> Vec<Symbol> {
    read_beside(luma, &|_| false, &Work::of(Effort::Normal, luma.data.len()))
}

/// As [`read`], passing over what lies where `explained` says that something else is.
pub(super) fn read_beside(luma: &Luma, explained: &dyn Fn(Point) -> bool, work: &Work) -> Vec<Symbol> {
    search(luma, explained, work, &judged)
}

/// The symbol with its outer corners near `corners`, in order around it, whichever comes first.
pub(super) fn read_at(luma: &Luma, corners: &[Point; 4]) -> Option<Symbol> {
    let pyramid = pyramid(luma, &Work::unlimited())?;
    let mut found: Vec<Found> = Vec::new();
    for fit in fit::fits_at(&pyramid, corners) {
        let Some(sampled) = fit.plane(&pyramid).and_then(|plane| sample::sample(plane, &fit)) else { continue };
        let confidence = sampled.agreement * (sampled.modules as f32).sqrt();
        let symbol = judged(located(&fit, sampled.grid));
        if symbol.decoded.is_ok() {
            return Some(symbol);
        }
        found.push(Found { symbol, fit, confidence });
    }
    found.sort_by(|a, b| b.confidence.total_cmp(&a.confidence));
    for found in found.iter_mut().take(POINTED_LOOKS) {
        look_again(&pyramid, found, &judged);
        if found.certain() {
            break;
        }
    }
    found.sort_by_key(|found| !found.certain());
    found.into_iter().next().map(|found| found.symbol)
}

/// Decoded as it is, or as seen from behind.
fn judged(located: Located) -> Symbol {
    let error = match decode(&located.modules) {
        Ok(content) => return Symbol::decoded(located, content),
        Err(e) => e,
    };
    let swapped = mirrored(&located);
    if let Ok(content) = decode(&swapped.modules) {
        return Symbol::decoded(swapped, content);
    }
    let stained = uniform::doubted(&located.modules);
    let mut symbol = Symbol::undecoded(located, error);
    if let Some(modules) = stained {
        let located = Located { modules, ..symbol.located.clone() };
        match decode(&located.modules) {
            Ok(content) => return Symbol::decoded(located, content),
            Err(_) => symbol.add(Symbol::undecoded(located, error)),
        }
    }
    symbol
}

/// The picture at full size, half, a quarter and so on.
fn pyramid(luma: &Luma, work: &Work) -> Option<Vec<Plane>> {
    let mut pyramid = vec![Plane::from_luma(luma)?.counted(work)];
    while let Some(next) = pyramid.last().and_then(Plane::halved) {
        pyramid.push(next);
    }
    Some(pyramid)
}

/// The Data Matrix symbols of a picture as [`read`] finds them, without their content.
#[must_use]
pub fn locate(luma: &Luma) -> Vec<Located> {
    read(luma).into_iter().map(|symbol| symbol.located).collect()
}

struct Found {
    symbol: Symbol,
    fit: Fit,
    /// How far the function patterns are beyond chance.
    confidence: f32,
}

impl Found {
    fn certain(&self) -> bool {
        self.symbol.decoded.is_ok()
    }
}

fn search(
    luma: &Luma,
    explained: &dyn Fn(Point) -> bool,
    work: &Work,
    judge: &dyn Fn(Located) -> Symbol,
) -> Vec<Symbol> {
    let Some(pyramid) = pyramid(luma, work) else { return Vec::new() };
    let finest = pyramid.iter().position(|plane| plane.data.len() <= MAX_SEARCHED).unwrap_or(0);
    let mut found: Vec<Found> = Vec::new();
    let levels = || pyramid.iter().skip(finest).take(LEVELS).rev();
    let mut corners: Vec<Vec<Corner>> = Vec::new();
    let mut last = usize::MAX;
    for (level, plane) in levels().enumerate() {
        corners.push(corners_of(&pyramid, plane, explained, fit::QUICK.edges));
        Attempt { pyramid: &pyramid, trial: fit::QUICK, judge }.try_corners(&corners[level], &mut found);
        // One scale more for what else is in the picture.
        if level >= last || work.spent() {
            break;
        }
        if found.iter().any(Found::certain) {
            last = level + 1;
        }
    }
    for corners in &corners {
        if work.spent() || found.iter().any(Found::certain) {
            break;
        }
        Attempt { pyramid: &pyramid, trial: fit::THOROUGH, judge }.try_corners(corners, &mut found);
    }
    found.sort_by(|a, b| b.certain().cmp(&a.certain()).then(b.confidence.total_cmp(&a.confidence)));
    if !found.iter().any(Found::certain) {
        for found in found.iter_mut().take(MORE_LOOKS).filter(|found| found.confidence > DOUBTFUL) {
            look_again(&pyramid, found, judge);
        }
    }
    ranked(found)
}

/// Symbols that are sampled in other ways too where none decodes.
const MORE_LOOKS: usize = 8;
const POINTED_LOOKS: usize = 2;

/// Samples a symbol in all other ways: by other levels, and displaced.
fn look_again(pyramid: &[Plane], found: &mut Found, judge: &dyn Fn(Located) -> Symbol) {
    let Some(plane) = found.fit.plane(pyramid) else { return };
    for modules in sample::others(plane, &found.fit) {
        let symbol = judge(located(&found.fit, modules));
        count(&symbol, &plane.work);
        if symbol.decoded.is_ok() {
            found.symbol = symbol;
            return;
        }
        found.symbol.add(symbol);
    }
}

/// Share of lively area below which a supposed L spans no symbol.
const MIN_TEXTURE: f32 = 0.25;
/// Confidence above which a symbol is believed to be there though it cannot be decoded: photos without one stay below.
const CREDIBLE: f32 = 8.0;
/// Confidence below which nothing speaks for a symbol.
const DOUBTFUL: f32 = 4.5;

fn corners_of(pyramid: &[Plane], plane: &Plane, explained: &dyn Fn(Point) -> bool, edges: usize) -> Vec<Corner> {
    let weighed = corners::corners(&segments::segments(plane), edges).into_iter().filter_map(|corner| {
        let (right, up) = (corner.right, corner.up);
        let middle = Point::new(corner.origin.x + (right.x + up.x) / 2.0, corner.origin.y + (right.y + up.y) / 2.0);
        if explained(corner.origin) || explained(middle) {
            return None;
        }
        let texture = corners::texture(pyramid, &corner);
        let length = (right.x.hypot(right.y) * up.x.hypot(up.y)).sqrt();
        // Of two at one place the one that spans the symbol and nothing else comes first.
        (texture > MIN_TEXTURE).then_some((texture * texture * length, corner))
    });
    let mut weighed: Vec<(f32, Corner)> = weighed.collect();
    weighed.sort_by(|a, b| b.0.total_cmp(&a.0));
    weighed.into_iter().map(|(_, corner)| corner).collect()
}

fn ranked(mut found: Vec<Found>) -> Vec<Symbol> {
    found.retain(|found| found.certain() || found.confidence > DOUBTFUL);
    found.iter_mut().for_each(|found| found.symbol.credible |= found.confidence > CREDIBLE);
    found.sort_by(|a, b| b.certain().cmp(&a.certain()).then(b.confidence.total_cmp(&a.confidence)));
    found.into_iter().map(|found| found.symbol).take(MAX_SYMBOLS).collect()
}

/// What one pass over corners works with.
struct Attempt<'a> {
    pyramid: &'a [Plane],
    trial: Trial,
    judge: &'a dyn Fn(Located) -> Symbol,
}

/// Keeps a symbol unless a better one is known at its place.
fn keep(found: &mut Vec<Found>, new: Found) {
    let same = |a: &Found| {
        let (a, b) = (&a.symbol.located.corners, &new.symbol.located.corners);
        inside(middle(b), a) || inside(middle(a), b)
    };
    let better = |a: &Found| a.certain() || (!new.certain() && a.confidence >= new.confidence);
    if !found.iter().any(|known| same(known) && better(known)) {
        found.retain(|known| !same(known));
        found.push(new);
    }
}

impl Attempt<'_> {
    /// Tries the corners of one level of the pyramid, fewer once there is a symbol.
    fn try_corners(&self, corners: &[Corner], found: &mut Vec<Found>) {
        let mut more = if found.iter().any(Found::certain) { MORE_CORNERS } else { usize::MAX };
        for (i, corner) in corners.iter().enumerate().take(self.trial.corners) {
            if more == 0 || self.pyramid.first().is_none_or(|plane| plane.work.spent()) {
                return;
            }
            if found.iter().any(|known| known.certain() && inside(corner.origin, &known.symbol.located.corners)) {
                continue;
            }
            more -= 1;
            let fine = if i < self.trial.fine_corners { &[false, true][..] } else { &[false] };
            let whole = || {
                let tried = i < self.trial.whole_corners;
                tried.then(|| self.best_of(fit::fits_whole(self.pyramid, corner))).flatten()
            };
            for best in
                fine.iter().filter_map(|fine| self.best(corner, *fine)).chain(std::iter::once_with(whole).flatten())
            {
                let certain = best.certain();
                keep(found, best);
                if certain {
                    more = more.min(MORE_CORNERS);
                    break;
                }
            }
        }
    }

    /// The first fit to a corner that decodes, else the one with the clearest function patterns.
    fn best(&self, corner: &Corner, fine: bool) -> Option<Found> {
        self.best_of(fit::fits(self.pyramid, corner, fine, &self.trial))
    }

    fn best_of(&self, fits: Vec<Fit>) -> Option<Found> {
        let mut best: Option<Found> = None;
        for fit in fits {
            let found = self.judged(&fit);
            let again = || fit.settled_anew(self.pyramid).and_then(|fit| self.judged(&fit));
            let unsettled = fit.unsettled() && !found.as_ref().is_some_and(Found::certain);
            for found in found.into_iter().chain(unsettled.then(again).flatten()) {
                if found.certain() {
                    return Some(found);
                }
                if best.as_ref().is_none_or(|best| best.confidence < found.confidence) {
                    best = Some(found);
                }
            }
        }
        best
    }

    fn judged(&self, fit: &Fit) -> Option<Found> {
        let (confidence, located) = verify(self.pyramid, fit)?;
        let symbol = (self.judge)(located);
        self.pyramid.iter().take(1).for_each(|plane| count(&symbol, &plane.work));
        Some(Found { symbol, fit: *fit, confidence })
    }
}

/// Counts what it cost to judge a symbol: the most where it was tried as seen from behind and as stained, too.
fn count(symbol: &Symbol, work: &Work) {
    let each = if symbol.decoded.is_ok() { DECODING } else { 3 * (DECODING + LOST) };
    work.take(each * symbol.located.modules.llr.len());
}

/// Samples a fit at the scale that suits its modules, if it is worth it.
fn verify(pyramid: &[Plane], fit: &Fit) -> Option<(f32, Located)> {
    if fit.score < fit::MIN_TIMING {
        return None;
    }
    let sampled = sample::sample(fit.plane(pyramid)?, fit)?;
    let confidence = sampled.agreement * (sampled.modules as f32).sqrt();
    sampled.plausible().then(|| (confidence, located(fit, sampled.grid)))
}

fn located(fit: &Fit, modules: ModuleGrid) -> Located {
    Located {
        symbology: Symbology::DataMatrix,
        corners: fit.corners,
        modules,
        reversed: fit.reversed,
        mirrored: false,
        attempt: "datamatrix",
    }
}

/// Whether a point lies in a convex quadrilateral (or within a tenth of it).
fn inside(point: Point, corners: &[Point; 4]) -> bool {
    let middle = middle(corners);
    let grown = corners.map(|c| Point::new(middle.x + 1.1 * (c.x - middle.x), middle.y + 1.1 * (c.y - middle.y)));
    let side = |i: usize| {
        let (a, b) = (grown[i], grown[(i + 1) % 4]);
        (b.x - a.x) * (point.y - a.y) - (b.y - a.y) * (point.x - a.x)
    };
    let sides = [side(0), side(1), side(2), side(3)];
    sides.iter().all(|s| *s >= 0.0) || sides.iter().all(|s| *s <= 0.0)
}

fn middle(corners: &[Point; 4]) -> Point {
    Point::new(corners.iter().map(|c| c.x).sum::<f32>() / 4.0, corners.iter().map(|c| c.y).sum::<f32>() / 4.0)
}

/// Decodes what was sampled.
///
/// # Errors
/// [`DecodeError`]; a grid of a size that does not exist is a [`DecodeError::Format`].
pub fn decode(grid: &ModuleGrid) -> Result<Decoded, DecodeError> {
    match decode::decode(grid.height, grid.width, &grid.llr) {
        Ok(content::Content { bytes, text, repaired, codewords }) => Ok(Decoded { bytes, text, repaired, codewords }),
        Err(content::DecodeError::Checksum) => Err(DecodeError::Checksum),
        Err(_) => Err(DecodeError::Format),
    }
}

/// The same symbol taken as seen from behind: its borders are swapped along the diagonal through the solid corner.
#[must_use]
pub fn mirrored(located: &Located) -> Located {
    let (width, height) = (located.modules.height, located.modules.width);
    let mut llr = Vec::with_capacity(located.modules.llr.len());
    for row in 0..height {
        for column in 0..width {
            // The transpose along the rising diagonal keeps the corner of the L where it is.
            let from = (width - 1 - column) * located.modules.width + (height - 1 - row);
            llr.push(located.modules.llr.get(from).copied().unwrap_or(0.0));
        }
    }
    let [tl, tr, br, bl] = located.corners;
    Located {
        corners: [br, tr, tl, bl],
        modules: ModuleGrid { width, height, llr },
        mirrored: !located.mirrored,
        ..located.clone()
    }
}

#[cfg(test)]
mod tests;
