//! The photos of a case, taken into its bag: from files and out of archives, and only if they still are what was examined.

use super::bag::{BagError, at, read_all};
use super::folder::Folder;
use super::gather::{Content, Found, Gather, Passed, os_name};
use super::pack::Packer;
use super::place::{copied, write};
use super::record::PhotoFacts;
use crate::hex::hex;
use crate::photo::Limits;
use crate::pipeline::Budget;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use touchmark_formats::case::{Class, Commitment};

/// What became of the photos.
#[derive(Debug, Default)]
pub(super) struct Photos {
    /// How many were taken in.
    pub(super) count: u64,
    /// Those that could not be: never opened, gone, or no longer as they were.
    pub(super) without: Vec<String>,
    /// Hashes of those that were taken in.
    packed: BTreeSet<String>,
}

/// A photo that an archive should hold.
struct Wanted {
    path: String,
    sha256: String,
    name: String,
}

/// Photos in one archive, by the bytes of their paths.
type InArchive = BTreeMap<Vec<u8>, Wanted>;

/// Takes the photos of the case in `folder` in.
pub(super) fn take(packer: &mut Packer, folder: &Folder) -> Result<Photos, BagError> {
    let mut photos = Photos::default();
    // An archive is read from its beginning to its end, and so once, for all that is wanted of it.
    let mut archives: BTreeMap<PathBuf, InArchive> = BTreeMap::new();
    for result in folder.results()? {
        let photo = result?.photo;
        let Some((sha256, name)) = named(&photo) else {
            photos.without.push(photo.path);
            continue;
        };
        let path = photo.path_bytes();
        if photos.packed.contains(&sha256) {
            continue;
        }
        if let Some(archive) = archive_of(&path, &archives) {
            archives.entry(archive).or_default().insert(path, Wanted { path: photo.path, sha256, name });
        } else if !photos.file(packer, Path::new(&*os_name(&path)), &sha256, &name)? {
            photos.without.push(photo.path);
        }
    }
    for (archive, wanted) in archives {
        photos.archive(packer, folder, &archive, &wanted)?;
        let missing = wanted.into_values().filter(|wanted| !photos.packed.contains(&wanted.sha256));
        photos.without.extend(missing.map(|wanted| wanted.path).collect::<Vec<_>>());
    }
    Ok(photos)
}

/// The hash of a photo that was opened, and its name in the bag: that hash, for its own may have to be left out.
fn named(photo: &PhotoFacts) -> Option<(String, String)> {
    let hash = photo.sha256.as_ref().filter(|hash| hash.len() == 64 && hash.bytes().all(|b| b.is_ascii_hexdigit()))?;
    let extension = Path::new(&photo.path).extension().and_then(|extension| extension.to_str()).unwrap_or_default();
    // In an archive, names that stand there several times have a number behind them.
    let extension = extension.split('#').next().unwrap_or_default();
    let plain = !extension.is_empty() && extension.chars().all(|c| c.is_ascii_alphanumeric());
    let extension = if plain { extension.to_ascii_lowercase() } else { "bin".to_owned() };
    Some((hash.to_ascii_lowercase(), format!("photos/{hash}.{extension}").to_ascii_lowercase()))
}

/// The archive that a photo is in, if it is in one: `ARCHIVE!/ENTRY`.
fn archive_of(path: &[u8], known: &BTreeMap<PathBuf, InArchive>) -> Option<PathBuf> {
    let marks: Vec<usize> = path.windows(2).enumerate().filter(|(_, two)| two == b"!/").map(|(n, _)| n).collect();
    // Folders may be called so, too.
    if marks.is_empty() || Path::new(&*os_name(path)).is_file() {
        return None;
    }
    let mut archives = marks.into_iter().filter_map(|end| path.get(..end)).map(|path| PathBuf::from(&*os_name(path)));
    archives.find(|archive| known.contains_key(archive) || archive.is_file())
}

impl Photos {
    /// A photo that is a file, if it is still what was examined.
    fn file(&mut self, packer: &mut Packer, from: &Path, sha256: &str, name: &str) -> Result<bool, BagError> {
        let to = packer.payload().join(name);
        let mut hash = Sha256::new();
        let whole = copied(from, &to, |bytes| hash.update(bytes)).is_ok();
        if !whole || hex(&hash.finalize()) != sha256 {
            if to.exists() {
                std::fs::remove_file(&to).map_err(at(&to))?;
            }
            return Ok(false);
        }
        // Once more from the copy: what is committed to is what is in the bag.
        let salt = packer.salt();
        let mut commitment = Commitment::new(&salt);
        read_all(&to, |bytes| commitment.update(bytes))?;
        packer.whole(Class::Photo, name, salt, commitment)?;
        self.took(sha256);
        Ok(true)
    }

    fn took(&mut self, sha256: &str) {
        self.count += 1;
        self.packed.insert(sha256.to_owned());
    }

    /// The photos that are `wanted` out of an archive, by the reader that found them there when they were examined.
    fn archive(
        &mut self,
        packer: &mut Packer,
        folder: &Folder,
        archive: &Path,
        wanted: &InArchive,
    ) -> Result<(), BagError> {
        let is_wanted = |path: &[u8], _: &str| wanted.contains_key(path);
        let (held, passed) = (Budget::of(u64::MAX), Passed::default());
        let gather =
            Gather { case: folder.root(), wanted: &is_wanted, held: &held, limits: Limits::default(), passed: &passed };
        let mut failed = None;
        gather.all(&[archive.to_owned()], &mut |found| match self.found(packer, found, wanted) {
            Ok(()) => ControlFlow::Continue(()),
            Err(e) => {
                failed = Some(e);
                ControlFlow::Break(())
            }
        });
        failed.map_or(Ok(()), Err)
    }

    fn found(&mut self, packer: &mut Packer, found: Found<'_>, wanted: &InArchive) -> Result<(), BagError> {
        let (Some(wanted), Content::Bytes(bytes, _loan)) = (wanted.get(&found.path), found.content) else {
            return Ok(());
        };
        if self.packed.contains(&wanted.sha256) || hex(&Sha256::digest(&bytes)) != wanted.sha256 {
            return Ok(());
        }
        let to = packer.payload().join(&wanted.name);
        write(&to, &bytes)?;
        let salt = packer.salt();
        let mut commitment = Commitment::new(&salt);
        commitment.update(&bytes);
        packer.whole(Class::Photo, &wanted.name, salt, commitment)?;
        self.took(&wanted.sha256);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
