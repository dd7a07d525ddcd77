//! The look at grids: symbols of which the finder and the timing patterns are damaged or cannot be told from what they
//! touch, found by the regular grid that all their modules make.

mod frame;
mod grow;
mod relief;
mod spectrum;

use super::fit::Fit;
use super::plane::Plane;
use super::sample;
use super::{CREDIBLE, Found, inside, judged, keep, located, look_again, middle, pyramid, ranked};
use crate::read::geometry::Point;
use crate::read::{Effort, Luma, Symbol};
use frame::Frame;
use grow::Grid;
use relief::Relief;
use spectrum::{SIDE, Seed, Spectra};

/// Seeds from which grids are grown on one plane, and frames tried in one grid.
const MOST_SEEDS: usize = 12;
const MOST_FRAMES: usize = 6;

/// The finest plane that is looked at has at most this many pixels, and so many coarser ones follow it.
const MAX_PIXELS: usize = 1_200_000;
const PLANES: usize = 4;
/// Share of function patterns that agree, below which nothing speaks for a symbol.
const MIN_AGREEMENT: f32 = 0.2;

/// The symbols in the grids of a picture, the coarsest grids first, up to the scale at which one decodes.
pub(in crate::read) fn read(luma: &Luma, explained: &dyn Fn(Point) -> bool, effort: Effort) -> Vec<Symbol> {
    let Some(pyramid) = pyramid(luma) else { return Vec::new() };
    let finest = pyramid.iter().position(|plane| plane.data.len() <= MAX_PIXELS).unwrap_or(0);
    let mut found: Vec<Found> = Vec::new();
    for plane in pyramid.iter().skip(finest).take(PLANES).rev() {
        for (fit, _) in fits(plane, explained) {
            let known = |known: &Found| known.certain() && inside(middle(&fit.corners), &known.symbol.located.corners);
            if found.iter().any(known) {
                continue;
            }
            let Some(sampled) = fit.plane(&pyramid).and_then(|plane| sample::sample(plane, &fit)) else { continue };
            if sampled.agreement > MIN_AGREEMENT {
                let confidence = sampled.agreement * (sampled.modules as f32).sqrt();
                // The best of so many places is believed only where a fit by edges would be, too.
                let confidence = if sampled.plausible() { confidence } else { confidence.min(CREDIBLE) };
                keep(&mut found, Found { symbol: judged(located(&fit, sampled.grid)), fit, confidence });
            }
        }
        if found.iter().any(Found::certain) {
            return ranked(found);
        }
    }
    found.sort_by(|a, b| b.confidence.total_cmp(&a.confidence));
    found.truncate(if effort == Effort::Forensic { 8 } else { 2 });
    for found in &mut found {
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
    let mut grown = 0;
    for seed in seeds(&relief) {
        let place = Point::new(seed.at.x * plane.scale, seed.at.y * plane.scale);
        if grown == MOST_SEEDS || explained(place) || grids.iter().any(|grid| grid.holds(&seed)) {
            continue;
        }
        grown += 1;
        let Some(grid) = grow::grown(&relief, &seed) else { continue };
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

/// Windows all over the plane that show a grid, the clearest first.
fn seeds(relief: &Relief<'_>) -> Vec<Seed> {
    let mut spectra = Spectra::new();
    let mut found = Vec::new();
    let starts = |length: usize| (0..(2 * length / SIDE).saturating_sub(1)).map(|i| i * SIDE / 2);
    for top in starts(relief.height) {
        for left in starts(relief.width) {
            found.extend(spectra.seeds(relief, left, top));
        }
    }
    found.sort_by(|a, b| b.strength.total_cmp(&a.strength));
    found
}
