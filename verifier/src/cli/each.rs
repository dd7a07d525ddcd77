//! Many files on all cores, results in order.

use super::{Io, words};
use rayon::prelude::*;
use serde::Serialize;
use std::io;
use std::path::{Path, PathBuf};

/// Gives what there is to say of one file: what is wrong with it on standard error, its line of JSON or its words on
/// standard output.
pub(super) fn report<T: Serialize>(
    io: &mut Io<'_>,
    line: &T,
    wrong: &Wrong<'_>,
    words_for_people: Option<String>,
) -> io::Result<()> {
    if let Some(damage) = wrong.damage {
        writeln!(io.stderr, "{}", words::damaged(wrong.file, damage))?;
    }
    if let Some(error) = wrong.error {
        writeln!(io.stderr, "error: {}", words::plain(error))?;
    }
    match words_for_people {
        None => writeln!(io.stdout, "{}", serde_json::to_string(line)?)?,
        Some(words) => write!(io.stdout, "{words}")?,
    }
    io.stdout.flush()
}

/// What is wrong with a file.
pub(super) struct Wrong<'a> {
    /// Its name.
    pub(super) file: &'a str,
    /// A part of it was searched.
    pub(super) damage: Option<&'a str>,
    /// It could not be opened, or its results not be written.
    pub(super) error: Option<&'a str>,
}

/// Does `work` on as many files at a time as there are cores, which bounds memory, and hands each result to `done` in
/// the order of the files. Where a person waits and sees no results, it says how far it is.
pub(super) fn each_in_order<T: Send>(
    files: &[PathBuf],
    io: &mut Io<'_>,
    work: impl Fn(&Path) -> T + Sync,
    mut done: impl FnMut(T, &mut Io<'_>) -> io::Result<()>,
) -> io::Result<()> {
    let at_a_time = rayon::current_num_threads().max(1);
    let tells = io.progress && files.len() > at_a_time;
    for (batch, files_of) in files.chunks(at_a_time).enumerate() {
        if tells {
            write!(io.stderr, "\r{} of {} files\x1b[K", batch * at_a_time, files.len())?;
            io.stderr.flush()?;
        }
        let results: Vec<T> = files_of.par_iter().map(|path| work(path)).collect();
        if tells {
            write!(io.stderr, "\r\x1b[K")?;
        }
        results.into_iter().try_for_each(|result| done(result, io))?;
    }
    Ok(())
}
