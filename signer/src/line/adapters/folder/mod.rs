//! The hot folder: CSV files in, CSV files (and artwork) out.
//!
//! | folder | what is in it |
//! | --- | --- |
//! | `in` | orders, dropped by the factory; picked up once their size stands still, or at once if renamed into it |
//! | `work` | what is being answered; after a crash, the line goes on from here |
//! | `out` | answers: `NAME.csv`, and artwork in a folder that its rows name |
//! | `done` | orders that were answered |
//! | `rejected` | orders that were not, beside a `.txt` that says which row and why |
//!
//! # Once, whatever happens
//!
//! The ids of a file's requests are made from its name and its bytes. A file that was taken and then interrupted asks for
//! the same marks again. The answer is made in `work`, the order goes to `done`, and only then the answer appears in `out`,
//! by a rename: so it appears once, however often the steps before it are done. A file that comes a second time, with the
//! same name and the same bytes, is rejected: its marks are on parts already.

mod answers;
mod table;

use super::{LOOK, Say};
use crate::error::{Error, Result};
use crate::files::{self, Access};
use crate::line::desk::Desk;
use crate::line::log::Level;
use crate::line::stop::Stop;
use answers::{Names, Outcome, Row};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

/// How long a file's size and time must stand still before it is taken.
pub const SETTLE: Duration = Duration::from_secs(2);
/// The largest order, in bytes.
pub const MAX_FILE: u64 = 16 << 20;
/// The longest name of an order, in bytes: what is made beside it has a longer one, and 255 are the most.
const MAX_NAME: usize = 180;
/// Whose ids the requests of orders have.
const CLIENT: &str = "folder";
/// The pause after the store failed.
const PAUSE: Duration = Duration::from_secs(2);

/// A hot folder.
pub struct HotFolder {
    dir: PathBuf,
    settle: Duration,
    /// What stood in `in`, and since when it stands still.
    seen: BTreeMap<PathBuf, Seen>,
    /// What stood in `in` under an order's name and is no file, of which was told.
    strangers: BTreeSet<PathBuf>,
    /// Held as long as this process serves the folder.
    _lock: fs::File,
}

struct Seen {
    size: u64,
    modified: Option<SystemTime>,
    since: Instant,
}

/// What came of one order.
enum Taken {
    /// Answered, all rows or some.
    Answered,
    /// Rejected, and why.
    Rejected(String),
    /// The store failed; the order waits in `work`.
    Waiting(String),
}

impl HotFolder {
    /// Serves `dir`, in which the folders are made where they are missing.
    ///
    /// # Errors
    /// They cannot be made, or another process serves it.
    pub fn open(dir: &Path, settle: Duration) -> Result<Self> {
        for name in ["in", "work", "out", "done", "rejected"] {
            let path = dir.join(name);
            fs::create_dir_all(&path).map_err(|e| Error::io("make", &path, &e))?;
        }
        let path = dir.join("work/.lock");
        let lock = fs::File::create(&path).map_err(|e| Error::io("make", &path, &e))?;
        if lock.try_lock().is_err() {
            return Err(Error::file(dir, "another process serves this hot folder")
                .hint("give every line a hot folder of its own"));
        }
        for name in ["work", "rejected"] {
            files::clear_unfinished(&dir.join(name))?;
        }
        Ok(Self { dir: dir.to_owned(), settle, seen: BTreeMap::new(), strangers: BTreeSet::new(), _lock: lock })
    }

    /// The folder.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Answers orders until `stop`; `say` is told of each.
    pub fn run(mut self, desk: &Desk, stop: &Stop, say: &Say<'_>) {
        let mut trouble: Option<String> = None;
        while !stop.is_said() {
            let now = self.pass(desk, stop, say).unwrap_or_else(|e| Some(e.message));
            // Said when it begins and not ten times a second.
            if let Some(what) = now.as_ref().filter(|_| now != trouble) {
                say(Level::Error, &format!("orders wait: {what}"));
            }
            stop.wait_for(if now.is_some() { PAUSE } else { LOOK });
            trouble = now;
        }
    }

