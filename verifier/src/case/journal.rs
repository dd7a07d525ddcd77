//! What a run has done, kept beside the case so that it can be stopped at any moment and go on: one line a photo, only ever
//! added to.
//!
//! A line is eight hexadecimal digits of the SHA-256 of the rest, a space, and JSON. One that was cut by a crash, or that a
//! power cut never let reach the disk, is passed over, and its photo is examined once more.

use super::folder::{Folder, FolderError, FolderErrorKind};
use super::record::PhotoResult;
use crate::hex::hex;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::fs::{File, TryLockError};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Photos of which the lines are written to the disk together, and how long a line waits for that at most.
const TOGETHER: u64 = 64;
const PATIENCE: Duration = Duration::from_secs(1);

/// A photo that was examined.
#[derive(Debug, Serialize, Deserialize)]
pub struct Entry {
    /// Which file it was: see [`super::gather::Found::stamp`].
    pub stamp: String,
    /// What it shows; the parts in it are not known yet.
    pub result: PhotoResult,
    /// SHA-256 of each of its crops, hexadecimal, in the order of the marks that have one.
    pub crops: Vec<String>,
}

impl Entry {
    /// The bytes of its path.
    #[must_use]
    pub fn path(&self) -> Vec<u8> {
        self.result.photo.path_bytes()
    }
}

/// The journal of a case. Whoever has it is the only one to work on the case.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    file: File,
    /// Its length in bytes.
    end: u64,
    unsynced: u64,
    since: Instant,
    /// The newest line of each photo.
    index: HashMap<Vec<u8>, Place>,
    _lock: File,
}

/// Where a line is, and of which file it speaks.
#[derive(Debug, Clone)]
struct Place {
    start: u64,
    length: u64,
    stamp: String,
}

fn failed(path: &Path) -> impl Fn(io::Error) -> FolderError {
    move |e| FolderError { path: path.to_owned(), kind: FolderErrorKind::Io(e) }
}

impl Journal {
    /// Opens the journal of a case, or begins it.
    ///
    /// # Errors
    /// Another process works on the case, or the file system fails.
    pub fn open(folder: &Folder) -> Result<Self, FolderError> {
        let home = folder.journal();
        std::fs::create_dir_all(&home).map_err(failed(&home))?;
        let lock = lock(&home.join("lock"))?;
        let path = home.join("journal.jsonl");
        let open = || File::options().read(true).append(true).create(true).open(&path);
        let mut file = open().map_err(failed(&path))?;
        // The file itself must be found again after a power cut. Not every system can sync a folder.
        let _ = File::open(&home).and_then(|home| home.sync_all());
        let (index, end) = read(&file, folder).map_err(failed(&path))?;
        // Whatever was cut ends here.
        file.write_all(b"\n").map_err(failed(&path))?;
        Ok(Self { path, file, end: end + 1, unsynced: 0, since: Instant::now(), index, _lock: lock })
    }

    /// How many photos are in it.
    #[must_use]
    pub fn len(&self) -> usize {
        self.index.len()
    }

