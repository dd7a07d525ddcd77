//! Which serials were issued, for what: an append-only file of JSON Lines, one record for each run of serials with the
//! same content, on disk before the first of their marks leaves the program.
//!
//! A torn line at the end of the file was being written when the power went, and no mark of it had left the program: it
//! counts if it can still be read as a record, and is taken away if not. Anything else that is no record stops all
//! issuing, for it could hide serials.

use crate::error::{Error, Result};
use base64::{Engine, engine::general_purpose::STANDARD};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use touchmark_formats::date::Date;
use touchmark_formats::key::KeyBytes;
use touchmark_formats::mark::{Mark, SIGNATURE_BYTES, Serial, SignedMark};
use touchmark_formats::text::Label;

/// The longest line, in bytes: a record takes a quarter of it.
const MAX_LINE: u64 = 4096;

/// Serials issued together: the same mark but for its serial, and for the capsule that follows from it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// The first serial.
    pub first: u64,
    /// The last serial.
    pub last: u64,
    /// The line key under which they are unique.
    pub key: KeyBytes,
    /// The part.
    pub part: Label,
    /// The lot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lot: Option<Label>,
    /// The day of production.
    pub date: Date,
    /// The unsigned bytes of the first serial's mark, base64. The consignee stands in them sealed, and nowhere in clear.
    pub mark: String,
    /// When, UTC.
    pub at: Timestamp,
}

impl Record {
    /// The first serial's mark.
    #[must_use]
    pub fn first_mark(&self) -> Option<Mark> {
        let mut bytes = STANDARD.decode(&self.mark).ok()?;
        bytes.extend([0; SIGNATURE_BYTES]);
        SignedMark::from_bytes(&bytes).ok().map(|signed| signed.mark)
    }

    /// `mark` as [`Record::mark`] has it.
    #[must_use]
    pub fn written(mark: &Mark) -> String {
        STANDARD.encode(mark.unsigned_bytes())
    }

    fn is_sound(&self) -> bool {
        self.first <= self.last
            && self.last <= Serial::MAX
            && self.first_mark().is_some_and(|mark| mark.serial.get() == self.first && mark.key_id == self.key.id())
    }
}

/// The journal, locked for this process.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    file: File,
    content: Content,
}

/// What was found in the file.
#[derive(Debug, Default)]
struct Content {
    records: Vec<Record>,
    /// Bytes up to the last line feed.
    end: u64,
    /// What follows it: the last record without its line feed, or the beginning of one.
    torn: Vec<u8>,
    /// Whether the torn line is a record.
    torn_counts: bool,
}

impl Journal {
    /// Opens the journal at `path` and waits until no other process has it. It is made if it is not there.
    ///
    /// # Errors
    /// It cannot be opened, or holds something that is no record.
    pub fn lock(path: &Path) -> Result<Self> {
        let failed = |e: std::io::Error| Error::io("open", path, &e);
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(path).map_err(failed)?;
        file.lock().map_err(failed)?;
        let content = read(&file, path)?;
        Ok(Self { path: path.to_owned(), file, content })
    }

    /// Every record in the journal at `path`, oldest first; none where there is no journal.
    ///
    /// # Errors
    /// It cannot be read, or holds something that is no record.
    pub fn read(path: &Path) -> Result<Vec<Record>> {
        match File::open(path) {
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
            Err(e) => Err(Error::io("read", path, &e)),
            Ok(file) => {
                file.lock_shared().map_err(|e| Error::io("read", path, &e))?;
                read(&file, path).map(|content| content.records)
            }
        }
    }

    /// What is on record, oldest first.
    #[must_use]
    pub fn records(&self) -> &[Record] {
        &self.content.records
    }

    /// Whether the file ends in the beginning of a record that was never finished; [`Journal::append`] takes it away.
    #[must_use]
    pub fn is_torn(&self) -> bool {
        !self.content.torn.is_empty() && !self.content.torn_counts
    }

    /// Appends `records` and returns once they are on disk. If that fails, the journal is as before.
    ///
    /// # Errors
    /// They could not be written.
    pub fn append(&mut self, records: Vec<Record>) -> Result<()> {
        let content = &mut self.content;
        let mut lines = if content.torn_counts { content.torn.clone() } else { Vec::new() };
        lines.extend(content.torn_counts.then_some(b'\n'));
        for record in &records {
            serde_json::to_writer(&mut lines, record).map_err(|e| Error::file(&self.path, e))?;
            lines.push(b'\n');
        }
        if let Err(e) = self.write(&lines) {
            // Should this fail too, what is left is a torn record, and the next run takes it away.
            let before = self.content.end + if self.content.torn_counts { self.content.torn.len() as u64 } else { 0 };
            let _ = self.file.set_len(before).and_then(|()| self.file.sync_all());
            return Err(Error::io("write", &self.path, &e).hint("no serial was used"));
        }
        let content = &mut self.content;
        content.end += lines.len() as u64;
        (content.torn, content.torn_counts) = (Vec::new(), false);
        content.records.extend(records);
        Ok(())
    }

    fn write(&mut self, lines: &[u8]) -> std::io::Result<()> {
        if self.is_torn() {
            self.file.set_len(self.content.end)?;
        }
        self.file.seek(SeekFrom::Start(self.content.end))?;
        self.file.write_all(lines)?;
        self.file.sync_all()
    }
}

fn read(file: &File, path: &Path) -> Result<Content> {
    let mut reader = BufReader::new(file);
    let (mut content, mut line) = (Content::default(), Vec::new());
    loop {
        line.clear();
        let failed = |e: std::io::Error| Error::io("read", path, &e);
        let length = reader.by_ref().take(MAX_LINE).read_until(b'\n', &mut line).map_err(failed)? as u64;
        if length == 0 {
            return Ok(content);
        }
        let record = serde_json::from_slice::<Record>(&line).ok().filter(Record::is_sound);
        if line.last() != Some(&b'\n') && length < MAX_LINE {
            content.torn_counts = record.is_some();
            content.records.extend(record);
            content.torn = line;
            return Ok(content);
        }
        content.records.push(record.ok_or_else(|| broken(path, content.records.len() + 1))?);
        content.end += length;
    }
}

fn broken(path: &Path, line: usize) -> Error {
    Error::file(path, format_args!("line {line} is not a record of issued serials")).hint(
        "nothing is signed until the journal is whole, for a lost record would let a serial be issued twice: restore it \
         from a copy",
    )
}
