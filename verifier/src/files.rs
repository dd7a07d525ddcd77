//! Files read under a limit, and written whole or not at all.

use std::io::{self, Read, Write};
use std::path::Path;
use zeroize::Zeroizing;

/// Why [`read_regular`] gives nothing.
#[derive(Debug)]
pub enum ReadError {
    /// What the file system says.
    Io(io::Error),
    /// A directory.
    Directory,
    /// A pipe or a device.
    NotAFile,
    /// More bytes than allowed.
    TooLarge,
}

impl From<io::Error> for ReadError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// Reads a regular file of at most `limit` bytes. The bytes are wiped when dropped, for they may hold a secret.
///
/// # Errors
/// [`ReadError`].
pub fn read_regular(path: &Path, limit: u64) -> Result<Zeroizing<Vec<u8>>, ReadError> {
    // Metadata first: to open a pipe would wait for its writer.
    let metadata = std::fs::metadata(path)?;
    if metadata.is_dir() {
        return Err(ReadError::Directory);
    }
    if !metadata.is_file() {
        return Err(ReadError::NotAFile);
    }
    // All room at once: growing would leave copies behind that nobody wipes.
    let room = metadata.len().min(limit) as usize + 1;
    let mut bytes = Zeroizing::new(Vec::with_capacity(room));
    std::fs::File::open(path)?.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit { Err(ReadError::TooLarge) } else { Ok(bytes) }
}

/// Writes `bytes` to `path`, making its folder; a crash leaves the old file or the new one, never half of it.
///
/// # Errors
/// What the file system says.
pub fn write_atomically(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder)?;
    let mut file = temporary_in(folder)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|e| e.error)?;
    Ok(())
}

/// Writes `bytes` to `path`, making its folder, by way of a file in `temporary` on the same disk: whole or not at all should the
/// process be killed. Whether it outlasts a power cut is not waited for.
///
/// # Errors
/// What the file system says.
pub(crate) fn write_unsynced(path: &Path, temporary: &Path, bytes: &[u8]) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let mut file = temporary_in(temporary)?;
    file.write_all(bytes)?;
    file.persist(path).map(drop).map_err(|e| e.error)
}

/// A file in `folder` that is gone again unless it is given its name.
pub(crate) fn temporary_in(folder: &Path) -> io::Result<tempfile::NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    // For whom the user's file mode mask lets, as any file: nothing that is written here is secret.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    builder.tempfile_in(folder)
}
