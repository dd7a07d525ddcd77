//! Answers to orders: a table with a row a mark, and the artwork as files beside it.

use super::table::Order;
use crate::error::{Error, Result};
use crate::files::{self, Access};
use crate::line::protocol::{Answer, Form, Mark};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::fs;
use std::path::{Path, PathBuf};

/// A row of an order with its answer.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row<'a> {
    pub(super) order: &'a Order,
    pub(super) answer: &'a Answer,
}

/// What the answers to an order amount to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Outcome {
    /// The store failed on one of them at least: ask for all once more.
    Retry(String),
    /// All marks are from an earlier answer.
    Before,
    /// No row has marks.
    Refused(Vec<String>),
    /// There are marks; rows that have none say why.
    Answered,
}

/// Judges answers. `fresh` says that the order was not begun before by whoever asks now.
pub(super) fn judge(rows: &[Row<'_>], fresh: bool) -> Outcome {
    let failures = || rows.iter().filter_map(|row| row.answer.error.as_ref().map(|failure| (row.order.line, failure)));
    if let Some((_, failure)) = failures().find(|(_, failure)| failure.kind == "retry") {
        return Outcome::Retry(failure.message.clone());
    }
    let problems: Vec<String> = failures()
        .map(|(line, failure)| {
            let hint = failure.hint.as_ref().map_or_else(String::new, |hint| format!("; {hint}"));
            format!("line {line}: {}{hint}", failure.message)
        })
        .collect();
    match rows {
        _ if problems.len() == rows.len() => Outcome::Refused(problems),
        _ if fresh && rows.iter().any(|row| row.answer.again) => Outcome::Before,
        _ => Outcome::Answered,
    }
}

/// The names that belong to one order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Names {
    /// The order.
    pub(super) order: PathBuf,
    /// What the ids of its requests begin with.
    pub(super) id: String,
}

impl Names {
    /// Those of the complete answer at `path`; `None` if it is none.
    pub(super) fn of_answer(path: &Path) -> Option<Self> {
        let name = path.file_name()?.to_str()?.strip_suffix(".answer")?;
        let (order, id) = name.rsplit_once('.')?;
        Some(Self { order: path.with_file_name(order), id: id.to_owned() })
    }

    /// Where the answer is made.
    pub(super) fn answer(&self) -> PathBuf {
        self.beside("answer")
    }

    /// Where its artwork is made.
    pub(super) fn artwork(&self) -> PathBuf {
        self.beside("artwork")
    }

    /// What the folder of artwork is called in the end: no other order has this name.
    pub(super) fn artwork_name(&self) -> String {
        let stem = self.order.file_stem().unwrap_or_default().to_string_lossy();
        format!("{stem}-{}", self.id.get(..8).unwrap_or(&self.id))
    }

    fn beside(&self, suffix: &str) -> PathBuf {
        let mut name = self.order.file_name().unwrap_or_default().to_owned();
        name.push(format!(".{}.{suffix}", self.id));
        self.order.with_file_name(name)
    }
}

/// Writes the answer to an order: artwork first, for the table says that it is there.
pub(super) fn write(names: &Names, rows: &[Row<'_>]) -> Result<()> {
    let (dir, path) = (names.artwork(), names.answer());
    if rows.iter().any(|row| row.answer.marks.iter().any(|mark| mark.artwork.is_some())) {
        fs::create_dir_all(&dir).map_err(|e| Error::io("make", &dir, &e))?;
    }
    let mut table = csv::Writer::from_writer(Vec::new());
    let broken = |e: csv::Error| Error::file(&path, e);
    table
        .write_record(["line", "part", "lot", "date", "serial", "text", "matrix", "artwork", "error"])
        .map_err(broken)?;
    for Row { order, answer } in rows {
        let line = order.line.to_string();
        let found = answer.found.as_ref();
        let part = found.map(|f| f.part.as_str()).or(order.request.part.as_ref().map(|p| p.as_str()));
        let lot = found.and_then(|f| f.lot.as_ref()).or(order.request.lot.as_ref()).map(|lot| lot.as_str());
        let date = found.map(|f| f.date).or(order.request.date).map(|date| date.to_string());
        let head =
            [line.as_str(), part.unwrap_or_default(), lot.unwrap_or_default(), date.as_deref().unwrap_or_default()];
        if let Some(failure) = &answer.error {
            let rest = ["", "", "", "", failure.message.as_str()];
            table.write_record(head.iter().chain(&rest)).map_err(broken)?;
        }
        for mark in &answer.marks {
            let file = artwork(&dir, mark, answer.form)?;
            let file = file.map(|file| format!("{}/{file}", names.artwork_name())).unwrap_or_default();
            let serial = mark.serial.to_string();
            let (text, matrix) = (mark.text.as_deref().unwrap_or_default(), mark.matrix.as_deref().unwrap_or_default());
            let rest = [serial.as_str(), text, matrix, file.as_str(), ""];
            table.write_record(head.iter().chain(&rest)).map_err(broken)?;
        }
    }
    let bytes = table.into_inner().map_err(|e| Error::file(&path, e))?;
    files::write(&path, &bytes, Access::Ordinary)
}

/// Writes the artwork of a mark, and says what its file is called.
fn artwork(dir: &Path, mark: &Mark, form: Option<Form>) -> Result<Option<String>> {
    let Some(artwork) = &mark.artwork else { return Ok(None) };
    let (extension, bytes) = match form {
        Some(Form::Png) => ("png", STANDARD.decode(artwork).map_err(|e| Error::file(dir, e))?),
        Some(Form::Svg) => ("svg", artwork.as_bytes().to_vec()),
        Some(Form::Dxf) => ("dxf", artwork.as_bytes().to_vec()),
        Some(Form::Zpl | Form::Text | Form::Matrix) | None => ("zpl", artwork.as_bytes().to_vec()),
    };
    let file = format!("{}.{extension}", mark.serial);
    files::write(&dir.join(&file), &bytes, Access::Ordinary)?;
    Ok(Some(file))
}
