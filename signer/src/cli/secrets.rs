//! Where passphrases and PINs come from: a file, the environment, a credential of systemd, the terminal.

use super::Io;
use crate::error::{Error, Kind, Result};
use crate::files;
use crate::keys::{Passphrase, Unlock};
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// The credential of systemd (`LoadCredential=`) that holds a token's PIN.
const PIN_CREDENTIAL: &str = "touchmark-pin";
/// The one that holds the passphrase of keys in files.
const PASSPHRASE_CREDENTIAL: &str = "touchmark-passphrase";

/// Options of every command that opens a key.
#[derive(Clone, clap::Args)]
pub(super) struct PassphraseArgs {
    /// File whose first line is the passphrase
    #[arg(long, value_name = "F")]
    passphrase_file: Option<PathBuf>,
    /// File whose first line is the PIN of the token that holds a key
    #[arg(long, value_name = "F")]
    pin_file: Option<PathBuf>,
}

/// The home's passphrase and the PINs of tokens, each asked for at most once in a run.
pub(super) struct Secrets {
    file: Option<PathBuf>,
    pin_file: Option<PathBuf>,
    known: Option<Passphrase>,
    /// PINs that were typed, with the tokens that they are for.
    typed: Vec<(String, Passphrase)>,
    /// Whether a file that others can read is refused, and not only warned of.
    strict: bool,
}

/// Secrets together with the world that they come from.
pub(super) struct Unlocker<'a, 'io> {
    secrets: &'a mut Secrets,
    io: &'a mut Io<'io>,
}

impl Unlock for Unlocker<'_, '_> {
    fn passphrase(&mut self) -> Result<Passphrase> {
        self.secrets.ask(self.io)
    }

    fn pin(&mut self, token: &str) -> Result<Passphrase> {
        self.secrets.pin(token, self.io)
    }
}

impl PassphraseArgs {
    pub(super) fn secrets(self) -> Secrets {
        Secrets { file: self.passphrase_file, pin_file: self.pin_file, known: None, typed: Vec::new(), strict: false }
    }

    /// For a service: nobody sees its warnings, and so a file that others can read is refused.
    pub(super) fn strict(self) -> Secrets {
        Secrets { strict: true, ..self.secrets() }
    }
}

impl Secrets {
    /// As the library asks for them.
    pub(super) fn unlock<'a, 'io>(&'a mut self, io: &'a mut Io<'io>) -> Unlocker<'a, 'io> {
        Unlocker { secrets: self, io }
    }

    /// The PIN of a token.
    fn pin(&mut self, token: &str, io: &mut Io<'_>) -> Result<Passphrase> {
        let credential = io.credentials.as_ref().map(|folder| folder.join(PIN_CREDENTIAL)).filter(|f| f.exists());
        if let Some(path) = &self.pin_file {
            return self.read_file(path, io);
        }
        if let Some(pin) = io.pin.clone() {
            return Passphrase::new(pin, "TOUCHMARK_PIN");
        }
        if let Some(path) = credential {
            return files::first_line(&path);
        }
        if let Some((_, known)) = self.typed.iter().find(|(known, _)| known == token) {
            return Ok(known.clone());
        }
        let typed = (io.prompt)(&format!("PIN of the token {token}: ")).map_err(|_| {
            Error::unusable(format!("the PIN of the token {token} is needed, and there is no terminal to ask for it"))
                .hint(format!(
                    "give --pin-file F, pin-source=file:F in the PKCS#11 URI, TOUCHMARK_PIN, or the systemd credential \
                     {PIN_CREDENTIAL}"
                ))
        })?;
        let pin = Passphrase::new(typed, "the PIN typed in")?;
        self.typed.push((token.to_owned(), pin.clone()));
        Ok(pin)
    }

    /// The passphrase of keys that exist.
    pub(super) fn ask(&mut self, io: &mut Io<'_>) -> Result<Passphrase> {
        if let Some(known) = &self.known {
            return Ok(known.clone());
        }
        let found = match self.given(io)? {
            Some(passphrase) => passphrase,
            None => Passphrase::new(prompt(io, "Passphrase: ")?, "the passphrase typed in")?,
        };
        Ok(self.known.insert(found).clone())
    }

    /// The passphrase, if it was asked for.
    pub(super) fn known(&self) -> Option<Passphrase> {
        self.known.clone()
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
                Passphrase::new(first, "the passphrase typed in")?
            }
        };
        Ok(self.known.insert(found).clone())
    }

    fn given(&self, io: &mut Io<'_>) -> Result<Option<Passphrase>> {
        if let Some(path) = &self.file {
            return self.read_file(path, io).map(Some);
        }
        let credential =
            io.credentials.as_ref().map(|folder| folder.join(PASSPHRASE_CREDENTIAL)).filter(|f| f.exists());
        match (io.passphrase.clone(), credential) {
            (Some(text), _) => Passphrase::new(text, "TOUCHMARK_PASSPHRASE").map(Some),
            (None, Some(path)) => files::first_line(&path).map(Some),
            (None, None) => Ok(None),
        }
    }

    fn read_file(&self, path: &Path, io: &mut Io<'_>) -> Result<Passphrase> {
        match files::require_private(path) {
            Err(Error { kind: Kind::Refused, message, .. }) if !self.strict => {
                io.say(format_args!("warning: {message}; `chmod 600` it"));
            }
            checked => checked?,
        }
        files::first_line(path)
    }
}

/// What to say of a key that its token would give out.
pub(super) fn exportable(name: &str) -> String {
    format!("warning: the token would give the key {name} out; one that it makes itself stays in it")
}

fn prompt(io: &mut Io<'_>, text: &str) -> Result<Zeroizing<String>> {
    (io.prompt)(text).map_err(|_| {
        Error::unusable("a passphrase is needed, and there is no terminal to ask for it")
            .hint("give --passphrase-file F or set TOUCHMARK_PASSPHRASE; `init` can do without by --no-passphrase")
    })
}
