//! `touchmark-verify`: arguments in, words and exit status out. Only this module and those under it print.

mod batch;
mod case;
mod each;
mod files0;
mod grade;
mod photo;
mod progress;
mod request;
mod scan;
mod sightings;
mod text;
mod trail;
mod trust;
mod watch;
mod words;

use crate::case::folder::FolderError;
use crate::material::{self, Disclosed, MaterialError, MaterialErrorKind};
use crate::pins::Pins;
use crate::read::geometry::Point;
use crate::read::{Effort, Options, Place};
use crate::verdict::Status;
use crate::verify::{Answered, Basis};
use clap::{Args, Parser, Subcommand};
use jiff::Timestamp;
use std::ffi::OsString;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use touchmark_formats::disclosure::Disclosure;
use touchmark_formats::ledger::note::NoteKey;
use touchmark_formats::trust::{Directory, Trust};

/// The world outside: streams, clock and the folder of what is remembered.
pub struct Io<'a> {
    /// Standard input.
    pub stdin: &'a mut (dyn Read + Send),
    /// Standard output: results.
    pub stdout: &'a mut dyn Write,
    /// Standard error: everything else.
    pub stderr: &'a mut dyn Write,
    /// A person waits at standard error, and does not see the results go by.
    pub progress: bool,
    /// Standard error is a terminal.
    pub terminal: bool,
    /// The present.
    pub now: Timestamp,
    /// Where accepted authorities are remembered; `None`: nowhere.
    pub state: Option<PathBuf>,
}

/// Verifies Touchmark codes on photos of components, offline.
#[derive(Debug, Parser)]
#[command(name = "touchmark-verify", version, propagate_version = true, after_help = EXIT_STATUS)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

const EXIT_STATUS: &str = "Exit status:
  0  everything was read, and every mark is authentic
  1  something was read that is not authentic
  2  wrong usage, trust material that cannot be used (then nothing was verified), or results that cannot be written
  3  a photo could not be opened, or nothing was read in it";

#[derive(Debug, Subcommand)]
enum Command {
    /// Find and verify every mark in photos
    Photo(photo::PhotoArgs),
    /// Find and verify every mark in a whole image set, and put the evidence into a case folder
    Batch(batch::BatchArgs),
    /// Verify photos as they arrive in a folder, into a case folder
    Watch(watch::WatchArgs),
    /// Where serials were seen before, over all cases
    #[command(subcommand)]
    Sightings(sightings::SightingsCommand),
    /// Read any QR Code or Data Matrix symbol, Touchmark or not
    Scan(scan::ScanArgs),
    /// Grade the print quality of symbols (ISO/IEC 15415 and 29158)
    Grade(grade::GradeArgs),
    /// Verify a code in its text form
    Text(text::TextArgs),
    /// Ask a maker where parts went: a signed trace request
    Request(request::RequestArgs),
    /// Check a maker's answer to a trace request, and print through whose hands the parts went
    Trail(trail::TrailArgs),
    /// Report, pack, check, redact and merge cases, and what they lead to
    #[command(subcommand)]
    Case(case::CaseCommand),
    /// Look at trust bundles, and accept the authority that signs them
    #[command(subcommand)]
    Trust(trust::TrustCommand),
}

/// Whom and what a verdict believes.
#[derive(Debug, Args)]
struct BelievedArgs {
    /// Trust bundle: whom to believe
    #[arg(long, value_name = "FILE")]
    trust: PathBuf,
    /// What a maker disclosed, consignees or the answer to a trace request (repeatable); needs --identity
    #[arg(long, value_name = "FILE")]
    disclosure: Vec<PathBuf>,
    /// Your age identity, as age-keygen writes it (repeatable)
    #[arg(long, value_name = "FILE")]
    identity: Vec<PathBuf>,
    /// A maker's answer to a trace request, as with --disclosure (repeatable); needs --identity and --witness
    #[arg(long, value_name = "FILE", requires = "witness")]
    trail: Vec<PathBuf>,
    /// The key of a witness that you believe, as NAME+ID+BASE64 (repeatable). A mark of a key revoked later counts if an
    /// answer proves that the witness saw it on record before
    #[arg(long, value_name = "VKEY", value_parser = witness)]
    witness: Vec<NoteKey>,
}

