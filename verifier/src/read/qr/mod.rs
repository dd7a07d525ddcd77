//! QR Code and Micro QR Code, ISO/IEC 18004: located by its finder patterns, fitted on all its function patterns.

mod easy;
mod finder;
mod fit;
mod frame;
mod matched;
mod micro;
mod outline;
mod pairs;
mod sample;
mod target;
mod timing;
mod turned;
mod twos;

use super::elastic::{self, Surface};
use super::geometry::{Homography, Point};
use super::picture::Picture;
use super::tones::{Bits, Tones};
use super::work::{DECODING, FITTING, LOST};
use super::{DecodeError, FINEST, Located, ModuleGrid, Symbol, uniform};
use finder::{Finder, Triple};
use fit::Fitter;
use sample::{Judge, OTHER_JUDGES};
use std::cell::OnceCell;
use target::Fit;
use touchmark_formats::symbol::Symbology;
use touchmark_formats::symbol::qr::decode::{decode, turns};
use touchmark_formats::symbol::qr::micro::{MicroVersion, decode as micro_decode};
use touchmark_formats::symbol::qr::tables::Version;

/// How long to look at finder patterns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Look {
    /// Only for what decodes by the outlines of its finder patterns.
    Easy,
    /// As easy, with a fit on all function patterns for those of which there is no doubt that they are there.
    Fit,
    /// For symbols of which the outlines of two finder patterns are seen.
    Twos,
    /// Only for what decodes as three finder patterns and the alignment patterns have it.
    First,
    /// Also, for this many triples, for a fit on all function patterns.
    Long(usize),
    /// For symbols of which only two finder patterns are seen, with a fit of this many guesses.
    Pairs(usize),
    /// For Micro QR Code, which has one finder pattern.
    Micro,
    /// For finder patterns that no row of pixels shows, with a fit of this many guesses.
    Matched(usize),
    /// For symbols of which only one finder pattern is seen, with a fit of this many guesses.
    Alone(usize),
}

/// How a picture is searched.
#[derive(Debug, Clone, Copy)]
pub(super) struct Search {
    /// Light modules on dark.
    pub(super) reversed: bool,
    /// How long to look at what is found.
    pub(super) look: Look,
    /// Name of the attempt.
    pub(super) attempt: &'static str,
}

/// Correlation of the function patterns above which a symbol is believed to be there though it cannot be decoded.
const CREDIBLE: f32 = 0.75;

/// Plausible triples of a picture that are looked at.
const MOST_TRIPLES: usize = 80;

/// What shows in a picture by one threshold; what may be finder patterns is looked for once.
#[derive(Debug)]
pub(super) struct Sight {
    pub(super) tones: Tones,
    /// Of dark and of light patterns.
    finders: [OnceCell<Vec<Finder>>; 2],
}

impl Sight {
    pub(super) fn new(tones: Tones) -> Self {
        Self { tones, finders: Default::default() }
    }

    fn finders(&self, reversed: bool) -> &[Finder] {
        self.finders[usize::from(reversed)].get_or_init(|| finder::finders(self.tones.of(reversed)))
    }
}

