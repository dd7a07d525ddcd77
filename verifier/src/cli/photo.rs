//! `photo`: every mark in each photo, verified.

use super::each::{Wrong, each_of, report};
use super::files0::{Name, Names};
use super::{BasisArgs, Io, ReadArgs, Stop, load_basis, words};
use crate::annotate::annotate;
use crate::examine::{Examination, FoundMark, PartExamination, UNOPENED, examine_photo, examine_together, overall};
use crate::files::write_atomically;
use crate::guard::guarded;
use crate::photo::{Limits, PhotoFile};
use crate::pipeline::{Budget, Put};
use crate::read::Options;
use crate::reading::reading;
use crate::verdict::{Status, Verdict};
use crate::verify::Basis;
use clap::Args;
use serde::Serialize;
use std::collections::HashSet;
use std::io;
use std::path::{Path, PathBuf};
use touchmark_formats::reading::MAX_PHOTOS;
use touchmark_formats::trust::Directory;

#[derive(Debug, Args)]
pub(super) struct PhotoArgs {
    /// Photos: JPEG, PNG, TIFF, WebP, BMP or GIF
    #[arg(value_name = "FILE", required_unless_present = "files0_from")]
    files: Vec<PathBuf>,
    /// Take the names of the photos from FILE, or from standard input if it is -: each ends with a NUL byte, as
    /// `find -print0` writes them. Results come in their order, each as soon as it is known
    #[arg(long, value_name = "FILE", conflicts_with = "files")]
    files0_from: Option<PathBuf>,
    #[command(flatten)]
    basis: BasisArgs,
    /// Print JSON Lines, one line a file
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    read: ReadArgs,
    /// The photos show one part: what each of them shows of its mark is put together, and the exit status is that of the
    /// part
    #[arg(long)]
    same_part: bool,
    /// Write what the photo shows of its symbol, module by module, into this file: by it the maker finds out which of its
    /// marks it is, where nothing can be read any more. For one photo, or with --same-part
    #[arg(long, value_name = "FILE")]
    reading: Option<PathBuf>,
    /// Write each photo with its marks outlined into this folder
    #[arg(long, value_name = "DIR")]
    annotate: Option<PathBuf>,
}

/// What is said of one photo.
#[derive(Serialize)]
struct Line {
    file: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    sha256: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    width: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    height: Option<usize>,
    #[serde(flatten)]
    overall: Overall,
    marks: Vec<FoundMark>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    /// What is wrong with a photo of which a part was searched.
    #[serde(skip_serializing_if = "Option::is_none")]
    damage: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    annotated: Option<String>,
}

/// The verdict over the whole photo. With exactly one mark, all its fields stand here too, so that the usual photo of one
/// part is one flat object.
#[derive(Serialize)]
#[serde(untagged)]
enum Overall {
    One(Box<FoundMark>),
    Summary { verdict: Verdict, reason: String },
}

