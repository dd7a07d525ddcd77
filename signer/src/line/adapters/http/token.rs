//! The token that HTTP clients show.

use crate::error::{Error, Result};
use crate::files;
use sha2::{Digest, Sha256};
use std::path::Path;

/// Letters that a token must have at least: fewer could be tried out.
const SHORTEST: usize = 16;

/// A token. Only its hash is kept, which also makes comparing it take the same time whatever it is compared with.
pub struct Token([u8; 32]);

impl Token {
    /// The first line of the file at `path`, which nobody but its owner may read.
    ///
    /// # Errors
    /// It cannot be read, others can read it, or the token is too short.
    pub fn read(path: &Path) -> Result<Self> {
        let line = files::private_line(path)?;
        if line.expose().len() < SHORTEST {
            return Err(Error::file(path, format_args!("a token has at least {SHORTEST} letters"))
                .hint("`openssl rand -hex 32` makes one"));
        }
        Ok(Self(hash(line.expose())))
    }

    /// Whether `shown` is it.
    pub(super) fn is(&self, shown: &str) -> bool {
        hash(shown) == self.0
    }
}

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Token")
    }
}

fn hash(text: &str) -> [u8; 32] {
    Sha256::digest(text).into()
}
