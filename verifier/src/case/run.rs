//! A run over a case: every photo examined once, on all cores, whatever stops it in between.

use super::folder::{Folder, FolderError, FolderErrorKind};
use super::gather::{Content, Found, Gather, Passed, measure};
use super::journal::{Entry, Journal};
use super::record::{Case, Group, Mark, PhotoFacts, PhotoResult, SeenMark};
use super::{crop, exif, soft};
use crate::examine::{Examination, UNOPENED, examine_photo, overall};
use crate::files::write_unsynced;
use crate::guard::guarded;
use crate::hex::hex;
use crate::photo::{Limits, Photo, PhotoError, PhotoFile};
use crate::pipeline::{Budget, Event, Put, each, threads};
use crate::read::Options;
use crate::verdict::Verdict;
use crate::verify::Basis;
use base64::{Engine, engine::general_purpose::STANDARD};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, HashSet};
use std::io;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

/// Memory that photos in work may take together, in bytes, beside what is held of archives.
pub const MEMORY: u64 = 800 << 20;
/// Bytes of files that may be in memory at a time.
const FILES: u64 = 256 << 20;
/// Of photos out of archives, those waiting among them.
const HELD: u64 = 128 << 20;

/// A case that is open for a run. Nobody else works on it meanwhile.
#[derive(Debug)]
pub struct Run {
    folder: Folder,
    case: Case,
    journal: Journal,
    /// How many photos were done when it was opened.
    before: usize,
}

/// How far a run is.
#[derive(Debug, Clone, Default)]
pub struct Progress {
    /// Photos that are done and on the disk.
    pub photos: u64,
    /// How many of them there were when the run began.
    pub before: u64,
    /// Photos by their verdicts.
    pub verdicts: BTreeMap<Verdict, u64>,
    /// Photos that could not be opened.
    pub errors: u64,
    /// Bytes of all photos that are done, and of those of this run.
    pub bytes: u64,
    /// Bytes of this run.
    pub bytes_now: u64,
    /// Bytes of all there are, once that is known.
    pub bytes_all: Option<u64>,
}

impl Progress {
    fn add(&mut self, result: &PhotoResult) {
        self.photos += 1;
        *self.verdicts.entry(result.verdict).or_default() += 1;
        self.errors += u64::from(result.error.is_some());
        self.bytes += result.photo.bytes.unwrap_or(0);
    }
}

/// What whoever waits for a run is told.
#[derive(Debug)]
pub enum Look<'a> {
    /// A photo is done, and on the disk.
    Done(&'a PhotoResult),
    /// How far it is: ten times a second.
    Progress(&'a Progress),
}

/// Where the photos of a run come from.
pub type Source<'s> = &'s (dyn for<'a> Fn(&Gather<'a>, Put<'_, Found<'a>>) + Sync);

impl Run {
    /// Opens the case in `folder`, or begins it as `wanted` says. What a case was begun with does not change.
    ///
    /// # Errors
    /// The case was begun with something else, another run works on it, or the file system fails.
    pub fn open(folder: &Folder, wanted: Case) -> Result<Self, FolderError> {
        let fail = |path: PathBuf| move |e| FolderError { path, kind: FolderErrorKind::Io(e) };
        std::fs::create_dir_all(folder.crops()).map_err(fail(folder.crops()))?;
        let journal = Journal::open(folder)?;
        let case = match folder.case() {
            Ok(case) => {
                let differs = difference(&case, &wanted);
                let error = |what| FolderError { path: folder.case_json(), kind: FolderErrorKind::Begun(what) };
                differs.map_or(Ok(case), |what| Err(error(what)))?
            }
            Err(FolderError { kind: FolderErrorKind::Absent, .. }) => {
                folder.write_case(&wanted)?;
                wanted
            }
            Err(e) => return Err(e),
        };
        clear(folder);
        let before = journal.len();
        Ok(Self { folder: folder.clone(), case, journal, before })
    }

