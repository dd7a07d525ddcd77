//! The options of `mark`.

use super::super::secrets::PassphraseArgs;
use crate::line::issuer::MAX_MARKS;
use clap::ValueEnum;
use std::path::PathBuf;
use touchmark_formats::date::Date;
use touchmark_formats::mark::Serial;
use touchmark_formats::symbol::{EcLevel, Shape};
use touchmark_formats::text::Label;

/// Sign marks and write them as symbols
///
/// Without --serial the next unused serials are taken. Serials are on record in the home before anything is written; the
/// same serial with the same content gives the same mark again, and with another content is refused.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The home of the maker or the line
    #[arg(long, value_name = "DIR")]
    pub(super) home: PathBuf,
    /// Which line's key signs, where the home has several
    #[arg(long, value_name = "NAME")]
    pub(super) line: Option<String>,
    #[command(flatten)]
    pub(super) passphrase: PassphraseArgs,
    #[command(flatten)]
    pub(super) fields: Fields,
    #[command(flatten)]
    pub(super) symbol: SymbolArgs,
    #[command(flatten)]
    pub(super) drawing: Drawing,
    /// Marks in a row of the sheet, where many marks share one
    #[arg(long, value_name = "N", help_heading = "Drawing")]
    pub(super) columns: Option<usize>,
    /// What to write
    #[arg(long, value_enum)]
    pub(super) format: OutputFormat,
    /// Where to: a file, `-` for standard output, or a name with `{serial}` in it for one file a mark
    #[arg(long, value_name = "F")]
    pub(super) out: PathBuf,
}

/// What the marks say.
#[derive(clap::Args)]
#[command(next_help_heading = "What the mark says")]
pub(super) struct Fields {
    /// The part number
    #[arg(long, value_name = "P")]
    pub(super) part: Option<Label>,
    /// The lot code
    #[arg(long, value_name = "L")]
    pub(super) lot: Option<Label>,
    /// The day of production; today (UTC) if not given
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub(super) date: Option<Date>,
    /// The first serial; the next unused one if not given
    #[arg(long, value_name = "N", value_parser = serial)]
    pub(super) serial: Option<Serial>,
    /// The number of the consignee, which is sealed into the mark
    #[arg(long, value_name = "N")]
    pub(super) consignee: Option<u64>,
    /// How many marks
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=MAX_MARKS))]
    pub(super) count: u64,
    /// Table of marks, `-` for standard input: a header with part, lot, date, serial or consignee, then a row a mark;
    /// what a row leaves empty comes from the options above
    #[arg(long, value_name = "F", conflicts_with_all = ["serial", "count"])]
    pub(super) csv: Option<PathBuf>,
    /// The site, where it is not the line's own
    #[arg(long, value_name = "N")]
    pub(super) site: Option<u16>,
    /// The die's own id in hexadecimal, of which the mark carries a hash
    #[arg(long, value_name = "HEX", value_parser = hexadecimal, conflicts_with_all = ["csv", "count"])]
    pub(super) die_id: Option<std::sync::Arc<[u8]>>,
    /// Print quality, 0.0 to 4.0 (ISO/IEC 15415)
    #[arg(long, value_name = "X.Y", value_parser = grade)]
    pub(super) grade: Option<u8>,
}

/// Which symbol carries them.
#[derive(clap::Args)]
#[command(next_help_heading = "Symbol")]
pub(in super::super) struct SymbolArgs {
    /// Kind of symbol
    #[arg(long, value_enum, default_value_t = SymbolKind::Datamatrix)]
    pub(super) symbol: SymbolKind,
    /// Error-correction level of QR Code
    #[arg(long, value_name = "L|M|Q|H", default_value = "M", value_parser = level, hide_possible_values = true)]
    pub(super) ec: EcLevel,
    /// Sizes of Data Matrix: square, rectangle, dmre, any, or one of them as ROWSxCOLUMNS
    #[arg(long, value_name = "SHAPE", default_value = "square", value_parser = shape)]
    pub(super) shape: Shape,
    /// Carry the bytes, or their text form (base45) for readers that know only text
    #[arg(long, value_enum, default_value_t = Payload::Bytes)]
    pub(super) content: Payload,
}

/// How it is drawn.
#[derive(clap::Args)]
#[command(next_help_heading = "Drawing")]
pub(in super::super) struct Drawing {
    /// The modules: light on a dark package, or dark on a light label
    #[arg(long, value_enum, default_value_t = PolarityArg::Light)]
    pub(super) polarity: PolarityArg,
    /// What a module looks like
    #[arg(long, value_enum, default_value_t = ModulesArg::Square)]
    pub(super) modules: ModulesArg,
    /// Side of a module in millimetres
    #[arg(long, value_name = "X", default_value_t = 0.1)]
    pub(super) module_mm: f64,
    /// Empty modules around the symbol [default: 4 for QR Code, 1 for Data Matrix]
    #[arg(long, value_name = "N")]
    pub(super) quiet_zone: Option<u32>,
    /// By how much the process spreads each edge, in millimetres, for which the drawing makes up
    #[arg(long, value_name = "X", default_value_t = 0.0, allow_negative_numbers = true)]
    pub(super) dot_gain_mm: f64,
    /// Dots per inch of PNG and ZPL [default: 1270 for PNG, 600 for ZPL]
    #[arg(long, value_name = "N")]
    pub(super) dpi: Option<f64>,
    /// Part number, lot and date in letters beside the symbol
    #[arg(long, value_enum, value_name = "WHERE", num_args = 0..=1, default_missing_value = "below")]
    pub(super) caption: Option<CaptionPlace>,
    /// No letters beside the symbol, which is the default
    #[arg(long, overrides_with = "caption")]
    pub(super) no_caption: bool,
    /// Height of the letters in millimetres [default: eight modules]
    #[arg(long, value_name = "X")]
    pub(super) caption_mm: Option<f64>,
}