/// What is said of the one part that all photos show.
#[derive(Serialize)]
struct PartLine {
    same_part: Vec<String>,
    #[serde(flatten)]
    overall: PartOverall,
    /// The photos that it was read from.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    read_from: Vec<String>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum PartOverall {
    Mark(Box<PartExamination>),
    Nothing { verdict: Verdict, reason: &'static str },
}

pub(super) fn run(args: &PhotoArgs, io: &mut Io<'_>) -> Result<Status, Stop> {
    if let Some(path) = args.reading.as_ref().filter(|_| args.files.len() != 1 && !args.same_part) {
        let what = "a reading is of one part, and these are several photos: name one, or say --same-part";
        return Err(Stop::unusable(path, what));
    }
    let material = load_basis(&args.basis, io)?;
    let directory = Directory::new(&material.trust);
    let mut status = Status::AllAuthentic;
    let mut annotated = HashSet::new();
    let options = args.read.options();
    let mut examinations: Vec<(String, Examination)> = Vec::new();
    let memory = Budget::of(MEMORY);
    let work = |name: Name| {
        let path = match &name {
            Ok(path) => path.as_path(),
            Err(_) => Path::new(""),
        };
        let basis = material.basis(&directory);
        let examined = name.clone().and_then(|path| examine(&path, &basis, &options, &memory));
        let picture = match (&args.annotate, &examined) {
            (Some(_), Ok(examination)) => Some(annotate(path, &examination.marks, &Limits::default())),
            _ => None,
        };
        (path.to_owned(), examined, picture)
    };
    let names = args.files0_from.as_deref().map(|list| Names::from(list, io)).transpose()?;
    let count = names.is_none().then_some(args.files.len());
    let source = |put: Put<'_, Name>| match names {
        Some(names) => names.put_all(put),
        None => {
            let _ = args.files.iter().try_for_each(|path| put(Ok(path.clone())));
        }
    };
    each_of(source, count, io, work, |(path, examined, picture), io| {
        if let (true, Ok(examination)) = (args.same_part || args.reading.is_some(), &examined) {
            examinations.push((path.to_string_lossy().into_owned(), examination.clone()));
        }
        let mut line = Line::new(&path, examined);
        if !args.same_part {
            status = line.verdicts().map(Verdict::status).fold(status, Status::and);
        } else if line.error.is_some() {
            status = status.and(Status::NothingRead);
        }
        match (&args.annotate, picture) {
            (Some(folder), Some(Ok(picture))) => {
                let to = folder.join(annotated_name(&path, &mut annotated));
                match write_atomically(&to, &picture) {
                    Ok(()) => line.annotated = Some(to.to_string_lossy().into_owned()),
                    Err(e) => {
                        status = status.and(Status::Unusable);
                        line.error = Some(format!("cannot write {}: {e}", to.display()));
                    }
                }
            }
            (_, Some(Err(e))) => {
                status = status.and(Status::NothingRead);
                line.error = Some(e.to_string());
            }
            _ => {}
        }
        let wrong = Wrong { file: &line.file, damage: line.damage.as_deref(), error: line.error.as_deref() };
        report(io, &line, &wrong, (!args.json).then(|| line.for_people()))
    })?;
    let (files, photos): (Vec<String>, Vec<Examination>) = examinations.into_iter().unzip();
    if let Some(path) = &args.reading {
        status = status.and(write_reading(path, &photos, io)?);
    }
    if args.same_part {
        let part = PartLine::new(files, examine_together(&photos, &material.basis(&directory), options.effort));
        status = status.and(part.overall.verdict().status());
        if args.json {
            writeln!(io.stdout, "{}", serde_json::to_string(&part).map_err(io::Error::from)?)?;
        } else {
            write!(io.stdout, "{}", part.for_people())?;
        }
    }
    Ok(status)
}

/// Memory that all photos in work may take together, in bytes: what is large waits for its turn.
const MEMORY: u64 = 900 << 20;

/// Reads and judges the photo at `path` when there is the memory for it. Whatever a hostile file does, it is that file's error.
fn examine(path: &Path, basis: &Basis<'_>, options: &Options, memory: &Budget) -> Result<Examination, String> {
    let limits = Limits::default();
    let file = PhotoFile::read(path, &limits).map_err(|e| e.to_string())?;
    let _loan = memory.borrow(file.cost(&limits));
    let examined = guarded(|| file.decode(&limits).map(|photo| examine_photo(&photo, basis, options)));
    match examined {
        Some(examined) => examined.map_err(|e| e.to_string()),
        None => Err(format!("cannot read {}: the reader gave up on it; please report this", path.display())),
    }
}

/// Writes the reading, if there is anything to be read, and says where it is.
fn write_reading(path: &Path, photos: &[Examination], io: &mut Io<'_>) -> Result<Status, Stop> {
    let Some(reading) = reading(photos) else {
        writeln!(io.stderr, "{}: not written: a reading is of 1 to {MAX_PHOTOS} photos", path.display())?;
        return Ok(Status::NothingRead);
    };
    let symbols = match reading.signed.symbols.len() {
        0 => {
            writeln!(
                io.stderr,
                "{}: not written, for nothing looks like a symbol: point at it with --corners",
                path.display()
            )?;
            return Ok(Status::NothingRead);
        }
        1 => "1 symbol".to_owned(),
        n => format!("{n} places that look like a symbol"),
    };
    write_atomically(path, reading.to_json().as_bytes())
        .map_err(|e| Stop::unusable(path, format!("it cannot be written: {e}")))?;
    writeln!(io.stderr, "{}: reading of {symbols}", path.display())?;
    Ok(Status::AllAuthentic)
}

