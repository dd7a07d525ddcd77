//! `touchmark-sign readback`.

use super::Io;
use crate::error::{Error, Result};
use crate::files;
use crate::readback::{self, Standard};
use clap::ValueEnum;
use std::path::PathBuf;

/// Turn what the line's camera saw into read-back requests to the line
///
/// In comes the JSON of `touchmark-verify grade --json` or `scan --json`, a line for each picture; out goes a request for
/// each, by which `line run` verifies or voids the mark and keeps its grade.
#[derive(clap::Args)]
pub(super) struct Args {
    /// What was seen; `-` for standard input
    #[arg(value_name = "F", default_value = "-")]
    seen: PathBuf,
    /// The serial that the pictures should show [default: that of the mark that was read]
    #[arg(long, value_name = "N", conflicts_with = "serial_in_name")]
    serial: Option<u64>,
    /// The pictures are named for their serials: the last digits of each name
    #[arg(long)]
    serial_in_name: bool,
    /// Which grade is kept
    #[arg(long, value_enum, default_value_t = StandardArg::Iso29158)]
    by: StandardArg,
}

/// A standard of print quality.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum StandardArg {
    /// ISO/IEC 29158, for marks on parts
    #[value(name = "29158")]
    Iso29158,
    /// ISO/IEC 15415, for labels
    #[value(name = "15415")]
    Iso15415,
}

pub(super) fn run(args: &Args, io: &mut Io<'_>) -> Result<()> {
    let standard = match args.by {
        StandardArg::Iso29158 => Standard::Iso29158,
        StandardArg::Iso15415 => Standard::Iso15415,
    };
    let (bytes, path) = match args.seen.to_str() {
        Some("-") => (files::read_all(&mut *io.stdin, "standard input".as_ref())?, PathBuf::from("standard input")),
        _ => (files::read(&args.seen)?, args.seen.clone()),
    };
    let text = String::from_utf8(bytes).map_err(|_| Error::file(&path, "not UTF-8"))?;
    let mut left_out = 0u64;
    for (n, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let named = || {
            serde_json::from_str::<serde_json::Value>(line).ok()?.get("file")?.as_str().and_then(readback::serial_in)
        };
        let expected = args.serial.or_else(|| named().filter(|_| args.serial_in_name));
        match readback::request(line, expected, standard) {
            Ok(request) => io.print(format!("{request}\n"))?,
            Err(e) => {
                left_out += 1;
                io.say(format_args!("error: {}, line {}: {e}", path.display(), n + 1));
            }
        }
    }
    if left_out == 0 {
        return Ok(());
    }
    Err(Error::refused(format!("{left_out} pictures say nothing of any mark"))
        .hint("--serial N, or --serial-in-name, says which mark was to be on them, so that it can be voided"))
}