    /// Answers what waits; says why something still does if it should be left alone for a while.
    fn pass(&mut self, desk: &Desk, stop: &Stop, say: &Say<'_>) -> Result<Option<String>> {
        self.finish_answers()?;
        self.tell_strangers(say)?;
        let mut orders: Vec<(PathBuf, bool)> = self.csv_in("work")?.into_iter().map(|path| (path, false)).collect();
        orders.extend(self.settled()?.into_iter().map(|path| (path, true)));
        for (path, fresh) in orders {
            if stop.is_said() {
                break;
            }
            let Some(path) = (if fresh { self.claim(&path)? } else { Some(path) }) else { continue };
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            match self.take(&path, fresh, desk)? {
                Taken::Answered => say(Level::Info, &format!("{name}: answered")),
                Taken::Rejected(why) => say(Level::Warn, &format!("{name}: rejected: {why}")),
                Taken::Waiting(why) => return Ok(Some(format!("{name}: {why}"))),
            }
        }
        Ok(None)
    }

    /// Tells once of what is called like an order and is none.
    fn tell_strangers(&mut self, say: &Say<'_>) -> Result<()> {
        let entries = self.entries("in")?;
        let strangers: BTreeSet<PathBuf> = entries.filter(|path| is_called_so(path) && !is_file(path)).collect();
        for path in strangers.difference(&self.strangers) {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            say(Level::Warn, &format!("{name}: left alone: it is no file, but a link, a folder or a pipe"));
        }
        self.strangers = strangers;
        Ok(())
    }

    /// The orders in `in` that have stood still for long enough, the oldest name first.
    fn settled(&mut self) -> Result<Vec<PathBuf>> {
        let mut seen = BTreeMap::new();
        let mut settled = Vec::new();
        for path in self.csv_in("in")? {
            let Ok(meta) = fs::metadata(&path) else { continue };
            let (size, modified) = (meta.len(), meta.modified().ok());
            let before = self.seen.remove(&path).filter(|s| s.size == size && s.modified == modified);
            let since = before.map_or_else(Instant::now, |s| s.since);
            if since.elapsed() >= self.settle {
                settled.push(path.clone());
            }
            seen.insert(path, Seen { size, modified, since });
        }
        self.seen = seen;
        Ok(settled)
    }

    /// The CSV files of a folder, sorted. Hidden ones are somebody's unfinished work.
    fn csv_in(&self, folder: &str) -> Result<Vec<PathBuf>> {
        let mut paths: Vec<PathBuf> =
            self.entries(folder)?.filter(|path| is_called_so(path) && is_file(path)).collect();
        paths.sort();
        Ok(paths)
    }

    fn entries(&self, folder: &str) -> Result<impl Iterator<Item = PathBuf> + use<>> {
        let dir = self.dir.join(folder);
        let entries = fs::read_dir(&dir).map_err(|e| Error::io("read", &dir, &e))?;
        Ok(entries.flatten().map(|entry| entry.path()))
    }

    /// Moves an order to where no one else writes; `None` while another of its name is there.
    fn claim(&mut self, path: &Path) -> Result<Option<PathBuf>> {
        let claimed = self.dir.join("work").join(path.file_name().unwrap_or_default());
        if claimed.exists() {
            return Ok(None);
        }
        move_to(path, &claimed)?;
        self.seen.remove(path);
        Ok(Some(claimed))
    }

    /// Answers or rejects one order. `fresh` says that it was not begun before.
    fn take(&self, path: &Path, fresh: bool, desk: &Desk) -> Result<Taken> {
        let meta = fs::metadata(path).map_err(|e| Error::io("read", path, &e))?;
        if meta.len() > MAX_FILE {
            return self.reject(path, &[format!("larger than {} MiB: divide it", MAX_FILE >> 20)]);
        }
        if path.file_name().is_some_and(|name| name.len() > MAX_NAME) {
            return self.reject(path, &[format!("its name is longer than {MAX_NAME} bytes: give it a shorter one")]);
        }
        let bytes = match files::read(path) {
            Ok(bytes) => bytes,
            Err(e) => return self.reject(path, &[e.message]),
        };
        let names = Names { order: path.to_owned(), id: id_of(path, &bytes) };
        let orders = match table::parse(&bytes, path, &names.id) {
            Ok(orders) => orders,
            Err(problems) => return self.reject(path, &problems),
        };
        if self.is_done(path, &bytes) {
            return self.reject(path, &before());
        }
        // All of them are handed in before the first is waited for, so that they share commits.
        let pending: Vec<_> = orders.iter().map(|order| desk.submit(CLIENT, order.request.clone())).collect();
        let answers: Vec<_> = pending.into_iter().map(crate::line::desk::Pending::wait).collect();
        let rows: Vec<Row<'_>> = orders.iter().zip(&answers).map(|(order, answer)| Row { order, answer }).collect();
        match answers::judge(&rows, fresh) {
            Outcome::Retry(why) => Ok(Taken::Waiting(why)),
            Outcome::Before => self.reject(path, &before()),
            Outcome::Refused(problems) => self.reject(path, &problems),
            Outcome::Answered => {
                answers::write(&names, &rows)?;
                self.finish(&names)?;
                Ok(Taken::Answered)
            }
        }
    }

