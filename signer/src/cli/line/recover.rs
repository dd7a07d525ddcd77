//! `touchmark-sign line recover`.

use super::{Io, Which};
use crate::error::{Error, Result};
use crate::line::recover::{Known, recover};
use touchmark_formats::delegation::SerialRange;
use touchmark_formats::mark::Serial;

/// Go on after the store was put back from a backup, or moved to another machine
///
/// Serials that may be on parts and are not on record are blocked for ever, as lost. Which these are, this machine knows if
/// the line ran here; otherwise say it with --lost, or, if nothing was issued since the backup, --nothing-lost.
#[derive(clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    which: Which,
    /// The name under which it issues; all that this machine knows of go on with it
    #[arg(long, value_name = "NAME", default_value = "line", value_parser = super::name)]
    name: String,
    /// Serials that may have been issued and are not on record, as often as needed
    #[arg(long, value_name = "FIRST-LAST", value_parser = range)]
    lost: Vec<SerialRange>,
    /// Nothing was issued that is not on record: the store is the newest, and was only moved
    #[arg(long, conflicts_with = "lost")]
    nothing_lost: bool,
}

pub(super) fn run(args: &Args, io: &mut Io<'_>) -> Result<()> {
    let (home, line) = args.which.open()?;
    let key = &line.delegation.signed.key;
    let known = if args.nothing_lost { Known::Nothing } else { Known::Lost(&args.lost) };
    let recovered = recover(&mut home.store(false)?, &io.state(&home), key, &args.name, known)?;
    let names = recovered.names.iter().map(|name| format!("{name:?}")).collect::<Vec<_>>().join(", ");
    io.print(format!("{names} may issue again; {} serials are blocked as lost\n", recovered.blocked))
}

fn range(text: &str) -> std::result::Result<SerialRange, String> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let serial = |text: &str| text.trim().parse::<u64>().ok().and_then(Serial::new);
    let range = serial(first).zip(serial(last)).map(|(first, last)| SerialRange { first, last });
    let range = range.filter(|range| range.count() > 0);
    range.ok_or_else(|| Error::unusable(format!("{text:?} is not FIRST-LAST")).message)
}