    /// What the case was begun with.
    #[must_use]
    pub fn case(&self) -> &Case {
        &self.case
    }

    /// The case folder.
    #[must_use]
    pub fn folder(&self) -> &Folder {
        &self.folder
    }

    /// What was examined so far.
    #[must_use]
    pub fn journal(&self) -> &Journal {
        &self.journal
    }

    /// How many photos were done when the run began.
    #[must_use]
    pub fn before(&self) -> usize {
        self.before
    }

    /// Examines every photo of the case's inputs that is not done yet. When `stop` is set, those in work are finished, and the
    /// rest is left for another run.
    ///
    /// # Errors
    /// The case folder cannot be written, or `look` fails.
    pub fn examine<E: From<FolderError>>(
        &mut self,
        basis: &Basis<'_>,
        stop: &AtomicBool,
        passed: &Passed,
        look: impl FnMut(Look<'_>) -> Result<(), E>,
    ) -> Result<Progress, E> {
        let inputs: Vec<PathBuf> = self.case.inputs.iter().map(PathBuf::from).collect();
        self.examine_from(basis, stop, passed, &|gather, put| gather.all(&inputs, put), look)
    }

    /// The same for the photos that `source` gives.
    ///
    /// # Errors
    /// As [`Run::examine`].
    pub fn examine_from<E: From<FolderError>>(
        &mut self,
        basis: &Basis<'_>,
        stop: &AtomicBool,
        passed: &Passed,
        source: Source<'_>,
        mut look: impl FnMut(Look<'_>) -> Result<(), E>,
    ) -> Result<Progress, E> {
        let Self { folder, case, journal, .. } = self;
        let mut progress = Progress::default();
        for entry in journal.sorted()? {
            progress.add(&entry?.result);
        }
        progress.before = progress.photos;
        let (before, unknown) = (progress.bytes, u64::MAX);
        let (held, all) = (Budget::of(HELD), AtomicU64::new(unknown));
        let seen = Mutex::new(Seen { done: journal.stamps(), now: HashSet::new() });
        let wanted = |path: &[u8], stamp: &str| seen.lock().unwrap_or_else(PoisonError::into_inner).wants(path, stamp);
        let gather = Gather { case: folder.root(), wanted: &wanted, held: &held, limits: Limits::default(), passed };
        let inputs: Vec<PathBuf> = case.inputs.iter().map(PathBuf::from).collect();
        let worker = Worker {
            folder,
            basis,
            options: Options { effort: case.effort, ..Options::default() },
            group: case.group,
            limits: Limits::default(),
            memory: Budget::of(MEMORY),
            files: Budget::of(FILES),
        };
        let mut waiting: Vec<PhotoResult> = Vec::new();
        let gathered = |put: Put<'_, _>| {
            std::thread::scope(|scope| {
                scope.spawn(|| all.store(measure(&inputs, stop), Ordering::Relaxed));
                source(&gather, put);
            });
        };
        each(
            threads(),
            gathered,
            |found| worker.examine(found),
            |event| {
                if let Event::Done(entry) = event {
                    let entry: Entry = entry?;
                    journal.add(&entry)?;
                    waiting.push(entry.result);
                }
                if journal.settle(false)? > 0 {
                    tell(&mut waiting, &mut progress, &mut look)?;
                }
                progress.bytes_now = progress.bytes - before;
                progress.bytes_all = Some(all.load(Ordering::Relaxed)).filter(|all| *all != unknown);
                look(Look::Progress(&progress))?;
                Ok::<_, E>(if stop.load(Ordering::Relaxed) {
                    ControlFlow::Break(())
                } else {
                    ControlFlow::Continue(())
                })
            },
        )?;
        journal.settle(true)?;
        tell(&mut waiting, &mut progress, &mut look)?;
        progress.bytes_now = progress.bytes - before;
        Ok(progress)
    }
}

fn tell<E>(
    waiting: &mut Vec<PhotoResult>,
    progress: &mut Progress,
    look: &mut impl FnMut(Look<'_>) -> Result<(), E>,
) -> Result<(), E> {
    waiting.drain(..).try_for_each(|result| {
        progress.add(&result);
        look(Look::Done(&result))
    })
}

/// Which photos need no look.
struct Seen {
    done: std::collections::HashMap<Vec<u8>, String>,
    now: HashSet<Vec<u8>>,
}

impl Seen {
    /// Whether a photo is new or was changed, and was not found a moment ago by another of the inputs.
    fn wants(&mut self, path: &[u8], stamp: &str) -> bool {
        if self.done.get(path).is_some_and(|done| done == stamp) {
            return false;
        }
        self.done.insert(path.to_vec(), stamp.to_owned());
        self.now.insert(path.to_vec())
    }
}

/// What was left behind by a run that was killed.
fn clear(folder: &Folder) {
    let left = |folder: &Path| {
        let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
        entries.filter(|entry| entry.file_name().as_encoded_bytes().starts_with(b".tmp")).map(|entry| entry.path())
    };
    for path in left(folder.root()).chain(left(&folder.crops())).chain(left(&folder.journal())) {
        // Should it stay, it is in nobody's way.
        let _ = std::fs::remove_file(path);
    }
}

/// How `wanted` differs from what the case was begun with.
fn difference(case: &Case, wanted: &Case) -> Option<String> {
    let hashes = |case: &Case| case.disclosures.iter().map(|d| d.sha256.clone()).collect::<Vec<_>>();
    let group = |case: &Case| if case.group == Group::Folder { "--group folder" } else { "without --group folder" };
    let text = |value: &dyn std::fmt::Debug| format!("{value:?}").to_lowercase();
    let what = if case.tool != wanted.tool {
        format!("by {}, and this is {}", case.tool, wanted.tool)
    } else if case.inputs != wanted.inputs {
        format!("for {}", case.inputs.join(", "))
    } else if case.trust.file.sha256 != wanted.trust.file.sha256 {
        let trust = &case.trust;
        format!("with another trust bundle, version {} of {}", trust.bundle_version, trust.authority)
    } else if hashes(case) != hashes(wanted) {
        let names: Vec<&str> = case.disclosures.iter().map(|d| d.file.as_str()).collect();
        format!("with other disclosures ({})", if names.is_empty() { "none".into() } else { names.join(", ") })
    } else if case.witnesses != wanted.witnesses {
        "with other witnesses".into()
    } else if case.effort != wanted.effort {
        format!("with --effort {}", text(&case.effort))
    } else if case.group != wanted.group {
        group(case).into()
    } else if case.name != wanted.name {
        format!("with --name {:?}", case.name)
    } else {
        return None;
    };
    Some(what)
}

/// What examines one photo.
struct Worker<'a> {
    folder: &'a Folder,
    basis: &'a Basis<'a>,
    options: Options,
    group: Group,
    limits: Limits,
    memory: Budget,
    files: Budget,
}

impl Worker<'_> {
    fn examine(&self, found: Found<'_>) -> Result<Entry, FolderError> {
        let Found { path, stamp, content } = found;
        let mut facts = named(&path);
        let name = Path::new(&facts.path).to_owned();
        // Whatever is lent, is lent until the photo is done.
        let (file, _held, _read) = match content {
            Content::File(path) => {
                let size = std::fs::metadata(&path).map_or(0, |file| file.len()).min(self.limits.file_bytes);
                let read = self.files.borrow(size);
                (
                    PhotoFile::read(&path, &self.limits).map_err(|e| PhotoError { path: name, ..e }.to_string()),
                    None,
                    Some(read),
                )
            }
            Content::Bytes(bytes, held) => {
                (PhotoFile::of(&name, bytes, &self.limits).map_err(|e| e.to_string()), Some(held), None)
            }
            Content::Missing(why) => (Err(format!("cannot read {}: {why}", facts.path)), None, None),
        };
        let file = match file {
            Ok(file) => file,
            Err(error) => return Ok(unopened(stamp, facts, error)),
        };
        facts.sha256 = Some(hex(&file.sha256()));
        facts.bytes = Some(file.bytes().len() as u64);
        exif::read(file.bytes(), &mut facts);
        let _memory = self.memory.borrow(file.cost(&self.limits));
        let seen = guarded(|| {
            let photo = file.decode(&self.limits).map_err(|e| e.to_string())?;
            let seen = examine_photo(&photo, self.basis, &self.options);
            Ok((photo, seen))
        });
        match seen {
            Some(Ok((photo, seen))) => self.entry(stamp, &path, facts, &photo, seen),
            Some(Err(error)) => Ok(unopened(stamp, facts, error)),
            None => {
                let error = format!("cannot read {}: the reader gave up on it; please report this", facts.path);
                Ok(unopened(stamp, facts, error))
            }
        }
    }

