//! What is in what: an append-only file of JSON Lines, on disk before a label leaves the program.

use super::Contents;
use crate::error::{Error, Result};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use touchmark_formats::base45;
use touchmark_formats::container::SignedContainer;
use touchmark_formats::date::Date;
use touchmark_formats::delegation::SerialRange;
use touchmark_formats::key::KeyBytes;
use touchmark_formats::text::Label;

/// A container on record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Packed {
    /// `reel`, `box` or `pallet`.
    pub level: String,
    /// The line key that signed its mark.
    pub key: KeyBytes,
    /// The serials of the parts in it, rising.
    pub serials: Vec<SerialRange>,
    /// The part.
    pub part: Label,
    /// The lot, where it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lot: Option<Label>,
    /// The day of packing.
    pub date: Date,
    /// The number of the container in logistics.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sscc: Option<String>,
    /// Its mark in text form.
    pub mark: String,
    /// When it was packed, UTC.
    pub at: Timestamp,
}

impl Packed {
    /// The record of `contents` under the label `signed`.
    #[must_use]
    pub fn new(contents: &Contents, signed: &SignedContainer, key: KeyBytes, at: Timestamp) -> Self {
        let container = &signed.container;
        Self {
            level: container.level.name().to_owned(),
            key,
            serials: contents.serials.clone(),
            part: contents.part.clone(),
            lot: contents.lot.clone(),
            date: container.date,
            sscc: container.sscc.map(|code| code.to_string()),
            mark: base45::encode(&signed.to_bytes()),
            at,
        }
    }
}

/// The containers of a home, locked for this process.
#[derive(Debug)]
pub struct Book {
    path: PathBuf,
    file: File,
    packed: Vec<Packed>,
    /// Bytes of whole records; what follows was being written when the power went, and no label of it had left.
    end: u64,
}

impl Book {
    /// Opens the book at `path` and waits until no other process has it. It is made if it is not there.
    ///
    /// # Errors
    /// It cannot be opened, or holds something that is no record.
    pub fn lock(path: &Path) -> Result<Self> {
        let failed = |e: std::io::Error| Error::io("open", path, &e);
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(path).map_err(failed)?;
        file.lock().map_err(failed)?;
        let mut text = Vec::new();
        file.read_to_end(&mut text).map_err(failed)?;
        let end = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let lines = text.get(..end).unwrap_or_default().split_inclusive(|byte| *byte == b'\n');
        let read = |(n, line): (usize, &[u8])| {
            serde_json::from_slice(line).map_err(|e| {
                Error::file(path, format_args!("line {} is no record of a container: {e}", n + 1))
                    .hint("nothing is packed until the file is whole: restore it from a copy")
            })
        };
        let packed = lines.enumerate().map(read).collect::<Result<_>>()?;
        Ok(Self { path: path.to_owned(), file, packed, end: end as u64 })
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The containers on record, oldest first.
    #[must_use]
    pub fn packed(&self) -> &[Packed] {
        &self.packed
    }

    /// The container whose mark has this text form.
    #[must_use]
    pub fn find(&self, mark: &str) -> Option<&Packed> {
        self.packed.iter().find(|packed| packed.mark == mark)
    }

    /// The container on record with the very same contents; `None` if they are in no container of that kind yet.
    ///
    /// # Errors
    /// Some of them are in another one.
    pub fn same(&self, contents: &Contents, key: &KeyBytes) -> Result<Option<&Packed>> {
        let level = contents.container.level.name();
        for packed in self.packed.iter().filter(|packed| packed.level == level && packed.key == *key) {
            let Some(serial) = first_common(&packed.serials, &contents.serials) else { continue };
            let (date, sscc) = (contents.container.date, contents.container.sscc.map(|code| code.to_string()));
            if packed.serials == contents.serials && (packed.date, &packed.sscc) == (date, &sscc) {
                return Ok(Some(packed));
            }
            let what = packed.sscc.as_ref().map_or_else(String::new, |code| format!(" with SSCC {code}"));
            return Err(Error::refused(format!(
                "serial {serial} is in another {level} already{what}, packed on {}",
                packed.date
            ))
            .hint(format!("{} says what is in it; a part is in one {level} only", self.path.display())));
        }
        Ok(None)
    }

    /// Puts a container on record, and returns once it is on disk. If that fails, the book is as before.
    ///
    /// # Errors
    /// It could not be written.
    pub fn add(
        &mut self,
        contents: &Contents,
        signed: &SignedContainer,
        key: KeyBytes,
        at: Timestamp,
    ) -> Result<Packed> {
        let packed = Packed::new(contents, signed, key, at);
        let mut line = serde_json::to_vec(&packed).map_err(|e| Error::file(&self.path, e))?;
        line.push(b'\n');
        if let Err(e) = self.write(&line) {
            // Should this fail too, what is left has no line feed, and the next run writes over it.
            let _ = self.file.set_len(self.end).and_then(|()| self.file.sync_all());
            return Err(Error::io("write", &self.path, &e).hint("nothing was packed"));
        }
        self.end += line.len() as u64;
        self.packed.push(packed.clone());
        Ok(packed)
    }

    fn write(&mut self, line: &[u8]) -> std::io::Result<()> {
        self.file.set_len(self.end)?;
        self.file.seek(SeekFrom::Start(self.end))?;
        self.file.write_all(line)?;
        self.file.sync_all()
    }
}

/// The first serial that is in both, each of which rises.
fn first_common(a: &[SerialRange], b: &[SerialRange]) -> Option<u64> {
    let (mut a, mut b) = (a.iter().peekable(), b.iter().peekable());
    while let (Some(x), Some(y)) = (a.peek(), b.peek()) {
        let first = x.first.max(y.first);
        if first <= x.last.min(y.last) {
            return Some(first.get());
        }
        let _ = if x.last < y.last { a.next() } else { b.next() };
    }
    None
}
