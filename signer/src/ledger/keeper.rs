//! The ledger of a maker's home: its store, the key of its checkpoints, and what is said under that key.

use super::store::Ledger;
use crate::error::{Error, Result};
use crate::files::{self, Access};
use crate::home::Home;
use crate::keys::{Passphrase, SecretKey, SigningKey, sign_checked, sign_document};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use touchmark_formats::ledger::checkpoint::{Checkpoint, LogProof, WitnessRequest};
use touchmark_formats::ledger::head::LedgerKey;
use touchmark_formats::ledger::map::Place;
use touchmark_formats::ledger::merkle::Hash;
use touchmark_formats::ledger::note::{Note, NoteKey, NoteSignature};
use touchmark_formats::ledger::record::{Event, Record, What};
use touchmark_formats::ledger::trail::{Asked, Earlier, Had, Shown};
use touchmark_formats::signed::Signed;

/// The name of the key in the home.
pub const KEY: &str = "ledger";

/// A maker's ledger, with the key of its checkpoints.
pub struct Keeper {
    /// The records.
    pub ledger: Ledger,
    /// The key, named by the maker's root key.
    pub document: Signed<LedgerKey>,
    /// The same, as notes name it.
    pub key: NoteKey,
}

/// What a trail shows of some serials.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence {
    /// Their records, and the root of the map.
    pub records: Vec<Shown>,
    /// What the map says of each serial.
    pub answers: Vec<Asked>,
    /// The note of the newest checkpoint.
    pub checkpoint: String,
    /// Older ones, which witnesses cosigned.
    pub earlier: Vec<Earlier>,
}

/// Where the maker's root key says which key keeps the ledger.
#[must_use]
pub fn document_file(home: &Home) -> PathBuf {
    home.dir().join("ledger.json")
}

/// What names the database, where it is a server.
#[must_use]
pub fn url_file(home: &Home) -> PathBuf {
    home.dir().join("ledger.url")
}

/// Opens the store of a home's ledger, or makes it.
///
/// # Errors
/// It cannot be opened or reached.
pub fn store(home: &Home) -> Result<Ledger> {
    let url = url_file(home);
    if url.exists() {
        return Ledger::postgres(files::private_line(&url)?.expose());
    }
    Ledger::sqlite(&home.dir().join("ledger.db"))
}

/// Makes a home's ledger: its key, which `root` signs, and its store. `origin` is the name under which its checkpoints are
/// known.
///
/// # Errors
/// There is one; or it cannot be made.
pub fn init(home: &Home, origin: &str, root: &dyn SigningKey, passphrase: Option<&Passphrase>) -> Result<Keeper> {
    let document = document_file(home);
    if document.exists() {
        return Err(Error::file(&document, "this home has a ledger, and a maker has one"));
    }
    if !home.has_key(KEY) {
        SecretKey::generate()?.write(&home.key_file(KEY), passphrase)?;
    }
    let public = crate::keys::file::public_key(&home.key_file(KEY), || {
        passphrase.cloned().ok_or_else(|| Error::unusable("the ledger's key is under a passphrase"))
    })?;
    let mut envelope = Signed::new(LedgerKey { maker: root.public(), origin: origin.to_owned(), key: public });
    sign_document(root, &mut envelope)?;
    store(home)?;
    files::write(&document, envelope.to_json().as_bytes(), Access::Ordinary)?;
    Keeper::open(home)
}

impl Keeper {
    /// The ledger of `home`.
    ///
    /// # Errors
    /// There is none, or it cannot be opened.
    pub fn open(home: &Home) -> Result<Self> {
        let path = document_file(home);
        if !path.exists() {
            return Err(
                Error::file(home.dir(), "this home has no ledger").hint("`touchmark-sign ledger init` makes it")
            );
        }
        let document = read_key(&path)?;
        let maker = document.signed.maker.check().map_err(|e| Error::file(&path, e))?;
        let key = LedgerKey::check(&document, &maker)
            .ok_or_else(|| Error::file(&path, "the maker that it names did not sign it as it stands"))?;
        Ok(Self { ledger: store(home)?, document, key })
    }

    /// The newest checkpoint; `None` before the first.
    ///
    /// # Errors
    /// The store failed, or what it holds is none of this ledger's.
    pub fn last(&mut self) -> Result<Option<(Note, Checkpoint)>> {
        let newest = self.ledger.checkpoints(1)?;
        newest.first().map(|(_, note)| self.own(note)).transpose()
    }

    /// Every checkpoint, the oldest first: size and root.
    ///
    /// # Errors
    /// As [`Keeper::last`].
    pub fn heads(&mut self) -> Result<Vec<(u64, Hash)>> {
        let notes = self.ledger.checkpoints(u64::from(u32::MAX))?;
        let heads = notes.iter().rev().map(|(_, note)| self.own(note).map(|(_, c)| (c.size, c.root)));
        heads.collect()
    }

