//! Many files on all cores, results in order.

use super::{Io, words};
use crate::pipeline::{Event, Put, in_order, threads};
use serde::Serialize;
use std::io;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

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

/// Does `work` on the files on all cores and hands each result to `done` in their order. Where a person waits and sees no
/// results, it says how far it is.
pub(super) fn each_in_order<T: Send>(
    files: &[PathBuf],
    io: &mut Io<'_>,
    work: impl Fn(&Path) -> T + Sync,
    done: impl FnMut(T, &mut Io<'_>) -> io::Result<()>,
) -> io::Result<()> {
    let source = |put: Put<'_, _>| {
        let _ = files.iter().try_for_each(put);
    };
    each_of(source, Some(files.len()), io, |path: &PathBuf| work(path), done)
}

/// The same for whatever `source` puts, how many there are in all, if that is known.
pub(super) fn each_of<I: Send, T: Send>(
    source: impl FnOnce(Put<'_, I>) + Send,
    all: Option<usize>,
    io: &mut Io<'_>,
    work: impl Fn(I) -> T + Sync,
    mut done: impl FnMut(T, &mut Io<'_>) -> io::Result<()>,
) -> io::Result<()> {
    let mut progress = Progress { all, count: 0, shown: None };
    in_order(threads(), source, work, |event| {
        progress.hide(io)?;
        if let Event::Done(result) = event {
            progress.count += 1;
            done(result, io)?;
        }
        progress.show(io).map(ControlFlow::Continue)
    })?;
    progress.hide(io)
}

/// Between two looks at how far it is.
const PAUSE: Duration = Duration::from_millis(100);

struct Progress {
    all: Option<usize>,
    count: usize,
    shown: Option<Instant>,
}

impl Progress {
    fn hide(&mut self, io: &mut Io<'_>) -> io::Result<()> {
        match self.shown.filter(|shown| shown.elapsed() >= PAUSE) {
            Some(_) => {
                self.shown = None;
                write!(io.stderr, "\r\x1b[K")
            }
            None => Ok(()),
        }
    }

    fn show(&mut self, io: &mut Io<'_>) -> io::Result<()> {
        if !io.progress || self.shown.is_some() || self.all.is_some_and(|all| all <= threads()) {
            return Ok(());
        }
        match self.all {
            Some(all) => write!(io.stderr, "\r{} of {all} files\x1b[K", self.count)?,
            None => write!(io.stderr, "\r{} files\x1b[K", self.count)?,
        }
        self.shown = Some(Instant::now());
        io.stderr.flush()
    }
}
