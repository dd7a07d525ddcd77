//! What artwork is asked for, checked once.

use super::RenderError;
use touchmark_formats::symbol::{Matrix, Symbology};

/// How one mark is to be drawn.
#[derive(Debug, Clone, PartialEq)]
pub struct ArtworkOptions {
    /// Side of a module in millimetres, 0.02 to 10.
    pub module_mm: f64,
    /// Empty modules around the symbol, 0 to 20; `None` for the standard's own: 4 for QR Code (ISO/IEC 18004, clause
    /// 6.3.8), 1 for Data Matrix (ISO/IEC 16022, clause 7).
    pub quiet_zone: Option<u32>,
    /// Which modules are bright.
    pub polarity: Polarity,
    /// What a module looks like.
    pub shape: ModuleShape,
    /// By how much ink or laser spot spreads beyond each edge, in millimetres. What is drawn is smaller by it at every
    /// edge. Negative for a process that shrinks. From -0.25 to 0.45 of a module.
    pub dot_gain_mm: f64,
    /// Human-readable text beside the symbol.
    pub caption: Option<Caption>,
}

impl Default for ArtworkOptions {
    /// Light squares of 0.10 mm on a dark package.
    fn default() -> Self {
        Self {
            module_mm: 0.1,
            quiet_zone: None,
            polarity: Polarity::LightOnDark,
            shape: ModuleShape::Square,
            dot_gain_mm: 0.0,
            caption: None,
        }
    }
}

/// Whether the modules that ordinary print makes dark are dark here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Polarity {
    /// Ink on a label: dark modules on light ground.
    DarkOnLight,
    /// A laser on moulding compound: light modules on dark ground.
    LightOnDark,
}

/// What a module looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ModuleShape {
    /// Modules that touch, as ink and most lasers make them.
    Square,
    /// A round dot in the middle of each module, as dot peening and single laser pulses make them.
    Dot,
}

/// Human-readable text beside the symbol, engraved in single strokes.
#[derive(Debug, Clone, PartialEq)]
pub struct Caption {
    /// One to eight lines of up to 64 characters; those that the font does not have are drawn as a box.
    pub lines: Vec<String>,
    /// Height of a capital letter in millimetres, 0.1 to 20.
    pub height_mm: f64,
    /// On which side of the symbol.
    pub place: Place,
}

impl Caption {
    /// Lines in a caption.
    pub const MAX_LINES: usize = 8;
    /// Characters in a line.
    pub const MAX_CHARACTERS: usize = 64;

    fn validate(&self) -> Result<(), RenderError> {
        within("caption height in mm", self.height_mm, 0.1, 20.0)?;
        let long = |line: &String| line.chars().nth(Self::MAX_CHARACTERS).is_some();
        match self.lines.len() > Self::MAX_LINES || self.lines.iter().any(long) {
            true => Err(RenderError::CaptionTooLong),
            false => Ok(()),
        }
    }
}

/// On which side of the symbol the caption stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Place {
    /// To the right, centred.
    Right,
    /// Below, flush left.
    Below,
}

/// A mark in its place on a substrate.
#[derive(Debug, Clone, PartialEq)]
pub struct Placed {
    /// The mark.
    pub artwork: Artwork,
    /// Its middle, quiet zone and caption included, in millimetres to the right and up from the lower left corner of the
    /// substrate.
    pub middle_mm: (f64, f64),
    /// How it lies.
    pub turn: Turn,
}

/// By how much a mark is turned counterclockwise about its middle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Turn {
    /// Upright.
    #[default]
    None,
    /// By 90 degrees: its top to the left.
    Quarter,
    /// By 180 degrees: upside down.
    Half,
    /// By 270 degrees: its top to the right.
    ThreeQuarters,
}

/// How several marks share one output, and its resolution.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SheetOptions {
    /// Dots per inch of PNG and ZPL, 50 to 25400. Label printers have 203, 300 or 600.
    pub dpi: f64,
    /// Marks in a row of the grid; `None` for about as many rows as columns.
    pub columns: Option<usize>,
    /// Space between neighbours in the grid, in millimetres, 0 to 100. The pitch is this and the largest mark.
    pub gap_mm: f64,
}

impl Default for SheetOptions {
    fn default() -> Self {
        Self { dpi: 600.0, columns: None, gap_mm: 1.0 }
    }
}

impl SheetOptions {
    pub(crate) fn validate(&self) -> Result<(), RenderError> {
        within("resolution in dpi", self.dpi, 50.0, 25_400.0)?;
        within("gap in mm", self.gap_mm, 0.0, 100.0)
    }
}

/// A symbol with how it is to be drawn; its numbers are in range.
#[derive(Debug, Clone, PartialEq)]
pub struct Artwork {
    pub(crate) matrix: Matrix,
    pub(crate) options: ArtworkOptions,
    pub(crate) quiet_zone: u32,
}

impl Artwork {
    /// Checks the options once for all outputs.
    ///
    /// # Errors
    /// [`RenderError::OutOfRange`] or [`RenderError::CaptionTooLong`].
    pub fn new(matrix: Matrix, symbology: Symbology, options: ArtworkOptions) -> Result<Self, RenderError> {
        within("module size in mm", options.module_mm, 0.02, 10.0)?;
        let quiet_zone = options.quiet_zone.unwrap_or_else(|| default_quiet_zone(symbology));
        within("quiet zone in modules", f64::from(quiet_zone), 0.0, 20.0)?;
        let gain = options.dot_gain_mm;
        within("dot gain in mm", gain, -0.25 * options.module_mm, 0.45 * options.module_mm)?;
        options.caption.as_ref().map_or(Ok(()), Caption::validate)?;
        Ok(Self { matrix, options, quiet_zone })
    }
}

impl Artwork {
    /// Width and height with quiet zone and caption, in millimetres.
    #[must_use]
    pub fn size_mm(&self) -> (f64, f64) {
        super::layout::size(self)
    }
}

/// Empty modules that the standard asks for around a symbol.
#[must_use]
pub(crate) fn default_quiet_zone(symbology: Symbology) -> u32 {
    match symbology {
        Symbology::QrCode => 4,
        Symbology::DataMatrix => 1,
        Symbology::MicroQrCode => 2,
    }
}

fn within(what: &'static str, value: f64, low: f64, high: f64) -> Result<(), RenderError> {
    match (low..=high).contains(&value) {
        true => Ok(()),
        false => Err(RenderError::OutOfRange { what, value, low, high }),
    }
}
