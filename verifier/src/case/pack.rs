//! `case pack`: a case as a bag that its investigator signed. What is signed, and why some of it can be left out later:
//! [`touchmark_formats::case`].

use super::bag::{self, BagError, PAYLOAD, at};
use super::classes::{self, CASE, FILES};
use super::folder::{Folder, Lines};
use super::photos::{self, Photos};
use super::place::{Place, copied, write};
use crate::material::RequesterKey;
use jiff::Timestamp;
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use touchmark_formats::case::{CaseSeal, Class, Commitment, Piece, Root, take_members, to_line};
use touchmark_formats::key::KeyBytes;
use touchmark_formats::signed::{Signed, canonical, is_line, message};
use zeroize::Zeroizing;

/// The envelope with the signature.
pub(super) const SEAL: &str = "touchmark-seal.json";
/// The pieces of evidence, a line each.
pub(super) const EVIDENCE: &str = "touchmark-evidence.jsonl";
/// What can be made anew from the rest.
pub(super) const DERIVED: [&str; 3] = ["flows.graphml", "report.html", "results.csv"];
/// The program, as it signs.
pub(super) const TOOL: &str = concat!("touchmark-verify ", env!("CARGO_PKG_VERSION"));

const UNLIKE: &str = "a name of a member is not ASCII, or an integer is above 2^53 - 1: not every program would read it alike, so it is not signed";

/// What a pack is made with.
pub struct Packing<'a> {
    /// The investigator's key.
    pub key: &'a RequesterKey,
    /// Whether the photos themselves go into it.
    pub photos: bool,
    /// The present.
    pub now: Timestamp,
    /// Randomness that nobody else has: what is left out later cannot be found out by trying.
    pub secret: Zeroizing<[u8; 32]>,
}

/// What was packed.
#[derive(Debug, PartialEq, Eq)]
pub struct Packed {
    /// Whose signature it has.
    pub signer: KeyBytes,
    /// Pieces of evidence.
    pub pieces: u64,
    /// Photos in it.
    pub photos: u64,
    /// Photos that could not be taken in: those that were never opened, are gone, or are no longer as they were.
    pub without: Vec<String>,
}

/// Packs the case in `folder` into a new folder `out`, whole or not at all.
///
/// # Errors
/// [`BagError`].
pub fn pack(folder: &Folder, out: &Path, packing: &Packing<'_>) -> Result<Packed, BagError> {
    let case = folder.case()?;
    if !is_line(&case.name) {
        return Err(at(&folder.case_json())("the name of the case is not one that can be signed"));
    }
    let place = Place::beside(out)?;
    let mut packer = Packer::new(place.path(), packing)?;
    for file in FILES {
        packer.lines(folder, file)?;
    }
    let crops = folder.crops();
    let crops = if crops.exists() { bag::files_below(folder.root(), &crops)? } else { Vec::new() };
    for crop in crops {
        packer.file(Class::Crop, &folder.root().join(&crop), &crop)?;
    }
    let taken = if packing.photos { photos::take(&mut packer, folder)? } else { Photos::default() };
    for name in DERIVED {
        let path = folder.root().join(name);
        if path.exists() {
            packer.file(Class::Derived, &path, name)?;
        }
    }
    let (pieces, root) = packer.finish()?;
    let seal = CaseSeal {
        case: case.name.clone(),
        tool: TOOL.to_owned(),
        // Files that people read say seconds.
        sealed: Timestamp::from_second(packing.now.as_second()).unwrap_or(packing.now),
        pieces,
        root,
    };
    let mut envelope = Signed::new(seal);
    let (signer, signature) = packing.key.sign(&message(&envelope.signed));
    envelope.attach(signer, signature);
    write(&place.path().join(SEAL), envelope.to_json().as_bytes())?;
    bag::finish(place.path(), &info(&case.name, packing.now, "a case, as it was examined"))?;
    place.keep(out)?;
    Ok(Packed { signer, pieces, photos: taken.count, without: taken.without })
}

