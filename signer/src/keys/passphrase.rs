//! The passphrase over keys at rest, and the PIN of a token.

use crate::error::Error;
use zeroize::Zeroizing;

/// A passphrase or PIN of at least one character, wiped when dropped, shown by nobody.
#[derive(Clone)]
pub struct Passphrase(Zeroizing<String>);

impl Passphrase {
    /// The longest passphrase, in bytes.
    pub const MAX_BYTES: usize = 1024;

    /// `text` as a passphrase; `None` if it is empty or too long.
    #[must_use]
    pub fn new(text: Zeroizing<String>) -> Option<Self> {
        (1..=Self::MAX_BYTES).contains(&text.len()).then_some(Self(text))
    }

    /// What is wrong with `source` where [`Passphrase::new`] found none.
    #[must_use]
    pub fn no_such(source: &str) -> Error {
        Error::unusable(format!("{source}: a passphrase has 1 to {} bytes", Self::MAX_BYTES))
    }

    /// The characters, for key derivation.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl PartialEq for Passphrase {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

impl std::fmt::Debug for Passphrase {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Passphrase(secret)")
    }
}