/// What is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum OutputFormat {
    /// Drawing for the web and for vector tools, in millimetres
    Svg,
    /// Picture with its physical resolution
    Png,
    /// One page a mark
    Pdf,
    /// Drawing for lasers, in millimetres
    Dxf,
    /// One label a mark, for label printers
    Zpl,
    /// The text form (base45), a line a mark
    Text,
    /// Lines of 0 and 1; an empty line between marks
    Matrix,
}

/// Kind of symbol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in super::super) enum SymbolKind {
    /// QR Code (ISO/IEC 18004)
    Qr,
    /// Data Matrix ECC 200 (ISO/IEC 16022)
    Datamatrix,
}

/// What the symbol holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in super::super) enum Payload {
    /// The bytes of the mark
    Bytes,
    /// Base45 of the bytes
    Text,
}

/// What is light and what dark.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in super::super) enum PolarityArg {
    /// Dark modules on a light ground
    Dark,
    /// Light modules on a dark ground
    Light,
}

/// What a module looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in super::super) enum ModulesArg {
    /// Squares that touch
    Square,
    /// A round dot each
    Dot,
}

/// Where the letters stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in super::super) enum CaptionPlace {
    /// Below the symbol
    Below,
    /// To the right of it
    Right,
}

pub(in super::super) fn serial(text: &str) -> Result<Serial, String> {
    let number = text.parse::<u64>().ok().and_then(Serial::new);
    number.ok_or_else(|| format!("a serial is a number from 0 to {}", Serial::MAX))
}

pub(in super::super) fn level(text: &str) -> Result<EcLevel, String> {
    let found = EcLevel::ALL.into_iter().find(|level| text.eq_ignore_ascii_case(&level.letter().to_string()));
    found.ok_or_else(|| "L, M, Q or H".to_owned())
}

fn shape(text: &str) -> Result<Shape, String> {
    let exact = || {
        let (rows, columns) = text.split_once('x')?;
        Some(Shape::Exact { rows: rows.parse().ok()?, columns: columns.parse().ok()? })
    };
    match text {
        "any" => Ok(Shape::Any),
        "square" => Ok(Shape::Square),
        "rectangle" => Ok(Shape::Rectangle),
        "dmre" => Ok(Shape::Dmre),
        _ => exact().ok_or_else(|| "square, rectangle, dmre, any, or rows x columns as in 24x64".to_owned()),
    }
}

fn hexadecimal(text: &str) -> Result<std::sync::Arc<[u8]>, String> {
    let wrong = || "an even number of hexadecimal digits, at most 128".to_owned();
    if text.is_empty() || text.len() > 128 || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Err(wrong());
    }
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    let digits = pairs.iter().map(|pair| std::str::from_utf8(pair).ok().and_then(|p| u8::from_str_radix(p, 16).ok()));
    if rest.is_empty() { digits.collect::<Option<_>>().ok_or_else(wrong) } else { Err(wrong()) }
}

fn grade(text: &str) -> Result<u8, String> {
    let (whole, tenth) = text.split_once('.').unwrap_or((text, "0"));
    let number = whole.parse::<u8>().ok().zip(tenth.parse::<u8>().ok().filter(|_| tenth.len() == 1));
    let tenths = number.and_then(|(whole, tenth)| whole.checked_mul(10)?.checked_add(tenth));
    let allowed = tenths.filter(|g| *g <= touchmark_formats::mark::Extension::MAX_GRADE);
    allowed.ok_or_else(|| "a grade from 0.0 to 4.0, as in 3.5".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_values_are_read_exactly_or_refused() {
        assert_eq!(grade("3.5"), Ok(35));
        assert_eq!(grade("4"), Ok(40));
        for text in ["4.1", "3.55", "-1", "x", "3.", "25.6"] {
            assert!(grade(text).is_err(), "{text}");
        }
        assert_eq!(hexadecimal("00fF").unwrap().as_ref(), [0, 255]);
        for text in ["", "0", "0g", "+1"] {
            assert!(hexadecimal(text).is_err(), "{text}");
        }
        assert_eq!(shape("24x64"), Ok(Shape::Exact { rows: 24, columns: 64 }));
        assert!(shape("24").is_err() && shape("x").is_err());
        assert!(serial("9007199254740991").is_ok() && serial("9007199254740992").is_err());
        assert_eq!(level("q"), Ok(EcLevel::Q));
    }
}
