//! Every photo below the folders and in the archives that were named, one after the other.
//!
//! Folders are walked by the bytes of their names. Not followed: links to folders, which may lead in circles, and whatever
//! else would be no photo of this case: hidden files and folders (names that begin with a dot), and case folders. A file
//! counts as a photo by its name or, where that says nothing, by its first bytes; one that has the name of a photo or of an
//! archive and is none that can be read becomes a line with what is wrong with it, so that nothing is passed over unseen.

use super::archive::{self, Entry, Kind};
use crate::photo::heic::{self, FIRST_BYTES};
use crate::photo::{Limits, has_raw_name};
use crate::pipeline::{Budget, Loan, Put};
use std::collections::HashMap;
use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::UNIX_EPOCH;

/// A photo to be examined.
#[derive(Debug)]
pub struct Found<'b> {
    /// What the case calls it: see [`super::record::PhotoFacts::path`].
    pub path: Vec<u8>,
    /// Size and time of the file that it is or is in: when these change, so may the photo.
    pub stamp: String,
    /// Where its bytes are.
    pub content: Content<'b>,
}

/// Where the bytes of a photo are.
#[derive(Debug)]
pub enum Content<'b> {
    /// In this file.
    File(PathBuf),
    /// Here, out of an archive, and so much of the budget is lent to them.
    Bytes(Vec<u8>, Loan<'b>),
    /// They cannot be had: why.
    Missing(String),
}

/// What was passed over.
#[derive(Debug, Default)]
pub struct Passed {
    /// Hidden files and folders.
    pub hidden: AtomicU64,
    /// Links to folders.
    pub links: AtomicU64,
    /// Files that are no pictures.
    pub others: AtomicU64,
    /// Case folders.
    pub cases: AtomicU64,
}

fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

/// What a walk comes by.
pub(super) enum Walked {
    File(PathBuf),
    /// What cannot be looked at, and why.
    Wrong(PathBuf, String),
}

/// How to gather.
pub struct Gather<'a> {
    /// The folder of this very case.
    pub case: &'a Path,
    /// Whether a photo of this path and stamp is to be examined: not if it was before, nor if it was asked for already.
    pub wanted: &'a (dyn Fn(&[u8], &str) -> bool + Sync),
    /// Bytes that may be held of photos out of archives.
    pub held: &'a Budget,
    /// What a photo may cost.
    pub limits: Limits,
    /// What was passed over.
    pub passed: &'a Passed,
}

impl<'a> Gather<'a> {
    /// Puts every photo in and below `inputs`.
    pub fn all(&self, inputs: &[PathBuf], put: Put<'_, Found<'a>>) {
        for input in inputs {
            if self.input(input, put).is_break() {
                break;
            }
        }
    }

    /// One that was named is taken even if it is hidden, or a link.
    fn input(&self, input: &Path, put: Put<'_, Found<'a>>) -> ControlFlow<()> {
        match std::fs::metadata(input) {
            Ok(metadata) if metadata.is_dir() => self.walk(input, &mut |walked| match walked {
                Walked::File(path) => self.file_by_name(&path, put),
                Walked::Wrong(path, why) => self.missing(&path, why, put),
            }),
            Ok(metadata) if metadata.is_file() => match kind_by_name(input.as_os_str()) {
                ByName::Archive(kind) => self.archive(input, kind, put),
                _ => self.file(input, put),
            },
            Ok(_) => self.missing(input, "it is not a file".into(), put),
            Err(e) => self.missing(input, e.to_string(), put),
        }
    }

    /// Shows every file below the folder `root` to `visit`.
    pub(super) fn walk(&self, root: &Path, visit: &mut dyn FnMut(Walked) -> ControlFlow<()>) -> ControlFlow<()> {
        // The next is the last: folders nest deeper than calls may.
        let mut waiting = vec![root.to_owned()];
        while let Some(path) = waiting.pop() {
            let kind = if path == root { std::fs::metadata(&path) } else { std::fs::symlink_metadata(&path) };
            match kind {
                Ok(kind) if kind.is_dir() => match self.children(&path) {
                    Ok(children) => waiting.extend(children),
                    Err(e) => visit(Walked::Wrong(path, e.to_string()))?,
                },
                Ok(kind) if kind.is_symlink() && path.is_dir() => count(&self.passed.links),
                Ok(_) if !path.is_file() => count(&self.passed.others),
                Ok(_) => visit(Walked::File(path))?,
                Err(e) => visit(Walked::Wrong(path, e.to_string()))?,
            }
        }
        ControlFlow::Continue(())
    }

