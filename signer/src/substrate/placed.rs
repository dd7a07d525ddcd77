//! Marks beside the places of the units that they are for.

use super::Substrate;
use crate::error::{Error, Result};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use std::path::Path;
use touchmark_formats::base45;
use touchmark_formats::mark::SignedMark;

/// The marks in `bytes`, which `path` names in messages: the line's answer to the request with the id `id`, of which each
/// mark is kept as the line gave it; or text forms, one a line.
///
/// # Errors
/// Neither; or the answer is to another request, or a refusal; or a serial is in it twice.
pub fn marks(bytes: &[u8], path: &Path, id: &str) -> Result<Vec<Map<String, Value>>> {
    let marks = read(bytes, path, id)?;
    let mut seen = BTreeSet::new();
    let serials = marks.iter().filter_map(|mark| mark.get("serial").and_then(Value::as_u64));
    match serials.into_iter().find(|serial| !seen.insert(*serial)) {
        None => Ok(marks),
        Some(twice) => Err(Error::refused(format!("{}: serial {twice} is in it twice", path.display()))
            .hint("a serial is on one unit only; the marks as the line gave them have each once")),
    }
}

/// The text form of each.
///
/// # Errors
/// The line gave them in another form.
pub fn texts(marks: &[Map<String, Value>]) -> Result<Vec<&str>> {
    marks.iter().map(|mark| mark.get("text").and_then(Value::as_str)).collect::<Option<_>>().ok_or_else(|| {
        Error::unusable("the line gave no text forms")
            .hint("ask once more with --as text: the same request gets the same marks, in whatever form")
    })
}

fn read(bytes: &[u8], path: &Path, id: &str) -> Result<Vec<Map<String, Value>>> {
    let text = std::str::from_utf8(bytes).map_err(|_| Error::file(path, "not UTF-8"))?;
    if !text.trim_start().starts_with('{') {
        let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
        return lines
            .map(|(n, line)| text_form(line).map_err(|e| Error::file(path, format_args!("line {}: {e}", n + 1))))
            .collect();
    }
    let answer: Value =
        serde_json::from_str(text.trim()).map_err(|e| Error::file(path, format_args!("no answer of the line: {e}")))?;
    if answer.get("id").and_then(Value::as_str) != Some(id) {
        let found = answer.get("id").map_or_else(|| "none".to_owned(), Value::to_string);
        return Err(Error::refused(format!("{}: the answer is to request {found}, not to {id:?}", path.display()))
            .hint("the map and the marks are of two substrates"));
    }
    let marks = answer.get("marks").and_then(Value::as_array).ok_or_else(|| {
        let said = |what: &str| answer.pointer(what).and_then(Value::as_str);
        let why = said("/error/message").unwrap_or("it does not say why");
        let refused = Error::refused(format!("{}: the line gave no marks: {why}", path.display()));
        said("/error/hint").map_or(refused.clone(), |hint| refused.hint(hint))
    })?;
    let object = |mark: &Value| mark.as_object().cloned().ok_or_else(|| Error::file(path, "a mark that is no object"));
    marks.iter().map(object).collect()
}

fn text_form(line: &str) -> std::result::Result<Map<String, Value>, String> {
    let bytes = base45::decode(line).map_err(|e| e.to_string())?;
    let signed = SignedMark::from_bytes(&bytes).map_err(|e| e.to_string())?;
    let members = [("serial", json!(signed.mark.serial.get())), ("text", json!(line))];
    Ok(members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

/// The good units of `substrate` with a mark each, in the order of both: a line of JSON each.
///
/// # Errors
/// There are more or fewer marks than good units.
pub fn place(substrate: &Substrate, marks: Vec<Map<String, Value>>) -> Result<String> {
    substrate.require_marks(marks.len())?;
    let mut out = String::new();
    for ((place, unit), mark) in substrate.good().zip(marks) {
        let mut line = Map::new();
        line.insert("substrate".to_owned(), json!(substrate.id));
        line.insert("x".to_owned(), json!(place.x));
        line.insert("y".to_owned(), json!(place.y));
        if !unit.bin.is_empty() {
            line.insert("bin".to_owned(), json!(unit.bin));
        }
        line.extend(mark);
        out += &Value::Object(line).to_string();
        out.push('\n');
    }
    Ok(out)
}
