//! The look at grids: symbols of which the finder and the timing patterns are damaged or cannot be told from what they
//! touch, found by the regular grid that all their modules make.

mod frame;
mod grow;
mod relief;
mod spectrum;

use super::fit::Fit;
use super::plane::Plane;
use super::sample;
use super::{CREDIBLE, Found, count, inside, judged, keep, located, look_again, middle, pyramid, ranked};
use crate::read::geometry::Point;
use crate::read::work::{SPECTRUM, Work};
use crate::read::{Effort, Luma, Symbol};
use frame::Frame;
use grow::Grid;
use relief::Relief;
use spectrum::{SIDE, Seed, Spectra};

/// Seeds of one plane that are tried, grids that are grown from them, and frames tried in one grid.
const MOST_SEEDS: usize = 200;
const MOST_GRIDS: usize = 14;
const MOST_FRAMES: usize = 6;
/// Frames of one plane that are sampled.
const MOST_FITS: usize = 10;

/// The finest plane that is looked at has at most this many pixels, and so many coarser ones follow it.
const MAX_PIXELS: usize = 1_200_000;
const PLANES: usize = 4;
/// At forensic effort pictures of at most this many pixels are looked at in twice their size, too.
const MAX_DOUBLED: usize = 2_000_000;
/// Share of function patterns that agree, below which nothing speaks for a symbol.
const MIN_AGREEMENT: f32 = 0.2;
/// The same from which on a symbol is believed to be there though it cannot be decoded.
const BELIEVED: f32 = 0.6;
/// Symbols that are sampled in all other ways where none decodes.
const MORE_LOOKS: usize = 2;
const FORENSIC_LOOKS: usize = 8;

/// The symbols in the grids of a picture, the coarsest grids first, up to the scale at which one decodes.
pub(in crate::read) fn read(
    luma: &Luma,
    explained: &dyn Fn(Point) -> bool,
    effort: Effort,
    work: &Work,
) -> Vec<Symbol> {
    let Some(pyramid) = pyramid(luma, work) else { return Vec::new() };
    let finest = pyramid.iter().position(|plane| plane.data.len() <= MAX_PIXELS).unwrap_or(0);
    // Below two pixels a module a grid shows between pixels only.
    let fine = pyramid.first().filter(|plane| effort == Effort::Forensic && plane.data.len() <= MAX_DOUBLED);
    let fine = fine.map(Plane::doubled);
    let mut found: Vec<Found> = Vec::new();
    for plane in pyramid.iter().skip(finest).take(PLANES).rev().chain(&fine) {
        if work.spent() {
            break;
        }
        work.take(SPECTRUM * plane.data.len());
        for (fit, _) in fits(plane, explained).into_iter().take(MOST_FITS) {
            let known = |known: &Found| known.certain() && inside(middle(&fit.corners), &known.symbol.located.corners);
            if work.spent() || found.iter().any(known) {
                continue;
            }
            let Some(sampled) = fit.plane(&pyramid).and_then(|plane| sample::sample(plane, &fit)) else { continue };
            if sampled.agreement > MIN_AGREEMENT {
                let confidence = sampled.agreement * (sampled.modules as f32).sqrt();
                // The best of so many places is believed only where most of its patterns is seen.
                let believed = sampled.plausible() && sampled.agreement > BELIEVED;
                let confidence = if believed { confidence } else { confidence.min(CREDIBLE) };
                let symbol = judged(located(&fit, sampled.grid));
                count(&symbol, work);
                keep(&mut found, Found { symbol, fit, confidence });
            }
        }
        if found.iter().any(Found::certain) {
            return ranked(found);
        }
    }
    found.sort_by(|a, b| b.confidence.total_cmp(&a.confidence));
    found.truncate(if effort == Effort::Forensic { FORENSIC_LOOKS } else { MORE_LOOKS });
    for found in found.iter_mut().take_while(|_| !work.spent()) {
        look_again(&pyramid, found, &judged);
        if found.certain() {
            break;
        }
    }
    ranked(found)
}

/// The likeliest symbols in the grids of modules on a plane, those of the clearest grid first.
fn fits(plane: &Plane, explained: &dyn Fn(Point) -> bool) -> Vec<(Fit, f32)> {
    let relief = Relief::of(plane);
    let mut out: Vec<(Fit, f32)> = Vec::new();
    let mut grids: Vec<Grid> = Vec::new();
    for seed in seeds(&relief).iter().take(MOST_SEEDS) {
        let place = Point::new(seed.at.x * plane.scale, seed.at.y * plane.scale);
        if plane.work.spent()
            || grids.len() == MOST_GRIDS
            || explained(place)
            || grids.iter().any(|grid| grid.holds(seed))
        {
            continue;
        }
        let Some(grid) = grow::grown(&relief, seed) else { continue };
        let fit = |frame: &Frame| {
            let corners = frame.corners.map(|p| Point::new(p.x * plane.scale, p.y * plane.scale));
            (Fit::laid(frame.size, corners, frame.reversed, plane), frame.significance)
        };
        out.extend(frame::frames(plane, &grid, MOST_FRAMES).iter().map(fit));
        grids.push(grid);
    }
    out.sort_by(|a, b| b.1.total_cmp(&a.1));
    out
}

/// Windows all over the plane that show a grid, those first that are clear and have others of the same grid beside them.
fn seeds(relief: &Relief<'_>) -> Vec<Seed> {
    let mut spectra = Spectra::new();
    let starts = |length: usize| (0..(2 * length / SIDE).saturating_sub(1)).map(|i| i * SIDE / 2);
    let across = starts(relief.width).len();
    // The seeds of each window, row by row.
    let mut windows: Vec<Vec<Seed>> = Vec::new();
    for top in starts(relief.height) {
        for left in starts(relief.width) {
            let mut found = Vec::new();
            spectra.seeds(relief, (left, top), &mut found);
            windows.push(found);
        }
    }
    let mut weighed: Vec<(f32, Seed)> = Vec::new();
    for (i, window) in windows.iter().enumerate() {
        let (x, y) = (i % across, i / across);
        let near =
            (y.saturating_sub(2)..y + 3).flat_map(|y| (x.saturating_sub(2)..(x + 3).min(across)).map(move |x| (x, y)));
        let around: Vec<&Seed> = near.filter_map(|(x, y)| windows.get(y * across + x)).flatten().collect();
        for seed in window {
            let like = around.iter().filter(|other| seed.agrees(other)).count();
            weighed.push((seed.strength * like as f32, *seed));
        }
    }
    weighed.sort_by(|a, b| b.0.total_cmp(&a.0));
    weighed.into_iter().map(|(_, seed)| seed).collect()
}

#[cfg(test)]
mod tests;
