//! The key that signs a ledger's checkpoints: named by the maker's root key, so that the maker has one ledger.

use super::note::{NoteKey, NoteKeyKind, NoteName};
use crate::key::{KeyBytes, PublicKey};
use crate::signed::{Document, Signed};
use serde::{Deserialize, Deserializer, Serialize, de::Error as _};

/// Who keeps the ledger of a maker.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LedgerKey {
    /// The maker's root key, which signs.
    pub maker: KeyBytes,
    /// The first line of its checkpoints, and the name of the key in notes.
    #[serde(deserialize_with = "origin")]
    pub origin: String,
    /// The key that signs them.
    pub key: KeyBytes,
}

impl Document for LedgerKey {
    const TYPE: &'static str = "touchmark/v1/ledger-key";
}

fn origin<'de, D: Deserializer<'de>>(d: D) -> Result<String, D::Error> {
    let text = String::deserialize(d)?;
    match text.parse::<NoteName>() {
        Ok(_) => Ok(text),
        Err(e) => Err(D::Error::custom(e)),
    }
}

impl LedgerKey {
    /// The key as notes name it, if the maker with this root key signed that it is its ledger's.
    #[must_use]
    pub fn check(envelope: &Signed<Self>, maker: &PublicKey) -> Option<NoteKey> {
        let own = &envelope.signed;
        let good = own.maker == maker.bytes() && envelope.is_signed_by(maker);
        let (name, key) = (own.origin.parse().ok()?, own.key.check().ok()?);
        good.then_some(NoteKey { name, kind: NoteKeyKind::Ed25519, key })
    }
}
