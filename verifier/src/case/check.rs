//! `case verify`: whether a bag is what its investigator signed, and what was left out of it since.

use super::bag::{self, BagError, PAYLOAD, at, read_all};
use super::classes::{CASE, FILES};
use super::derived::{self, Derived};
use super::pack::{DERIVED, EVIDENCE, SEAL};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use touchmark_formats::case::{CaseSeal, Class, Commitment, Piece, Root, are_apart, from_line, take_members};
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
    /// Files that should be made anew from what is left, and that nobody signed.
    pub made_anew: Vec<String>,
    /// How each file that is made from the evidence stands to it.
    pub derived: BTreeMap<String, Derived>,
}

/// Checks the bag at `bag`: manifests, completeness, signature, every piece of evidence; and whether what was made from the
/// evidence is what this program makes of it.
///
/// # Errors
/// [`BagError`] if it is no bag of a case, or nothing can be made anew for want of room in the folder for temporary files.
pub fn check(bag: &Path) -> Result<Checked, BagError> {
    let mut checked = evidence(bag)?;
    // Of evidence that is not as it was signed, nothing can be made that would tell anything.
    if checked.problems.is_empty() {
        derived::compare(&bag.join(PAYLOAD), &checked.made_anew, &mut checked.derived)?;
    }
    let differs = checked.derived.iter().filter(|(_, derived)| **derived == Derived::Differs);
    let differs: Vec<String> = differs.map(|(name, _)| format!("{name}: {DIFFERS}")).collect();
    differs.into_iter().for_each(|what| checked.problem(what));
    Ok(checked)
}

const DIFFERS: &str = "it is not what this program makes of the evidence";

/// Checks the bag at `bag` but for what was made from the evidence.
pub(super) fn evidence(bag: &Path) -> Result<Checked, BagError> {
    let problems = bag::differences(bag)?;
    let path = bag.join(SEAL);
    bag::open_regular(&path)?;
    let bytes = crate::files::read_regular(&path, MAX_SEAL_BYTES).map_err(|_| at(&path)("it cannot be read"))?;
    let envelope: Signed<CaseSeal> = Signed::from_json(&bytes).map_err(at(&path))?;
    let good = |key: &KeyBytes| key.check().is_ok_and(|key| envelope.is_signed_by(&key));
    let mut signers: Vec<KeyBytes> = envelope.signatures.iter().map(|entry| entry.key).filter(good).collect();
    signers.dedup();
    let mut checked = Checked {
        signers,
        problems,
        left_out: BTreeMap::new(),
        made_anew: Vec::new(),
        derived: BTreeMap::new(),
        seal: envelope.signed,
    };
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
        Piece::from_line(&line?).map_err(|e| at(&path)(format!("line {}: {e}", n + 1)))
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
            let own = files.remove(name.as_str());
            if FILES.contains(&name.as_str()) {
                // One without lines is evidence without pieces.
                self.lines(&payload.join(name), name, own.unwrap_or_default())?;
            } else if let Some(own) = own {
                self.file(&payload.join(name), name, own.into_values().flatten().collect())?;
            } else {
                self.problem(format!("{name}: it is no evidence that was signed"));
            }
        }
        for name in FILES.into_iter().filter(|name| !there.contains(*name) && !files.contains_key(name)) {
            self.problem(format!("{name}: it is not there, and every case has it"));
        }
        for (name, pieces) in files {
            let stays = |piece: &&Piece| piece.salt.is_some() || piece.class == Class::Record;
            if FILES.contains(&name) || pieces.values().flatten().any(stays) {
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
        if piece.class == Class::Derived && DERIVED.contains(&name) {
            self.derived.insert(name.to_owned(), Derived::NotCompared);
        }
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
        let mut number = 0;
        for line in bag::lines(path)? {
            let line = match line {
                Ok(line) => line,
                Err(e) => {
                    self.problem(format!("{name}, {}", e.what));
                    return Ok(());
                }
            };
            number += 1;
            let own = pieces.remove(&number).unwrap_or_default();
            if name == CASE && number > 1 {
                self.problem(format!("{name}, line {number}: a case is one line"));
                return Ok(());
            }
            if let Some(what) = line_problem(&line, &own) {
                self.problem(format!("{name}, line {number}: {what}"));
            }
        }
        if name == CASE && number == 0 && pieces.is_empty() {
            self.problem(format!("{name}: a case is one line"));
        }
        for number in pieces.into_keys() {
            self.problem(format!("{name}, line {number}: it was signed, and is not there"));
        }
        Ok(())
    }
}

/// What is wrong with a line, whose pieces these are.
fn line_problem(line: &str, pieces: &[&Piece]) -> Option<&'static str> {
    // One spelling only, for readers may differ over names that stand twice.
    let Some(mut value) = from_line(line) else { return Some("it is not in its canonical form") };
    if !are_apart(pieces.iter().flat_map(|piece| &piece.members)) {
        return Some("a member of it is in two pieces");
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
