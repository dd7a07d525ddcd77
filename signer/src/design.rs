//! How a mark is carried and drawn: symbol, payload, artwork, for `mark` and for the recipes of a line alike.

use crate::error::{Error, Result};
use crate::issue::Content;
use crate::render::{Artwork, ArtworkOptions, Caption, Format, Place, SheetOptions, render};
use touchmark_formats::base45;
use touchmark_formats::symbol::{EncodeError, Encoded, Request, Symbology, encode, encode_text};

/// Capital letters are this many modules high.
const CAPTION_MODULES: f64 = 8.0;
/// Dots per inch of PNG, for lasers and screens, and of ZPL, for label printers.
const DPI: (f64, f64) = (1270.0, 600.0);

/// What a symbol holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Payload {
    /// The bytes of the mark.
    Bytes,
    /// Base45 of the bytes.
    Text,
}

/// How marks are carried and drawn.
#[derive(Debug, Clone, PartialEq)]
pub struct Design {
    /// Which symbol.
    pub symbol: Request,
    /// What it holds.
    pub payload: Payload,
    /// How it is drawn; its caption is made from [`Design::caption`].
    pub options: ArtworkOptions,
    /// Part, lot and date in letters: where, and how high in millimetres (`None` for eight modules).
    pub caption: Option<(Place, Option<f64>)>,
    /// Dots per inch of PNG and ZPL; `None` for 1270 and 600.
    pub dpi: Option<f64>,
    /// Marks in a row of a sheet.
    pub columns: Option<usize>,
}

/// A symbol as it will be drawn.
#[derive(Debug, Clone, PartialEq)]
pub struct Symbol {
    /// The artwork.
    pub artwork: Artwork,
    /// The name of its size.
    pub name: String,
    /// Width and height with quiet zone, in millimetres.
    pub mm: (f64, f64),
}

impl Design {
    /// The symbol of a mark's `bytes`; `content` is for the caption.
    ///
    /// # Errors
    /// No allowed symbol holds the mark, or it cannot be drawn so.
    pub fn symbol(&self, bytes: &[u8], content: &Content) -> Result<Symbol> {
        let Encoded { matrix, size } = self.encode(bytes)?;
        let (columns, rows) = (matrix.width() as f64, matrix.height() as f64);
        let artwork = Artwork::new(matrix, size.symbology, self.options(content));
        let artwork = artwork.map_err(|e| Error::unusable(e.to_string()))?;
        let side = |modules: f64| (modules + 2.0 * f64::from(artwork.quiet_zone)) * self.options.module_mm;
        let name = match size.symbology {
            Symbology::QrCode | Symbology::MicroQrCode => size.name,
            Symbology::DataMatrix => format!("Data Matrix {}", size.name),
        };
        Ok(Symbol { mm: (side(columns), side(rows)), name, artwork })
    }

    /// The modules of a mark's `bytes`.
    ///
    /// # Errors
    /// No allowed symbol holds the mark.
    pub fn encode(&self, bytes: &[u8]) -> Result<Encoded> {
        let encoded = match self.payload {
            Payload::Bytes => encode(bytes, &self.symbol),
            Payload::Text => encode_text(&base45::encode(bytes), &self.symbol),
        };
        encoded.map_err(no_symbol)
    }

    /// The symbols in one file.
    ///
    /// # Errors
    /// They cannot be drawn in this format or at this resolution.
    pub fn draw(&self, format: Format, symbols: &[Symbol]) -> Result<Vec<u8>> {
        let artworks = symbols.iter().map(|s| s.artwork.clone()).collect::<Vec<_>>();
        render(format, &artworks, &self.sheet(format)).map_err(|e| Error::unusable(e.to_string()))
    }

    /// The sheet in this format.
    #[must_use]
    pub fn sheet(&self, format: Format) -> SheetOptions {
        let default = if format == Format::Zpl { DPI.1 } else { DPI.0 };
        SheetOptions { dpi: self.dpi.unwrap_or(default), columns: self.columns, ..SheetOptions::default() }
    }

    fn options(&self, content: &Content) -> ArtworkOptions {
        let caption = self.caption.map(|(place, height)| Caption {
            lines: caption(content),
            height_mm: height.unwrap_or(CAPTION_MODULES * self.options.module_mm),
            place,
        });
        ArtworkOptions { caption, ..self.options.clone() }
    }
}

fn no_symbol(error: EncodeError) -> Error {
    let hint = match error {
        EncodeError::TooLong { .. } => {
            "allow larger ones with --shape any, or shorten the mark (`plan` shows what fits)"
        }
        EncodeError::NoSuchSize { .. } => "`plan` shows the sizes that hold a mark",
        _ => return Error::unusable(error.to_string()),
    };
    Error::unusable(error.to_string()).hint(hint)
}

/// Part, lot and date, as packages have them.
fn caption(content: &Content) -> Vec<String> {
    let lot = content.lot.as_ref().map(|lot| lot.as_str().to_owned());
    [Some(content.part.as_str().to_owned()), lot, Some(content.date.to_string())].into_iter().flatten().collect()
}
