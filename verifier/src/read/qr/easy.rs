//! A look that costs little more than thresholding: the outlines of three finder patterns give the place of a symbol,
//! its timing patterns the size, its alignment patterns the rest. Nearly all clean symbols are read by it, at any tilt.

use super::finder::{self, Finder};
use super::fit::Fitter;
use super::outline::{Outline, outline};
use super::sample::Judge;
use super::target::{Fit, Sums};
use super::{Look, Search, inside, micro, read_fit, symbol, warp};
use crate::read::Symbol;
use crate::read::geometry::{Homography, Point};
use crate::read::picture::Picture;
use crate::read::tones::{Bits, Tones};
use touchmark_formats::symbol::qr::tables::Version;

/// Finder patterns whose outline is followed, those seen by most rows first.
const MOST_FINDERS: usize = 100;
/// Triples that are looked at.
const MOST_TRIPLES: usize = 200;
/// Share of the timing patterns' modules that must be right beyond those that are wrong.
const TIMED: f32 = 0.45;
/// Cosine of the angle by which the sides of a finder pattern may be off those of the symbol.
const ALONG: f32 = 0.87;
/// The same of a symbol that is surely there.
const SURE: f32 = 0.7;
/// Bits of version information that must be right, of 18: its code corrects three.
const TOLD: u32 = 15;
/// Micro QR Codes that are fitted.
const MOST_MICRO: usize = 8;

