//! `case`: what becomes of a case folder.

use super::{Io, Stop, words};
use crate::case::bag::BagError;
use crate::case::check::{Checked, check};
use crate::case::folder::Folder;
use crate::case::leads::{Leads, write_leads};
use crate::case::merge::merge;
use crate::case::pack::{Packing, pack};
use crate::case::redact::{PRIVATE, Redaction, redact};
use crate::case::report::{self, Language};
use crate::material;
use crate::request::Requester;
use crate::verdict::Status;
use clap::{Args, Subcommand};
use std::collections::BTreeSet;
use std::path::PathBuf;
use touchmark_formats::case::Class;
use touchmark_formats::text::Label;
use zeroize::Zeroizing;

const VERIFY_STATUS: &str = "Exit status:
  0  the bag is what was signed; what was left out of it is said
  1  something is not as it was signed, or the key given did not sign it
  2  wrong usage, or no bag of a case";

#[derive(Debug, Subcommand)]
pub(super) enum CaseCommand {
    /// Write report.html and flows.graphml of a case anew
    Report(ReportArgs),
    /// Pack a case as a signed bag (BagIt, RFC 8493), for another authority or a court
    Pack(PackArgs),
    /// Check a bag: complete, unchanged, signed by whom; and what was left out of it
    #[command(after_help = VERIFY_STATUS)]
    Verify(VerifyArgs),
    /// Copy a bag without consignees, places, names of files and photos; the signature over what remains still holds
    Redact(RedactArgs),
    /// Put several cases together in one view
    Merge(MergeArgs),
    /// Consignees by number of parts, lots that turn up together, and the trace requests still to be sent
    Leads(LeadsArgs),
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
    /// Take the photos in, too: from where they were when they were examined, and only unchanged
    #[arg(long)]
    with_photos: bool,
    /// The new folder
    #[arg(long, value_name = "FOLDER")]
    out: PathBuf,
}

#[derive(Debug, Args)]
pub(super) struct VerifyArgs {
    /// Bag, as `case pack` and `case redact` make it
    #[arg(value_name = "BAG")]
    bag: PathBuf,
    /// The public key that must have signed it: PEM as `openssl pkey -pubout` writes it, or base64
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
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

#[derive(Debug, Args)]
pub(super) struct LeadsArgs {
    /// Case folder
    #[arg(value_name = "CASE")]
    case: PathBuf,
    /// Who asks: then a signed request for each maker is written
    #[arg(long, value_name = "NAME", requires_all = ["key", "recipient"])]
    requester: Option<Label>,
    /// Your signing key: PKCS#8, as `openssl genpkey -algorithm ed25519` makes it
    #[arg(long, value_name = "FILE", requires = "requester")]
    key: Option<PathBuf>,
    /// The age recipient to which the answers are to be encrypted
    #[arg(long, value_name = "age1...", requires = "requester")]
    recipient: Option<String>,
    /// What the case is called in the requests, if not by its own name
    #[arg(long, value_name = "TEXT", requires = "requester")]
    case_name: Option<String>,
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
        CaseCommand::Verify(args) => verified(args, io),
        CaseCommand::Redact(args) => redacted(args, io),
        CaseCommand::Merge(args) => merged(args, io),
        CaseCommand::Leads(args) => led(args, io),
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
        writeln!(io.stderr, "note: not taken in: {} (in an archive, gone, or changed)", words::plain(path))?;
    }
    let photos = if args.with_photos { format!(", {} photos", packed.photos) } else { String::new() };
    let (out, signer) = (args.out.display(), String::from(packed.signer));
    writeln!(io.stderr, "{out}: {} pieces of evidence{photos}, signed by {signer}", packed.pieces)?;
    Ok(Status::AllAuthentic)
}

