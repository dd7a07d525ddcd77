//! Signed notes (c2sp.org/signed-note), with the two kinds of signature that a checkpoint carries: the log's own, and the
//! cosignatures of witnesses (c2sp.org/tlog-cosignature).

use crate::key::{KeyBytes, KeyError, PublicKey};
use base64::{Engine, engine::general_purpose::STANDARD};
use sha2::{Digest, Sha256};

/// The largest note, in bytes.
pub const MAX_NOTE_BYTES: usize = 1 << 20;
/// The most signatures of a note.
pub const MAX_NOTE_SIGNATURES: usize = 100;

/// What a key signs, by the type byte of its encoding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum NoteKeyKind {
    /// Ed25519 over the text.
    Ed25519 = 1,
    /// Ed25519 over the text and the time of signing: a witness's cosignature/v1.
    Cosignature = 4,
}

/// The name of a signer: not empty, without white space and plus.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NoteName(String);

impl NoteName {
    /// The longest, in bytes.
    pub const MAX_BYTES: usize = 255;

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::str::FromStr for NoteName {
    type Err = NoteError;

    fn from_str(text: &str) -> Result<Self, NoteError> {
        let good = |c: char| !c.is_whitespace() && !c.is_control() && c != '+';
        let fits = (1..=Self::MAX_BYTES).contains(&text.len());
        if fits && text.chars().all(good) { Ok(Self(text.to_owned())) } else { Err(NoteError::Name) }
    }
}

impl std::fmt::Display for NoteName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// A public key of notes, as `name+id+base64` writes it (a *vkey*).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoteKey {
    /// Whose.
    pub name: NoteName,
    /// For what.
    pub kind: NoteKeyKind,
    /// The key itself.
    pub key: PublicKey,
}

impl NoteKey {
    /// The id that stands before each of its signatures: the first four bytes of SHA-256(name ‖ 0A ‖ kind ‖ key).
    #[must_use]
    pub fn id(&self) -> [u8; 4] {
        let hash = Sha256::new().chain_update(self.name.as_str()).chain_update([b'\n', self.kind as u8]);
        let [a, b, c, d, ..]: [u8; 32] = hash.chain_update(self.key.bytes().0).finalize().into();
        [a, b, c, d]
    }

    /// What the key signs: `text`, and for a cosignature the seconds of Unix time `at`.
    #[must_use]
    pub fn message(&self, text: &str, at: u64) -> Vec<u8> {
        match self.kind {
            NoteKeyKind::Ed25519 => text.as_bytes().to_vec(),
            NoteKeyKind::Cosignature => format!("cosignature/v1\ntime {at}\n{text}").into_bytes(),
        }
    }

    /// The line of a note with the `signature` over [`NoteKey::message`].
    #[must_use]
    pub fn line(&self, signature: &[u8; 64], at: u64) -> NoteSignature {
        let mut bytes = Vec::with_capacity(72);
        if self.kind == NoteKeyKind::Cosignature {
            bytes.extend(at.to_be_bytes());
        }
        bytes.extend(signature);
        NoteSignature { name: self.name.clone(), id: self.id(), bytes }
    }

    /// Whether `line` is by this key and good for `text`; for a cosignature, with its time.
    fn verify(&self, line: &NoteSignature, text: &str) -> Option<u64> {
        let (at, signature) = match self.kind {
            NoteKeyKind::Ed25519 => (0, line.bytes.as_slice()),
            NoteKeyKind::Cosignature => {
                let (at, signature) = line.bytes.split_first_chunk()?;
                (u64::from_be_bytes(*at), signature)
            }
        };
        let good = i64::try_from(at).is_ok() && self.key.verify(&self.message(text, at), signature.try_into().ok()?);
        good.then_some(at)
    }
}

impl std::fmt::Display for NoteKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let [a, b, c, d] = self.id();
        let encoded = STANDARD.encode([&[self.kind as u8][..], &self.key.bytes().0].concat());
        write!(f, "{}+{a:02x}{b:02x}{c:02x}{d:02x}+{encoded}", self.name)
    }
}

impl std::str::FromStr for NoteKey {
    type Err = NoteError;

    fn from_str(text: &str) -> Result<Self, NoteError> {
        let mut pieces = text.splitn(3, '+');
        let (Some(name), Some(id), Some(key)) = (pieces.next(), pieces.next(), pieces.next()) else {
            return Err(NoteError::Key);
        };
        let bytes = STANDARD.decode(key).map_err(|_| NoteError::Key)?;
        let (kind, key) = bytes.split_first().ok_or(NoteError::Key)?;
        let kind = match kind {
            1 => NoteKeyKind::Ed25519,
            4 => NoteKeyKind::Cosignature,
            _ => return Err(NoteError::Kind),
        };
        let key = KeyBytes(key.try_into().map_err(|_| NoteError::Key)?);
        let key = Self { name: name.parse()?, kind, key: key.check().map_err(NoteError::Point)? };
        if key.to_string() == text && id.len() == 8 { Ok(key) } else { Err(NoteError::Id) }
    }
}

