//! Many files on all cores, results in order.

use super::Io;
use rayon::prelude::*;
use std::io;
use std::path::{Path, PathBuf};

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
