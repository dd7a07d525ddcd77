//! Reading: luminance in, located symbols with a likelihood for each module and their corners out; decoding is a
//! second stage that never looks at pixels.
//!
//! Coordinates are pixels, (0, 0) being the outer corner of the first pixel: the centre of pixel (x, y) is
//! (x + 0.5, y + 0.5).

mod attempts;
pub mod datamatrix;
pub(crate) mod elastic;
mod equalise;
mod fast;
pub mod geometry;
mod levels;
mod likelihood;
mod lively;
mod nearest;
mod parts;
pub(crate) mod picture;
mod qr;
mod stained;
mod tones;
mod uniform;
pub(crate) mod work;

use geometry::Point;
use picture::Picture;
use qr::Look;
use std::borrow::Cow;
use touchmark_formats::symbol::Symbology;
use touchmark_formats::symbol::decode::decode_together;
pub use touchmark_formats::symbol::decode::{Content as Decoded, DecodeError};
use touchmark_formats::symbol::qr::tables::Version;

/// A grey picture: one byte a pixel, row by row from the top left, 0 black.
#[derive(Debug, Clone)]
pub struct Luma {
    /// Pixels a row.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// `width * height` grey levels.
    pub data: Vec<u8>,
}

/// What sampling says of each module of a symbol, row by row from its top left corner.
#[derive(Debug, Clone)]
pub struct ModuleGrid {
    /// Modules a row.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// Log-likelihood ratio of each module: positive for a dark module of the ordinary (dark on light) form, negative
    /// for a light one, 0 where the picture says nothing (an erasure). Unit: nats, clipped to ±8.
    pub llr: Vec<f32>,
}

impl ModuleGrid {
    /// How clearly a QR Code's function patterns show, from -1 to 1; 0 for other symbols.
    fn clarity(&self, symbology: Symbology) -> f32 {
        let version = (symbology == Symbology::QrCode).then(|| Version::of_side(self.width)).flatten();
        let Some(version) = version else { return 0.0 };
        let (mut sum, mut count) = (0.0, 0.0);
        for (i, llr) in self.llr.iter().enumerate() {
            if let Some(dark) = version.known(i % self.width, i / self.width) {
                sum += (0.5 * if dark { *llr } else { -llr }).tanh();
                count += 1.0;
            }
        }
        sum / f32::max(count, 1.0)
    }
}

/// A symbol found in a picture, not yet decoded.
#[derive(Debug, Clone)]
pub struct Located {
    /// Kind of symbol.
    pub symbology: Symbology,
    /// Outer corners of the symbol without quiet zone: its own top left, top right, bottom right, bottom left.
    pub corners: [Point; 4],
    /// What was sampled.
    pub modules: ModuleGrid,
    /// Light modules on dark.
    pub reversed: bool,
    /// Seen from behind (through glass, or a flipped picture).
    pub mirrored: bool,
    /// Which attempt found it, for people who tune the reader.
    pub attempt: &'static str,
}

/// A symbol in a photo: where it is, and what it carries.
#[derive(Debug, Clone)]
pub struct Symbol {
    /// Where, and what was sampled.
    pub located: Located,
    /// What it carries.
    pub decoded: Result<Decoded, DecodeError>,
    /// What else was sampled of it, where it was not decoded: the same modules by other fits, scales and judgements.
    pub others: Vec<ModuleGrid>,
    /// It decodes, or its function patterns leave no doubt that a symbol is there.
    pub credible: bool,
}

/// Clarity of function patterns above which a symbol is worth all its samplings.
const CLEAR: f32 = 0.5;
/// Share of the best sampling's clarity that another must have.
const ASTRAY: f32 = 0.6;
/// Samplings kept of a symbol that is not decoded, beside the first.
const MOST_OTHERS: usize = 32;
/// Of those, looked at together where it is not sure that there is a symbol.
const MOST_DOUBTED: usize = 16;
/// Symbols kept of one picture that are not decoded.
const MOST_UNDECODED: usize = 24;

impl Symbol {
    fn decoded(located: Located, content: Decoded) -> Self {
        Self { located, decoded: Ok(content), others: Vec::new(), credible: true }
    }

    fn undecoded(located: Located, why: DecodeError) -> Self {
        Self { located, decoded: Err(why), others: Vec::new(), credible: false }
    }

