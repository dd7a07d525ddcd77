//! `--files0-from`: file names that end with a NUL byte, as `find -print0` writes them, read as they come.

use super::{Io, Stop};
use crate::material::{MaterialError, MaterialErrorKind};
use crate::pipeline::Put;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

/// The longest name, in bytes: longer than any system allows.
const MAX_NAME: u64 = 64 << 10;

/// Where the names come from.
pub(super) struct Names<'a> {
    /// What messages call it.
    name: String,
    input: Box<dyn BufRead + Send + 'a>,
}

/// A name, or what is wrong with it.
pub(super) type Name = Result<PathBuf, String>;

impl<'a> Names<'a> {
    /// The names in the file at `path`, or on standard input if that is `-`; the input is taken from `io` then.
    pub(super) fn from(path: &Path, io: &mut Io<'a>) -> Result<Self, Stop> {
        let name = path.display().to_string();
        if name == "-" {
            // Nobody else reads it; a source on another thread needs it for itself.
            let nothing: &mut (dyn Read + Send) = Box::leak(Box::new(io::empty()));
            let stdin = std::mem::replace(&mut io.stdin, nothing);
            return Ok(Self { name, input: Box::new(BufReader::new(stdin)) });
        }
        let file = File::open(path);
        let file = file.map_err(|e| MaterialError { path: path.to_owned(), kind: MaterialErrorKind::Io(e) })?;
        Ok(Self { name, input: Box::new(BufReader::new(file)) })
    }

    /// Puts each name as soon as it is there. What is wrong with the list itself is the last of them.
    pub(super) fn put_all(mut self, put: Put<'_, Name>) {
        for number in 1_u64.. {
            let name = match self.next() {
                Ok(None) => break,
                Ok(Some(name)) => name.map_err(|what| format!("{}:{number}: {what}", self.name)),
                Err(e) => {
                    let _ = put(Err(format!("cannot read {}: {e}", self.name)));
                    break;
                }
            };
            if put(name) == ControlFlow::Break(()) {
                break;
            }
        }
    }

    fn next(&mut self) -> io::Result<Option<Result<PathBuf, &'static str>>> {
        let mut name = Vec::new();
        self.input.by_ref().take(MAX_NAME).read_until(0, &mut name)?;
        let long = name.len() as u64 == MAX_NAME && name.last() != Some(&0);
        if long {
            skip(&mut self.input)?;
            return Ok(Some(Err("the file name is too long")));
        }
        if name.is_empty() {
            return Ok(None);
        }
        if name.last() == Some(&0) {
            name.pop();
        }
        Ok(Some(if name.is_empty() { Err("invalid zero-length file name") } else { path(name) }))
    }
}

/// Passes over the rest of a name.
fn skip(input: &mut impl BufRead) -> io::Result<()> {
    loop {
        let bytes = input.fill_buf()?;
        let end = bytes.iter().position(|byte| *byte == 0);
        let (length, ended) = (end.map_or(bytes.len(), |at| at + 1), end.is_some() || bytes.is_empty());
        input.consume(length);
        if ended {
            return Ok(());
        }
    }
}

#[cfg(unix)]
fn path(bytes: Vec<u8>) -> Result<PathBuf, &'static str> {
    Ok(std::os::unix::ffi::OsStringExt::from_vec(bytes)).map(|name: std::ffi::OsString| name.into())
}

#[cfg(not(unix))]
fn path(bytes: Vec<u8>) -> Result<PathBuf, &'static str> {
    String::from_utf8(bytes).map(Into::into).map_err(|_| "the file name is not UTF-8")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(input: &[u8]) -> Vec<Name> {
        let names = Names { name: "-".into(), input: Box::new(input) };
        let mut all = Vec::new();
        names.put_all(&mut |name| {
            all.push(name);
            ControlFlow::Continue(())
        });
        all
    }

    #[test]
    fn names_end_with_nul_and_may_hold_anything_else() {
        assert_eq!(names(b""), []);
        assert_eq!(names(b"a\0b\nc\0last"), ["a", "b\nc", "last"].map(|name| Ok(name.into())));
        let empty = Err("-:2: invalid zero-length file name".to_owned());
        assert_eq!(names(b"a\0\0b\0"), [Ok("a".into()), empty, Ok("b".into())]);
    }

    #[test]
    fn a_name_without_end_takes_no_memory_and_only_itself() {
        let long = [vec![b'x'; 3 << 20], b"\0b\0".to_vec()].concat();
        assert_eq!(names(&long), [Err("-:1: the file name is too long".to_owned()), Ok("b".into())]);
        assert_eq!(names(&vec![b'x'; 1 << 20]).len(), 1);
    }
}