    /// Whether none is.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.index.is_empty()
    }

    /// The stamp of every photo in it, by its path.
    #[must_use]
    pub fn stamps(&self) -> HashMap<Vec<u8>, String> {
        self.index.iter().map(|(path, place)| (path.clone(), place.stamp.clone())).collect()
    }

    /// Adds a photo. It is durable when [`Journal::settle`] says so.
    ///
    /// # Errors
    /// The file system fails.
    pub fn add(&mut self, entry: &Entry) -> Result<(), FolderError> {
        let fail = failed(&self.path);
        let json = serde_json::to_string(entry).map_err(|e| fail(e.into()))?;
        let line = format!("{} {json}\n", checksum(json.as_bytes()));
        self.file.write_all(line.as_bytes()).map_err(fail)?;
        let place = Place { start: self.end, length: line.len() as u64 - 1, stamp: entry.stamp.clone() };
        self.end += line.len() as u64;
        self.index.insert(entry.path(), place);
        if self.unsynced == 0 {
            self.since = Instant::now();
        }
        self.unsynced += 1;
        Ok(())
    }

    /// Makes what was added durable, if it is time for that or `now` says so; gives how many photos are so for the first time.
    ///
    /// # Errors
    /// The file system fails.
    pub fn settle(&mut self, now: bool) -> Result<u64, FolderError> {
        let due = now || self.unsynced >= TOGETHER || self.since.elapsed() >= PATIENCE;
        if self.unsynced == 0 || !due {
            return Ok(0);
        }
        self.file.sync_data().map_err(failed(&self.path))?;
        Ok(std::mem::take(&mut self.unsynced))
    }

    /// Every photo by the bytes of its path, read one after the other.
    ///
    /// # Errors
    /// The file system fails, also at each of them.
    pub fn sorted(&self) -> Result<impl Iterator<Item = Result<Entry, FolderError>>, FolderError> {
        let mut file = File::open(&self.path).map_err(failed(&self.path))?;
        let mut places: Vec<(&Vec<u8>, &Place)> = self.index.iter().collect();
        places.sort_unstable_by_key(|(path, _)| *path);
        Ok(places.into_iter().map(move |(_, place)| {
            let mut line = vec![0; place.length as usize];
            file.seek(SeekFrom::Start(place.start)).map_err(failed(&self.path))?;
            file.read_exact(&mut line).map_err(failed(&self.path))?;
            let json = checked(&line).ok_or_else(|| io::Error::other("it was changed while it was in use"));
            let entry = json.and_then(|json| serde_json::from_slice(json).map_err(io::Error::from));
            entry.map_err(failed(&self.path))
        }))
    }
}

/// Two runs that write one case must not meet. Given back when dropped, also by the death of the process.
fn lock(path: &Path) -> Result<File, FolderError> {
    let file = File::options().create(true).truncate(false).write(true).open(path).map_err(failed(path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            let busy = io::Error::other("another run works on this case: wait for its end, or name another folder");
            Err(failed(path)(busy))
        }
        Err(TryLockError::Error(e)) => Err(failed(path)(e)),
    }
}

/// The newest whole line of each photo whose crops are there, and the length of the file.
fn read(file: &File, folder: &Folder) -> io::Result<(HashMap<Vec<u8>, Place>, u64)> {
    let mut reader = BufReader::new(file);
    let (mut index, mut start, mut line) = (HashMap::new(), 0, Vec::new());
    loop {
        line.clear();
        let length = reader.read_until(b'\n', &mut line)? as u64;
        if length == 0 {
            return Ok((index, start));
        }
        let entry = line.strip_suffix(b"\n").and_then(checked).and_then(|json| serde_json::from_slice(json).ok());
        if let Some(entry) = entry.filter(|entry| has_crops(entry, folder)) {
            let place = Place { start, length: length - 1, stamp: entry.stamp.clone() };
            index.insert(entry.path(), place);
        }
        start += length;
    }
}

/// Whether the crops of a photo reached the disk, which nobody waited for.
fn has_crops(entry: &Entry, folder: &Folder) -> bool {
    let names = entry.result.marks.iter().filter_map(|mark| mark.crop.as_ref());
    names.zip(&entry.crops).all(|(name, hash)| {
        std::fs::read(folder.root().join(name)).is_ok_and(|bytes| hex(&Sha256::digest(bytes)) == *hash)
    })
}

fn checksum(json: &[u8]) -> String {
    hex(Sha256::digest(json).get(..4).unwrap_or_default())
}

/// The JSON of a line, if all of it is there.
fn checked(line: &[u8]) -> Option<&[u8]> {
    let (sum, json) = line.split_at_checked(8)?;
    let json = json.strip_prefix(b" ")?;
    (sum == checksum(json).as_bytes()).then_some(json)
}

#[cfg(test)]
mod tests;