    /// Puts the samplings first whose function patterns show the clearest, and drops those that are far behind: they are of a
    /// fit that went astray.
    fn sort_samplings(&mut self) {
        let symbology = self.located.symbology;
        let mut all: Vec<(f32, ModuleGrid)> = std::iter::once(self.located.modules.clone())
            .chain(self.others.drain(..))
            .map(|grid| (grid.clarity(symbology), grid))
            .collect();
        all.sort_by(|a, b| b.0.total_cmp(&a.0));
        let least = all.first().map_or(0.0, |(best, _)| ASTRAY * best);
        all.retain(|(clarity, _)| *clarity >= least);
        let mut grids = all.into_iter().map(|(_, grid)| grid);
        if let Some(first) = grids.next() {
            self.located.modules = first;
            self.others = grids.take(MOST_OTHERS).collect();
        }
    }

    /// Every sampling of it.
    pub fn samplings(&self) -> impl Iterator<Item = &ModuleGrid> {
        std::iter::once(&self.located.modules).chain(&self.others)
    }

    /// What all samplings of it together say, where none does by itself.
    fn decoded_together(&mut self) {
        if self.decoded.is_ok() || self.others.is_empty() {
            return;
        }
        let (symbology, rows, columns) =
            (self.located.symbology, self.located.modules.height, self.located.modules.width);
        let same = |grid: &&ModuleGrid| (grid.width, grid.height) == (columns, rows);
        let sure = self.credible || self.located.modules.clarity(symbology) > CLEAR;
        let most = if sure { MOST_OTHERS } else { MOST_DOUBTED };
        let samplings: Vec<&[f32]> =
            self.samplings().filter(same).take(most + 1).map(|grid| grid.llr.as_slice()).collect();
        if let Ok(content) = decode_together(symbology, rows, columns, &samplings) {
            (self.decoded, self.credible) = (Ok(content), true);
        }
    }

    /// Whether `other`, not decoded either, may be the same symbol by its kind, its size and its place.
    fn same(&self, other: &Self) -> bool {
        let shape = |s: &Self| (s.located.symbology, s.located.modules.width, s.located.modules.height);
        shape(self) == shape(other) && qr::inside(other.middle(), &self.located.corners)
    }

    /// Keeps what `other`, the same symbol seen in another way, adds.
    fn add(&mut self, mut other: Self) {
        if other.credible && !self.credible {
            std::mem::swap(self, &mut other);
        }
        self.others.extend(std::iter::once(other.located.modules).chain(other.others));
        if self.others.len() > 2 * MOST_OTHERS {
            self.sort_samplings();
        }
    }

    fn middle(&self) -> Point {
        let sum = self.located.corners.iter().fold((0.0, 0.0), |sum, c| (sum.0 + c.x, sum.1 + c.y));
        Point::new(sum.0 / 4.0, sum.1 / 4.0)
    }
}

/// How long to look for symbols that are hard to read.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, clap::ValueEnum, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum Effort {
    /// The cheap attempts only: for many photos of clean symbols.
    Quick,
    /// What most worn symbols need.
    #[default]
    Normal,
    /// Everything that is known, for single photos that matter.
    Forensic,
}

/// What to look for, and how hard.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// How long to look.
    pub effort: Effort,
    /// Where to look.
    pub place: Place,
    /// Also give what is hardly more than chance and was not decoded, for a judge who can tell: see [`Symbol::credible`].
    pub doubtful: bool,
}

/// Where to look, in pixels of the photo.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum Place {
    /// The whole photo.
    #[default]
    Anywhere,
    /// A rectangle: its left, top, right and bottom edges.
    Region([f32; 4]),
    /// The outer corners of the one symbol that is to be read, in order around it, each within about a module.
    Corners([Point; 4]),
}

/// Every symbol in `luma`: the cheap attempts first, the costly ones only for what these missed.
#[must_use]
pub fn read(luma: &Luma, options: &Options) -> Vec<Symbol> {
    let mut symbols = match &options.place {
        Place::Anywhere => read_anywhere(luma, options.effort),
        Place::Region([left, top, right, bottom]) => {
            let corners = [(left, top), (right, top), (right, bottom), (left, bottom)];
            luma.around(&corners.map(|(x, y)| Point::new(*x, *y)), 0.0)
                .map(|(part, origin)| moved(attempts::read_all(&part, options.effort), origin))
                .unwrap_or_default()
        }
        Place::Corners(corners) => luma
            .around(corners, MARGIN)
            .map(|(part, origin)| {
                let within = corners.map(|c| Point::new(c.x - origin.x, c.y - origin.y));
                moved(read_at(&part, &within), origin)
            })
            .unwrap_or_default(),
    };
    for symbol in symbols.iter_mut().filter(|symbol| symbol.decoded.is_err()) {
        symbol.sort_samplings();
    }
    if symbols.iter().all(|symbol| symbol.decoded.is_err()) {
        symbols.iter_mut().for_each(Symbol::decoded_together);
    }
    symbols.retain(|symbol| symbol.credible || options.doubtful);
    symbols
}

