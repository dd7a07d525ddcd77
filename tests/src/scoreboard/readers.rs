//! The readers that are compared: ours, rqrr as it is, and those that `tests/peers/read.py` drives.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde::Deserialize;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Instant;
use touchmark_verifier::photo::{Limits, load};
use touchmark_verifier::read::geometry::Point;
use touchmark_verifier::read::{Effort, Luma, Options, Place, read};

/// The content of a symbol as one reader gives it.
#[derive(Debug, Clone)]
pub struct Content {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// Its text, where the reader says so.
    pub text: Option<String>,
}

impl Content {
    /// Whether this is `expected`, as bytes or as text; the truth of some sets ends with a line break that the symbol has
    /// not.
    #[must_use]
    pub fn same(&self, expected: &[u8]) -> bool {
        let trim = |b: &[u8]| b.strip_suffix(b"\n").map_or(b.to_vec(), |b| b.strip_suffix(b"\r").unwrap_or(b).to_vec());
        let same = |got: &[u8]| got == expected || trim(got) == trim(expected);
        same(&self.bytes) || self.text.as_ref().is_some_and(|text| same(text.as_bytes()))
    }
}

/// What a reader made of a photo.
#[derive(Debug, Default)]
pub struct Reading {
    /// Milliseconds to open and decode the file.
    pub load_ms: f64,
    /// Milliseconds to read its symbols.
    pub read_ms: f64,
    /// What was read.
    pub contents: Vec<Content>,
}

/// A reader.
#[derive(Debug)]
pub enum Reader {
    /// Ours.
    Touchmark(Options),
    /// rqrr alone, on the photo as it is: the baseline.
    Rqrr,
    /// Another one.
    Peer(Peer),
}

/// A reader in a process of its own.
#[derive(Debug)]
pub struct Peer {
    /// As `tests/peers/read.py` knows it.
    pub name: String,
    process: Child,
    answers: BufReader<ChildStdout>,
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[derive(Deserialize)]
struct Answer {
    load_ms: f64,
    read_ms: f64,
    symbols: Vec<AnswerSymbol>,
}

#[derive(Deserialize)]
struct AnswerSymbol {
    bytes: String,
    text: Option<String>,
}

impl Reader {
    /// The peer of this name; panics, with the way out, if it is not installed.
    #[must_use]
    pub fn peer(name: &str) -> Self {
        Self::Peer(Peer::start(name))
    }

    /// What to call it.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Touchmark(Options { effort: Effort::Quick, .. }) => "touchmark, quick",
            Self::Touchmark(Options { effort: Effort::Normal, .. }) => "touchmark",
            Self::Touchmark(_) => "touchmark, forensic",
            Self::Rqrr => "rqrr",
            Self::Peer(peer) => &peer.name,
        }
    }

    /// Reads the photo at `path`, ours at `corners` if they are given. A photo that cannot be opened shows nothing.
    pub fn read(&mut self, path: &Path, corners: Option<[Point; 4]>) -> Reading {
        match self {
            Self::Touchmark(options) => timed(path, |luma| {
                let place = corners.map_or(options.place, Place::Corners);
                let symbols = read(luma, &Options { place, ..options.clone() });
                let decoded = symbols.into_iter().filter_map(|s| s.decoded.ok());
                decoded.map(|d| Content { bytes: d.bytes, text: d.text }).collect()
            }),
            Self::Rqrr => timed(path, rqrr_alone),
            Self::Peer(peer) => peer.read(path).unwrap_or_else(|_| {
                // Some crash on some photos, which they have then not read.
                *peer = Peer::start(&peer.name);
                Reading::default()
            }),
        }
    }
}

impl Peer {
    fn start(name: &str) -> Self {
        let root = crate::console::root();
        let python = root.join("target/peers/bin/python");
        assert!(python.exists(), "{} is absent: run tests/peers/setup first", python.display());
        let mut command = Command::new(python);
        command.arg(root.join("tests/peers/read.py")).arg(name).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = command.spawn().unwrap_or_else(|e| panic!("cannot start {name}: {e}"));
        let answers = BufReader::new(process.stdout.take().unwrap_or_else(|| panic!("{name} has no output")));
        Self { name: name.to_owned(), process, answers }
    }

    fn read(&mut self, path: &Path) -> std::io::Result<Reading> {
        let input = self.process.stdin.as_mut().ok_or(std::io::ErrorKind::BrokenPipe)?;
        writeln!(input, "{}", path.display())?;
        let mut line = String::new();
        self.answers.read_line(&mut line)?;
        let Answer { load_ms, read_ms, symbols } = serde_json::from_str(&line)?;
        let content = |s: AnswerSymbol| Some(Content { bytes: STANDARD.decode(s.bytes).ok()?, text: s.text });
        Ok(Reading { load_ms, read_ms, contents: symbols.into_iter().filter_map(content).collect() })
    }
}

fn timed(path: &Path, read: impl FnOnce(&Luma) -> Vec<Content>) -> Reading {
    let start = Instant::now();
    let photo = load(path, &Limits::default());
    let loaded = Instant::now();
    let contents = photo.map(|photo| read(&photo.luma)).unwrap_or_default();
    let ms = |from: Instant, to: Instant| (to - from).as_secs_f64() * 1e3;
    Reading { load_ms: ms(start, loaded), read_ms: ms(loaded, Instant::now()), contents }
}

fn rqrr_alone(luma: &Luma) -> Vec<Content> {
    let work = || {
        let pixel = |x: usize, y: usize| luma.data[y * luma.width + x];
        let mut prepared = rqrr::PreparedImage::prepare_from_greyscale(luma.width, luma.height, pixel);
        let mut out = Vec::new();
        for grid in prepared.detect_grids() {
            let mut bytes = Vec::new();
            if grid.decode_to(&mut bytes).is_ok() {
                out.push(Content { text: String::from_utf8(bytes.clone()).ok(), bytes });
            }
        }
        out
    };
    // It panics on some photos.
    std::panic::catch_unwind(work).unwrap_or_default()
}
