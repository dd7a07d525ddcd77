//! The envelope of every signed file: JSON that people can read, signed over its canonical form (RFC 8785, JCS).
//!
//! The signature is over the type's name, a NUL, and the canonical JSON of the `signed` member *as parsed*: what was
//! checked is what the program works with, whatever the spacing and order in the file.

use crate::key::{KeyBytes, PublicKey};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// What can stand in an envelope. Its fields must be strings, booleans, integers up to 2^53 - 1, arrays and objects with
/// ASCII keys, so that canonical JSON is unambiguous; unknown fields must be refused.
pub trait Document: Serialize + DeserializeOwned {
    /// The type's name, and the domain of its signatures.
    const TYPE: &'static str;
}

/// The most signatures that an envelope may hold.
pub const MAX_SIGNATURES: usize = 64;

/// A document and the signatures over it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signed<T> {
    /// [`Document::TYPE`].
    #[serde(rename = "type")]
    kind: String,
    /// What is signed.
    pub signed: T,
    /// By whom.
    pub signatures: Vec<SignatureEntry>,
}

/// One signature of an envelope.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignatureEntry {
    /// Who signed.
    pub key: KeyBytes,
    /// Ed25519 over [`message`].
    pub signature: SignatureBytes,
}

/// 64 bytes of an Ed25519 signature, base64 in JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SignatureBytes(pub [u8; 64]);

impl TryFrom<String> for SignatureBytes {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let bytes = STANDARD.decode(text).map_err(|_| "a signature is 64 bytes in base64")?;
        bytes.try_into().map(Self).map_err(|_| "a signature is 64 bytes in base64")
    }
}

impl From<SignatureBytes> for String {
    fn from(signature: SignatureBytes) -> Self {
        STANDARD.encode(signature.0)
    }
}

/// Why a file is no envelope of the type asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum EnvelopeError {
    /// Not JSON of the expected shape: what is wrong, with line and column.
    Json(String),
    /// Another type, or another version.
    Type {
        /// [`Document::TYPE`] of what was asked for.
        expected: &'static str,
        /// What the file says.
        found: String,
    },
    /// More than [`MAX_SIGNATURES`].
    TooManySignatures,
}

impl std::fmt::Display for EnvelopeError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Json(what) => write!(f, "not in the expected form: {what}"),
            Self::Type { expected, found } => write!(f, "its type is {found:?}, not {expected:?}"),
            Self::TooManySignatures => write!(f, "more than {MAX_SIGNATURES} signatures"),
        }
    }
}

impl std::error::Error for EnvelopeError {}

impl<T: Document> Signed<T> {
    /// `signed` without signatures.
    #[must_use]
    pub fn new(signed: T) -> Self {
        Self { kind: T::TYPE.to_owned(), signed, signatures: Vec::new() }
    }

    /// The envelope in a file. No signature is checked yet.
    ///
    /// # Errors
    /// [`EnvelopeError`].
    pub fn from_json(bytes: &[u8]) -> Result<Self, EnvelopeError> {
        #[derive(Deserialize)]
        struct Kind {
            #[serde(rename = "type")]
            kind: String,
        }
        // The type first: the fields of another type would be reported as this one's mistakes.
        let Kind { kind } = serde_json::from_slice(bytes).map_err(|e| EnvelopeError::Json(e.to_string()))?;
        if kind != T::TYPE {
            return Err(EnvelopeError::Type { expected: T::TYPE, found: kind });
        }
        let envelope: Self = serde_json::from_slice(bytes).map_err(|e| EnvelopeError::Json(e.to_string()))?;
        if envelope.signatures.len() > MAX_SIGNATURES {
            return Err(EnvelopeError::TooManySignatures);
        }
        Ok(envelope)
    }

    /// The file: indented JSON and a line feed.
    #[must_use]
    pub fn to_json(&self) -> String {
        // The documents of this crate hold strings, integers and lists, which JSON always takes.
        serde_json::to_string_pretty(self).unwrap_or_default() + "\n"
    }

    /// Whether `key` signed this document, by any of the entries that name it.
    #[must_use]
    pub fn is_signed_by(&self, key: &PublicKey) -> bool {
        let message = message(&self.signed);
        let own = |entry: &&SignatureEntry| entry.key == key.bytes();
        self.signatures.iter().filter(own).any(|entry| key.verify(&message, &entry.signature.0))
    }

    /// Puts `key`'s signature beside the others, in place of an older one by the same key.
    pub fn attach(&mut self, key: KeyBytes, signature: [u8; 64]) {
        self.signatures.retain(|entry| entry.key != key);
        self.signatures.push(SignatureEntry { key, signature: SignatureBytes(signature) });
    }
}

/// What a signature over `document` is made of: its type's name, a NUL, its canonical JSON (RFC 8785).
#[must_use]
pub fn message<T: Document>(document: &T) -> Vec<u8> {
    let mut out = T::TYPE.as_bytes().to_vec();
    out.push(0);
    // Objects of serde_json's values are sorted by key, and its compact writer escapes as RFC 8785, section 3.2.2.2.
    if let Ok(value) = serde_json::to_value(document) {
        out.extend(value.to_string().into_bytes());
    }
    out
}
