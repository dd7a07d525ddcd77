//! The easy look: finder patterns whose outer edges show after a local threshold, as those of clean symbols do. It costs
//! little more than the threshold.

mod arm;
mod frame;
mod outline;
mod runs;
#[cfg(test)]
mod tests;
mod timing;

use super::corners::{self, Corner};
use super::fit;
use super::plane::Plane;
use super::{Attempt, Found, inside, keep};
use crate::read::Symbol;
use crate::read::geometry::Point;
use crate::read::picture::Picture;
use crate::read::tones::Bits;
use arm::Ell;
use std::cell::OnceCell;

/// Corners whose arms are followed, those first of which the most was seen.
const MOST_CORNERS: usize = 200;
/// Pairs of arms that are tried in vain for a symbol, those with the longest arms first.
const MOST_ELLS: usize = 24;

/// The symbols whose finder patterns show in `bits`, the dark pixels of `picture` or, for `reversed` symbols, its light
/// ones, and among these in the `sought` ones; those only that decode. Places are pixels of `picture`. What lies where
/// `explained` says that something else is, is passed over.
pub(in crate::read) fn read(
    picture: &Picture<'_>,
    bits: &Bits,
    sought: &Bits,
    reversed: bool,
    explained: &dyn Fn(Point) -> bool,
) -> Vec<Symbol> {
    // Most pictures show nothing that is worth a copy of them.
    let pyramid: OnceCell<Vec<Plane>> = OnceCell::new();
    let mut found: Vec<Found> = Vec::new();
    let mut tried: Vec<Corner> = Vec::new();
    for ell in ells(bits, sought, reversed) {
        let corner = ell.corner;
        let (right, up) = (corner.right, corner.up);
        let middle = Point::new(corner.origin.x + (right.x + up.x) / 2.0, corner.origin.y + (right.y + up.y) / 2.0);
        let known = |p: Point| {
            explained(p) || found.iter().any(|known| known.certain() && inside(p, &known.symbol.located.corners))
        };
        if known(corner.origin)
            || known(middle)
            || tried.iter().any(|other| corners::same(other, &corner))
            || !ell.lively(bits)
            || !timing::begin(bits, &ell)
        {
            continue;
        }
        let read = found.iter().filter(|found| found.certain()).count();
        if tried.len() - read >= MOST_ELLS || picture.work().spent() {
            break;
        }
        tried.push(corner);
        let pyramid = pyramid.get_or_init(|| {
            Vec::from_iter(Plane::from_luma(picture.luma()).map(|plane| plane.counted(picture.work())))
        });
        let attempt = Attempt { pyramid, trial: fit::QUICK, judge: &super::judged };
        let frames = pyramid.first().map(|plane| frame::frames(plane, &ell)).unwrap_or_default();
        if let Some(best) = attempt.best_of(frames) {
            keep(&mut found, best);
        }
    }
    found.retain(Found::certain);
    found.into_iter().map(|found| found.symbol).collect()
}

/// What may be finder patterns, those with the longest arms first.
fn ells(bits: &Bits, sought: &Bits, reversed: bool) -> Vec<Ell> {
    let mut corners: Vec<Corner> = Vec::new();
    outline::outlines(sought, &mut |line| runs::corners(line, reversed, &mut corners));
    let shorter = |c: &Corner| c.right.length().min(c.up.length());
    corners.sort_by(|a, b| shorter(b).total_cmp(&shorter(a)));
    let mut ells: Vec<Ell> = corners.iter().take(MOST_CORNERS).filter_map(|c| arm::followed(bits, c)).collect();
    ells.sort_by(|a, b| shorter(&b.corner).total_cmp(&shorter(&a.corner)));
    ells
}
