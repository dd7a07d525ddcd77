//! A mark's bytes to artwork, as the options ask for it.

use super::args::{Args, CaptionPlace, Drawing, ModulesArg, OutputFormat, PolarityArg, SymbolArgs, SymbolKind};
use super::output::in_one_file;
use crate::design::{Design, Payload};
use crate::error::{Error, Result};
use crate::issue::{Order, Template};
use crate::render::{ArtworkOptions, Format, MM_PER_INCH, ModuleShape, Place, Polarity, check_sheet};
use touchmark_formats::delegation::SerialRange;
use touchmark_formats::mark::{SIGNATURE_BYTES, SignedMark};
use touchmark_formats::symbol::Request;

/// Draws a stand-in of the longest mark, so that options that cannot work are refused before a serial is used.
pub(super) fn try_out(args: &Args, orders: &[Order], templates: &[Template<'_>]) -> Result<()> {
    let serial = |(order, template): &(&Order, &Template<'_>)| {
        let first = || template.serials().first().map(|range| range.first);
        order.serial.or_else(first).unwrap_or(SerialRange::ALL.first)
    };
    let longest = orders.iter().zip(templates).max_by_key(|pair| pair.1.length(serial(pair)));
    let (Some(pair), Some(format)) = (longest, format(args.format)) else { return Ok(()) };
    let mark = SignedMark { mark: pair.1.mark(serial(&pair))?, signature: [0; SIGNATURE_BYTES] };
    let design = design(args);
    let symbol = design.symbol(&mark.to_bytes(), pair.1.content())?;
    let count = in_one_file(args, orders.iter().map(|order| order.count).fold(0, u64::saturating_add));
    let sheet = design.sheet(format);
    check_sheet(format, &symbol.artwork, count, &sheet).map_err(|e| Error::unusable(e.to_string()))?;
    design.draw(format, &[symbol]).map(drop)
}

/// What to say where modules come out in different numbers of pixels, and small enough for that to show.
pub(super) fn uneven(args: &Args) -> Option<String> {
    const SHOWS_BELOW: f64 = 10.0;
    let format = format(args.format).filter(|format| matches!(format, Format::Png | Format::Zpl))?;
    let (mm, dpi) = (args.drawing.module_mm, design(args).sheet(format).dpi);
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

/// How the options want the marks.
pub(super) fn design(args: &Args) -> Design {
    Design { columns: args.columns, ..design_of(&args.symbol, &args.drawing) }
}

/// How the options want a mark.
pub(in super::super) fn design_of(symbol: &SymbolArgs, drawing: &Drawing) -> Design {
    let place = drawing.caption.filter(|_| !drawing.no_caption);
    Design {
        symbol: match symbol.symbol {
            SymbolKind::Qr => Request::Qr { ec: symbol.ec, min_version: 1 },
            SymbolKind::Datamatrix => Request::DataMatrix { shape: symbol.shape },
        },
        payload: match symbol.content {
            super::args::Payload::Bytes => Payload::Bytes,
            super::args::Payload::Text => Payload::Text,
        },
        options: ArtworkOptions {
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
            caption: None,
        },
        caption: place.map(|place| (side(place), drawing.caption_mm)),
        dpi: drawing.dpi,
        columns: None,
    }
}

fn side(place: CaptionPlace) -> Place {
    match place {
        CaptionPlace::Below => Place::Below,
        CaptionPlace::Right => Place::Right,
    }
}
