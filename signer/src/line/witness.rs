//! What shows that a store is not an older copy of itself: a small file outside the store, kept for each issuer, that says
//! how far the issuer got.
//!
//! Every commit of an issuer has a number and a random nonce, in the store and, after the commit and before any mark of it
//! leaves, here. At the start the two are compared:
//!
//! | store | witness | what happened | what is done |
//! | --- | --- | --- | --- |
//! | no such issuer | none | the first start | both begin |
//! | at the witness, same nonce, or beyond | | a normal start, or the power went before the witness was written | go on |
//! | behind, or at it with another nonce | | the store was put back from a backup, or runs in two copies | refused |
//! | fewer reservations by all issuers together than were seen here | | as above, by another issuer's doing | refused |
//! | another store, or no such issuer | there | the store was deleted or is not the one | refused |
//! | the issuer is there | none | the home was moved to this machine, or the witness was deleted | refused |
//!
//! The witnesses of all issuers of the key on this machine are compared, not that of the one which starts alone.
//!
//! **What it cannot see.** What another machine did with a shared store while this one was switched off: after a shared
//! store was put back, let every line that uses it start, or recover, before the first issues. And a witness that is put back together with the store agrees with it: that is why it does not stand
//! in the home, which backups copy, but where this machine keeps its state. A whole machine put back from an image is
//! not noticed. And the witness is written at every commit, but synced to the disk once a second, so as not to double the
//! cost of a mark: after a power cut (not after a crash of the program) a store put back to a state of the last second
//! before it passes as well.
//!
//! It also lists the serials that were reserved, so that after a restore it is known which may be on parts:
//! [`Witness::leases`].

use crate::error::{Error, Result};
use crate::files;
use sha2::{Digest, Sha256};
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::time::Duration;
use touchmark_formats::key::KeyBytes;

/// First bytes of the file.
const MAGIC: &str = "touchmark serials 1";
/// Bytes of the first line: magic, store, the issuer's name, and what fills it up.
const HEADER: usize = 256;
/// Bytes of one of the two lines of which the newer counts: each within one sector, so that a write is whole or not there.
const SLOT: usize = 64;
/// Where the list of leases begins.
const LEASES: usize = HEADER + 2 * SLOT;
/// The largest file that is read, in bytes.
const MAX_BYTES: u64 = 64 << 20;
/// The file grows by this many bytes at a time: a sync that has to make the file longer holds up those of the store beside it.
const ROOM: usize = 16 << 10;
const SYNC: Duration = Duration::from_secs(1);

/// How far an issuer got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// The number of its last commit.
    pub sequence: u64,
    /// What that commit wrote.
    pub nonce: i64,
    /// How often anybody had reserved serials in the store.
    pub leases: u64,
}

/// The witness of one issuer, locked for this process.
#[derive(Debug)]
pub struct Witness {
    path: PathBuf,
    name: String,
    file: File,
    /// Which store it witnesses, and how far the issuer got; `None` for a new file.
    known: Option<(Vec<u8>, Progress)>,
    leases: Vec<(u64, u64)>,
    /// Where the next lease goes.
    end: u64,
    /// How long the file is: what lies beyond `end` is blank.
    room: u64,
    syncer: Syncer,
}

/// What to do where another process has the witness: whether the issuer is at work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Busy {
    /// Wait until it is done.
    Wait,
    /// Refuse.
    Refuse,
}

