//! `batch`: a whole image set in, a case folder out.

use super::progress::Display;
use super::{BelievedArgs, Io, Material, Stop, load, words};
use crate::case::assemble::{Known, Summary, assemble};
use crate::case::folder::{Folder, FolderError};
use crate::case::gather::Passed;
use crate::case::known::SeenBefore;
use crate::case::record::{Case, FileUsed, Group, TrustUsed};
use crate::case::run::{Look, Progress, Run};
use crate::hex::hex;
use crate::material::read_file;
use crate::read::Effort;
use crate::verdict::{Status, Verdict};
use clap::Args;
use jiff::Timestamp;
use sha2::{Digest, Sha256};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use touchmark_formats::trust::Directory;

const EXIT_STATUS: &str = "Exit status, once every photo is done:
  0  everything was read, and every mark is authentic
  1  something was read that is not authentic
  3  a photo could not be opened, or nothing was read in it
and in any case
  2  wrong usage, trust material that cannot be used, results that cannot be written, or stopped before the end: the same
     command goes on";

#[derive(Debug, Args)]
#[command(after_help = EXIT_STATUS)]
pub(super) struct BatchArgs {
    /// Folders of photos, with all that is below them; ZIP and TAR archives are looked into. Also single archives and photos
    #[arg(value_name = "DIR", required = true)]
    inputs: Vec<PathBuf>,
    #[command(flatten)]
    case: CaseArgs,
}

/// What a case is begun with.
#[derive(Debug, Args)]
pub(super) struct CaseArgs {
    /// The case folder. If it is there, its run goes on
    #[arg(long, value_name = "CASE")]
    pub(super) out: PathBuf,
    #[command(flatten)]
    believed: BelievedArgs,
    /// How long to look for marks that are hard to read
    #[arg(long, value_enum, default_value_t)]
    effort: Effort,
    /// Which photos are of one part: those that prove the same mark, or all in one folder
    #[arg(long, value_enum, default_value_t)]
    group: Group,
    /// What the case is called, in reports and among sightings; by default, as its folder
    #[arg(long, value_name = "TEXT")]
    name: Option<String>,
    /// Where every serial is remembered that was ever seen, so that one that comes up in a second case is pointed out: a file,
    /// or a postgresql:// URL that a team shares. By default sightings.db, beside the authorities that you accepted
    #[arg(long, value_name = "FILE|URL", env = "TOUCHMARK_SIGHTINGS", hide_env_values = true)]
    sightings: Option<String>,
    /// Neither ask what was seen in other cases nor remember this one
    #[arg(long, conflicts_with = "sightings")]
    no_sightings: bool,
}

pub(super) fn run(args: &BatchArgs, io: &mut Io<'_>) -> Result<Status, Stop> {
    let stop = stopped_by_signals();
    let mut open = OpenCase::open(&args.case, &args.inputs, io)?;
    let directory = Directory::new(&open.material.trust);
    let basis = open.material.basis(&directory);
    if open.run.before() > 0 {
        writeln!(io.stderr, "{} photos were done before; going on", open.run.before())?;
    }
    let (passed, mut display) = (Passed::default(), Display::new(io.terminal));
    let done = open.run.examine(&basis, &stop, &passed, |look| match look {
        Look::Progress(progress) => display.show(progress, io).map_err(Stop::from),
        Look::Done(_) => Ok(()),
    })?;
    display.clear(io)?;
    if stop.load(Ordering::Relaxed) {
        writeln!(io.stderr, "stopped: {} photos are done; the same command goes on", done.photos)?;
        return Ok(Status::Unusable);
    }
    let summary = open.finish(&args.case, io)?;
    say(&args.case.out, &summary, &passed, io)?;
    Ok(status(&done))
}

/// A case and what its verdicts rest on.
pub(super) struct OpenCase {
    pub(super) run: Run,
    pub(super) material: Material,
}

impl OpenCase {
    pub(super) fn open(args: &CaseArgs, inputs: &[PathBuf], io: &mut Io<'_>) -> Result<Self, Stop> {
        let folder = Folder::at(&args.out);
        let created = match folder.case() {
            Ok(case) => case.created,
            Err(_) => begin(io.now),
        };
        let mut material = load(&args.believed, io)?;
        material.now = created;
        let wanted = wanted(args, inputs, &material, created)?;
        Ok(Self { run: Run::open(&folder, wanted)?, material })
    }
}

impl OpenCase {
    /// Writes the files of the case, with what is known of other cases, and tells these.
    pub(super) fn finish(&self, args: &CaseArgs, io: &mut Io<'_>) -> Result<Summary, Stop> {
        let directory = Directory::new(&self.material.trust);
        let basis = self.material.basis(&directory);
        let (folder, case) = (self.run.folder(), self.run.case());
        let mut known = match sightings(args, io) {
            Some(place) => Some(SeenBefore::open(&place, folder, case)?),
            None => None,
        };
        let store = known.as_mut().map(|known| known as &mut dyn Known);
        let summary = assemble(folder, case, self.run.journal(), &basis, store)?;
        known.map_or(Ok(()), SeenBefore::finish)?;
        Ok(summary)
    }
}