    /// What is in a folder, the last name first; nothing, of a case folder.
    fn children(&self, folder: &Path) -> io::Result<Vec<PathBuf>> {
        if is_case(folder) || same(folder, self.case) {
            count(&self.passed.cases);
            return Ok(Vec::new());
        }
        let mut names = Vec::new();
        for entry in std::fs::read_dir(folder)? {
            let name = entry?.file_name();
            match is_hidden(name.as_encoded_bytes()) {
                true => count(&self.passed.hidden),
                false => names.push(name),
            }
        }
        names.sort_by(|a, b| b.as_encoded_bytes().cmp(a.as_encoded_bytes()));
        Ok(names.iter().map(|name| folder.join(name)).collect())
    }

    /// Puts the photo that the file is, or those in the archive that it is; nothing, if it is neither.
    pub(super) fn file_by_name(&self, path: &Path, put: Put<'_, Found<'a>>) -> ControlFlow<()> {
        match kind_by_name(path.as_os_str()) {
            ByName::Photo => self.file(path, put),
            ByName::Archive(kind) => self.archive(path, kind, put),
            ByName::OtherArchive => self.missing(path, UNREAD_ARCHIVE.into(), put),
            ByName::Nothing => match first_bytes(path) {
                Ok(bytes) if is_picture(&bytes) => self.file(path, put),
                Ok(_) => {
                    count(&self.passed.others);
                    ControlFlow::Continue(())
                }
                Err(e) => self.missing(path, e.to_string(), put),
            },
        }
    }

    fn file(&self, path: &Path, put: Put<'_, Found<'a>>) -> ControlFlow<()> {
        self.put(path_bytes(path), &stamp(path), put, || Content::File(path.to_owned()))
    }

    fn missing(&self, path: &Path, why: String, put: Put<'_, Found<'a>>) -> ControlFlow<()> {
        self.put(path_bytes(path), &stamp(path), put, || Content::Missing(why))
    }

    fn put(
        &self,
        path: Vec<u8>,
        stamp: &str,
        put: Put<'_, Found<'a>>,
        content: impl FnOnce() -> Content<'a>,
    ) -> ControlFlow<()> {
        if !(self.wanted)(&path, stamp) {
            return ControlFlow::Continue(());
        }
        put(Found { path, stamp: stamp.to_owned(), content: content() })
    }

    fn archive(&self, path: &Path, kind: Kind, put: Put<'_, Found<'a>>) -> ControlFlow<()> {
        let (stamp, mut names, mut flow) = (stamp(path), HashMap::new(), ControlFlow::Continue(()));
        let prefix = [path_bytes(path), b"!/".to_vec()].concat();
        let whole = archive::entries(path, kind, &mut |entry| {
            flow = self.entry(entry, &prefix, &stamp, &mut names, put);
            flow
        });
        flow?;
        match whole {
            Ok(()) => flow,
            Err(why) => self.missing(path, why, put),
        }
    }

    fn entry(
        &self,
        entry: Entry<'_>,
        prefix: &[u8],
        stamp: &str,
        names: &mut HashMap<Vec<u8>, u64>,
        put: Put<'_, Found<'a>>,
    ) -> ControlFlow<()> {
        let Entry { name, size, content } = entry;
        if name.split(|byte| matches!(byte, b'/' | b'\\')).any(|part| is_hidden(part) || part == b"__MACOSX") {
            count(&self.passed.hidden);
            return ControlFlow::Continue(());
        }
        // One name may stand there several times: each is a photo of its own.
        let times = names.entry(name.clone()).and_modify(|times| *times += 1).or_insert(1);
        let mut path = [prefix, &name].concat();
        if *times > 1 {
            path.extend(format!("#{times}").bytes());
        }
        let by_name = kind_by_name(&os_name(&name));
        let content = match (by_name, content) {
            (ByName::Archive(_) | ByName::OtherArchive, _) => {
                return self.put(path, stamp, put, || Content::Missing(NESTED.into()));
            }
            (ByName::Photo, Err(why)) => return self.put(path, stamp, put, || Content::Missing(why.into())),
            (ByName::Nothing, Err(_)) => {
                count(&self.passed.others);
                return ControlFlow::Continue(());
            }
            (_, Ok(content)) => content,
        };
        // Before the content is read, and only once.
        if !(self.wanted)(&path, stamp) {
            return ControlFlow::Continue(());
        }
        let mut bytes = Vec::new();
        if by_name == ByName::Nothing {
            let read = Read::take(&mut *content, FIRST_BYTES).read_to_end(&mut bytes);
            if read.is_err() || !is_picture(&bytes) {
                count(&self.passed.others);
                return ControlFlow::Continue(());
            }
        }
        let limit = self.limits.file_bytes;
        if size > limit {
            let content = Content::Missing(format!("the file is larger than {} MiB", limit >> 20));
            return put(Found { path, stamp: stamp.to_owned(), content });
        }
        let loan = self.held.borrow(size);
        // No more than it claims: room for that is lent.
        let room = (size + 1).saturating_sub(bytes.len() as u64);
        let read = content.take(room).read_to_end(&mut bytes);
        let content = match read {
            Ok(_) if bytes.len() as u64 > size => Content::Missing("it is larger than its archive says".into()),
            Ok(_) => Content::Bytes(bytes, loan),
            Err(e) => Content::Missing(format!("it cannot be taken out of its archive ({e})")),
        };
        put(Found { path, stamp: stamp.to_owned(), content })
    }
}