impl Witness {
    /// Opens the witness of the issuer `name` of `key` in the folder `state`; a new one begins where there is none.
    ///
    /// # Errors
    /// It cannot be opened or is damaged, or the issuer is at work in another process.
    pub fn open(state: &Path, key: &KeyBytes, name: &str, busy: Busy) -> Result<Self> {
        crate::init::private_folder(state)?;
        let path = state.join(format!("{}-{}.serials", key.id(), file_name(key, name)));
        let failed = |e: std::io::Error| Error::io("open", &path, &e);
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(&path).map_err(failed)?;
        match busy {
            Busy::Wait => file.lock().map_err(failed)?,
            Busy::Refuse => file.try_lock().map_err(|e| match e {
                TryLockError::WouldBlock => Error::refused(format!("{name:?} is running already in another process"))
                    .hint("stop that one, or give this one a name of its own with --name"),
                TryLockError::Error(e) => failed(e),
            })?,
        }
        let mut text = Vec::new();
        (&mut file).take(MAX_BYTES).read_to_end(&mut text).map_err(failed)?;
        let Parsed { known, leases, end, .. } = parse(&text, &path)?;
        let syncer = Syncer::start(file.try_clone().map_err(failed)?);
        let room = text.len() as u64;
        Ok(Self { path, name: name.to_owned(), file, known, leases, end, room, syncer })
    }

    /// Where it stands.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// How far the issuer got; `None` before its first commit.
    #[must_use]
    pub fn progress(&self) -> Option<Progress> {
        self.known.as_ref().map(|(_, progress)| *progress)
    }

    /// What this machine knows of the other issuers of `key`: name, store, how far each got, and what it reserved.
    ///
    /// # Errors
    /// One of the files cannot be read or is damaged.
    pub fn others(&self, key: &KeyBytes) -> Result<Vec<Other>> {
        read_all(&files::parent(&self.path), key, Some(&self.path))
    }

    /// Every run of serials that was reserved, in order.
    #[must_use]
    pub fn leases(&self) -> &[(u64, u64)] {
        &self.leases
    }

    /// Whether the store `id`, in which the issuer got as far as `stored`, can be the newest state.
    ///
    /// # Errors
    /// It cannot, with what happened and the way out.
    pub fn check(&self, id: &[u8], store: &str, stored: Option<Progress>) -> Result<()> {
        match (&self.known, stored) {
            (Some((own, known)), _) => check((own, *known), id, store, stored, &self.name),
            (None, None | Some(Progress { sequence: 0, .. })) => Ok(()),
            (None, Some(_)) => Err(Error::refused(format!(
                "{store} has serials of {:?}, and this machine ({}) knows nothing of them",
                self.name,
                self.path.display()
            ))
            .hint(
                "if another line uses the store, give this one a name of its own with --name; if the home was moved here or \
                 its state lost, say what is known with `touchmark-sign line recover`",
            )),
        }
    }