/// What a verdict relies on.
#[derive(Debug, Args)]
struct BasisArgs {
    #[command(flatten)]
    believed: BelievedArgs,
    /// Part number printed beside the code: compared with the mark, and a help to read it
    #[arg(long, value_name = "PART")]
    part: Option<String>,
    /// Lot printed beside the code, likewise
    #[arg(long, value_name = "LOT")]
    lot: Option<String>,
}

fn witness(text: &str) -> Result<NoteKey, String> {
    text.parse().map_err(|e: touchmark_formats::ledger::note::NoteError| e.to_string())
}

/// How photos are searched.
#[derive(Debug, Args)]
struct ReadArgs {
    /// How long to look for marks that are hard to read: quick for many clean photos, forensic (seconds a photo) for the
    /// ones that matter
    #[arg(long, value_enum, default_value_t)]
    effort: Effort,
    /// Outer corners of the one symbol to read, in pixels and in order around it, each within about a module
    #[arg(long, value_name = "X,Y,X,Y,X,Y,X,Y", value_parser = corners, allow_hyphen_values = true)]
    corners: Option<[Point; 4]>,
    /// Look nowhere but in this rectangle, in pixels: its left, top, right and bottom edges
    #[arg(long, value_name = "X,Y,X,Y", value_parser = region, conflicts_with = "corners")]
    region: Option<[f32; 4]>,
}

impl ReadArgs {
    fn options(&self) -> Options {
        let place = match (self.corners, self.region) {
            (Some(corners), _) => Place::Corners(corners),
            (None, Some(region)) => Place::Region(region),
            (None, None) => Place::Anywhere,
        };
        Options { effort: self.effort, place, doubtful: false }
    }
}

fn numbers(text: &str) -> Option<Vec<f32>> {
    let numbers: Option<Vec<f32>> = text.split(',').map(|n| n.trim().parse::<f32>().ok()).collect();
    numbers.filter(|n| n.iter().all(|n| n.is_finite()))
}

fn region(text: &str) -> Result<[f32; 4], String> {
    match numbers(text).as_deref() {
        Some([left, top, right, bottom]) if left < right && top < bottom && *right > 0.0 && *bottom > 0.0 => {
            Ok([*left, *top, *right, *bottom])
        }
        Some([_, _, _, _]) => {
            Err("it holds no pixel: the right edge must be beyond the left one and 0, the bottom beyond the top and 0"
                .into())
        }
        _ => Err("four numbers are needed: the left, top, right and bottom edge, separated by commas".into()),
    }
}

fn corners(text: &str) -> Result<[Point; 4], String> {
    match numbers(text).as_deref() {
        Some([a, b, c, d, e, f, g, h]) => {
            Ok([Point::new(*a, *b), Point::new(*c, *d), Point::new(*e, *f), Point::new(*g, *h)])
        }
        _ => Err("eight numbers are needed: x and y of each corner, separated by commas".into()),
    }
}

struct Material {
    trust: Trust,
    disclosures: Vec<Disclosure>,
    trails: Vec<Answered>,
    printed_part: Option<String>,
    printed_lot: Option<String>,
    now: Timestamp,
}

impl Material {
    fn basis<'a>(&'a self, directory: &'a Directory<'a>) -> Basis<'a> {
        let (printed_part, printed_lot) = (self.printed_part.as_deref(), self.printed_lot.as_deref());
        let (disclosures, trails) = (&self.disclosures, &self.trails);
        Basis { directory, disclosures, trails, printed_part, printed_lot, now: self.now }
    }
}

/// What stops a command.
enum Stop {
    Material(MaterialError),
    /// A case folder that cannot be read or written.
    Case(FolderError),
    /// Nobody reads the output any more.
    Output(io::Error),
}

impl Stop {
    /// The file at `path` is not what the command needs.
    fn unusable(path: &Path, what: impl Into<String>) -> Self {
        Self::Material(MaterialError { path: path.to_owned(), kind: MaterialErrorKind::Unusable(what.into()) })
    }
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}

