//! Micro QR Code: one finder pattern, and timing patterns along two sides.

use super::finder::Finder;
use super::outline::Outline;
use super::sample::Judge;
use super::target::{Fit, Target};
use super::turned::{CLEAR, Turned, turned};
use super::{Search, inside, symbol};
use crate::read::Symbol;
use crate::read::geometry::{Homography, Point};
use crate::read::picture::Picture;
use touchmark_formats::symbol::qr::micro::MicroVersion;

/// Finder patterns that are looked at, the clearest ones.
const MOST_FINDERS: usize = 40;
/// Turns of each version that are fitted.
const TURNS: usize = 1;
/// Correlation with the timing patterns, as the finder pattern alone leads to them, below which it has none.
const TIMED: f32 = 0.2;
/// Correlation with the finder and timing patterns below which a fit is no symbol.
const FITS: f32 = 0.6;

/// Every Micro QR Code that decodes.
pub(super) fn read(picture: &Picture<'_>, search: Search, finders: &[Finder]) -> Vec<Symbol> {
    let mut out: Vec<Symbol> = Vec::new();
    for finder in finders.iter().take(MOST_FINDERS) {
        let seen = turned(picture, search.reversed, *finder);
        if seen.score > CLEAR && !out.iter().any(|s| inside(finder.centre, &s.located.corners)) {
            let quarters = [0.0, 1.0, 2.0, 3.0].map(|quarter| seen.angle + std::f32::consts::FRAC_PI_2 * quarter);
            let maps: Vec<Homography> = quarters.into_iter().filter_map(|angle| frame(&seen, angle)).collect();
            let at = |quiet_zone| at(picture, search, seen.finder.module, &maps, quiet_zone);
            out.extend(at(true).or_else(|| at(false)));
        }
    }
    out
}

/// The symbol of a finder pattern whose outline is known, if it decodes.
pub(super) fn read_one(picture: &Picture<'_>, search: Search, outline: &Outline) -> Option<Symbol> {
    let maps: Vec<Homography> = (0..4).filter_map(|turn| beside(outline, turn)).collect();
    let at = |quiet_zone| at(picture, search, outline.module, &maps, quiet_zone);
    at(true).or_else(|| at(false))
}

/// The map of a symbol whose top left corner is at a corner of the outline, as if seen from far away.
fn beside(outline: &Outline, turn: usize) -> Option<Homography> {
    let [a, b, c, d] = std::array::from_fn(|i| outline.corners[(i + turn) % 4]);
    let part = |p: fn(&Point) -> f32, x: f32, y: f32| {
        let (a, b, c, d) = (p(&a), p(&b), p(&c), p(&d));
        p(&outline.centre) + (x - 3.5) * (b - a + c - d) / 10.0 + (y - 3.5) * (d - a + c - b) / 10.0
    };
    let corners = SEVEN.map(|(x, y)| Point::new(x, y));
    Homography::from_points(corners, corners.map(|p| Point::new(part(|p| p.x, p.x, p.y), part(|p| p.y, p.x, p.y))))
}

/// The corners of a finder pattern, in modules.
const SEVEN: [(f32, f32); 4] = [(0.0, 0.0), (7.0, 0.0), (7.0, 7.0), (0.0, 7.0)];

/// The symbol of a finder pattern with its side along one of the `maps`, whose quiet zone is counted on or not.
fn at(picture: &Picture<'_>, search: Search, module: f32, maps: &[Homography], quiet_zone: bool) -> Option<Symbol> {
    let target = |version: MicroVersion, beyond: usize, quiet_zone: bool| {
        let known = move |x: usize, y: usize| version.known(x, y).filter(|_| x.max(y) >= beyond);
        Target::new(picture, search.reversed, version.side(), known, quiet_zone, module)
    };
    // The finder pattern looks the same at each turn: the timing patterns tell.
    let fits = MicroVersion::ALL.into_iter().flat_map(|version| {
        let timing = target(version, 8, false);
        let mut turns: Vec<(f32, &Homography)> =
            maps.iter().map(|map| (timing.score(&|p| map.apply(p)), map)).collect();
        turns.sort_by(|a, b| b.0.total_cmp(&a.0));
        let whole = target(version, 0, quiet_zone);
        turns
            .into_iter()
            .take(TURNS)
            .filter(|(score, _)| *score > TIMED)
            .flat_map(move |(_, map)| {
                let flat = whole.refined_flat(map, 1.0);
                let tilted = flat.as_ref().and_then(|fit| whole.refined(&fit.map, 0.5));
                [flat, tilted].into_iter().flatten()
            })
            .collect::<Vec<Fit>>()
    });
    let mut fits: Vec<Fit> = fits.filter(|fit| fit.score > FITS).collect();
    fits.sort_by(|a, b| b.score.total_cmp(&a.score));
    let symbols = fits.iter().flat_map(|fit| {
        [Judge::Mean, Judge::Levels].map(|judge| symbol(picture, search, fit, &|p| fit.place(p), judge))
    });
    symbols.into_iter().find(|symbol| symbol.decoded.is_ok())
}

/// The untilted map of a symbol with this finder pattern, its rows running along `angle`.
fn frame(seen: &Turned, angle: f32) -> Option<Homography> {
    let (sin, cos) = angle.sin_cos();
    let (centre, module) = (seen.finder.centre, seen.finder.module);
    let place = |(x, y): (f32, f32)| {
        let (a, b) = ((x - 3.5) * module, (y - 3.5) * module);
        Point::new(centre.x + a * cos - b * sin, centre.y + a * sin + b * cos)
    };
    Homography::from_points(SEVEN.map(|(x, y)| Point::new(x, y)), SEVEN.map(place))
}
