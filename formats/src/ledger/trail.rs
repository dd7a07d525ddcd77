//! What a maker answers when it is asked where some parts went: the records of those serials and no others, with the
//! proofs that they stand in the ledger, and that nothing else there answers for them.

use super::checkpoint::Checkpoint;
use super::head::LedgerKey;
use super::map::{Answer, MapProof, Place, hash_text};
use super::merkle::{self, Hash, MAX_PROOF};
use super::note::{Note, NoteKey, NoteName};
use super::party::Party;
use super::record::{Event, MAX_RECORD_BYTES, Record, What, commitment};
use crate::key::KeyBytes;
use crate::signed::{Document, ForReader, Signed, instant, line, message};
use base64::{Engine, engine::general_purpose::STANDARD};
use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use std::collections::{BTreeMap, BTreeSet};

/// Records and their proofs, for one reader and one case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trail {
    /// The maker's root key, which signs.
    pub maker: KeyBytes,
    /// The age recipient for whom it was made.
    #[serde(deserialize_with = "line")]
    pub recipient: String,
    /// The case or request that it answers.
    #[serde(deserialize_with = "line")]
    pub case: String,
    /// When it was made, UTC.
    #[serde(deserialize_with = "instant")]
    pub created: Timestamp,
    /// The key of the ledger.
    pub ledger: Signed<LedgerKey>,
    /// The checkpoint under which all is proven: a signed note, with its cosignatures.
    pub checkpoint: String,
    /// The records, in rising order.
    pub records: Vec<Shown>,
    /// What the map of serials says of the serials in question.
    pub answers: Vec<Asked>,
    /// Older checkpoints that witnesses cosigned, and which of the records they had already.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub earlier: Vec<Earlier>,
}

/// An older checkpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Earlier {
    /// Its note, with its cosignatures.
    pub checkpoint: String,
    /// What it had, in rising order.
    pub proofs: Vec<Had>,
}

/// A record of the trail that an older checkpoint had.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Had {
    /// Its number.
    pub index: u64,
    /// The inclusion proof under that checkpoint.
    #[serde(serialize_with = "put_hashes", deserialize_with = "take_hashes")]
    pub proof: Vec<Hash>,
}

impl Document for Trail {
    const TYPE: &'static str = "touchmark/v1/trail";
}

impl ForReader for Trail {
    fn maker(&self) -> &KeyBytes {
        &self.maker
    }

    fn recipient(&self) -> &str {
        &self.recipient
    }
}

/// A record with its proof.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shown {
    /// Its number.
    pub index: u64,
    /// What its commitment is made with.
    #[serde(with = "hash_text")]
    pub salt: Hash,
    /// Its bytes.
    #[serde(serialize_with = "put_bytes", deserialize_with = "take_bytes")]
    pub record: Vec<u8>,
    /// The inclusion proof.
    #[serde(serialize_with = "put_hashes", deserialize_with = "take_hashes")]
    pub proof: Vec<Hash>,
}

/// A serial in question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Asked {
    /// The line key and the serial.
    pub place: Place,
    /// What the map says of it.
    pub map: MapProof,
}

/// Why a trail proves nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum TrailError {
    /// The ledger's key is not the maker's, or did not sign a checkpoint.
    Checkpoint,
    /// A record is none, or its proof does not hold.
    Record(u64),
    /// The root of the map is not the last record of the checkpoint.
    Map,
    /// What it says of a serial is not what the map and the records say.
    Answer(u64),
}

impl std::fmt::Display for TrailError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Checkpoint => f.write_str("a checkpoint of it is not signed by the maker's ledger"),
            Self::Record(index) => write!(f, "record {index} is not proven to be in the ledger"),
            Self::Map => f.write_str("its map of serials is not the one of its checkpoint"),
            Self::Answer(serial) => write!(f, "its records of serial {serial} are not those that the ledger proves"),
        }
    }
}

impl std::error::Error for TrailError {}

/// What is proven of one serial.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chain {
    /// The line key and the serial.
    pub place: Place,
    /// What happened to it, the oldest first, with the number of each record. Empty: nothing is on record, and that is
    /// proven.
    pub links: Vec<Link>,
}