    /// A note that must be a checkpoint signed by this ledger.
    ///
    /// # Errors
    /// It is not.
    pub fn own(&self, note: &str) -> Result<(Note, Checkpoint)> {
        let note = Note::parse(note.as_bytes()).map_err(|e| Error::unusable(format!("a checkpoint: {e}")))?;
        let signed = note.signed_by(&self.key).map_err(|e| Error::unusable(format!("a checkpoint: {e}")))?;
        let checkpoint = Checkpoint::parse(&note.text).map_err(|e| Error::unusable(format!("a checkpoint: {e}")))?;
        if signed.is_some() && checkpoint.origin == self.document.signed.origin {
            return Ok((note, checkpoint));
        }
        Err(Error::refused(format!("a checkpoint of {} that this ledger did not sign", checkpoint.origin)))
    }

    /// Signs the head of the ledger, unless that is signed already. `key` is the ledger's.
    ///
    /// # Errors
    /// The store failed, or is not what was signed last; or the key is another.
    pub fn checkpoint(&mut self, key: &dyn SigningKey) -> Result<(Note, Checkpoint)> {
        if key.public() != self.key.key.bytes() {
            return Err(Error::unusable("the ledger's key is not the one that ledger.json names"));
        }
        let last = self.last()?;
        if let Some((_, last)) = &last {
            self.require_same(last)?;
        }
        let (size, root) = self.ledger.head()?;
        if let Some(last) = last.filter(|(_, last)| last.size == size) {
            return Ok(last);
        }
        let checkpoint = Checkpoint { origin: self.document.signed.origin.clone(), size, root };
        let text = checkpoint.text();
        let signature = sign_checked(key, &self.key.key, &self.key.message(&text, 0), &"a checkpoint")?;
        let note = Note { signatures: vec![self.key.line(&signature, 0)], text };
        self.ledger.keep_checkpoint(size, &note.to_string())?;
        Ok((note, checkpoint))
    }

    /// Refuses to go on where the store is not the one that was signed: a copy that was restored, or one that was changed.
    fn require_same(&mut self, last: &Checkpoint) -> Result<()> {
        if last.size <= self.ledger.size() && self.ledger.root(last.size)? == last.root {
            return Ok(());
        }
        let what =
            format!("{} is not what was signed: the last checkpoint has {} records", self.ledger.name(), last.size);
        Err(Error::refused(what).hint("`touchmark-sign ledger audit` says where they part; a second history under one key would be found by its witnesses"))
    }

    /// Puts the cosignatures in `lines`, as a witness answers, below the checkpoint that they are of. Gives how many were
    /// good.
    ///
    /// # Errors
    /// One is in the name of a known witness and wrong; or the store failed.
    pub fn cosign(&mut self, size: u64, lines: &str, witnesses: &[NoteKey]) -> Result<usize> {
        let notes = self.ledger.checkpoints(u64::from(u32::MAX))?;
        let note = notes.iter().find(|(own, _)| *own == size);
        let (mut note, _) = self.own(note.map_or("", |(_, note)| note))?;
        let mut good = 0;
        for line in lines.lines().filter(|line| !line.trim().is_empty()) {
            let signature = NoteSignature::parse(line).map_err(|e| Error::unusable(format!("a cosignature: {e}")))?;
            let mut with = note.clone();
            with.attach(signature);
            let by = |key: &NoteKey| {
                with.signed_by(key).map(|at| at.is_some() && note.signed_by(key) != with.signed_by(key))
            };
            let known = witnesses.iter().map(by).collect::<std::result::Result<Vec<_>, _>>();
            if known.map_err(|e| Error::refused(format!("a cosignature: {e}")))?.contains(&true) {
                (note, good) = (with, good + 1);
            }
        }
        self.ledger.keep_checkpoint(size, &note.to_string())?;
        Ok(good)
    }

    /// What to ask of a witness that has cosigned a checkpoint of `old` records.
    ///
    /// # Errors
    /// There is no checkpoint yet, or `old` is beyond it.
    pub fn request(&mut self, old: u64) -> Result<WitnessRequest> {
        let (checkpoint, head) = self.last()?.ok_or_else(no_checkpoint)?;
        let hashes = self.ledger.consistency(old, head.size)?;
        Ok(WitnessRequest { old, hashes, checkpoint })
    }

