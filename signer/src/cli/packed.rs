//! `touchmark-sign packed`.

use super::Io;
use super::mark::serial;
use super::of_line::LineArgs;
use super::pack::caption;
use crate::error::{Error, Result};
use crate::pack::{self, Counts, Packed};
use std::fmt::Write;
use touchmark_formats::mark::Serial;

/// Check what is packed in what; or say where a part is and was
///
/// Without a serial every container is checked: its label is signed and says what is on record, no part is in two, every
/// box and pallet holds whole containers, and no part in one is void.
#[derive(clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    of: LineArgs,
    /// The part
    #[arg(value_name = "SERIAL", value_parser = serial)]
    serial: Option<Serial>,
}

pub(super) fn run(args: &Args, io: &mut Io<'_>) -> Result<()> {
    let home = args.of.home()?;
    let line = home.line(args.of.line())?;
    let delegation = &line.delegation.signed;
    let packed = pack::read(&home.packing_file())?;
    let Some(serial) = args.serial else {
        let key = delegation.key.check().map_err(|e| Error::unusable(format!("the line key: {e}")))?;
        let at_book = |e: Error| Error { message: format!("{}: {e}", home.packing_file().display()), ..e };
        let counts = pack::check(&packed, delegation, &key).map_err(at_book)?;
        let whole = packed.iter().filter(|packed| packed.opened.is_none() && packed.key == delegation.key);
        let voids = home.store(false)?.voids(&delegation.key, delegation.serials)?;
        for packed in whole {
            let at = |e: Error| Error { message: format!("the {}: {e}", packed.described()), ..e };
            pack::require_good(&packed.serials, &voids).map_err(at)?;
        }
        let Counts { whole: [reels, boxes, pallets], opened, parts } = counts;
        return io.print(format!(
            "reels      {reels}, with {parts} parts\nboxes      {boxes}\npallets    {pallets}\nopened     {opened}\n"
        ));
    };
    let holds =
        |packed: &&Packed| packed.key == delegation.key && packed.serials.iter().any(|range| range.contains(serial));
    let found: Vec<&Packed> = packed.iter().filter(holds).collect();
    if found.is_empty() {
        return Err(Error::refused(format!(
            "serial {serial} was never packed, as far as {} knows",
            home.packing_file().display()
        )));
    }
    let mut text = format!("serial     {serial}\n");
    for packed in found {
        let words = caption(packed);
        let (first, rest) = words.split_first().map_or((String::new(), String::new()), |(first, rest)| {
            (first.split_once(": ").map_or(first.clone(), |(_, what)| what.to_owned()), rest.join(", "))
        });
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{:<10} {first}, {rest}", packed.level);
        if let Some(opened) = &packed.opened {
            let taken = opened.taken.iter().any(|range| range.contains(serial));
            let what = if taken { "taken out" } else { "opened" };
            let _ = writeln!(text, "           {what} {}: {}", opened.at, opened.reason);
        }
    }
    io.print(text)
}
