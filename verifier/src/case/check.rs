//! `case verify`: whether a bag is what its investigator signed, and what was left out of it since.

use super::bag::{self, BagError, PAYLOAD, at};
use super::classes::FILES;
use super::pack::{DERIVED, EVIDENCE, SEAL, read_all};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use touchmark_formats::case::{CaseSeal, Class, Commitment, Piece, Root, take_members};
use touchmark_formats::key::KeyBytes;
use touchmark_formats::signed::{Signed, canonical};

/// The most problems that are told one by one.
const MOST_PROBLEMS: usize = 50;
/// The largest seal, in bytes.
const MAX_SEAL_BYTES: u64 = 1 << 20;

/// What is found out about a bag.
#[derive(Debug)]
pub struct Checked {
    /// What was signed.
    pub seal: CaseSeal,
    /// The keys of which it has a good signature.
    pub signers: Vec<KeyBytes>,
    /// What is not as it was signed or as the manifests say, a sentence each; empty: nothing.
    pub problems: Vec<String>,
    /// Pieces of evidence that were left out, by class.
    pub left_out: BTreeMap<Class, u64>,
    /// Files that were made anew from what is left, and that nobody signed.
    pub made_anew: Vec<String>,
}

/// Checks the bag at `bag`: manifests, completeness, signature, every piece of evidence.
///
/// # Errors
/// [`BagError`] if it is no bag of a case.
pub fn check(bag: &Path) -> Result<Checked, BagError> {
    let problems = bag::differences(bag)?;
    let path = bag.join(SEAL);
    bag::open_regular(&path)?;
    let bytes = crate::files::read_regular(&path, MAX_SEAL_BYTES).map_err(|_| at(&path)("it cannot be read"))?;
    let envelope: Signed<CaseSeal> = Signed::from_json(&bytes).map_err(at(&path))?;
    let good = |key: &KeyBytes| key.check().is_ok_and(|key| envelope.is_signed_by(&key));
    let mut signers: Vec<KeyBytes> = envelope.signatures.iter().map(|entry| entry.key).filter(good).collect();
    signers.dedup();
    let mut checked =
        Checked { signers, problems, left_out: BTreeMap::new(), made_anew: Vec::new(), seal: envelope.signed };
    if checked.signers.is_empty() {
        checked.problem(format!("{SEAL}: no good signature"));
    }
    let pieces = pieces(bag)?;
    let mut root = Root::default();
    pieces.iter().for_each(|piece| root.push(piece.leaf()));
    if root.count() != checked.seal.pieces || root.finish() != checked.seal.root {
        checked.problem(format!("{EVIDENCE}: not the evidence that was signed"));
    }
    checked.evidence(bag, &pieces)?;
    Ok(checked)
}

/// The list of evidence.
pub(super) fn pieces(bag: &Path) -> Result<Vec<Piece>, BagError> {
    let path = bag.join(EVIDENCE);
    let piece = |(n, line): (usize, Result<String, BagError>)| {
        serde_json::from_str(&line?).map_err(|e| at(&path)(format!("line {}: {e}", n + 1)))
    };
    bag::lines(&path)?.enumerate().map(piece).collect()
}

impl Checked {
    fn problem(&mut self, what: String) {
        if self.problems.len() < MOST_PROBLEMS {
            self.problems.push(what);
        }
    }

    /// Holds every file of the payload against its pieces.
    fn evidence(&mut self, bag: &Path, pieces: &[Piece]) -> Result<(), BagError> {
        let payload = bag.join(PAYLOAD);
        let mut files: BTreeMap<&str, BTreeMap<u64, Vec<&Piece>>> = BTreeMap::new();
        for piece in pieces {
            if piece.salt.is_none() && piece.class != Class::Derived {
                *self.left_out.entry(piece.class).or_default() += 1;
            }
            if piece.class.is_file() == piece.line.is_some()
                || FILES.contains(&piece.file.as_str()) == piece.class.is_file()
            {
                self.problem(format!("{}: a {} is not evidence of its kind", piece.file, piece.class.name()));
                continue;
            }
            files.entry(&piece.file).or_default().entry(piece.line.unwrap_or(0)).or_default().push(piece);
        }
        let there: BTreeSet<String> = bag::files_below(&payload, &payload)?.into_iter().collect();
        for name in &there {
            let Some(own) = files.remove(name.as_str()) else {
                self.problem(format!("{name}: it is no evidence that was signed"));
                continue;
            };
            if FILES.contains(&name.as_str()) {
                self.lines(&payload.join(name), name, own)?;
            } else {
                self.file(&payload.join(name), name, own.into_values().flatten().collect())?;
            }
        }
        for (name, pieces) in files {
            if pieces.values().flatten().any(|piece| piece.salt.is_some() || piece.class == Class::Record) {
                self.problem(format!("{name}: it was signed, and is not there"));
            }
        }
        Ok(())
    }

    fn file(&mut self, path: &Path, name: &str, pieces: Vec<&Piece>) -> Result<(), BagError> {
        let [piece] = pieces.as_slice() else {
            self.problem(format!("{name}: it is evidence twice"));
            return Ok(());
        };
        match piece.salt {
            Some(salt) => {
                let mut commitment = Commitment::new(&salt);
                read_all(path, |bytes| commitment.update(bytes))?;
                if commitment.finish() != piece.commitment {
                    self.problem(format!("{name}: it is not as it was signed"));
                }
            }
            None if piece.class == Class::Derived && DERIVED.contains(&name) => self.made_anew.push(name.to_owned()),
            None => self.problem(format!("{name}: it was left out, and something else is in its place")),
        }
        Ok(())
    }

    fn lines(&mut self, path: &Path, name: &str, mut pieces: BTreeMap<u64, Vec<&Piece>>) -> Result<(), BagError> {
        for (n, line) in bag::lines(path)?.enumerate() {
            let (number, line) = (n as u64 + 1, line?);
            let own = pieces.remove(&number).unwrap_or_default();
            if let Some(what) = line_problem(&line, &own) {
                self.problem(format!("{name}, line {number}: {what}"));
            }
        }
        for number in pieces.into_keys() {
            self.problem(format!("{name}, line {number}: it was signed, and is not there"));
        }
        Ok(())
    }
}

/// What is wrong with a line, whose pieces these are.
fn line_problem(line: &str, pieces: &[&Piece]) -> Option<&'static str> {
    let Ok(mut value) = serde_json::from_str::<Value>(line) else { return Some("it is no JSON") };
    // One spelling only, for readers may differ over names that stand twice.
    if canonical(&value) != line {
        return Some("it is not in its canonical form");
    }
    let mut record = None;
    for piece in pieces {
        match (piece.class, piece.salt) {
            (Class::Record, Some(salt)) if record.is_none() => record = Some((salt, piece.commitment)),
            (Class::Record, _) => return Some("it is not one record"),
            (_, None) => {}
            (_, Some(salt)) => {
                let content = take_members(&mut value, &piece.members);
                if content.is_none_or(|content| Commitment::to(&salt, content.as_bytes()) != piece.commitment) {
                    return Some("it is not as it was signed");
                }
            }
        }
    }
    match record {
        None => Some("it is no evidence that was signed"),
        Some((salt, commitment)) if Commitment::to(&salt, canonical(&value).as_bytes()) != commitment => {
            Some("it is not as it was signed")
        }
        Some(_) => None,
    }
}
