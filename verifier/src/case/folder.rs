//! The case folder: which file is where, and how it is read and written.

use super::record::{Case, PartResult, PhotoResult};
use crate::files::{ReadError, read_regular, write_atomically};
use crate::sightings::SightingsError;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fmt;
use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Read, Write};
use std::marker::PhantomData;
use std::path::{Path, PathBuf};

/// The largest `case.json`, in bytes.
const MAX_CASE_BYTES: u64 = 64 << 20;
/// The longest line of `results.jsonl` and `parts.jsonl`, in bytes: a part with hundreds of thousands of photos.
const MAX_LINE_BYTES: u64 = 64 << 20;

/// A case folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folder {
    root: PathBuf,
}

/// Why a case folder cannot be read or written.
#[derive(Debug)]
pub struct FolderError {
    /// The file.
    pub path: PathBuf,
    /// What is wrong with it.
    pub kind: FolderErrorKind,
}

/// The kinds of [`FolderError`].
#[derive(Debug)]
#[non_exhaustive]
pub enum FolderErrorKind {
    /// What the file system says.
    Io(io::Error),
    /// It is not there: the folder is no case folder, or its run was not finished.
    Absent,
    /// Not a regular file, or far too large for one of these.
    NotAFile,
    /// A line, counted from 1, that is not what the file holds.
    Line(u64, String),
    /// The case was begun with something else than it is to go on with: with what.
    Begun(String),
    /// The store of sightings cannot be used.
    Sightings(SightingsError),
    /// A case of another type or a newer version.
    Version(String),
}

impl fmt::Display for FolderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use FolderErrorKind as Kind;
        let path = self.path.display();
        match &self.kind {
            Kind::Io(e) => write!(f, "{path}: {e}"),
            Kind::Absent => write!(f, "{path} is not there: no case folder, or its `batch` has not come to its end"),
            Kind::NotAFile => write!(f, "{path} is no file of a case"),
            Kind::Line(line, what) => write!(f, "{path}, line {line}: {what}"),
            Kind::Sightings(e) => write!(f, "cannot use the sightings: {e}"),
            Kind::Begun(what) => {
                write!(f, "{path}: this case was begun {what}: say the same, or name another folder with --out")
            }
            Kind::Version(what) => write!(f, "{path}: {what}"),
        }
    }
}

impl std::error::Error for FolderError {}

/// What is wrong with the file at `path`.
pub(super) fn at(path: &Path) -> impl Fn(FolderErrorKind) -> FolderError {
    move |kind| FolderError { path: path.to_owned(), kind }
}

impl From<io::Error> for FolderErrorKind {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::NotFound { Self::Absent } else { Self::Io(error) }
    }
}

impl Folder {
    /// The folder at `root`, which need not be there yet.
    #[must_use]
    pub fn at(root: &Path) -> Self {
        Self { root: root.to_owned() }
    }

    /// The folder itself.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// `case.json`: [`Case`].
    #[must_use]
    pub fn case_json(&self) -> PathBuf {
        self.root.join("case.json")
    }

    /// `results.jsonl`: a [`PhotoResult`] a line, by the bytes of their paths.
    #[must_use]
    pub fn results_jsonl(&self) -> PathBuf {
        self.root.join("results.jsonl")
    }

    /// `results.csv`: the same for spreadsheets.
    #[must_use]
    pub fn results_csv(&self) -> PathBuf {
        self.root.join("results.csv")
    }

    /// `parts.jsonl`: a [`PartResult`] a line, by their ids.
    #[must_use]
    pub fn parts_jsonl(&self) -> PathBuf {
        self.root.join("parts.jsonl")
    }

    /// `report.html`.
    #[must_use]
    pub fn report_html(&self) -> PathBuf {
        self.root.join("report.html")
    }

    /// `flows.graphml`.
    #[must_use]
    pub fn flows_graphml(&self) -> PathBuf {
        self.root.join("flows.graphml")
    }

    /// `crops/`: pictures of marks.
    #[must_use]
    pub fn crops(&self) -> PathBuf {
        self.root.join("crops")
    }

    /// `.touchmark/`: what the run remembers, and no evidence.
    #[must_use]
    pub fn journal(&self) -> PathBuf {
        self.root.join(".touchmark")
    }

    /// Reads `case.json`.
    ///
    /// # Errors
    /// [`FolderError`].
    pub fn case(&self) -> Result<Case, FolderError> {
        let path = self.case_json();
        let fail = at(&path);
        let bytes = read_regular(&path, MAX_CASE_BYTES).map_err(|e| {
            fail(match e {
                ReadError::Io(e) => e.into(),
                _ => FolderErrorKind::NotAFile,
            })
        })?;
        let case: Case =
            serde_json::from_slice(&bytes).map_err(|e| fail(FolderErrorKind::Line(e.line() as u64, e.to_string())))?;
        if case.kind != Case::TYPE || case.version > Case::VERSION {
            let what = format!(
                "{:?} version {}; this program reads {:?} up to {}",
                case.kind,
                case.version,
                Case::TYPE,
                Case::VERSION
            );
            return Err(fail(FolderErrorKind::Version(what)));
        }
        Ok(case)
    }

