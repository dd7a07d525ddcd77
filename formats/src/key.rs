//! Public keys, key ids and strict signature verification. No secret key lives here.

use base64::{Engine, engine::general_purpose::STANDARD};
use ed25519_dalek::{Signature, VerifyingKey};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// Prefix of every message and hash input of Touchmark: a label and a NUL, which C2SP notes and text never hold, so that
/// no signature made for one purpose is good for another.
pub mod domain {
    /// What is hashed into a [`super::KeyId`].
    pub const KEY_ID: &[u8] = b"touchmark/v1/key-id\0";
    /// What a mark's signature is over.
    pub const MARK: &[u8] = b"touchmark/v1/mark\0";
    /// What a container mark's signature is over.
    pub const CONTAINER: &[u8] = b"touchmark/v1/container\0";
    /// What a line signs, with nothing after it, to see whether its key still does.
    pub const TRIAL: &[u8] = b"touchmark/v1/trial\0";
}

/// The hint in a mark at the key that signed it: the first four bytes of SHA-256(`"touchmark/v1/key-id" 00` ‖ public
/// key). Several keys may have the same id, by chance or by malice; a verifier tries them all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId(pub [u8; 4]);

impl std::fmt::Display for KeyId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|b| write!(f, "{b:02x}"))
    }
}

/// Why 32 bytes are no key that Touchmark accepts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyError {
    /// Not base64 of 32 bytes.
    Encoding,
    /// No point of the curve, or not its one canonical encoding (RFC 8032, section 5.1.3).
    Point,
    /// A point of small order: every message has a signature that it accepts.
    Weak,
    /// A point with a component of small order: verifiers may disagree over its signatures.
    Torsion,
}

impl std::fmt::Display for KeyError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Encoding => "a public key is 32 bytes in base64",
            Self::Point => "not the canonical encoding of a point of Ed25519",
            Self::Weak => "a weak key (small order)",
            Self::Torsion => "a key outside the prime-order group",
        })
    }
}

impl std::error::Error for KeyError {}

impl KeyError {
    /// The stable name, as the test vectors spell it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Encoding => "encoding",
            Self::Point => "point",
            Self::Weak => "weak",
            Self::Torsion => "torsion",
        }
    }
}

/// An Ed25519 public key as written in files, not yet checked. [`KeyBytes::check`] makes it usable; it costs about as
/// much as a verification, so a bundle of many keys checks those that a mark names.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct KeyBytes(pub [u8; 32]);

impl KeyBytes {
    /// The id by which marks name this key.
    #[must_use]
    pub fn id(&self) -> KeyId {
        let [a, b, c, d, ..]: [u8; 32] =
            Sha256::new().chain_update(domain::KEY_ID).chain_update(self.0).finalize().into();
        KeyId([a, b, c, d])
    }

    /// SHA-256 of the 32 bytes: what people compare, and what binds a mark to its maker's root key.
    #[must_use]
    pub fn fingerprint(&self) -> [u8; 32] {
        Sha256::digest(self.0).into()
    }

    /// The key, if it is the canonical encoding of a point of prime order.
    ///
    /// # Errors
    /// [`KeyError::Point`], [`KeyError::Weak`] or [`KeyError::Torsion`].
    pub fn check(&self) -> Result<PublicKey, KeyError> {
        let key = VerifyingKey::from_bytes(&self.0).map_err(|_| KeyError::Point)?;
        let point = key.to_edwards();
        if point.compress().to_bytes() != self.0 {
            return Err(KeyError::Point);
        }
        if key.is_weak() {
            return Err(KeyError::Weak);
        }
        if !point.is_torsion_free() {
            return Err(KeyError::Torsion);
        }
        Ok(PublicKey(key))
    }
}

impl std::fmt::Display for KeyBytes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&STANDARD.encode(self.0))
    }
}

impl std::fmt::Debug for KeyBytes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "KeyBytes({self})")
    }
}

impl std::str::FromStr for KeyBytes {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let bytes = STANDARD.decode(text).map_err(|_| KeyError::Encoding)?;
        bytes.try_into().map(Self).map_err(|_| KeyError::Encoding)
    }
}

impl TryFrom<String> for KeyBytes {
    type Error = KeyError;

    fn try_from(text: String) -> Result<Self, KeyError> {
        text.parse()
    }
}

impl From<KeyBytes> for String {
    fn from(key: KeyBytes) -> Self {
        key.to_string()
    }
}

/// An Ed25519 public key that passed [`KeyBytes::check`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PublicKey(VerifyingKey);

impl PublicKey {
    /// The 32 bytes of RFC 8032, section 5.1.2.
    #[must_use]
    pub fn bytes(&self) -> KeyBytes {
        KeyBytes(self.0.to_bytes())
    }

    /// Whether `signature` is good for `message` by the strict rule of SPEC.md, section 4: S below the group order, R
    /// canonical and not of small order, and \[S\]B = R + \[k\]A without the cofactor. Never in batches: a batch judges a
    /// signature by its company.
    #[must_use]
    pub fn verify(&self, message: &[u8], signature: &[u8; 64]) -> bool {
        self.0.verify_strict(message, &Signature::from_bytes(signature)).is_ok()
    }
}