/// Where serials are remembered that were seen; nowhere, if that is not wanted, or there is no place for it.
pub(super) fn sightings(args: &CaseArgs, io: &Io<'_>) -> Option<String> {
    if args.no_sightings {
        return None;
    }
    let own = || io.state.as_ref().map(|state| state.join("sightings.db").to_string_lossy().into_owned());
    args.sightings.clone().or_else(own)
}

impl From<FolderError> for Stop {
    fn from(error: FolderError) -> Self {
        Self::Case(error)
    }
}

/// Now, in whole seconds, or what `SOURCE_DATE_EPOCH` says it is: for runs that are to give the same bytes.
fn begin(now: Timestamp) -> Timestamp {
    let set = std::env::var("SOURCE_DATE_EPOCH").ok().and_then(|seconds| seconds.parse().ok());
    Timestamp::from_second(set.unwrap_or(now.as_second())).unwrap_or(now)
}

fn wanted(args: &CaseArgs, inputs: &[PathBuf], material: &Material, created: Timestamp) -> Result<Case, Stop> {
    let text = |path: &PathBuf| {
        let text = path.to_str().map(str::to_owned);
        text.ok_or_else(|| Stop::unusable(path, "its name is not in UTF-8: name a folder above it"))
    };
    let used = |path: &PathBuf| -> Result<FileUsed, Stop> {
        let file = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Ok(FileUsed { file, sha256: hex(&Sha256::digest(&*read_file(path)?)) })
    };
    let authority = &material.trust.authority;
    let believed = &args.believed;
    Ok(Case {
        kind: Case::TYPE.to_owned(),
        version: Case::VERSION,
        tool: concat!("touchmark-verify ", env!("CARGO_PKG_VERSION")).to_owned(),
        created,
        name: args.name.clone().unwrap_or_else(|| folder_name(&args.out)),
        inputs: inputs.iter().map(text).collect::<Result<_, _>>()?,
        effort: args.effort,
        group: args.group,
        trust: TrustUsed {
            file: used(&believed.trust)?,
            authority: authority.name.to_string(),
            fingerprint: hex(&authority.fingerprint()),
            bundle_version: material.trust.version,
        },
        disclosures: believed.disclosure.iter().chain(&believed.trail).map(used).collect::<Result<_, _>>()?,
        witnesses: believed.witness.iter().map(ToString::to_string).collect(),
        other: serde_json::Map::new(),
    })
}

fn folder_name(folder: &Path) -> String {
    let whole = std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned());
    whole.file_name().map_or_else(|| "case".to_owned(), |name| name.to_string_lossy().into_owned())
}

/// Set by the first SIGINT or SIGTERM; the second ends the program at once.
pub(super) fn stopped_by_signals() -> Arc<AtomicBool> {
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
        // Where it cannot be caught, it ends the program as ever, and the journal has what was done.
        let _ = signal_hook::flag::register_conditional_shutdown(signal, 128 + signal, Arc::clone(&stop));
        let _ = signal_hook::flag::register(signal, Arc::clone(&stop));
    }
    stop
}

/// The status of a whole case: of its photos, the gravest.
pub(super) fn status(progress: &Progress) -> Status {
    progress.verdicts.keys().map(|verdict| verdict.status()).fold(Status::AllAuthentic, Status::and)
}

/// What came out, for people.
pub(super) fn say(case: &Path, summary: &Summary, passed: &Passed, io: &mut Io<'_>) -> io::Result<()> {
    let (photos, parts): (u64, u64) = (summary.photos.values().sum(), summary.parts.values().sum());
    writeln!(io.stdout, "{}: {photos} photos, {parts} parts", words::plain(&case.display().to_string()))?;
    for verdict in Verdict::ALL {
        let count = |of: &std::collections::BTreeMap<Verdict, u64>| of.get(&verdict).copied().unwrap_or(0);
        let (photos, parts) = (count(&summary.photos), count(&summary.parts));
        if photos + parts > 0 {
            writeln!(io.stdout, "  {:<16} {photos:>6} photos {parts:>6} parts", verdict.name())?;
        }
    }
    if summary.cloned > 0 {
        writeln!(
            io.stdout,
            "  look at these first: {} parts whose mark may be on another part too (`clones` in parts.jsonl)",
            summary.cloned
        )?;
    }
    let Passed { hidden, links, others, cases } = passed;
    let rows: [(&AtomicU64, &str); 4] = [
        (others, "files that are no pictures"),
        (hidden, "hidden files and folders"),
        (links, "links to folders"),
        (cases, "case folders"),
    ];
    let rows = rows.iter().map(|(count, what)| (count.load(Ordering::Relaxed), what)).filter(|(count, _)| *count > 0);
    let passed: Vec<String> = rows.map(|(count, what)| format!("{count} {what}")).collect();
    if !passed.is_empty() {
        writeln!(io.stderr, "passed over: {}", passed.join(", "))?;
    }
    io.stdout.flush()
}