impl PartLine {
    fn new(files: Vec<String>, part: Option<PartExamination>) -> Self {
        let reason = "no symbol was found in the photos";
        let nothing = PartOverall::Nothing { verdict: Verdict::NothingFound, reason };
        let read_from = part.iter().flat_map(|part| &part.photos).filter_map(|n| files.get(*n).cloned()).collect();
        Self { read_from, same_part: files, overall: part.map_or(nothing, |part| PartOverall::Mark(Box::new(part))) }
    }

    fn for_people(&self) -> String {
        let title = format!("the part, by {} photos", self.same_part.len());
        match &self.overall {
            PartOverall::Nothing { verdict, reason } => {
                format!("{title}: {}: {reason}\n", verdict.name().to_uppercase())
            }
            PartOverall::Mark(part) => {
                let symbol = words::symbol(&part.judged);
                let from = words::plain(&self.read_from.join(", "));
                format!("{title}: {}  symbol     {symbol}, from {from}\n", words::assessment(&part.judged.assessment))
            }
        }
    }
}

impl PartOverall {
    fn verdict(&self) -> Verdict {
        match self {
            Self::Mark(part) => part.judged.assessment.verdict,
            Self::Nothing { verdict, .. } => *verdict,
        }
    }
}

impl Line {
    fn new(path: &Path, examined: Result<Examination, String>) -> Self {
        let file = path.to_string_lossy().into_owned();
        match examined {
            Ok(Examination { sha256, width, height, damage, marks, .. }) => {
                let overall = match marks.as_slice() {
                    [only] => Overall::One(Box::new(only.clone())),
                    marks => {
                        let (verdict, reason) = overall(marks);
                        Overall::Summary { verdict, reason }
                    }
                };
                let (width, height) = (Some(width), Some(height));
                Self {
                    file,
                    sha256: Some(words::hex(&sha256)),
                    width,
                    height,
                    overall,
                    marks,
                    error: None,
                    damage,
                    annotated: None,
                }
            }
            Err(error) => {
                let overall = Overall::Summary { verdict: Verdict::NothingFound, reason: UNOPENED.into() };
                let (sha256, width, height) = (None, None, None);
                Self {
                    file,
                    sha256,
                    width,
                    height,
                    overall,
                    marks: Vec::new(),
                    error: Some(error),
                    damage: None,
                    annotated: None,
                }
            }
        }
    }

    fn verdicts(&self) -> impl Iterator<Item = Verdict> {
        let none = self.marks.is_empty().then_some(Verdict::NothingFound);
        self.marks.iter().map(|mark| mark.judged.assessment.verdict).chain(none)
    }

    fn for_people(&self) -> String {
        let file = words::plain(&self.file);
        let mut out = String::new();
        for mark in &self.marks {
            out += &format!("{file}: {}", words::assessment(&mark.judged.assessment));
            out += &format!("  symbol     {}\n", words::found(mark));
        }
        if let (true, Overall::Summary { verdict, reason }) = (self.marks.is_empty(), &self.overall) {
            out += &format!("{file}: {}: {reason}\n", verdict.name().to_uppercase());
        }
        if let Some(annotated) = &self.annotated {
            out += &format!("  picture    {}\n", words::plain(annotated));
        }
        out
    }
}

/// `chip.jpg` becomes `chip-annotated.png`; a second `chip` of the same run `chip-annotated-2.png`.
fn annotated_name(photo: &Path, taken: &mut HashSet<String>) -> String {
    let stem = photo.file_stem().unwrap_or_default().to_string_lossy();
    let mut name = format!("{stem}-annotated.png");
    let mut n = 2;
    while !taken.insert(name.clone()) {
        name = format!("{stem}-annotated-{n}.png");
        n += 1;
    }
    name
}
