//! Files that are read under a ceiling, and written whole or not at all.

use crate::error::{Error, Result};
use crate::keys::Passphrase;
use std::fs::{self, File, Permissions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// The largest file read whole, in bytes: far above any bundle, list or table of this program.
pub const MAX_BYTES: u64 = 256 << 20;

/// Who may read what is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// The owner alone: keys, and what names customers.
    Private,
    /// Whoever the user's file mode mask lets.
    Ordinary,
}

impl Access {
    #[cfg(unix)]
    fn permissions(self) -> Permissions {
        use std::os::unix::fs::PermissionsExt;
        Permissions::from_mode(match self {
            Self::Private => 0o600,
            Self::Ordinary => 0o666,
        })
    }
}

/// The bytes of a file of at most [`MAX_BYTES`].
///
/// # Errors
/// It cannot be read, or is larger.
pub fn read(path: &Path) -> Result<Vec<u8>> {
    let file = File::open(path).map_err(|e| Error::io("read", path, &e))?;
    // All room at once: growing would leave copies behind, perhaps of a key, that nobody wipes.
    let room = file.metadata().map_or(0, |m| m.len().min(MAX_BYTES)) as usize + 1;
    fill(Vec::with_capacity(room), file, path)
}

/// All that `source`, which `path` names in messages, has to give, up to [`MAX_BYTES`].
///
/// # Errors
/// It cannot be read, or gives more.
pub fn read_all(source: impl Read, path: &Path) -> Result<Vec<u8>> {
    fill(Vec::new(), source, path)
}

fn fill(mut bytes: Vec<u8>, source: impl Read, path: &Path) -> Result<Vec<u8>> {
    source.take(MAX_BYTES + 1).read_to_end(&mut bytes).map_err(|e| Error::io("read", path, &e))?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(Error::file(path, format_args!("larger than {} MiB", MAX_BYTES >> 20)));
    }
    Ok(bytes)
}

/// The first line of the file at `path`, as a secret.
///
/// # Errors
/// It cannot be read, is not UTF-8, or its first line is empty or too long.
pub fn first_line(path: &Path) -> Result<Passphrase> {
    let bytes = Zeroizing::new(read(path)?);
    let line = bytes.split(|b| *b == b'\n').next().unwrap_or_default();
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let text = std::str::from_utf8(line).map_err(|_| Error::file(path, "the secret is not UTF-8"))?;
    Passphrase::new(Zeroizing::new(text.to_owned()), &path.display().to_string())
}

/// The first line of the file at `path`, as a secret that nobody but the owner of the file can read.
///
/// # Errors
/// As [`first_line`], or others can read it.
pub fn private_line(path: &Path) -> Result<Passphrase> {
    require_private(path)?;
    first_line(path)
}

/// Whether nobody but the owner of the file at `path` can read or write it.
///
/// # Errors
/// Others can; or there is no file.
pub fn require_private(path: &Path) -> Result<()> {
    let meta = fs::metadata(path).map_err(|e| Error::io("read", path, &e))?;
    if meta.is_dir() {
        return Err(Error::file(path, "a folder, where a file with a secret should be"));
    }
    #[cfg(unix)]
    if std::os::unix::fs::PermissionsExt::mode(&meta.permissions()) & 0o077 != 0 {
        return Err(Error::refused(format!("{}: others can read this secret", path.display()))
            .hint(format!("`chmod 600 {}` lets only its owner", path.display())));
    }
    Ok(())
}

/// Writes `bytes` to `path` so that the file there is the old one or the new one, never a part: into a neighbour, then
/// by renaming. What is no ordinary file (a pipe, a device) is written to as it is.
///
/// # Errors
/// The operating system's refusal.
pub fn write(path: &Path, bytes: &[u8], access: Access) -> Result<()> {
    let failed = |e: io::Error| Error::io("write", path, &e);
    if fs::metadata(path).is_ok_and(|m| !m.is_file() && !m.is_dir()) {
        let mut stream = fs::OpenOptions::new().write(true).open(path).map_err(failed)?;
        return stream.write_all(bytes).map_err(failed);
    }
    let folder = parent(path);
    let mut builder = tempfile::Builder::new();
    builder.prefix(UNFINISHED);
    #[cfg(unix)]
    let permissions = access.permissions();
    #[cfg(unix)]
    builder.permissions(permissions);
    #[cfg(not(unix))]
    let _ = access;
    let mut file = builder.tempfile_in(&folder).map_err(failed)?;
    file.write_all(bytes).and_then(|()| file.as_file().sync_all()).map_err(failed)?;
    file.persist(path).map_err(|e| failed(e.error))?;
    sync_folder(&folder);
    Ok(())
}

/// How the names of files begin that are not written whole yet.
const UNFINISHED: &str = ".touchmark-";

/// Takes away what a process that was killed had not written whole in `folder`, of which the caller must be the only
/// user.
///
/// # Errors
/// The folder cannot be read, or a file cannot be taken away.
pub fn clear_unfinished(folder: &Path) -> Result<()> {
    let entries = fs::read_dir(folder).map_err(|e| Error::io("read", folder, &e))?;
    for entry in entries.flatten().filter(|entry| entry.file_name().to_string_lossy().starts_with(UNFINISHED)) {
        fs::remove_file(entry.path()).map_err(|e| Error::io("remove", &entry.path(), &e))?;
    }
    Ok(())
}

/// The folder in which `path` stands.
#[must_use]
pub fn parent(path: &Path) -> PathBuf {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
        _ => PathBuf::from("."),
    }
}

/// Makes the names in `folder` survive a power cut, where the system can do that.
pub fn sync_folder(folder: &Path) {
    // Not every file system lets a folder be synced; then it has its own order of writing.
    let _ = File::open(folder).and_then(|f| f.sync_all());
}

/// Waits until no other process of this program is changing a file in `folder`, and keeps the others waiting until the
/// result is dropped. Where folders cannot be locked, changes made at the same moment can overwrite each other.
#[must_use]
pub fn lock_folder(folder: &Path) -> Option<File> {
    File::open(folder).ok().filter(|handle| handle.lock().is_ok())
}