fn verified(args: &VerifyArgs, io: &mut Io<'_>) -> Result<Status, Stop> {
    let key = args.key.as_deref().map(material::open_public_key).transpose()?;
    let checked = check(&args.bag)?;
    let by_key = key.is_none_or(|key| checked.signers.contains(&key));
    let good = by_key && checked.problems.is_empty();
    if args.json {
        writeln!(io.stdout, "{}", as_json(&checked, good))?;
    } else {
        write!(io.stdout, "{}", for_people(&checked, &args.bag.display().to_string()))?;
        match (by_key, key) {
            (false, _) => writeln!(io.stdout, "NOT SIGNED by the key given")?,
            (true, None) => {
                writeln!(io.stdout, "  compare the key with the one that its owner tells you, or give it with --key")?
            }
            (true, Some(_)) => {}
        }
    }
    Ok(if good { Status::AllAuthentic } else { Status::NotAuthentic })
}

fn for_people(checked: &Checked, bag: &str) -> String {
    let seal = &checked.seal;
    let word = if checked.problems.is_empty() { "AS SIGNED" } else { "NOT AS SIGNED" };
    let mut lines = vec![format!("{bag}: {word}"), format!("  case       {}", seal.case)];
    lines.push(format!("  sealed     {} by {}, {} pieces of evidence", seal.sealed, seal.tool, seal.pieces));
    lines.extend(checked.signers.iter().map(|key| format!("  signed by  {}", String::from(*key))));
    for (class, n) in &checked.left_out {
        lines.push(format!("  left out   {n} of class {}", class.name()));
    }
    if !checked.made_anew.is_empty() {
        let names = checked.made_anew.join(", ");
        lines.push(format!("  not signed {names}: made anew from what is left"));
    }
    lines.extend(checked.problems.iter().map(|problem| format!("  differs    {problem}")));
    lines.iter().map(|line| words::plain(line) + "\n").collect()
}

fn as_json(checked: &Checked, good: bool) -> serde_json::Value {
    let left_out: serde_json::Map<_, _> =
        checked.left_out.iter().map(|(class, n)| (class.name().to_owned(), (*n).into())).collect();
    serde_json::json!({
        "as_signed": good, "case": checked.seal.case, "sealed": checked.seal.sealed, "tool": checked.seal.tool,
        "pieces": checked.seal.pieces, "signers": checked.signers, "left_out": left_out, "made_anew": checked.made_anew,
        "problems": checked.problems,
    })
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

fn led(args: &LeadsArgs, io: &mut Io<'_>) -> Result<Status, Stop> {
    let folder = Folder::at(&args.case);
    let key = args.key.as_deref().map(material::open_signing_key).transpose()?;
    let requester = match (&args.requester, &key, &args.recipient) {
        (Some(name), Some(key), Some(recipient)) => {
            let case = args.case_name.clone().map_or_else(|| folder.case().map(|case| case.name), Ok)?;
            Some(Requester { name: name.clone(), recipient: recipient.clone(), case, key, now: io.now })
        }
        _ => None,
    };
    let leads = write_leads(&folder, &args.out, requester.as_ref())?;
    write!(io.stdout, "{}", told(&leads))?;
    Ok(Status::AllAuthentic)
}

/// The most lines of each kind for people; all of them are in the file.
const MOST_TOLD: usize = 10;

fn told(leads: &Leads) -> String {
    let mut lines = Vec::new();
    for buyer in leads.consignees.iter().take(MOST_TOLD) {
        let country = buyer.country.as_ref().map_or_else(String::new, |country| format!(", {country}"));
        let doubtful = if buyer.doubtful > 0 { format!(" ({} doubtful)", buyer.doubtful) } else { String::new() };
        lines.push(format!("consignee  {:>6} parts{doubtful}  {}{country}", buyer.parts, buyer.name));
    }
    for pair in leads.lots_together.iter().take(MOST_TOLD) {
        lines.push(format!("together   {:>6} folders  {} and {}", pair.folders, pair.lots[0], pair.lots[1]));
    }
    for request in &leads.requests {
        let file = if request.files.is_empty() {
            "not signed: say who asks with --requester".into()
        } else {
            request.files.join(", ")
        };
        lines.push(format!("ask        {:>6} parts  {}: {file}", request.parts, request.maker));
    }
    if lines.is_empty() {
        lines.push("no leads: no mark in the case has a good signature".to_owned());
    }
    lines.iter().map(|line| words::plain(line) + "\n").collect()
}
