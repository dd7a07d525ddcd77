//! A witness: it remembers the newest checkpoint of each log that it knows, and cosigns one only if that goes on from there
//! (c2sp.org/tlog-witness). So nobody can show it two histories.

use crate::error::{Error, Result};
use crate::files::{self, Access};
use crate::keys::{SigningKey, sign_checked};
use std::path::{Path, PathBuf};
use touchmark_formats::ledger::checkpoint::{Checkpoint, WitnessRequest};
use touchmark_formats::ledger::merkle::{EMPTY_ROOT, is_consistent};
use touchmark_formats::ledger::note::{Note, NoteKey, NoteSignature};

/// What a witness remembers: a folder with a file for each log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Memory(PathBuf);

impl Memory {
    /// The memory in `folder`, which is made if it is not there.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn open(folder: &Path) -> Result<Self> {
        crate::init::private_folder(folder)?;
        Ok(Self(folder.to_owned()))
    }

    /// The file of a log: its name may be any text, and so its hash is taken.
    fn file(&self, log: &NoteKey) -> PathBuf {
        let name = log.key.bytes().fingerprint();
        let name: String = name.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
        self.0.join(format!("{name}.checkpoint"))
    }

    /// The newest checkpoint of `log` that was cosigned here.
    ///
    /// # Errors
    /// It cannot be read, or is none of that log.
    pub fn last(&self, log: &NoteKey) -> Result<Option<Checkpoint>> {
        let path = self.file(log);
        if !path.exists() {
            return Ok(None);
        }
        let note = Note::parse(&files::read(&path)?).map_err(|e| Error::file(&path, e))?;
        checked(&note, log).map(Some).map_err(|e| Error { message: format!("{}: {e}", path.display()), ..e })
    }

    /// Cosigns the checkpoint of a request, if `log` signed it and it goes on from the newest one known here, and remembers
    /// it first. `at` is the time in seconds of Unix time, `own` the witness's name and key, which `key` holds.
    ///
    /// # Errors
    /// The log did not sign it; it is older, or of another history than what is known: then [`crate::error::Kind::Refused`].
    pub fn cosign(
        &self,
        request: &WitnessRequest,
        log: &NoteKey,
        own: &NoteKey,
        key: &dyn SigningKey,
        at: u64,
    ) -> Result<NoteSignature> {
        // Two requests at one moment must not both find the same checkpoint to be the newest.
        let _lock = files::lock_folder(&self.0);
        let head = checked(&request.checkpoint, log)?;
        let last = self.last(log)?;
        let (size, root) = last.map_or((0, EMPTY_ROOT), |last| (last.size, last.root));
        if request.old != size {
            return Err(Error::refused(format!(
                "this witness has seen {size} records of {}, not {}",
                log.name, request.old
            ))
            .hint(format!("ask again with --old {size}")));
        }
        let goes_on = match size {
            0 => request.hashes.is_empty(),
            size => is_consistent(size, &root, head.size, &head.root, &request.hashes),
        };
        if !goes_on {
            let what = format!(
                "the checkpoint of {} records is not a continuation of the one of {size} that was cosigned here",
                head.size
            );
            return Err(Error::refused(what).hint("keep both: they are proof that the log shows two histories"));
        }
        let signature = sign_checked(key, &own.key, &own.message(&request.checkpoint.text, at), &"a cosignature")?;
        files::write(&self.file(log), request.checkpoint.to_string().as_bytes(), Access::Private)?;
        Ok(own.line(&signature, at))
    }
}

/// The checkpoint in a note, if `log` signed it.
fn checked(note: &Note, log: &NoteKey) -> Result<Checkpoint> {
    let signed = note.signed_by(log).map_err(|e| Error::refused(format!("the checkpoint: {e}")))?;
    let checkpoint = Checkpoint::parse(&note.text).map_err(|e| Error::unusable(e.to_string()))?;
    if signed.is_none() || checkpoint.origin != log.name.as_str() {
        return Err(Error::refused(format!("{} did not sign the checkpoint of {}", log.name, checkpoint.origin)));
    }
    Ok(checkpoint)
}
