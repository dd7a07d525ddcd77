//! A mark's bytes to artwork, as the options ask for it.

use super::args::{Args, CaptionPlace, Drawing, ModulesArg, OutputFormat, Payload, PolarityArg, SymbolKind};
use super::output::in_one_file;
use crate::error::{Error, Result};
use crate::issue::{Content, Order, Template};
use crate::render::{
    Artwork, ArtworkOptions, Caption, Format, MM_PER_INCH, ModuleShape, Place, Polarity, SheetOptions, check_sheet,
    render,
};
use touchmark_formats::base45;
use touchmark_formats::delegation::SerialRange;
use touchmark_formats::mark::{SIGNATURE_BYTES, SignedMark};
use touchmark_formats::symbol::{EncodeError, Encoded, Request, Symbology, encode, encode_text};

/// Capital letters are this many modules high.
const CAPTION_MODULES: f64 = 8.0;

/// A symbol as it will be drawn.
pub(super) struct Symbol {
    pub(super) artwork: Artwork,
    /// The name of its size.
    pub(super) name: String,
    /// Width and height with quiet zone, in millimetres.
    pub(super) mm: (f64, f64),
}

/// Draws a stand-in of the longest mark, so that options that cannot work are refused before a serial is used.
pub(super) fn try_out(args: &Args, orders: &[Order], templates: &[Template<'_>]) -> Result<()> {
    let serial = |(order, template): &(&Order, &Template<'_>)| {
        let first = || template.serials().first().map(|range| range.first);
        order.serial.or_else(first).unwrap_or(SerialRange::ALL.first)
    };
    let longest = orders.iter().zip(templates).max_by_key(|pair| pair.1.length(serial(pair)));
    let (Some(pair), Some(format)) = (longest, format(args.format)) else { return Ok(()) };
    let mark = SignedMark { mark: pair.1.mark(serial(&pair))?, signature: [0; SIGNATURE_BYTES] };
    let symbol = symbol(args, &mark.to_bytes(), pair.1.content())?;
    let count = in_one_file(args, orders.iter().map(|order| order.count).fold(0, u64::saturating_add));
    let sheet = sheet(args, format);
    check_sheet(format, &symbol.artwork, count, &sheet).map_err(|e| Error::unusable(e.to_string()))?;
    draw(args, format, &[symbol]).map(drop)
}

/// What to say where modules come out in different numbers of pixels, and small enough for that to show.
pub(super) fn uneven(args: &Args) -> Option<String> {
    const SHOWS_BELOW: f64 = 10.0;
    let format = format(args.format).filter(|format| matches!(format, Format::Png | Format::Zpl))?;
    let (mm, dpi) = (args.drawing.module_mm, sheet(args, format).dpi);
    let pixels = mm * dpi / MM_PER_INCH;
    if (pixels - pixels.round()).abs() < 0.01 || pixels > SHOWS_BELOW {
        return None;
    }
    let whole = |pixels: f64| pixels * MM_PER_INCH / dpi;
    Some(format!(
        "a module of {mm} mm is {pixels:.2} pixels at {dpi} dpi, so modules differ by a pixel; --module-mm {:.4} or {:.4} \
         makes them alike",
        whole(pixels.floor()),
        whole(pixels.ceil())
    ))
}

/// The format of the drawing; `None` for text.
pub(super) fn format(format: OutputFormat) -> Option<Format> {
    match format {
        OutputFormat::Svg => Some(Format::Svg),
        OutputFormat::Png => Some(Format::Png),
        OutputFormat::Pdf => Some(Format::Pdf),
        OutputFormat::Dxf => Some(Format::Dxf),
        OutputFormat::Zpl => Some(Format::Zpl),
        OutputFormat::Matrix => Some(Format::Matrix),
        OutputFormat::Text => None,
    }
}

/// The symbols in one file.
pub(super) fn draw(args: &Args, format: Format, symbols: &[Symbol]) -> Result<Vec<u8>> {
    let artworks = symbols.iter().map(|s| s.artwork.clone()).collect::<Vec<_>>();
    render(format, &artworks, &sheet(args, format)).map_err(|e| Error::unusable(e.to_string()))
}

fn sheet(args: &Args, format: Format) -> SheetOptions {
    let default = if format == Format::Zpl { 600.0 } else { 1270.0 };
    let Drawing { dpi, columns, .. } = args.drawing;
    SheetOptions { dpi: dpi.unwrap_or(default), columns, ..SheetOptions::default() }
}

/// The symbol of a mark.
pub(super) fn symbol(args: &Args, bytes: &[u8], content: &Content) -> Result<Symbol> {
    let (symbology, request) = match args.symbol.symbol {
        SymbolKind::Qr => (Symbology::QrCode, Request::Qr { ec: args.symbol.ec, min_version: 1 }),
        SymbolKind::Datamatrix => (Symbology::DataMatrix, Request::DataMatrix { shape: args.symbol.shape }),
    };
    let encoded = match args.symbol.content {
        Payload::Bytes => encode(bytes, &request),
        Payload::Text => encode_text(&base45::encode(bytes), &request),
    };
    let Encoded { matrix, size } = encoded.map_err(no_symbol)?;
    let (columns, rows) = (matrix.width() as f64, matrix.height() as f64);
    let artwork =
        Artwork::new(matrix, symbology, options(args, content)).map_err(|e| Error::unusable(e.to_string()))?;
    let side = |modules: f64| (modules + 2.0 * f64::from(artwork.quiet_zone)) * args.drawing.module_mm;
    let name = match symbology {
        Symbology::QrCode | Symbology::MicroQrCode => size.name,
        Symbology::DataMatrix => format!("Data Matrix {}", size.name),
    };
    Ok(Symbol { mm: (side(columns), side(rows)), name, artwork })
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

fn options(args: &Args, content: &Content) -> ArtworkOptions {
    let drawing = &args.drawing;
    let place = drawing.caption.filter(|_| !drawing.no_caption);
    let height_mm = drawing.caption_mm.unwrap_or(CAPTION_MODULES * drawing.module_mm);
    ArtworkOptions {
        module_mm: drawing.module_mm,
        quiet_zone: drawing.quiet_zone,
        polarity: match drawing.polarity {
            PolarityArg::Dark => Polarity::DarkOnLight,
            PolarityArg::Light => Polarity::LightOnDark,
        },
        shape: match drawing.modules {
            ModulesArg::Square => ModuleShape::Square,
            ModulesArg::Dot => ModuleShape::Dot,
        },
        dot_gain_mm: drawing.dot_gain_mm,
        caption: place.map(|place| Caption { lines: caption(content), height_mm, place: side(place) }),
    }
}

fn side(place: CaptionPlace) -> Place {
    match place {
        CaptionPlace::Below => Place::Below,
        CaptionPlace::Right => Place::Right,
    }
}

/// Part, lot and date, as packages have them.
fn caption(content: &Content) -> Vec<String> {
    let lot = content.lot.as_ref().map(|lot| lot.as_str().to_owned());
    [Some(content.part.as_str().to_owned()), lot, Some(content.date.to_string())].into_iter().flatten().collect()
}