    /// Begins anew for the store `id`, at `progress`; the list of leases is kept.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn begin(&mut self, id: &[u8], progress: Progress) -> Result<()> {
        let hex = id.iter().map(|b| format!("{b:02x}")).collect::<String>();
        let text = format!("{MAGIC} {hex} {}", self.name);
        let mut head = format!("{text}{}\n", " ".repeat((HEADER - 1).saturating_sub(text.len())));
        head += &slot(progress);
        head += &slot(progress);
        self.known = Some((id.to_owned(), progress));
        self.end = self.end.max(LEASES as u64);
        self.write(0, head.as_bytes())?;
        self.make_room(1)?;
        files::sync_folder(&files::parent(&self.path));
        self.sync()
    }

    /// Notes that the issuer got as far as `progress`. It outlives this process at once, and a power cut after a second.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn note(&mut self, progress: Progress) -> Result<()> {
        let seen = self.known.as_ref().map_or(0, |(_, known)| known.leases);
        let progress = Progress { leases: progress.leases.max(seen), ..progress };
        let at = HEADER + SLOT * (progress.sequence % 2) as usize;
        self.write(at as u64, slot(progress).as_bytes())?;
        if let Some((_, known)) = &mut self.known {
            *known = progress;
        }
        self.syncer.dirty.store(true, Ordering::Release);
        Ok(())
    }

    /// Notes that serials were reserved.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn note_lease(&mut self, first: u64, last: u64) -> Result<()> {
        let line = format!("{first} {last}\n");
        self.make_room(line.len())?;
        self.write(self.end, line.as_bytes())?;
        self.end += line.len() as u64;
        self.leases.push((first, last));
        self.syncer.dirty.store(true, Ordering::Release);
        Ok(())
    }

    /// Notes how often anybody had reserved serials in the store; it is written with what is noted next, or at once if
    /// nothing else would be.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn note_leases(&mut self, leases: u64, at_once: bool) -> Result<()> {
        let Some((_, known)) = &mut self.known else { return Ok(()) };
        if known.leases >= leases {
            return Ok(());
        }
        known.leases = leases;
        let known = *known;
        if at_once { self.note(known) } else { Ok(()) }
    }

    /// Makes the file longer, by spaces that are no line, if it has no room for `bytes` more.
    fn make_room(&mut self, bytes: usize) -> Result<()> {
        if self.end + bytes as u64 <= self.room {
            return Ok(());
        }
        let from = self.room.max(self.end);
        self.write(from, " ".repeat(ROOM).as_bytes())?;
        self.room = from + ROOM as u64;
        Ok(())
    }

    /// Returns when all of it is on the disk.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn sync(&self) -> Result<()> {
        self.file.sync_all().map_err(|e| Error::io("write", &self.path, &e))
    }

    fn write(&mut self, at: u64, bytes: &[u8]) -> Result<()> {
        let written = self.file.seek(SeekFrom::Start(at)).and_then(|_| self.file.write_all(bytes));
        written.map_err(|e| Error::io("write", &self.path, &e))
    }
}

/// Whether the store `id` can be the newest state, if the issuer `name` got as far as `known` in the store that it used, and
/// as far as `stored` in this one.
///
/// # Errors
/// It cannot, with what happened and the way out.
pub fn check(
    (own, known): (&[u8], Progress),
    id: &[u8],
    store: &str,
    stored: Option<Progress>,
    name: &str,
) -> Result<()> {
    let what = match stored {
        _ if own != id => format!("is not the store that {name:?} used last"),
        None if known.sequence == 0 => return Ok(()),
        None => format!("has no record of {name:?}, which has issued serials"),
        Some(stored) if stored.sequence < known.sequence => format!(
            "is an older copy of itself: it ends at commit {} of {name:?}, which has made {}",
            stored.sequence, known.sequence
        ),
        Some(stored) if stored.leases < known.leases => {
            "is an older copy of itself: serials were reserved in it that it does not know of".to_owned()
        }
        Some(stored) if stored.sequence == known.sequence && stored.nonce != known.nonce => {
            format!("went another way than {name:?}: it was copied, and both copies were used")
        }
        Some(_) => return Ok(()),
    };
    let way_out = "put the newest store back; if it is lost for good, `touchmark-sign line recover` blocks all serials that may be \
                   on parts, and goes on after them";
    let hint = if own == id {
        way_out.to_owned()
    } else {
        format!("is another store named than before (serials.url)? Else {way_out}")
    };
    Err(Error::refused(format!("{store} {what}; serials would be issued twice")).hint(hint))
}

/// What this machine knows of the issuers of `key` by the witnesses in the folder `state`, whether they are at work or not.
///
/// # Errors
/// One of the files cannot be read or is damaged.
pub fn all(state: &Path, key: &KeyBytes) -> Result<Vec<Other>> {
    if !state.exists() {
        return Ok(Vec::new());
    }
    read_all(state, key, None)
}

fn read_all(folder: &Path, key: &KeyBytes, except: Option<&Path>) -> Result<Vec<Other>> {
    let failed = |e: std::io::Error| Error::io("read", folder, &e);
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let is_witness = path.extension().is_some_and(|e| e == "serials") && Some(path.as_path()) != except;
        if !is_witness {
            continue;
        }
        let Parsed { known, name, leases, .. } = parse(&files::read(&path)?, &path)?;
        let own = path.file_stem().is_some_and(|stem| *stem == *format!("{}-{}", key.id(), file_name(key, &name)));
        found.extend(known.filter(|_| own).map(|(store, progress)| Other { name, store, progress, leases }));
    }
    Ok(found)
}

