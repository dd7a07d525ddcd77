//! A look that costs little more than thresholding: the outlines of three finder patterns give the place of a symbol,
//! its timing patterns the size, its alignment patterns the rest. Nearly all clean symbols are read by it, at any tilt.

use super::finder::Finder;
use super::frame::{Frame, Information, Place};
use super::outline::{Outline, outline};
use super::{Look, Search, inside, micro, twos};
use crate::read::Symbol;
use crate::read::geometry::Point;
use crate::read::picture::Picture;
use crate::read::tones::Bits;
use touchmark_formats::symbol::qr::tables::Version;

/// Finder patterns whose outline is followed, those seen by most rows first.
const MOST_FINDERS: usize = 100;
/// Triples that are looked at.
const MOST_TRIPLES: usize = 200;
/// Share of the timing patterns' modules that must be right beyond those that are wrong.
const TIMED: f32 = 0.45;
/// Cosine of the angle by which the sides of a finder pattern may be off those of the symbol.
pub(super) const ALONG: f32 = 0.87;
/// The same of a symbol that is surely there.
const SURE: f32 = 0.6;
/// Bits of version information that must be right, of 18: its code corrects three.
const TOLD: u32 = 15;
/// Symbols that are surely there and do not decode by any fit, after which the rest is left alone.
const MOST_LOST: usize = 3;
/// Micro QR Codes that are fitted.
const MOST_MICRO: usize = 8;

/// Every QR Code of these finder patterns that decodes at once.
pub(super) fn read(picture: &Picture<'_>, bits: &Bits, search: Search, finders: &[Finder]) -> Vec<Symbol> {
    let outlines: Vec<Outline> = finders.iter().take(MOST_FINDERS).filter_map(|f| outline(bits, f)).collect();
    if search.look == Look::Twos {
        return Vec::from_iter(twos::read(picture, bits, search, &outlines));
    }
    let mut out: Vec<Symbol> = Vec::new();
    for triple in triples(&outlines).into_iter().take(MOST_TRIPLES) {
        let used = |o: &Outline| out.iter().any(|symbol| inside(o.centre, &symbol.located.corners));
        if picture.work().spent() {
            break;
        }
        if !triple.of.iter().any(used) {
            out.extend(triple.read(picture, bits, search));
            if out.iter().filter(|symbol| symbol.decoded.is_err()).count() == MOST_LOST {
                break;
            }
        }
    }
    let alone = |o: &&Outline| !out.iter().any(|symbol| inside(o.centre, &symbol.located.corners));
    if search.look == Look::Fit {
        return out;
    }
    let micro: Vec<&Outline> = outlines.iter().filter(alone).filter(|o| micro(bits, o)).take(MOST_MICRO).collect();
    out.extend(micro.into_iter().filter_map(|outline| micro::read_one(picture, search, outline)));
    out
}

/// Whether the timing patterns of a Micro QR Code run along two neighbouring sides of a finder pattern.
fn micro(bits: &Bits, outline: &Outline) -> bool {
    (0..4).any(|turn| {
        let mut turned = *outline;
        turned.corners.rotate_left(turn);
        // A light separator, then dark and light in turn up to the end of the symbol.
        let wrong = |i: u8| {
            let (away, dark) = (f32::from(i) - 3.0, i.is_multiple_of(2));
            usize::from(turned.dark(bits, away, -3.0) != dark) + usize::from(turned.dark(bits, -3.0, away) != dark)
        };
        let wrong_up_to = |side: u8| (7..side).map(wrong).sum::<usize>();
        wrong_up_to(11) == 0 || wrong_up_to(13) <= 1
    })
}

/// Three outlines that may be those of one symbol.
struct Triple {
    /// Top left, top right, bottom left; the corners of each in the order of the symbol's own, from its top left.
    of: [Outline; 3],
    /// Modules a side.
    side: f32,
    penalty: f32,
}

/// The likeliest triples first.
fn triples(outlines: &[Outline]) -> Vec<Triple> {
    let mut out = Vec::new();
    for (i, a) in outlines.iter().enumerate() {
        for (j, b) in outlines.iter().enumerate().skip(i + 1).filter(|(_, b)| alike(a, b)) {
            let third = outlines.iter().skip(j + 1).filter(|c| alike(a, c) && alike(b, c));
            out.extend(third.filter_map(|c| Triple::likeliest([a, b, c])));
        }
    }
    out.sort_by(|a, b| a.penalty.total_cmp(&b.penalty));
    out
}

