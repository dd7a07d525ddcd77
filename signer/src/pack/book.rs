//! What is in what: an append-only file of JSON Lines, on disk before a label leaves the program.

use super::Contents;
use crate::error::{Error, Result};
use crate::files;
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
    /// When it was opened and why; `None` while it is whole.
    #[serde(skip)]
    pub opened: Option<Opened>,
}

/// That a container was opened, so that its label counts no more, and what was in it may be packed anew.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Opened {
    /// Its mark in text form.
    #[serde(rename = "opened")]
    pub mark: String,
    /// The serials that left it, where the rest was packed again at once.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub taken: Vec<SerialRange>,
    /// Why.
    pub reason: Label,
    /// When, UTC.
    pub at: Timestamp,
}

/// How a record that a container was opened begins, and no other does.
const OPENED: &[u8] = br#"{"opened":"#;

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
            opened: None,
        }
    }

    /// What it is and when it was packed, for people.
    #[must_use]
    pub fn described(&self) -> String {
        let what = self.sscc.as_ref().map_or_else(String::new, |code| format!(" with SSCC {code}"));
        format!("{} packed on {}{what}", self.level, self.date)
    }

    /// Refuses a container that was opened, for its label counts no more.
    ///
    /// # Errors
    /// It was opened.
    pub fn require_whole(&self) -> Result<&Self> {
        match &self.opened {
            None => Ok(self),
            Some(opened) => {
                Err(Error::refused(format!("the {} was opened at {}: {}", self.described(), opened.at, opened.reason))
                    .hint("its label counts no more; what is in it is packed anew"))
            }
        }
    }

    /// Whether a consignee is sealed into its mark.
    ///
    /// # Errors
    /// As [`Packed::signed`].
    pub fn is_sealed(&self) -> Result<bool> {
        Ok(self.signed()?.container.capsule.is_some())
    }

    /// Its mark.
    ///
    /// # Errors
    /// The record holds none.
    pub fn signed(&self) -> Result<SignedContainer> {
        let broken =
            |e: &dyn std::fmt::Display| Error::unusable(format!("the {}: its mark is none: {e}", self.described()));
        let bytes = base45::decode(&self.mark).map_err(|e| broken(&e))?;
        SignedContainer::from_bytes(&bytes).map_err(|e| broken(&e))
    }
}

/// Every container that is or was packed by what `text` says, which `path` names in messages, and the bytes of whole records in it.
fn parse(text: &[u8], path: &Path) -> Result<(Vec<Packed>, usize)> {
    let end = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    let lines = text.get(..end).unwrap_or_default().split_inclusive(|byte| *byte == b'\n');
    let mut packed: Vec<Packed> = Vec::new();
    for (n, line) in lines.enumerate() {
        let wrong = |what: &dyn std::fmt::Display| {
            Error::file(path, format_args!("line {} is no record of a container: {what}", n + 1))
                .hint("nothing is packed until the file is whole: restore it from a copy")
        };
        if !line.starts_with(OPENED) {
            packed.push(serde_json::from_slice(line).map_err(|e| wrong(&e))?);
            continue;
        }
        let opened: Opened = serde_json::from_slice(line).map_err(|e| wrong(&e))?;
        let whole = packed.iter_mut().rev().find(|packed| packed.opened.is_none() && packed.mark == opened.mark);
        whole.ok_or_else(|| wrong(&"it opens one that is not packed"))?.opened = Some(opened);
    }
    Ok((packed, end))
}