    fn entry(
        &self,
        stamp: String,
        path: &[u8],
        facts: PhotoFacts,
        photo: &Photo,
        seen: Examination,
    ) -> Result<Entry, FolderError> {
        let (verdict, reason) = overall(&seen.marks);
        let hash = facts.sha256.clone().unwrap_or_default();
        let (mut marks, mut crops) = (Vec::new(), Vec::new());
        for (n, found) in seen.marks.iter().enumerate() {
            let picture = crop::crop(&photo.luma, found);
            let name = format!("crops/{}-{}.jpg", hash.get(..16).unwrap_or_default(), n + 1);
            if let Some(picture) = &picture {
                self.write(&self.folder.root().join(&name), picture)?;
                crops.push(hex(&Sha256::digest(picture)));
            }
            let mark = Mark::of(&found.judged).map_err(|e| self.failed(io::Error::from(e)))?;
            marks.push(SeenMark { mark, corners: found.corners, crop: picture.map(|_| name), part_id: None });
        }
        let proven = marks.iter().any(|mark| mark.mark.line_key.is_some());
        if self.group == Group::Folder && !proven {
            self.write(&soft::path(self.folder, path), &soft::write(&seen.symbols))?;
        }
        let photo = PhotoFacts { width: Some(seen.width), height: Some(seen.height), ..facts };
        let (damage, other) = (seen.damage, serde_json::Map::new());
        let result = PhotoResult { photo, verdict, reason, marks, error: None, damage, parts: Vec::new(), other };
        Ok(Entry { stamp, result, crops })
    }

