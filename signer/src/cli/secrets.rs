//! Where passphrases come from: a file, the environment, the terminal.

use super::Io;
use crate::error::{Error, Result};
use crate::files;
use crate::keys::Passphrase;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// Options of every command that opens a key.
#[derive(Clone, clap::Args)]
pub(super) struct PassphraseArgs {
    /// File whose first line is the passphrase
    #[arg(long, value_name = "F")]
    passphrase_file: Option<PathBuf>,
}

/// The home's passphrase, asked for at most once in a run.
pub(super) struct Secrets {
    file: Option<PathBuf>,
    known: Option<Passphrase>,
}

impl PassphraseArgs {
    pub(super) fn secrets(self) -> Secrets {
        Secrets { file: self.passphrase_file, known: None }
    }
}

impl Secrets {
    /// The passphrase of keys that exist.
    pub(super) fn ask(&mut self, io: &mut Io<'_>) -> Result<Passphrase> {
        if let Some(known) = &self.known {
            return Ok(known.clone());
        }
        let found = match self.given(io)? {
            Some(passphrase) => passphrase,
            None => checked(prompt(io, "Passphrase: ")?, "the passphrase typed in")?,
        };
        Ok(self.known.insert(found).clone())
    }

    /// A passphrase for keys yet to be made: on the terminal it is asked for twice.
    pub(super) fn choose(&mut self, io: &mut Io<'_>) -> Result<Passphrase> {
        let found = match self.given(io)? {
            Some(passphrase) => passphrase,
            None => {
                let first = prompt(io, "New passphrase: ")?;
                if *first != *prompt(io, "The same again: ")? {
                    return Err(Error::unusable("the two passphrases differ"));
                }
                checked(first, "the passphrase typed in")?
            }
        };
        Ok(self.known.insert(found).clone())
    }

    fn given(&self, io: &mut Io<'_>) -> Result<Option<Passphrase>> {
        if let Some(path) = &self.file {
            return read_file(path, io).map(Some);
        }
        io.passphrase.clone().map(|text| checked(text, "TOUCHMARK_PASSPHRASE")).transpose()
    }
}

fn read_file(path: &Path, io: &mut Io<'_>) -> Result<Passphrase> {
    let bytes = Zeroizing::new(files::read(path)?);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(path).map_or(0, |m| m.permissions().mode());
        if mode & 0o044 != 0 {
            io.say(format_args!("warning: {}: others can read this passphrase; `chmod 600` it", path.display()));
        }
    }
    let line = bytes.split(|b| *b == b'\n').next().unwrap_or_default();
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let text = std::str::from_utf8(line).map_err(|_| Error::file(path, "the passphrase is not UTF-8"))?;
    checked(Zeroizing::new(text.to_owned()), &path.display().to_string())
}

fn checked(text: Zeroizing<String>, source: &str) -> Result<Passphrase> {
    let limit = Passphrase::MAX_BYTES;
    Passphrase::new(text).ok_or_else(|| Error::unusable(format!("{source}: a passphrase has 1 to {limit} bytes")))
}

fn prompt(io: &mut Io<'_>, text: &str) -> Result<Zeroizing<String>> {
    (io.prompt)(text).map_err(|_| {
        Error::unusable("a passphrase is needed, and there is no terminal to ask for it")
            .hint("give --passphrase-file F or set TOUCHMARK_PASSPHRASE; `init` can do without by --no-passphrase")
    })
}
