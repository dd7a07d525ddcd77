//! `touchmark-sign pack`.

use super::Io;
use super::secrets::PassphraseArgs;
use crate::error::{Error, Result};
use crate::files::{self, Access};
use crate::home::Home;
use crate::init;
use crate::pack::{self, Book, Packed, Packing};
use crate::render::{Artwork, ArtworkOptions, Caption, Format, Place, Polarity, SheetOptions, render};
use crate::sign::sign_container;
use clap::ValueEnum;
use std::path::{Path, PathBuf};
use touchmark_formats::base45;
use touchmark_formats::container::{Level, Sscc};
use touchmark_formats::date::Date;
use touchmark_formats::symbol::{EcLevel, Request, Symbology, encode};

/// Pack parts into a reel, reels into a box, boxes onto a pallet, and make the signed label
///
/// What goes in is what the packer's scanner reads: the marks of the parts, or the labels of the reels or boxes, in their
/// text form. A part is in one reel only, a reel in one box, a box on one pallet; packing the very same again gives the same
/// label again.
#[derive(clap::Args)]
pub(super) struct Args {
    /// The home of the line
    #[arg(long, value_name = "DIR")]
    home: PathBuf,
    /// Which line, where the home has several
    #[arg(long, value_name = "NAME")]
    line: Option<String>,
    /// The kind of container
    #[arg(long, value_enum)]
    level: LevelArg,
    /// What was scanned, one text form a line; `-` for standard input
    #[arg(long, value_name = "F")]
    from: PathBuf,
    /// The day of packing; today (UTC) if not given
    #[arg(long, value_name = "YYYY-MM-DD")]
    date: Option<Date>,
    /// The container's number in logistics: 18 digits (GS1 AI 00)
    #[arg(long, value_name = "SSCC")]
    sscc: Option<Sscc>,
    /// What to write
    #[arg(long, value_enum)]
    format: FormatArg,
    /// Side of a module in millimetres
    #[arg(long, value_name = "X", default_value_t = 0.5)]
    module_mm: f64,
    /// Where to; `-` for standard output
    #[arg(long, value_name = "F")]
    out: PathBuf,
    #[command(flatten)]
    passphrase: PassphraseArgs,
}

/// Kind of container.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum LevelArg {
    /// What holds the parts themselves: a reel, tray, tube or bag
    Reel,
    /// What holds reels
    Box,
    /// What holds boxes
    Pallet,
}

/// What is written: a QR Code, dark on light, with its contents in letters below.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum FormatArg {
    /// Drawing for the web and for vector tools
    Svg,
    /// Picture of 600 dots an inch
    Png,
    /// One page
    Pdf,
    /// For label printers of 600 dots an inch
    Zpl,
    /// The text form (base45)
    Text,
}

impl LevelArg {
    fn level(self) -> Level {
        match self {
            Self::Reel => Level::Reel,
            Self::Box => Level::Box,
            Self::Pallet => Level::Pallet,
        }
    }
}

