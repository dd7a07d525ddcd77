//! `touchmark-sign unpack`.

use super::Io;
use super::of_line::LineArgs;
use super::pack::{FormatArg, LabelArgs, Packer, caption};
use super::secrets::PassphraseArgs;
use crate::error::{Error, Result};
use crate::init;
use crate::pack::{self, Opened, Packed, Packing};
use std::path::PathBuf;
use touchmark_formats::container::{Level, Sscc};
use touchmark_formats::date::Date;
use touchmark_formats::delegation::SerialRange;
use touchmark_formats::text::Label;

/// Open reels, boxes or pallets, or take something out of one and make the label for the rest
///
/// What was in a container that is opened may be packed anew; its label counts no more, so destroy it. A container in another
/// one is opened after that. With --taken only what is named there leaves, and the rest gets a new label.
#[derive(clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    of: LineArgs,
    /// The labels of what is opened, one text form a line; `-` for standard input
    #[arg(long, value_name = "F")]
    from: PathBuf,
    /// Why
    #[arg(long, value_name = "TEXT")]
    reason: Label,
    #[command(flatten)]
    rest: RestArgs,
    #[command(flatten)]
    passphrase: PassphraseArgs,
}

/// What leaves, and the label of the rest.
#[derive(clap::Args)]
#[command(next_help_heading = "Taking something out")]
struct RestArgs {
    /// What is taken out, as the scanner reads it: parts out of a reel, reels out of a box, boxes off a pallet
    #[arg(long, value_name = "F", requires = "format", requires = "out")]
    taken: Option<PathBuf>,
    /// The day on which the rest was packed; today (UTC) if not given
    #[arg(long, value_name = "YYYY-MM-DD", requires = "taken")]
    date: Option<Date>,
    /// The number of the rest in logistics, where it has one: 18 digits (GS1 AI 00)
    #[arg(long, value_name = "SSCC", requires = "taken")]
    sscc: Option<Sscc>,
    /// What to write
    #[arg(long, value_enum, requires = "taken")]
    format: Option<FormatArg>,
    /// Side of a module in millimetres
    #[arg(long, value_name = "X", default_value_t = 0.5)]
    module_mm: f64,
    /// Where to; `-` for standard output
    #[arg(long, value_name = "F", requires = "taken")]
    out: Option<PathBuf>,
}

pub(super) fn run(args: Args, io: &mut Io<'_>) -> Result<()> {
    let mut packer = Packer::open(&args.of, args.passphrase.secrets())?;
    let whole = packer.containers(&args.from, io)?;
    let RestArgs { taken, date, sscc, format, module_mm, out } = args.rest;
    let Some((taken, (format, out))) = taken.zip(format.zip(out)) else {
        for packed in &whole {
            packer.book.open(opened(packed, Vec::new(), &args.reason, io), None)?;
            io.say(format_args!("opened: {}", caption(packed).join(", ")));
        }
        return Ok(());
    };
    let [packed] = whole.as_slice() else {
        return Err(Error::unusable(format!("{} labels, where something is taken out of one", whole.len())));
    };
    let label = LabelArgs { format, module_mm, out };
    let (piece, taken) = pack::rest(packed, &packer.scanned(&taken, io)?)?;
    let packing =
        Packing { level: packed.signed()?.container.level, date: date.map_or_else(|| init::today(io.now), Ok)?, sscc };
    let consignee = packer.consignee(packed, io)?;
    let contents = packer.contents(&packing, &[piece], consignee, io)?;
    let signed = packer.sign(&contents, &label, io)?;
    let rest = Packed::new(&contents, &signed, packed.key, io.now);
    let count: u64 = taken.iter().map(SerialRange::count).sum();
    packer.book.open(opened(packed, taken, &args.reason, io), Some(rest.clone()))?;
    io.say(format_args!("{count} parts taken out of: {}", caption(packed).join(", ")));
    label.write(&rest, io)
}

fn opened(packed: &Packed, taken: Vec<SerialRange>, reason: &Label, io: &Io<'_>) -> Opened {
    Opened { mark: packed.mark.clone(), taken, reason: reason.clone(), at: io.now }
}

impl Packer {
    /// The containers whose labels were scanned, each once, whole and in no other.
    fn containers(&self, from: &std::path::Path, io: &mut Io<'_>) -> Result<Vec<Packed>> {
        let mut found: Vec<Packed> = Vec::new();
        for piece in self.scanned(from, io)? {
            let level =
                piece.level.ok_or_else(|| Error::refused("the mark of a part was given, and no part can be opened"))?;
            let key = &self.delegation().key;
            let (packed, _) = self.book.holder(level.name(), key, &piece.serials).ok_or_else(|| {
                Error::unusable(format!("{}: no such container is packed", self.book.path().display()))
            })?;
            let outer = Level::ALL.into_iter().find(|outer| *outer as u8 == level as u8 + 1);
            if let Some((outer, _)) = outer.and_then(|outer| self.book.holder(outer.name(), key, &piece.serials)) {
                return Err(Error::refused(format!("the {} is in a {}", packed.described(), outer.described()))
                    .hint("open that first, or take this out of it"));
            }
            if !found.contains(packed) {
                found.push(packed.clone());
            }
        }
        if found.is_empty() {
            return Err(Error::unusable("nothing to open").hint("name what was scanned, one text form a line"));
        }
        Ok(found)
    }

    /// For whom a container was sealed.
    fn consignee(&mut self, packed: &Packed, io: &mut Io<'_>) -> Result<Option<u64>> {
        if !packed.is_sealed()? {
            return Ok(None);
        }
        let year = packed.date.year();
        let key = self.home.year_key(year, &mut self.secrets.unlock(io))?.ok_or_else(|| {
            Error::unusable(format!(
                "the {} is sealed, and the disclosure key of {year} is not here",
                packed.described()
            ))
            .hint("open the whole of it, and pack the rest without --consignee")
        })?;
        pack::consignee(packed, &self.delegation().maker, &key)
    }
}
