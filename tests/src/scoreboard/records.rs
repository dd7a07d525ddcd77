//! Measurements on disk, one a line, so that a run that was stopped goes on where it was.

use super::Score;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

#[derive(Debug, Serialize, Deserialize)]
struct Record {
    set: String,
    file: String,
    reader: String,
    score: Option<Score>,
}

/// What was measured.
#[derive(Debug, Default)]
pub struct Records {
    known: HashMap<(String, String, String), Option<Score>>,
    file: Option<File>,
}

impl Records {
    /// The measurements in the file at `path`, where more will be added; none but the new ones unless `resume`.
    ///
    /// # Errors
    /// The file cannot be read or written.
    pub fn open(path: &Path, resume: bool) -> io::Result<Self> {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        let written = if resume { std::fs::read_to_string(path).or_else(absent)? } else { String::new() };
        // A line that was being written when the run ended is measured anew.
        let records = written.lines().filter_map(|line| serde_json::from_str::<Record>(line).ok());
        let known = records.map(|r| ((r.set, r.file, r.reader), r.score)).collect();
        let mut options = OpenOptions::new();
        let mut file = options.create(true).write(true).append(resume).truncate(!resume).open(path)?;
        if !written.is_empty() && !written.ends_with('\n') {
            writeln!(file)?;
        }
        Ok(Self { known, file: Some(file) })
    }

    /// What a reader made of a photo, if it was measured.
    #[must_use]
    pub fn get(&self, set: &str, file: &str, reader: &str) -> Option<Option<Score>> {
        self.known.get(&(set.to_owned(), file.to_owned(), reader.to_owned())).copied()
    }

    /// Keeps what a reader made of a photo.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn put(&mut self, set: &str, file: &str, reader: &str, score: Option<Score>) -> io::Result<()> {
        let Some(out) = &mut self.file else { return Ok(()) };
        let record = Record { set: set.to_owned(), file: file.to_owned(), reader: reader.to_owned(), score };
        let line = serde_json::to_string(&record)?;
        writeln!(out, "{line}")
    }
}

fn absent(e: io::Error) -> io::Result<String> {
    if e.kind() == io::ErrorKind::NotFound { Ok(String::new()) } else { Err(e) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_that_was_stopped_goes_on() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("runs/records.jsonl");
        let score = Score { read: 1, misread: 0, ms: 2.5 };
        let mut records = Records::open(&path, true).unwrap();
        records.put("set", "a.jpg", "touchmark", Some(score)).unwrap();
        records.put("set", "a.jpg", "libdmtx", None).unwrap();
        drop(records);
        std::fs::write(&path, std::fs::read_to_string(&path).unwrap() + "{\"set\":\"se").unwrap();
        let mut records = Records::open(&path, true).unwrap();
        assert_eq!(records.get("set", "a.jpg", "touchmark"), Some(Some(score)));
        assert_eq!(records.get("set", "a.jpg", "libdmtx"), Some(None));
        assert_eq!(records.get("set", "b.jpg", "touchmark"), None);
        records.put("set", "b.jpg", "touchmark", Some(score)).unwrap();
        assert!(Records::open(&path, true).unwrap().get("set", "b.jpg", "touchmark").is_some());
        assert!(Records::open(&path, false).unwrap().get("set", "a.jpg", "touchmark").is_none());
    }
}
