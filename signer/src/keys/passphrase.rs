//! The passphrase over keys at rest, and the PIN of a token.

use crate::error::{Error, Result};
use std::path::Path;
use zeroize::Zeroizing;

/// A passphrase or PIN of at least one character, wiped when dropped, shown by nobody.
#[derive(Clone)]
pub struct Passphrase {
    text: Zeroizing<String>,
    source: String,
}

impl Passphrase {
    /// The longest passphrase, in bytes.
    pub const MAX_BYTES: usize = 1024;

    /// `text` as a passphrase that comes from `source`, which messages name.
    ///
    /// # Errors
    /// It is empty or too long.
    pub fn new(text: Zeroizing<String>, source: &str) -> Result<Self> {
        if (1..=Self::MAX_BYTES).contains(&text.len()) {
            return Ok(Self { text, source: source.to_owned() });
        }
        let what = if text.is_empty() { "is empty" } else { "is too long" };
        Err(Error::unusable(format!("{source}: the secret in it {what}: it has 1 to {} bytes", Self::MAX_BYTES)))
    }

    /// What is to be said of the file at `path`, which it does not open.
    #[must_use]
    pub fn is_wrong_for(&self, path: &Path) -> Error {
        Error::file(path, "the passphrase is wrong, or the file damaged")
            .hint(format!("it was taken from {}", self.source))
    }

    /// The characters, for key derivation.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.text
    }
}

impl PartialEq for Passphrase {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl std::fmt::Debug for Passphrase {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Passphrase(secret)")
    }
}