/// One event of a chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// The number of the record.
    pub index: u64,
    /// What happened.
    pub event: Event,
    /// To whom it went, if it went to anybody.
    pub to: Option<Party>,
    /// At whose door, if it is another.
    pub ship_to: Option<Party>,
    /// Whether a later record says that it was wrong.
    pub corrected: bool,
}

/// The newest record that counts of those by which a part was made, among what happened to it.
#[must_use]
pub fn made(links: &[Link]) -> Option<&Link> {
    links.iter().rev().find(|link| !link.corrected && matches!(link.event.what, What::Commissioned { .. }))
}

/// A trail whose proofs hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proven {
    /// The head of the ledger.
    pub checkpoint: Checkpoint,
    /// Its note, for the cosignatures.
    pub note: Note,
    /// One for each serial in question.
    pub chains: Vec<Chain>,
    /// The notes of older checkpoints, and which records they had.
    pub earlier: Vec<(Note, BTreeSet<u64>)>,
}

/// That a part was on record as made when a witness saw the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// Its line key and serial.
    pub place: Place,
    /// The record by which it was made.
    pub made: Event,
    /// The witness.
    pub witness: NoteName,
    /// When it first cosigned a checkpoint that had the record, in seconds of Unix time, by its own word.
    pub at: u64,
}

impl Proven {
    /// The parts that one of `witnesses` saw on record as made, each with the earliest time.
    #[must_use]
    pub fn seen(&self, witnesses: &[NoteKey]) -> Vec<Seen> {
        let first = |index: u64| {
            let earlier = self.earlier.iter().filter(|(_, had)| had.contains(&index)).map(|(note, _)| note);
            let notes: Vec<&Note> = earlier.chain([&self.note]).collect();
            let times = witnesses.iter().flat_map(|key| {
                let time = |note: &&Note| note.signed_by(key).ok().flatten();
                notes.iter().filter_map(time).min().map(|at| (at, key.name.clone()))
            });
            times.min()
        };
        let seen = |chain: &Chain| {
            let link = made(&chain.links)?;
            let (at, witness) = first(link.index)?;
            Some(Seen { place: chain.place, made: link.event.clone(), witness, at })
        };
        self.chains.iter().filter_map(seen).collect()
    }

    /// When a witness cosigned the checkpoint, in seconds of Unix time; `None` if it did not, or not well.
    #[must_use]
    pub fn witnessed(&self, witness: &NoteKey) -> Option<u64> {
        self.note.signed_by(witness).ok().flatten()
    }
}

impl Trail {
    /// Checks every proof, and gives what is proven.
    ///
    /// # Errors
    /// The first [`TrailError`] found.
    pub fn prove(&self) -> Result<Proven, TrailError> {
        let maker = self.maker.check().map_err(|_| TrailError::Checkpoint)?;
        let key = LedgerKey::check(&self.ledger, &maker).ok_or(TrailError::Checkpoint)?;
        let (note, checkpoint) = self.signed_checkpoint(&self.checkpoint, &key)?;
        let records = self.records(&checkpoint)?;
        let last = checkpoint.size.checked_sub(1).ok_or(TrailError::Map)?;
        let Some((Record::Map(root), _)) = records.get(&last) else { return Err(TrailError::Map) };
        let chains = self.answers.iter().map(|asked| {
            let serial = asked.place.serial.get();
            chain(asked, root, &records).ok_or(TrailError::Answer(serial))
        });
        let chains = chains.collect::<Result<_, _>>()?;
        let earlier = self.earlier.iter().map(|earlier| {
            let (note, head) = self.signed_checkpoint(&earlier.checkpoint, &key)?;
            let had = earlier.proofs.iter().map(|Had { index, proof }| {
                let entry = records.get(index).map(|(_, entry)| merkle::leaf_hash(entry));
                let there = entry.is_some_and(|leaf| merkle::includes(&head.root, head.size, *index, &leaf, proof));
                if there { Ok(*index) } else { Err(TrailError::Record(*index)) }
            });
            Ok((note, had.collect::<Result<_, _>>()?))
        });
        Ok(Proven { earlier: earlier.collect::<Result<_, _>>()?, chains, checkpoint, note })
    }

