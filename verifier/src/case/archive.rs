//! What is in ZIP and TAR archives, read in a stream: nothing is unpacked to the disk, and an archive that is made to fill
//! memory, disk or time is given up in bounded time. Names of entries are text and never a way to a file.

use flate2::read::MultiGzDecoder;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::ops::ControlFlow;
use std::path::Path;
use tar::EntryType;
use zip::ZipArchive;
use zip::result::ZipError;

/// Entries of an archive that are looked at.
const MAX_ENTRIES: u64 = 1_000_000;
/// Bytes that come out of an archive: so many in any case, and so many times its own size.
const OUT_ANYWAY: u64 = 4 << 30;
const OUT_RATIO: u64 = 100;
/// The longest name, in bytes.
const MAX_NAME: u64 = 64 << 10;

/// The kinds of archives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Zip,
    Tar,
    TarGz,
}

/// Something in an archive.
pub(super) struct Entry<'a> {
    /// Its name as it stands there.
    pub(super) name: Vec<u8>,
    /// Its size in bytes, by its own word.
    pub(super) size: u64,
    /// Its content, or why that cannot be had.
    pub(super) content: Result<&'a mut dyn Read, &'static str>,
}

/// Who is shown the entries, one after the other.
pub(super) type Visit<'a> = &'a mut dyn FnMut(Entry<'_>) -> ControlFlow<()>;

/// Shows every file in the archive at `path` to `visit`.
///
/// # Errors
/// Why the rest of it could not be read, in words that follow its name.
pub(super) fn entries(path: &Path, kind: Kind, visit: Visit<'_>) -> Result<(), String> {
    let file = File::open(path).map_err(|e| e.to_string())?;
    let size = file.metadata().map_err(|e| e.to_string())?.len();
    entries_within(file, kind, OUT_ANYWAY.max(size.saturating_mul(OUT_RATIO)), visit)
}

/// The same, while no more than `left` bytes come out.
fn entries_within(file: File, kind: Kind, mut left: u64, visit: Visit<'_>) -> Result<(), String> {
    let file = BufReader::new(file);
    match kind {
        Kind::Zip => zip_entries(file, &mut left, visit),
        Kind::Tar => {
            let mut archive = tar::Archive::new(file);
            let entries = archive.entries_with_seek().map_err(|e| damaged(&e))?;
            tar_entries(entries.raw(true), visit)
        }
        Kind::TarGz => {
            let out = Counted { of: MultiGzDecoder::new(file), left: &mut left };
            let mut archive = tar::Archive::new(out);
            let entries = archive.entries().map_err(|e| damaged(&e))?;
            let mut flow = ControlFlow::Continue(());
            tar_entries(entries.raw(true), &mut |entry| {
                flow = visit(entry);
                flow
            })?;
            // Its checksum stands at the end.
            let rest = match flow {
                ControlFlow::Continue(()) => io::copy(&mut archive.into_inner(), &mut io::sink()),
                ControlFlow::Break(()) => Ok(0),
            };
            rest.map(drop).map_err(|e| damaged(&e))
        }
    }
}

const BOMB: &str =
    "far more comes out of it than its size accounts for, as from a decompression bomb: the rest was not read";
const TOO_MANY: &str = "it has more than a million entries: unpack it, and name the folder";

fn damaged(error: &io::Error) -> String {
    if error.get_ref().is_some_and(|e| e.to_string() == BOMB) {
        return BOMB.into();
    }
    format!("the archive is damaged or cut short ({error})")
}

/// A reader that fails when more than what is left has come out.
struct Counted<'a, R> {
    of: R,
    left: &'a mut u64,
}

impl<R: Read> Read for Counted<'_, R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let length = self.of.read(into)?;
        match self.left.checked_sub(length as u64) {
            Some(left) => *self.left = left,
            None => {
                *self.left = 0;
                return Err(io::Error::other(BOMB));
            }
        }
        Ok(length)
    }
}

fn zip_entries(mut file: BufReader<File>, left: &mut u64, visit: Visit<'_>) -> Result<(), String> {
    if promised_entries(&mut file).map_err(|e| damaged(&e))? > MAX_ENTRIES {
        return Err(TOO_MANY.into());
    }
    let mut archive = ZipArchive::new(file).map_err(|e| format!("the archive is damaged or cut short ({e})"))?;
    for index in 0..archive.len() {
        // What stands in the directory alone; the content may be of a kind that is not read.
        let (name, size, directory) = match archive.by_index_raw(index) {
            Ok(entry) => (entry.name_raw().to_vec(), entry.size(), entry.is_dir()),
            Err(e) => return Err(format!("the archive is damaged or cut short ({e})")),
        };
        if directory {
            continue;
        }
        let shown = match archive.by_index(index) {
            Ok(entry) => {
                if entry.is_symlink() {
                    continue;
                }
                let mut content = Counted { of: entry, left: &mut *left };
                visit(Entry { name, size, content: Ok(&mut content) })
            }
            Err(e) => visit(Entry { name, size, content: Err(unopened(&e)) }),
        };
        if *left == 0 {
            return Err(BOMB.into());
        }
        if shown.is_break() {
            return Ok(());
        }
    }
    Ok(())
}