    /// Writes `case.json`.
    ///
    /// # Errors
    /// [`FolderError`].
    pub fn write_case(&self, case: &Case) -> Result<(), FolderError> {
        let path = self.case_json();
        let json = serde_json::to_string_pretty(case).map_err(|e| at(&path)(io::Error::from(e).into()))?;
        write_atomically(&path, (json + "\n").as_bytes()).map_err(|e| at(&path)(FolderErrorKind::Io(e)))
    }

    /// The photos, one after the other: a case of a million does not fit into memory.
    ///
    /// # Errors
    /// [`FolderError`], also of each line.
    pub fn results(&self) -> Result<Lines<PhotoResult>, FolderError> {
        Lines::open(&self.results_jsonl())
    }

    /// The parts, one after the other.
    ///
    /// # Errors
    /// [`FolderError`], also of each line.
    pub fn parts(&self) -> Result<Lines<PartResult>, FolderError> {
        Lines::open(&self.parts_jsonl())
    }

    /// Writes `results.jsonl`, whole or not at all.
    ///
    /// # Errors
    /// [`FolderError`], and what `results` gives.
    pub fn write_results<E: From<FolderError>>(
        &self,
        results: impl IntoIterator<Item = Result<PhotoResult, E>>,
    ) -> Result<(), E> {
        write_lines(&self.results_jsonl(), results)
    }

    /// Writes `parts.jsonl`, whole or not at all.
    ///
    /// # Errors
    /// [`FolderError`], and what `parts` gives.
    pub fn write_parts<E: From<FolderError>>(
        &self,
        parts: impl IntoIterator<Item = Result<PartResult, E>>,
    ) -> Result<(), E> {
        write_lines(&self.parts_jsonl(), parts)
    }
}

/// The lines of a JSON Lines file, read as they are asked for; they end with the first that is damaged.
#[derive(Debug)]
pub struct Lines<T> {
    path: PathBuf,
    file: BufReader<File>,
    number: u64,
    failed: bool,
    of: PhantomData<T>,
}

impl<T> Lines<T> {
    /// Opens the file at `path`.
    pub(super) fn open(path: &Path) -> Result<Self, FolderError> {
        let open = || -> io::Result<Option<File>> {
            // Metadata first: to open a pipe would wait for its writer.
            if std::fs::metadata(path)?.is_file() { File::open(path).map(Some) } else { Ok(None) }
        };
        let file = open().map_err(|e| at(path)(e.into()))?.ok_or_else(|| at(path)(FolderErrorKind::NotAFile))?;
        Ok(Self { path: path.to_owned(), file: BufReader::new(file), number: 0, failed: false, of: PhantomData })
    }
}

impl<T: DeserializeOwned> Lines<T> {
    fn next_line(&mut self) -> Result<Option<T>, FolderErrorKind> {
        let mut line = Vec::new();
        loop {
            line.clear();
            self.file.by_ref().take(MAX_LINE_BYTES).read_until(b'\n', &mut line).map_err(FolderErrorKind::Io)?;
            self.number += 1;
            let wrong = |what: String| FolderErrorKind::Line(self.number, what);
            if line.len() as u64 == MAX_LINE_BYTES && line.last() != Some(&b'\n') {
                return Err(wrong(format!("longer than {} MiB", MAX_LINE_BYTES >> 20)));
            }
            if line.is_empty() {
                return Ok(None);
            }
            if !line.trim_ascii().is_empty() {
                return serde_json::from_slice(&line).map(Some).map_err(|e| wrong(e.to_string()));
            }
        }
    }
}

impl<T: DeserializeOwned> Iterator for Lines<T> {
    type Item = Result<T, FolderError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed {
            return None;
        }
        let next = self.next_line().map_err(at(&self.path)).transpose();
        self.failed = matches!(next, Some(Err(_)));
        next
    }
}

/// Writes a line of JSON for each of `items` to `path`, making its folder; a crash, or an error among the items, leaves the old
/// file or the new one.
fn write_lines<T: Serialize, E: From<FolderError>>(
    path: &Path,
    items: impl IntoIterator<Item = Result<T, E>>,
) -> Result<(), E> {
    write_with(path, |out| {
        for item in items {
            let line = serde_json::to_string(&item?).map_err(|e| at(path)(FolderErrorKind::Io(e.into())))?;
            writeln!(out, "{line}").map_err(|e| at(path)(FolderErrorKind::Io(e)))?;
        }
        Ok(())
    })
}

/// Writes what `write` writes to `path`, making its folder, and whole or not at all, however long it is.
pub(crate) fn write_with<E: From<FolderError>>(
    path: &Path,
    write: impl FnOnce(&mut dyn Write) -> Result<(), E>,
) -> Result<(), E> {
    let fail = |e: io::Error| E::from(at(path)(FolderErrorKind::Io(e)));
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder).map_err(fail)?;
    let mut file = BufWriter::new(crate::files::temporary_in(folder).map_err(fail)?);
    write(&mut file)?;
    let file = file.into_inner().map_err(|e| fail(e.into_error()))?;
    file.as_file().sync_all().map_err(fail)?;
    file.persist(path).map(drop).map_err(|e| fail(e.error))
}
