//! `case pack`: a case as a bag that its investigator signed. What is signed, and why some of it can be left out later:
//! [`touchmark_formats::case`].

use super::bag::{self, BagError, PAYLOAD, at};
use super::classes::{self, FILES};
use super::folder::{Folder, Lines};
use super::record::PhotoResult;
use crate::material::RequesterKey;
use jiff::Timestamp;
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use touchmark_formats::case::{CaseSeal, Class, Commitment, Piece, Root, take_members};
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
    /// Photos that could not be taken in: those in archives, and those that are no longer as they were.
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
    let (mut photos, mut without) = (0, Vec::new());
    if packing.photos {
        let mut packed = BTreeSet::new();
        for result in folder.results()? {
            let photo = result?;
            match packer.photo(&photo, &mut packed)? {
                Taken::New => photos += 1,
                Taken::Already => {}
                Taken::Not => without.push(photo.photo.path),
            }
        }
    }
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
    Ok(Packed { signer, pieces, photos, without })
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

pub(super) fn write(path: &Path, bytes: &[u8]) -> Result<(), BagError> {
    crate::files::write_atomically(path, bytes).map_err(at(path))
}

/// A folder in the making, beside where it goes: it is there whole, or not at all.
pub(super) struct Place(tempfile::TempDir);

impl Place {
    pub(super) fn beside(out: &Path) -> Result<Self, BagError> {
        if std::fs::symlink_metadata(out).is_ok() {
            return Err(at(out)("it is there already: name a new folder"));
        }
        let parent = out.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        std::fs::create_dir_all(parent).map_err(at(parent))?;
        let mut builder = tempfile::Builder::new();
        builder.prefix(".touchmark-");
        // For whom the user's file mode mask lets, as any folder.
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o777));
        builder.tempdir_in(parent).map(Self).map_err(at(out))
    }

    pub(super) fn path(&self) -> &Path {
        self.0.path()
    }

    /// Puts it where it goes.
    pub(super) fn keep(self, out: &Path) -> Result<(), BagError> {
        std::fs::rename(self.0.path(), out).map_err(at(out))?;
        // It has moved; there is nothing left to be removed.
        let _ = self.0.keep();
        Ok(())
    }
}

enum Taken {
    New,
    Already,
    Not,
}

struct Packer {
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

    /// The salt of the next piece.
    fn salt(&self) -> [u8; 32] {
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
        let values: Box<dyn Iterator<Item = Result<Value, BagError>>> = if file == "case.json" {
            let case = serde_json::to_value(folder.case()?).map_err(at(&from));
            Box::new(std::iter::once(case))
        } else {
            Box::new(Lines::<Value>::open(&from)?.map(|line| line.map_err(BagError::from)))
        };
        for (n, value) in values.enumerate() {
            let mut value = value?;
            writeln!(out, "{}", canonical(&value)).map_err(at(&to))?;
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
        let commitment = commitment.finish();
        self.put(&Piece { class, file: name.to_owned(), line: None, commitment, salt: Some(salt), members: Vec::new() })
    }

    /// A photo, if it is still what was examined; its name in the bag is its hash, for its own may have to be left out.
    fn photo(&mut self, result: &PhotoResult, packed: &mut BTreeSet<String>) -> Result<Taken, BagError> {
        let Some(sha256) = result.photo.sha256.as_ref().filter(|hash| hash.len() == 64) else { return Ok(Taken::Not) };
        if packed.contains(sha256) {
            return Ok(Taken::Already);
        }
        let from = Path::new(&result.photo.path);
        let extension =
            from.extension().and_then(|e| e.to_str()).filter(|e| e.chars().all(|c| c.is_ascii_alphanumeric()));
        let name = format!("photos/{sha256}.{}", extension.unwrap_or("bin").to_ascii_lowercase());
        let to = self.payload.join(&name);
        let mut hash = Sha256::new();
        if !sha256.bytes().all(|b| b.is_ascii_hexdigit()) || copied(from, &to, |bytes| hash.update(bytes)).is_err() {
            return Ok(Taken::Not);
        }
        let found: String = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        if found != *sha256 {
            std::fs::remove_file(&to).map_err(at(&to))?;
            return Ok(Taken::Not);
        }
        // Once more from the copy: what is committed to is what is in the bag.
        let salt = self.salt();
        let mut commitment = Commitment::new(&salt);
        read_all(&to, |bytes| commitment.update(bytes))?;
        let commitment = commitment.finish();
        self.put(&Piece {
            class: Class::Photo,
            file: name,
            line: None,
            commitment,
            salt: Some(salt),
            members: Vec::new(),
        })?;
        packed.insert(sha256.clone());
        Ok(Taken::New)
    }

    fn finish(self) -> Result<(u64, [u8; 32]), BagError> {
        let file = self.evidence.into_inner().map_err(|e| at(&self.evidence_path)(e.into_error()))?;
        file.sync_all().map_err(at(&self.evidence_path))?;
        Ok((self.root.count(), self.root.finish()))
    }
}

/// Reads a file to its end in pieces.
pub(super) fn read_all(path: &Path, mut seen: impl FnMut(&[u8])) -> Result<(), BagError> {
    let mut file = bag::open_regular(path)?;
    let mut buffer = vec![0; 1 << 16];
    loop {
        let n = file.read(&mut buffer).map_err(at(path))?;
        match buffer.get(..n) {
            Some(read) if !read.is_empty() => seen(read),
            _ => return Ok(()),
        }
    }
}

/// Copies a file, making its folder, and shows the bytes as they go by.
pub(super) fn copied(from: &Path, to: &Path, mut seen: impl FnMut(&[u8])) -> Result<(), BagError> {
    let mut wrote = Ok(());
    if let Some(folder) = to.parent() {
        std::fs::create_dir_all(folder).map_err(at(folder))?;
    }
    // The source first: a missing one leaves no empty copy behind.
    bag::open_regular(from)?;
    let mut out = File::create(to).map_err(at(to))?;
    read_all(from, |bytes| {
        seen(bytes);
        if wrote.is_ok() {
            wrote = out.write_all(bytes);
        }
    })?;
    wrote.and_then(|()| out.sync_all()).map_err(at(to))
}

#[cfg(test)]
#[path = "pack/tests.rs"]
mod tests;
