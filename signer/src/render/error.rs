//! Why artwork cannot be drawn.

use super::Caption;
use std::fmt;

/// Why artwork cannot be drawn as asked.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum RenderError {
    /// A number is out of its range.
    OutOfRange {
        /// What it is, with its unit.
        what: &'static str,
        /// What was asked for.
        value: f64,
        /// The lowest value allowed.
        low: f64,
        /// The highest value allowed.
        high: f64,
    },
    /// A caption has more than [`Caption::MAX_LINES`](super::Caption::MAX_LINES) lines, or a longer one than
    /// [`Caption::MAX_CHARACTERS`](super::Caption::MAX_CHARACTERS).
    CaptionTooLong,
    /// At this resolution a module has less than two pixels, or what the dot gain leaves of it less than one.
    TooCoarse {
        /// Pixels a module has.
        pixels: f64,
        /// The lowest resolution that would do, in dots per inch.
        dpi_needed: f64,
    },
    /// The picture would have more than 64 million pixels.
    TooLarge {
        /// Its width and height in millimetres.
        mm: (f64, f64),
    },
    /// A mark would not lie on its substrate.
    Outside {
        /// Its middle in millimetres.
        mm: (f64, f64),
    },
    /// A format that holds no whole substrate.
    NoSubstrate,
    /// There is no mark to draw.
    Nothing,
    /// There are more marks than [`MAX_ARTWORKS`](super::MAX_ARTWORKS).
    TooMany {
        /// How many.
        count: usize,
    },
    /// The PNG encoder failed.
    Png(String),
}

impl fmt::Display for RenderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OutOfRange { what, value, low, high } => {
                // Limits that were computed carry digits of rounding that nobody wants to read.
                let short = |limit: f64| (limit * 1e6).round() / 1e6;
                write!(f, "{what}: {value} is not between {} and {}", short(*low), short(*high))
            }
            Self::CaptionTooLong => {
                let (lines, characters) = (Caption::MAX_LINES, Caption::MAX_CHARACTERS);
                write!(f, "caption: more than {lines} lines, or more than {characters} characters in one")
            }
            Self::TooCoarse { pixels, dpi_needed } => write!(
                f,
                "a module would be {pixels:.2} pixels wide, too few to draw it: use at least {} dpi, or larger modules",
                dpi_needed.ceil()
            ),
            Self::TooLarge { mm: (width, height) } => {
                write!(f, "a picture of {width:.1} x {height:.1} mm at this resolution is over 64 million pixels")
            }
            Self::Outside { mm: (x, y) } => {
                write!(f, "the mark whose middle is at {x:.3}, {y:.3} mm reaches beyond the substrate")
            }
            Self::NoSubstrate => write!(f, "a whole substrate is drawn as SVG, DXF or PNG"),
            Self::Nothing => write!(f, "there is no mark to draw"),
            Self::TooMany { count } => {
                write!(f, "{count} marks in one file: the limit is {}", super::MAX_ARTWORKS)
            }
            Self::Png(reason) => write!(f, "writing PNG: {reason}"),
        }
    }
}

impl std::error::Error for RenderError {}