pub(super) fn run(args: Args, io: &mut Io<'_>) -> Result<()> {
    let home = Home::open(&args.home)?;
    let line = home.line(args.line.as_deref())?;
    let delegation = &line.delegation.signed;
    let mut secrets = args.passphrase.secrets();
    let scans = scans(&args.from, io)?;
    let mut book = Book::lock(&home.packing_file())?;
    let key = delegation.key.check().map_err(|e| Error::unusable(format!("the line key: {e}")))?;
    let at_line = |(n, text): &(usize, String)| {
        let piece = pack::scanned(text, delegation, &key, &book);
        piece.map_err(|e| Error { message: format!("{}, line {n}: {e}", args.from.display()), ..e })
    };
    let pieces = scans.iter().map(at_line).collect::<Result<Vec<_>>>()?;
    let date = args.date.map_or_else(|| init::today(io.now), Ok)?;
    let packing = Packing { level: args.level.level(), date, sscc: args.sscc };
    let contents = pack::contents(delegation, &packing, &pieces)?;
    let known = book.same(&contents, &delegation.key)?.cloned();
    let again = known.is_some();
    let packed = match known {
        Some(known) => known,
        None => {
            let line_key = home.line_key(&line, &mut secrets.unlock(io))?;
            let (part, lot) = (&contents.part, contents.lot.as_ref());
            let signed = sign_container(&line_key, contents.container.clone(), &delegation.maker, part, lot)?;
            // Drawn before it is on record, so that a label that cannot be drawn packs nothing.
            label(
                args.format,
                args.module_mm,
                &signed.to_bytes(),
                &Packed::new(&contents, &signed, delegation.key, io.now),
            )?;
            book.add(&contents, &signed, delegation.key, io.now)?
        }
    };
    let bytes = base45::decode(&packed.mark).map_err(|e| Error::file(book.path(), e))?;
    let label = label(args.format, args.module_mm, &bytes, &packed)?;
    match args.out.to_str() {
        Some("-") => io.print(label)?,
        _ => files::write(&args.out, &label, Access::Ordinary)?,
    }
    io.say(format_args!("{}; {} bytes", caption(&packed).join(", "), bytes.len()));
    if again {
        io.say("note: it was packed before, and the label is the same once more");
    }
    Ok(())
}

/// What was scanned, with the numbers of its lines.
pub(super) fn scans(path: &Path, io: &mut Io<'_>) -> Result<Vec<(usize, String)>> {
    let (bytes, path) = match path.to_str() {
        Some("-") => (files::read_all(&mut *io.stdin, "standard input".as_ref())?, "standard input".as_ref()),
        _ => (files::read(path)?, path),
    };
    let text = String::from_utf8(bytes).map_err(|_| Error::file(path, "not UTF-8"))?;
    // A space at an end can be part of a text form.
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    Ok(lines.map(|(n, line)| (n + 1, line.to_owned())).collect())
}

fn label(format: FormatArg, module_mm: f64, bytes: &[u8], packed: &Packed) -> Result<Vec<u8>> {
    let format = match format {
        FormatArg::Text => return Ok((base45::encode(bytes) + "\n").into_bytes()),
        FormatArg::Svg => Format::Svg,
        FormatArg::Png => Format::Png,
        FormatArg::Pdf => Format::Pdf,
        FormatArg::Zpl => Format::Zpl,
    };
    let encoded = encode(bytes, &Request::Qr { ec: EcLevel::M, min_version: 1 });
    let encoded = encoded.map_err(|e| Error::unusable(e.to_string()))?;
    let caption = Caption { lines: caption(packed), height_mm: 6.0 * module_mm, place: Place::Below };
    let options = ArtworkOptions {
        module_mm,
        polarity: Polarity::DarkOnLight,
        caption: Some(caption),
        ..ArtworkOptions::default()
    };
    let artwork = Artwork::new(encoded.matrix, Symbology::QrCode, options);
    let artwork = artwork.map_err(|e| Error::unusable(e.to_string()))?;
    let sheet = SheetOptions { dpi: 600.0, ..SheetOptions::default() };
    render(format, &[artwork], &sheet).map_err(|e| Error::unusable(e.to_string()))
}

/// What is in it, a line each, as the label has it in letters.
fn caption(packed: &Packed) -> Vec<String> {
    let (first, last) = (packed.serials.first().map(|r| r.first), packed.serials.last().map(|r| r.last));
    let serials = first.zip(last).map(|(first, last)| format!("serials {first} to {last}"));
    let lot = packed.lot.as_ref().map_or_else(String::new, |lot| format!(" lot {lot}"));
    let quantity: u64 = packed.serials.iter().map(touchmark_formats::delegation::SerialRange::count).sum();
    let mut lines = vec![format!("{}: {quantity} x {}{lot}", packed.level, packed.part)];
    lines.extend(serials);
    lines.extend(packed.sscc.iter().map(|code| format!("SSCC {code}")));
    lines.push(packed.date.to_string());
    lines
}