/// About how many bytes there are in and below `inputs`, as far as names tell: for the time that is left. 0 when `stop` is set.
#[must_use]
pub fn measure(inputs: &[PathBuf], stop: &AtomicBool) -> u64 {
    let (mut waiting, mut sum) = (inputs.to_vec(), 0);
    while let Some(path) = waiting.pop() {
        if stop.load(Ordering::Relaxed) {
            return 0;
        }
        let Ok(kind) = std::fs::symlink_metadata(&path) else { continue };
        if kind.is_dir() && !is_case(&path) {
            let entries = std::fs::read_dir(&path).into_iter().flatten().flatten();
            let entries = entries.filter(|entry| !is_hidden(entry.file_name().as_encoded_bytes()));
            waiting.extend(entries.map(|entry| entry.path()));
        } else if kind.is_file() && !matches!(kind_by_name(path.as_os_str()), ByName::Nothing | ByName::OtherArchive) {
            sum += kind.len();
        }
    }
    sum
}

const NESTED: &str = "an archive in an archive is not opened: unpack it, and name the folder";
const UNREAD_ARCHIVE: &str = "this kind of archive is not read: unpack it, and name the folder";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ByName {
    Photo,
    Archive(Kind),
    OtherArchive,
    Nothing,
}

fn kind_by_name(name: &OsStr) -> ByName {
    let name = Path::new(name);
    let ending = name.extension().unwrap_or_default().to_ascii_lowercase();
    let before = Path::new(name.file_stem().unwrap_or_default()).extension().unwrap_or_default().to_ascii_lowercase();
    match ending.to_str().unwrap_or_default() {
        "jpg" | "jpeg" | "jpe" | "jfif" | "png" | "tif" | "tiff" | "webp" | "bmp" | "gif" | "heic" | "heif"
        | "avif" => ByName::Photo,
        "zip" => ByName::Archive(Kind::Zip),
        "tar" => ByName::Archive(Kind::Tar),
        "tgz" => ByName::Archive(Kind::TarGz),
        "gz" if before == "tar" => ByName::Archive(Kind::TarGz),
        "gz" | "bz2" | "xz" | "zst" | "7z" | "rar" | "cab" | "iso" | "dmg" => ByName::OtherArchive,
        _ if has_raw_name(name) => ByName::Photo,
        _ => ByName::Nothing,
    }
}

fn first_bytes(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(FIRST_BYTES).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn is_picture(bytes: &[u8]) -> bool {
    image::guess_format(bytes).is_ok() || heic::is_heic(bytes)
}

fn is_hidden(name: &[u8]) -> bool {
    name.first() == Some(&b'.') && name != b"." && name != b".."
}

fn is_case(folder: &Path) -> bool {
    folder.join("case.json").is_file() && folder.join("crops").is_dir()
}

fn same(a: &Path, b: &Path) -> bool {
    matches!((a.canonicalize(), b.canonicalize()), (Ok(a), Ok(b)) if a == b)
}

/// Size and time of change: `SIZE-NANOSECONDS`.
pub(super) fn stamp(path: &Path) -> String {
    let Ok(metadata) = std::fs::metadata(path) else { return "-".into() };
    let changed = metadata.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    format!("{}-{}", metadata.len(), changed.unwrap_or_default().as_nanos())
}

#[cfg(unix)]
fn path_bytes(path: &Path) -> Vec<u8> {
    std::os::unix::ffi::OsStrExt::as_bytes(path.as_os_str()).to_vec()
}

#[cfg(not(unix))]
fn path_bytes(path: &Path) -> Vec<u8> {
    path.to_string_lossy().replace('\\', "/").into_bytes()
}

/// A path by its bytes, as [`Found::path`] has them.
#[cfg(unix)]
pub(super) fn os_name(name: &[u8]) -> std::borrow::Cow<'_, OsStr> {
    std::borrow::Cow::Borrowed(std::os::unix::ffi::OsStrExt::from_bytes(name))
}

#[cfg(not(unix))]
pub(super) fn os_name(name: &[u8]) -> std::borrow::Cow<'_, OsStr> {
    std::borrow::Cow::Owned(String::from_utf8_lossy(name).into_owned().into())
}