/// What `bag-info.txt` says.
pub(super) fn info(case: &str, now: Timestamp, description: &str) -> [(&'static str, String); 4] {
    [
        ("External-Identifier", case.to_owned()),
        ("External-Description", description.to_owned()),
        ("Bagging-Date", now.strftime("%Y-%m-%d").to_string()),
        ("Bag-Software-Agent", TOOL.to_owned()),
    ]
}

/// What fills a bag.
pub(super) struct Packer {
    payload: PathBuf,
    evidence: BufWriter<File>,
    evidence_path: PathBuf,
    root: Root,
    secret: Zeroizing<[u8; 32]>,
}

impl Packer {
    fn new(bag: &Path, packing: &Packing<'_>) -> Result<Self, BagError> {
        let (payload, evidence_path) = (bag.join(PAYLOAD), bag.join(EVIDENCE));
        std::fs::create_dir_all(&payload).map_err(at(&payload))?;
        let evidence = BufWriter::new(File::create(&evidence_path).map_err(at(&evidence_path))?);
        Ok(Self { payload, evidence, evidence_path, root: Root::default(), secret: packing.secret.clone() })
    }

    /// The folder with what is packed.
    pub(super) fn payload(&self) -> &Path {
        &self.payload
    }

    /// The salt of the next piece.
    pub(super) fn salt(&self) -> [u8; 32] {
        let hash = Sha256::new().chain_update(b"touchmark/v1/case-salt\0").chain_update(self.secret.as_slice());
        hash.chain_update(self.root.count().to_be_bytes()).finalize().into()
    }

    fn put(&mut self, piece: &Piece) -> Result<(), BagError> {
        self.root.push(piece.leaf());
        let line = serde_json::to_string(piece).map_err(at(&self.evidence_path))?;
        writeln!(self.evidence, "{line}").map_err(at(&self.evidence_path))
    }

    /// The lines of a file, each in its canonical form and in pieces by class.
    fn lines(&mut self, folder: &Folder, file: &str) -> Result<(), BagError> {
        let from = folder.root().join(file);
        let to = self.payload.join(file);
        let mut out = BufWriter::new(File::create(&to).map_err(at(&to))?);
        let values: Box<dyn Iterator<Item = Result<Value, BagError>>> = if file == CASE {
            let case = serde_json::to_value(folder.case()?).map_err(at(&from));
            Box::new(std::iter::once(case))
        } else {
            Box::new(Lines::<Value>::open(&from)?.map(|line| line.map_err(BagError::from)))
        };
        for (n, value) in values.enumerate() {
            let mut value = value?;
            let unlike = || at(&from)(format!("line {}: {UNLIKE}", n + 1));
            writeln!(out, "{}", to_line(&value).ok_or_else(unlike)?).map_err(at(&to))?;
            for (class, members) in classes::classified(file, &value) {
                let taken = take_members(&mut value, &members);
                // They were found in this very line.
                let content = taken.ok_or_else(|| at(&from)(format!("line {}: not in the expected form", n + 1)))?;
                self.piece(class, file, n, &content, members)?;
            }
            self.piece(Class::Record, file, n, &canonical(&value), Vec::new())?;
        }
        out.into_inner().map_err(|e| at(&to)(e.into_error()))?.sync_all().map_err(at(&to))
    }

    fn piece(
        &mut self,
        class: Class,
        file: &str,
        n: usize,
        content: &str,
        members: Vec<String>,
    ) -> Result<(), BagError> {
        let salt = self.salt();
        let commitment = Commitment::to(&salt, content.as_bytes());
        let line = Some(n as u64 + 1);
        self.put(&Piece { class, file: file.to_owned(), line, commitment, salt: Some(salt), members })
    }

    /// A whole file, copied.
    fn file(&mut self, class: Class, from: &Path, name: &str) -> Result<(), BagError> {
        let to = self.payload.join(name);
        let salt = self.salt();
        let mut commitment = Commitment::new(&salt);
        copied(from, &to, |bytes| commitment.update(bytes))?;
        self.whole(class, name, salt, commitment)
    }

    /// A whole file that is in the payload already, and was committed to with the salt of the next piece.
    pub(super) fn whole(
        &mut self,
        class: Class,
        name: &str,
        salt: [u8; 32],
        commitment: Commitment,
    ) -> Result<(), BagError> {
        let (file, commitment) = (name.to_owned(), commitment.finish());
        self.put(&Piece { class, file, line: None, commitment, salt: Some(salt), members: Vec::new() })
    }

    fn finish(self) -> Result<(u64, [u8; 32]), BagError> {
        let file = self.evidence.into_inner().map_err(|e| at(&self.evidence_path)(e.into_error()))?;
        file.sync_all().map_err(at(&self.evidence_path))?;
        Ok((self.root.count(), self.root.finish()))
    }
}

#[cfg(test)]
#[path = "pack/tests.rs"]
mod tests;
