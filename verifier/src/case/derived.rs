//! What was made from the evidence of a bag, made anew beside it and held against what stands there.

use super::bag::{BagError, at, read_all};
use super::folder::{Folder, FolderError, FolderErrorKind};
use super::pack::TOOL;
use super::report::{self, Language};
use super::table;
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// How a file that is made from the evidence stands to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Derived {
    /// It is what this program makes of the evidence.
    AsMade,
    /// It is not, though the case is of this very version.
    Differs,
    /// It is not, and the case is of another version, which may make another.
    OtherVersion,
    /// Nobody can tell: the evidence is not as it was signed, or is of a kind that this program does not read.
    NotCompared,
}

/// Says how each of the `files` of the payload stands to the evidence there. Those that are `made_anew` are to say, where they
/// say so at all, that some of it was left out.
///
/// # Errors
/// The bag cannot be read, or the temporary folder not be written.
pub(super) fn compare(
    payload: &Path,
    made_anew: &[String],
    files: &mut BTreeMap<String, Derived>,
) -> Result<(), BagError> {
    let evidence = Folder::at(payload);
    let case = match evidence.case() {
        Ok(case) => case,
        Err(e) => return unread(e),
    };
    let place = tempfile::tempdir().map_err(at(&std::env::temp_dir()))?;
    let own = Folder::at(place.path());
    let other = if case.tool == TOOL { Derived::Differs } else { Derived::OtherVersion };
    for (name, derived) in files {
        let (there, made) = (payload.join(name), place.path().join(name));
        let found = digest(&there)?;
        // A case that was itself taken out of a redacted bag has a signed report which says so.
        let kinds: &[bool] = if made_anew.contains(name) { &[true] } else { &[false, true] };
        *derived = other;
        for redacted in kinds {
            match make(&evidence, &own, name, language(&there), *redacted) {
                Ok(()) if digest(&made)? == found => {
                    *derived = Derived::AsMade;
                    break;
                }
                Ok(()) => {}
                Err(e) => {
                    *derived = Derived::NotCompared;
                    return unread(e);
                }
            }
        }
    }
    Ok(())
}

/// Makes the file called `name` in the folder `own`.
fn make(evidence: &Folder, own: &Folder, name: &str, language: Language, redacted: bool) -> Result<(), FolderError> {
    match name {
        "results.csv" => table::write_copy(evidence, own),
        "flows.graphml" => report::write_flows(evidence, own),
        _ => report::write_copy(evidence, own, language, redacted),
    }
}

/// What evidence that cannot be read means: of a kind that is of another program, nothing is made.
fn unread(error: FolderError) -> Result<(), BagError> {
    match error.kind {
        FolderErrorKind::Io(_) => Err(error.into()),
        _ => Ok(()),
    }
}

fn digest(path: &Path) -> Result<[u8; 32], BagError> {
    let mut hash = Sha256::new();
    read_all(path, |bytes| hash.update(bytes))?;
    Ok(hash.finalize().into())
}

/// The language in which a report opens, by its first bytes.
fn language(report: &Path) -> Language {
    let mut head = Vec::new();
    let read = File::open(report).and_then(|file| file.take(64).read_to_end(&mut head));
    let head = String::from_utf8_lossy(&head);
    let opens = |(language, _): &(Language, &str)| head.contains(&format!("<html lang=\"{}\">", language.tag()));
    let language = Language::ALL.into_iter().find(opens).filter(|_| read.is_ok());
    // One that says none is none of ours, and differs.
    language.map_or_else(Language::default, |(language, _)| language)
}

#[cfg(test)]
mod tests;
