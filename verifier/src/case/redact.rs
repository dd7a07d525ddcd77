//! `case redact`: a copy of a bag without what is private. The signature over what remains still holds.

use super::bag::{self, BagError, PAYLOAD, at};
use super::check::{evidence, pieces};
use super::classes::FILES;
use super::folder::Folder;
use super::pack::{DERIVED, EVIDENCE, SEAL, info};
use super::place::{Place, copied};
use super::report::{self, Language};
use jiff::Timestamp;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use touchmark_formats::case::{Class, Piece, take_member};
use touchmark_formats::signed::canonical;

/// What may be left out, and is unless it is asked to stay.
pub const PRIVATE: [Class; 4] = [Class::Consignee, Class::Place, Class::Path, Class::Photo];

/// What a redaction leaves out.
#[derive(Debug)]
pub struct Redaction {
    /// The classes that go.
    pub classes: BTreeSet<Class>,
    /// The language of the new report.
    pub language: Language,
    /// The present.
    pub now: Timestamp,
}

/// Copies the bag at `from` into a new folder `out` without what `redaction` names, whole or not at all, and gives how many
/// pieces of each class are missing from it.
///
/// # Errors
/// [`BagError`]; also if the bag is not what was signed.
pub fn redact(from: &Path, out: &Path, redaction: &Redaction) -> Result<BTreeMap<Class, u64>, BagError> {
    // What was made from the evidence does not go into the copy.
    let checked = evidence(from)?;
    if let Some(problem) = checked.problems.first() {
        return Err(at(from)(format!("it is not what was signed ({problem}); a copy would not be, either")));
    }
    let mut pieces = pieces(from)?;
    let goes = |piece: &Piece| redaction.classes.contains(&piece.class);
    let place = Place::beside(out)?;
    let payload = place.path().join(PAYLOAD);
    std::fs::create_dir_all(&payload).map_err(at(&payload))?;
    for file in FILES {
        let gone = pieces.iter().filter(|piece| piece.file == file && goes(piece));
        let mut members: BTreeMap<u64, Vec<String>> = BTreeMap::new();
        gone.for_each(|piece| members.entry(piece.line.unwrap_or(0)).or_default().extend(piece.members.clone()));
        lines(&from.join(PAYLOAD).join(file), &payload.join(file), &members)?;
    }
    for piece in pieces.iter().filter(|piece| piece.class.is_file() && piece.salt.is_some() && !goes(piece)) {
        if piece.class != Class::Derived {
            copied(&from.join(PAYLOAD).join(&piece.file), &payload.join(&piece.file), |_| {})?;
        }
    }
    // What was made from the evidence would still say what is left out of it.
    for piece in pieces.iter_mut().filter(|piece| goes(piece) || piece.class == Class::Derived) {
        piece.leave_out();
    }
    let made: Vec<&str> = DERIVED.into_iter().filter(|name| pieces.iter().any(|piece| piece.file == *name)).collect();
    make_anew(&Folder::at(&payload), &made, redaction.language)?;
    copied(&from.join(SEAL), &place.path().join(SEAL), |_| {})?;
    write_pieces(&place.path().join(EVIDENCE), &pieces)?;
    bag::finish(place.path(), &info(&checked.seal.case, redaction.now, "a case, of which some evidence was left out"))?;
    place.keep(out)?;
    let mut left_out = BTreeMap::new();
    for piece in pieces.iter().filter(|piece| piece.salt.is_none() && piece.class != Class::Derived) {
        *left_out.entry(piece.class).or_default() += 1;
    }
    Ok(left_out)
}

/// Copies lines without the members named for each.
fn lines(from: &Path, to: &Path, members: &BTreeMap<u64, Vec<String>>) -> Result<(), BagError> {
    let mut out = BufWriter::new(File::create(to).map_err(at(to))?);
    for (n, line) in bag::lines(from)?.enumerate() {
        let line = line?;
        let line = match members.get(&(n as u64 + 1)) {
            None => line,
            Some(members) => {
                let mut value: Value = serde_json::from_str(&line).map_err(at(from))?;
                for pointer in members {
                    // The check has found them there.
                    let _ = take_member(&mut value, pointer);
                }
                canonical(&value)
            }
        };
        writeln!(out, "{line}").map_err(at(to))?;
    }
    out.into_inner().map_err(|e| at(to)(e.into_error()))?.sync_all().map_err(at(to))
}

/// Makes those of the derived files anew that the bag had.
fn make_anew(folder: &Folder, names: &[&str], language: Language) -> Result<(), BagError> {
    if names.contains(&"report.html") || names.contains(&"flows.graphml") {
        report::write_copy(folder, folder, language, true)?;
    }
    for (name, path) in [("report.html", folder.report_html()), ("flows.graphml", folder.flows_graphml())] {
        if !names.contains(&name) && path.exists() {
            std::fs::remove_file(&path).map_err(at(&path))?;
        }
    }
    if names.contains(&"results.csv") {
        super::table::write(folder)?;
    }
    Ok(())
}

fn write_pieces(path: &Path, pieces: &[Piece]) -> Result<(), BagError> {
    let mut out = BufWriter::new(File::create(path).map_err(at(path))?);
    for piece in pieces {
        let line = serde_json::to_string(piece).map_err(at(path))?;
        writeln!(out, "{line}").map_err(at(path))?;
    }
    out.into_inner().map_err(|e| at(path)(e.into_error()))?.sync_all().map_err(at(path))
}
