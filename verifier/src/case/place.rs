//! New folders: there whole, or not at all.

use super::bag::{BagError, at, open_regular, read_all};
use std::fs::File;
use std::io::Write;
use std::path::Path;

/// A folder in the making, beside where it goes.
pub(super) struct Place(tempfile::TempDir);

impl Place {
    pub(super) fn beside(out: &Path) -> Result<Self, BagError> {
        if std::fs::symlink_metadata(out).is_ok() {
            return Err(at(out)("it is there already: name a new folder"));
        }
        let parent = out.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        std::fs::create_dir_all(parent).map_err(at(parent))?;
        let mut builder = tempfile::Builder::new();
        builder.prefix(".touchmark-");
        // For whom the user's file mode mask lets, as any folder.
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o777));
        builder.tempdir_in(parent).map(Self).map_err(at(out))
    }

    pub(super) fn path(&self) -> &Path {
        self.0.path()
    }

    /// Puts it where it goes.
    pub(super) fn keep(self, out: &Path) -> Result<(), BagError> {
        std::fs::rename(self.0.path(), out).map_err(at(out))?;
        // It has moved; there is nothing left to be removed.
        let _ = self.0.keep();
        Ok(())
    }
}

/// Writes a file, whole or not at all.
pub(super) fn write(path: &Path, bytes: &[u8]) -> Result<(), BagError> {
    crate::files::write_atomically(path, bytes).map_err(at(path))
}

/// Copies a file, making its folder, and shows the bytes as they go by.
pub(super) fn copied(from: &Path, to: &Path, mut seen: impl FnMut(&[u8])) -> Result<(), BagError> {
    let mut wrote = Ok(());
    if let Some(folder) = to.parent() {
        std::fs::create_dir_all(folder).map_err(at(folder))?;
    }
    // The source first: a missing one leaves no empty copy behind.
    open_regular(from)?;
    let mut out = File::create(to).map_err(at(to))?;
    read_all(from, |bytes| {
        seen(bytes);
        if wrote.is_ok() {
            wrote = out.write_all(bytes);
        }
    })?;
    wrote.and_then(|()| out.sync_all()).map_err(at(to))
}
