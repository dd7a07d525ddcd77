//! What went wrong, in one sentence for people, and what they can do about it.

use std::path::Path;

/// The kinds of failure, which the exit status tells apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// A rule forbids it: the delegation's limits, a serial already used, a key not of the authority.
    Refused,
    /// The command line, a file, a key or a passphrase is unusable.
    Unusable,
    /// The store of serials failed, and may have done what it was asked or not. Whoever asks again with the same request
    /// id learns which.
    Storage,
    /// The key does not sign: its holder is out of reach, refuses, or signs wrong. Nothing was done; it may be well again
    /// for whoever asks again.
    Key,
    /// Whoever read the output stopped reading.
    ClosedPipe,
}

/// A failure. Neither sentence ever holds a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    /// Which kind.
    pub kind: Kind,
    /// What is wrong, and where: a sentence without capital and full stop.
    pub message: String,
    /// The way out, where there is one.
    pub hint: Option<String>,
}

/// Result with this crate's [`Error`].
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// A rule forbids it.
    #[must_use]
    pub fn refused(message: impl Into<String>) -> Self {
        Self { kind: Kind::Refused, message: message.into(), hint: None }
    }

    /// An input is unusable.
    #[must_use]
    pub fn unusable(message: impl Into<String>) -> Self {
        Self { kind: Kind::Unusable, message: message.into(), hint: None }
    }

    /// The store of serials failed.
    #[must_use]
    pub fn storage(message: impl Into<String>) -> Self {
        Self { kind: Kind::Storage, message: message.into(), hint: None }
    }

    /// The file at `path` is unusable.
    #[must_use]
    pub fn file(path: &Path, what: impl std::fmt::Display) -> Self {
        Self::unusable(format!("{}: {what}", path.display()))
    }

    /// The operating system refused `action` on `path`.
    #[must_use]
    pub fn io(action: &str, path: &Path, error: &std::io::Error) -> Self {
        let kind = if error.kind() == std::io::ErrorKind::BrokenPipe { Kind::ClosedPipe } else { Kind::Unusable };
        Self { kind, message: format!("cannot {action} {}: {}", path.display(), plain(error)), hint: None }
    }

    /// The same with the way out.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// An operating system's message without its number, in lower case as part of a sentence.
fn plain(error: &std::io::Error) -> String {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or_default();
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}
