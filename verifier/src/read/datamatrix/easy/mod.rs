//! The easy look: finder patterns whose outer edges show after a local threshold, as those of clean symbols do. It costs
//! little more than the threshold.

mod arm;
mod frame;
mod outline;
mod runs;

use super::corners::{self, Corner};
use super::fit;
use super::plane::Plane;
use super::{Attempt, Found, inside, keep};
use crate::read::geometry::Point;
use crate::read::tones::Bits;
use crate::read::{Luma, Symbol};
use arm::Ell;

/// Corners whose arms are followed, those first of which the most was seen.
const MOST_CORNERS: usize = 200;
/// Pairs of arms that are tried for a symbol, those with the longest arms first.
const MOST_ELLS: usize = 24;

/// The symbols whose finder patterns show in `bits`, the dark pixels of `picture` or, for `reversed` symbols, its light
/// ones; those only that decode. Places are pixels of `picture`. What lies where `explained` says that something else is,
/// is passed over.
pub(in crate::read) fn read(
    picture: &Luma,
    bits: &Bits,
    reversed: bool,
    explained: &dyn Fn(Point) -> bool,
) -> Vec<Symbol> {
    let Some(plane) = Plane::from_luma(picture) else { return Vec::new() };
    let pyramid = [plane];
    let attempt = Attempt { pyramid: &pyramid, trial: fit::QUICK, judge: &super::judged };
    let mut found: Vec<Found> = Vec::new();
    let mut tried: Vec<Corner> = Vec::new();
    for ell in ells(bits, reversed) {
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
        {
            continue;
        }
        if tried.len() == MOST_ELLS {
            break;
        }
        tried.push(corner);
        if let Some(best) = attempt.best_of(frame::frames(&pyramid[0], &ell)) {
            keep(&mut found, best);
        }
    }
    found.retain(Found::certain);
    found.into_iter().map(|found| found.symbol).collect()
}

/// What may be finder patterns, those with the longest arms first.
fn ells(bits: &Bits, reversed: bool) -> Vec<Ell> {
    let mut corners: Vec<Corner> = Vec::new();
    outline::outlines(bits, &mut |line| runs::corners(line, reversed, &mut corners));
    let shorter = |c: &Corner| length(c.right).min(length(c.up));
    corners.sort_by(|a, b| shorter(b).total_cmp(&shorter(a)));
    let mut ells: Vec<Ell> = corners.iter().take(MOST_CORNERS).filter_map(|c| arm::followed(bits, c)).collect();
    ells.sort_by(|a, b| shorter(&b.corner).total_cmp(&shorter(&a.corner)));
    ells
}

fn length(v: Point) -> f32 {
    v.x.hypot(v.y)
}