/// Whether two finder patterns may belong to one symbol by their size and distance.
pub(super) fn alike(a: &Outline, b: &Outline) -> bool {
    let apart = a.centre.distance(b.centre) / a.module.max(b.module);
    a.module < 2.5 * b.module && b.module < 2.5 * a.module && (6.0..400.0).contains(&apart)
}

impl Triple {
    /// Three outlines with that one at the corner whose sides speak for it most.
    fn likeliest(three: [&Outline; 3]) -> Option<Self> {
        let turns = (0..3).filter_map(|i| Self::new(three[i], three[(i + 1) % 3], three[(i + 2) % 3]));
        turns.min_by(|a, b| a.penalty.total_cmp(&b.penalty))
    }

    fn new(origin: &Outline, one: &Outline, two: &Outline) -> Option<Self> {
        let vector = |to: &Outline| (to.centre.x - origin.centre.x, to.centre.y - origin.centre.y);
        let (a, b) = (vector(one), vector(two));
        // Clockwise from the top right over the top left: the picture's y runs down.
        let area = a.0 * b.1 - a.1 * b.0;
        let (right, below, u, v) = if area > 0.0 { (one, two, a, b) } else { (two, one, b, a) };
        let (u_length, v_length) = (Point::new(u.0, u.1).length(), Point::new(v.0, v.1).length());
        if area.abs() < 0.35 * u_length * v_length {
            return None;
        }
        let (u, v) = ((u.0 / u_length, u.1 / u_length), (v.0 / v_length, v.1 / v_length));
        // Rough, but soon said: a triple of other symbols has sides of other lengths.
        let (across, down) = (u_length / right.module.max(origin.module), v_length / below.module.max(origin.module));
        if across.max(down) > 200.0 || across > 3.0 * down || down > 3.0 * across {
            return None;
        }
        let mut of = [*origin, *right, *below];
        let mut off = 0.0;
        for outline in &mut of {
            let cosine = outline.turn(u, v);
            if cosine < ALONG {
                return None;
            }
            off += 1.0 - cosine;
        }
        // Between two places of a line seen aslant the modules' mean length is the geometric mean of those at its ends.
        let modules = |far: &Outline, along: usize| {
            of[0].centre.distance(far.centre) / (of[0].length(along) * far.length(along)).sqrt()
        };
        let (across, down) = (modules(&of[1], 0), modules(&of[2], 1));
        let side = (across + down) / 2.0 + 7.0;
        let unlike = (across / down).ln().abs();
        let small = (across - down).abs() < 3.0;
        let fits = (19.0..200.0).contains(&side) && (unlike < 0.3 || small);
        fits.then_some(Self { of, side, penalty: unlike + 3.0 * off + 0.004 * side })
    }

    fn read(&self, picture: &Picture<'_>, bits: &Bits, search: Search) -> Option<Symbol> {
        let guess = (self.side - 17.0) / 4.0;
        let spread = 1.1 + 0.08 * guess;
        let from = (guess - spread).ceil().max(1.0) as usize;
        let seen = [(Place::TopLeft, self.of[0]), (Place::TopRight, self.of[1]), (Place::BottomLeft, self.of[2])];
        let told = self.told(bits);
        let likely = |version: Version| told.iter().any(|words| words.count(version) >= TOLD);
        let mut frames: Vec<(f32, Frame)> = (from..=(guess + spread) as usize)
            .filter_map(Version::new)
            .filter_map(|version| Some((f32::from(u8::from(likely(version))), Frame::new(version, &seen, bits)?)))
            .filter(|(told, frame)| frame.timed + told > TIMED)
            .collect();
        frames.sort_by(|a, b| (b.0 + b.1.timed).total_cmp(&(a.0 + a.1.timed)));
        let mut frames = frames.into_iter().map(|(told, frame)| (told + frame.timed, frame));
        if search.look == Look::Fit {
            let (sure, frame) = frames.next()?;
            return (sure > SURE).then(|| frame.fitted(picture, search)).flatten();
        }
        frames.take(2).find_map(|(_, frame)| frame.read(picture, search))
    }

    /// Both copies of the version information, as the finder patterns beside them lead to them.
    fn told(&self, bits: &Bits) -> [Information; 2] {
        let word = |of: &Outline, turned: bool| {
            let places = (0..18).map(|i| ((i % 3) as f32 - 7.0, (i / 3) as f32 - 3.0));
            let places = places.map(|(away, along)| if turned { (along, away) } else { (away, along) });
            Information(places.enumerate().map(|(i, (x, y))| u32::from(of.dark(bits, x, y)) << i).sum())
        };
        [word(&self.of[1], false), word(&self.of[2], true)]
    }
}
