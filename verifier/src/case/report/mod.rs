//! `report.html`: one file that shows a case, offline, to whoever has a browser.
//!
//! Names of files, labels in marks and names in disclosures are hostile. They go into the page as text in three ways only:
//! escaped into markup (`svg::escape`), as JSON that cannot end its element (`in_script`), and from there by
//! `textContent`. The page's policy allows its own program and style by their hashes, pictures from itself and the folder
//! beside it, and nothing else: what slipped through all that would not run, and could not call home.

mod figures;
mod first;
mod overview;
mod pictures;
mod rows;
mod sankey;
pub(crate) mod svg;
mod timeline;
mod tip;
mod words;
mod world;

pub(super) use rows::is_crop;
pub use words::Language;

use super::flows::{between_parties, layered};
use super::folder::{Folder, FolderError};
use super::graphml::graphml;
use super::record::{Case, PartResult, PhotoResult};
use base64::{Engine, engine::general_purpose::STANDARD};
use overview::Rest;
use pictures::Pictures;
use rows::Row;
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, HashMap};
use std::io;
use svg::escape;
use words::say;

/// Parts in the table, the gravest first: beyond, browsers become slow. All of them are counted.
const MOST_ROWS: usize = 50_000;

/// Writes `report.html` and `flows.graphml` of the case in `folder` from its `case.json`, `results.jsonl` and
/// `parts.jsonl`. The same case gives the same bytes.
///
/// # Errors
/// [`FolderError`].
pub fn write(folder: &Folder, language: Language) -> Result<(), FolderError> {
    write_copy(folder, folder, language, false)
}

/// The same in the folder `to`, also of a copy of which some evidence may be left out: then the page says so.
pub(super) fn write_copy(folder: &Folder, to: &Folder, language: Language, redacted: bool) -> Result<(), FolderError> {
    let case = folder.case()?;
    let mut parts: Vec<PartResult> = folder.parts()?.collect::<Result<_, _>>()?;
    let mut photos = Photos::default();
    for photo in folder.results()? {
        photos.add(photo?);
    }
    let graph = graphml(&between_parties(&parts));
    rows::by_gravity(&mut parts);
    let page = page(&Shown { case: &case, parts: &parts, photos: &photos, redacted }, Pictures::of(folder), language);
    super::folder::write_with(&to.flows_graphml(), |out| write_all(to, out, &graph))?;
    super::folder::write_with(&to.report_html(), |out| write_all(to, out, &page))
}

/// `flows.graphml` alone.
pub(super) fn write_flows(folder: &Folder, to: &Folder) -> Result<(), FolderError> {
    let parts: Vec<PartResult> = folder.parts()?.collect::<Result<_, _>>()?;
    let graph = graphml(&between_parties(&parts));
    super::folder::write_with(&to.flows_graphml(), |out| write_all(to, out, &graph))
}

fn write_all(folder: &Folder, out: &mut dyn io::Write, text: &str) -> Result<(), FolderError> {
    out.write_all(text.as_bytes()).map_err(|e| super::folder::at(folder.root())(e.into()))
}

/// What the page says of the photos.
#[derive(Debug, Default)]
struct Photos {
    count: u64,
    unopened: u64,
    /// By tenths of degrees north and east: how many were taken there. Ten kilometres are near enough for a map of the world.
    places: BTreeMap<(i32, i32), u64>,
    /// What photos are called by the part that they show, where their paths are left out.
    unnamed: HashMap<String, Vec<String>>,
    rest: Rest,
}

impl Photos {
    fn add(&mut self, photo: PhotoResult) {
        self.count += 1;
        self.unopened += u64::from(photo.error.is_some());
        let tenths = |degrees: f64| (degrees * 10.0).round() as i32;
        if let (Some(north), Some(east)) = (photo.photo.latitude, photo.photo.longitude) {
            *self.places.entry((tenths(north), tenths(east))).or_default() += 1;
        }
        if photo.photo.path.is_empty() {
            let name = rows::called("", photo.photo.sha256.as_deref());
            for part in &photo.parts {
                self.unnamed.entry(part.clone()).or_default().push(name.clone());
            }
        }
        if photo.parts.is_empty() {
            self.rest.add(&photo);
        }
    }
}