    /// Whole or not at all, should the process be killed; that it reached the disk is seen when the journal is opened.
    fn write(&self, path: &Path, bytes: &[u8]) -> Result<(), FolderError> {
        let error = |e| FolderError { path: path.to_owned(), kind: FolderErrorKind::Io(e) };
        write_unsynced(path, &self.folder.journal(), bytes).map_err(error)
    }

    fn failed(&self, error: io::Error) -> FolderError {
        FolderError { path: self.folder.results_jsonl(), kind: FolderErrorKind::Io(error) }
    }
}

fn unopened(stamp: String, photo: PhotoFacts, error: String) -> Entry {
    let result = PhotoResult {
        photo,
        verdict: Verdict::NothingFound,
        reason: UNOPENED.into(),
        marks: Vec::new(),
        error: Some(error),
        damage: None,
        parts: Vec::new(),
        other: serde_json::Map::new(),
    };
    Entry { stamp, result, crops: Vec::new() }
}

/// A photo of which the path alone is known.
fn named(path: &[u8]) -> PhotoFacts {
    let text = String::from_utf8_lossy(path).into_owned();
    let own = (text.as_bytes() != path).then(|| STANDARD.encode(path));
    PhotoFacts { path: text, path_base64: own, ..PhotoFacts::default() }
}
