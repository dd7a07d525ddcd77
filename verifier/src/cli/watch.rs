//! `watch`: photos verified as they arrive, into a case folder.

use super::batch::{CaseArgs, OpenCase, say, status, stopped_by_signals};
use super::{Io, Stop, words};
use crate::case::gather::Passed;
use crate::case::record::PhotoResult;
use crate::case::run::Look;
use crate::case::watch::watch;
use crate::verdict::Status;
use clap::Args;
use std::path::PathBuf;
use touchmark_formats::trust::Directory;

const EXIT_STATUS: &str =
    "It runs until SIGINT (Ctrl-C) or SIGTERM, finishes the photos in work, and writes the case's files. Exit
status then, of all photos in the case: as `batch`.";

#[derive(Debug, Args)]
#[command(after_help = EXIT_STATUS)]
pub(super) struct WatchArgs {
    /// Folder in which photos arrive, with all that is below it: a camera's tether, a shared drive. It is looked at once a
    /// second, and a file counts when two looks found it the same
    #[arg(value_name = "FOLDER")]
    folder: PathBuf,
    #[command(flatten)]
    case: CaseArgs,
}

pub(super) fn run(args: &WatchArgs, io: &mut Io<'_>) -> Result<Status, Stop> {
    if !args.folder.is_dir() {
        return Err(Stop::unusable(&args.folder, "it is no folder: name the one in which photos will arrive"));
    }
    let stop = stopped_by_signals();
    let folders = [args.folder.clone()];
    let mut open = OpenCase::open(&args.case, &folders, io)?;
    let directory = Directory::new(&open.material.trust);
    let basis = open.material.basis(&directory);
    let passed = Passed::default();
    writeln!(io.stderr, "watching {}; stop with Ctrl-C", args.folder.display())?;
    let done =
        open.run.examine_from(&basis, &stop, &passed, &|gather, put| watch(gather, &folders, &stop, put), |event| {
            match event {
                Look::Done(result) => tell(result, io),
                Look::Progress(_) => Ok(()),
            }
        })?;
    let summary = open.finish(&args.case, io)?;
    say(&args.case.out, &summary, &Passed::default(), io)?;
    Ok(status(&done))
}

/// A photo in a line.
fn tell(result: &PhotoResult, io: &mut Io<'_>) -> Result<(), Stop> {
    let path = words::plain(&result.photo.path);
    if let Some(error) = &result.error {
        writeln!(io.stderr, "error: {}", words::plain(error))?;
    }
    let said = result.marks.iter().find(|seen| seen.mark.verdict == result.verdict).map(|seen| &seen.mark);
    let part = said.and_then(|mark| {
        let serial = mark.serial.map_or_else(String::new, |serial| format!(" no. {serial}"));
        Some(format!(", {} {}{serial}", mark.maker.as_ref()?, mark.part.as_ref()?))
    });
    let verdict = result.verdict.name().to_uppercase();
    writeln!(io.stdout, "{path}: {verdict}{}", words::plain(&part.unwrap_or_default()))?;
    Ok(io.stdout.flush()?)
}
