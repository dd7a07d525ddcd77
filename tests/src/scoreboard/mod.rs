//! How many symbols of known photos each reader reads, and how fast: ours beside its peers, in one run.

pub mod clean;
pub mod marks;
pub mod page;
pub mod peers;
pub mod readers;
pub mod records;
pub mod tables;
pub mod truth;

use readers::{Content, Reader, Reading};
use records::Records;
use serde::{Deserialize, Serialize};
use std::path::Path;
use truth::{Photo, Set};

/// What one reader made of one photo.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Score {
    /// Expected symbols that were read.
    pub read: usize,
    /// Contents that no symbol of the photo has.
    pub misread: usize,
    /// Milliseconds, the picture being in memory.
    pub ms: f64,
}

impl Score {
    /// What `reading` makes of `photo`.
    #[must_use]
    pub fn of(photo: &Photo, reading: &Reading) -> Self {
        let mut left = reading.contents.clone();
        let mut read = 0;
        for symbol in &photo.symbols {
            let fits = |got: &Content| symbol.content.as_ref().is_none_or(|content| got.same(content));
            if let Some(at) = left.iter().position(fits) {
                left.swap_remove(at);
                read += 1;
            }
        }
        // The same symbol read twice is no misreading.
        let known =
            |got: &Content| photo.symbols.iter().any(|s| s.content.as_ref().is_none_or(|content| got.same(content)));
        let misread = left.iter().filter(|got| !known(got)).count();
        Self { read, misread, ms: reading.read_ms }
    }
}

/// One photo and what every reader made of it, in the order of the readers' columns.
#[derive(Debug)]
pub struct Result {
    /// Name of the set.
    pub set: String,
    /// The photo.
    pub photo: Photo,
    /// A score for each column; `None` where the reader was not asked.
    pub scores: Vec<Option<Score>>,
}

impl Result {
    /// Whether the reader of a column read an expected symbol.
    #[must_use]
    pub fn read(&self, column: usize) -> bool {
        self.scores.get(column).is_some_and(|score| score.is_some_and(|s| s.read > 0))
    }
}

/// Shows every photo of `sets`, which lie in `folder`, to every reader, one photo after the other, so that a slow minute
/// of the machine strikes all readers alike. What `records` has already is not measured again. `seen` is told of each.
///
/// # Errors
/// A record cannot be written.
pub fn run(
    folder: &Path,
    sets: Vec<Set>,
    readers: &mut [Box<dyn Reader + '_>],
    records: &mut Records,
    mut seen: impl FnMut(&Result),
) -> std::io::Result<Vec<Result>> {
    let mut results = Vec::new();
    for set in sets {
        for photo in set.photos {
            let path = folder.join(&set.name).join(&photo.file);
            let mut scores = Vec::new();
            for reader in &mut *readers {
                let columns = reader.columns();
                let known: Option<Vec<_>> =
                    columns.iter().map(|column| records.get(&set.name, &photo.file, column)).collect();
                if let Some(known) = known {
                    scores.extend(known);
                    continue;
                }
                let measured: Vec<Option<Score>> = reader
                    .read(&path, &photo)
                    .into_iter()
                    .map(|reading| reading.map(|reading| Score::of(&photo, &reading)))
                    .collect();
                for (column, score) in columns.iter().zip(&measured) {
                    records.put(&set.name, &photo.file, column, *score)?;
                }
                scores.extend(measured);
            }
            let result = Result { set: set.name.clone(), photo, scores };
            seen(&result);
            results.push(result);
        }
    }
    Ok(results)
}