/// Every QR Code that this search finds and whose finder patterns do not lie where `explained` says that something else
/// is. They are looked for in those bits only that are `sought`, if these are given.
pub(super) fn read(
    picture: &Picture<'_>,
    sight: &Sight,
    search: Search,
    sought: Option<&Bits>,
    explained: &dyn Fn(Point) -> bool,
) -> Vec<Symbol> {
    if let Look::Matched(guesses) | Look::Alone(guesses) = search.look {
        let mut seen = matched::finders(picture, search.reversed, MOST_MATCHED);
        seen.retain(|seen| !explained(seen.finder.centre));
        return from_matched(picture, search, &seen, guesses);
    }
    let mut finders = match sought {
        Some(bits) => finder::finders(bits),
        None => sight.finders(search.reversed).to_vec(),
    };
    finders.retain(|finder| !explained(finder.centre));
    if matches!(search.look, Look::Easy | Look::Fit | Look::Twos) {
        return easy::read(picture, sight.tones.of(search.reversed), search, &finders);
    }
    let mut out: Vec<Symbol> = Vec::new();
    let mut left: Vec<(Triple, Vec<Fitter<'_>>)> = Vec::new();
    let triples = match search.look {
        Look::First | Look::Long(_) => finder::triples(&finders),
        _ => Vec::new(),
    };
    for triple in triples {
        if left.len() == MOST_TRIPLES || picture.work().spent() {
            break;
        }
        if used(&triple, &out) || !fit::plausible(picture, search.reversed, &triple) {
            continue;
        }
        let fitters = fitters(picture, search, &triple);
        match fitters.iter().find_map(|fitter| at_first_look(picture, search, fitter, &triple)) {
            Some(symbol) => out.push(symbol),
            None => left.push((triple, fitters)),
        }
    }
    match search.look {
        Look::Long(triples) if out.is_empty() => {
            for (triple, fitters) in left.into_iter().take(triples) {
                if !used(&triple, &out) && !picture.work().spent() {
                    out.extend(at_length(picture, search, fitters, &triple));
                }
            }
        }
        Look::Pairs(guesses) => {
            let seen = pairs::clearest(picture, search.reversed, &finders);
            out = from_guesses(picture, search, pairs::triples(&seen), guesses);
        }
        Look::Micro => out.extend(micro::read(picture, search, &finders)),
        _ => {}
    }
    // What was decoded in the end explains what could not be at first.
    let decoded: Vec<[Point; 4]> = out.iter().filter(|s| s.decoded.is_ok()).map(|s| s.located.corners).collect();
    out.retain(|s| {
        s.decoded.is_ok() || !decoded.iter().any(|corners| s.located.corners.iter().any(|c| inside(*c, corners)))
    });
    out
}

/// The QR Code with its outer corners near `corners`, in order around it, whichever comes first.
pub(super) fn read_at(picture: &Picture<'_>, search: Search, corners: &[Point; 4]) -> Option<Symbol> {
    let sides: [f32; 4] = std::array::from_fn(|i| corners[i].distance(corners[(i + 1) % 4]));
    let (mean, shortest) = (sides.iter().sum::<f32>() / 4.0, sides.into_iter().fold(f32::MAX, f32::min));
    let mut tries: Vec<(f32, [Point; 4], Fitter<'_>)> = Vec::new();
    let shown = |version: &Version| shortest / version.side() as f32 >= FINEST;
    for version in (1..=40).filter_map(Version::new).filter(shown) {
        let module = mean / version.side() as f32;
        for turn in 0..4 {
            let turned = std::array::from_fn(|i| corners[(i + turn) % 4]);
            let fitter = Fitter::new(picture, search.reversed, version, module, false);
            tries.push((fitter.score_at(&turned), turned, fitter));
        }
    }
    tries.sort_by(|a, b| b.0.total_cmp(&a.0));
    let fits = tries.into_iter().take(POINTED).filter_map(|(_, corners, fitter)| {
        let fit = fitter.fit_at(&corners)?;
        read_fit(picture, search, &fitter, &fit)
    });
    let mut best: Option<Symbol> = None;
    for symbol in fits {
        if symbol.decoded.is_ok() {
            return Some(symbol);
        }
        best.get_or_insert(symbol);
    }
    best
}

/// Versions and turns that are fitted where somebody pointed.
const POINTED: usize = 6;

/// Inferred symbols that are kept though they were not decoded.
const MOST_SUPPOSED: usize = 4;

/// Finder patterns that are seen as a whole and looked at.
const MOST_MATCHED: usize = 14;
/// Of those, the clearest, that may be the only one of a symbol.
const MOST_ALONE: usize = 6;

/// A symbol by finder patterns that were seen as a whole: three of them, two, or one.
fn from_matched(picture: &Picture<'_>, search: Search, seen: &[turned::Turned], guesses: usize) -> Vec<Symbol> {
    let triples: Vec<Triple> = match search.look {
        Look::Alone(_) => seen.iter().take(MOST_ALONE).flat_map(pairs::alone).collect(),
        _ => {
            let finders: Vec<finder::Finder> = seen.iter().map(|seen| seen.finder).collect();
            finder::triples(&finders).into_iter().take(MOST_TRIPLES).chain(pairs::triples(seen)).collect()
        }
    };
    from_guesses(picture, search, triples, guesses)
}

/// A symbol with finder patterns of which some are inferred: of all that they may belong to, those are fitted whose function
/// patterns show.
fn from_guesses(picture: &Picture<'_>, search: Search, triples: Vec<Triple>, guesses: usize) -> Vec<Symbol> {
    let mut tries: Vec<(f32, Triple, Fitter<'_>)> = Vec::new();
    for triple in triples {
        let fitters = match search.look {
            // Each guess is one of a version by itself.
            Look::Alone(_) => Version::of_side(triple.modules.0 as usize + 7)
                .map(|version| Fitter::new(picture, search.reversed, version, triple.module, false))
                .into_iter()
                .collect(),
            _ => fitters(picture, search, &triple),
        };
        tries.extend(fitters.into_iter().map(|fitter| (fitter.first_score(&triple), triple, fitter)));
    }
    tries.sort_by(|a, b| b.0.total_cmp(&a.0));
    let mut supposed = Vec::new();
    for (_, triple, fitter) in tries.into_iter().take(guesses) {
        if picture.work().spent() {
            break;
        }
        let Some(symbol) = at_length(picture, search, vec![fitter], &triple) else { continue };
        if symbol.decoded.is_ok() {
            return vec![symbol];
        }
        if supposed.len() < MOST_SUPPOSED {
            // Of so many guesses one looks right by chance.
            supposed.push(Symbol { credible: false, ..symbol });
        }
    }
    supposed
}

/// Whether a finder pattern of the triple belongs to a symbol that was decoded.
fn used(triple: &Triple, symbols: &[Symbol]) -> bool {
    [triple.top_left, triple.top_right, triple.bottom_left]
        .iter()
        .any(|p| symbols.iter().any(|s| s.decoded.is_ok() && inside(*p, &s.located.corners)))
}

/// The likeliest versions of a triple: those that the timing patterns speak for, and that whose function patterns fit.
fn fitters<'a>(picture: &'a Picture<'a>, search: Search, triple: &Triple) -> Vec<Fitter<'a>> {
    let side = (triple.modules.0 + triple.modules.1) / 2.0 + 7.0;
    let guess = ((side - 17.0) / 4.0).round().max(1.0) as usize;
    let spread = 1 + guess / 12;
    let mut allowed: Vec<usize> = (guess.saturating_sub(spread)..=guess + spread).collect();
    allowed.sort_by_key(|n| n.abs_diff(guess));
    let fitter =
        |n: usize, counted: bool| Some(Fitter::new(picture, search.reversed, Version::new(n)?, triple.module, counted));
    let mut counted = timing::versions(picture, search.reversed, triple);
    counted.retain(|n| allowed.contains(n));
    counted.truncate(2);
    let others =
        allowed.into_iter().filter(|n| !counted.contains(n)).take(MOST_VERSIONS).filter_map(|n| fitter(n, false));
    let mut others: Vec<(f32, Fitter<'_>)> = others.map(|fitter| (fitter.first_score(triple), fitter)).collect();
    others.sort_by(|a, b| b.0.total_cmp(&a.0));
    let others = others.into_iter().take(if counted.is_empty() { 2 } else { 1 }).map(|(_, fitter)| fitter);
    counted.iter().filter_map(|n| fitter(*n, true)).chain(others).collect()
}

/// Versions of which the function patterns are compared.
const MOST_VERSIONS: usize = 5;

/// The symbol, if it decodes as three finder patterns and one alignment pattern have it: nearly all clean ones do.
fn at_first_look(picture: &Picture<'_>, search: Search, fitter: &Fitter<'_>, triple: &Triple) -> Option<Symbol> {
    let flat = || {
        let fit = fitter.first_fit(triple)?;
        Some(symbol(picture, search, &fit, &|p| fit.place(p), Judge::Mean))
    };
    let meshed = || {
        // Growing a mesh takes long; a version that the timing patterns do not show is not worth it.
        if !fitter.counted {
            return None;
        }
        let (fit, offsets) = fitter.mesh(triple)?;
        Some(symbol(picture, search, &fit, &|p| warp(&fit, &offsets, p), Judge::Mean))
    };
    flat().filter(|s| s.decoded.is_ok()).or_else(meshed).filter(|s| s.decoded.is_ok())
}

fn at_length(picture: &Picture<'_>, search: Search, fitters: Vec<Fitter<'_>>, triple: &Triple) -> Option<Symbol> {
    let mut fits: Vec<(Fitter<'_>, Fit)> =
        fitters.into_iter().filter_map(|fitter| fitter.fit(triple).map(|fit| (fitter, fit))).collect();
    fits.sort_by(|a, b| b.1.score.total_cmp(&a.1.score));
    let (fitter, best) = fits.first().filter(|(_, fit)| fit.score > 0.4)?;
    let mut symbol = read_fit(picture, search, fitter, best)?;
    symbol.credible |= best.score > CREDIBLE;
    Some(symbol)
}

/// Correlation of the function patterns above which a fit is worth being moved to where all modules are.
const WORTH_FOCUS: f32 = 0.5;

/// What a fit shows: as it is, bent, or warped as its alignment patterns are.
fn read_fit(picture: &Picture<'_>, search: Search, fitter: &Fitter<'_>, best: &Fit) -> Option<Symbol> {
    picture.work().take(FITTING * best.side * best.side);
    let mut straight = symbol(picture, search, best, &|p| best.place(p), Judge::Mean);
    if straight.decoded.is_ok() {
        return Some(straight);
    }
    let bent = fitter.target.bent(best);
    let curved = symbol(picture, search, &bent, &|p| bent.place(p), Judge::Mean);
    if curved.decoded.is_ok() {
        return Some(curved);
    }
    straight.add(curved);
    let offsets = fitter.offsets(best);
    if offsets.len() > 3 {
        let warped = symbol(picture, search, best, &|p| warp(best, &offsets, p), Judge::Mean);
        if warped.decoded.is_ok() {
            return Some(warped);
        }
        straight.add(warped);
    }
    if picture.work().spent() {
        return Some(straight);
    }
    let judges = if best.score > WORTH_FOCUS { OTHER_JUDGES.as_slice() } else { &OTHER_JUDGES[..2] };
    for &judge in judges {
        let other = symbol(picture, search, best, &|p| best.place(p), judge);
        if other.decoded.is_ok() {
            return Some(other);
        }
        straight.add(other);
    }
    let sign = if search.reversed { -1.0 } else { 1.0 };
    let level = |p: Point| sign * picture.sample(best.place(p));
    let known = |x: usize, y: usize| Version::of_side(best.side)?.known(x, y);
    for displacement in Surface::new(best.side, best.side, &level, &known).displacements() {
        let displaced = symbol(picture, search, best, &|p| best.place(displacement.of(p)), Judge::Mean);
        if displaced.decoded.is_ok() {
            return Some(displaced);
        }
        straight.add(displaced);
    }
    if best.score > WORTH_FOCUS && !picture.work().spent() {
        let level = |p: Point| sign * picture.sample(p);
        let focused = elastic::focused(best.corners, (best.side, best.side), &level, &known);
        let map = focused.and_then(|corners| Homography::from_points(fitter.target.square(), corners));
        if let (Some(corners), Some(map)) = (focused, map) {
            let fit = Fit { corners, map, bend: [0.0; 4], ..best.clone() };
            for judge in std::iter::once(Judge::Mean).chain(OTHER_JUDGES) {
                let focused = symbol(picture, search, &fit, &|p| fit.place(p), judge);
                if focused.decoded.is_ok() {
                    return Some(focused);
                }
                straight.add(focused);
            }
        }
    }
    let stained: Vec<ModuleGrid> = straight.samplings().filter_map(uniform::doubted).collect();
    for modules in stained {
        let seen = judged(picture, search, best, modules);
        if seen.decoded.is_ok() {
            return Some(seen);
        }
        straight.add(seen);
    }
    if best.score > CREDIBLE {
        straight.sort_samplings();
        straight.decoded_together();
    }
    Some(straight)
}

/// The fit's place of a point, moved as the patterns near it are.
fn warp(fit: &Fit, offsets: &[(Point, Point)], p: Point) -> Point {
    let place = fit.place(p);
    let (mut weight, mut dx, mut dy) = (0.0, 0.0, 0.0);
    for (centre, offset) in offsets {
        let (x, y) = (centre.x - p.x, centre.y - p.y);
        let w = 1.0 / (x * x + y * y + 4.0).powf(1.5);
        weight += w;
        dx += w * offset.x;
        dy += w * offset.y;
    }
    Point::new(place.x + dx / weight, place.y + dy / weight)
}

fn symbol(picture: &Picture<'_>, search: Search, fit: &Fit, place: &impl Fn(Point) -> Point, judge: Judge) -> Symbol {
    judged(picture, search, fit, sample::sample(picture, search.reversed, fit.side, place, judge))
}

/// What the modules of a fit say, which costs more where that is nothing.
fn judged(picture: &Picture<'_>, search: Search, fit: &Fit, modules: ModuleGrid) -> Symbol {
    let symbol = decoded(search, fit, modules);
    let each = if symbol.decoded.is_ok() { DECODING } else { DECODING + LOST };
    picture.work().take(each * fit.side * fit.side);
    symbol
}

/// What the modules of a fit say, as it is or as seen from behind.
fn decoded(search: Search, fit: &Fit, modules: ModuleGrid) -> Symbol {
    let side = fit.side;
    let symbology = if MicroVersion::of_side(side).is_some() { Symbology::MicroQrCode } else { Symbology::QrCode };
    // Seen from behind, rows and columns change places.
    let turned: Vec<f32> = (0..side * side).map(|i| modules.llr[i % side * side + i / side]).collect();
    let (decode, tries): (fn(usize, &[f32]) -> _, _) = match symbology {
        Symbology::MicroQrCode => (micro_decode, [true, true]),
        _ => (decode, turns(side, &modules.llr, &turned)),
    };
    let ways = [(&modules.llr, false), (&turned, true)].into_iter().zip(tries).filter(|(_, worth)| *worth);
    let (mut decoded, mut mirrored) = (Err(DecodeError::Checksum), false);
    for ((llr, behind), _) in ways {
        decoded = decode(side, llr);
        if decoded.is_ok() {
            mirrored = behind;
            break;
        }
    }
    let modules = if mirrored { ModuleGrid { llr: turned, ..modules } } else { modules };
    let [a, b, c, d] = fit.corners;
    let corners = if mirrored { [a, d, c, b] } else { [a, b, c, d] };
    let located = Located { symbology, corners, modules, reversed: search.reversed, mirrored, attempt: search.attempt };
    match decoded {
        Ok(content) => Symbol::decoded(located, content),
        Err(e) => Symbol::undecoded(located, e),
    }
}

/// Whether `p` lies in a quadrilateral with these corners.
pub(super) fn inside(p: Point, corners: &[Point; 4]) -> bool {
    let side = |i: usize| {
        let (a, b) = (corners[i], corners[(i + 1) % 4]);
        (b.x - a.x) * (p.y - a.y) - (b.y - a.y) * (p.x - a.x)
    };
    let sides = [side(0), side(1), side(2), side(3)];
    sides.iter().all(|s| *s >= 0.0) || sides.iter().all(|s| *s <= 0.0)
}