fn unopened(error: &ZipError) -> &'static str {
    match error {
        ZipError::UnsupportedArchive(ZipError::PASSWORD_REQUIRED) => {
            "it is encrypted in its archive: unpack it, and name the folder"
        }
        ZipError::UnsupportedArchive(_) => {
            "it is compressed in a way that is not read here: unpack its archive, and name the folder"
        }
        _ => "it is damaged in its archive",
    }
}

/// How many entries a ZIP file promises in its last end of central directory record (APPNOTE.TXT, 4.3.16 and 4.3.14): room
/// for them is taken before the first is looked at.
fn promised_entries(file: &mut BufReader<File>) -> io::Result<u64> {
    let size = file.seek(SeekFrom::End(0))?;
    let length = size.min(22 + 0xFFFF + 20 + 56);
    file.seek(SeekFrom::Start(size - length))?;
    let mut tail = Vec::new();
    file.by_ref().take(length).read_to_end(&mut tail)?;
    file.rewind()?;
    let number = |at: usize, length: usize| {
        let bytes = tail.get(at..at + length)?;
        Some(bytes.iter().rev().fold(0_u64, |n, byte| n << 8 | u64::from(*byte)))
    };
    let places = |mark: &'static [u8; 4]| tail.windows(4).enumerate().filter(move |(_, w)| w == mark).map(|(at, _)| at);
    let short = places(b"PK\x05\x06").filter_map(|at| number(at + 10, 2));
    let long = places(b"PK\x06\x06").filter_map(|at| number(at + 32, 8));
    Ok(short.chain(long).max().unwrap_or(0))
}

/// Raw entries: the crate itself would read a name of any length into memory.
fn tar_entries<R: Read>(entries: tar::Entries<'_, R>, visit: Visit<'_>) -> Result<(), String> {
    let mut long_name: Option<Vec<u8>> = None;
    for (number, entry) in entries.enumerate() {
        if number as u64 >= MAX_ENTRIES {
            return Err(TOO_MANY.into());
        }
        let mut entry = entry.map_err(|e| damaged(&e))?;
        let kind = entry.header().entry_type();
        let size = entry.header().entry_size().map_err(|e| damaged(&e))?;
        match kind {
            EntryType::GNULongName => {
                let mut name = short(&mut entry, size)?;
                name.truncate(name.iter().position(|byte| *byte == 0).unwrap_or(name.len()));
                long_name = Some(name);
            }
            EntryType::XHeader => long_name = pax_path(&short(&mut entry, size)?).or(long_name),
            EntryType::Regular | EntryType::Continuous => {
                let name = long_name.take().unwrap_or_else(|| entry.path_bytes().into_owned());
                // Very old archives mark folders by their name alone.
                let shown = match name.last() {
                    Some(b'/') => ControlFlow::Continue(()),
                    _ => visit(Entry { name, size, content: Ok(&mut entry) }),
                };
                if shown.is_break() {
                    return Ok(());
                }
            }
            EntryType::GNUSparse => {
                let name = long_name.take().unwrap_or_else(|| entry.path_bytes().into_owned());
                let content = Err("it is stored with holes in its archive: unpack it, and name the folder");
                if visit(Entry { name, size, content }).is_break() {
                    return Ok(());
                }
            }
            _ => long_name = None,
        }
    }
    Ok(())
}

fn short(entry: &mut impl Read, size: u64) -> Result<Vec<u8>, String> {
    if size > MAX_NAME {
        return Err("the archive has a name that is too long to be one".into());
    }
    let mut bytes = Vec::new();
    entry.take(MAX_NAME).read_to_end(&mut bytes).map_err(|e| damaged(&e))?;
    Ok(bytes)
}

/// The name in a pax header (POSIX.1-2017, pax, "pax Extended Header"): records `LENGTH KEYWORD=VALUE` and a line feed.
fn pax_path(mut records: &[u8]) -> Option<Vec<u8>> {
    let mut path = None;
    while let Some(space) = records.iter().position(|byte| *byte == b' ') {
        let length: usize = std::str::from_utf8(records.get(..space)?).ok()?.parse().ok()?;
        let record = records.get(space + 1..length)?.strip_suffix(b"\n")?;
        path = record.strip_prefix(b"path=").map(<[u8]>::to_vec).or(path);
        records = records.get(length..)?;
    }
    path
}

#[cfg(test)]
mod tests;