/// Whether there is a witness of `key` in the folder `state`.
#[must_use]
pub fn knows(state: &Path, key: &KeyBytes) -> bool {
    let begin = format!("{}-", key.id());
    let is_one = |entry: std::fs::DirEntry| {
        let name = entry.file_name();
        name.to_str().is_some_and(|name| name.starts_with(&begin) && name.ends_with(".serials"))
    };
    std::fs::read_dir(state).is_ok_and(|entries| entries.flatten().any(is_one))
}

impl Drop for Witness {
    fn drop(&mut self) {
        // The thread that syncs has the file open for a moment longer, and the lock would last as long.
        let _ = self.file.unlock();
    }
}

/// Syncs the file once a second while there is something to sync.
#[derive(Debug)]
struct Syncer {
    dirty: Arc<AtomicBool>,
    /// Dropping it ends the thread.
    _stop: Sender<()>,
}

impl Syncer {
    fn start(file: File) -> Self {
        let (stop, stopped) = mpsc::channel();
        let dirty = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&dirty);
        std::thread::spawn(move || {
            while let Err(RecvTimeoutError::Timeout) = stopped.recv_timeout(SYNC) {
                if flag.swap(false, Ordering::AcqRel) {
                    // A disk that fails here fails the store's next commit too, which says so.
                    let _ = file.sync_data();
                }
            }
        });
        Self { dirty, _stop: stop }
    }
}

fn slot(Progress { sequence, nonce, leases }: Progress) -> String {
    let text = format!("{sequence:016} {nonce:016x} {leases:016}");
    let text = format!("{text} {}", digest(&text));
    format!("{text:<0$}\n", SLOT - 1)
}

fn digest(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().take(4).map(|b| format!("{b:02x}")).collect()
}

/// A short name for a file, different for different keys and names.
fn file_name(key: &KeyBytes, name: &str) -> String {
    let digest = Sha256::new().chain_update(key.0).chain_update(name.as_bytes()).finalize();
    let plain: String = name.chars().filter(|c| c.is_ascii_alphanumeric()).take(24).collect();
    let hex: String = digest.iter().take(4).map(|b| format!("{b:02x}")).collect();
    format!("{plain}-{hex}")
}

#[derive(Debug, Default)]
struct Parsed {
    known: Option<(Vec<u8>, Progress)>,
    name: String,
    leases: Vec<(u64, u64)>,
    end: u64,
}

/// What this machine knows of another issuer of the same key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Other {
    /// Its name.
    pub name: String,
    /// Its store.
    pub store: Vec<u8>,
    /// How far it got.
    pub progress: Progress,
    /// Every run of serials that it reserved.
    pub leases: Vec<(u64, u64)>,
}

fn parse(bytes: &[u8], path: &Path) -> Result<Parsed> {
    let damaged = || {
        Error::file(path, "this record of how far the line got is damaged")
            .hint("move it away, make sure that the store is the newest, and say so with `touchmark-sign line recover`")
    };
    if bytes.is_empty() {
        return Ok(Parsed { end: LEASES as u64, ..Parsed::default() });
    }
    let text = std::str::from_utf8(bytes).map_err(|_| damaged())?;
    let header = text.get(..HEADER).and_then(|h| h.strip_prefix(MAGIC)).map(str::trim).ok_or_else(damaged)?;
    let (id, name) = header.split_once(' ').ok_or_else(damaged)?;
    let id = hex(id).ok_or_else(damaged)?;
    let slots = [0, 1].map(|n| text.get(HEADER + n * SLOT..HEADER + (n + 1) * SLOT).and_then(read_slot));
    let newest = slots.into_iter().flatten().max_by_key(|p| p.sequence).ok_or_else(damaged)?;
    let list = text.get(LEASES..).unwrap_or_default();
    let (leases, end) = read_leases(list).ok_or_else(damaged)?;
    Ok(Parsed { known: Some((id, newest)), name: name.to_owned(), leases, end: (LEASES + end) as u64 })
}