#[derive(Serialize)]
struct Data<'a> {
    language: &'static str,
    signs: &'a BTreeMap<&'static str, &'static str>,
    rows: &'a [Row],
}

/// What a page shows.
struct Shown<'a> {
    case: &'a Case,
    /// The gravest first.
    parts: &'a [PartResult],
    photos: &'a Photos,
    redacted: bool,
}

/// The whole page.
fn page(shown: &Shown<'_>, mut pictures: Pictures, language: Language) -> String {
    let Shown { case, parts, photos, redacted } = *shown;
    let first = first::first(parts, &mut pictures, language);
    let listed = parts.get(..MOST_ROWS).unwrap_or(parts);
    pictures.take_all(listed);
    let rows: Vec<Row> = listed.iter().map(|part| Row::of(part, &photos.unnamed, &pictures)).collect();
    let signs: BTreeMap<_, _> =
        rows::VERDICTS.into_iter().map(|verdict| (verdict.name(), overview::sign(verdict))).collect();
    let style = include_str!("page.css");
    let script = include_str!("page.js");
    let flows = layered(parts);
    let slot = |name: &str| match name {
        "lang" => language.tag().to_owned(),
        "policy" => policy(style, script),
        "name" => escape(&case.name),
        "style" => style.to_owned(),
        "script" => script.to_owned(),
        "redacted" if redacted => format!("<p class=\"warning\">{}</p>", overview::text("redacted", language)),
        "language" => say(language, "language").to_owned(),
        "contents" => say(language, "contents").to_owned(),
        "languages" => overview::languages(language),
        "created" => escape(&case.created.to_string()),
        "tool" => escape(&case.tool),
        "bases" => overview::bases(case, language),
        "overview" => overview::verdicts(parts, photos, language),
        "first" => first.clone(),
        "counts" => figures::counts(parts, language),
        "flows" => figures::flows(&flows, language),
        "map" => figures::map(parts, &photos.places, &flows, language),
        "timeline" => figures::timeline(parts, language),
        "rest" => photos.rest.page(language),
        "pictures" => overview::pictures(&rows, &pictures, language),
        "words" => in_script(&words::all()),
        "data" => in_script(&Data { language: language.tag(), signs: &signs, rows: &rows }),
        "crops" => in_script(&pictures.undrawn()),
        _ => name.strip_prefix("t:").map(|key| overview::text(key, language)).unwrap_or_default(),
    };
    fill(include_str!("page.html"), slot)
}

/// `template` with each `{name}` in it as `slot` says, in one pass: what is filled in is not looked at again.
fn fill(template: &str, slot: impl Fn(&str) -> String) -> String {
    let mut pieces = template.split('{');
    let mut out = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        match piece.split_once('}') {
            Some((name, rest)) => {
                out += &slot(name);
                out += rest;
            }
            None => out += piece,
        }
    }
    out
}

/// The content security policy: nothing but what this very page brings.
fn policy(style: &str, script: &str) -> String {
    let hash = |text: &str| STANDARD.encode(Sha256::digest(text));
    format!(
        "default-src 'none'; script-src 'sha256-{}'; style-src 'sha256-{}'; img-src data: file: 'self'; base-uri 'none'; form-action 'none'",
        hash(script),
        hash(style)
    )
}

/// `value` as JSON that can stand in a script element: `<`, `>` and `&` only occur in strings, where they can be numbers.
fn in_script<T: Serialize>(value: &T) -> String {
    let json = serde_json::to_string(value).unwrap_or_default();
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        match c {
            '<' => out.push_str("\\u003c"),
            '>' => out.push_str("\\u003e"),
            '&' => out.push_str("\\u0026"),
            '\u{2028}' => out.push_str("\\u2028"),
            '\u{2029}' => out.push_str("\\u2029"),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests;
