//! Photos with known content: folders with a `truth.csv`, as the photos' README describes it.

use base64::{Engine, engine::general_purpose::STANDARD};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use touchmark_verifier::read::geometry::Point;

/// A folder of photos.
#[derive(Debug)]
pub struct Set {
    /// Name of the folder.
    pub name: String,
    /// Its photos, by name.
    pub photos: Vec<Photo>,
}

/// A photo and what can be read in it.
#[derive(Debug, Default)]
pub struct Photo {
    /// Name of the file.
    pub file: String,
    /// The expected symbols; none in a photo without one.
    pub symbols: Vec<Expected>,
    /// Whether it was drawn by a program.
    pub rendered: bool,
    /// Kind of wear and its level from 0 to 10, of photos rendered as a ladder.
    pub axis: Option<(String, f64)>,
    /// Outer corners of its symbol, where they are known.
    pub corners: Option<[Point; 4]>,
}

/// A symbol that is in a photo.
#[derive(Debug)]
pub struct Expected {
    /// As zxing-cpp names it.
    pub symbology: String,
    /// `None` where it is not known.
    pub content: Option<Vec<u8>>,
}

impl Photo {
    /// The kind of its first symbol, or `none`.
    #[must_use]
    pub fn symbology(&self) -> &str {
        self.symbols.first().map_or("none", |s| s.symbology.as_str())
    }
}

/// The folder of the photos: `TOUCHMARK_PHOTOS`, or that beside the project.
#[must_use]
pub fn folder() -> PathBuf {
    std::env::var_os("TOUCHMARK_PHOTOS").map_or_else(|| crate::console::root().join("../shared/photos"), PathBuf::from)
}

impl Set {
    /// The set of one folder.
    #[must_use]
    pub fn of(folder: &Path, rendered: bool) -> Self {
        let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Self { name, photos: photos(folder, rendered) }
    }
}

/// The sets below `folder` whose name begins with `prefix`; `None` if there is no such folder.
#[must_use]
pub fn sets(folder: &Path, prefix: &str) -> Option<Vec<Set>> {
    let readme = std::fs::read_to_string(folder.join("README.md")).unwrap_or_default();
    let mut sets: Vec<Set> = std::fs::read_dir(folder)
        .ok()?
        .flatten()
        .filter(|entry| entry.path().join("truth.csv").is_file())
        .map(|entry| {
            let name = entry.file_name().to_string_lossy().into_owned();
            Set::of(&entry.path(), readme.lines().any(|line| is_rendered(line, &name)))
        })
        .filter(|set| set.name.starts_with(prefix))
        .collect();
    sets.sort_by(|a, b| a.name.cmp(&b.name));
    Some(sets)
}

/// Whether a row of the README's table says that the set was rendered: `| name | files | kind |`.
fn is_rendered(line: &str, name: &str) -> bool {
    let mut cells = line.split('|').map(str::trim).skip(1);
    cells.next() == Some(name) && cells.nth(1) == Some("rendered")
}

fn photos(folder: &Path, rendered: bool) -> Vec<Photo> {
    let path = folder.join("truth.csv");
    let fail = |e: &dyn std::fmt::Display| -> ! { panic!("{}: {e}", path.display()) };
    let mut reader = csv::Reader::from_path(&path).unwrap_or_else(|e| fail(&e));
    let headers = reader.headers().unwrap_or_else(|e| fail(&e)).clone();
    let mut photos: BTreeMap<String, Photo> = BTreeMap::new();
    for row in reader.records() {
        let row = row.unwrap_or_else(|e| fail(&e));
        let cell = |name: &str| headers.iter().position(|h| h == name).and_then(|i| row.get(i));
        let base64 = |text: &str| STANDARD.decode(text).unwrap_or_else(|e| fail(&e));
        let file = cell("file").unwrap_or_default().to_owned();
        let photo = photos.entry(file.clone()).or_default();
        photo.file = file;
        photo.rendered = rendered || cell("axis").is_some();
        photo.axis = cell("axis").map(str::to_owned).zip(cell("level").and_then(|level| level.parse().ok()));
        let corner = |i: usize| {
            let number = |axis: &str| cell(&format!("{axis}{i}"))?.parse::<f32>().ok();
            Some(Point::new(number("x")?, number("y")?))
        };
        photo.corners = match [0, 1, 2, 3].map(corner) {
            [Some(a), Some(b), Some(c), Some(d)] => Some([a, b, c, d]),
            _ => None,
        };
        let text = cell("text").unwrap_or_default();
        let content = match (cell("payload"), cell("encoding")) {
            (Some(payload), _) => Some(base64(payload)),
            (None, Some("utf-8")) => Some(text.as_bytes().to_vec()),
            (None, Some("base64")) => Some(base64(text)),
            (None, _) => None,
        };
        let symbology = cell("symbology").unwrap_or_default().to_owned();
        if symbology != "none" {
            photo.symbols.push(Expected { symbology, content });
        }
    }
    photos.into_values().collect()
}
