//! `sightings`: where serials were seen before.

use super::{Io, Stop, words};
use crate::case::folder::{FolderError, FolderErrorKind};
use crate::sightings::{Sighting, Sightings, SightingsError};
use crate::verdict::Status;
use clap::{Args, Subcommand};
use serde::Serialize;
use std::io;
use touchmark_formats::key::KeyBytes;

#[derive(Debug, Subcommand)]
pub(super) enum SightingsCommand {
    /// Print every photo, of any case, that proved a serial
    Show(ShowArgs),
}

#[derive(Debug, Args)]
pub(super) struct ShowArgs {
    /// The serial
    #[arg(long, value_name = "N")]
    serial: u64,
    /// Only of the line with this key: its id or all of it, as `photo` prints them
    #[arg(long, value_name = "KEY")]
    line: Option<String>,
    /// The store: a file or a postgresql:// URL; by default the one that `batch` uses
    #[arg(long, value_name = "FILE|URL", env = "TOUCHMARK_SIGHTINGS", hide_env_values = true)]
    sightings: Option<String>,
    /// Print JSON Lines, one line a sighting
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Line<'a> {
    case: &'a str,
    path: &'a str,
    sha256: String,
    maker: &'a str,
    key_id: String,
    line_key: KeyBytes,
    part: &'a str,
    lot: Option<&'a str>,
    serial: u64,
    date: &'a str,
    taken: Option<&'a str>,
    place: Option<&'a str>,
}

impl From<SightingsError> for Stop {
    fn from(error: SightingsError) -> Self {
        Self::Case(FolderError { path: "sightings".into(), kind: FolderErrorKind::Sightings(error) })
    }
}

pub(super) fn run(command: &SightingsCommand, io: &mut Io<'_>) -> Result<Status, Stop> {
    let SightingsCommand::Show(args) = command;
    let own = || io.state.as_ref().map(|state| state.join("sightings.db").to_string_lossy().into_owned());
    let Some(place) = args.sightings.clone().or_else(own) else {
        return Ok(super::complain(io, "there is no store of sightings", Some("name one with --sightings")));
    };
    let is_line = |seen: &Sighting| {
        args.line
            .as_ref()
            .is_none_or(|line| *line == seen.line_key.id().to_string() || *line == seen.line_key.to_string())
    };
    let mut seen = Sightings::open(&place)?.of(None, args.serial)?;
    seen.retain(is_line);
    for sighting in &seen {
        if args.json {
            writeln!(io.stdout, "{}", serde_json::to_string(&line(sighting)).map_err(io::Error::from)?)?;
        } else {
            writeln!(io.stdout, "{}", words::plain(&said(sighting)))?;
        }
    }
    if seen.is_empty() {
        writeln!(io.stderr, "serial {} was not seen before", args.serial)?;
        return Ok(Status::NothingRead);
    }
    Ok(Status::AllAuthentic)
}

fn line(seen: &Sighting) -> Line<'_> {
    Line {
        case: &seen.case.1,
        path: &seen.path,
        sha256: words::hex(&seen.photo),
        maker: &seen.maker,
        key_id: seen.line_key.id().to_string(),
        line_key: seen.line_key,
        part: &seen.part,
        lot: seen.lot.as_deref(),
        serial: seen.serial,
        date: &seen.date,
        taken: seen.taken.as_deref(),
        place: seen.place.as_deref(),
    }
}

fn said(seen: &Sighting) -> String {
    let lot = seen.lot.as_ref().map_or_else(String::new, |lot| format!(", lot {lot}"));
    let taken = seen.taken.as_ref().map_or_else(String::new, |taken| format!(", taken {taken}"));
    let place = seen.place.as_ref().map_or_else(String::new, |place| format!(" at {place}"));
    let Sighting { line_key, serial, case: (_, case), path, maker, part, date, .. } = seen;
    format!("{case}: {path}: {maker}, key {}, {part}{lot}, serial {serial}, made {date}{taken}{place}", line_key.id())
}