    /// The checkpoint in a note, which the ledger's key must have signed.
    fn signed_checkpoint(&self, note: &str, key: &NoteKey) -> Result<(Note, Checkpoint), TrailError> {
        let note = Note::parse(note.as_bytes()).map_err(|_| TrailError::Checkpoint)?;
        let signed = note.signed_by(key).map_err(|_| TrailError::Checkpoint)?;
        let checkpoint = Checkpoint::parse(&note.text).map_err(|_| TrailError::Checkpoint)?;
        if signed.is_none() || checkpoint.origin != self.ledger.signed.origin {
            return Err(TrailError::Checkpoint);
        }
        Ok((note, checkpoint))
    }

    fn records(&self, checkpoint: &Checkpoint) -> Result<BTreeMap<u64, (Record, Hash)>, TrailError> {
        let proven = self.records.iter().map(|shown| {
            let Shown { index, salt, record, proof } = shown;
            let entry = commitment(salt, record);
            let leaf = merkle::leaf_hash(&entry);
            let record = Record::from_bytes(record).ok();
            let there = merkle::includes(&checkpoint.root, checkpoint.size, *index, &leaf, proof);
            let record = record.filter(|_| there).ok_or(TrailError::Record(*index))?;
            Ok((*index, (record, entry)))
        });
        proven.collect()
    }
}

/// The chain of a serial, if the map and the records prove it.
fn chain(asked: &Asked, root: &Hash, records: &BTreeMap<u64, (Record, Hash)>) -> Option<Chain> {
    let mut links: Vec<Link> = Vec::new();
    let mut next = match asked.map.answer(root, &asked.place)? {
        Answer::Absent => None,
        Answer::Entry(leaf) => {
            records.get(&leaf.index).filter(|(_, entry)| *entry == leaf.entry)?;
            Some(leaf.index)
        }
    };
    let mut corrects = false;
    while let Some(index) = next {
        let (Record::Event(event), _) = records.get(&index)? else { return None };
        if event.line != asked.place.line || !event.serials.contains(asked.place.serial) {
            return None;
        }
        next = event.after;
        // Each is older than the one after it, or this would go on for ever.
        if next.is_some_and(|after| after >= index) {
            return None;
        }
        let party = |index: u64| match records.get(&index)? {
            (Record::Party(party), _) => Some(party.clone()),
            _ => None,
        };
        let (to, ship_to) = match &event.what {
            What::Shipped { to, ship_to, .. } => {
                let door = match ship_to {
                    Some(index) => Some(party(*index)?),
                    None => None,
                };
                (Some(party(*to)?), door)
            }
            What::HandedOver(handed) => {
                let key = handed.by.check().ok()?;
                if !key.verify(&message(&event.hand_over()?), &handed.signature) {
                    return None;
                }
                (Some(handed.to.clone()), None)
            }
            _ => (None, None),
        };
        let corrected = std::mem::replace(&mut corrects, matches!(event.what, What::Corrected { .. }));
        links.push(Link { index, event: event.clone(), to, ship_to, corrected });
    }
    links.reverse();
    Some(Chain { place: asked.place, links })
}

fn put_bytes<S: Serializer>(bytes: &[u8], s: S) -> Result<S::Ok, S::Error> {
    s.serialize_str(&STANDARD.encode(bytes))
}

fn take_bytes<'de, D: Deserializer<'de>>(d: D) -> Result<Vec<u8>, D::Error> {
    let bytes = STANDARD.decode(String::deserialize(d)?).ok().filter(|bytes| bytes.len() <= MAX_RECORD_BYTES);
    bytes.ok_or_else(|| D::Error::custom("a record is at most 2048 bytes in base64"))
}

fn put_hashes<S: Serializer>(hashes: &[Hash], s: S) -> Result<S::Ok, S::Error> {
    s.collect_seq(hashes.iter().map(|hash| STANDARD.encode(hash)))
}

fn take_hashes<'de, D: Deserializer<'de>>(d: D) -> Result<Vec<Hash>, D::Error> {
    let texts = Vec::<String>::deserialize(d)?;
    let hashes = texts.iter().map(|text| STANDARD.decode(text).ok()?.try_into().ok()).collect::<Option<Vec<Hash>>>();
    let hashes = hashes.filter(|hashes| hashes.len() <= MAX_PROOF);
    hashes.ok_or_else(|| D::Error::custom("a proof is at most 63 hashes of 32 bytes in base64"))
}
