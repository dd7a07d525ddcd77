//! `grade`: print quality of the symbols in pictures.

use super::each::{Wrong, each_in_order, report};
use super::{Io, ReadArgs, Stop, words};
use crate::grade::{Grade, Quality, Report, grade};
use crate::photo::{self, Limits};
use crate::read::{self, Options};
use crate::verdict::Status;
use base64::{Engine, engine::general_purpose::STANDARD};
use clap::Args;
use serde::Serialize;
use std::fmt::Write;
use std::path::{Path, PathBuf};

const EXIT_STATUS: &str = "Exit status:
  0  every symbol was graded, and none is below --at-least
  1  a symbol is below --at-least
  2  wrong usage, or results that cannot be written
  3  a picture could not be opened, or shows no symbol";

#[derive(Debug, Args)]
#[command(after_help = EXIT_STATUS)]
pub(super) struct GradeArgs {
    /// Pictures: JPEG, PNG, TIFF, WebP, BMP or GIF
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// Print JSON Lines, one line a file
    #[arg(long)]
    json: bool,
    /// Lowest grade that passes, by the standard of --by: below it the exit status is 1
    #[arg(long, value_name = "GRADE", default_value = "F")]
    at_least: Grade,
    /// Standard that --at-least is held against: 29158 for marks on parts, 15415 for labels
    #[arg(long, value_enum, default_value_t)]
    by: Standard,
    #[command(flatten)]
    read: ReadArgs,
}

#[derive(Debug, Clone, Copy, Default, clap::ValueEnum)]
enum Standard {
    #[default]
    #[value(name = "29158")]
    Iso29158,
    #[value(name = "15415")]
    Iso15415,
}

#[derive(Serialize)]
struct Line {
    file: String,
    symbols: Vec<Graded>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    /// What is wrong with a photo of which a part was searched.
    #[serde(skip_serializing_if = "Option::is_none")]
    damage: Option<String>,
}

#[derive(Serialize)]
struct Graded {
    symbology: &'static str,
    modules: [usize; 2],
    corners: [[f32; 2]; 4],
    /// What it carries, base64, if it was read.
    #[serde(skip_serializing_if = "Option::is_none")]
    bytes: Option<String>,
    #[serde(flatten)]
    quality: Quality,
}

pub(super) fn run(args: &GradeArgs, io: &mut Io<'_>) -> Result<Status, Stop> {
    let mut status = Status::AllAuthentic;
    let options = args.read.options();
    each_in_order(
        &args.files,
        io,
        |path: &Path| graded(path, &options),
        |line, io| {
            for symbol in &line.symbols {
                status = status.and(passed(&symbol.quality, args));
            }
            if line.symbols.is_empty() {
                status = status.and(Status::NothingRead);
            }
            let wrong = Wrong { file: &line.file, damage: line.damage.as_deref(), error: line.error.as_deref() };
            report(io, &line, &wrong, (!args.json).then(|| for_people(&line)))
        },
    )?;
    Ok(status)
}

fn passed(quality: &Quality, args: &GradeArgs) -> Status {
    let report = match args.by {
        Standard::Iso29158 => &quality.iso29158,
        Standard::Iso15415 => &quality.iso15415,
    };
    if report.grade >= args.at_least { Status::AllAuthentic } else { Status::NotAuthentic }
}

fn graded(path: &Path, options: &Options) -> Line {
    let file = path.to_string_lossy().into_owned();
    let photo = match photo::load(path, &Limits::default()) {
        Ok(photo) => photo,
        Err(e) => return Line { file, symbols: Vec::new(), error: Some(e.to_string()), damage: None },
    };
    let symbols = read::read(&photo.luma, options);
    let graded = symbols.iter().filter_map(|symbol| {
        let located = &symbol.located;
        Some(Graded {
            symbology: located.symbology.name(),
            modules: [located.modules.width, located.modules.height],
            corners: located.corners.map(|p| [p.x, p.y]),
            bytes: symbol.decoded.as_ref().ok().map(|decoded| STANDARD.encode(&decoded.bytes)),
            quality: grade(&photo.luma, symbol)?,
        })
    });
    Line { file, symbols: graded.collect(), error: None, damage: photo.damage }
}

fn for_people(line: &Line) -> String {
    let file = words::plain(&line.file);
    if line.symbols.is_empty() {
        return format!("{file}: no symbol to grade\n");
    }
    let mut out = String::new();
    for Graded { symbology, modules: [width, height], quality, .. } in &line.symbols {
        let kind = words::kind(symbology);
        let _ = writeln!(out, "{file}: {kind} {width}x{height}, {:.1} pixels a module", quality.pixels_per_module);
        for (standard, report) in [("ISO/IEC 15415", &quality.iso15415), ("ISO/IEC 29158", &quality.iso29158)] {
            out += &rows(standard, report);
        }
    }
    out
}

fn rows(standard: &str, report: &Report) -> String {
    let Report { grade, aperture, parameters } = report;
    let mut out = format!("  {standard:<26} {grade}  (aperture {aperture:.1} modules)\n");
    for parameter in parameters {
        let value = parameter.value.map(|value| format!("  {value:.2}")).unwrap_or_default();
        let _ = writeln!(out, "    {:<24} {}{value}", parameter.name.replace('_', " "), parameter.grade);
    }
    out
}
