//! How many symbols of known photos each reader reads, and how fast: ours beside its peers, in one run.

pub mod clean;
pub mod page;
pub mod readers;
pub mod truth;

use readers::{Reader, Reading};
use std::path::Path;
use truth::{Photo, Set};

/// What one reader made of one group of photos.
#[derive(Debug, Default, Clone, PartialEq)]
pub struct Score {
    /// Photos in the group.
    pub images: usize,
    /// Photos of which at least one expected symbol was read.
    pub images_read: usize,
    /// Expected symbols.
    pub symbols: usize,
    /// Expected symbols that were read.
    pub symbols_read: usize,
    /// Contents that no symbol of the photo has.
    pub misread: usize,
    /// Milliseconds of each photo, the picture being in memory.
    pub times: Vec<f64>,
}

impl Score {
    /// What `reading` makes of `photo`.
    #[must_use]
    pub fn of(photo: &Photo, reading: &Reading) -> Self {
        let mut left = reading.contents.clone();
        let mut hits = 0;
        for symbol in &photo.symbols {
            let fits = |got: &readers::Content| symbol.content.as_ref().is_none_or(|content| got.same(content));
            if let Some(at) = left.iter().position(fits) {
                left.swap_remove(at);
                hits += 1;
            }
        }
        // The same symbol read twice is no misreading.
        let known = |got: &readers::Content| {
            photo.symbols.iter().any(|s| s.content.as_ref().is_none_or(|content| got.same(content)))
        };
        Self {
            images: 1,
            images_read: usize::from(hits > 0),
            symbols: photo.symbols.len(),
            symbols_read: hits,
            misread: left.iter().filter(|got| !known(got)).count(),
            times: vec![reading.read_ms],
        }
    }

    /// Adds the photos of `other`.
    pub fn add(&mut self, other: &Self) {
        self.images += other.images;
        self.images_read += other.images_read;
        self.symbols += other.symbols;
        self.symbols_read += other.symbols_read;
        self.misread += other.misread;
        self.times.extend(&other.times);
    }

    /// The median time, in milliseconds.
    #[must_use]
    pub fn median_ms(&self) -> f64 {
        let mut times = self.times.clone();
        times.sort_by(f64::total_cmp);
        times.get(times.len() / 2).copied().unwrap_or(0.0)
    }
}

/// One photo and what every reader made of it, in the order of the readers.
#[derive(Debug)]
pub struct Result {
    /// Name of the set.
    pub set: String,
    /// The photo.
    pub photo: Photo,
    /// A score for each reader.
    pub scores: Vec<Score>,
}

/// Shows every photo of `sets` to every reader, one photo after the other, so that a slow minute of the machine strikes
/// all readers alike; with `pointed` ours are told where symbols are. `seen` is told of each.
pub fn run(
    folder: &Path,
    sets: Vec<Set>,
    readers: &mut [Reader],
    pointed: bool,
    mut seen: impl FnMut(&Result),
) -> Vec<Result> {
    let mut results = Vec::new();
    for set in sets {
        for photo in set.photos {
            let path = folder.join(&set.name).join(&photo.file);
            let corners = if pointed { photo.corners } else { None };
            let scores = readers.iter_mut().map(|reader| Score::of(&photo, &reader.read(&path, corners))).collect();
            let result = Result { set: set.name.clone(), photo, scores };
            seen(&result);
            results.push(result);
        }
    }
    results
}