/// Every QR Code that decodes at once.
pub(super) fn read(
    picture: &Picture<'_>,
    tones: &Tones,
    search: Search,
    explained: &dyn Fn(Point) -> bool,
) -> Vec<Symbol> {
    let bits = tones.of(search.reversed);
    let finders = finder::finders(bits);
    let free = finders.iter().filter(|finder: &&Finder| !explained(finder.centre)).take(MOST_FINDERS);
    let outlines: Vec<Outline> = free.filter_map(|finder| outline(bits, finder)).collect();
    let mut out: Vec<Symbol> = Vec::new();
    for triple in triples(&outlines).into_iter().take(MOST_TRIPLES) {
        let used = |o: &Outline| out.iter().any(|symbol| inside(o.centre, &symbol.located.corners));
        if !triple.of.iter().any(used) {
            out.extend(triple.read(picture, bits, search));
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
fn alike(a: &Outline, b: &Outline) -> bool {
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
        let (u_length, v_length) = (u.0.hypot(u.1), v.0.hypot(v.1));
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
        let told = self.told(bits);
        let likely = |version: Version| told.iter().any(|words| words.count(version) >= TOLD);
        let mut frames: Vec<(f32, Frame)> = (from..=(guess + spread) as usize)
            .filter_map(Version::new)
            .filter_map(|version| Some((f32::from(u8::from(likely(version))), self.frame(version, bits)?)))
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

    fn frame(&self, version: Version, bits: &Bits) -> Option<Frame> {
        let far = version.side() as f32 - 3.5;
        let centres = [(3.5, 3.5), (far, 3.5), (3.5, far)];
        let corners = [(-2.5, -2.5), (2.5, -2.5), (2.5, 2.5), (-2.5, 2.5)];
        let pairs = centres.iter().zip(&self.of).flat_map(|((x, y), outline)| {
            corners.iter().zip(outline.corners).map(move |((dx, dy), place)| (Point::new(x + dx, y + dy), place))
        });
        let pairs: Vec<(Point, Point)> = pairs.collect();
        let map = Homography::fitted(&pairs)?;
        let mut frame = Frame { version, pairs, map, timed: 0.0 };
        frame.timed = frame.timing(bits);
        Some(frame)
    }
}

/// Version information as it was seen.
struct Information(u32);

impl Information {
    /// Bits that agree with those of a version; none where it has no such information.
    fn count(&self, version: Version) -> u32 {
        version.information().map_or(0, |word| 18 - (word ^ self.0).count_ones())
    }
}

impl Outline {
    /// Whether the module whose middle is `x` modules to the right of and `y` below the centre is dark, as far as the
    /// corners foretell where that is.
    pub(super) fn dark(&self, bits: &Bits, x: f32, y: f32) -> bool {
        let [a, b, c, d] = self.corners;
        let part = |p: fn(&Point) -> f32| {
            let (a, b, c, d) = (p(&a), p(&b), p(&c), p(&d));
            p(&self.centre) + x * (b - a + c - d) / 10.0 + y * (d - a + c - b) / 10.0
        };
        let (x, y) = (part(|p| p.x), part(|p| p.y));
        x >= 0.0 && y >= 0.0 && bits.at(x as usize, y as usize)
    }

    /// Puts the corners into the symbol's order, whose rows run along `u` and columns along `v`; the cosine of the angle
    /// by which its sides are off these at most.
    fn turn(&mut self, u: (f32, f32), v: (f32, f32)) -> f32 {
        let sides: [(f32, f32); 4] = std::array::from_fn(|i| {
            let (a, b) = (self.corners[i], self.corners[(i + 1) % 4]);
            let length = a.distance(b);
            ((b.x - a.x) / length, (b.y - a.y) / length)
        });
        let near = |at: usize| {
            let along = |side: usize, to: (f32, f32)| {
                let (x, y) = sides[(side + at) % 4];
                x * to.0 + y * to.1
            };
            along(0, u).min(along(1, v)).min(-along(2, u)).min(-along(3, v))
        };
        let (at, cosine) = (1..4).map(|at| (at, near(at))).fold((0, near(0)), |a, b| if b.1 > a.1 { b } else { a });
        self.corners.rotate_left(at);
        cosine
    }

    /// Length of a module along its rows (0) or columns (1), once it is turned.
    fn length(&self, along: usize) -> f32 {
        let [a, b, c, d] = self.corners;
        let sum = if along == 0 { a.distance(b) + d.distance(c) } else { a.distance(d) + b.distance(c) };
        sum / 10.0
    }
}

/// A version in its place.
struct Frame {
    version: Version,
    /// Places in modules and in the picture that the map was fitted to.
    pairs: Vec<(Point, Point)>,
    map: Homography,
    /// Share of the timing patterns' modules that are right less those that are wrong.
    timed: f32,
}

impl Frame {
    fn timing(&self, bits: &Bits) -> f32 {
        let between = 7..self.version.side() - 7;
        let right = |x: usize, y: usize| {
            let place = self.map.apply(Point::new(x as f32 + 0.5, y as f32 + 0.5));
            let dark = place.x >= 0.0 && place.y >= 0.0 && bits.at(place.x as usize, place.y as usize);
            dark == (x + y).is_multiple_of(2)
        };
        let of = 2 * between.len();
        let right = between.map(|i| usize::from(right(i, 6)) + usize::from(right(6, i))).sum::<usize>();
        2.0 * right as f32 / of as f32 - 1.0
    }

    /// The symbol by a fit on all its function patterns.
    fn fitted(mut self, picture: &Picture<'_>, search: Search) -> Option<Symbol> {
        let module = self.module();
        self.align(picture, search.reversed);
        let fitter = Fitter::new(picture, search.reversed, self.version, module, true);
        let fit = fitter.fit_at(&self.fit().corners)?;
        let symbol = read_fit(picture, search, &fitter, &fit)?;
        Some(Symbol { credible: true, ..symbol })
    }

    /// Length of a module in pixels at the top left.
    fn module(&self) -> f32 {
        let [a, b, c, d] = [0, 1, 2, 3].map(|i| self.pairs[i].1);
        (a.distance(b) + b.distance(c) + c.distance(d) + d.distance(a)) / 20.0
    }

    /// Moves the far corner to where the last alignment pattern is.
    fn align(&mut self, picture: &Picture<'_>, reversed: bool) {
        let side = self.version.side() as f32;
        if self.version.number() > 1 {
            let centre = Point::new(side - 6.5, side - 6.5);
            if let Some(place) = self.alignment(picture, reversed, centre, (0.0, 0.0), 2.0 + 0.05 * side) {
                // As many times as a finder pattern has corners.
                self.pairs.extend([(centre, place); 4]);
                self.map = Homography::fitted(&self.pairs).unwrap_or(self.map);
            }
        }
    }

    fn read(mut self, picture: &Picture<'_>, search: Search) -> Option<Symbol> {
        let decoded = |symbol: &Symbol| symbol.decoded.is_ok();
        let plain = self.fit();
        self.align(picture, search.reversed);
        let fit = self.fit();
        let look = |fit: &Fit| symbol(picture, search, fit, &|p| fit.place(p), Judge::Mean);
        Some(look(&fit)).filter(decoded).or_else(|| self.meshed(picture, search)).filter(decoded).or_else(|| {
            // What looked like the alignment pattern may be none.
            (self.pairs.len() > 12).then(|| look(&plain)).filter(decoded)
        })
    }

    fn fit(&self) -> Fit {
        let side = self.version.side() as f32;
        let square = [(0.0, 0.0), (side, 0.0), (side, side), (0.0, side)];
        let corners = square.map(|(x, y)| self.map.apply(Point::new(x, y)));
        Fit { side: self.version.side(), corners, bend: [0.0; 4], map: self.map, score: self.timed }
    }

    /// The symbol by all alignment patterns, each looked for where those near it lead.
    fn meshed(&self, picture: &Picture<'_>, search: Search) -> Option<Symbol> {
        let mut left: Vec<Point> =
            self.version.alignment_centres().map(|(x, y)| Point::new(x as f32 + 0.5, y as f32 + 0.5)).collect();
        if left.len() < 6 {
            return None;
        }
        let far = self.version.side() as f32 - 3.5;
        let centres = [(3.5, 3.5), (far, 3.5), (3.5, far)].map(|(x, y)| Point::new(x, y));
        let mut offsets: Vec<(Point, Point)> = centres.map(|centre| (centre, Point::new(0.0, 0.0))).to_vec();
        while !left.is_empty() {
            let away = |p: &Point| offsets.iter().map(|(known, _)| known.distance(*p)).fold(f32::INFINITY, f32::min);
            let next = (0..left.len()).min_by(|a, b| away(&left[*a]).total_cmp(&away(&left[*b])))?;
            let centre = left.swap_remove(next);
            let near = offsets.iter().min_by(|a, b| a.0.distance(centre).total_cmp(&b.0.distance(centre)))?;
            let reach = (1.0 + 0.06 * near.0.distance(centre)).min(4.0);
            let shift = (near.1.x, near.1.y);
            if let Some(place) = self.alignment(picture, search.reversed, centre, shift, reach) {
                let was = self.map.apply(centre);
                offsets.push((centre, Point::new(place.x - was.x, place.y - was.y)));
            }
        }
        let fit = self.fit();
        Some(symbol(picture, search, &fit, &|p| warp(&fit, &offsets, p), Judge::Mean))
    }

    /// What looks most like an alignment pattern within `reach` modules of where the map, moved by `shift`, has `centre`.
    fn alignment(
        &self,
        picture: &Picture<'_>,
        reversed: bool,
        centre: Point,
        shift: (f32, f32),
        reach: f32,
    ) -> Option<Point> {
        let sign = if reversed { 1.0 } else { -1.0 };
        let origin = self.map.apply(centre);
        let step = |dx: f32, dy: f32| {
            let p = self.map.apply(Point::new(centre.x + dx, centre.y + dy));
            (p.x - origin.x, p.y - origin.y)
        };
        // Near by the map is as good as its derivative.
        let (u, v) = (step(1.0, 0.0), step(0.0, 1.0));
        let place =
            |x: f32, y: f32| Point::new(origin.x + shift.0 + x * u.0 + y * v.0, origin.y + shift.1 + x * u.1 + y * v.1);
        let score = |x: f32, y: f32| {
            let mut sums = Sums::default();
            for (i, j) in (-2i32..=2).flat_map(|j| (-2i32..=2).map(move |i| (i, j))) {
                let p = place(x + i as f32, y + j as f32);
                if !picture.contains(p) {
                    return -1.0;
                }
                sums.add(i.abs().max(j.abs()) != 1, sign * picture.sample(p));
            }
            // The nearer of two equal matches is the likelier.
            sums.correlation() - 0.005 * (x * x + y * y)
        };
        let mut best = (0.5, None);
        let mut search = |x: f32, y: f32, half: i32, step: f32| {
            for (i, j) in (-half..=half).flat_map(|j| (-half..=half).map(move |i| (i, j))) {
                let (x, y) = (x + i as f32 * step, y + j as f32 * step);
                let score = score(x, y);
                if score > best.0 {
                    best = (score, Some((x, y)));
                }
            }
            best.1
        };
        let (x, y) = search(0.0, 0.0, (2.0 * reach) as i32, 0.5)?;
        let (x, y) = search(x, y, 2, 0.2)?;
        Some(place(x, y))
    }
}
