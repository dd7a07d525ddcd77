//! Many files on all cores, results in order.

use rayon::prelude::*;
use std::io;
use std::path::{Path, PathBuf};

/// Does `work` on as many files at a time as there are cores, which bounds memory, and hands each result to `done` in
/// the order of the files.
pub(super) fn each_in_order<T: Send>(
    files: &[PathBuf],
    work: impl Fn(&Path) -> T + Sync,
    mut done: impl FnMut(T) -> io::Result<()>,
) -> io::Result<()> {
    for batch in files.chunks(rayon::current_num_threads().max(1)) {
        let results: Vec<T> = batch.par_iter().map(|path| work(path)).collect();
        results.into_iter().try_for_each(&mut done)?;
    }
    Ok(())
}