/// The leases, and where the next one goes. A last line of which a part is blank was being written when the power went;
/// nothing of that lease had been used.
fn read_leases(list: &str) -> Option<(Vec<(u64, u64)>, usize)> {
    let lease = |line: &str| {
        let (first, last) = line.strip_suffix('\n')?.split_once(' ')?;
        Some((first.parse().ok()?, last.parse().ok()?))
    };
    let (mut leases, mut end) = (Vec::new(), 0);
    let mut lines = list.split_inclusive('\n');
    while let Some(line) = lines.next() {
        match lease(line) {
            Some(read) => leases.push(read),
            None if (line.starts_with(' ') || !line.ends_with('\n')) && lines.all(|rest| rest.trim().is_empty()) => {
                break;
            }
            None => return None,
        }
        end += line.len();
    }
    Some((leases, end))
}

fn read_slot(text: &str) -> Option<Progress> {
    let (content, check) = text.trim().rsplit_once(' ')?;
    let mut fields = content.split(' ');
    let sequence = fields.next()?.parse().ok()?;
    let nonce = u64::from_str_radix(fields.next()?, 16).ok()?.cast_signed();
    let leases = fields.next()?.parse().ok()?;
    (digest(content) == check).then_some(Progress { sequence, nonce, leases })
}

fn hex(text: &str) -> Option<Vec<u8>> {
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    let bytes = pairs.iter().map(|pair| std::str::from_utf8(pair).ok().and_then(|p| u8::from_str_radix(p, 16).ok()));
    if rest.is_empty() { bytes.collect() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_of_leases_ends_where_the_power_went() {
        let whole = vec![(1, 1000), (1001, 2000)];
        let list = "1 1000\n1001 2000\n";
        let blank = " ".repeat(ROOM);
        assert_eq!(read_leases(list), Some((whole.clone(), list.len())));
        assert_eq!(read_leases(&format!("{list}{blank}")), Some((whole.clone(), list.len())), "room for more");
        // Of a line across two sectors the first part alone is there, or the second.
        let line = "2001 3000\n";
        for torn in 1..line.len() {
            let (first, second) = line.split_at(torn);
            assert_eq!(read_leases(&format!("{list}{first}{blank}")), Some((whole.clone(), list.len())), "{first:?}");
            let late = format!("{list}{}{second}{blank}", " ".repeat(torn));
            assert_eq!(read_leases(&late), Some((whole.clone(), list.len())), "{second:?}");
        }
        assert_eq!(read_leases("1 1000\nnonsense\n"), None);
        assert_eq!(read_leases(&format!("1 1000\n     00\n1001 2000\n{blank}")), None, "only the last may be torn");
    }

    #[test]
    fn what_stood_after_a_torn_line_is_no_lease() {
        let folder = tempfile::tempdir().unwrap();
        let key = KeyBytes([7; 32]);
        let open = || Witness::open(folder.path(), &key, "a", Busy::Refuse).unwrap();
        let mut witness = open();
        witness.begin(b"store", Progress { sequence: 0, nonce: 0, leases: 0 }).unwrap();
        witness.note_lease(1, 1000).unwrap();
        // The power went while a long line was written.
        let (path, end) = (witness.path().to_owned(), witness.end);
        witness.write(end, b"100000000 2000000").unwrap();
        drop(witness);
        let mut witness = open();
        witness.note_lease(1001, 1002).unwrap();
        drop(witness);
        assert_eq!(open().leases(), [(1, 1000), (1001, 1002)]);
        assert_eq!(std::fs::metadata(path).unwrap().len(), (LEASES + ROOM) as u64, "the room was enough");
    }
}