    /// Whether the very same order is in `done`.
    fn is_done(&self, path: &Path, bytes: &[u8]) -> bool {
        let done = self.dir.join("done");
        let mut names = names(&done, path).take_while(|path| path.exists());
        names.any(|path| fs::read(path).is_ok_and(|other| other == bytes))
    }

    /// Finishes the answers that are complete in `work`.
    fn finish_answers(&self) -> Result<()> {
        let dir = self.dir.join("work");
        let entries = fs::read_dir(&dir).map_err(|e| Error::io("read", &dir, &e))?;
        for names in entries.flatten().filter_map(|entry| Names::of_answer(&entry.path())) {
            self.finish(&names)?;
        }
        Ok(())
    }

    /// The order to `done`, its artwork to `out`, and last of all its answer. Each step may have been done already.
    fn finish(&self, names: &Names) -> Result<()> {
        let out = self.dir.join("out");
        if names.order.exists() {
            move_to(&names.order, &free_name(&self.dir.join("done"), &names.order))?;
        }
        if names.artwork().exists() {
            let target = out.join(names.artwork_name());
            // Only artwork of this very order has this name.
            let _ = fs::remove_dir_all(&target);
            move_to(&names.artwork(), &target)?;
        }
        move_to(&names.answer(), &free_name(&out, &names.order))
    }

    /// Moves an order to `rejected`, beside a text that says why.
    fn reject(&self, path: &Path, problems: &[String]) -> Result<Taken> {
        let target = free_name(&self.dir.join("rejected"), path);
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let lines = problems.iter().map(|problem| format!("{name}: {problem}\n"));
        files::write(&target.with_extension("txt"), lines.collect::<String>().as_bytes(), Access::Ordinary)?;
        move_to(path, &target)?;
        Ok(Taken::Rejected(problems.first().cloned().unwrap_or_default()))
    }
}

fn before() -> Vec<String> {
    let what = "a file of this name with these very bytes was answered before, and its marks may be on parts";
    let hint = "for more marks give the file another name; the order of then is in `done`, its answer was put in `out`";
    vec![what.to_owned(), hint.to_owned()]
}

/// Whether a path has an order's name.
fn is_called_so(path: &Path) -> bool {
    let name = path.file_name().map(|name| name.to_string_lossy().to_lowercase()).unwrap_or_default();
    name.ends_with(".csv") && !name.starts_with('.')
}

/// Whether it is a file itself: a link could lead to what only this process may read.
fn is_file(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|meta| meta.is_file())
}

/// What the ids of a file's requests begin with.
fn id_of(path: &Path, bytes: &[u8]) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let digest = Sha256::new().chain_update((name.len() as u64).to_be_bytes()).chain_update(name.as_bytes());
    let digest = digest.chain_update(bytes).finalize();
    digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

/// The names that an order can have in `dir`: its own, and that with a number.
fn names(dir: &Path, order: &Path) -> impl Iterator<Item = PathBuf> {
    let plain = dir.join(order.file_name().unwrap_or_default());
    let stem = order.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let dir = dir.to_owned();
    std::iter::once(plain).chain((2u32..).map(move |n| dir.join(format!("{stem}-{n}.csv"))))
}

/// The first of them that is not taken.
fn free_name(dir: &Path, order: &Path) -> PathBuf {
    names(dir, order).find(|path| !path.exists()).unwrap_or_else(|| dir.to_owned())
}

fn move_to(from: &Path, to: &Path) -> Result<()> {
    let failed = |e: std::io::Error| {
        let Error { message, .. } = Error::io("move", from, &e);
        Error::unusable(format!("{message}, to {}", to.display()))
    };
    fs::rename(from, to).map_err(failed)?;
    files::sync_folder(&files::parent(to));
    Ok(())
}

#[cfg(test)]
mod tests;
