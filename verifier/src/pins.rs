//! The authorities that a user accepted, and the highest bundle version seen of each: what stops a bundle of another
//! authority, and an old bundle in place of a newer one.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use touchmark_formats::signed::Signed;
use touchmark_formats::trust::{Pin, Trust, TrustError};

/// The store: one JSON file.
#[derive(Debug)]
pub struct Pins {
    path: PathBuf,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    pins: Vec<Pin>,
}

/// Why the store refuses a bundle, or cannot be used.
#[derive(Debug)]
#[non_exhaustive]
pub enum PinsError {
    /// The file cannot be read or written.
    Io(io::Error),
    /// The file is damaged.
    Json(serde_json::Error),
    /// The bundle is not from an accepted authority, or older than one seen.
    Trust(TrustError),
    /// Other authorities were accepted, this one never.
    NotAccepted,
}

impl fmt::Display for PinsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(e) => e.fmt(f),
            Self::Json(e) => write!(f, "the file is damaged: {e}"),
            Self::Trust(e) => e.fmt(f),
            Self::NotAccepted => f.write_str("the authority was never accepted"),
        }
    }
}

impl std::error::Error for PinsError {}

impl Pins {
    /// The store in the folder `state`; the file need not exist yet.
    #[must_use]
    pub fn in_folder(state: &Path) -> Self {
        Self { path: state.join("authorities.json") }
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Accepts the authority of `bundle` from now on.
    ///
    /// # Errors
    /// [`PinsError`], also where the authority was accepted before and the bundle is older than one seen.
    pub fn accept(&self, bundle: &Signed<Trust>) -> Result<(), PinsError> {
        let mut stored = self.load()?;
        let pin = Pin { authority: bundle.signed.authority.clone(), version: bundle.signed.version };
        match stored.pins.iter_mut().find(|p| p.authority.fingerprint() == pin.authority.fingerprint()) {
            Some(known) => *known = known.advance(bundle).map_err(PinsError::Trust)?,
            None => stored.pins.push(pin),
        }
        self.store(&stored)
    }

    /// Checks `bundle` against what was accepted and seen, and remembers it. `false` if nothing was accepted yet.
    ///
    /// # Errors
    /// [`PinsError`].
    pub fn advance(&self, bundle: &Signed<Trust>) -> Result<bool, PinsError> {
        let mut stored = self.load()?;
        if stored.pins.is_empty() {
            return Ok(false);
        }
        for pin in &mut stored.pins {
            match pin.advance(bundle) {
                Ok(next) if next == *pin => return Ok(true),
                Ok(next) => {
                    *pin = next;
                    self.store(&stored)?;
                    return Ok(true);
                }
                Err(TrustError::OtherAuthority) => {}
                Err(e) => return Err(PinsError::Trust(e)),
            }
        }
        Err(PinsError::NotAccepted)
    }

    fn load(&self) -> Result<Stored, PinsError> {
        match std::fs::read(&self.path) {
            Ok(bytes) => serde_json::from_slice(&bytes).map_err(PinsError::Json),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(Stored::default()),
            Err(e) => Err(PinsError::Io(e)),
        }
    }

    fn store(&self, stored: &Stored) -> Result<(), PinsError> {
        let json = serde_json::to_vec_pretty(stored).map_err(PinsError::Json)?;
        crate::files::write_atomically(&self.path, &json).map_err(PinsError::Io)
    }
}