impl From<MaterialError> for Stop {
    fn from(error: MaterialError) -> Self {
        Self::Material(error)
    }
}

/// Runs the program with `args`, the first being its name.
pub fn run(args: impl IntoIterator<Item = OsString>, io: &mut Io<'_>) -> Status {
    let cli = match Cli::try_parse_from(args) {
        Ok(cli) => cli,
        Err(e) => return usage(&e, io),
    };
    let done = match cli.command {
        Command::Photo(args) => photo::run(&args, io),
        Command::Batch(args) => batch::run(&args, io),
        Command::Watch(args) => watch::run(&args, io),
        Command::Sightings(command) => sightings::run(&command, io),
        Command::Scan(args) => scan::run(&args, io),
        Command::Grade(args) => grade::run(&args, io),
        Command::Text(args) => text::run(&args, io),
        Command::Request(args) => request::run(&args, io),
        Command::Trail(args) => trail::run(&args, io),
        Command::Case(command) => case::run(&command, io),
        Command::Trust(command) => trust::run(&command, io),
    };
    match done {
        Ok(status) => status,
        // A closed pipe (`| head`) is no failure of ours, and has nobody left to tell.
        Err(Stop::Output(e)) if e.kind() == io::ErrorKind::BrokenPipe => Status::Unusable,
        Err(Stop::Output(e)) => complain(io, &format!("cannot write the results: {e}"), None),
        Err(Stop::Case(e)) => complain(io, &e.to_string(), None),
        Err(Stop::Material(e)) => complain(io, &e.to_string(), e.hint()),
    }
}

fn usage(error: &clap::Error, io: &mut Io<'_>) -> Status {
    // Help and version are results; everything else that clap says is a complaint.
    if error.use_stderr() {
        let _ = write!(io.stderr, "{error}");
        return Status::Unusable;
    }
    let _ = write!(io.stdout, "{error}");
    Status::AllAuthentic
}

fn complain(io: &mut Io<'_>, message: &str, hint: Option<&str>) -> Status {
    let _ = writeln!(io.stderr, "error: {}", words::plain(message));
    if let Some(hint) = hint {
        let _ = writeln!(io.stderr, "hint: {hint}");
    }
    Status::Unusable
}

fn load_basis(args: &BasisArgs, io: &mut Io<'_>) -> Result<Material, Stop> {
    let material = load(&args.believed, io)?;
    Ok(Material { printed_part: args.part.clone(), printed_lot: args.lot.clone(), ..material })
}

fn load(args: &BelievedArgs, io: &mut Io<'_>) -> Result<Material, Stop> {
    let pins = io.state.as_deref().map(Pins::in_folder);
    let file = material::open_trust(&args.trust, pins.as_ref())?;
    let trust = file.bundle.signed;
    if !file.pinned {
        writeln!(
            io.stderr,
            "note: you have not accepted an authority yet; this bundle is signed by {} ({}): compare, then `touchmark-verify trust pin`",
            trust.authority.name,
            words::fingerprint(&trust.authority.fingerprint()),
        )?;
    }
    if let Some(warning) = material::expiry_warning(&trust, io.now) {
        writeln!(io.stderr, "warning: {warning}")?;
    }
    let mut identities = Vec::new();
    for path in &args.identity {
        identities.extend(material::open_identities(path)?);
    }
    let (mut disclosures, mut trails) = (Vec::new(), Vec::new());
    for path in &args.disclosure {
        match material::open_disclosed(path, &identities, &trust)? {
            Disclosed::Keys(disclosure) => disclosures.push(disclosure),
            Disclosed::Trail(answered) => trails.push(answered),
        }
    }
    for path in &args.trail {
        trails.push(material::open_trail(path, &identities, &trust)?);
    }
    Ok(Material {
        trust,
        disclosures,
        trails: trails.into_iter().map(|answered| answered.believing(&args.witness)).collect(),
        printed_part: None,
        printed_lot: None,
        now: io.now,
    })
}
