//! A symbol of which two finder patterns are seen: what they may be to it is tried, and the timing patterns judge.

use super::Search;
use super::easy::{ALONG, alike};
use super::frame::{Frame, Place};
use super::outline::Outline;
use crate::read::Symbol;
use crate::read::picture::Picture;
use crate::read::tones::Bits;
use touchmark_formats::symbol::qr::tables::Version;

/// Finder patterns that are paired.
const MOST_FINDERS: usize = 24;
/// Guesses that are sampled as they are.
const MOST_SAMPLED: usize = 24;
/// Guesses that are fitted on all function patterns.
const MOST_FITTED: usize = 4;
/// Share of the timing patterns' modules that must be right beyond those that are wrong: one of the two may be lost.
const TIMED: f32 = 0.3;

/// The symbol that the likeliest guesses lead to: decoded, or the likeliest of what may be one.
pub(super) fn read(picture: &Picture<'_>, bits: &Bits, search: Search, outlines: &[Outline]) -> Option<Symbol> {
    let mut frames: Vec<Frame> = Vec::new();
    for (i, a) in outlines.iter().enumerate().take(MOST_FINDERS) {
        for b in outlines.iter().take(MOST_FINDERS).skip(i + 1).filter(|b| alike(a, b)) {
            let guesses = roles(a, b).into_iter().chain(roles(b, a));
            frames.extend(guesses.flat_map(|guess| guess.frames(bits)));
        }
    }
    frames.sort_by(|a, b| b.timed.total_cmp(&a.timed));
    frames.truncate(MOST_SAMPLED);
    if let Some(symbol) = frames.iter().find_map(|frame| frame.clone().read(picture, search)) {
        return Some(symbol);
    }
    let mut supposed: Option<Symbol> = None;
    let fitted = frames.into_iter().take(MOST_FITTED).filter(|_| !picture.work().spent());
    for symbol in fitted.filter_map(|frame| frame.fitted(picture, search)) {
        if symbol.decoded.is_ok() {
            return Some(symbol);
        }
        // Of so many guesses one looks right by chance.
        supposed.get_or_insert(Symbol { credible: false, ..symbol });
    }
    supposed
}

/// Two finder patterns of one symbol.
struct Guess {
    seen: [(Place, Outline); 2],
    /// Modules a side.
    side: f32,
}

/// Unit vectors along the rows and down the columns of a symbol.
type Axes = ((f32, f32), (f32, f32));

/// What `a` and `b` may be: top left and top right, top left and bottom left, top right and bottom left.
fn roles(a: &Outline, b: &Outline) -> Vec<Guess> {
    let length = a.centre.distance(b.centre);
    let (x, y) = ((b.centre.x - a.centre.x) / length, (b.centre.y - a.centre.y) / length);
    let half = std::f32::consts::FRAC_1_SQRT_2;
    // With y running down, (x, y) -> (-y, x) turns from the rows to the columns.
    let tries: [(Place, Place, Axes); 3] = [
        (Place::TopLeft, Place::TopRight, ((x, y), (-y, x))),
        (Place::TopLeft, Place::BottomLeft, ((y, -x), (x, y))),
        (Place::TopRight, Place::BottomLeft, ((half * (y - x), half * (-x - y)), (half * (x + y), half * (y - x)))),
    ];
    let guess = |(first, second, (u, v)): (Place, Place, Axes)| {
        let (mut a, mut b) = (*a, *b);
        if a.turn(u, v).min(b.turn(u, v)) < ALONG {
            return None;
        }
        let module = |o: &Outline| match (first, second) {
            (Place::TopLeft, Place::TopRight) => o.length(0),
            (Place::TopLeft, _) => o.length(1),
            // Both sides count alike along the diagonal.
            _ => o.length(0).hypot(o.length(1)),
        };
        let side = length / (module(&a) * module(&b)).sqrt() + 7.0;
        Some(Guess { seen: [(first, a), (second, b)], side })
    };
    tries.into_iter().filter_map(guess).collect()
}

impl Guess {
    fn frames(&self, bits: &Bits) -> Vec<Frame> {
        let guess = (self.side - 17.0) / 4.0;
        let spread = 1.1 + 0.08 * guess;
        let from = (guess - spread).ceil().max(1.0) as usize;
        let versions = (from..=(guess + spread).max(0.0) as usize).filter_map(Version::new);
        let frames = versions.filter_map(|version| Frame::new(version, &self.seen, bits));
        frames.filter(|frame| frame.timed > TIMED).collect()
    }
}
