//! `touchmark-sign pack`.

use super::of_line::LineArgs;
use super::secrets::{PassphraseArgs, Secrets};
use super::{Io, sealing};
use crate::error::{Error, Result};
use crate::files::{self, Access};
use crate::home::{Home, Line};
use crate::init;
use crate::line::store::Store;
use crate::pack::{self, Book, Contents, Packed, Packing, Piece};
use crate::render::{Artwork, ArtworkOptions, Caption, Format, Place, Polarity, SheetOptions, render};
use crate::sign::sign_container;
use clap::ValueEnum;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use touchmark_formats::container::{Level, SignedContainer, Sscc};
use touchmark_formats::date::Date;
use touchmark_formats::delegation::Delegation;
use touchmark_formats::key::PublicKey;
use touchmark_formats::symbol::{EcLevel, Request, Symbology, encode};

/// Pack parts into a reel, reels into a box, boxes onto a pallet, and make the signed label
///
/// What goes in is what the packer's scanner reads: the marks of the parts, or the labels of the reels or boxes, in their
/// text form. A part is in one reel only, a reel in one box, a box on one pallet; packing the very same again gives the same
/// label again.
#[derive(clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    of: LineArgs,
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
    /// The number of the consignee, which is sealed into the mark; what is in it must not be sealed for another
    #[arg(long, value_name = "N")]
    consignee: Option<u64>,
    #[command(flatten)]
    label: LabelArgs,
    #[command(flatten)]
    passphrase: PassphraseArgs,
}

/// The label.
#[derive(clap::Args)]
pub(super) struct LabelArgs {
    /// What to write
    #[arg(long, value_enum)]
    pub(super) format: FormatArg,
    /// Side of a module in millimetres
    #[arg(long, value_name = "X", default_value_t = 0.5)]
    pub(super) module_mm: f64,
    /// Where to; `-` for standard output
    #[arg(long, value_name = "F")]
    pub(super) out: PathBuf,
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
pub(super) enum FormatArg {
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

/// A line that packs: what is on record of it, and what may be.
pub(super) struct Packer {
    pub(super) home: Home,
    pub(super) line: Line,
    pub(super) store: Store,
    pub(super) book: Book,
    key: PublicKey,
    pub(super) secrets: Secrets,
}

impl Packer {
    pub(super) fn open(of: &LineArgs, secrets: Secrets) -> Result<Self> {
        let home = of.home()?;
        let line = home.line(of.line())?;
        let key = line.delegation.signed.key.check().map_err(|e| Error::unusable(format!("the line key: {e}")))?;
        Ok(Self { store: home.store(false)?, book: Book::lock(&home.packing_file())?, home, line, key, secrets })
    }

    pub(super) fn delegation(&self) -> &Delegation {
        &self.line.delegation.signed
    }

    /// What was scanned, one text form a line.
    pub(super) fn scanned(&self, from: &Path, io: &mut Io<'_>) -> Result<Vec<Piece>> {
        let at_line = |(n, text): &(usize, String)| {
            let piece = pack::scanned(text, self.delegation(), &self.key, &self.book);
            piece.map_err(|e| Error { message: format!("{}, line {n}: {e}", from.display()), ..e })
        };
        scans(from, io)?.iter().map(at_line).collect()
    }

    /// What a container of `pieces` says, sealed for `consignee` if there is one.
    pub(super) fn contents(
        &mut self,
        packing: &Packing,
        pieces: &[Piece],
        consignee: Option<u64>,
        io: &mut Io<'_>,
    ) -> Result<Contents> {
        let mut contents = pack::contents(self.delegation(), packing, pieces)?;
        let delegation = &self.line.delegation.signed;
        let voids = self.store.voids(&delegation.key, contents.container.serials)?;
        pack::require_good(&contents.serials, &voids)?;
        if let Some(number) = consignee {
            let year = packing.date.year();
            let sealed = pieces.iter().filter_map(|piece| piece.sealed.as_ref()).map(|mark| mark.date().year());
            let mut years = BTreeMap::new();
            for past in sealed.collect::<BTreeSet<_>>() {
                years.extend(self.home.year_key(past, &mut self.secrets.unlock(io))?.map(|key| (past, key)));
            }
            pack::require_consignee(pieces, &delegation.maker, number, &years)?;
            let key = sealing::year_key(&self.home, year, &mut self.store, &mut self.secrets, io)?;
            pack::seal(&mut contents, delegation, number, &key)?;
        }
        Ok(contents)
    }

    /// The record of `contents` under a new label, which is drawn to see whether it can be.
    pub(super) fn sign(&mut self, contents: &Contents, label: &LabelArgs, io: &mut Io<'_>) -> Result<SignedContainer> {
        let line_key = self.home.line_key(&self.line, &mut self.secrets.unlock(io))?;
        let delegation = &self.line.delegation.signed;
        let (part, lot) = (&contents.part, contents.lot.as_ref());
        let signed = sign_container(&line_key, contents.container.clone(), &delegation.maker, part, lot)?;
        // Drawn before it is on record, so that a label that cannot be drawn packs nothing.
        label.draw(&Packed::new(contents, &signed, delegation.key, io.now))?;
        Ok(signed)
    }
}

pub(super) fn run(args: Args, io: &mut Io<'_>) -> Result<()> {
    let mut packer = Packer::open(&args.of, args.passphrase.secrets())?;
    let pieces = packer.scanned(&args.from, io)?;
    let date = args.date.map_or_else(|| init::today(io.now), Ok)?;
    let packing = Packing { level: args.level.level(), date, sscc: args.sscc };
    let contents = packer.contents(&packing, &pieces, args.consignee, io)?;
    let key = packer.delegation().key;
    let known = packer.book.same(&contents, &key)?.cloned();
    let again = known.is_some();
    let packed = match known {
        Some(known) => known,
        None => {
            sealing::warn_of_unknown(&packer.home, args.consignee.into_iter(), io)?;
            let signed = packer.sign(&contents, &args.label, io)?;
            packer.book.add(&contents, &signed, key, io.now)?
        }
    };
    let once_more =
        format!("it is on record as packed: the same scans with --date {} give the same label once more", packed.date);
    args.label.write(&packed, io).map_err(|e| e.hint(once_more))?;
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

impl LabelArgs {
    fn draw(&self, packed: &Packed) -> Result<Vec<u8>> {
        let format = match self.format {
            FormatArg::Text => return Ok(format!("{}\n", packed.mark).into_bytes()),
            FormatArg::Svg => Format::Svg,
            FormatArg::Png => Format::Png,
            FormatArg::Pdf => Format::Pdf,
            FormatArg::Zpl => Format::Zpl,
        };
        let encoded = encode(&packed.signed()?.to_bytes(), &Request::Qr { ec: EcLevel::M, min_version: 1 });
        let encoded = encoded.map_err(|e| Error::unusable(e.to_string()))?;
        let module_mm = self.module_mm;
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

    /// Writes the label of what is on record, and says what is on it.
    pub(super) fn write(&self, packed: &Packed, io: &mut Io<'_>) -> Result<()> {
        let label = self.draw(packed)?;
        match self.out.to_str() {
            Some("-") => io.print(label)?,
            _ => files::write(&self.out, &label, Access::Ordinary)?,
        }
        io.say(format_args!("{}; {} bytes", caption(packed).join(", "), packed.signed()?.to_bytes().len()));
        Ok(())
    }
}

/// What is in it, a line each, as the label has it in letters.
pub(super) fn caption(packed: &Packed) -> Vec<String> {
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