/// A line of signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoteSignature {
    /// Who signed.
    pub name: NoteName,
    /// The id of the key.
    pub id: [u8; 4],
    /// The signature, with what its kind puts before it.
    pub bytes: Vec<u8>,
}

impl NoteSignature {
    /// The signature in a line, without its line feed.
    ///
    /// # Errors
    /// [`NoteError::Line`] or [`NoteError::Name`].
    pub fn parse(line: &str) -> Result<Self, NoteError> {
        let (name, encoded) = line.strip_prefix("\u{2014} ").and_then(|l| l.split_once(' ')).ok_or(NoteError::Line)?;
        let bytes = STANDARD.decode(encoded).map_err(|_| NoteError::Line)?;
        let (id, bytes) = bytes.split_first_chunk().ok_or(NoteError::Line)?;
        if bytes.is_empty() {
            return Err(NoteError::Line);
        }
        Ok(Self { name: name.parse()?, id: *id, bytes: bytes.to_vec() })
    }
}

impl std::fmt::Display for NoteSignature {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let encoded = STANDARD.encode([&self.id[..], &self.bytes].concat());
        write!(f, "\u{2014} {} {encoded}", self.name)
    }
}

/// A text and the signatures below it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// The text, which ends in a line feed.
    pub text: String,
    /// At least one, at most [`MAX_NOTE_SIGNATURES`], of any kind.
    pub signatures: Vec<NoteSignature>,
}

/// Why something is no note, or no key of notes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum NoteError {
    /// Larger than [`MAX_NOTE_BYTES`], not UTF-8, a control character, or no empty line before the signatures.
    Form,
    /// A line of signature in another form.
    Line,
    /// No signature, or more than [`MAX_NOTE_SIGNATURES`].
    Count,
    /// A name that is empty, too long, or has white space or a plus.
    Name,
    /// Not `name+id+base64` of a key of 32 bytes.
    Key,
    /// A kind of key that is not known here.
    Kind,
    /// An id that is not the key's.
    Id,
    /// No good public key.
    Point(KeyError),
    /// A known key signed something else.
    Signature,
}

impl NoteError {
    /// The stable name, as the test vectors spell it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Form => "form",
            Self::Line => "line",
            Self::Count => "count",
            Self::Name => "name",
            Self::Key => "key",
            Self::Kind => "kind",
            Self::Id => "id",
            Self::Point(_) => "point",
            Self::Signature => "signature",
        }
    }
}

impl std::fmt::Display for NoteError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Form => "not a signed note: text, an empty line, and lines of signatures, without control characters",
            Self::Line => "a line of signature is not \"\u{2014} NAME BASE64\"",
            Self::Count => "a note has 1 to 100 signatures",
            Self::Name => "a signer's name is 1 to 255 bytes without white space and plus",
            Self::Key => "a key of notes is NAME+ID+BASE64, of 33 bytes",
            Self::Kind => "a kind of key that is not known here (neither Ed25519 nor its cosignature)",
            Self::Id => "the id is not that of the key",
            Self::Point(e) => return e.fmt(f),
            Self::Signature => "the signature of a known key is wrong",
        })
    }
}

impl std::error::Error for NoteError {}

impl Note {
    /// The note in a file. No signature is checked yet.
    ///
    /// # Errors
    /// [`NoteError`].
    pub fn parse(bytes: &[u8]) -> Result<Self, NoteError> {
        let text = std::str::from_utf8(bytes).map_err(|_| NoteError::Form)?;
        if bytes.len() > MAX_NOTE_BYTES || text.bytes().any(|b| b < 0x20 && b != b'\n') {
            return Err(NoteError::Form);
        }
        let (body, lines) = text.rsplit_once("\n\n").ok_or(NoteError::Form)?;
        if lines.is_empty() {
            return Err(NoteError::Line);
        }
        let lines = lines.strip_suffix('\n').ok_or(NoteError::Form)?;
        let signatures = lines.split('\n').map(NoteSignature::parse).collect::<Result<Vec<_>, _>>()?;
        if signatures.len() > MAX_NOTE_SIGNATURES {
            return Err(NoteError::Count);
        }
        Ok(Self { text: format!("{body}\n"), signatures })
    }

    /// Whether `key` signed, and when by its own word (0 where its kind does not say). Signatures by others are of no
    /// account; but one in this key's name and with its id must be good.
    ///
    /// # Errors
    /// [`NoteError::Signature`].
    pub fn signed_by(&self, key: &NoteKey) -> Result<Option<u64>, NoteError> {
        let id = key.id();
        let own = self.signatures.iter().filter(|s| s.name == key.name && s.id == id);
        let times = own.map(|line| key.verify(line, &self.text).ok_or(NoteError::Signature));
        Ok(times.collect::<Result<Vec<_>, _>>()?.into_iter().min())
    }

    /// Puts a signature below the others, in place of an older one by the same key.
    pub fn attach(&mut self, signature: NoteSignature) {
        self.signatures.retain(|s| (&s.name, s.id) != (&signature.name, signature.id));
        self.signatures.push(signature);
    }
}

impl std::fmt::Display for Note {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "{}", self.text)?;
        self.signatures.iter().try_for_each(|line| writeln!(f, "{line}"))
    }
}
