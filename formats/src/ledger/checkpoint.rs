//! Checkpoints of a log (c2sp.org/tlog-checkpoint), proofs that travel with one (c2sp.org/tlog-proof), and what a witness
//! is asked (c2sp.org/tlog-witness).

use super::merkle::{self, Hash, MAX_PROOF};
use super::note::{Note, NoteError};
use base64::{Engine, engine::general_purpose::STANDARD};

/// The head of a log: how many entries it has, and their root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// Which log: one line, not empty.
    pub origin: String,
    /// How many entries.
    pub size: u64,
    /// The root of RFC 6962.
    pub root: Hash,
}

/// Why a file is no checkpoint, proof or request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum LogError {
    /// It is no signed note.
    Note(NoteError),
    /// The text of the note is not origin, size and root, each in its one spelling.
    Checkpoint,
    /// The lines before the checkpoint are not in the form that is asked for.
    Head,
    /// More than 63 hashes.
    Hashes,
}

impl LogError {
    /// The stable name, as the test vectors spell it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Note(e) => e.name(),
            Self::Checkpoint => "checkpoint",
            Self::Head => "head",
            Self::Hashes => "hashes",
        }
    }
}

impl std::fmt::Display for LogError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Note(e) => e.fmt(f),
            Self::Checkpoint => f.write_str("not a checkpoint: its text is not an origin, a size and a root hash"),
            Self::Head => f.write_str("the lines before the checkpoint are not in the expected form"),
            Self::Hashes => f.write_str("more than 63 hashes in a proof"),
        }
    }
}

impl std::error::Error for LogError {}

impl From<NoteError> for LogError {
    fn from(error: NoteError) -> Self {
        Self::Note(error)
    }
}

impl Checkpoint {
    /// The text that is signed.
    #[must_use]
    pub fn text(&self) -> String {
        format!("{}\n{}\n{}\n", self.origin, self.size, STANDARD.encode(self.root))
    }

    /// The checkpoint that a note's text says. Lines after the third, which only some signatures cover, are refused.
    ///
    /// # Errors
    /// [`LogError::Checkpoint`].
    pub fn parse(text: &str) -> Result<Self, LogError> {
        let mut lines = text.strip_suffix('\n').ok_or(LogError::Checkpoint)?.split('\n');
        let (Some(origin), Some(size), Some(root), None) = (lines.next(), lines.next(), lines.next(), lines.next())
        else {
            return Err(LogError::Checkpoint);
        };
        let root = hash(root).ok_or(LogError::Checkpoint)?;
        let checkpoint = Self { origin: origin.to_owned(), size: decimal(size).ok_or(LogError::Checkpoint)?, root };
        if origin.is_empty() { Err(LogError::Checkpoint) } else { Ok(checkpoint) }
    }
}

/// An entry's place in a log, with the checkpoint under which it is proven.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogProof {
    /// What is needed to make the entry, by the word of whoever wrote the file.
    pub extra: Option<Vec<u8>>,
    /// The number of the entry, from 0.
    pub index: u64,
    /// The inclusion proof.
    pub hashes: Vec<Hash>,
    /// The checkpoint with its signatures.
    pub checkpoint: Note,
}

const PROOF_HEAD: &str = "c2sp.org/tlog-proof@v1";

impl LogProof {
    /// The proof in a file. No signature is checked yet.
    ///
    /// # Errors
    /// [`LogError`].
    pub fn parse(bytes: &[u8]) -> Result<Self, LogError> {
        let (head, note) = split(bytes)?;
        let mut lines = head.split('\n');
        if lines.next() != Some(PROOF_HEAD) {
            return Err(LogError::Head);
        }
        let mut line = lines.next();
        let mut extra = None;
        if let Some(encoded) = line.and_then(|l| l.strip_prefix("extra ")) {
            extra = Some(STANDARD.decode(encoded).map_err(|_| LogError::Head)?);
            line = lines.next();
        }
        let index = line.and_then(|l| l.strip_prefix("index ")).and_then(decimal).ok_or(LogError::Head)?;
        let hashes = hashes(lines)?;
        Ok(Self { extra, index, hashes, checkpoint: Note::parse(note.as_bytes())? })
    }

    /// Whether it proves that `entry` is in the log at its index, of the checkpoint that the note's text says.
    #[must_use]
    pub fn proves(&self, entry: &[u8], checkpoint: &Checkpoint) -> bool {
        let leaf = merkle::leaf_hash(entry);
        merkle::includes(&checkpoint.root, checkpoint.size, self.index, &leaf, &self.hashes)
    }
}

impl std::fmt::Display for LogProof {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "{PROOF_HEAD}")?;
        if let Some(extra) = &self.extra {
            writeln!(f, "extra {}", STANDARD.encode(extra))?;
        }
        writeln!(f, "index {}", self.index)?;
        put_hashes(f, &self.hashes)?;
        write!(f, "\n{}", self.checkpoint)
    }
}

/// What a log asks of a witness: to cosign a checkpoint, which continues the one of `old` entries that it cosigned last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WitnessRequest {
    /// How many entries the witness has seen.
    pub old: u64,
    /// The consistency proof.
    pub hashes: Vec<Hash>,
    /// The checkpoint with the log's signature.
    pub checkpoint: Note,
}

impl WitnessRequest {
    /// The request in the body of an `add-checkpoint` call. No signature is checked yet.
    ///
    /// # Errors
    /// [`LogError`].
    pub fn parse(bytes: &[u8]) -> Result<Self, LogError> {
        let (head, note) = split(bytes)?;
        let mut lines = head.split('\n');
        let old = lines.next().and_then(|l| l.strip_prefix("old ")).and_then(decimal).ok_or(LogError::Head)?;
        let hashes = hashes(lines)?;
        Ok(Self { old, hashes, checkpoint: Note::parse(note.as_bytes())? })
    }
}

impl std::fmt::Display for WitnessRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "old {}", self.old)?;
        put_hashes(f, &self.hashes)?;
        write!(f, "\n{}", self.checkpoint)
    }
}

fn put_hashes(f: &mut std::fmt::Formatter<'_>, hashes: &[Hash]) -> std::fmt::Result {
    hashes.iter().try_for_each(|hash| writeln!(f, "{}", STANDARD.encode(hash)))
}

/// What stands before the first empty line, and what after it.
fn split(bytes: &[u8]) -> Result<(&str, &str), LogError> {
    std::str::from_utf8(bytes).ok().and_then(|text| text.split_once("\n\n")).ok_or(LogError::Head)
}

fn hashes<'a>(lines: impl Iterator<Item = &'a str>) -> Result<Vec<Hash>, LogError> {
    let found =
        lines.take(MAX_PROOF + 1).map(|line| hash(line).ok_or(LogError::Head)).collect::<Result<Vec<_>, _>>()?;
    if found.len() > MAX_PROOF { Err(LogError::Hashes) } else { Ok(found) }
}

fn hash(text: &str) -> Option<Hash> {
    STANDARD.decode(text).ok()?.try_into().ok()
}

/// A number below 2^63 in its one spelling.
fn decimal(text: &str) -> Option<u64> {
    let number = text.parse::<u64>().ok().filter(|n| i64::try_from(*n).is_ok())?;
    (number.to_string() == text).then_some(number)
}
