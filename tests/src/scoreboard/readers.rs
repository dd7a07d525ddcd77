//! The readers that are compared: ours, and rqrr as it is.

use super::Score;
use super::truth::Photo;
use std::path::Path;
use std::time::Instant;
use touchmark_verifier::photo::{Limits, load};
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
#[derive(Debug, Default, Clone)]
pub struct Reading {
    /// Milliseconds to open and decode the file.
    pub load_ms: f64,
    /// Milliseconds to read its symbols.
    pub read_ms: f64,
    /// What was read.
    pub contents: Vec<Content>,
}

/// A reader, which may work in several ways.
pub trait Reader {
    /// What to call each way.
    fn columns(&self) -> Vec<String>;

    /// What each way makes of the photo at `path`, which is `photo`; `None` where it is not asked. A photo that cannot be
    /// opened shows nothing.
    fn read(&mut self, path: &Path, photo: &Photo) -> Vec<Option<Reading>>;
}

/// Ours, at one effort or several, in rising order.
#[derive(Debug)]
pub struct Touchmark {
    /// The efforts.
    pub efforts: Vec<Effort>,
    /// Told where the symbol is, where the truth says it.
    pub pointed: bool,
}

/// The column of an effort.
#[must_use]
pub fn named(effort: Effort) -> &'static str {
    match effort {
        Effort::Quick => "touchmark, quick",
        Effort::Normal => "touchmark",
        Effort::Forensic => "touchmark, forensic",
    }
}

impl Reader for Touchmark {
    fn columns(&self) -> Vec<String> {
        self.efforts.iter().map(|effort| named(*effort).to_owned()).collect()
    }

    fn read(&mut self, path: &Path, photo: &Photo) -> Vec<Option<Reading>> {
        let place = photo.corners.filter(|_| self.pointed).map_or(Place::Anywhere, Place::Corners);
        let mut out: Vec<Option<Reading>> = Vec::new();
        for effort in &self.efforts {
            // Forensic effort is the normal one and, where that read nothing, more.
            let before = out.iter().flatten().last().filter(|reading| Score::of(photo, reading).read > 0);
            if let Some(before) = before.filter(|_| *effort == Effort::Forensic) {
                out.push(Some(before.clone()));
                continue;
            }
            out.push(Some(timed(path, |luma| {
                let symbols = read(luma, &Options { place, effort: *effort, ..Options::default() });
                let decoded = symbols.into_iter().filter_map(|s| s.decoded.ok());
                decoded.map(|d| Content { bytes: d.bytes, text: d.text }).collect()
            })));
        }
        out
    }
}

/// rqrr alone, on the photo as it is: the baseline.
#[derive(Debug)]
pub struct Rqrr;

impl Reader for Rqrr {
    fn columns(&self) -> Vec<String> {
        vec!["rqrr".to_owned()]
    }

    fn read(&mut self, path: &Path, photo: &Photo) -> Vec<Option<Reading>> {
        vec![(photo.symbology() != "DataMatrix").then(|| timed(path, rqrr_alone))]
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