/// Every container that is or was packed by the book at `path`, without waiting for whoever has it; none if it is not there.
///
/// # Errors
/// It cannot be read, or holds something that is no record.
pub fn read(path: &Path) -> Result<Vec<Packed>> {
    if !path.exists() {
        return Ok(Vec::new());
    }
    Ok(parse(&files::read(path)?, path)?.0)
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
        let (packed, end) = parse(&text, path)?;
        Ok(Self { path: path.to_owned(), file, packed, end: end as u64 })
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The containers on record, oldest first, opened ones too.
    #[must_use]
    pub fn packed(&self) -> &[Packed] {
        &self.packed
    }

    /// The container whose mark has this text form; of several the last, which alone can be whole.
    #[must_use]
    pub fn find(&self, mark: &str) -> Option<&Packed> {
        self.packed.iter().rev().find(|packed| packed.mark == mark)
    }

    /// The container of `key`, of the kind called `level`, that is whole and has some of `serials` in it.
    #[must_use]
    pub fn holder(&self, level: &str, key: &KeyBytes, serials: &[SerialRange]) -> Option<(&Packed, u64)> {
        let whole = self.packed.iter().filter(|packed| packed.opened.is_none());
        let mut found = whole.filter(|packed| packed.level == level && packed.key == *key);
        found.find_map(|packed| Some((packed, first_common(&packed.serials, serials)?)))
    }

    /// The container on record with the very same contents; `None` if they are in no container of that kind yet.
    ///
    /// # Errors
    /// Some of them are in another one.
    pub fn same(&self, contents: &Contents, key: &KeyBytes) -> Result<Option<&Packed>> {
        let level = contents.container.level.name();
        let Some((packed, serial)) = self.holder(level, key, &contents.serials) else { return Ok(None) };
        let (old, new) = (packed.signed()?.container, &contents.container);
        // The delegation may name its parts in another order by now, and then no capsule is as it was.
        let consignee = old.capsule.is_some() == new.capsule.is_some()
            && (old.capsule == new.capsule || old.head_bytes() != new.head_bytes());
        if packed.serials == contents.serials && (old.date, old.sscc) == (new.date, new.sscc) && consignee {
            return Ok(Some(packed));
        }
        let sscc = packed.sscc.as_ref().map_or_else(String::new, |code| format!(" with SSCC {code}"));
        Err(Error::refused(format!("serial {serial} is in another {level} already{sscc}, packed on {}", packed.date))
            .hint(format!(
                "{} says what is in it; a part is in one {level} only, until that is opened (`touchmark-sign unpack`)",
                self.path.display()
            )))
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
        self.append(&[to_line(&packed)?])?;
        self.packed.push(packed.clone());
        Ok(packed)
    }

    /// Puts on record that a container, which is whole, was opened, and packs `rest` of it anew; both or, if that fails,
    /// neither. Should the power go between the two, the rest is loose, and its label had not left.
    ///
    /// # Errors
    /// No such container is whole; or it could not be written.
    pub fn open(&mut self, opened: Opened, rest: Option<Packed>) -> Result<()> {
        let whole = self.packed.iter().rposition(|packed| packed.opened.is_none() && packed.mark == opened.mark);
        let whole = whole.ok_or_else(|| Error::file(&self.path, "no such container is packed"))?;
        let mut lines = vec![to_line(&opened)?];
        lines.extend(rest.as_ref().map(to_line).transpose()?);
        self.append(&lines)?;
        self.packed.get_mut(whole).into_iter().for_each(|packed| packed.opened = Some(opened.clone()));
        self.packed.extend(rest);
        Ok(())
    }

    fn append(&mut self, lines: &[Vec<u8>]) -> Result<()> {
        let text = lines.concat();
        if let Err(e) = self.write(&text) {
            // Should this fail too, what is left has no line feed, and the next run writes over it.
            let _ = self.file.set_len(self.end).and_then(|()| self.file.sync_all());
            return Err(Error::io("write", &self.path, &e).hint("nothing was packed"));
        }
        self.end += text.len() as u64;
        Ok(())
    }

    fn write(&mut self, line: &[u8]) -> std::io::Result<()> {
        self.file.set_len(self.end)?;
        self.file.seek(SeekFrom::Start(self.end))?;
        self.file.write_all(line)?;
        self.file.sync_all()
    }
}

fn to_line(record: &impl Serialize) -> Result<Vec<u8>> {
    let mut line = serde_json::to_vec(record).map_err(|e| Error::unusable(format!("a record of a container: {e}")))?;
    line.push(b'\n');
    Ok(line)
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
