//! The authorities that a user accepted, and the highest bundle version seen of each: what stops a bundle of another
//! authority, and an old bundle in place of a newer one.

use crate::files::{ReadError, read_regular, write_atomically};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use touchmark_formats::signed::Signed;
use touchmark_formats::trust::{Pin, Trust, TrustError};

/// The largest store, in bytes: thousands of authorities.
const MAX_BYTES: u64 = 16 << 20;

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
    /// A directory, a pipe or a far too large file stands in its place.
    NotAStore,
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
            Self::NotAStore => f.write_str("it is not a store of accepted authorities"),
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
        let _lock = self.lock()?;
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
        // Nothing accepted: nothing to remember, so that a read-only place serves a first look.
        if self.load()?.pins.is_empty() {
            return Ok(false);
        }
        let _lock = self.lock()?;
        let mut stored = self.load()?;
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

    /// Two programs that raise the version at once must not undo each other. Given back when dropped.
    fn lock(&self) -> Result<File, PinsError> {
        let path = self.path.with_extension("lock");
        let lock = || -> io::Result<File> {
            if let Some(folder) = path.parent() {
                std::fs::create_dir_all(folder)?;
            }
            let file = File::options().create(true).truncate(false).write(true).open(&path)?;
            file.lock()?;
            Ok(file)
        };
        lock().map_err(PinsError::Io)
    }

    fn load(&self) -> Result<Stored, PinsError> {
        match read_regular(&self.path, MAX_BYTES) {
            Ok(bytes) => serde_json::from_slice(&bytes).map_err(PinsError::Json),
            Err(ReadError::Io(e)) if e.kind() == io::ErrorKind::NotFound => Ok(Stored::default()),
            Err(ReadError::Io(e)) => Err(PinsError::Io(e)),
            Err(_) => Err(PinsError::NotAStore),
        }
    }

    fn store(&self, stored: &Stored) -> Result<(), PinsError> {
        let json = serde_json::to_vec_pretty(stored).map_err(PinsError::Json)?;
        write_atomically(&self.path, &json).map_err(PinsError::Io)
    }
}
