//! Reading: luminance in, located symbols with a likelihood for each module and their corners out; decoding is a
//! second stage that never looks at pixels.
//!
//! Coordinates are pixels, (0, 0) being the outer corner of the first pixel: the centre of pixel (x, y) is
//! (x + 0.5, y + 0.5).

mod fast;
pub mod geometry;

use geometry::Point;
use touchmark_formats::symbol::Symbology;

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

/// The content of a symbol.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decoded {
    /// The bytes of all segments in order, as encoded (Kanji segments: Shift_JIS); control codewords left out.
    pub bytes: Vec<u8>,
    /// The bytes as text, where they are text by the symbol's ECI or by their look.
    pub text: Option<String>,
    /// Codewords that error correction changed (errors and erasures that were wrong).
    pub repaired: usize,
    /// Codewords in the symbol, data and error correction together.
    pub codewords: usize,
}

/// Why a located symbol was not decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum DecodeError {
    /// Too much of it is damaged for its error correction.
    Checksum,
    /// Its codewords are sound, but what they say is no legal content.
    Format,
    /// A legal feature that is not read here.
    Unsupported,
}

impl std::fmt::Display for DecodeError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Checksum => "too much of it is damaged for its error correction",
            Self::Format => "its content is not legal",
            Self::Unsupported => "it uses a feature that is not read here",
        })
    }
}

impl std::error::Error for DecodeError {}

/// A symbol in a photo: where it is, and what it carries.
#[derive(Debug, Clone)]
pub struct Symbol {
    /// Where, and what was sampled.
    pub located: Located,
    /// What it carries.
    pub decoded: Result<Decoded, DecodeError>,
}

/// What to look for, and how hard.
#[derive(Debug, Clone, Default)]
pub struct Options {}

/// Every symbol in `luma`.
#[must_use]
pub fn read(luma: &Luma, _options: &Options) -> Vec<Symbol> {
    let mut symbols = fast::read(luma, false, 1.0, "rqrr");
    symbols.extend(fast::read(luma, true, 1.0, "rqrr, reversed"));
    symbols
}
