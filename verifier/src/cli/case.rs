//! `case`: what becomes of a case folder.

mod leads;
mod verify;

use super::{Io, Stop, words};
use crate::case::bag::BagError;
use crate::case::folder::Folder;
use crate::case::merge::merge;
use crate::case::pack::{Packing, pack};
use crate::case::redact::{PRIVATE, Redaction, redact};
use crate::case::report::{self, Language};
use crate::material;
use crate::verdict::Status;
use clap::{Args, Subcommand};
use std::collections::BTreeSet;
use std::path::PathBuf;
use touchmark_formats::case::Class;
use zeroize::Zeroizing;

#[derive(Debug, Subcommand)]
pub(super) enum CaseCommand {
    /// Write report.html and flows.graphml of a case anew
    Report(ReportArgs),
    /// Pack a case as a signed bag (BagIt, RFC 8493), for another authority or a court
    Pack(PackArgs),
    /// Check a bag: complete, unchanged, signed by whom; what was left out of it; and its report, made anew from the evidence
    #[command(after_help = verify::STATUS)]
    Verify(verify::VerifyArgs),
    /// Copy a bag without consignees, places, names of files and photos; the signature over what remains still holds
    Redact(RedactArgs),
    /// Put several cases together in one view
    Merge(MergeArgs),
    /// Consignees by number of parts, lots that turn up together, and the trace requests still to be sent
    Leads(leads::LeadsArgs),
}

#[derive(Debug, Args)]
pub(super) struct ReportArgs {
    /// Case folder, as `batch` makes it
    #[arg(value_name = "CASE")]
    case: PathBuf,
    /// The language that it opens in; the page has all of them
    #[arg(long, value_enum, default_value_t)]
    language: Language,
}

#[derive(Debug, Args)]
pub(super) struct PackArgs {
    /// Case folder
    #[arg(value_name = "CASE")]
    case: PathBuf,
    /// Your signing key: PKCS#8, as `openssl genpkey -algorithm ed25519` makes it
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// Take the photos in, too, also out of archives: from where they were when they were examined, and only unchanged
    #[arg(long)]
    with_photos: bool,
    /// The new folder
    #[arg(long, value_name = "FOLDER")]
    out: PathBuf,
}

#[derive(Debug, Args)]
pub(super) struct RedactArgs {
    /// Bag
    #[arg(value_name = "BAG")]
    bag: PathBuf,
    /// What stays all the same (repeatable)
    #[arg(long, value_enum, value_name = "WHAT")]
    keep: Vec<Private>,
    /// Leave out the pictures of marks, too, which show a little of what is around them
    #[arg(long)]
    without_crops: bool,
    /// The language that the new report opens in
    #[arg(long, value_enum, default_value_t)]
    language: Language,
    /// The new folder
    #[arg(long, value_name = "FOLDER")]
    out: PathBuf,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Private {
    /// To whom parts went, from disclosures and makers' ledgers
    Consignees,
    /// Where photos were taken, and by which camera
    Places,
    /// Names of files, folders and other cases
    Paths,
    /// The photos themselves
    Photos,
}

impl Private {
    fn class(self) -> Class {
        match self {
            Self::Consignees => Class::Consignee,
            Self::Places => Class::Place,
            Self::Paths => Class::Path,
            Self::Photos => Class::Photo,
        }
    }
}

#[derive(Debug, Args)]
pub(super) struct MergeArgs {
    /// Case folders
    #[arg(value_name = "CASE", required = true)]
    cases: Vec<PathBuf>,
    /// The language that the report opens in
    #[arg(long, value_enum, default_value_t)]
    language: Language,
    /// The new folder
    #[arg(long, value_name = "FOLDER")]
    out: PathBuf,
}

impl From<BagError> for Stop {
    fn from(error: BagError) -> Self {
        Self::unusable(&error.path, error.what)
    }
}

pub(super) fn run(command: &CaseCommand, io: &mut Io<'_>) -> Result<Status, Stop> {
    match command {
        CaseCommand::Report(args) => {
            let folder = Folder::at(&args.case);
            report::write(&folder, args.language)?;
            writeln!(io.stderr, "{}", folder.report_html().display())?;
            Ok(Status::AllAuthentic)
        }
        CaseCommand::Pack(args) => packed(args, io),
        CaseCommand::Verify(args) => verify::run(args, io),
        CaseCommand::Redact(args) => redacted(args, io),
        CaseCommand::Merge(args) => merged(args, io),
        CaseCommand::Leads(args) => leads::run(args, io),
    }
}

fn packed(args: &PackArgs, io: &mut Io<'_>) -> Result<Status, Stop> {
    let key = material::open_signing_key(&args.key)?;
    let mut secret = Zeroizing::new([0; 32]);
    getrandom::fill(secret.as_mut_slice())
        .map_err(|e| Stop::unusable(&args.out, format!("the system gives no random numbers: {e}")))?;
    let packing = Packing { key: &key, photos: args.with_photos, now: io.now, secret };
    let packed = pack(&Folder::at(&args.case), &args.out, &packing)?;
    for path in &packed.without {
        writeln!(io.stderr, "note: not taken in: {} (never opened, gone, or changed)", words::plain(path))?;
    }
    let photos = if args.with_photos { format!(", {} photos", packed.photos) } else { String::new() };
    let (out, signer) = (args.out.display(), String::from(packed.signer));
    writeln!(io.stderr, "{out}: {} pieces of evidence{photos}, signed by {signer}", packed.pieces)?;
    Ok(Status::AllAuthentic)
}

fn redacted(args: &RedactArgs, io: &mut Io<'_>) -> Result<Status, Stop> {
    let kept: BTreeSet<Class> = args.keep.iter().map(|private| private.class()).collect();
    let mut classes: BTreeSet<Class> = PRIVATE.into_iter().filter(|class| !kept.contains(class)).collect();
    if args.without_crops {
        classes.insert(Class::Crop);
    }
    let redaction = Redaction { classes, language: args.language, now: io.now };
    let left_out = redact(&args.bag, &args.out, &redaction)?;
    let counts: Vec<String> = left_out.iter().map(|(class, n)| format!("{n} of class {}", class.name())).collect();
    let counts = if counts.is_empty() { "nothing".to_owned() } else { counts.join(", ") };
    writeln!(io.stderr, "{}: left out {counts}", args.out.display())?;
    writeln!(
        io.stderr,
        "note: nobody looks for faces or names in what stays: look at its report and crops before you share it"
    )?;
    Ok(Status::AllAuthentic)
}

fn merged(args: &MergeArgs, io: &mut Io<'_>) -> Result<Status, Stop> {
    let folders: Vec<Folder> = args.cases.iter().map(|path| Folder::at(path)).collect();
    let merged = merge(&folders, &args.out, args.language, io.now)?;
    writeln!(
        io.stderr,
        "{}: {} photos ({} in several cases), {} parts ({} in several cases), {} with different verdicts, {} seen on different photos",
        args.out.display(),
        merged.photos,
        merged.same_photos,
        merged.parts,
        merged.same_parts,
        merged.conflicts,
        merged.clones,
    )?;
    Ok(Status::AllAuthentic)
}