/// The symbols of a whole photo, at forensic effort also part by part, if there is none to be read otherwise.
fn read_anywhere(luma: &Luma, effort: Effort) -> Vec<Symbol> {
    let mut found = Found { symbols: attempts::read_all(luma, effort) };
    if effort < Effort::Forensic {
        return found.symbols;
    }
    for (part, origin) in parts::parts(luma) {
        if found.any_decoded() {
            break;
        }
        found.add(moved(attempts::read_codes(&part, Effort::Normal), origin));
    }
    found.symbols
}

/// The symbols of a part of a photo, where they are in the photo.
fn moved(mut symbols: Vec<Symbol>, origin: Point) -> Vec<Symbol> {
    for corner in symbols.iter_mut().flat_map(|s| &mut s.located.corners) {
        *corner = Point::new(corner.x + origin.x, corner.y + origin.y);
    }
    symbols
}

/// Pixels a module, on the shortest side of a symbol, below which nothing is seen of it: no symbol of so many modules is
/// supposed.
const FINEST: f32 = 0.7;

/// Pixels around pointed corners that are looked at, as a share of the symbol's size.
const MARGIN: f32 = 0.3;

/// The symbol that somebody pointed at: decoded if it can be, else as far as it was seen.
fn read_at(part: &Luma, corners: &[Point; 4]) -> Vec<Symbol> {
    let mut found = Found::default();
    for smooth in [0, 1, 2] {
        let picture = if smooth == 0 { Cow::Borrowed(part) } else { Cow::Owned(part.blurred(smooth)) };
        found.add(datamatrix::read_at(&picture, corners));
        let Some(prepared) = Picture::new(picture) else { continue };
        for reversed in [false, true] {
            let search = qr::Search { reversed, look: Look::First, attempt: "pointed" };
            found.add(qr::read_at(&prepared, search, corners));
        }
        if found.any_decoded() {
            break;
        }
    }
    // One symbol was pointed at: where it cannot be told which, the first that was supposed speaks for all.
    found.symbols.sort_by_key(|symbol| symbol.decoded.is_err());
    if found.any_decoded() {
        found.symbols.truncate(1);
    }
    for (i, symbol) in found.symbols.iter_mut().enumerate() {
        symbol.credible = i == 0;
    }
    found.symbols
}

/// What was found so far.
#[derive(Debug, Default)]
struct Found {
    symbols: Vec<Symbol>,
}

impl Found {
    /// A decoded symbol takes the place of those that were not decoded; what is supposed beside it counts no more.
    fn add(&mut self, symbols: impl IntoIterator<Item = Symbol>) {
        for mut symbol in symbols {
            let middle = symbol.middle();
            let here = |known: &Symbol| qr::inside(middle, &known.located.corners);
            if self.symbols.iter().any(|known| known.decoded.is_ok() && here(known)) {
                continue;
            }
            if symbol.decoded.is_ok() {
                self.symbols.retain(|known| known.decoded.is_ok() || !here(known));
                self.symbols.push(symbol);
                continue;
            }
            if let Some(known) = self.symbols.iter_mut().find(|known| known.decoded.is_err() && known.same(&symbol)) {
                known.add(symbol);
            } else if self.symbols.len() < MOST_UNDECODED {
                // One symbol is believed at one place.
                symbol.credible &= !self.symbols.iter().any(|known| known.credible && here(known));
                self.symbols.push(symbol);
            }
        }
    }

    fn explains(&self, p: Point) -> bool {
        self.symbols.iter().any(|s| s.decoded.is_ok() && qr::inside(p, &s.located.corners))
    }

    /// Whether a QR Code is surely there, decoded or not.
    fn any_located(&self) -> bool {
        self.symbols.iter().any(|s| s.credible && s.located.symbology == Symbology::QrCode)
    }

    fn any_decoded(&self) -> bool {
        self.decoded() > 0
    }

    fn decoded(&self) -> usize {
        self.symbols.iter().filter(|s| s.decoded.is_ok()).count()
    }
}