    /// The numbers of all the records that tell what became of some serials, and of the customers in them, in rising order.
    ///
    /// # Errors
    /// The store failed.
    pub fn records_of(&mut self, places: &[Place]) -> Result<Vec<u64>> {
        let mut numbers = BTreeSet::new();
        for place in places {
            let Some(custody) = self.ledger.custody(place)? else { continue };
            for (number, event) in custody.chain {
                numbers.insert(number);
                if let What::Shipped { to, ship_to, .. } = event.what {
                    numbers.extend([Some(to), ship_to].into_iter().flatten());
                }
            }
        }
        Ok(numbers.into_iter().collect())
    }

    /// What a trail shows of some serials: their records with proofs, what the map says, the newest checkpoint, and the first
    /// one that a witness cosigned after each lot was commissioned.
    ///
    /// # Errors
    /// Records stand after the newest checkpoint; or the store failed.
    pub fn evidence(&mut self, places: &[Place]) -> Result<Evidence> {
        self.ledger.require_head()?;
        let mut numbers: BTreeSet<u64> = self.records_of(places)?.into_iter().collect();
        // The root of the map.
        numbers.extend(self.ledger.size().checked_sub(1));
        let numbers: Vec<u64> = numbers.into_iter().collect();
        let proofs = self.proofs(&numbers)?;
        let checkpoint = proofs.first().map_or_else(String::new, |proof| proof.checkpoint.to_string());
        let mut records = self.ledger.record_bytes(&numbers)?;
        let made = |(number, bytes): (&u64, &Vec<u8>)| match Record::from_bytes(bytes) {
            Ok(Record::Event(Event { what: What::Commissioned { .. }, .. })) => Some(*number),
            _ => None,
        };
        let earlier = self.earlier(&records.iter().filter_map(made).collect::<Vec<_>>())?;
        let shown = proofs.into_iter().map(|LogProof { index, hashes, .. }| Shown {
            index,
            salt: self.ledger.salt(index),
            record: records.remove(&index).unwrap_or_default(),
            proof: hashes,
        });
        let records = shown.collect();
        let asked = places.iter().map(|place| Ok(Asked { place: *place, map: self.ledger.map_proof(place)? }));
        Ok(Evidence { records, answers: asked.collect::<Result<_>>()?, checkpoint, earlier })
    }

    /// The first checkpoint that a witness cosigned and that has each of some records, where that is not the newest.
    fn earlier(&mut self, numbers: &[u64]) -> Result<Vec<Earlier>> {
        let notes = self.ledger.checkpoints(u64::from(u32::MAX))?;
        // The newest is the trail's own.
        let mut cosigned = Vec::new();
        for (size, note) in notes.iter().skip(1).rev() {
            let (parsed, _) = self.own(note)?;
            cosigned.extend((parsed.signatures.len() > 1).then_some((*size, note)));
        }
        let mut had: BTreeMap<u64, (&String, Vec<u64>)> = BTreeMap::new();
        for number in numbers {
            if let Some((size, note)) = cosigned.iter().find(|(size, _)| size > number) {
                had.entry(*size).or_insert((*note, Vec::new())).1.push(*number);
            }
        }
        let earlier = had.into_iter().map(|(size, (note, numbers))| {
            let proofs = self.ledger.inclusion(&numbers, size)?;
            let proofs = numbers.into_iter().zip(proofs).map(|(index, proof)| Had { index, proof }).collect();
            Ok(Earlier { checkpoint: note.clone(), proofs })
        });
        earlier.collect()
    }

    /// The proofs that some records are in the ledger, under its newest checkpoint, as files of their own.
    ///
    /// # Errors
    /// There is no checkpoint yet, or a record is not under it.
    pub fn proofs(&mut self, numbers: &[u64]) -> Result<Vec<LogProof>> {
        let (checkpoint, head) = self.last()?.ok_or_else(no_checkpoint)?;
        let proofs = self.ledger.inclusion(numbers, head.size)?;
        let records = self.ledger.record_bytes(numbers)?;
        let proof = |(index, hashes): (&u64, Vec<Hash>)| {
            let record = records.get(index).map(Vec::as_slice).unwrap_or_default();
            let extra = Some([&self.ledger.salt(*index)[..], record].concat());
            LogProof { extra, index: *index, hashes, checkpoint: checkpoint.clone() }
        };
        Ok(numbers.iter().zip(proofs).map(proof).collect())
    }
}

fn no_checkpoint() -> Error {
    Error::refused("the ledger has no checkpoint yet").hint("`touchmark-sign ledger checkpoint` makes one")
}

/// The ledger's key in a file, as the maker signed it.
///
/// # Errors
/// It cannot be read.
pub fn read_key(path: &Path) -> Result<Signed<LedgerKey>> {
    Signed::<LedgerKey>::from_json(&files::read(path)?).map_err(|e| Error::file(path, e))
}
